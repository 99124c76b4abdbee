//! What a run records, and what it costs.

use std::collections::BTreeMap;

use harness::{
    World, audit, customers, instant,
    scenario::{adjustment, award, hold_points},
    world::ORG,
};
use serde_json::{Value, json};

use super::support::{EXPIRES_AT, ada_with_points_until_august, events, run_at, send};

fn sums(run: &Value) -> [u64; 5] {
    ["totalCustomers", "totalExpired", "totalPointsExpired", "totalHoldsLapsed", "totalWarned"]
        .map(|name| run["summary"][name].as_u64().unwrap())
}

async fn expired_entries(world: &World, now: &str) -> Vec<Value> {
    let entries = audit::ledger(world, ORG, "ada", instant(now)).await;
    entries.into_iter().filter(|entry| entry["kind"] == "points_expired").collect()
}

#[tokio::test]
async fn expired_points_are_recorded_once_at_their_instant() {
    let world = ada_with_points_until_august().await;
    world.put_customer(ORG, "bo", &json!({})).await;
    send(&world, &adjustment("bo", "a1", 40), "2026-07-15T12:00:00Z").await;
    assert_eq!(sums(&run_at(&world, "2026-08-01T03:59:59.999Z", &json!({})).await), [2, 0, 0, 0, 0]);
    assert_eq!(sums(&run_at(&world, "2026-08-01T05:00:00Z", &json!({})).await), [2, 1, 250, 0, 0]);
    let expected = json!({"at": EXPIRES_AT, "points": -250, "balance": 0, "kind": "points_expired"});
    assert_eq!(expired_entries(&world, "2026-08-01T06:00:00Z").await, [expected]);
    let told = json!({"orgId": ORG, "customerId": "ada", "at": EXPIRES_AT, "points": "-250", "balance": "0"});
    assert_eq!(events(&world, "PointsExpired").await, [told]);
    assert_eq!(sums(&run_at(&world, "2026-08-01T06:00:00Z", &json!({})).await), [2, 0, 0, 0, 0]);
    let ada = audit::check_at(&world, ORG, "ada", instant("2026-08-01T06:00:00Z")).await;
    assert_eq!(ada["points"], 0);
}

#[tokio::test]
async fn a_lapsed_hold_is_recorded_with_the_points_that_expired_meanwhile() {
    let world = ada_with_points_until_august().await;
    let hold = hold_points("ada", "o2", 100, "49.99", &json!({"minutes": 60}));
    send(&world, &hold, "2026-06-10T12:00:00Z").await;
    assert_eq!(sums(&run_at(&world, "2026-06-11T05:00:00Z", &json!({})).await), [1, 1, 0, 1, 0]);
    assert_eq!(expired_entries(&world, "2026-06-11T05:00:00Z").await, [] as [Value; 0], "its points came back");

    send(&world, &hold, "2026-08-01T03:30:00Z").await;
    assert_eq!(sums(&run_at(&world, "2026-08-01T05:00:00Z", &json!({})).await), [1, 1, 250, 1, 0]);
    let entries = expired_entries(&world, "2026-08-01T05:00:00Z").await;
    let dated: Vec<_> = entries.iter().map(|entry| (&entry["at"], &entry["points"], &entry["orderId"])).collect();
    let (lot, held) = ((json!(EXPIRES_AT), json!(-150)), (json!("2026-08-01T04:30:00.000Z"), json!(-100)));
    assert_eq!(dated, [(&lot.0, &lot.1, &Value::Null), (&held.0, &held.1, &json!("o2"))]);
}

#[tokio::test]
async fn a_dry_run_reports_and_writes_nothing() {
    let world = ada_with_points_until_august().await;
    world.take_records();
    for (at, expected) in [("2026-07-02T05:00:00Z", [1, 0, 0, 0, 1]), ("2026-08-02T05:00:00Z", [1, 1, 250, 0, 0])] {
        let dry = run_at(&world, at, &json!({"dryRun": true})).await;
        assert_eq!((sums(&dry), &dry["results"][0]["daysClosed"]), (expected, &json!(0)), "{at}");
    }
    let requests = world.proxy.take_requests();
    assert!(requests.iter().all(|request| ["BatchGetItem", "Query"].contains(&request.as_str())), "{requests:?}");
    assert!(world.take_records().iter().all(|record| record["PointsExpired"].is_null()));
    assert_eq!(sums(&run_at(&world, "2026-08-02T05:00:00Z", &json!({})).await), [1, 1, 250, 0, 0]);
}

#[tokio::test]
async fn a_run_records_its_metrics() {
    let world = ada_with_points_until_august().await;
    world.take_records();
    run_at(&world, "2026-07-02T05:00:00Z", &json!({})).await;
    run_at(&world, "2026-08-02T05:00:00Z", &json!({})).await;
    let names = ["PointsExpired", "HoldsLapsed", "ExpiryWarnings", "ErrorsEncountered"];
    let recorded: Vec<_> = world.take_records().iter().map(|record| json!(names.map(|name| &record[name]))).collect();
    assert_eq!(recorded, [json!([0, 0, 1, 0]), json!([250, 0, 0, 0])]);
}

#[tokio::test]
async fn nothing_due_costs_the_pages_of_the_list() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    send(&world, &award("ada", "o1", "250", &json!({})), "2026-06-01T12:00:00Z").await;
    run_at(&world, "2026-06-02T05:00:00Z", &json!({"orgId": ORG})).await;
    customers::copy(&world, "ada", 0..2_010).await;
    world.proxy.take_requests();
    run_at(&world, "2026-06-02T06:00:00Z", &json!({"orgId": ORG})).await;
    // The org, its last days, and three pages of customers.
    assert_eq!(world.proxy.take_requests(), [vec!["BatchGetItem"], vec!["Query"; 4]].concat());
    run_at(&world, "2026-06-03T05:00:00Z", &json!({"orgId": ORG})).await;
    // Besides, the entries of the day and of the day before it, and one transaction that closes the day.
    let closing = [vec!["BatchGetItem"], vec!["Query"; 6], vec!["TransactWriteItems"]].concat();
    assert_eq!(world.proxy.take_requests(), closing);
}

#[tokio::test]
async fn each_customer_of_whom_something_is_due_is_one_transaction() {
    let world = ada_with_points_until_august().await;
    customers::copy(&world, "ada", 0..40).await;
    run_at(&world, "2026-08-01T03:00:00Z", &json!({"orgId": ORG})).await;
    world.proxy.take_requests();
    assert_eq!(sums(&run_at(&world, "2026-08-01T05:00:00Z", &json!({"orgId": ORG})).await), [41, 41, 10_250, 0, 0]);
    let mut cost: BTreeMap<String, usize> = BTreeMap::new();
    world.proxy.take_requests().into_iter().for_each(|operation| *cost.entry(operation).or_default() += 1);
    let expected = [("BatchGetItem", 1), ("Query", 2), ("TransactWriteItems", 41)];
    assert_eq!(cost, expected.map(|(operation, count)| (operation.to_owned(), count)).into());
}

#[tokio::test]
async fn an_org_whose_programme_is_off_is_skipped() {
    let world = ada_with_points_until_august().await;
    world.put_loyalty(ORG, &json!({"enabled": false})).await;
    assert_eq!(run_at(&world, "2026-08-02T05:00:00Z", &json!({})).await["results"], json!([]));
}
