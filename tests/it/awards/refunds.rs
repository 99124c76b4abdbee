//! Refunds take points back, through the API.

use harness::world;
use serde_json::json;

#[tokio::test]
async fn a_refund_takes_back_what_the_order_earned() {
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "249.50")
        .refund("ada", "o1", "r1")
        .expect_status(201)
        .expect(json!({
            "pointsReversed": 249, "balance": 0, "tier": "Bronze",
            "tierChange": {"from": "Silver", "to": "Bronze", "cause": "refund"},
        }))
        .expect_customer("ada", json!({"points": 0, "lifetimeValue": 0, "orderCount": 0, "segment": "new"}))
        .expect_no("firstOrderAt")
        .expect_no("lastOrderAt")
        .expect_no("averageOrderValue")
        .expect_entries(
            "ada",
            [
                "points_earned o1 +249 =249",
                "tier_changed Bronze>Silver order",
                "points_reversed r1 -249 =0",
                "tier_changed Silver>Bronze refund",
            ],
        )
        .await;
}

#[tokio::test]
async fn partial_refunds_use_the_terms_of_the_award() {
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "10.50")
        .loyalty(json!({"pointsPerDollar": 100}))
        .refund_of("ada", "o1", "r1", "0.49")
        .expect(json!({"pointsReversed": 0, "balance": 10}))
        .refund_of("ada", "o1", "r2", "0.02")
        .expect(json!({"pointsReversed": 1, "balance": 9}))
        .refund("ada", "o1", "r3")
        .expect(json!({"pointsReversed": 9, "balance": 0}))
        .refund("ada", "o1", "r4")
        .refused(409, "already_refunded")
        .await;
}

#[tokio::test]
async fn an_order_partly_refunded_still_counts() {
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "30")
        .award("ada", "o2", "30")
        .refund_of("ada", "o1", "r1", "10")
        .expect_customer("ada", json!({"orderCount": 2, "lifetimeValue": 50}))
        .refund("ada", "o1", "r2")
        .expect_customer(
            "ada",
            json!({"orderCount": 1, "lifetimeValue": 30, "lastOrderAt": "2026-06-01T12:00:00.000Z"}),
        )
        .await;
}

#[tokio::test]
async fn a_refund_is_limited_to_the_paid_amount() {
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "10")
        .refund_of("ada", "o1", "r1", "10.01")
        .refused(409, "refund_exceeds_order")
        .refund_of("ada", "o1", "r1", "4")
        .expect_status(201)
        .refund_of("ada", "o1", "r2", "6.01")
        .refused(409, "refund_exceeds_order")
        .refund_of("ada", "o1", "r2", "6")
        .expect_status(201)
        .refund_of("ada", "o1", "r3", "0")
        .refused(409, "already_refunded")
        .await;
}

#[tokio::test]
async fn a_zero_total_order_is_refunded_once() {
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "0")
        .refund("ada", "o1", "r1")
        .expect(json!({"pointsReversed": 0}))
        .expect_customer("ada", json!({"orderCount": 0}))
        .refund("ada", "o1", "r2")
        .refused(409, "already_refunded")
        .await;
}

#[tokio::test]
async fn an_order_never_awarded_is_not_refunded() {
    world()
        .await
        .customer("ada")
        .refund("ada", "o1", "r1")
        .refused(404, "unknown_order")
        .refund("nobody", "o1", "r1")
        .refused(404, "unknown_customer")
        .expect_entries("ada", [])
        .await;
}

#[tokio::test]
async fn a_refund_of_spent_points_leaves_a_negative_balance() {
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "100")
        .adjust("ada", "a1", -80)
        .expect(json!({"points": -80, "balance": 20}))
        .refund("ada", "o1", "r1")
        .expect(json!({"pointsReversed": 100, "balance": -80}))
        .await;
}

#[tokio::test]
async fn the_same_refund_id_on_another_order_is_a_separate_refund() {
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "10")
        .award("ada", "o2", "10")
        .refund("ada", "o1", "1")
        .expect_status(201)
        .refund("ada", "o2", "1")
        .expect_status(201)
        .expect_balance("ada", 0)
        .await;
}
