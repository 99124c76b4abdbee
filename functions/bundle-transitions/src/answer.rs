//! What a run tells.

use std::time::Duration;

use serde::Serialize;
use shared::domain::{
    bundle::transition::Transition,
    ids::{BundleId, OrgId},
};

/// What was done, and what was not.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) transitions: Vec<Changed>,
    pub(crate) errors: Vec<Failed>,
}

/// A bundle's change of status.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Changed {
    pub(crate) org_id: OrgId,
    pub(crate) bundle_id: BundleId,
    #[serde(flatten)]
    pub(crate) transition: Transition,
}

/// A bundle that was not brought up to date.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Failed {
    pub(crate) org_id: OrgId,
    pub(crate) bundle_id: BundleId,
    /// A stable code; the log has the cause.
    pub(crate) error: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    success: bool,
    /// In milliseconds.
    job_duration: u64,
    transitions: Vec<Changed>,
    errors: Vec<Failed>,
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
    pub(crate) fn new(found: Found, took: Duration, cursor: Option<String>) -> Self {
        let Found { mut transitions, errors } = found;
        // Shards finish in no order; people read one.
        transitions.sort_by(|a, b| {
            let key = |changed: &Changed| (changed.transition.at, changed.org_id.clone(), changed.bundle_id.clone());
            key(a).cmp(&key(b))
        });
        let summary = Summary { transitions_performed: transitions.len(), errors_encountered: errors.len() };
        let job_duration = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        Self { success: errors.is_empty(), job_duration, transitions, errors, summary, cursor }
    }
}
