//! When a bundle is on: against the vectors, every row, and against what must hold of any schedule.

use chrono::{DateTime, TimeDelta, Utc};
use harness::{instant, vectors};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::json;
use shared::domain::{
    bundle::{
        schedule::{Schedule, ScheduleDate},
        state::{Bundle, Usage},
        status::BundleStatus,
        terms::{BundleTerms, BundleType, DesiredState, Offer, Price, Product, UseLimit},
        timeline::{next_change, status_at},
        transition::{StatusUpdate, TRANSITIONS_PER_WRITE_MAX, bring_up_to_date},
    },
    money::Money,
    text::SingleLine,
    zone::{Zone, ZoneInForce},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Row {
    timezone: String,
    bundle: Fields,
    now: DateTime<Utc>,
    status: BundleStatus,
    next_change: Option<DateTime<Utc>>,
    #[serde(default)]
    current_redemptions: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fields {
    desired_state: DesiredState,
    start_date: Option<DateTime<Utc>>,
    end_date: Option<DateTime<Utc>>,
    days_of_week: Option<Vec<i64>>,
    time_start: Option<String>,
    time_end: Option<String>,
    max_redemptions: Option<i64>,
}

impl Row {
    fn bundle(&self) -> Bundle {
        let Fields { desired_state, start_date, end_date, days_of_week, time_start, time_end, max_redemptions } =
            &self.bundle;
        let time = |text: &String| text.clone().try_into().unwrap();
        let schedule = Schedule {
            start: start_date.map(ScheduleDate::At),
            end: end_date.map(ScheduleDate::At),
            days: days_of_week.clone().map(|days| days.try_into().unwrap()),
            time_start: time_start.as_ref().map(time),
            time_end: time_end.as_ref().map(time),
        };
        let max = max_redemptions.map(|max| max.try_into().unwrap());
        let usage = Usage { redemptions: self.current_redemptions, ..Usage::NONE };
        Bundle { usage, ..bundle(*desired_state, schedule, max) }
    }
}

#[test]
fn every_schedule_and_limits_vector_holds() {
    for (file, at_least) in [("schedule.json", 200), ("limits.json", 50)] {
        vectors::every_row(file, at_least, |row: &Row| {
            let (bundle, zone) = (row.bundle(), row.timezone.parse().unwrap());
            let is = (status_at(&bundle, zone, row.now), next_change(&bundle, zone, row.now));
            (json!(is), json!((row.status, row.next_change)))
        });
    }
}

/// Zones that change their clocks by an hour, by half an hour, at midnight, never, that left out a day, and that have some
/// midnights twice.
const ZONES: [&str; 10] = [
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Asia/Kolkata",
    "America/St_Johns",
    "Pacific/Apia",
    "UTC",
    "Atlantic/Azores",
    "America/Havana",
];

fn instants() -> impl Strategy<Value = DateTime<Utc>> {
    // 2010 to 2030, to the second, so that every kind of change of clocks is met.
    (1_262_304_000_i64..1_893_456_000).prop_map(|second| DateTime::from_timestamp(second, 0).unwrap())
}

fn times() -> impl Strategy<Value = Option<String>> {
    prop::option::of((0_u16..=24 * 12).prop_map(|fives| format!("{:02}:{:02}", fives / 12, fives % 12 * 5)))
}

fn schedules() -> impl Strategy<Value = Schedule> {
    let days = prop::option::of(prop::collection::vec(0_i64..7, 1..=7));
    (prop::option::of(instants()), prop::option::of(1_i64..400), days, times(), times()).prop_map(
        |(start, length, days, from, to)| Schedule {
            start: start.map(ScheduleDate::At),
            end: start.zip(length).map(|(start, days)| ScheduleDate::At(start + TimeDelta::days(days))),
            days: days.map(|days| days.try_into().unwrap()),
            time_start: from.map(|time| time.try_into().unwrap()),
            time_end: to.map(|time| time.try_into().unwrap()),
        },
    )
}

fn tokyo() -> Zone {
    "Asia/Tokyo".parse().unwrap()
}

/// The zone of an org that never had another.
fn in_force(zone: Zone) -> ZoneInForce {
    ZoneInForce { zone, since: None }
}

fn published(schedule: Schedule) -> Bundle {
    bundle(DesiredState::Published, schedule, None)
}

/// A bundle of one product, as made before everything that happens here.
fn bundle(desired_state: DesiredState, schedule: Schedule, max_redemptions: Option<UseLimit>) -> Bundle {
    let line = |text: &str| SingleLine::try_from(text.to_owned()).unwrap();
    let amount = |minor| Money::from_minor(minor).unwrap();
    let product = Product {
        product_id: "p1".to_owned().try_into().unwrap(),
        name: line("Soap"),
        required_qty: 1.try_into().unwrap(),
        original_price: amount(1000),
    };
    let offer = Offer {
        name: line("A deal"),
        description: None,
        kind: BundleType::FixedPrice,
        products: vec![product].try_into().unwrap(),
        price: Price::new(amount(1000), amount(800)).unwrap(),
    };
    let terms = BundleTerms {
        offer,
        desired_state,
        schedule,
        max_redemptions,
        per_customer_limit: None,
        known_customers_only: false,
    };
    StatusUpdate::new("b".to_owned().try_into().unwrap(), terms, Zone::UTC, instant("2009-01-01T00:00:00Z")).bundle
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn however_long_nobody_looked_and_however_often_somebody_did_the_record_is_the_same(
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

    #[test]
    fn the_status_changes_at_the_next_change_and_nowhere_before(
        schedule in schedules(), zone in prop::sample::select(&ZONES[..]), now in instants(), parts in prop::collection::vec(0_i32..1000, 20),
    ) {
        let (bundle, zone) = (published(schedule), zone.parse::<Zone>().unwrap());
        let status = status_at(&bundle, zone, now);
        let next = next_change(&bundle, zone, now);
        if let Some(next) = next {
            prop_assert!(next > now);
            prop_assert_ne!(status_at(&bundle, zone, next), status);
            prop_assert_eq!(status_at(&bundle, zone, next - TimeDelta::milliseconds(1)), status);
        }
        let until = next.unwrap_or(now + TimeDelta::days(60)) - now;
        for part in parts {
            let between = now + until * part / 1000;
            prop_assert_eq!(status_at(&bundle, zone, between), status, "at {} of {}", between, next.map_or_else(String::new, |next| next.to_string()));
        }
    }

    #[test]
    fn a_window_opens_at_its_local_time_whatever_the_clocks_did(
        zone in prop::sample::select(&ZONES[..]), day in instants(), fives in 0_u16..24 * 12 - 12,
    ) {
        let zone = zone.parse::<Zone>().unwrap();
        let from = format!("{:02}:{:02}", fives / 12, fives % 12 * 5);
        let to = format!("{:02}:{:02}", (fives + 12) / 12, (fives + 12) % 12 * 5);
        let schedule = Schedule {
            time_start: Some(from.clone().try_into().unwrap()),
            time_end: Some(to.try_into().unwrap()),
            ..Schedule::default()
        };
        let bundle = published(schedule);
        let closed = if status_at(&bundle, zone, day) == BundleStatus::Active { next_change(&bundle, zone, day).unwrap() } else { day };
        let opens = next_change(&bundle, zone, closed).unwrap();
        prop_assert_eq!(status_at(&bundle, zone, opens), BundleStatus::Active);
        // On time by the shop's clock, or at the instant at which that clock jumped over it.
        let local = opens.with_timezone(&zone).format("%H:%M").to_string();
        let before = (opens - TimeDelta::seconds(1)).with_timezone(&zone).format("%H:%M").to_string();
        prop_assert!(local == from || (before < from && from < local) || before > local, "{} {} {}", before, from, local);
    }
}

fn window(from: &str, to: &str) -> Bundle {
    published(Schedule {
        time_start: Some(from.to_owned().try_into().unwrap()),
        time_end: Some(to.to_owned().try_into().unwrap()),
        ..Schedule::default()
    })
}

/// Checks that a window is on exactly from one instant to another.
fn on(bundle: &Bundle, zone: &str, opens: &str, closes: &str) {
    let zone: Zone = zone.parse().unwrap();
    let (opens, closes) = (instant(opens), instant(closes));
    let second = TimeDelta::seconds(1);
    assert_eq!(next_change(bundle, zone, opens - second), Some(opens));
    assert_eq!(next_change(bundle, zone, opens), Some(closes));
    let status = |at| status_at(bundle, zone, at);
    assert_eq!([status(opens - second), status(opens)], [BundleStatus::Paused, BundleStatus::Active]);
    assert_eq!([status(closes - second), status(closes)], [BundleStatus::Active, BundleStatus::Paused]);
}

#[test]
fn a_local_time_that_the_clocks_skip_is_the_instant_they_jump() {
    let new_york = "America/New_York";
    on(&window("02:30", "04:00"), new_york, "2026-03-08T07:00:00Z", "2026-03-08T08:00:00Z");
    on(&window("01:00", "02:30"), new_york, "2026-03-08T06:00:00Z", "2026-03-08T07:00:00Z");
    on(&window("02:10", "05:00"), "Australia/Lord_Howe", "2026-10-03T15:30:00Z", "2026-10-03T18:00:00Z");
    on(&window("00:30", "02:00"), "Africa/Cairo", "2026-04-23T22:00:00Z", "2026-04-23T23:00:00Z");
}

#[test]
fn a_local_time_that_occurs_twice_starts_at_the_first_and_ends_at_the_last() {
    let new_york = "America/New_York";
    on(&window("01:30", "03:00"), new_york, "2026-11-01T05:30:00Z", "2026-11-01T08:00:00Z");
    on(&window("00:30", "01:30"), new_york, "2026-11-01T04:30:00Z", "2026-11-01T06:30:00Z");
    on(&window("01:15", "01:45"), new_york, "2026-11-01T05:15:00Z", "2026-11-01T06:45:00Z");
}

#[test]
fn a_window_that_the_clocks_swallow_is_left_out_and_the_next_one_is_found() {
    let sundays = Schedule { days: Some(vec![0].try_into().unwrap()), ..window("02:15", "02:45").terms.schedule };
    let (bundle, zone) = (published(sundays), "America/New_York".parse().unwrap());
    let after_the_last = instant("2026-03-01T08:00:00Z");
    assert_eq!(next_change(&bundle, zone, after_the_last), Some(instant("2026-03-15T06:15:00Z")));
}

#[test]
fn a_window_without_a_gap_never_closes() {
    for bundle in
        [published(Schedule::default()), window("00:00", "24:00"), window("10:00", "10:00"), window("00:00", "00:00")]
    {
        for zone in ZONES {
            assert_eq!(next_change(&bundle, zone.parse().unwrap(), instant("2026-03-01T08:00:00Z")), None, "{zone}");
        }
    }
}

#[test]
fn times_of_day_and_days_that_do_not_exist_are_refused() {
    use shared::domain::bundle::schedule::{DaysOfWeek, TimeOfDay};
    let time = |text: &str| TimeOfDay::try_from(text.to_owned());
    for text in ["25:00", "24:01", "12:60", "9:00", "09:0", "0900", "", "ab:cd", "-1:00", "+1:00", "09:00:00", "99:99"]
    {
        assert!(time(text).is_err(), "{text}");
    }
    for text in ["00:00", "09:30", "23:59", "24:00"] {
        assert_eq!(time(text).unwrap().text(), text);
    }
    for days in [vec![], vec![7], vec![-1], vec![0, 99]] {
        assert!(DaysOfWeek::try_from(days.clone()).is_err(), "{days:?}");
    }
    assert_eq!(DaysOfWeek::try_from(vec![6, 0, 6]).unwrap().iter().collect::<Vec<_>>(), [0, 6]);
}

#[test]
fn after_a_long_outage_the_oldest_changes_go_on_record_first_and_the_rest_follow() {
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
    // Two changes a day, and the morning of the last.
    assert_eq!((recorded.len(), rounds), (365 * 2 + 1, 9));
    assert!(recorded.is_sorted());
    assert_eq!(bundle.recorded.status, BundleStatus::Active);
}

#[test]
fn a_record_is_never_taken_back_by_a_clock_that_is_behind() {
    let bundle = window("09:00", "17:00");
    let ahead = bring_up_to_date(&bundle, in_force(Zone::UTC), instant("2009-01-01T09:00:00.005Z")).bundle;
    assert_eq!(ahead.recorded.status, BundleStatus::Active);
    let behind = bring_up_to_date(&ahead, in_force(Zone::UTC), instant("2009-01-01T08:59:59.995Z"));
    assert_eq!((behind.bundle, behind.transitions), (ahead, vec![]));
}

#[test]
fn a_bundle_judged_by_another_zone_is_judged_by_the_new_one_at_once() {
    let bundle = window("09:00", "17:00");
    // In UTC it opened at nine; in Tokyo, where it is six in the evening, it has closed.
    let moved = bring_up_to_date(&bundle, in_force(tokyo()), instant("2009-01-01T09:30:00Z"));
    let told: Vec<_> = moved.transitions.iter().map(|change| (json!(change.reason), change.to, change.at)).collect();
    assert_eq!(
        told,
        [
            (json!("time window opened"), BundleStatus::Active, instant("2009-01-01T09:00:00Z")),
            (json!("operator"), BundleStatus::Paused, instant("2009-01-01T09:30:00Z")),
        ]
    );
    assert_eq!(moved.due, Some(instant("2009-01-02T00:00:00Z")));
}

#[test]
fn a_zone_that_changed_a_while_ago_is_in_force_from_then_on() {
    let bundle = window("09:00", "17:00");
    // UTC until noon, Tokyo from then on; nobody looked until the evening of the next day.
    let zone = ZoneInForce { zone: tokyo(), since: Some(instant("2009-01-01T12:00:00Z")) };
    let moved = bring_up_to_date(&bundle, zone, instant("2009-01-02T12:00:00Z"));
    let told: Vec<_> = moved.transitions.iter().map(|change| (json!(change.reason), change.to, change.at)).collect();
    let expected = [
        ("time window opened", BundleStatus::Active, "2009-01-01T09:00:00Z"),
        ("operator", BundleStatus::Paused, "2009-01-01T12:00:00Z"),
        ("time window opened", BundleStatus::Active, "2009-01-02T00:00:00Z"),
        ("time window closed", BundleStatus::Paused, "2009-01-02T08:00:00Z"),
    ];
    assert_eq!(told, expected.map(|(reason, to, at)| (json!(reason), to, instant(at))));
    assert_eq!((moved.bundle.recorded.zone, moved.complete), (tokyo(), true));
}

#[test]
fn a_zone_that_changed_during_a_long_outage_is_reached_in_the_end_and_no_change_is_recorded_twice() {
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

#[test]
fn a_window_that_ends_with_its_day_ends_with_the_first_midnight_where_there_are_two() {
    let until_the_end = |from: &str| {
        let time_start = Some(from.to_owned().try_into().unwrap());
        published(Schedule { time_start, ..Schedule::default() })
    };
    // At one o'clock the clocks go back to midnight: in the Azores and in Havana the day's first hour occurs twice.
    for (zone, opens, closes) in [
        ("Atlantic/Azores", "2026-10-24T20:00:00Z", "2026-10-25T00:00:00Z"),
        ("America/Havana", "2025-11-02T00:00:00Z", "2025-11-02T04:00:00Z"),
    ] {
        on(&window("20:00", "24:00"), zone, opens, closes);
        on(&until_the_end("20:00"), zone, opens, closes);
        let zone: Zone = zone.parse().unwrap();
        assert_eq!(zone.end_of_day(instant(opens).with_timezone(&zone).date_naive()), instant(closes));
    }
    // Another end that occurs twice is the last.
    on(&window("20:00", "00:30"), "Atlantic/Azores", "2026-10-24T20:00:00Z", "2026-10-25T01:30:00Z");
    on(&window("20:00", "00:30"), "America/Havana", "2025-11-02T00:00:00Z", "2025-11-02T05:30:00Z");
    // Where the clocks skip midnight, the day begins at one o'clock.
    on(&window("20:00", "24:00"), "America/Havana", "2026-03-08T01:00:00Z", "2026-03-08T05:00:00Z");
    // A minute after midnight the clocks of Newfoundland went back into the day before, which did not begin again.
    let (st_johns, twice) = ("America/St_Johns", instant("2010-11-07T02:45:00Z"));
    on(&window("10:00", "24:00"), st_johns, "2010-11-06T12:30:00Z", "2010-11-07T02:30:00Z");
    let (always, zone) = (window("00:00", "24:00"), st_johns.parse().unwrap());
    assert_eq!((status_at(&always, zone, twice), next_change(&always, zone, twice)), (BundleStatus::Active, None));
}
