//! Points redeemed for an order, and returned when the redemption is voided.

use harness::{
    Request, World, audit, scenario, world,
    world::{ORG, noon},
};
use serde_json::{Value, json};

#[tokio::test]
async fn points_reduce_the_total_of_an_order_once() {
    world()
        .await
        .customer("ada")
        .adjust("ada", "a1", 600)
        .redeem_points("ada", "o1", 300, "49.99")
        .expect_status(201)
        .expect(json!({"pointsRedeemed": 300, "value": 18, "balance": 300}))
        .send(scenario::redeem_points("ada", "o1", 300, "49.99").with(&json!({"orderTotal": "49.999"})))
        .refused(422, "invalid_fields")
        .redeem_points("ada", "o0", 100, "49.9")
        .send(scenario::redeem_points("ada", "o0", 100, "49.9").with(&json!({"orderTotal": "49.90"})))
        .expect(json!({"replayed": true, "balance": 200}))
        .void_points("ada", "o0")
        .adjust("ada", "a2", 50)
        // A retry gets the first answer.
        .redeem_points("ada", "o1", 300, "49.99")
        .expect_status(200)
        .expect(json!({"replayed": true, "pointsRedeemed": 300, "value": 18, "balance": 300}))
        .redeem_points("ada", "o1", 250, "49.99")
        .refused(409, "idempotency_mismatch")
        .redeem_points("ada", "o1", 300, "50")
        .refused(409, "idempotency_mismatch")
        .expect_balance("ada", 350)
        .expect_entries(
            "ada",
            [
                "points_adjusted a1 +600 =600",
                "points_redeemed o1 -300 =300",
                "points_redeemed o0 -100 =200",
                "points_returned o0 +100 =300",
                "points_adjusted a2 +50 =350",
            ],
        )
        .await;
}

#[tokio::test]
async fn a_void_gives_the_points_back_once() {
    world()
        .await
        .customer("ada")
        .adjust("ada", "a1", 600)
        .redeem_points("ada", "o1", 500, "49.99")
        .void_points("ada", "o1")
        .expect_status(200)
        .expect(json!({"voided": true, "pointsReturned": 500, "balance": 600}))
        .expect_no("replayed")
        .adjust("ada", "a2", 1)
        .void_points("ada", "o1")
        .expect_status(200)
        .expect(json!({"voided": true, "pointsReturned": 500, "balance": 600, "replayed": true}))
        .redeem_points("ada", "o1", 500, "49.99")
        .refused(409, "already_voided")
        .redeem_points("ada", "o1", 100, "49.99")
        .refused(409, "already_voided")
        .expect_balance("ada", 601)
        .await;
}

#[tokio::test]
async fn a_void_before_its_redemption_is_recorded() {
    world()
        .await
        .customer("ada")
        .customer("bo")
        .adjust("ada", "a1", 600)
        .void_points("ada", "o1")
        .expect_status(200)
        .expect(json!({"voided": false}))
        .expect_no("pointsReturned")
        .void_points("ada", "o1")
        .expect(json!({"voided": false, "replayed": true}))
        .redeem_points("ada", "o1", 100, "49.99")
        .refused(409, "already_voided")
        // The mark records no owner of the order.
        .redeem_points("bo", "o1", 100, "49.99")
        .refused(409, "already_voided")
        .award("ada", "o1", "20")
        .expect_status(201)
        .expect_balance("ada", 620)
        .await;
}

#[tokio::test]
async fn an_order_belongs_to_one_customer_at_checkout() {
    world()
        .await
        .customer("ada")
        .customer("bo")
        .adjust("ada", "a1", 600)
        .adjust("bo", "a1", 600)
        .redeem_points("ada", "o1", 100, "49.99")
        .redeem_points("bo", "o1", 100, "49.99")
        .refused(409, "idempotency_mismatch")
        .void_points("bo", "o1")
        .refused(409, "idempotency_mismatch")
        .award("bo", "o1", "44.99")
        .refused(409, "idempotency_mismatch")
        .award("ada", "o1", "44.99")
        .expect_status(201)
        .award("bo", "o2", "10")
        .redeem_points("ada", "o2", 100, "49.99")
        .refused(409, "idempotency_mismatch")
        .expect_balance("bo", 610)
        .expect_balance("ada", 544)
        .await;
}

#[tokio::test]
async fn an_order_partly_paid_in_points_earns_on_the_money_and_its_refund_adds_none() {
    world()
        .await
        .customer("ada")
        .adjust("ada", "a1", 500)
        .redeem_points("ada", "o1", 500, "50")
        .expect(json!({"value": 35}))
        .award("ada", "o1", "15")
        .expect(json!({"pointsAwarded": 15, "balance": 15}))
        .refund("ada", "o1", "r1")
        .expect(json!({"pointsReversed": 15, "balance": 0}))
        .void_points("ada", "o1")
        .expect(json!({"pointsReturned": 500, "balance": 500}))
        .refund("ada", "o1", "r2")
        .refused(409, "already_refunded")
        .expect_balance("ada", 500)
        .await;
}

#[tokio::test]
async fn a_negative_balance_cannot_be_redeemed_until_above_zero() {
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "150")
        .redeem_points("ada", "o2", 150, "20")
        .refund("ada", "o1", "r1")
        .expect(json!({"balance": -150}))
        .redeem_points("ada", "o3", 100, "20")
        .refused(409, "insufficient_points")
        .quote("ada", 100, None)
        .expect(json!({"isValid": false, "code": "insufficient_points", "maxPoints": 0, "maxValue": 0}))
        .adjust("ada", "a1", 250)
        .redeem_points("ada", "o3", 100, "20")
        .expect(json!({"balance": 0}))
        .await;
}

#[tokio::test]
async fn voids_and_replays_are_accepted_while_the_programme_is_off() {
    world()
        .await
        .customer("ada")
        .adjust("ada", "a1", 600)
        .redeem_points("ada", "o1", 100, "10")
        .loyalty(json!({"enabled": false}))
        .redeem_points("ada", "o1", 100, "10")
        .expect(json!({"replayed": true}))
        .void_points("ada", "o1")
        .expect(json!({"voided": true, "balance": 600}))
        .await;
}

#[tokio::test]
async fn a_void_for_an_unknown_customer_is_rejected_and_does_not_claim_the_order() {
    world()
        .await
        .customer("ada")
        .void_points("typo", "o1")
        .refused(404, "unknown_customer")
        .award("ada", "o1", "10")
        .expect_status(201)
        .await;
}

#[tokio::test]
async fn history_is_newest_first_in_pages_and_includes_voided_entries() {
    let world = World::new().await;
    for name in ["ada", "bo"] {
        world.put_customer(ORG, name, &json!({})).await;
        world.send(&scenario::adjustment(name, "a1", 1000)).await;
    }
    for number in 0..5 {
        let now = noon() + chrono::TimeDelta::minutes(number);
        world.send_at(&scenario::redeem_points("ada", &format!("o{number}"), 100, "20"), now).await;
    }
    world.send(&scenario::void_points("ada", "o2")).await;
    let get = |query: &str| Request::new("GET", "points-redemption", format!("/redemptions?orgId={ORG}&{query}"));
    let first = world.send(&get("customerId=ada&limit=3")).await.body;
    let orders = |page: &Value| -> Vec<String> {
        page["redemptions"].as_array().unwrap().iter().map(|row| row["orderId"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(orders(&first), ["o4", "o3", "o2"]);
    assert!(first["redemptions"][2]["voidedAt"].is_string() && first["redemptions"][1]["voidedAt"].is_null());
    let cursor = first["cursor"].as_str().unwrap();
    assert_eq!(orders(&world.send(&get(&format!("customerId=ada&cursor={cursor}"))).await.body), ["o1", "o0"]);
    assert_eq!(world.send(&get(&format!("customerId=bo&cursor={cursor}"))).await.code(), "invalid_cursor");
    assert_eq!(world.send(&get("customerId=bo")).await.body, json!({"redemptions": []}));
    assert_eq!(world.send(&get("customerId=cy")).await.code(), "unknown_customer");
}

#[tokio::test]
async fn a_cancellation_event_returns_the_points_of_the_order() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&scenario::adjustment("ada", "a1", 1000)).await;
    world.send(&scenario::redeem_points("ada", "o1", 100, "20")).await;
    let event = |order: &str| {
        let detail = json!({"orgId": ORG, "orderId": order, "customerId": "ada", "bundleIds": ["b"], "why": "no more"});
        scenario::event("OrderCancelled", detail)
    };
    assert_eq!(world.invoke("points-redemption", event("o1")).await.unwrap()["balance"], 1000);
    assert_eq!(world.invoke("points-redemption", event("o1")).await.unwrap()["replayed"], true);
    assert_eq!(world.invoke("points-redemption", event("o2")).await.unwrap(), json!({"voided": false}));
    assert_eq!(audit::check(&world, ORG, "ada").await["points"], 1000);
}

#[tokio::test]
async fn every_fault_of_a_points_request_is_reported_at_once() {
    let world = World::new().await;
    let body = json!({"orgId": "a/b", "customerId": "", "orderId": 7, "points": 0, "orderTotal": -1, "value": 3});
    let answer = world.send(&Request::new("POST", "points-redemption", "/redemptions").json(&body)).await;
    let mut fields = answer.fields();
    fields.sort_unstable();
    assert_eq!(
        (answer.status.as_u16(), fields),
        (422, vec!["customerId", "orderId", "orderTotal", "orgId", "points", "value"])
    );
}
