//! Events of orders and cancellations that redeem bundles and void redemptions.

use harness::{
    Request, World, bundles,
    scenario::{self, event},
    world::ORG,
};
use serde_json::{Value, json};

fn fulfilled(order: &str, bundles: &Value) -> Value {
    let detail = json!({"orgId": ORG, "orderId": order, "customerId": "ada", "orderTotal": 40, "bundleIds": bundles, "channel": "web"});
    event("OrderFulfilled", detail)
}

fn cancelled(order: &str, bundles: &Value) -> Value {
    let mut detail = json!({"orgId": ORG, "orderId": order, "customerId": "ada", "reason": "changed my mind"});
    if !bundles.is_null() {
        detail["bundleIds"] = bundles.clone();
    }
    event("OrderCancelled", detail)
}

#[tokio::test]
async fn an_event_redeems_each_bundle_once_even_if_another_bundle_is_rejected() {
    let world = World::new().await;
    for (bundle, terms) in [("b", json!({})), ("c", json!({"desiredState": "paused"})), ("d", json!({}))] {
        world.send(&bundles::put(bundle, &terms)).await;
    }
    world.take_records();
    let order = fulfilled("o1", &json!(["b", "c", "b", "d"]));
    let answer = world.invoke("bundle-redemption", order.clone()).await.unwrap();
    assert_eq!(
        answer["bundles"],
        json!([
            {"bundleId": "b", "redeemed": true},
            {"bundleId": "c", "redeemed": false, "code": "bundle_not_active"},
            {"bundleId": "d", "redeemed": true},
        ])
    );
    let record = &world.take_records()[0];
    assert_eq!((&record["Redemptions"], &record["RedemptionsRefused"]), (&json!(2), &json!(1)));
    let again = world.invoke("bundle-redemption", order).await.unwrap();
    assert_eq!(again["bundles"][0], json!({"bundleId": "b", "redeemed": true, "replayed": true}));
    for (bundle, count) in [("b", 1), ("c", 0), ("d", 1)] {
        assert_eq!(bundles::check(&world, ORG, bundle).await["currentRedemptions"], count);
    }
}

#[tokio::test]
async fn an_event_without_bundles_has_no_effect() {
    let world = World::new().await;
    let detail = json!({"orgId": ORG, "orderId": "o1", "customerId": "ada", "orderTotal": 40});
    let answer = world.invoke("bundle-redemption", event("OrderFulfilled", detail)).await.unwrap();
    assert_eq!(answer, json!({"bundles": []}));
}

#[tokio::test]
async fn an_event_with_an_unknown_bundle_is_retried_and_its_other_bundles_are_redeemed() {
    let world = World::new().await;
    world.send(&bundles::put("b", &json!({}))).await;
    let order = fulfilled("o1", &json!(["new", "b"]));
    assert_eq!(world.invoke("bundle-redemption", order.clone()).await.unwrap_err().code, "bundle_not_found");
    assert_eq!(bundles::check(&world, ORG, "b").await["currentRedemptions"], 1);
    world.send(&bundles::put("new", &json!({}))).await;
    let answer = world.invoke("bundle-redemption", order).await.unwrap();
    assert_eq!((&answer["bundles"][0]["redeemed"], &answer["bundles"][1]["replayed"]), (&json!(true), &json!(true)));
}

#[tokio::test]
async fn a_cancellation_voids_the_bundles_it_names() {
    let world = World::new().await;
    for bundle in ["b", "c"] {
        world.send(&bundles::put(bundle, &json!({}))).await;
    }
    world.invoke("bundle-redemption", fulfilled("o1", &json!(["b", "c"]))).await.unwrap();
    let answer = world.invoke("bundle-redemption", cancelled("o1", &json!(["b", "b"]))).await.unwrap();
    assert_eq!(answer["bundles"], json!([{"bundleId": "b", "voided": true}]));
    assert_eq!(bundles::check(&world, ORG, "b").await["currentRedemptions"], 0);
    assert_eq!(bundles::check(&world, ORG, "c").await["currentRedemptions"], 1);
}

#[tokio::test]
async fn a_cancellation_without_bundles_voids_all_redemptions_and_later_ones() {
    let world = World::new().await;
    for bundle in ["b", "c", "d"] {
        world.send(&bundles::put(bundle, &json!({}))).await;
    }
    world.invoke("bundle-redemption", fulfilled("o1", &json!(["b", "c"]))).await.unwrap();
    let cancellation = cancelled("o1", &json!(null));
    let answer = world.invoke("bundle-redemption", cancellation.clone()).await.unwrap();
    assert_eq!(answer["bundles"], json!([{"bundleId": "b", "voided": true}, {"bundleId": "c", "voided": true}]));
    let again = world.invoke("bundle-redemption", cancellation).await.unwrap();
    assert_eq!(again["bundles"][1], json!({"bundleId": "c", "voided": true, "replayed": true}));
    let late = world.invoke("bundle-redemption", fulfilled("o1", &json!(["d"]))).await.unwrap();
    assert_eq!(late["bundles"], json!([{"bundleId": "d", "redeemed": false, "code": "already_voided"}]));
    for bundle in ["b", "c", "d"] {
        assert_eq!(bundles::check(&world, ORG, bundle).await["currentRedemptions"], 0);
    }
}

#[tokio::test]
async fn a_cancellation_before_its_order_prevents_only_the_redemption() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&bundles::put("b", &json!({}))).await;
    let answer = world.invoke("bundle-redemption", cancelled("o1", &json!(null))).await.unwrap();
    assert_eq!(answer, json!({"bundles": []}));
    let order = fulfilled("o1", &json!(["b"]));
    let late = world.invoke("bundle-redemption", order.clone()).await.unwrap();
    assert_eq!(late["bundles"][0]["code"], "already_voided");
    assert_eq!(world.invoke("points-award", order).await.unwrap()["pointsAwarded"], 40);
}

#[tokio::test]
async fn a_cancellation_of_an_unknown_order_does_not_assign_it_to_a_customer() {
    let world = World::new().await;
    for bundle in ["b", "c"] {
        world.send(&bundles::put(bundle, &json!({}))).await;
    }
    world.invoke("bundle-redemption", cancelled("o1", &json!(["b"]))).await.unwrap();
    // The order belongs to Bo, whichever customer the cancellation named.
    world.put_customer(ORG, "bo", &json!({})).await;
    assert_eq!(world.send(&bundles::redeem("c", "bo", "o1", &json!({}))).await.status, 201);
    assert_eq!(world.send(&scenario::award("bo", "o1", "10", &json!({}))).await.status, 201);
    let other = world.send(&bundles::redeem("c", "ada", "o1", &json!({}))).await;
    assert_eq!((other.status.as_u16(), other.code()), (409, "idempotency_mismatch"));
    let voided = world.send(&bundles::redeem("b", "bo", "o1", &json!({}))).await;
    assert_eq!((voided.status.as_u16(), voided.code()), (409, "already_voided"));
    // The same for a cancellation without bundles.
    world.invoke("bundle-redemption", cancelled("o3", &json!(null))).await.unwrap();
    assert_eq!(world.send(&scenario::award("bo", "o3", "10", &json!({}))).await.status, 201);
    let voided = world.send(&bundles::redeem("c", "bo", "o3", &json!({}))).await;
    assert_eq!((voided.status.as_u16(), voided.code()), (409, "already_voided"));
    assert_eq!(world.invoke("bundle-redemption", fulfilled("o2", &json!(null))).await.unwrap(), json!({"bundles": []}));
}

#[tokio::test]
async fn a_cancellation_without_a_customer_voids_the_redemptions() {
    let world = World::new().await;
    world.send(&bundles::put("b", &json!({}))).await;
    world.send(&bundles::redeem("b", "bo", "o1", &json!({}))).await;
    for (order, done) in [("o1", json!([{"bundleId": "b", "voided": true}])), ("o2", json!([]))] {
        let event = event("OrderCancelled", json!({"orgId": ORG, "orderId": order}));
        assert_eq!(world.invoke("bundle-redemption", event).await.unwrap(), json!({"bundles": done}));
        let late = world.send(&bundles::redeem("b", "bo", order, &json!({}))).await;
        assert_eq!((late.status.as_u16(), late.code()), (409, "already_voided"));
    }
    assert_eq!(bundles::check(&world, ORG, "b").await["currentRedemptions"], 0);
}

#[tokio::test]
async fn a_cancellation_for_the_wrong_customer_is_rejected() {
    let world = World::new().await;
    world.send(&bundles::put("b", &json!({}))).await;
    world.send(&bundles::redeem("b", "bo", "o1", &json!({}))).await;
    for bundles in [json!(null), json!(["b"])] {
        let answer = world.invoke("bundle-redemption", cancelled("o1", &bundles)).await.unwrap();
        assert_eq!(answer["code"], "idempotency_mismatch");
    }
    assert_eq!(bundles::check(&world, ORG, "b").await["currentRedemptions"], 1);
}

#[tokio::test]
async fn a_concurrent_order_and_cancellation_end_without_a_redemption() {
    use std::sync::Arc;
    let world = Arc::new(World::new().await);
    for bundle in ["b", "c"] {
        world.send(&bundles::put(bundle, &json!({"maxRedemptions": 20}))).await;
    }
    let calls = (0..20).flat_map(|number| {
        let order = format!("o{number}");
        [fulfilled(&order, &json!(["b", "c"])), cancelled(&order, &json!(null))]
    });
    let calls = calls.map(|call| {
        let world = Arc::clone(&world);
        tokio::spawn(async move { world.invoke("bundle-redemption", call).await.unwrap() })
    });
    futures::future::try_join_all(calls).await.unwrap();
    for bundle in ["b", "c"] {
        let bundle = bundles::check(&world, ORG, bundle).await;
        assert_eq!((&bundle["currentRedemptions"], &bundle["status"]), (&json!(0), &json!("active")));
    }
}

#[tokio::test]
async fn an_order_event_may_state_the_savings_of_each_bundle() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    for bundle in ["b1", "b2"] {
        assert_eq!(world.send(&bundles::put(bundle, &json!({}))).await.status, 201);
    }
    let order = |savings: &str| {
        let bundles = json!([{"bundleId": "b1", "savings": savings, "times": 1}, {"bundleId": "b2"}]);
        event(
            "OrderFulfilled",
            json!({"orgId": ORG, "customerId": "ada", "orderId": "o1", "orderTotal": 5, "bundles": bundles}),
        )
    };
    world.invoke("points-award", order("3.21")).await.unwrap();
    world.invoke("bundle-redemption", order("3.21")).await.unwrap();
    let again = world.invoke("bundle-redemption", order("9")).await.unwrap();
    assert_eq!(again["bundles"][0]["replayed"], true, "savings are not compared");
    let stats = async |bundle: &str| {
        let path = format!("/stats?orgId={ORG}&bundleId={bundle}");
        world.send(&Request::new("GET", "bundle-redemption", path)).await.body["totalSavings"].clone()
    };
    let own = world.get("/orgs/shop/bundles/b2").await.body["savings"].clone();
    assert_eq!([stats("b1").await, stats("b2").await], [json!(3.21), own]);
    assert_ne!(stats("b1").await, stats("b2").await);
}
