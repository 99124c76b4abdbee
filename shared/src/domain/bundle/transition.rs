//! What is recorded when a bundle's status changes.
//!
//! A bundle carries its status as last recorded, for an instant and a time zone. What has changed since by the clock
//! alone follows from [`next_change`], each change at its own instant; what people do comes on top of it. So it does not
//! matter who brings a bundle up to date, or how long nobody did.

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

/// Changes recorded at once, at most: they go into one transaction, with room for what else is done.
pub const TRANSITIONS_PER_WRITE_MAX: usize = 90;

/// A change of status, or of what the operator wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The status before.
    pub from: BundleStatus,
    /// The status after.
    pub to: BundleStatus,
    /// Why.
    pub reason: TransitionReason,
    /// When it changed, which may be before it was recorded.
    pub at: DateTime<Utc>,
    /// What the operator wants from then on, where that is what changed.
    pub desired_state: Option<DesiredState>,
    /// The operator's own words.
    pub note: Option<SingleLine>,
}

/// Why a status changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray, VariantNames)]
pub enum TransitionReason {
    /// Its start has come.
    #[strum(serialize = "start date reached")]
    StartDateReached,
    /// Its end has come.
    #[strum(serialize = "end date reached")]
    EndDateReached,
    /// The time of day, or the day, has come.
    #[strum(serialize = "time window opened")]
    WindowOpened,
    /// The time of day, or the day, is over.
    #[strum(serialize = "time window closed")]
    WindowClosed,
    /// The last one was redeemed.
    #[strum(serialize = "redemption limit reached")]
    LimitReached,
    /// One was given back.
    #[strum(serialize = "redemption voided")]
    RedemptionVoided,
    /// Somebody changed the bundle, or the org's time zone.
    #[strum(serialize = "operator")]
    Operator,
}

named!(TransitionReason);

/// A bundle with its recorded status moved, and the changes to put on record with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusUpdate {
    /// The bundle as it is now.
    pub bundle: Bundle,
    /// The changes, oldest first.
    pub transitions: Vec<Transition>,
    /// When to look at it again; `None`: nothing will change by the clock.
    pub due: Option<DateTime<Utc>>,
    /// Whether everything up to now is on record; else there were more than [`TRANSITIONS_PER_WRITE_MAX`], and it goes on from here.
    pub complete: bool,
    /// When this goes on record, which may be long after the changes.
    pub now: DateTime<Utc>,
}

impl StatusUpdate {
    /// A bundle without a past, as recorded at `now`.
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

    /// Records every change by the clock up to an instant, as far as there is room.
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

    /// Judges by another zone from here on.
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

    /// Records the status as of the instant that the record has come to, where it differs from the one on record or the
    /// operator wants something else.
    pub(super) fn record(
        &mut self,
        reason: impl FnOnce(BundleStatus, BundleStatus) -> TransitionReason,
        wanted: Option<(DesiredState, Option<SingleLine>)>,
    ) {
        let RecordedStatus { status: from, at, zone, .. } = self.bundle.recorded;
        let to = status_at(&self.bundle, zone, at);
        if from != to || wanted.is_some() {
            let (desired_state, note) = wanted.map_or((None, None), |(desired, note)| (Some(desired), note));
            self.transitions.push(Transition { from, to, reason: reason(from, to), at, desired_state, note });
        }
        self.bundle.recorded.status = to;
        self.due = next_change(&self.bundle, zone, at);
    }
}

/// Brings a bundle up to date: every change by the clock since its status was recorded, each at its own instant, in the
/// zone by which it was judged; and if the org's zone is another now, from the instant of that change on in the new one.
///
/// What is on record is never taken back: where clocks differ and `now` is before it, the record's instant counts.
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

/// The status at an instant as it is on record, given the first transition after the instant; and where the record is not
/// that far yet, what the clock has made of the status since.
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

/// A bundle that is up to date, as a PUT leaves it. What was redeemed stays, and the limit can't be set below it.
pub fn edit(mut update: StatusUpdate, terms: BundleTerms, note: Option<SingleLine>) -> Result<StatusUpdate, Rejection> {
    let used = update.bundle.usage.redemptions;
    if terms.max_redemptions.is_some_and(|max| max.get() < used) {
        return Err(Rejection::LimitBelowUsed { used });
    }
    let wanted = (terms.desired_state != update.bundle.terms.desired_state).then_some((terms.desired_state, note));
    update.bundle.terms = terms;
    update.record(|_, _| TransitionReason::Operator, wanted);
    Ok(update)
}

/// A bundle that is up to date, with what was redeemed of it changed.
pub(super) fn replace_usage(mut update: StatusUpdate, usage: Usage, reason: TransitionReason) -> StatusUpdate {
    update.bundle.usage = usage;
    update.record(|_, _| reason, None);
    update
}
