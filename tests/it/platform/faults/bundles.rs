//! Bundles and their redemptions under every fault.

use std::{sync::Arc, time::Duration};

use harness::{
    Request, World, bundles,
    world::{ORG, noon},
};
use serde_json::json;

use super::support::{Case, deliver_event, every_fault, every_fault_of_a_call, of_the_bundle, send};

#[tokio::test(flavor = "multi_thread")]
async fn a_redemption_of_the_last_unit_survives_every_fault_at_every_request() {
    let before = vec![bundles::put("b", &json!({"maxRedemptions": 1, "perCustomerLimit": 1}))];
    let case = Case { before, request: bundles::redeem("b", "ada", "o1", &json!({})) };
    every_fault(case, of_the_bundle!(1, "expired", 1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_void_that_reopens_a_bundle_survives_every_fault_at_every_request() {
    let before = vec![bundles::put("b", &json!({"maxRedemptions": 1})), bundles::redeem("b", "ada", "o1", &json!({}))];
    let case = Case { before, request: bundles::void("b", "o1") };
    every_fault(case, of_the_bundle!(0, "active", 2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_survives_every_fault_at_every_request() {
    let before = vec![bundles::put("b", &json!({})), bundles::redeem("b", "ada", "o1", &json!({}))];
    let case = Case { before, request: bundles::put("b", &json!({"desiredState": "paused"})) };
    every_fault(case, of_the_bundle!(1, "paused", 1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_with_bundles_and_cancellations_survive_every_fault_at_every_request() {
    let order =
        || json!({"orgId": ORG, "orderId": "o1", "customerId": "ada", "orderTotal": 10, "bundleIds": ["a", "b"]});
    let both = |world: World| async move {
        for bundle in ["a", "b"] {
            world.send(&bundles::put(bundle, &json!({"maxRedemptions": 1}))).await;
        }
        world
    };
    let redeem = |world: Arc<World>| async move { deliver_event(&world, "OrderFulfilled", order()).await };
    every_fault_of_a_call(both, redeem, of_the_bundle!(1, "expired", 1)).await;

    let redeemed = |world: World| async move {
        let world = both(world).await;
        while deliver_event(&world, "OrderFulfilled", order()).await.is_err() {}
        world
    };
    let cancel = |world: Arc<World>| async move {
        deliver_event(&world, "OrderCancelled", json!({"orgId": ORG, "orderId": "o1", "customerId": "ada"})).await
    };
    every_fault_of_a_call(redeemed, cancel, of_the_bundle!(0, "active", 2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bundles_created_and_deleted_survive_every_fault_at_every_request() {
    let nothing = |world: World| async move { world };
    let create = |world: Arc<World>| async move { send(&world, &bundles::put("b", &json!({})), noon()).await };
    every_fault_of_a_call(nothing, create, of_the_bundle!(0, "active", 0)).await;

    let moved = |world: World| async move {
        world.send(&bundles::put("b", &json!({}))).await;
        world.send(&bundles::move_to("b", "paused")).await;
        world
    };
    // A retry finds that the bundle is deleted.
    let delete = |world: Arc<World>| async move {
        let delete = Request::new("DELETE", "back-office", format!("/orgs/{ORG}/bundles/b"));
        let answer = world.send(&delete).await;
        if answer.status == 200 || answer.status == 404 { Ok(()) } else { Err(answer.body.to_string()) }
    };
    every_fault_of_a_call(moved, delete, |world| {
        Box::pin(async move {
            assert_eq!(world.get(&format!("/orgs/{ORG}/bundles/b")).await.code(), "bundle_not_found");
            let left = world.client.scan().table_name(&world.table).send().await.unwrap();
            assert_eq!(left.count(), 2, "the shop, and the mark of the bundle");
        })
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_time_zone_survives_every_fault_at_every_request() {
    let open = |world: World| async move {
        world.send(&bundles::put("b", &json!({"timeStart": "09:00"}))).await;
        world
    };
    // The job does the remaining work.
    let change = |world: Arc<World>| async move {
        let body = json!({"name": "Shop", "timezone": "Europe/Berlin"});
        send(&world, &Request::new("PUT", "back-office", format!("/orgs/{ORG}")).json(&body), noon()).await?;
        if world.proxy.is_fault_free() {
            let job = bundles::job(&json!({}));
            world.send_within(&job, noon() + chrono::TimeDelta::minutes(5), Duration::from_secs(30)).await;
        }
        Ok(())
    };
    every_fault_of_a_call(open, change, of_the_bundle!(0, "active", 1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_sold_while_its_bundle_was_active_survives_every_fault() {
    let world = |world: World| async move {
        let known = json!({"knownCustomersOnly": true, "maxRedemptions": 1});
        world.put_customer(ORG, "ada", &json!({})).await;
        world.send_at(&bundles::put("b", &known), noon() - chrono::TimeDelta::hours(2)).await;
        world.send(&bundles::move_to("b", "ended")).await;
        world
    };
    let late = |world: Arc<World>| async move {
        let redeem = bundles::redeem("b", "ada", "o1", &json!({"fulfilledAt": "2026-06-01T11:00:00Z"}));
        send(&world, &redeem, noon()).await
    };
    every_fault_of_a_call(world, late, of_the_bundle!(1, "expired", 1)).await;
}
