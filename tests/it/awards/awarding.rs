//! An order earns points and a tier, through the API.

use harness::{Request, World, world};
use serde_json::json;

#[tokio::test]
async fn an_order_earns_points_and_a_tier() {
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "199.99")
        .expect_status(201)
        .expect(json!({"pointsAwarded": 199, "balance": 199, "tier": "Bronze"}))
        .expect_no("tierChange")
        .award("ada", "o2", "0.01")
        .expect(json!({
            "pointsAwarded": 0, "balance": 199, "tier": "Silver",
            "tierChange": {"from": "Bronze", "to": "Silver", "cause": "order"},
        }))
        .expect_customer(
            "ada",
            json!({
                "points": 199, "lifetimeValue": 200, "orderCount": 2, "averageOrderValue": 100, "tier": "Silver",
                "firstOrderAt": "2026-06-01T12:00:00.000Z", "lastOrderAt": "2026-06-01T12:00:00.000Z",
                "tierUpdatedAt": "2026-06-01T12:00:00.000Z", "tierProgress": 0, "segment": "new", "daysSinceLastOrder": 0,
            }),
        )
        .expect_entries(
            "ada",
            ["points_earned o1 +199 =199", "points_earned o2 +0 =199", "tier_changed Bronze>Silver order"],
        )
        .await;
}

#[tokio::test]
async fn a_zero_total_order_earns_no_points_and_counts_as_an_order() {
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "0")
        .expect(json!({"pointsAwarded": 0, "balance": 0}))
        .expect_customer("ada", json!({"orderCount": 1, "lifetimeValue": 0, "averageOrderValue": 0}))
        .expect_entries("ada", ["points_earned o1 +0 =0"])
        .await;
}

#[tokio::test]
async fn equity_status_of_the_order_or_the_customer_multiplies() {
    world()
        .await
        .customer("ada")
        .customer_with("bo", json!({"equityStatus": true}))
        .award_with("ada", "o1", "100", json!({"equityStatus": true}))
        .expect(json!({"pointsAwarded": 120}))
        .award_with("ada", "o2", "100", json!({"equityStatus": false}))
        .expect(json!({"pointsAwarded": 100}))
        .award("bo", "o3", "100")
        .expect(json!({"pointsAwarded": 120}))
        .award_with("bo", "o4", "100", json!({"equityStatus": false}))
        .expect(json!({"pointsAwarded": 120}))
        .await;
}

#[tokio::test]
async fn the_multiplier_is_that_of_the_tier_held_before_the_order() {
    let tiers = json!([
        {"name": "Member", "threshold": 0, "pointsMultiplier": 1},
        {"name": "Insider", "threshold": "100.00", "pointsMultiplier": "1.5"},
    ]);
    world()
        .await
        .loyalty(json!({"tiers": tiers}))
        .customer("ada")
        .award("ada", "o1", "100")
        .expect(json!({"pointsAwarded": 100, "tier": "Insider"}))
        .award("ada", "o2", "100")
        .expect(json!({"pointsAwarded": 150}))
        .at("2027-06-01T12:00:00Z")
        .award("ada", "o3", "100")
        .expect(json!({"pointsAwarded": 100, "tier": "Insider"}))
        .await;
}

#[tokio::test]
async fn an_order_restores_a_tier_lost_to_inactivity() {
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "600")
        .expect(json!({"tier": "Gold"}))
        .at("2027-01-01T12:00:00Z")
        .refund_of("ada", "o1", "r1", "0")
        .expect(json!({"tierChange": {"from": "Gold", "to": "Silver", "cause": "inactivity"}}))
        .award("ada", "o2", "1")
        .expect(json!({"tierChange": {"from": "Silver", "to": "Gold", "cause": "order"}}))
        .await;
}

#[tokio::test]
async fn a_ledger_keeps_commit_order_despite_clock_skew() {
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "10")
        .at("2026-05-01T00:00:00Z")
        .award("ada", "o2", "20")
        .at("2026-07-01T00:00:00Z")
        .award("ada", "o3", "30")
        .expect_entries("ada", ["points_earned o1 +10 =10", "points_earned o2 +20 =30", "points_earned o3 +30 =60"])
        .await;
}

#[tokio::test]
async fn a_late_order_only_widens_the_range_of_order_dates() {
    world()
        .await
        .customer("ada")
        .award_with("ada", "o1", "10", json!({"fulfilledAt": "2026-05-10T10:00:00+02:00"}))
        .award_with("ada", "o2", "10", json!({"fulfilledAt": "2026-05-01T00:00:00Z"}))
        .award_with("ada", "o3", "10", json!({"fulfilledAt": "2026-05-05T00:00:00Z"}))
        .expect_customer(
            "ada",
            json!({"firstOrderAt": "2026-05-01T00:00:00.000Z", "lastOrderAt": "2026-05-10T08:00:00.000Z", "orderCount": 3}),
        )
        .await;
}

#[tokio::test]
async fn an_order_date_may_be_at_most_a_day_ahead() {
    world()
        .await
        .customer("ada")
        .award_with("ada", "o1", "10", json!({"fulfilledAt": "2026-06-02T12:00:00.001Z"}))
        .refused(422, "invalid_fields")
        .award_with("ada", "o1", "10", json!({"fulfilledAt": "2026-06-02T12:00:00Z"}))
        .expect_status(201)
        .expect_customer("ada", json!({"daysSinceLastOrder": 0}))
        .await;
}

#[tokio::test]
async fn an_order_of_an_unknown_customer_or_org_awards_no_points() {
    let nowhere = json!({"orgId": "nowhere", "customerId": "ada", "orderId": "o1", "orderTotal": 1});
    let world = world()
        .await
        .award("ada", "o1", "10")
        .refused(404, "unknown_customer")
        .send(Request::new("POST", "points-award", "/awards").json(&nowhere))
        .refused(404, "unknown_org")
        .customer("ada")
        .expect_entries("ada", [])
        .award("ada", "o1", "10")
        .expect_status(201)
        .await;
    assert_eq!(world.get("/orgs/nowhere").await.status, 404);
}

#[tokio::test]
async fn a_disabled_programme_rejects_awards_and_answers_replays_and_refunds() {
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "10")
        .loyalty(json!({"enabled": false}))
        .award("ada", "o2", "10")
        .refused(409, "loyalty_disabled")
        .award("nobody", "o2", "10")
        .refused(404, "unknown_customer")
        .award("ada", "o1", "10")
        .expect_status(200)
        .expect(json!({"replayed": true, "balance": 10}))
        .refund("ada", "o1", "r1")
        .expect_status(201)
        .loyalty(json!({}))
        .award("ada", "o2", "10")
        .expect_status(201)
        .await;
}

#[tokio::test]
async fn an_org_without_settings_awards_no_points() {
    let world = World::new().await;
    world.put_org("new", &json!({"name": "New"})).await;
    world.put_customer("new", "ada", &json!({})).await;
    let order = json!({"orgId": "new", "customerId": "ada", "orderId": "o1", "orderTotal": 1});
    let answer = world.send(&Request::new("POST", "points-award", "/awards").json(&order)).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (409, "loyalty_disabled"));
}

#[tokio::test]
async fn a_change_of_thresholds_before_the_order_is_recorded_as_the_cause() {
    let tiers = json!([{"name": "Bronze", "threshold": 0}, {"name": "Silver", "threshold": 10}]);
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "50")
        .loyalty(json!({"pointsPerDollar": 2}))
        .loyalty(json!({"pointsPerDollar": 2, "tiers": tiers}))
        .award("ada", "o2", "1")
        .expect(json!({"tierChange": {"from": "Bronze", "to": "Silver", "cause": "settings"}}))
        .await;
}

#[tokio::test]
async fn a_settings_change_without_effect_on_tiers_is_not_the_cause() {
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "50")
        .loyalty(json!({"pointsPerDollar": 2, "activeDays": 30}))
        .award("ada", "o2", "150")
        .expect(json!({"tierChange": {"from": "Bronze", "to": "Silver", "cause": "order"}}))
        .await;
}
