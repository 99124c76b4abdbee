//! The schedules of the template, as the local stack runs them.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use harness::instant;
use local::schedules::{self, Schedule, ScheduledCall};

const BEGAN: &str = "2026-06-01T11:58:30Z";

/// The next times of a schedule.
fn times<const N: usize>(expression: &str, zone: Option<&str>, after: &str) -> [DateTime<Utc>; N] {
    let schedule = Schedule::read(expression, zone).unwrap();
    let mut now = instant(after);
    std::array::from_fn(|_| {
        now = schedule.next(instant(BEGAN), now).expect("it comes again");
        now
    })
}

fn check<const N: usize>(expression: &str, zone: Option<&str>, after: &str, expected: [&str; N]) {
    assert_eq!(times(expression, zone, after), expected.map(instant), "{expression} in {zone:?}");
}

#[test]
fn a_rate_counts_from_the_start_of_the_stack() {
    check("rate(5 minutes)", None, BEGAN, ["2026-06-01T12:03:30Z", "2026-06-01T12:08:30Z"]);
    check("rate(5 minutes)", None, "2026-06-01T12:04:00Z", ["2026-06-01T12:08:30Z"]);
    check("rate(1 hour)", Some("Asia/Kolkata"), BEGAN, ["2026-06-01T12:58:30Z"]);
    check("rate(2 days)", None, BEGAN, ["2026-06-03T11:58:30Z"]);
}

#[test]
fn a_cron_expression_applies_in_its_time_zone_with_daylight_saving() {
    check("cron(0 3 * * ? *)", None, BEGAN, ["2026-06-02T03:00:00Z", "2026-06-03T03:00:00Z"]);
    let new_york = Some("America/New_York");
    check("cron(0 3 * * ? *)", new_york, BEGAN, ["2026-06-02T07:00:00Z"]);
    check("cron(0 3 * * ? *)", new_york, "2026-12-01T00:00:00Z", ["2026-12-01T08:00:00Z"]);
    check(
        "cron(*/15 9-10 ? * MON-FRI *)",
        new_york,
        "2026-06-05T14:40:00Z",
        ["2026-06-05T14:45:00Z", "2026-06-08T13:00:00Z"],
    );
}

#[test]
fn days_of_the_week_count_from_sunday_as_in_aws() {
    // 2026-06-07 is a Sunday.
    check("cron(0 2 ? * SUN *)", None, BEGAN, ["2026-06-07T02:00:00Z"]);
    check("cron(0 2 ? * 1 *)", None, BEGAN, ["2026-06-07T02:00:00Z"]);
    check("cron(0 9 ? * 2 *)", None, BEGAN, ["2026-06-08T09:00:00Z"]);
    check("cron(0 9 ? * 2#1 *)", None, BEGAN, ["2026-07-06T09:00:00Z"]);
    check("cron(0 9 L * ? *)", None, BEGAN, ["2026-06-30T09:00:00Z"]);
    check("cron(0 9 1 1 ? 2028)", None, BEGAN, ["2028-01-01T09:00:00Z"]);
}

#[test]
fn a_schedule_in_the_past_never_fires_again() {
    let schedule = Schedule::read("cron(0 9 1 1 ? 2020)", None).unwrap();
    assert_eq!(schedule.next(instant(BEGAN), instant(BEGAN)), None);
}

#[test]
fn a_schedule_that_eventbridge_would_reject_is_rejected() {
    for expression in [
        "rate(0 minutes)",
        "rate(5 minute)",
        "rate(1 minutes)",
        "rate(5)",
        "rate(-1 minutes)",
        "rate(5 weeks)",
        "5 minutes",
        "rate(5 minutes",
        "cron(0 3 * * *)",
        "cron(0 3 * * * *)",
        "cron(0 3 ? * ? *)",
        "cron(61 3 * * ? *)",
        "cron()",
        "at(2026-06-01T00:00:00)",
    ] {
        assert!(Schedule::read(expression, None).is_err(), "{expression}");
    }
    assert!(Schedule::read("rate(5 minutes)", Some("Mars/Olympus")).is_err());
}

#[tokio::test(start_paused = true)]
async fn functions_are_called_on_schedule_and_a_slow_function_skips_missed_calls() {
    let schedule = |function: &str, expression: &str| {
        let schedule = Schedule::read(expression, None).unwrap();
        ScheduledCall { function: function.to_owned(), schedule, until_done: false }
    };
    let schedules = [
        schedule("quick", "rate(5 minutes)"),
        schedule("slow", "rate(5 minutes)"),
        schedule("daily", "cron(3 12 * * ? *)"),
    ];
    let start = tokio::time::Instant::now();
    let clock = || instant(BEGAN) + TimeDelta::from_std(start.elapsed()).unwrap();
    let calls: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
    let call = |ScheduledCall { function, .. }, event: serde_json::Value| {
        let calls = Arc::clone(&calls);
        async move {
            assert_eq!(event["detail-type"], "Scheduled Event");
            calls.lock().unwrap().push((function.clone(), event["time"].as_str().unwrap()[11..19].to_owned()));
            if function == "slow" {
                tokio::time::sleep(std::time::Duration::from_mins(7)).await;
            }
        }
    };
    let a_while = std::time::Duration::from_mins(21);
    tokio::time::timeout(a_while, schedules::run(&schedules, clock, call)).await.unwrap_err();
    let of = |function: &str| -> Vec<String> {
        let calls = calls.lock().unwrap();
        calls.iter().filter(|(name, _)| name == function).map(|(_, time)| time.clone()).collect()
    };
    assert_eq!(of("quick"), ["12:03:30", "12:08:30", "12:13:30", "12:18:30"]);
    assert_eq!(of("slow"), ["12:03:30", "12:13:30"]);
    assert_eq!(of("daily"), ["12:03:00"]);
}
