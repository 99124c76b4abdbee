//! Notices of points that expire soon.

use harness::{
    Request, World, instant,
    scenario::{award, expiry, redeem_points},
    world::ORG,
};
use serde_json::{Value, json};

use super::support::{EXPIRES_AT, ada_with_points_until_august, events, run_at, send};

/// Runs the job twice a day, from one day to another.
async fn run_daily(world: &World, from: &str, to: &str) {
    let (mut day, last) = (instant(&format!("{from}T05:00:00Z")), instant(&format!("{to}T05:00:00Z")));
    while day <= last {
        for hours in [0, 2] {
            world.send_at(&expiry(&json!({})), day + chrono::TimeDelta::hours(hours)).await;
        }
        day += chrono::TimeDelta::days(1);
    }
}

/// When each notice was given, of which lead and of how many points.
async fn given(world: &World) -> Vec<[String; 3]> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let notices = events(world, "PointsExpiring").await;
    notices.iter().map(|notice| ["at", "cause", "points"].map(|name| text(&notice[name]))).collect()
}

#[tokio::test]
async fn notice_is_given_30_and_7_days_ahead_once_a_deadline() {
    let world = ada_with_points_until_august().await;
    run_daily(&world, "2026-06-28", "2026-07-10").await;
    send(&world, &redeem_points("ada", "o2", 100, "49.99"), "2026-07-10T12:00:00Z").await;
    send(&world, &award("ada", "o3", "30", &json!({})), "2026-07-10T12:00:00Z").await;
    run_daily(&world, "2026-07-11", "2026-08-03").await;
    let notice = |at: &str, lead: &str, points: &str, balance: &str| {
        json!({
            "orgId": ORG, "customerId": "ada", "at": at, "points": points, "balance": balance, "to": EXPIRES_AT,
            "cause": lead,
        })
    };
    let first = notice("2026-07-02T05:00:00.000Z", "30_days", "250", "250");
    let second = notice("2026-07-25T05:00:00.000Z", "7_days", "150", "180");
    let third = json!({
        "orgId": ORG, "customerId": "ada", "at": "2026-08-02T05:00:00.000Z", "points": "30", "balance": "30",
        "to": "2026-09-01T04:00:00.000Z", "cause": "30_days",
    });
    assert_eq!(events(&world, "PointsExpiring").await, [first, second, third]);
}

#[tokio::test]
async fn an_outage_skips_no_notice_and_gives_none_too_late() {
    for (resumed, at, lead) in [("2026-07-08", "2026-07-08", "30_days"), ("2026-07-28", "2026-07-28", "7_days")] {
        let world = ada_with_points_until_august().await;
        run_daily(&world, "2026-06-19", "2026-06-20").await;
        run_daily(&world, resumed, resumed).await;
        let expected = [format!("{at}T05:00:00.000Z"), lead.to_owned(), "250".to_owned()];
        assert_eq!(given(&world).await, [expected], "{resumed}");
    }
    let world = ada_with_points_until_august().await;
    run_daily(&world, "2026-06-19", "2026-06-20").await;
    run_daily(&world, "2026-08-02", "2026-08-02").await;
    assert_eq!(given(&world).await, [] as [[String; 3]; 0], "they have expired");
}

#[tokio::test]
async fn the_first_run_of_an_org_looks_back_three_days() {
    for (first, count) in [("2026-07-05T03:59:00Z", 1), ("2026-07-05T04:00:00Z", 0)] {
        let world = ada_with_points_until_august().await;
        run_at(&world, first, &json!({})).await;
        assert_eq!(given(&world).await.len(), count, "{first}");
    }
}

#[tokio::test]
async fn notice_that_could_not_be_given_is_given_by_the_next_run() {
    use harness::faults::{Fault, FaultDuration};
    let world = ada_with_points_until_august().await;
    // The org, its days and its customers. Then the notice is refused.
    world.proxy.fail(3, Fault::Throttle, FaultDuration::UntilHealed);
    let refused = world.send_at(&expiry(&json!({"orgId": ORG})), instant("2026-07-02T05:00:00Z")).await;
    assert_eq!(refused.status, 503, "{}", refused.body);
    world.proxy.heal();
    assert_eq!(run_at(&world, "2026-07-03T05:00:00Z", &json!({})).await["summary"]["totalWarned"], 1);
    assert_eq!(run_at(&world, "2026-07-03T05:00:00Z", &json!({})).await["summary"]["totalWarned"], 0);
}

#[tokio::test]
async fn a_disposable_org_gives_no_notice_of_its_customers() {
    let world = World::new().await;
    world.put_org("to-go", &json!({"name": "To go", "disposable": true})).await;
    world.put_loyalty("to-go", &json!({"pointsExpiry": {"months": 1}})).await;
    world.put_customer("to-go", "ada", &json!({})).await;
    let order = json!({"orgId": "to-go", "customerId": "ada", "orderId": "o1", "orderTotal": 250});
    send(&world, &Request::new("POST", "points-award", "/awards").json(&order), "2026-06-01T12:00:00Z").await;
    run_daily(&world, "2026-07-02", "2026-07-02").await;
    assert!(events(&world, "PointsExpiring").await.is_empty());
}
