//! Status changes as they are recorded: after an outage, after a change of time zone, by a clock that is behind.

use chrono::TimeDelta;
use harness::instant;
use proptest::prelude::*;
use serde_json::json;
use shared::domain::{
    bundle::{
        status::BundleStatus,
        timeline::{next_change, status_at},
        transition::{TRANSITIONS_PER_WRITE_MAX, bring_up_to_date},
    },
    zone::{Zone, ZoneInForce},
};

use super::schedule::{ZONES, instants, published, schedules, window};

fn tokyo() -> Zone {
    "Asia/Tokyo".parse().unwrap()
}

/// The zone of an org that never changed its zone.
fn in_force(zone: Zone) -> ZoneInForce {
    ZoneInForce { zone, since: None }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_record_does_not_depend_on_the_frequency_of_updates(
        schedule in schedules(), zone in prop::sample::select(&ZONES[..]), from in instants(), looks in prop::collection::vec(0_i64..86_400, 1..12),
    ) {
        let zone = zone.parse::<Zone>().unwrap();
        let mut bundle = published(schedule);
        bundle.recorded.at = from;
        bundle.recorded.zone = zone;
        bundle.recorded.status = status_at(&bundle, zone, from);
        let (mut often, mut now, mut transitions) = (bundle.clone(), from, Vec::new());
        for seconds in looks {
            now += TimeDelta::seconds(seconds);
            let moved = bring_up_to_date(&often, in_force(zone), now);
            transitions.extend(moved.transitions);
            often = moved.bundle;
        }
        let once = bring_up_to_date(&bundle, in_force(zone), now);
        prop_assert!(once.complete);
        prop_assert_eq!(&once.bundle, &often);
        prop_assert_eq!(&once.transitions, &transitions);
        prop_assert_eq!(once.bundle.recorded.status, status_at(&bundle, zone, now));
        prop_assert_eq!(once.due, next_change(&bundle, zone, now));
        let mut from = bundle.recorded.status;
        for transition in transitions {
            prop_assert_eq!(transition.from, from);
            prop_assert_eq!(transition.to, status_at(&bundle, zone, transition.at));
            prop_assert_ne!(transition.from, transition.to);
            from = transition.to;
        }
    }
}

#[test]
fn after_a_long_outage_the_oldest_changes_are_recorded_first() {
    let bundle = window("09:00", "17:00");
    let now = instant("2010-01-01T12:00:00Z");
    let (mut bundle, mut rounds, mut recorded) = (bundle, 0, Vec::new());
    loop {
        let moved = bring_up_to_date(&bundle, in_force(Zone::UTC), now);
        assert!(moved.transitions.len() <= TRANSITIONS_PER_WRITE_MAX);
        assert!(moved.complete || moved.due.is_some_and(|due| due <= now), "it goes on at once");
        recorded.extend(moved.transitions.iter().map(|transition| transition.at));
        bundle = moved.bundle;
        rounds += 1;
        if moved.complete {
            break;
        }
    }
    // Two changes a day, and the morning of the last day.
    assert_eq!((recorded.len(), rounds), (365 * 2 + 1, 9));
    assert!(recorded.is_sorted());
    assert_eq!(bundle.recorded.status, BundleStatus::Active);
}

#[test]
fn a_slow_clock_never_reverts_a_record() {
    let bundle = window("09:00", "17:00");
    let ahead = bring_up_to_date(&bundle, in_force(Zone::UTC), instant("2009-01-01T09:00:00.005Z")).bundle;
    assert_eq!(ahead.recorded.status, BundleStatus::Active);
    let behind = bring_up_to_date(&ahead, in_force(Zone::UTC), instant("2009-01-01T08:59:59.995Z"));
    assert_eq!((behind.bundle, behind.transitions), (ahead, vec![]));
}

#[test]
fn a_bundle_recorded_in_another_zone_is_updated_to_the_new_zone_at_once() {
    let bundle = window("09:00", "17:00");
    // In UTC the window opened at nine. In Tokyo, where it is six in the evening, the window has closed.
    let moved = bring_up_to_date(&bundle, in_force(tokyo()), instant("2009-01-01T09:30:00Z"));
    let reported: Vec<_> =
        moved.transitions.iter().map(|change| (json!(change.reason), change.to, change.at)).collect();
    assert_eq!(
        reported,
        [
            (json!("time window opened"), BundleStatus::Active, instant("2009-01-01T09:00:00Z")),
            (json!("operator"), BundleStatus::Paused, instant("2009-01-01T09:30:00Z")),
        ]
    );
    assert_eq!(moved.due, Some(instant("2009-01-02T00:00:00Z")));
}

#[test]
fn a_zone_change_applies_from_the_instant_of_the_change() {
    let bundle = window("09:00", "17:00");
    // The zone is UTC until noon and Tokyo from then on. The next update is in the evening of the next day.
    let zone = ZoneInForce { zone: tokyo(), since: Some(instant("2009-01-01T12:00:00Z")) };
    let moved = bring_up_to_date(&bundle, zone, instant("2009-01-02T12:00:00Z"));
    let reported: Vec<_> =
        moved.transitions.iter().map(|change| (json!(change.reason), change.to, change.at)).collect();
    let expected = [
        ("time window opened", BundleStatus::Active, "2009-01-01T09:00:00Z"),
        ("operator", BundleStatus::Paused, "2009-01-01T12:00:00Z"),
        ("time window opened", BundleStatus::Active, "2009-01-02T00:00:00Z"),
        ("time window closed", BundleStatus::Paused, "2009-01-02T08:00:00Z"),
    ];
    assert_eq!(reported, expected.map(|(reason, to, at)| (json!(reason), to, instant(at))));
    assert_eq!((moved.bundle.recorded.zone, moved.complete), (tokyo(), true));
}

#[test]
fn a_zone_change_during_a_long_outage_is_applied_without_duplicate_changes() {
    let (mut bundle, now) = (window("09:00", "17:00"), instant("2009-07-01T12:00:00Z"));
    for since in ["2009-02-15T12:00:00Z", "2009-02-15T17:00:00Z", "2009-03-01T00:00:00Z"] {
        let zone = ZoneInForce { zone: tokyo(), since: Some(instant(since)) };
        let mut ats = Vec::new();
        bundle = window("09:00", "17:00");
        for _ in 0..10 {
            let moved = bring_up_to_date(&bundle, zone, now);
            assert!(moved.transitions.len() <= TRANSITIONS_PER_WRITE_MAX);
            assert!(moved.complete || moved.due.is_some_and(|due| due <= now));
            ats.extend(moved.transitions.iter().map(|change| (change.at, change.from, change.to)));
            bundle = moved.bundle;
        }
        assert!(ats.is_sorted_by(|(one, ..), (next, ..)| one < next), "{since}");
        assert!(ats.windows(2).all(|pair| pair[0].2 == pair[1].1), "{since}");
        assert_eq!(bundle.recorded.zone, tokyo());
    }
    assert_eq!(bundle.recorded.at, now);
}
