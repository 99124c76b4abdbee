//! A batch read is not one snapshot: one half may be older than another call, and one half newer. Versions guard a
//! commit. A rejection must read again.

use std::sync::Arc;

use harness::{
    Request, World, amendments, audit, bundles, scenario,
    world::{ORG, noon},
};
use serde_json::json;

/// Sends a request, and another one when the first has read one half. Returns the answer to the first call.
async fn send_between_reads(
    world: &Arc<World>,
    first: &'static str,
    request: Request,
    between: &Request,
) -> harness::Response {
    let (first_half_read, read_rest) = world.proxy.tear_next_read(first);
    let slow = {
        let world = Arc::clone(world);
        tokio::spawn(async move { world.send_at(&request, noon()).await })
    };
    first_half_read.notified().await;
    assert!(world.send_at(between, noon()).await.status.is_success());
    read_rest.notify_one();
    slow.await.unwrap()
}

/// Sends a request twice. The second call runs while the first has read one half. Returns the answer to the first call.
async fn send_again_between_reads(world: World, first: &'static str, request: Request) -> harness::Response {
    send_between_reads(&Arc::new(world), first, request.clone(), &request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_redeemed_or_voided_meanwhile_cannot_be_held() {
    for (between, code, points) in [
        (scenario::redeem_points("ada", "o1", 100, "50"), "already_redeemed", 200),
        (scenario::void_points("ada", "o1"), "already_voided", 300),
    ] {
        let world = Arc::new(World::new().await);
        world.put_customer(ORG, "ada", &json!({})).await;
        world.send(&scenario::adjustment("ada", "a1", 300)).await;
        let hold = scenario::hold_points("ada", "o1", 100, "50", &json!({}));
        let answer = send_between_reads(&world, "ORDER#", hold, &between).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (409, code));
        let ada = audit::check(&world, ORG, "ada").await;
        assert_eq!((&ada["availablePoints"], &ada["heldPoints"]), (&json!(points), &json!(0)), "{code}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redemption_that_finds_its_points_spent_by_itself_is_a_replay() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&scenario::adjustment("ada", "a1", 300)).await;
    let answer = send_again_between_reads(world, "ORDER#", scenario::redeem_points("ada", "o1", 300, "50")).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body["replayed"], &answer.body["balance"]),
        (200, &json!(true), &json!(0))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redemption_that_finds_its_hold_taken_by_itself_is_a_replay() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&scenario::adjustment("ada", "a1", 900)).await;
    world.send(&scenario::hold_points("ada", "o1", 300, "18", &json!({}))).await;
    // Without the hold, the points are worth more than the order.
    world.put_loyalty(ORG, &json!({"redemptionTiers": [{"pointsCost": 100, "rewardValue": 10}]})).await;
    let answer = send_again_between_reads(world, "ORDER#", scenario::redeem_points("ada", "o1", 300, "18")).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body["replayed"], &answer.body["value"]),
        (200, &json!(true), &json!(18)),
        "{}",
        answer.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_that_is_sold_out_by_the_order_itself_is_a_replay() {
    for terms in [json!({"maxRedemptions": 1}), json!({"perCustomerLimit": 1})] {
        let world = World::new().await;
        world.send(&bundles::put("b", &terms)).await;
        let answer = send_again_between_reads(world, "ORDER#", bundles::redeem("b", "ada", "o1", &json!({}))).await;
        assert_eq!((answer.status.as_u16(), &answer.body["replayed"]), (200, &json!(true)), "{}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_refunded_by_the_refund_itself_is_a_replay() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&scenario::award("ada", "o1", "100", &json!({}))).await;
    // The award and the refund are in one partition, so the tear lies between them and the customer.
    let answer = send_again_between_reads(world, "ORDER#", scenario::refund_request("ada", "o1", "r1", None)).await;
    assert_eq!((answer.status.as_u16(), &answer.body["replayed"]), (200, &json!(true)), "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amendment_between_the_reads_of_a_newer_one_does_not_refuse_it() {
    let world = Arc::new(World::new().await);
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&scenario::award("ada", "o1", "100", &json!({}))).await;
    let newer = amendments::amend("ada", "o1", "30", "2026-06-01T14:00:00Z");
    let between = amendments::amend("ada", "o1", "40", "2026-06-01T13:00:00Z");
    // The award says 100, the customer 40.
    let answer = send_between_reads(&world, "ORDER#", newer, &between).await;
    assert_eq!((answer.status.as_u16(), &answer.body["balance"]), (200, &json!(30)), "{}", answer.body);
    assert_eq!(audit::check(&world, ORG, "ada").await["lifetimeValue"], json!(30));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amendment_for_another_customer_is_refused_although_the_award_comes_between_its_reads() {
    let world = Arc::new(World::new().await);
    for customer in ["ada", "bo"] {
        world.put_customer(ORG, customer, &json!({})).await;
    }
    world.send(&scenario::award("ada", "o1", "100", &json!({}))).await;
    // The header is not there yet, the award is.
    let key = |name: &str, value: &str| (name.to_owned(), aws_sdk_dynamodb::types::AttributeValue::S(value.to_owned()));
    let keys = [key("pk", &format!("ORDER#{ORG}#o1")), key("sk", "ORDER")];
    world.client.delete_item().table_name(&world.table).set_key(Some(keys.into())).send().await.unwrap();
    let answer = world.send(&amendments::amend("bo", "o1", "30", "2026-06-01T14:00:00Z")).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (409, "idempotency_mismatch"));
    assert_eq!(audit::check(&world, ORG, "ada").await["points"], json!(100));
}
