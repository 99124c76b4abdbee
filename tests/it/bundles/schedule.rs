//! The status of a bundle at an instant: every row of the vectors, random schedules, and changes of clocks.

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
        transition::StatusUpdate,
    },
    money::Money,
    text::SingleLine,
    zone::Zone,
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

/// Zones with clock changes of an hour and of half an hour, with changes at midnight, without changes, with a day left
/// out, and with two midnights on some days.
pub(super) const ZONES: [&str; 10] = [
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

pub(super) fn instants() -> impl Strategy<Value = DateTime<Utc>> {
    // From 2010 to 2030, to the second, so that every kind of clock change occurs.
    (1_262_304_000_i64..1_893_456_000).prop_map(|second| DateTime::from_timestamp(second, 0).unwrap())
}

fn times() -> impl Strategy<Value = Option<String>> {
    prop::option::of((0_u16..=24 * 12).prop_map(|fives| format!("{:02}:{:02}", fives / 12, fives % 12 * 5)))
}

pub(super) fn schedules() -> impl Strategy<Value = Schedule> {
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

pub(super) fn published(schedule: Schedule) -> Bundle {
    bundle(DesiredState::Published, schedule, None)
}

/// A bundle of one product, created before all instants of these tests.
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
    fn the_status_changes_at_the_next_change_and_not_before(
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
    fn a_window_opens_at_its_local_time_despite_clock_changes(
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
        // The window opens at its local time, or at the instant at which the clocks skip that time.
        let local = opens.with_timezone(&zone).format("%H:%M").to_string();
        let before = (opens - TimeDelta::seconds(1)).with_timezone(&zone).format("%H:%M").to_string();
        prop_assert!(local == from || (before < from && from < local) || before > local, "{} {} {}", before, from, local);
    }
}

pub(super) fn window(from: &str, to: &str) -> Bundle {
    published(Schedule {
        time_start: Some(from.to_owned().try_into().unwrap()),
        time_end: Some(to.to_owned().try_into().unwrap()),
        ..Schedule::default()
    })
}

/// Checks that a window is open exactly from one instant to another.
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
fn a_skipped_local_time_maps_to_the_instant_of_the_clock_change() {
    let new_york = "America/New_York";
    on(&window("02:30", "04:00"), new_york, "2026-03-08T07:00:00Z", "2026-03-08T08:00:00Z");
    on(&window("01:00", "02:30"), new_york, "2026-03-08T06:00:00Z", "2026-03-08T07:00:00Z");
    on(&window("02:10", "05:00"), "Australia/Lord_Howe", "2026-10-03T15:30:00Z", "2026-10-03T18:00:00Z");
    on(&window("00:30", "02:00"), "Africa/Cairo", "2026-04-23T22:00:00Z", "2026-04-23T23:00:00Z");
}

#[test]
fn an_ambiguous_local_time_starts_at_the_first_and_ends_at_the_last_instant() {
    let new_york = "America/New_York";
    on(&window("01:30", "03:00"), new_york, "2026-11-01T05:30:00Z", "2026-11-01T08:00:00Z");
    on(&window("00:30", "01:30"), new_york, "2026-11-01T04:30:00Z", "2026-11-01T06:30:00Z");
    on(&window("01:15", "01:45"), new_york, "2026-11-01T05:15:00Z", "2026-11-01T06:45:00Z");
}

#[test]
fn a_window_skipped_by_a_clock_change_is_omitted_and_the_next_one_applies() {
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
fn nonexistent_times_and_days_are_rejected() {
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
fn a_window_that_ends_with_its_day_ends_at_the_first_of_two_midnights() {
    let until_the_end = |from: &str| {
        let time_start = Some(from.to_owned().try_into().unwrap());
        published(Schedule { time_start, ..Schedule::default() })
    };
    // In the Azores and in Havana the clocks go back from one o'clock to midnight, so the first hour occurs twice.
    for (zone, opens, closes) in [
        ("Atlantic/Azores", "2026-10-24T20:00:00Z", "2026-10-25T00:00:00Z"),
        ("America/Havana", "2025-11-02T00:00:00Z", "2025-11-02T04:00:00Z"),
    ] {
        on(&window("20:00", "24:00"), zone, opens, closes);
        on(&until_the_end("20:00"), zone, opens, closes);
        let zone: Zone = zone.parse().unwrap();
        assert_eq!(zone.end_of_day(instant(opens).with_timezone(&zone).date_naive()), instant(closes));
    }
    // Another local end that occurs twice is the later instant.
    on(&window("20:00", "00:30"), "Atlantic/Azores", "2026-10-24T20:00:00Z", "2026-10-25T01:30:00Z");
    on(&window("20:00", "00:30"), "America/Havana", "2025-11-02T00:00:00Z", "2025-11-02T05:30:00Z");
    // Where the clocks skip midnight, the day begins at one o'clock.
    on(&window("20:00", "24:00"), "America/Havana", "2026-03-08T01:00:00Z", "2026-03-08T05:00:00Z");
    // In Newfoundland the clocks went back from a minute past midnight into the day before.
    let (st_johns, twice) = ("America/St_Johns", instant("2010-11-07T02:45:00Z"));
    on(&window("10:00", "24:00"), st_johns, "2010-11-06T12:30:00Z", "2010-11-07T02:30:00Z");
    let (always, zone) = (window("00:00", "24:00"), st_johns.parse().unwrap());
    assert_eq!((status_at(&always, zone, twice), next_change(&always, zone, twice)), (BundleStatus::Active, None));
}
