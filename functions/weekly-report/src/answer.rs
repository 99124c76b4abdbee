//! The answer of a report.

use std::time::Duration;

use serde::Serialize;
use shared::domain::{ids::OrgId, report::figures::WeekFigures};

use crate::view::WeekFiguresView;

/// The week of an org.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrgReport {
    pub(crate) org_id: OrgId,
    pub(crate) name: String,
    pub(crate) figures: WeekFiguresView,
    /// The figures as text, one line each.
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
    /// Whether the week of every org was counted.
    pub(crate) success: bool,
    /// In milliseconds.
    pub(crate) job_duration: u64,
    pub(crate) orgs: &'a [OrgReport],
    /// Orgs whose week could not be counted. The log contains the cause.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) errors: &'a [OrgId],
    pub(crate) summary: Summary,
    /// The outcome of the Slack message.
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

/// The outcome of a Slack message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MessageOutcome {
    /// Slack accepted the message.
    Sent,
    /// Slack did not accept the message. The log contains the cause.
    Failed,
    /// No webhook is configured.
    NotConfigured,
    /// No org has a report.
    NothingToSay,
    /// The call is a dry run or for one org, so it sends no message.
    NotAsked,
}

pub(crate) fn millis(elapsed: Duration) -> u64 {
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}
