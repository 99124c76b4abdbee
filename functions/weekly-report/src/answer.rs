//! What a report answers.

use std::time::Duration;

use serde::Serialize;
use shared::domain::{ids::OrgId, report::figures::WeekFigures};

use crate::view::WeekFiguresView;

/// An org's week.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrgReport {
    pub(crate) org_id: OrgId,
    pub(crate) name: String,
    pub(crate) figures: WeekFiguresView,
    /// The same for people, a line each.
    pub(crate) lines: Vec<String>,
}

impl OrgReport {
    pub(crate) fn new(org_id: OrgId, name: String, figures: WeekFigures) -> Self {
        let lines = figures.lines();
        Self { org_id, name, figures: figures.into(), lines }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReportAnswer<'a> {
    /// Whether every org has its figures.
    pub(crate) success: bool,
    /// In milliseconds.
    pub(crate) job_duration: u64,
    pub(crate) orgs: &'a [OrgReport],
    /// Orgs whose week could not be counted; the log says why.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) errors: &'a [OrgId],
    pub(crate) summary: Summary,
    /// What became of the message.
    pub(crate) slack: MessageOutcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cursor: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Summary {
    pub(crate) total_orgs: usize,
    pub(crate) total_errors: usize,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MessageOutcome {
    /// It was taken.
    Sent,
    /// It was not; the log says why.
    Failed,
    /// There is no webhook to send it to.
    NotConfigured,
    /// There is no org to tell of.
    NothingToSay,
    /// Somebody asked, and has the answer.
    NotAsked,
}

pub(crate) fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}
