//! The answer of a run.

use std::time::Duration;

use chrono::{DateTime, Utc};
use shared::domain::{
    bundle::{
        status::BundleStatus,
        transition::{Transition, TransitionReason},
    },
    ids::{BundleId, OrgId},
};

/// The maximum number of reported transitions and errors, because an answer has a maximum size.
const REPORTED_MAX: usize = 5_000;

/// The transitions and the errors of a run.
pub(crate) struct RunReport {
    /// Whether every transition is reported. Otherwise the report stops at its maximum size.
    reports_all: bool,
    transitions: Vec<BundleTransitionView>,
    errors: Vec<FailedBundleView>,
    performed: usize,
    failed: usize,
    /// The number of transitions into each status, in the order of [`BundleStatus::ALL`].
    entered: [usize; BundleStatus::ALL.len()],
}

/// A change of a bundle's status.
#[declare::answer]
pub struct BundleTransitionView {
    /// The org.
    pub org_id: OrgId,
    /// The bundle.
    pub bundle_id: BundleId,
    /// The status before.
    pub from: BundleStatus,
    /// The status after.
    pub to: BundleStatus,
    /// Why the status changed.
    pub reason: TransitionReason,
    /// The instant of the change.
    pub at: DateTime<Utc>,
}

/// A bundle whose status was not updated.
#[declare::answer]
pub struct FailedBundleView {
    /// The org.
    pub org_id: OrgId,
    /// The bundle. Absent where the error concerns all bundles of an org whose time zone has changed.
    pub bundle_id: Option<BundleId>,
    /// The stable code, such as `internal` for a bundle or an org that cannot be read, or `try_again`. The log contains
    /// the cause.
    pub error: String,
}

impl RunReport {
    /// An empty report.
    pub(crate) const fn new(reports_all: bool) -> Self {
        Self {
            reports_all,
            transitions: Vec::new(),
            errors: Vec::new(),
            performed: 0,
            failed: 0,
            entered: [0; BundleStatus::ALL.len()],
        }
    }

    /// Adds the recorded transitions of a bundle.
    pub(crate) fn add_transitions(&mut self, org: &OrgId, bundle: &BundleId, transitions: Vec<Transition>) {
        self.performed += transitions.len();
        for (status, entered) in BundleStatus::ALL.iter().zip(&mut self.entered) {
            *entered += transitions.iter().filter(|transition| transition.to == *status).count();
        }
        if self.reports_all || !self.is_full() {
            let views = transitions.into_iter().map(|transition| {
                let Transition { from, to, reason, at, .. } = transition;
                BundleTransitionView { org_id: org.clone(), bundle_id: bundle.clone(), from, to, reason, at }
            });
            self.transitions.extend(views);
        }
    }

    /// Adds an error.
    pub(crate) fn add_error(&mut self, org: &OrgId, bundle: Option<BundleId>, error: &str) {
        self.failed += 1;
        if self.reports_all || !self.is_full() {
            self.errors.push(FailedBundleView { org_id: org.clone(), bundle_id: bundle, error: error.to_owned() });
        }
    }

    /// Whether the report has its maximum size.
    pub(crate) const fn is_full(&self) -> bool {
        self.transitions.len() + self.errors.len() >= REPORTED_MAX
    }

    /// The number of transitions into each status.
    pub(crate) fn entered(&self) -> Vec<(BundleStatus, usize)> {
        BundleStatus::ALL.iter().copied().zip(self.entered).collect()
    }

    /// The number of recorded transitions, and the number of errors.
    pub(crate) const fn totals(&self) -> (usize, usize) {
        (self.performed, self.failed)
    }
}

/// The answer of one call of a run.
#[declare::answer]
pub struct TransitionsAnswer {
    /// Whether there were no errors.
    pub success: bool,
    /// The duration of the call, in milliseconds.
    pub job_duration: u64,
    /// The recorded transitions, in the order of their instants. The answer to a schedule has at most 5,000 transitions
    /// and errors.
    pub transitions: Vec<BundleTransitionView>,
    /// The bundles whose status was not updated.
    pub errors: Vec<FailedBundleView>,
    /// The totals of the call.
    pub summary: TransitionsSummary,
    /// Where the next call continues. Absent when the run is complete.
    pub cursor: Option<String>,
}

/// The totals of a call.
#[declare::answer]
pub struct TransitionsSummary {
    /// The number of recorded transitions.
    pub transitions_performed: usize,
    /// The number of errors.
    pub errors_encountered: usize,
}

impl TransitionsAnswer {
    pub(crate) fn new(report: RunReport, elapsed: Duration, cursor: Option<String>) -> Self {
        let (transitions_performed, errors_encountered) = report.totals();
        let RunReport { mut transitions, errors, .. } = report;
        // Shards finish in any order, so the answer is sorted.
        transitions.sort_by(|a, b| {
            let key = |view: &BundleTransitionView| (view.at, view.org_id.clone(), view.bundle_id.clone());
            key(a).cmp(&key(b))
        });
        let job_duration = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let summary = TransitionsSummary { transitions_performed, errors_encountered };
        Self { success: errors_encountered == 0, job_duration, transitions, errors, summary, cursor }
    }
}
