//! Holds, their ends, and points that expire, under every fault.

use std::sync::Arc;

use harness::{
    Request, World, audit, instant, scenario,
    world::{ORG, noon},
};
use serde_json::json;

use super::support::{Case, Invariant, every_fault, every_fault_of_a_call, of_ada, send};

fn hold(order: &str, points: i64) -> Request {
    scenario::hold_points("ada", order, points, "49.99", &json!({}))
}

/// The requests before a hold, or before its end.
fn with_points_and(more: &[Request]) -> Vec<Request> {
    [&[scenario::adjustment("ada", "a1", 500)], more].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_survives_every_fault_at_every_request() {
    let holds: Invariant = of_ada!(|ada| assert_eq!(
        (&ada["points"], &ada["availablePoints"], &ada["heldPoints"]),
        (&json!(500), &json!(200), &json!(300))
    ));
    every_fault(Case { before: with_points_and(&[]), request: hold("o1", 300) }, holds).await;
    // A hold that replaces another.
    every_fault(Case { before: with_points_and(&[hold("o1", 400)]), request: hold("o1", 300) }, holds).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_survives_every_fault_at_every_request() {
    let holds: Invariant = of_ada!(|ada| assert_eq!(
        (&ada["points"], &ada["availablePoints"], &ada["heldPoints"]),
        (&json!(500), &json!(500), &json!(0))
    ));
    let before = with_points_and(&[hold("o1", 300)]);
    every_fault(Case { before: before.clone(), request: scenario::release_points("ada", "o1") }, holds).await;
    // A void of an order that only held points releases them.
    every_fault(Case { before, request: scenario::void_points("ada", "o1") }, holds).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capture_survives_every_fault_at_every_request() {
    let holds: Invariant = of_ada!(|ada| assert_eq!(
        (&ada["points"], &ada["availablePoints"], &ada["heldPoints"]),
        (&json!(200), &json!(200), &json!(0))
    ));
    // Of as many points, of fewer and of more than are held.
    for held in [300, 400, 200] {
        let before = with_points_and(&[hold("o1", held)]);
        let request = scenario::redeem_points("ada", "o1", 300, "49.99");
        every_fault(Case { before, request }, holds).await;
    }
}

/// Ada with 250 points, and 50 more that were refunded. The points expire eight hours before noon. By then 100 of them are
/// held, until after noon.
async fn with_expired_points(world: World) -> World {
    world.put_loyalty(ORG, &json!({"pointsExpiry": {"months": 1}})).await;
    world.put_customer(ORG, "ada", &json!({})).await;
    for (request, at) in [
        (scenario::award("ada", "o1", "300", &json!({})), "2026-04-10T12:00:00Z"),
        (scenario::refund_request("ada", "o1", "r1", Some("50")), "2026-04-11T12:00:00Z"),
        (scenario::hold_points("ada", "o2", 100, "49.99", &json!({"minutes": 1440})), "2026-05-31T15:00:00Z"),
    ] {
        let answer = world.send_at(&request, instant(at)).await;
        assert!(answer.status.is_success(), "{}", answer.body);
    }
    world
}

/// Checks the points that Ada owns and holds, and that the expiry is recorded once.
async fn expired_once(world: &World, points: i64, held: i64) {
    let ada = audit::check(world, ORG, "ada").await;
    assert_eq!((&ada["points"], &ada["heldPoints"]), (&json!(points), &json!(held)));
    let entries = audit::ledger(world, ORG, "ada", noon()).await;
    let expired = entries.iter().filter(|entry| entry["kind"] == "points_expired");
    let expired: Vec<_> = expired.map(|entry| (&entry["at"], &entry["points"])).collect();
    assert_eq!(expired, [(&json!("2026-06-01T04:00:00.000Z"), &json!(-150))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expiry_is_recorded_once_with_an_award_under_every_fault_at_every_request() {
    let call =
        |world: Arc<World>| async move { send(&world, &scenario::award("ada", "o3", "30", &json!({})), noon()).await };
    let holds: Invariant = |world| Box::pin(expired_once(world, 130, 100));
    every_fault_of_a_call(with_expired_points, call, holds).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_refund_after_the_expiry_is_recorded_once_under_every_fault_at_every_request() {
    let call = |world: Arc<World>| async move {
        send(&world, &scenario::redeem_points("ada", "o2", 100, "49.99"), noon()).await?;
        send(&world, &scenario::void_refund("ada", "o1", "r1"), noon()).await
    };
    let holds: Invariant = |world| Box::pin(expired_once(world, 50, 0));
    every_fault_of_a_call(with_expired_points, call, holds).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_points_expiry_survives_every_fault_at_every_request() {
    // Ada's points expire in the last hour before noon. Bo is given notice.
    let prepare = |world: World| async move {
        let world = with_expired_points(world).await;
        world.put_customer(ORG, "bo", &json!({})).await;
        let order = scenario::award("bo", "o9", "70", &json!({}));
        assert_eq!(world.send_at(&order, instant("2026-05-10T12:00:00Z")).await.status, 201);
        let first = world.send_at(&scenario::expiry(&json!({})), instant("2026-05-31T05:00:00Z")).await;
        assert_eq!(first.body["summary"]["totalErrors"], 0, "{}", first.body);
        world
    };
    let call = |world: Arc<World>| async move {
        let answer = world.send_at(&scenario::expiry(&json!({})), noon()).await;
        let done = answer.body["success"] == true && answer.body.get("cursor").is_none();
        if done { Ok(()) } else { Err(answer.body.to_string()) }
    };
    let holds: Invariant = |world| {
        Box::pin(async move {
            expired_once(world, 100, 100).await;
            let days = world.get(&format!("/orgs/{ORG}/liability")).await.body;
            let outstanding: Vec<_> = days["days"].as_array().unwrap().iter().map(|day| &day["outstanding"]).collect();
            assert_eq!(outstanding, [&json!(320), &json!(320)], "{days}");
        })
    };
    every_fault_of_a_call(prepare, call, holds).await;
}
