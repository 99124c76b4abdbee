//! Points at checkout: quoted, redeemed, given back.

use std::sync::Arc;

use harness::{
    Request, World, audit, scenario, world,
    world::{ORG, noon},
};
use serde_json::{Value, json};

#[tokio::test]
async fn points_take_their_worth_off_an_order_once() {
    world()
        .await
        .customer("ada")
        .adjust("ada", "a1", 600)
        .spend("ada", "o1", 300, "49.99")
        .expect_status(201)
        .expect(json!({"pointsRedeemed": 300, "value": 18, "balance": 300}))
        .spend("ada", "o1", 300, "49.999")
        .refused(422, "invalid_fields")
        .spend("ada", "o0", 100, "49.9")
        .spend("ada", "o0", 100, "49.90")
        .expect(json!({"replayed": true, "balance": 200}))
        .unspend("ada", "o0")
        .adjust("ada", "a2", 50)
        // The till timed out, and tries again: it gets the first answer.
        .spend("ada", "o1", 300, "49.99")
        .expect_status(200)
        .expect(json!({"replayed": true, "pointsRedeemed": 300, "value": 18, "balance": 300}))
        .spend("ada", "o1", 250, "49.99")
        .refused(409, "idempotency_mismatch")
        .spend("ada", "o1", 300, "50")
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
        .spend("ada", "o1", 500, "49.99")
        .unspend("ada", "o1")
        .expect_status(200)
        .expect(json!({"voided": true, "pointsReturned": 500, "balance": 600}))
        .expect_no("replayed")
        .adjust("ada", "a2", 1)
        .unspend("ada", "o1")
        .expect_status(200)
        .expect(json!({"voided": true, "pointsReturned": 500, "balance": 600, "replayed": true}))
        .spend("ada", "o1", 500, "49.99")
        .refused(409, "already_voided")
        .spend("ada", "o1", 100, "49.99")
        .refused(409, "already_voided")
        .expect_balance("ada", 601)
        .await;
}

#[tokio::test]
async fn a_void_before_its_redemption_leaves_a_mark() {
    world()
        .await
        .customer("ada")
        .customer("bo")
        .adjust("ada", "a1", 600)
        .unspend("ada", "o1")
        .expect_status(200)
        .expect(json!({"voided": false}))
        .expect_no("pointsReturned")
        .unspend("ada", "o1")
        .expect(json!({"voided": false, "replayed": true}))
        .spend("ada", "o1", 100, "49.99")
        .refused(409, "already_voided")
        // The mark says nothing of whose the order is.
        .spend("bo", "o1", 100, "49.99")
        .refused(409, "already_voided")
        .award("ada", "o1", "20")
        .expect_status(201)
        .expect_balance("ada", 620)
        .await;
}

#[tokio::test]
async fn an_order_belongs_to_one_customer_at_checkout_too() {
    world()
        .await
        .customer("ada")
        .customer("bo")
        .adjust("ada", "a1", 600)
        .adjust("bo", "a1", 600)
        .spend("ada", "o1", 100, "49.99")
        .spend("bo", "o1", 100, "49.99")
        .refused(409, "idempotency_mismatch")
        .unspend("bo", "o1")
        .refused(409, "idempotency_mismatch")
        .award("bo", "o1", "44.99")
        .refused(409, "idempotency_mismatch")
        .award("ada", "o1", "44.99")
        .expect_status(201)
        .award("bo", "o2", "10")
        .spend("ada", "o2", 100, "49.99")
        .refused(409, "idempotency_mismatch")
        .expect_balance("bo", 610)
        .expect_balance("ada", 544)
        .await;
}

#[tokio::test]
async fn an_order_paid_partly_in_points_earns_on_what_was_paid_in_money_and_its_refund_mints_nothing() {
    world()
        .await
        .customer("ada")
        .adjust("ada", "a1", 500)
        .spend("ada", "o1", 500, "50")
        .expect(json!({"value": 35}))
        .award("ada", "o1", "15")
        .expect(json!({"pointsAwarded": 15, "balance": 15}))
        .refund("ada", "o1", "r1")
        .expect(json!({"pointsReversed": 15, "balance": 0}))
        .unspend("ada", "o1")
        .expect(json!({"pointsReturned": 500, "balance": 500}))
        .refund("ada", "o1", "r2")
        .refused(409, "already_refunded")
        .expect_balance("ada", 500)
        .await;
}

#[tokio::test]
async fn a_balance_below_zero_can_not_be_redeemed_from_until_it_is_above() {
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "150")
        .spend("ada", "o2", 150, "20")
        .refund("ada", "o1", "r1")
        .expect(json!({"balance": -150}))
        .spend("ada", "o3", 100, "20")
        .refused(409, "insufficient_points")
        .quote("ada", 100, None)
        .expect(json!({"isValid": false, "code": "insufficient_points", "maxPoints": 0, "maxValue": 0}))
        .adjust("ada", "a1", 250)
        .spend("ada", "o3", 100, "20")
        .expect(json!({"balance": 0}))
        .await;
}

/// A refusal meets the redemption and the quote alike.
async fn both_refuse(settings: Value, balance: i64, points: i64, total: &str, code: &'static str) {
    world()
        .await
        .loyalty(settings)
        .customer("ada")
        .adjust("ada", "a1", balance)
        .quote("ada", points, Some(total))
        .expect_status(200)
        .expect(json!({"isValid": false, "value": 0, "code": code}))
        .spend("ada", "o1", points, total)
        .refused(409, code)
        .expect_balance("ada", balance)
        .await;
}

#[tokio::test]
async fn every_refusal_is_the_same_in_the_quote_and_the_first_that_applies_is_given() {
    let exact = || json!({"redemptionMode": "exact"});
    // Each case breaks this rule and every later one that it can.
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
        .spend("ada", "o1", 100, "10")
        .refused(409, "loyalty_disabled")
        // Before the rules about points.
        .spend("ada", "o1", 5, "10")
        .refused(409, "loyalty_disabled")
        .quote("bo", 100, None)
        .refused(404, "unknown_customer")
        .spend("bo", "o1", 100, "10")
        .refused(404, "unknown_customer")
        .await;
}

#[tokio::test]
async fn voids_and_replays_go_on_while_the_programme_is_off() {
    world()
        .await
        .customer("ada")
        .adjust("ada", "a1", 600)
        .spend("ada", "o1", 100, "10")
        .loyalty(json!({"enabled": false}))
        .spend("ada", "o1", 100, "10")
        .expect(json!({"replayed": true}))
        .unspend("ada", "o1")
        .expect(json!({"voided": true, "balance": 600}))
        .await;
}

#[tokio::test]
async fn a_quote_names_the_most_that_would_be_accepted() {
    // 20 points are worth $10 and 21 $0.21: more points, less worth.
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
        .expect(json!({"isValid": false, "code": "exceeds_order_total", "reason": "These points are worth 20.04, more than the order comes to."}))
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
async fn an_unknown_customers_order_is_not_cancelled_and_so_not_taken_from_its_own() {
    world()
        .await
        .customer("ada")
        .unspend("typo", "o1")
        .refused(404, "unknown_customer")
        .award("ada", "o1", "10")
        .expect_status(201)
        .await;
}

#[tokio::test]
async fn a_quote_without_an_order_names_what_some_order_would_take() {
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
async fn options_tell_what_is_missing() {
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

#[tokio::test]
async fn history_is_newest_first_in_pages_and_keeps_what_was_voided() {
    let world = World::new().await;
    for name in ["ada", "bo"] {
        world.put_customer(ORG, name, &json!({})).await;
        world.send(&scenario::adjustment(name, "a1", 1000)).await;
    }
    for number in 0..5 {
        let now = noon() + chrono::TimeDelta::minutes(number);
        world.send_at(&scenario::spend("ada", &format!("o{number}"), 100, "20"), now).await;
    }
    world.send(&scenario::unspend("ada", "o2")).await;
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
async fn a_cancelled_order_gives_its_points_back_by_event() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&scenario::adjustment("ada", "a1", 1000)).await;
    world.send(&scenario::spend("ada", "o1", 100, "20")).await;
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
async fn what_is_asked_wrongly_is_told_all_at_once() {
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

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_redemptions_of_a_hundred_points_each_ten_spend_a_thousand() {
    let world = Arc::new(World::new().await);
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&scenario::adjustment("ada", "a1", 1000)).await;
    let calls = (0..100).map(|number| {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let request = scenario::spend("ada", &format!("o{number}"), 100, "20");
            let answer = world.send_until_settled(&request, noon()).await;
            if answer.has_landed() { "landed".to_owned() } else { answer.code().to_owned() }
        })
    });
    let ends = futures::future::try_join_all(calls).await.unwrap();
    let count = |end: &str| ends.iter().filter(|one| *one == end).count();
    assert_eq!((count("landed"), count("insufficient_points")), (10, 90));
    assert_eq!(audit::check(&world, ORG, "ada").await["points"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_about_an_order_at_once_loses_nothing_and_mints_nothing() {
    let world = Arc::new(World::new().await);
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&scenario::adjustment("ada", "a1", 10_000)).await;
    // Claimed before, so that the claim orders nothing.
    for number in 0..30 {
        world.send(&scenario::award("ada", &format!("o{number}"), "20", &json!({}))).await;
    }
    let requests = (0..30).flat_map(|number| {
        let order = format!("o{number}");
        [
            scenario::spend("ada", &order, 100, "50"),
            scenario::unspend("ada", &order),
            scenario::refund_request("ada", &order, "r1", Some("5")),
            scenario::spend("ada", &order, 100, "50"),
            scenario::unspend("ada", &order),
        ]
    });
    let calls = requests.map(|request| {
        let world = Arc::clone(&world);
        tokio::spawn(async move { world.send_until_settled(&request, noon()).await.status.as_u16() })
    });
    let statuses: Vec<u16> = futures::future::try_join_all(calls).await.unwrap();
    assert!(statuses.iter().all(|status| [200, 201, 409].contains(status)), "{statuses:?}");
    // Every order was voided, before or after it was paid; and kept 15 of its 20.
    assert_eq!(audit::check(&world, ORG, "ada").await["points"], 10_000 + 30 * 15);
}

#[tokio::test]
async fn a_void_read_before_a_redemption_does_not_write_over_it() {
    use shared::store::{Store, StoreError};
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&scenario::adjustment("ada", "a1", 500)).await;
    world.send(&scenario::award("ada", "o1", "20", &json!({}))).await;
    let store = Store::new(world.client.clone(), &world.table);
    let org = store.org_versioned(&ORG.to_owned().try_into().unwrap()).await.unwrap().unwrap().value;
    world.send(&scenario::spend("ada", "o1", 100, "50")).await;
    let mut transaction = store.transaction(&org);
    transaction.block_points_redemption(&"o1".to_owned().try_into().unwrap(), true).unwrap();
    assert!(matches!(transaction.commit().await, Err(StoreError::Contended)));
}
