//! What a run tells.

use std::time::Duration;

use serde::Serialize;
use shared::{
    domain::{
        bundle::{status::BundleStatus, transition::Transition},
        ids::{BundleId, OrgId},
    },
    views::TransitionView,
};

/// So much is told at most: an answer has a largest size.
const REPORTED_MAX: usize = 5_000;

/// What was done, and what was not.
pub(crate) struct RunReport {
    /// Whether all of it is told: else only as much as fits.
    is_whole: bool,
    transitions: Vec<BundleTransitionView>,
    errors: Vec<FailedBundleView>,
    performed: usize,
    failed: usize,
    /// How many transitions led into each status.
    kinds: [usize; BundleStatus::ALL.len()],
}

/// A bundle's change of status.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BundleTransitionView {
    org_id: OrgId,
    bundle_id: BundleId,
    #[serde(flatten)]
    transition: TransitionView,
}

/// A bundle that was not brought up to date; all of an org's where none is named.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FailedBundleView {
    org_id: OrgId,
    #[serde(skip_serializing_if = "Option::is_none")]
    bundle_id: Option<BundleId>,
    /// A stable code; the log has the cause.
    error: &'static str,
}

impl RunReport {
    /// Nothing yet.
    pub(crate) const fn new(is_whole: bool) -> Self {
        Self {
            is_whole,
            transitions: Vec::new(),
            errors: Vec::new(),
            performed: 0,
            failed: 0,
            kinds: [0; BundleStatus::ALL.len()],
        }
    }

    /// Notes what was put on record of a bundle.
    pub(crate) fn changed(&mut self, org: &OrgId, bundle: &BundleId, transitions: Vec<Transition>) {
        self.performed += transitions.len();
        for (status, entered) in BundleStatus::ALL.iter().zip(&mut self.kinds) {
            *entered += transitions.iter().filter(|transition| transition.to == *status).count();
        }
        if self.is_whole || !self.is_enough() {
            let changed = transitions.into_iter();
            let changed = changed.map(|transition| {
                let (org_id, bundle_id) = (org.clone(), bundle.clone());
                BundleTransitionView { org_id, bundle_id, transition: transition.into() }
            });
            self.transitions.extend(changed);
        }
    }

    /// Notes that nothing was.
    pub(crate) fn failed(&mut self, org: &OrgId, bundle: Option<BundleId>, error: &'static str) {
        self.failed += 1;
        if self.is_whole || !self.is_enough() {
            self.errors.push(FailedBundleView { org_id: org.clone(), bundle_id: bundle, error });
        }
    }

    /// Whether there is as much to tell as can be told.
    pub(crate) const fn is_enough(&self) -> bool {
        self.transitions.len() + self.errors.len() >= REPORTED_MAX
    }

    /// How many transitions led into each status.
    pub(crate) fn kinds(&self) -> Vec<(BundleStatus, usize)> {
        BundleStatus::ALL.iter().copied().zip(self.kinds).collect()
    }

    /// Transitions put on record, and what was not.
    pub(crate) const fn figures(&self) -> (usize, usize) {
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
    pub(crate) fn new(found: RunReport, took: Duration, cursor: Option<String>) -> Self {
        let (transitions_performed, errors_encountered) = found.figures();
        let RunReport { mut transitions, errors, .. } = found;
        // Shards finish in no order; people read one.
        transitions.sort_by(|a, b| {
            let key = |changed: &BundleTransitionView| {
                (changed.transition.at, changed.org_id.clone(), changed.bundle_id.clone())
            };
            key(a).cmp(&key(b))
        });
        let job_duration = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let summary = Summary { transitions_performed, errors_encountered };
        Self { success: errors_encountered == 0, job_duration, transitions, errors, summary, cursor }
    }
}
