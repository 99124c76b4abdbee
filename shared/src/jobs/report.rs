//! The report of one call of a sweep, org by org, and its answer.

use std::time::Duration;

use serde::Serialize;

use crate::{
    domain::ids::OrgId,
    failure::{Failure, Retry},
};

/// The results of a call in one org.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrgReport<F> {
    /// The org.
    pub org_id: OrgId,
    success: bool,
    /// The figures of the job.
    #[serde(flatten)]
    pub figures: F,
    errors: u64,
    /// The time spent in the org, in milliseconds.
    duration: u64,
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

impl<F: Serialize> SweepReport<F> {
    /// The answer, with the sums over all orgs. The summary is logged too, because the answer to a schedule is
    /// discarded.
    pub fn answer<S: Serialize>(&self, sums: S) -> impl Serialize + use<'_, F, S> {
        let total_errors = self.errors();
        let successful_orgs = self.results.iter().filter(|report| report.success).count();
        let summary = Summary { total_orgs: self.results.len(), successful_orgs, sums, total_errors };
        let (results, cursor) = (self.results.as_slice(), self.cursor.as_deref());
        tracing::info!(summary = %serde_json::json!(summary), goes_on = cursor.is_some(), "a call of a sweep is over");
        Answer { success: total_errors == 0, job_duration: millis(self.duration), results, summary, cursor }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a, F, S> {
    success: bool,
    /// The duration of the call, in milliseconds.
    job_duration: u64,
    results: &'a [OrgReport<F>],
    summary: Summary<S>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary<S> {
    total_orgs: usize,
    successful_orgs: usize,
    #[serde(flatten)]
    sums: S,
    total_errors: u64,
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
