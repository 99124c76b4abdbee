//! Points that a checkout sets aside for an order.

use chrono::TimeDelta;
use harness::{
    Request, Scenario, World, audit, scenario, world,
    world::{ORG, noon},
};
use serde_json::{Value, json};

/// Ada with 600 points. By the default settings 100 points are worth 5, 250 are worth 15 and 500 are worth 35.
async fn ada_with_600_points() -> Scenario {
    world().await.customer("ada").adjust("ada", "a1", 600)
}

/// Settings by which 100 points are worth 1.
fn cheaper() -> Value {
    json!({"redemptionTiers": [{"pointsCost": 100, "rewardValue": 1}]})
}

fn figures(points: i64, available: i64, held: i64) -> Value {
    json!({"points": points, "availablePoints": available, "heldPoints": held, "pendingPoints": 0})
}

#[tokio::test]
async fn held_points_are_set_aside_and_the_order_takes_them_at_the_promised_value() {
    ada_with_600_points()
        .await
        .hold("ada", "o1", 300, "49.99")
        .expect_status(201)
        .expect(json!({"points": 300, "value": 18, "heldUntil": "2026-06-01T12:15:00.000Z", "availablePoints": 300}))
        .expect_customer("ada", figures(600, 300, 300))
        .redeem_points("ada", "o2", 400, "49.99")
        .refused(409, "insufficient_points")
        .quote("ada", 400, None)
        .expect(json!({"isValid": false, "code": "insufficient_points", "maxPoints": 300}))
        .loyalty(cheaper())
        .redeem_points("ada", "o1", 300, "49.99")
        .expect_status(201)
        .expect(json!({"pointsRedeemed": 300, "value": 18, "balance": 300}))
        .redeem_points("ada", "o1", 300, "49.99")
        .expect(json!({"value": 18, "balance": 300, "replayed": true}))
        .expect_customer("ada", figures(300, 300, 0))
        .expect_entries("ada", ["points_adjusted a1 +600 =600", "points_redeemed o1 -300 =300"])
        .await;
}

#[tokio::test]
async fn a_second_hold_of_an_order_replaces_the_first_and_a_refused_one_keeps_it() {
    ada_with_600_points()
        .await
        .hold("ada", "o1", 300, "49.99")
        .expect_status(201)
        .hold_with("ada", "o1", 500, "49.99", json!({"minutes": 60}))
        .expect_status(200)
        .expect(json!({"points": 500, "value": 35, "heldUntil": "2026-06-01T13:00:00.000Z", "availablePoints": 100}))
        .hold("ada", "o1", 601, "49.99")
        .refused(409, "insufficient_points")
        .hold("ada", "o1", 500, "34.99")
        .refused(409, "exceeds_order_total")
        .expect_customer("ada", figures(600, 100, 500))
        .at("2026-06-01T12:30:00Z")
        .redeem_points("ada", "o1", 500, "49.99")
        .expect(json!({"value": 35, "balance": 100}))
        .await;
}

#[tokio::test]
async fn a_redemption_of_fewer_points_is_made_at_todays_settings_and_the_rest_returns() {
    ada_with_600_points()
        .await
        .hold("ada", "o1", 500, "49.99")
        .loyalty(cheaper())
        .redeem_points("ada", "o1", 400, "49.99")
        .expect_status(201)
        .expect(json!({"pointsRedeemed": 400, "value": 4, "balance": 200}))
        .expect_customer("ada", figures(200, 200, 0))
        .await;
}

#[tokio::test]
async fn a_redemption_of_more_points_is_decided_without_the_hold_and_a_refused_one_keeps_it() {
    ada_with_600_points()
        .await
        .hold("ada", "o1", 300, "49.99")
        .hold("ada", "o2", 200, "49.99")
        // 300 of this order and 100 that are free.
        .redeem_points("ada", "o1", 401, "49.99")
        .refused(409, "insufficient_points")
        .expect_customer("ada", figures(600, 100, 500))
        .loyalty(cheaper())
        .redeem_points("ada", "o1", 400, "49.99")
        .expect_status(201)
        .expect(json!({"pointsRedeemed": 400, "value": 4, "balance": 200}))
        .expect_customer("ada", figures(200, 0, 200))
        .await;
}

#[tokio::test]
async fn a_promised_value_above_the_order_total_is_refused_and_the_hold_stays() {
    ada_with_600_points()
        .await
        .hold("ada", "o1", 300, "49.99")
        .redeem_points("ada", "o1", 300, "17.99")
        .refused(409, "exceeds_order_total")
        .redeem_points("ada", "o1", 99, "49.99")
        .refused(409, "below_minimum")
        .expect_customer("ada", figures(600, 300, 300))
        .redeem_points("ada", "o1", 300, "18")
        .expect(json!({"value": 18}))
        .await;
}

#[tokio::test]
async fn a_promise_is_kept_while_the_programme_is_off_and_for_no_other_number_of_points() {
    ada_with_600_points()
        .await
        .hold("ada", "o1", 300, "49.99")
        .loyalty(json!({"enabled": false}))
        .redeem_points("ada", "o1", 299, "49.99")
        .refused(409, "loyalty_disabled")
        .redeem_points("ada", "o2", 300, "49.99")
        .refused(409, "loyalty_disabled")
        .redeem_points("ada", "o1", 300, "17.99")
        .refused(409, "exceeds_order_total")
        .redeem_points("ada", "o1", 300, "49.99")
        .expect(json!({"pointsRedeemed": 300, "value": 18, "balance": 300}))
        .await;
    ada_with_600_points()
        .await
        .hold("ada", "o1", 300, "49.99")
        .loyalty(json!({"enabled": false}))
        .at("2026-06-01T12:15:00Z")
        .redeem_points("ada", "o1", 300, "49.99")
        .refused(409, "loyalty_disabled")
        .await;
}

#[tokio::test]
async fn a_hold_is_taken_at_its_promised_value_in_its_last_millisecond_and_not_at_its_end() {
    let hold = || async { ada_with_600_points().await.hold("ada", "o1", 300, "49.99").loyalty(cheaper()) };
    hold()
        .await
        .at("2026-06-01T12:14:59.999Z")
        .expect_customer("ada", figures(600, 300, 300))
        .redeem_points("ada", "o1", 300, "49.99")
        .expect(json!({"value": 18, "balance": 300}))
        .await;
    hold()
        .await
        .at("2026-06-01T12:15:00Z")
        .expect_customer("ada", figures(600, 600, 0))
        .redeem_points("ada", "o1", 300, "49.99")
        .expect(json!({"value": 3, "balance": 300}))
        .await;
}

#[tokio::test]
async fn a_hold_lapses_by_the_clock_and_leaves_no_entry() {
    ada_with_600_points()
        .await
        .hold_with("ada", "o1", 600, "49.99", json!({"minutes": 1}))
        .at("2026-06-01T12:01:00Z")
        .expect_customer("ada", figures(600, 600, 0))
        .release("ada", "o1")
        .expect(json!({"released": false}))
        .hold("ada", "o1", 100, "49.99")
        .expect_status(201)
        .expect_entries("ada", ["points_adjusted a1 +600 =600"])
        .await;
}

#[tokio::test]
async fn a_release_returns_the_points_once() {
    ada_with_600_points()
        .await
        .hold("ada", "o1", 300, "49.99")
        .loyalty(json!({"enabled": false}))
        .release("ada", "o1")
        .expect_status(200)
        .expect(json!({"released": true}))
        .expect_customer("ada", figures(600, 600, 0))
        .release("ada", "o1")
        .expect(json!({"released": false}))
        .await;
}

#[tokio::test]
async fn a_customer_has_at_most_twenty_holds() {
    let mut scenario = world().await.customer("ada").adjust("ada", "a1", 3000);
    for number in 1..=20 {
        scenario = scenario.hold("ada", &format!("o{number}"), 100, "20").expect_status(201);
    }
    scenario
        .hold("ada", "o21", 100, "20")
        .refused(409, "too_many_holds")
        // Before the other rules of a hold, and not for a hold that replaces another.
        .hold("ada", "o21", 5, "20")
        .refused(409, "too_many_holds")
        .hold("ada", "o20", 200, "20")
        .expect_status(200)
        .release("ada", "o1")
        .hold("ada", "o21", 100, "20")
        .expect_status(201)
        .at("2026-06-01T12:15:00Z")
        .hold("ada", "o22", 3000, "1000")
        .expect_status(201)
        .await;
}

#[tokio::test]
async fn an_order_that_was_redeemed_or_voided_cannot_be_held() {
    ada_with_600_points()
        .await
        .redeem_points("ada", "o1", 100, "49.99")
        .hold("ada", "o1", 100, "49.99")
        .refused(409, "already_redeemed")
        .hold("ada", "o1", 5, "49.99")
        .refused(409, "already_redeemed")
        .void_points("ada", "o1")
        .hold("ada", "o1", 100, "49.99")
        .refused(409, "already_voided")
        .expect_customer("ada", figures(600, 600, 0))
        .await;
}

#[tokio::test]
async fn a_void_releases_the_hold_of_an_order_and_answers_that_nothing_was_voided() {
    ada_with_600_points()
        .await
        .hold("ada", "o1", 300, "49.99")
        .void_points("ada", "o1")
        .expect_status(200)
        .expect(json!({"voided": false}))
        .expect_no("pointsReturned")
        .expect_customer("ada", figures(600, 600, 0))
        .void_points("ada", "o1")
        .expect(json!({"voided": false, "replayed": true}))
        .hold("ada", "o1", 300, "49.99")
        .refused(409, "already_voided")
        .redeem_points("ada", "o1", 300, "49.99")
        .refused(409, "already_voided")
        .await;
}

#[tokio::test]
async fn a_cancelled_order_without_a_customer_lets_its_hold_lapse() {
    let world = ada_with_600_points().await.hold("ada", "o1", 300, "49.99").await;
    let cancelled = scenario::event("OrderCancelled", json!({"orgId": ORG, "orderId": "o1"}));
    assert_eq!(world.invoke("points-redemption", cancelled).await.unwrap(), json!({"voided": false}));
    assert_eq!(audit::check(&world, ORG, "ada").await["heldPoints"], 300);
    let redemption = world.send(&scenario::redeem_points("ada", "o1", 300, "49.99")).await;
    assert_eq!(redemption.code(), "already_voided");
    let lapsed = audit::check_at(&world, ORG, "ada", noon() + TimeDelta::minutes(15)).await;
    assert_eq!((&lapsed["availablePoints"], &lapsed["heldPoints"]), (&json!(600), &json!(0)));
}

#[tokio::test]
async fn the_minutes_of_a_hold_are_from_1_to_1440() {
    let world = ada_with_600_points().await.await;
    let hold = |minutes: Value| scenario::hold_points("ada", "o1", 100, "20", &json!({"minutes": minutes}));
    for minutes in [json!(0), json!(1441), json!(-1), json!(1.5), json!("x")] {
        let answer = world.send(&hold(minutes.clone())).await;
        assert_eq!((answer.status.as_u16(), answer.fields()), (422, vec!["minutes"]), "{minutes}");
    }
    for (minutes, until) in [(1, "2026-06-01T12:01:00.000Z"), (1440, "2026-06-02T12:00:00.000Z")] {
        assert_eq!(world.send(&hold(json!(minutes))).await.body["heldUntil"], until);
    }
    let body = json!({"orgId": "a/b", "customerId": "", "points": 0, "orderTotal": -1, "value": 3});
    let answer = world.send(&Request::new("PUT", "points-redemption", "/holds/o1").json(&body)).await;
    let mut fields = answer.fields();
    fields.sort_unstable();
    assert_eq!(fields, ["customerId", "orderTotal", "orgId", "points", "value"]);
}

#[tokio::test]
async fn a_hold_is_refused_by_the_rules_of_a_redemption_in_their_order() {
    let exact = json!({"redemptionMode": "exact"});
    ada_with_600_points()
        .await
        .customer("bo")
        .award("bo", "of-bo", "10")
        .hold("nobody", "o1", 100, "20")
        .refused(404, "unknown_customer")
        .release("nobody", "o1")
        .refused(404, "unknown_customer")
        .hold_with("ada", "o1", 100, "20", json!({"orgId": "elsewhere"}))
        .refused(404, "unknown_org")
        .send(Request::new("DELETE", "points-redemption", "/holds/o1?orgId=elsewhere&customerId=ada"))
        .refused(404, "unknown_org")
        .hold_with("ada", "of-bo", 100, "20", json!({"currency": "EUR"}))
        .refused(409, "idempotency_mismatch")
        .hold_with("ada", "o1", 5, "20", json!({"currency": "EUR"}))
        .refused(409, "other_currency")
        .hold_with("ada", "o1", 100, "20", json!({"currency": "USD"}))
        .expect_status(201)
        .release("ada", "o1")
        .loyalty(json!({"enabled": false}))
        .hold("ada", "o1", 5, "20")
        .refused(409, "loyalty_disabled")
        .loyalty(exact)
        .hold("ada", "o1", 99, "1")
        .refused(409, "below_minimum")
        .hold("ada", "o1", 601, "1")
        .refused(409, "insufficient_points")
        .hold("ada", "o1", 300, "1")
        .refused(409, "not_a_listed_amount")
        .hold("ada", "o1", 250, "14.99")
        .refused(409, "exceeds_order_total")
        .loyalty(json!({"redemptionTiers": [{"pointsCost": 1, "rewardValue": 100_000_000_000_i64}]}))
        .adjust("ada", "a2", 1_000_000_000)
        .hold("ada", "o1", 1_000_000_000, "1")
        .refused(409, "out_of_range")
        .expect_customer("ada", json!({"heldPoints": 0}))
        .await;
}

#[tokio::test]
async fn a_hold_claims_no_order() {
    ada_with_600_points()
        .await
        .customer("bo")
        .adjust("bo", "a1", 300)
        .hold("ada", "o1", 300, "49.99")
        .hold("bo", "o1", 200, "49.99")
        .expect_status(201)
        .redeem_points("bo", "o1", 200, "49.99")
        .expect_status(201)
        .redeem_points("ada", "o1", 300, "49.99")
        .refused(409, "idempotency_mismatch")
        .hold("ada", "o1", 300, "49.99")
        .refused(409, "idempotency_mismatch")
        .release("ada", "o1")
        .expect(json!({"released": true}))
        .expect_customer("ada", figures(600, 600, 0))
        .await;
}

#[tokio::test]
async fn nothing_takes_held_points_but_their_own_order() {
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "300")
        .hold("ada", "o2", 250, "49.99")
        .refund("ada", "o1", "r1")
        .expect(json!({"pointsReversed": 300, "balance": 0}))
        // A debt of 250 beside the hold of 250.
        .expect_customer("ada", figures(0, 0, 250))
        .hold("ada", "o3", 100, "49.99")
        .refused(409, "insufficient_points")
        .hold("ada", "o2", 250, "49.99")
        .refused(409, "insufficient_points")
        .redeem_points("ada", "o2", 250, "49.99")
        .expect(json!({"value": 15, "balance": -250}))
        .void_points("ada", "o2")
        .expect(json!({"pointsReturned": 250, "balance": 0}))
        .expect_customer("ada", figures(0, 0, 0))
        .await;
}

#[tokio::test]
async fn a_hold_that_lapses_pays_the_debt() {
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "300")
        .hold("ada", "o2", 250, "49.99")
        .refund_of("ada", "o1", "r1", "200")
        .expect_customer("ada", figures(100, 0, 250))
        .at("2026-06-01T12:15:00Z")
        .expect_customer("ada", figures(100, 100, 0))
        .award("ada", "o3", "10")
        .expect(json!({"balance": 110}))
        .expect_customer("ada", figures(110, 110, 0))
        .await;
}

#[tokio::test]
async fn the_metrics_count_held_points_and_refused_holds() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&scenario::adjustment("ada", "a1", 300)).await;
    world.take_records();
    world.send(&scenario::hold_points("ada", "o1", 200, "49.99", &json!({}))).await;
    world.send(&scenario::hold_points("ada", "o2", 200, "49.99", &json!({}))).await;
    let records = world.take_records();
    let sum = |metric: &str| records.iter().filter_map(|record| record[metric].as_i64()).sum::<i64>();
    assert_eq!((sum("PointsHeld"), sum("RedemptionsRefused")), (200, 1), "{records:?}");
}
