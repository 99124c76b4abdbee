//! The answer of a report.

use shared::domain::{ids::OrgId, report::figures::WeekFigures, text::SingleLine};

use crate::view::WeekFiguresView;

/// The answer of one call of a report.
#[declare::answer]
pub struct ReportAnswer {
    /// Whether the week of every org was counted.
    pub success: bool,
    /// The duration of the call, in milliseconds.
    pub job_duration: u64,
    /// The weeks of at most 400 orgs. `summary` counts all orgs.
    pub orgs: Vec<OrgWeek>,
    /// The orgs whose week could not be counted. They do not affect the others. The log contains the cause. Absent
    /// without such orgs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<OrgId>,
    /// The totals of the call.
    pub summary: ReportSummary,
    /// The outcome of the Slack message.
    pub slack: MessageOutcome,
    /// Where the next call continues. Absent when the report is complete.
    pub cursor: Option<String>,
}

/// The week of an org.
#[declare::answer]
pub struct OrgWeek {
    /// The org.
    pub org_id: OrgId,
    /// The name of the org.
    pub name: SingleLine,
    /// The figures.
    pub figures: WeekFiguresView,
    /// The figures as text, one line each.
    pub lines: Vec<String>,
}

impl OrgWeek {
    pub(crate) fn new(org_id: OrgId, name: SingleLine, figures: WeekFigures) -> Self {
        let lines = figures.lines();
        Self { org_id, name, figures: figures.into(), lines }
    }
}

/// The totals of a call.
#[declare::answer]
pub struct ReportSummary {
    /// The number of orgs that the call reported or could not count.
    pub total_orgs: usize,
    /// The number of orgs whose week could not be counted.
    pub total_errors: usize,
}

/// The outcome of a Slack message.
#[declare::answer]
#[derive(Copy, Eq)]
pub enum MessageOutcome {
    /// Slack accepted the message.
    Sent,
    /// Slack refused the message, or took longer than five seconds or the rest of the call. The log contains the cause.
    Failed,
    /// No webhook is set.
    NotConfigured,
    /// No org was left to report.
    NothingToSay,
    /// The call is a dry run or for one org, so it sends no message.
    NotAsked,
}
