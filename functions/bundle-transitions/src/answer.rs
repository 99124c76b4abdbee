//! The answer of a run.

use std::time::Duration;

use serde::Serialize;
use shared::{
    domain::{
        bundle::{status::BundleStatus, transition::Transition},
        ids::{BundleId, OrgId},
    },
    views::TransitionView,
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
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BundleTransitionView {
    org_id: OrgId,
    bundle_id: BundleId,
    #[serde(flatten)]
    transition: TransitionView,
}

/// A bundle whose status was not updated. Without an id, all bundles of the org.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FailedBundleView {
    org_id: OrgId,
    #[serde(skip_serializing_if = "Option::is_none")]
    bundle_id: Option<BundleId>,
    /// The stable code. The log contains the cause.
    error: &'static str,
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
                let (org_id, bundle_id) = (org.clone(), bundle.clone());
                BundleTransitionView { org_id, bundle_id, transition: transition.into() }
            });
            self.transitions.extend(views);
        }
    }

    /// Adds an error.
    pub(crate) fn add_error(&mut self, org: &OrgId, bundle: Option<BundleId>, error: &'static str) {
        self.failed += 1;
        if self.reports_all || !self.is_full() {
            self.errors.push(FailedBundleView { org_id: org.clone(), bundle_id: bundle, error });
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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    success: bool,
    /// In milliseconds.
    job_duration: u64,
    transitions: Vec<BundleTransitionView>,
    errors: Vec<FailedBundleView>,
    summary: Summary,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    transitions_performed: usize,
    errors_encountered: usize,
}

impl Answer {
    pub(crate) fn new(report: RunReport, elapsed: Duration, cursor: Option<String>) -> Self {
        let (transitions_performed, errors_encountered) = report.totals();
        let RunReport { mut transitions, errors, .. } = report;
        // Shards finish in any order, so the answer is sorted.
        transitions.sort_by(|a, b| {
            let key = |view: &BundleTransitionView| (view.transition.at, view.org_id.clone(), view.bundle_id.clone());
            key(a).cmp(&key(b))
        });
        let job_duration = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let summary = Summary { transitions_performed, errors_encountered };
        Self { success: errors_encountered == 0, job_duration, transitions, errors, summary, cursor }
    }
}
