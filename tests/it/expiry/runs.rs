//! Runs that stop, and what may happen meanwhile.

use std::{sync::Arc, time::Duration};

use harness::{
    audit, customers, instant,
    scenario::{adjustment, expiry, redeem_points},
    world::ORG,
};
use serde_json::{Value, json};

use super::support::{ada_with_points_until_august, liability, run_at, send};

/// Less than the reserve of a run, so a run stops as soon as it has made progress.
const SHORT: Duration = Duration::from_secs(4);

#[tokio::test]
async fn a_run_that_stops_again_and_again_comes_to_the_same_end() {
    let world = ada_with_points_until_august().await;
    for number in 0..50 {
        let customer = format!("c{number:02}");
        world.put_customer(ORG, &customer, &json!({})).await;
        send(&world, &adjustment(&customer, "a1", 10), "2026-06-10T12:00:00Z").await;
    }
    run_at(&world, "2026-07-30T05:00:00Z", &json!({})).await;
    let (mut body, mut calls, mut sums) = (json!({}), 0, [0; 3]);
    loop {
        // The clock advances, and the run keeps its first instant.
        let now = instant("2026-08-02T05:00:00Z") + chrono::TimeDelta::hours(calls);
        let reported = world.send_within(&expiry(&body), now, SHORT).await.body;
        let figures = &reported["results"][0];
        for (sum, name) in sums.iter_mut().zip(["customers", "expired", "daysClosed"]) {
            *sum += figures[name].as_u64().unwrap();
        }
        calls += 1;
        assert!(calls < 100, "it makes progress");
        match reported.get("cursor") {
            Some(cursor) => body = json!({"cursor": cursor}),
            None => break,
        }
    }
    assert!(calls >= 6, "it stopped after each batch and each day: {calls}");
    assert_eq!(sums, [51, 51, 3]);
    let days = liability(&world, "").await;
    assert_eq!(days.iter().map(|day| &day["outstanding"]).collect::<Vec<_>>(), [750, 750, 750, 0]);
    let last = ["expired", "late", "held"].map(|name| days[3][name].as_i64().unwrap());
    assert_eq!(last, [-750, 0, 0]);
}

#[tokio::test]
async fn a_cursor_is_bound_to_its_run() {
    let world = ada_with_points_until_august().await;
    customers::copy(&world, "ada", 0..40).await;
    let now = instant("2026-08-02T05:00:00Z");
    let dry = world.send_within(&expiry(&json!({"dryRun": true})), now, SHORT).await.body["cursor"].clone();
    assert!(dry.is_string());
    let refused = world.send_at(&expiry(&json!({"cursor": dry})), now).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (422, "invalid_cursor"));
    for body in [json!({"cursor": "latest", "orgId": ORG}), json!({"cursor": "latest", "dryRun": true})] {
        assert_eq!(world.send_at(&expiry(&body), now).await.code(), "invalid_cursor", "{body}");
    }
}

#[tokio::test]
async fn a_run_goes_by_the_customer_and_not_by_a_lagging_index() {
    let world = ada_with_points_until_august().await;
    world.proxy.freeze_index();
    // This records the expiry first.
    send(&world, &adjustment("ada", "a1", 5), "2026-08-02T04:00:00Z").await;
    let run = run_at(&world, "2026-08-02T05:00:00Z", &json!({})).await;
    assert_eq!((&run["success"], &run["summary"]["totalExpired"]), (&json!(true), &json!(0)));
    let ada = audit::check_at(&world, ORG, "ada", instant("2026-08-02T05:00:00Z")).await;
    assert_eq!(ada["points"], 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn redemptions_that_race_a_run_take_what_has_not_expired() {
    let world = Arc::new(ada_with_points_until_august().await);
    let now = "2026-08-01T04:00:00Z";
    customers::copy(&world, "ada", 0..30).await;
    send(&world, &adjustment("ada", "a1", 200), "2026-07-01T12:00:00Z").await;
    let run = {
        let world = Arc::clone(&world);
        tokio::spawn(async move { run_at(&world, now, &json!({})).await })
    };
    let redeemed = world.send_with_retries(&redeem_points("ada", "o2", 200, "49.99"), instant(now)).await;
    assert_eq!(redeemed.status, 201, "{}", redeemed.body);
    assert_eq!(run.await.unwrap()["success"], true);
    let ada = audit::check_at(&world, ORG, "ada", instant(now)).await;
    assert_eq!((&ada["points"], &ada["availablePoints"]), (&json!(0), &json!(0)));
    let entries = audit::ledger(&world, ORG, "ada", instant(now)).await;
    let expired: Vec<&Value> = entries.iter().filter(|entry| entry["kind"] == "points_expired").collect();
    assert_eq!(expired.len(), 1, "{entries:?}");
}
