//! Repeated requests, and different requests with the same id.

use std::sync::Arc;

use harness::{Request, World, audit, scenario, world, world::ORG};
use serde_json::json;

#[tokio::test]
async fn the_same_order_twice_awards_once() {
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "49.99")
        .expect_status(201)
        .award("ada", "o1", "49.99")
        .expect_status(200)
        .expect(json!({"replayed": true, "pointsAwarded": 49, "balance": 49, "tier": "Bronze"}))
        .expect_balance("ada", 49)
        .expect_entries("ada", ["points_earned o1 +49 =49"])
        .await;
}

#[tokio::test]
async fn a_replay_returns_the_original_answer() {
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "200")
        .award("ada", "o2", "10")
        .award("ada", "o1", "200")
        .expect(json!({
            "replayed": true, "balance": 200, "tierChange": {"from": "Bronze", "to": "Silver", "cause": "order"},
        }))
        .refund("ada", "o2", "r1")
        .award("ada", "o2", "10")
        .expect(json!({"replayed": true, "balance": 210}))
        .expect_balance("ada", 200)
        .await;
}

#[tokio::test]
async fn a_replay_compares_amounts_by_value_and_ignores_dates() {
    world()
        .await
        .customer("ada")
        .award_with("ada", "o1", "49.9", json!({"fulfilledAt": "2026-05-01T00:00:00Z"}))
        .award_with("ada", "o1", "49.90", json!({"equityStatus": false}))
        .expect_status(200)
        .award_with("ada", "o1", "0", json!({"orderTotal": 49.9, "fulfilledAt": "2026-05-30T00:00:00Z"}))
        .expect_status(200)
        .expect_customer("ada", json!({"lastOrderAt": "2026-05-01T00:00:00.000Z"}))
        .await;
}

#[tokio::test]
async fn a_repeated_order_with_different_content_is_rejected() {
    world()
        .await
        .customer("ada")
        .customer("bo")
        .award("ada", "o1", "49.99")
        .award("ada", "o1", "50")
        .refused(409, "idempotency_mismatch")
        .award_with("ada", "o1", "49.99", json!({"equityStatus": true}))
        .refused(409, "idempotency_mismatch")
        .award("bo", "o1", "49.99")
        .refused(409, "idempotency_mismatch")
        .expect_entries("bo", [])
        .expect_entries("ada", ["points_earned o1 +49 =49"])
        .await;
}

#[tokio::test]
async fn an_order_is_refunded_only_to_the_customer_of_the_award() {
    world()
        .await
        .customer("ada")
        .customer("bo")
        .award("ada", "o1", "10")
        .refund("bo", "o1", "r1")
        .refused(409, "idempotency_mismatch")
        .await;
}

#[tokio::test]
async fn a_repeated_refund_takes_points_back_once() {
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "100")
        .refund_of("ada", "o1", "r1", "30")
        .refund_of("ada", "o1", "r1", "30.00")
        .expect_status(200)
        .expect(json!({"replayed": true, "pointsReversed": 30, "balance": 70}))
        .refund_of("ada", "o1", "r1", "31")
        .refused(409, "idempotency_mismatch")
        .refund("ada", "o1", "r1")
        .refused(409, "idempotency_mismatch")
        .refund("ada", "o1", "r2")
        .expect_status(201)
        .refund("ada", "o1", "r2")
        .expect(json!({"replayed": true, "pointsReversed": 70}))
        .await;
}

#[tokio::test]
async fn a_repeated_adjustment_is_applied_once() {
    world()
        .await
        .customer("ada")
        .customer("bo")
        .adjust("ada", "a1", 25)
        .expect_status(201)
        .adjust("ada", "a1", 25)
        .expect_status(200)
        .expect(json!({"replayed": true, "points": 25, "balance": 25}))
        .adjust("ada", "a1", 26)
        .refused(409, "idempotency_mismatch")
        .adjust("bo", "a1", 25)
        .expect_status(201)
        .await;
}

#[tokio::test]
async fn a_rejection_is_not_stored_for_replay() {
    world()
        .await
        .award("ada", "o1", "10")
        .refused(404, "unknown_customer")
        .customer("ada")
        .award("ada", "o1", "11")
        .expect_status(201)
        .await;
}

#[tokio::test]
async fn two_orgs_may_use_the_same_ids() {
    let world = World::new().await;
    world.put_org("other", &json!({"name": "Other"})).await;
    world.put_loyalty("other", &json!({"pointsPerDollar": 3})).await;
    for org in [ORG, "other"] {
        world.put_customer(org, "ada", &json!({})).await;
        let order = json!({"orgId": org, "customerId": "ada", "orderId": "o1", "orderTotal": 10});
        let answer = world.send(&Request::new("POST", "points-award", "/awards").json(&order)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
    }
    assert_eq!(audit::check(&world, ORG, "ada").await["points"], 10);
    assert_eq!(audit::check(&world, "other", "ada").await["points"], 30);
}

#[tokio::test]
async fn concurrent_copies_of_an_order_award_once() {
    let world = Arc::new(World::new().await);
    world.put_customer(ORG, "ada", &json!({})).await;
    let tries = (0..20).map(|_| {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let request = scenario::award("ada", "o1", "49.99", &json!({}));
            let answer = world.send_with_retries(&request, world::noon()).await;
            assert!(answer.is_applied(), "{}", answer.body);
            answer.status == 201
        })
    });
    let made: Vec<bool> = futures::future::try_join_all(tries).await.unwrap();
    assert!(made.iter().filter(|made| **made).count() <= 1, "{made:?}");
    assert_eq!(audit::check(&world, ORG, "ada").await["points"], 49);
}
