//! Voided refunds: the void restores what the refund took, once.

use aws_sdk_dynamodb::types::AttributeValue;
use harness::{Request, World, audit, scenario, world, world::ORG};
use serde_json::{Value, json};

#[tokio::test]
async fn a_voided_refund_leaves_the_same_state_as_no_refund() {
    world()
        .await
        .customer("ada")
        .award("ada", "o0", "10.50")
        .award("ada", "o1", "249.50")
        .refund("ada", "o1", "r1")
        .expect(json!({"balance": 10, "tier": "Bronze"}))
        .void_refund("ada", "o1", "r1")
        .expect_status(200)
        .expect(json!({
            "voided": true, "pointsRestored": 249, "balance": 259, "tier": "Silver",
            "tierChange": {"from": "Bronze", "to": "Silver", "cause": "refund"},
        }))
        .expect_no("replayed")
        .expect_customer("ada", json!({"points": 259, "lifetimeValue": 260, "orderCount": 2, "tier": "Silver"}))
        .expect_entries(
            "ada",
            [
                "points_earned o0 +10 =10",
                "points_earned o1 +249 =259",
                "tier_changed Bronze>Silver order",
                "points_reversed r1 -249 =10",
                "tier_changed Silver>Bronze refund",
                "points_restored r1 +249 =259",
                "tier_changed Bronze>Silver refund",
            ],
        )
        .void_refund("ada", "o1", "r1")
        .expect(json!({"voided": true, "pointsRestored": 249, "balance": 259, "replayed": true}))
        .refund("ada", "o1", "r1")
        .refused(409, "already_voided")
        .refund_of("ada", "o1", "r1", "5")
        .refused(409, "already_voided")
        .refund("ada", "o1", "r2")
        .expect(json!({"pointsReversed": 249, "balance": 10}))
        .await;
}

#[tokio::test]
async fn a_void_restores_points_by_the_restored_total_and_not_by_the_refund() {
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "10.50")
        .refund_of("ada", "o1", "r1", "0.60")
        .expect(json!({"pointsReversed": 1, "balance": 9}))
        .refund_of("ada", "o1", "r2", "0.60")
        .expect(json!({"pointsReversed": 0, "balance": 9}))
        // Between 9.30 and 9.90 there is no whole dollar, although the refund took a point.
        .void_refund("ada", "o1", "r1")
        .expect(json!({"pointsRestored": 0, "balance": 9}))
        .void_refund("ada", "o1", "r2")
        .expect(json!({"pointsRestored": 1, "balance": 10}))
        .await;
}

#[tokio::test]
async fn a_void_before_its_refund_is_recorded() {
    world()
        .await
        .customer("ada")
        .customer("bo")
        .void_refund("ada", "o1", "r1")
        .expect_status(200)
        .expect(json!({"voided": false}))
        .expect_no("replayed")
        .void_refund("ada", "o1", "r1")
        .expect(json!({"voided": false, "replayed": true}))
        // The mark records no owner of the order.
        .award("bo", "o1", "20")
        .expect_status(201)
        .refund("bo", "o1", "r1")
        .refused(409, "already_voided")
        .refund("bo", "o1", "r2")
        .expect(json!({"pointsReversed": 20}))
        .void_refund("ada", "o1", "r2")
        .refused(409, "idempotency_mismatch")
        .void_refund("nobody", "o1", "r2")
        .refused(404, "unknown_customer")
        .await;
}

#[tokio::test]
async fn a_zero_total_order_counts_again_after_the_void_of_its_refund() {
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "0")
        .refund("ada", "o1", "r1")
        .void_refund("ada", "o1", "r1")
        .expect(json!({"voided": true, "pointsRestored": 0}))
        .expect_customer("ada", json!({"orderCount": 1, "lifetimeValue": 0}))
        .refund("ada", "o1", "r2")
        .expect_status(201)
        .await;
}

#[tokio::test]
async fn a_request_without_a_customer_applies_to_the_orders_own_customer() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&scenario::award("ada", "o1", "50", &json!({}))).await;
    world.send(&scenario::adjustment("ada", "a1", 500)).await;
    world.send(&scenario::redeem_points("ada", "o2", 100, "50")).await;
    let refund = json!({"orgId": ORG, "orderId": "o1", "refundId": "r1"});
    let unknown = json!({"orgId": ORG, "orderId": "never", "refundId": "r1"});
    let post = |body: &Value| Request::new("POST", "points-award", "/refunds").json(body);
    let refunded = world.send(&post(&refund)).await;
    assert_eq!((refunded.status.as_u16(), &refunded.body["pointsReversed"]), (201, &json!(50)));
    let refused = world.send(&post(&unknown)).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (404, "unknown_order"));
    let voided = world.invoke("points-award", scenario::event("RefundCancelled", refund)).await.unwrap();
    assert_eq!(voided["pointsRestored"], 50, "{voided}");

    let cancelled = json!({"orgId": ORG, "orderId": "o2"});
    let voided = world.invoke("points-redemption", scenario::event("OrderCancelled", cancelled)).await.unwrap();
    assert_eq!(voided["pointsReturned"], 100, "{voided}");
    // No record names the owner of this order, before or after the void.
    let path = format!("/redemptions/later?orgId={ORG}");
    let marked = world.send(&Request::new("DELETE", "points-redemption", path)).await;
    assert_eq!(marked.body, json!({"voided": false}));
    let late = world.send(&scenario::redeem_points("ada", "later", 100, "50")).await;
    assert_eq!((late.status.as_u16(), late.code()), (409, "already_voided"));
    assert_eq!(audit::check(&world, ORG, "ada").await["points"], 550);
}

#[tokio::test]
async fn a_void_of_an_unknown_order_does_not_assign_the_order_to_a_customer() {
    world()
        .await
        .customer("ada")
        .customer("bo")
        .void_points("ada", "o1")
        .expect(json!({"voided": false}))
        .award("bo", "o1", "20")
        .expect_status(201)
        .void_points("bo", "o1")
        .expect(json!({"voided": false, "replayed": true}))
        .await;
}

#[tokio::test]
async fn a_refund_written_by_the_previous_release_can_be_voided() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    for request in [
        scenario::award("ada", "o1", "50", &json!({})),
        scenario::refund_request("ada", "o1", "r1", Some("10")),
        scenario::refund_request("ada", "o1", "r2", Some("15")),
        scenario::void_refund("ada", "o1", "r2"),
        scenario::refund_request("ada", "o1", "rest", None),
    ] {
        assert!(world.send(&request).await.status.is_success());
    }
    // The older release stored neither the amount of such a refund nor a version.
    let text = |value: &str| AttributeValue::S(value.to_owned());
    for refund in ["r1", "rest"] {
        let strip = world.client.update_item().table_name(&world.table).update_expression("REMOVE #total, version");
        let strip = strip.key("pk", text(&format!("ORDER#{ORG}#o1"))).key("sk", text(&format!("REFUND#{refund}")));
        strip.expression_attribute_names("#total", "total").send().await.unwrap();
    }
    let rest = world.send(&scenario::void_refund("ada", "o1", "rest")).await;
    assert_eq!((&rest.body["pointsRestored"], &rest.body["balance"]), (&json!(40), &json!(40)), "{}", rest.body);
    let part = world.send(&scenario::void_refund("ada", "o1", "r1")).await;
    assert_eq!((&part.body["pointsRestored"], &part.body["balance"]), (&json!(10), &json!(50)), "{}", part.body);
    assert_eq!(audit::check(&world, ORG, "ada").await["lifetimeValue"], 50);
}
