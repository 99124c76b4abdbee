//! The status of a bundle at an instant, and the next instant at which the status will differ.
//!
//! Both are pure functions of the bundle, the org's time zone and the clock. Every decision (redemption, eligibility)
//! uses [`status_at`]. The job that records changes finds the instants of changes by [`next_change`].

use chrono::{DateTime, Utc};

use super::{
    schedule::{in_window, windows_around},
    state::Bundle,
    status::BundleStatus,
    terms::DesiredState,
};
use crate::domain::zone::Zone;

/// The status at `now`: the first rule that matches.
#[must_use]
pub fn status_at(bundle: &Bundle, zone: Zone, now: DateTime<Utc>) -> BundleStatus {
    let schedule = &bundle.terms.schedule;
    match bundle.terms.desired_state {
        DesiredState::Draft => return BundleStatus::Draft,
        DesiredState::Ended => return BundleStatus::Expired,
        DesiredState::Published | DesiredState::Paused => {}
    }
    if bundle.is_sold_out() || schedule.ends_at(zone).is_some_and(|end| now >= end) {
        BundleStatus::Expired
    } else if schedule.starts_at(zone).is_some_and(|start| now < start) {
        BundleStatus::Scheduled
    } else if bundle.terms.desired_state == DesiredState::Paused || !in_window(schedule, zone, now) {
        BundleStatus::Paused
    } else {
        BundleStatus::Active
    }
}

/// The first instant after `now` at which the status differs by the clock alone. Returns `None` if the status never
/// changes again.
#[must_use]
pub fn next_change(bundle: &Bundle, zone: Zone, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let schedule = &bundle.terms.schedule;
    let by_window = |current| {
        let mut edges: Vec<_> = windows_around(schedule, zone, now).flat_map(|(from, to)| [from, to]).collect();
        edges.sort_unstable();
        edges.into_iter().find(|edge| *edge > now && status_at(bundle, zone, *edge) != current)
    };
    match status_at(bundle, zone, now) {
        BundleStatus::Draft | BundleStatus::Expired => None,
        BundleStatus::Scheduled => schedule.starts_at(zone),
        BundleStatus::Paused if bundle.terms.desired_state == DesiredState::Paused => schedule.ends_at(zone),
        current @ (BundleStatus::Active | BundleStatus::Paused) => {
            let candidates = [by_window(current), schedule.ends_at(zone)];
            candidates.into_iter().flatten().min()
        }
    }
}
