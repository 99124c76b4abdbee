//! The report of one call of a sweep, org by org, and its answer.

use std::time::Duration;

use serde::Serialize;

use crate::{
    domain::ids::OrgId,
    failure::{Failure, Retry},
};

/// The results of a call in one org.
#[declare::answer]
#[schemars(rename = "OrgReportWith{F}")]
pub struct OrgReport<F> {
    /// The org.
    pub org_id: OrgId,
    /// Whether no item of the org failed.
    pub success: bool,
    /// The figures of the job.
    #[serde(flatten)]
    pub figures: F,
    /// The number of items that failed.
    pub errors: u64,
    /// The time spent in the org, in milliseconds.
    pub duration: u64,
}

/// The results of a call in all of its orgs.
#[derive(Debug)]
pub struct SweepReport<F> {
    /// One report for each org that was visited.
    pub results: Vec<OrgReport<F>>,
    pub(super) duration: Duration,
    pub(super) cursor: Option<String>,
}

impl<F> SweepReport<F> {
    pub(super) const fn new() -> Self {
        Self { results: Vec::new(), duration: Duration::ZERO, cursor: None }
    }

    /// The cursor for the next call, or `None` if the sweep is complete.
    #[must_use]
    pub fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// The number of items that failed.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.results.iter().map(|report| report.errors).sum()
    }

    pub(super) fn add_org(&mut self, org_id: OrgId, figures: F, errors: u64, elapsed: Duration) {
        let duration = millis(elapsed);
        self.results.push(OrgReport { org_id, success: errors == 0, figures, errors, duration });
    }
}

impl<F> SweepReport<F> {
    /// The answer, with the sums over all orgs. The summary is logged too, because the answer to a schedule is
    /// discarded.
    pub fn answer<S: Serialize>(self, sums: S) -> SweepAnswer<F, S> {
        let total_errors = self.errors();
        let successful_orgs = self.results.iter().filter(|report| report.success).count();
        let summary = SweepSummary { total_orgs: self.results.len(), successful_orgs, sums, total_errors };
        let Self { results, duration, cursor } = self;
        tracing::info!(summary = %serde_json::json!(summary), goes_on = cursor.is_some(), "a call of a sweep is over");
        SweepAnswer { success: total_errors == 0, job_duration: millis(duration), results, summary, cursor }
    }
}

/// The answer of one call of a sweep.
#[declare::answer]
#[schemars(rename = "SweepAnswerWith{F}")]
pub struct SweepAnswer<F, S> {
    /// Whether nothing failed.
    pub success: bool,
    /// The duration of the call, in milliseconds.
    pub job_duration: u64,
    /// One report for each org that the call visited.
    pub results: Vec<OrgReport<F>>,
    /// The sums over all orgs.
    pub summary: SweepSummary<S>,
    /// Where the next call continues. Absent when the sweep is complete.
    pub cursor: Option<String>,
}

/// The sums over the orgs of a call.
#[declare::answer]
#[schemars(rename = "SweepSummaryWith{S}")]
pub struct SweepSummary<S> {
    /// The number of orgs that the call visited.
    pub total_orgs: usize,
    /// The number of orgs without errors.
    pub successful_orgs: usize,
    /// The sums of the job.
    #[serde(flatten)]
    pub sums: S,
    /// The number of items that failed.
    pub total_errors: u64,
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The outcome of each item of a batch.
pub type ItemOutcomes<I, T> = Vec<(I, Result<T, Failure>)>;

/// Fails if every write of a batch failed because the store is unavailable. In that case no item is at fault, and no
/// item may be skipped.
pub fn fail_if_store_unavailable<I, T>(outcomes: ItemOutcomes<I, T>) -> Result<ItemOutcomes<I, T>, Failure> {
    let is_unavailable = |outcome: &Result<T, Failure>| matches!(outcome, Err(Failure::Retry(Retry::Unavailable(_))));
    if outcomes.is_empty() || !outcomes.iter().all(|(_, outcome)| is_unavailable(outcome)) {
        return Ok(outcomes);
    }
    Err(Failure::unavailable("the store accepted no write of a batch"))
}
