//! Closed days: what an org owes its customers in points.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use harness::{
    Request, World, audit, instant,
    scenario::{adjustment, award, expiry, hold_points, redeem_points, refund_request, void_points, void_refund},
    world::ORG,
};
use serde_json::{Value, json};

use super::support::{ada_with_points_until_august, liability, run_at, send};

const FIGURES: [(&str, &str); 7] = [
    ("earned", "points_earned"),
    ("redeemed", "points_redeemed"),
    ("expired", "points_expired"),
    ("reversed", "points_reversed"),
    ("returned", "points_returned"),
    ("restored", "points_restored"),
    ("adjusted", "points_adjusted"),
];

fn next(day: NaiveDate) -> DateTime<Utc> {
    day.succ_opt().unwrap().and_hms_opt(0, 0, 0).unwrap().and_utc()
}

/// Compares every closed day with the activity of the customers.
pub(super) async fn check_days(world: &World, customers: &[&str], days: &[Value], now: &str) {
    let mut entries: Vec<(DateTime<Utc>, String, i64)> = Vec::new();
    for customer in customers {
        entries.extend(audit::ledger(world, ORG, customer, instant(now)).await.iter().map(|entry| {
            let kind = entry["kind"].as_str().unwrap().to_owned();
            (instant(entry["at"].as_str().unwrap()), kind, entry["points"].as_i64().unwrap())
        }));
    }
    for day in days {
        let date: NaiveDate = day["date"].as_str().unwrap().parse().unwrap();
        let of_day = |kind: &str| -> i64 {
            let of_day = entries.iter().filter(|(at, of, _)| at.date_naive() == date && of == kind);
            of_day.map(|(_, _, points)| points).sum()
        };
        for (figure, kind) in FIGURES {
            assert_eq!(day[figure], of_day(kind), "{figure} of {day}");
        }
        let outstanding: i64 = entries.iter().filter(|(at, ..)| *at < next(date)).map(|(_, _, points)| points).sum();
        assert_eq!(day["outstanding"], outstanding, "{day}");
        // 500 points are worth 35.
        assert_eq!(audit::cents(&day["value"]), outstanding * 7, "{day}");
    }
}

fn dates(days: &[Value]) -> Vec<&str> {
    days.iter().map(|day| day["date"].as_str().unwrap()).collect()
}

/// Plays a month of three customers in June, with a run each morning except during an outage of three days.
async fn play_month(world: &World) {
    let order =
        |customer: &str, day: u32, total: &str| award(customer, &format!("{customer}-{day}"), total, &json!({}));
    for day in 1..=30_u32 {
        let morning = format!("2026-06-{day:02}T05:00:00Z");
        if day > 2 && !(14..=16).contains(&day) {
            run_at(world, &morning, &json!({})).await;
        }
        let noon = format!("2026-06-{day:02}T12:00:00Z");
        let evening = format!("2026-06-{day:02}T23:59:59.999Z");
        if day % 2 == 0 {
            send(world, &order("ada", day, "120.50"), &noon).await;
        }
        match day {
            3 | 9 | 21 => drop(send(world, &order("bo", day, "300"), &evening).await),
            5 => drop(send(world, &redeem_points("ada", "r1", 100, "50"), &noon).await),
            6 => drop(send(world, &void_points("ada", "r1"), &evening).await),
            10 => drop(send(world, &refund_request("bo", "bo-9", "back", Some("100")), &noon).await),
            12 => drop(send(world, &void_refund("bo", "bo-9", "back"), &noon).await),
            13 => drop(send(world, &hold_points("bo", "h1", 150, "80", &json!({"minutes": 1440})), &noon).await),
            15 => drop(send(world, &adjustment("cy", "a1", 77), &noon).await),
            25 => drop(send(world, &adjustment("cy", "a2", -100), &noon).await),
            _ => {}
        }
    }
}

#[tokio::test]
async fn every_day_of_a_month_agrees_with_the_activity_of_the_customers() {
    let world = World::new().await;
    world.put_loyalty(ORG, &json!({"pointsExpiry": {"months": 1, "roundTo": "day"}, "pendingDays": 2})).await;
    let customers = ["ada", "bo", "cy"];
    for customer in customers {
        world.put_customer(ORG, customer, &json!({})).await;
    }
    play_month(&world).await;
    for day in 1..=31_u32 {
        run_at(&world, &format!("2026-07-{day:02}T05:00:00Z"), &json!({})).await;
    }
    let days = liability(&world, "").await;
    let expected: Vec<String> = "2026-06-02"
        .parse::<NaiveDate>()
        .unwrap()
        .iter_days()
        .map(|day| day.to_string())
        .take_while(|day| day.as_str() < "2026-07-31")
        .collect();
    assert_eq!(dates(&days), expected);
    check_days(&world, &customers, &days, "2026-07-31T05:00:00Z").await;
    assert!(days.iter().all(|day| day["late"] == 0));
    let sums: BTreeMap<&str, i64> = FIGURES
        .iter()
        .map(|(figure, _)| (*figure, days.iter().map(|day| day[*figure].as_i64().unwrap()).sum()))
        .collect();
    assert!(sums.values().all(|sum| *sum != 0), "every kind of entry occurs: {sums:?}");
    // The three days of the outage were closed at its end, when their accounts were past.
    let without: Vec<_> = days.iter().filter(|day| day.get("pending").is_none()).map(|day| &day["date"]).collect();
    assert_eq!(without, ["2026-06-13", "2026-06-14", "2026-06-15"]);
}

#[tokio::test]
async fn the_last_day_of_a_run_shows_what_the_accounts_hold() {
    let world = ada_with_points_until_august().await;
    world.put_loyalty(ORG, &json!({"pointsExpiry": {"months": 1}, "pendingDays": 14})).await;
    send(&world, &award("ada", "o2", "70", &json!({})), "2026-07-01T12:00:00Z").await;
    send(&world, &hold_points("ada", "h1", 100, "49.99", &json!({"minutes": 1440})), "2026-07-01T12:00:00Z").await;
    let found = async |at: &str| {
        run_at(&world, at, &json!({})).await;
        let day = liability(&world, "").await.pop().unwrap();
        json!(["pending", "held", "expiringWithin30Days"].map(|name| day[name].clone()))
    };
    assert_eq!(found("2026-07-02T03:00:00Z").await, json!([70, 100, 0]), "30 days and an hour before they expire");
    assert_eq!(found("2026-07-03T05:00:00Z").await, json!([70, 0, 250]), "the hold has lapsed");
    assert_eq!(found("2026-07-20T05:00:00Z").await, json!([0, 0, 250]));
}

#[tokio::test]
async fn entries_recorded_after_their_day_was_closed_count_once_as_late() {
    let world = ada_with_points_until_august().await;
    for day in 2..=4 {
        run_at(&world, &format!("2026-06-0{day}T05:00:00Z"), &json!({})).await;
    }
    // By a clock that is behind.
    send(&world, &adjustment("ada", "a1", 30), "2026-06-01T23:00:00Z").await;
    send(&world, &adjustment("ada", "a2", -5), "2026-06-03T23:00:00Z").await;
    send(&world, &adjustment("ada", "a3", 7), "2026-06-04T12:00:00Z").await;
    run_at(&world, "2026-06-05T05:00:00Z", &json!({})).await;
    run_at(&world, "2026-06-06T05:00:00Z", &json!({})).await;
    let figures = |day: &Value| ["earned", "adjusted", "late", "outstanding"].map(|name| day[name].as_i64().unwrap());
    let days: Vec<_> = liability(&world, "").await.iter().map(figures).collect();
    let expected = [[250, 0, 0, 250], [0, 0, 0, 250], [0, 0, 0, 250], [0, 7, 25, 282], [0, 0, 0, 282]];
    assert_eq!(days, expected);
}

#[tokio::test]
async fn the_first_record_counts_what_customers_had_at_the_end_of_its_day() {
    let world = ada_with_points_until_august().await;
    world.put_customer(ORG, "bo", &json!({})).await;
    for (number, at) in ["2026-06-20T12:00:00Z", "2026-06-21T23:59:59.999Z", "2026-06-22T00:00:00Z"].iter().enumerate()
    {
        send(&world, &adjustment("bo", &format!("a{number}"), 10), at).await;
    }
    for number in 10..60 {
        send(&world, &adjustment("bo", &format!("a{number}"), 1), "2026-06-22T01:00:00Z").await;
    }
    send(&world, &redeem_points("ada", "o2", 100, "49.99"), "2026-06-22T04:00:00Z").await;
    run_at(&world, "2026-06-22T05:00:00Z", &json!({})).await;
    let days = liability(&world, "").await;
    assert_eq!((dates(&days), &days[0]["outstanding"]), (vec!["2026-06-21"], &json!(270)));
    check_days(&world, &["ada", "bo"], &days, "2026-06-22T05:00:00Z").await;
    run_at(&world, "2026-06-23T05:00:00Z", &json!({})).await;
    check_days(&world, &["ada", "bo"], &liability(&world, "").await, "2026-06-23T05:00:00Z").await;
}

#[tokio::test]
async fn the_first_record_depends_on_no_index_that_lags() {
    let world = ada_with_points_until_august().await;
    world.put_customer(ORG, "bo", &json!({})).await;
    send(&world, &adjustment("bo", "a1", 10), "2026-08-01T12:00:00Z").await;
    // The report reads the entries of the same day. From then on the index shows no other ones.
    world.proxy.freeze_index();
    let report = Request::new("POST", "weekly-report", "/").json(&json!({"orgId": ORG}));
    send(&world, &report, "2026-08-03T13:00:00Z").await;
    // The run records the expiry of the day that it closes.
    run_at(&world, "2026-08-02T05:00:00Z", &json!({})).await;
    world.proxy.thaw_index();
    run_at(&world, "2026-08-03T05:00:00Z", &json!({})).await;
    let days = liability(&world, "").await;
    check_days(&world, &["ada", "bo"], &days, "2026-08-03T05:00:00Z").await;
    assert_eq!((&days[0]["expired"], &days[0]["outstanding"], &days[1]["late"]), (&json!(-250), &json!(10), &json!(0)));
}

#[tokio::test]
async fn an_unreadable_record_of_a_day_is_an_error_and_holds_up_no_customer() {
    let world = ada_with_points_until_august().await;
    run_at(&world, "2026-06-02T05:00:00Z", &json!({})).await;
    world.corrupt(&format!("ORG#{ORG}"), "DAY#2026-06-01", "outstanding").await;
    let run = run_at(&world, "2026-08-02T05:00:00Z", &json!({})).await;
    let reported = &run["results"][0];
    assert_eq!((&reported["errors"], &reported["expired"], &reported["daysClosed"]), (&json!(1), &json!(1), &json!(0)));
}

#[tokio::test]
async fn a_long_outage_is_made_up_for_in_several_runs() {
    let world = ada_with_points_until_august().await;
    run_at(&world, "2026-06-02T05:00:00Z", &json!({})).await;
    for (run, days) in [("2026-08-10T05:00:00Z", 31), ("2026-08-10T06:00:00Z", 31), ("2026-08-10T07:00:00Z", 7)] {
        let body = run_at(&world, run, &json!({})).await;
        assert_eq!(body["results"][0]["daysClosed"], days, "{run}");
    }
    let days = liability(&world, "").await;
    assert_eq!(
        (days.len(), days[0]["date"].as_str(), days[69]["date"].as_str()),
        (70, Some("2026-06-01"), Some("2026-08-09"))
    );
    check_days(&world, &["ada"], &days, "2026-08-10T07:00:00Z").await;
    assert_eq!(days.iter().filter(|day| day.get("held").is_some()).count(), 2, "the first and the last");
}

#[tokio::test]
async fn days_are_listed_between_two_dates_page_by_page() {
    let world = ada_with_points_until_august().await;
    run_at(&world, "2026-06-02T05:00:00Z", &json!({})).await;
    run_at(&world, "2026-06-11T05:00:00Z", &json!({})).await;
    assert_eq!(dates(&liability(&world, "&from=2026-06-09").await), ["2026-06-09", "2026-06-10"]);
    assert_eq!(dates(&liability(&world, "&to=2026-06-02").await), ["2026-06-01", "2026-06-02"]);
    assert_eq!(liability(&world, "&from=2026-07-01").await, [] as [Value; 0]);
    assert_eq!(liability(&world, "&from=1970-01-01").await.len(), 10);
    let (mut listed, mut cursor) = (Vec::new(), String::new());
    loop {
        let page =
            world.get(&format!("/orgs/{ORG}/liability?from=2026-06-03&to=2026-06-07&limit=2{cursor}")).await.body;
        listed.extend(dates(page["days"].as_array().unwrap()).into_iter().map(str::to_owned));
        let Some(next) = page["cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(listed, ["2026-06-03", "2026-06-04", "2026-06-05", "2026-06-06", "2026-06-07"]);
    for (path, code) in [(format!("/orgs/{ORG}/liability?from=yesterday"), 422), ("/orgs/none/liability".into(), 404)] {
        assert_eq!(world.get(&path).await.status.as_u16(), code, "{path}");
    }
}

#[tokio::test]
async fn a_day_stays_open_until_a_run_has_written_every_customer() {
    use harness::faults::{Fault, FaultDuration};
    let world = ada_with_points_until_august().await;
    world.put_customer(ORG, "bo", &json!({})).await;
    run_at(&world, "2026-07-31T05:00:00Z", &json!({})).await;
    world.proxy.fail(3, Fault::Throttle, FaultDuration::UntilHealed);
    let failed = world.send_at(&expiry(&json!({"orgId": ORG})), instant("2026-08-02T05:00:00Z")).await;
    assert_eq!(failed.status, 503, "{}", failed.body);
    world.proxy.heal();
    assert_eq!(liability(&world, "").await.len(), 1);
    run_at(&world, "2026-08-02T05:00:00Z", &json!({})).await;
    let days = liability(&world, "").await;
    check_days(&world, &["ada", "bo"], &days, "2026-08-02T05:00:00Z").await;
    assert_eq!((days.len(), &days[2]["expired"]), (3, &json!(-250)));
}

#[tokio::test]
async fn an_unreadable_customer_is_an_error_and_keeps_no_day_open() {
    let world = ada_with_points_until_august().await;
    world.put_customer(ORG, "bo", &json!({})).await;
    world.corrupt(&format!("CUSTOMER#{ORG}#bo"), "PROFILE", "points").await;
    let run = run_at(&world, "2026-08-02T05:00:00Z", &json!({})).await;
    let reported = &run["results"][0];
    assert_eq!((&reported["errors"], &reported["expired"], &reported["daysClosed"]), (&json!(1), &json!(1), &json!(1)));
    assert_eq!(liability(&world, "").await[0]["expired"], -250);
}
