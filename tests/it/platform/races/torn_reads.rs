//! What is read together is not of one moment: half of it may be from before another call, and half from after. A commit
//! is guarded by versions; a refusal has to look again.

use std::sync::Arc;

use harness::{
    Request, World, bundles, scenario,
    world::{ORG, noon},
};
use serde_json::json;

/// Sends a request twice: the first reads half, the second is carried out, the first goes on. Answers what the first was
/// told.
async fn sent_again_in_between(world: World, first: &'static str, request: Request) -> harness::Response {
    let world = Arc::new(world);
    let (half_read, go_on) = world.proxy.tear_next_read(first);
    let slow = {
        let (world, request) = (Arc::clone(&world), request.clone());
        tokio::spawn(async move { world.send_at(&request, noon()).await })
    };
    half_read.notified().await;
    assert_eq!(world.send_at(&request, noon()).await.status, 201);
    go_on.notify_one();
    slow.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redemption_that_finds_its_points_spent_by_itself_is_a_replay() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&scenario::adjustment("ada", "a1", 300)).await;
    let reported = sent_again_in_between(world, "ORDER#", scenario::redeem_points("ada", "o1", 300, "50")).await;
    assert_eq!(
        (reported.status.as_u16(), &reported.body["replayed"], &reported.body["balance"]),
        (200, &json!(true), &json!(0))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_that_is_sold_out_by_the_order_itself_is_a_replay() {
    for terms in [json!({"maxRedemptions": 1}), json!({"perCustomerLimit": 1})] {
        let world = World::new().await;
        world.send(&bundles::put("b", &terms)).await;
        let reported = sent_again_in_between(world, "ORDER#", bundles::redeem("b", "ada", "o1", &json!({}))).await;
        assert_eq!((reported.status.as_u16(), &reported.body["replayed"]), (200, &json!(true)), "{}", reported.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_refunded_by_the_refund_itself_is_a_replay() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&scenario::award("ada", "o1", "100", &json!({}))).await;
    // The award and the refund are in one partition; torn are they only from the customer.
    let reported = sent_again_in_between(world, "ORDER#", scenario::refund_request("ada", "o1", "r1", None)).await;
    assert_eq!((reported.status.as_u16(), &reported.body["replayed"]), (200, &json!(true)), "{}", reported.body);
}
