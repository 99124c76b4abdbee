//! The record of the changes of a bundle's status.
//!
//! A bundle stores its last recorded status, with its instant and time zone. [`next_change`] gives every change by the
//! clock since that instant. These changes are recorded before the change of an operation. The record is therefore the
//! same, whichever operation updates a bundle and however late.

use chrono::{DateTime, Utc};
use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

use super::{
    state::{Bundle, RecordedStatus, Usage},
    status::BundleStatus,
    terms::{BundleTerms, DesiredState},
    timeline::{next_change, status_at},
};
use crate::domain::{
    ids::BundleId,
    names::named,
    rejection::Rejection,
    text::SingleLine,
    zone::{Zone, ZoneInForce},
};

/// The maximum number of changes in one write. The transaction of the write needs room for other items too.
pub const TRANSITIONS_PER_WRITE_MAX: usize = 90;

/// A change of the status or of the requested state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The status before.
    pub from: BundleStatus,
    /// The status after.
    pub to: BundleStatus,
    /// The reason for the change.
    pub reason: TransitionReason,
    /// When the status changed. The change may be recorded later.
    pub at: DateTime<Utc>,
    /// The new state requested by the operator, if the operator changed it.
    pub desired_state: Option<DesiredState>,
    /// The operator's reason.
    pub note: Option<SingleLine>,
}

/// The reason for a change of status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray, VariantNames)]
pub enum TransitionReason {
    /// The start date was reached.
    #[strum(serialize = "start date reached")]
    StartDateReached,
    /// The end date was reached.
    #[strum(serialize = "end date reached")]
    EndDateReached,
    /// The time window opened.
    #[strum(serialize = "time window opened")]
    WindowOpened,
    /// The time window closed.
    #[strum(serialize = "time window closed")]
    WindowClosed,
    /// The redemption limit was reached.
    #[strum(serialize = "redemption limit reached")]
    LimitReached,
    /// A redemption was voided, so the bundle is below its limit again.
    #[strum(serialize = "redemption voided")]
    RedemptionVoided,
    /// An operator changed the bundle or the org's time zone.
    #[strum(serialize = "operator")]
    Operator,
}

named!(TransitionReason);

/// A bundle with an updated status, and the changes to record with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusUpdate {
    /// The bundle after the update.
    pub bundle: Bundle,
    /// The changes, oldest first.
    pub transitions: Vec<Transition>,
    /// When the status changes next by the clock. `None` if it never does.
    pub due: Option<DateTime<Utc>>,
    /// Whether all changes up to `now` are included. Otherwise there were more than [`TRANSITIONS_PER_WRITE_MAX`], and
    /// another update continues from here.
    pub complete: bool,
    /// When the changes are recorded, which may be long after they happened.
    pub now: DateTime<Utc>,
}

impl StatusUpdate {
    /// A new bundle, as recorded at `now`.
    #[must_use]
    pub fn new(id: BundleId, terms: BundleTerms, zone: Zone, now: DateTime<Utc>) -> Self {
        let recorded = RecordedStatus { status: BundleStatus::Draft, at: now, zone, is_outdated: false };
        let mut bundle = Bundle { id, created_at: Some(now), terms, usage: Usage::NONE, recorded };
        bundle.recorded.status = status_at(&bundle, zone, now);
        let due = next_change(&bundle, zone, now);
        Self { bundle, transitions: Vec::new(), due, complete: true, now }
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_idle(&self, before: &Bundle) -> bool {
        self.transitions.is_empty() && self.bundle.recorded.zone == before.recorded.zone && !before.recorded.is_outdated
    }

    /// Adds every change by the clock up to an instant, while there is room.
    fn apply_clock(&mut self, until: DateTime<Utc>) {
        while let Some(next) = self.due.filter(|next| self.complete && *next <= until) {
            if self.transitions.len() == TRANSITIONS_PER_WRITE_MAX {
                self.complete = false;
            } else {
                self.bundle.recorded.at = next;
                self.record(clock_reason, None);
            }
        }
        if self.complete {
            self.bundle.recorded.at = self.bundle.recorded.at.max(until);
            self.record(clock_reason, None);
        }
    }

    /// Evaluates the status by another time zone from the recorded instant on.
    fn apply_zone(&mut self, zone: Zone) {
        if self.complete && self.transitions.len() == TRANSITIONS_PER_WRITE_MAX {
            self.complete = false;
            self.due = Some(self.bundle.recorded.at);
        }
        if self.complete {
            self.bundle.recorded.zone = zone;
            self.record(|_, _| TransitionReason::Operator, None);
        }
    }

    /// Adds a change at the recorded instant, if the status differs or the operator requests another state.
    pub(super) fn record(
        &mut self,
        reason: impl FnOnce(BundleStatus, BundleStatus) -> TransitionReason,
        requested: Option<(DesiredState, Option<SingleLine>)>,
    ) {
        let RecordedStatus { status: from, at, zone, .. } = self.bundle.recorded;
        let to = status_at(&self.bundle, zone, at);
        if from != to || requested.is_some() {
            let (desired_state, note) = requested.map_or((None, None), |(desired, note)| (Some(desired), note));
            self.transitions.push(Transition { from, to, reason: reason(from, to), at, desired_state, note });
        }
        self.bundle.recorded.status = to;
        self.due = next_change(&self.bundle, zone, at);
    }
}

/// Adds every change by the clock since the recorded instant, each at its own instant and by the recorded time zone. If
/// the org's time zone has changed, the new zone applies from the instant of that change on.
///
/// Recorded changes are never undone. If `now` is before the recorded instant because clocks differ, the recorded
/// instant applies.
#[must_use]
pub fn bring_up_to_date(bundle: &Bundle, zone: ZoneInForce, now: DateTime<Utc>) -> StatusUpdate {
    let RecordedStatus { at, zone: judged_by, .. } = bundle.recorded;
    let due = next_change(bundle, judged_by, at);
    let mut update = StatusUpdate { bundle: bundle.clone(), transitions: Vec::new(), due, complete: true, now };
    update.bundle.recorded.is_outdated = false;
    if judged_by != zone.zone {
        update.apply_clock(zone.since.map_or(now, |since| since.min(now)));
        update.apply_zone(zone.zone);
    }
    update.apply_clock(now);
    update
}

/// The status at an instant, according to the recorded transitions. `next` is the first transition after the instant.
/// Without `next`, the recorded status applies up to its instant, and the clock determines the status after that
/// instant.
#[must_use]
pub fn recorded_status_at(
    bundle: &Bundle,
    zone: ZoneInForce,
    at: DateTime<Utc>,
    next: Option<&Transition>,
) -> BundleStatus {
    let recorded = bundle.recorded;
    match next {
        Some(next) => next.from,
        None if at <= recorded.at => recorded.status,
        None if zone.since.is_some_and(|since| at < since) => status_at(bundle, recorded.zone, at),
        None => status_at(bundle, zone.zone, at),
    }
}

const fn clock_reason(from: BundleStatus, to: BundleStatus) -> TransitionReason {
    match (from, to) {
        (_, BundleStatus::Expired) => TransitionReason::EndDateReached,
        (BundleStatus::Scheduled, _) => TransitionReason::StartDateReached,
        (_, BundleStatus::Active) => TransitionReason::WindowOpened,
        (_, BundleStatus::Paused | BundleStatus::Scheduled | BundleStatus::Draft) => TransitionReason::WindowClosed,
    }
}

/// Replaces the terms of an up-to-date bundle. The usage does not change. Fails with [`Rejection::LimitBelowUsed`] if
/// the new limit is below the usage.
pub fn edit(mut update: StatusUpdate, terms: BundleTerms, note: Option<SingleLine>) -> Result<StatusUpdate, Rejection> {
    let used = update.bundle.usage.redemptions;
    if terms.max_redemptions.is_some_and(|max| max.get() < used) {
        return Err(Rejection::LimitBelowUsed { used });
    }
    let requested = (terms.desired_state != update.bundle.terms.desired_state).then_some((terms.desired_state, note));
    update.bundle.terms = terms;
    update.record(|_, _| TransitionReason::Operator, requested);
    Ok(update)
}

/// Replaces the usage of an up-to-date bundle.
pub(super) fn replace_usage(mut update: StatusUpdate, usage: Usage, reason: TransitionReason) -> StatusUpdate {
    update.bundle.usage = usage;
    update.record(|_, _| reason, None);
    update
}
