//! Quotes and options: what a redemption would be worth, and why it would be refused.

use harness::{Request, world, world::ORG};
use serde_json::{Value, json};

/// Expects the same rejection of a quote and of a redemption.
async fn both_refuse(settings: Value, balance: i64, points: i64, total: &str, code: &'static str) {
    world()
        .await
        .loyalty(settings)
        .customer("ada")
        .adjust("ada", "a1", balance)
        .quote("ada", points, Some(total))
        .expect_status(200)
        .expect(json!({"isValid": false, "value": 0, "code": code}))
        .redeem_points("ada", "o1", points, total)
        .refused(409, code)
        .expect_balance("ada", balance)
        .await;
}

#[tokio::test]
async fn a_quote_and_a_redemption_give_the_same_first_rejection() {
    let exact = || json!({"redemptionMode": "exact"});
    // Each case breaks one rule and as many later rules as possible.
    both_refuse(exact(), 50, 99, "1", "below_minimum").await;
    both_refuse(exact(), 120, 251, "1", "insufficient_points").await;
    both_refuse(exact(), 600, 251, "1", "not_a_listed_amount").await;
    both_refuse(exact(), 600, 250, "14.99", "exceeds_order_total").await;
    both_refuse(json!({}), 600, 251, "14.99", "exceeds_order_total").await;
    both_refuse(json!({"redemptionTiers": []}), 600, 101, "1", "exceeds_order_total").await;
    world()
        .await
        .customer("ada")
        .adjust("ada", "a1", 600)
        .loyalty(json!({"enabled": false}))
        .quote("ada", 100, None)
        .refused(409, "loyalty_disabled")
        .redeem_points("ada", "o1", 100, "10")
        .refused(409, "loyalty_disabled")
        // This rule comes before the rules about points.
        .redeem_points("ada", "o1", 5, "10")
        .refused(409, "loyalty_disabled")
        .quote("bo", 100, None)
        .refused(404, "unknown_customer")
        .redeem_points("bo", "o1", 100, "10")
        .refused(404, "unknown_customer")
        .await;
}

#[tokio::test]
async fn a_quote_gives_the_maximum_that_a_redemption_accepts() {
    // 20 points are worth $10 and 21 points $0.21, so more points can be worth less.
    let odd =
        json!({"redemptionTiers": [{"pointsCost": 10, "rewardValue": 5}, {"pointsCost": 21, "rewardValue": "0.21"}]});
    world()
        .await
        .customer("ada")
        .adjust("ada", "a1", 600)
        .quote("ada", 300, Some("49.99"))
        .expect(json!({"isValid": true, "value": 18, "maxPoints": 600, "maxValue": 42}))
        .expect_no("code")
        .quote("ada", 300, Some("20"))
        .expect(json!({"isValid": true, "maxPoints": 333, "maxValue": 19.98}))
        .quote("ada", 300, None)
        .expect(json!({"isValid": true, "maxPoints": 600}))
        .quote("ada", 333, Some("20"))
        .expect(json!({"isValid": true, "value": 19.98}))
        .quote("ada", 334, Some("20"))
        .expect(json!({"isValid": false, "code": "exceeds_order_total", "reason": "These points are worth 20.04, more than the order total."}))
        .loyalty(json!({"redemptionMode": "exact"}))
        .quote("ada", 300, Some("20"))
        .expect(json!({"isValid": false, "code": "not_a_listed_amount", "maxPoints": 250, "maxValue": 15}))
        .loyalty(odd)
        .quote("ada", 20, Some("5"))
        .expect(json!({"isValid": false, "value": 0, "code": "exceeds_order_total", "maxPoints": 500, "maxValue": 5}))
        .quote("ada", 5, Some("0"))
        .expect(json!({"isValid": false, "code": "below_minimum", "maxPoints": 0, "maxValue": 0}))
        .await;
}

#[tokio::test]
async fn a_quote_without_an_order_gives_the_maximum_for_any_order() {
    world()
        .await
        .loyalty(json!({"redemptionTiers": [{"pointsCost": 1, "rewardValue": 10_000_000_000_i64}]}))
        .customer("ada")
        .adjust("ada", "a1", 100)
        .quote("ada", 5, None)
        .expect(json!({"isValid": true, "maxPoints": 10, "maxValue": 100_000_000_000_i64}))
        .await;
}

#[tokio::test]
async fn each_redemption_option_shows_the_missing_points() {
    let options = || Request::new("GET", "points-redemption", format!("/options?orgId={ORG}&customerId=ada"));
    world()
        .await
        .customer("ada")
        .adjust("ada", "a1", 300)
        .send(options())
        .expect(json!({
            "balance": 300,
            "options": [
                {"pointsCost": 100, "rewardValue": 5, "canRedeem": true},
                {"pointsCost": 250, "rewardValue": 15, "canRedeem": true},
                {"pointsCost": 500, "rewardValue": 35, "canRedeem": false, "pointsNeeded": 200},
            ],
        }))
        .loyalty(json!({"enabled": false, "redemptionTiers": [{"pointsCost": 100, "rewardValue": 5}]}))
        .send(options())
        .expect(json!({"balance": 300, "options": [{"pointsCost": 100, "rewardValue": 5, "canRedeem": false}]}))
        .await;
}
