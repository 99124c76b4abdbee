//! Bundle redemptions: the rules in their order, voids, eligibility, history and statistics.

use harness::{
    Request, World, bundles, world,
    world::{ORG, noon},
};
use serde_json::json;

#[tokio::test]
async fn an_order_redeems_a_bundle_once() {
    world()
        .await
        .bundle("b", json!({"maxRedemptions": 3}))
        .redeem("b", "ada", "o1")
        .expect_status(201)
        .expect(json!({
            "redemption": {
                "bundleId": "b", "customerId": "ada", "orderId": "o1", "redeemedAt": "2026-06-01T12:00:00.000Z", "savings": 4.5,
            },
            "currentRedemptions": 1, "limitReached": false,
        }))
        .redeem("b", "bo", "o2")
        .redeem("b", "ada", "o1")
        .expect_status(200)
        .expect(json!({"replayed": true, "currentRedemptions": 1}))
        .redeem_at("b", "ada", "o1", "2026-05-01T00:00:00Z")
        .expect_status(200)
        .redeem("b", "cy", "o1")
        .refused(409, "idempotency_mismatch")
        .expect_bundle("b", json!({"currentRedemptions": 2}))
        .await;
}

#[tokio::test]
async fn an_order_is_awarded_and_redeemed_only_for_the_same_customer() {
    world()
        .await
        .customer("ada")
        .customer("bo")
        .bundle("b", json!({}))
        .award("ada", "o1", "10")
        .redeem("b", "bo", "o1")
        .refused(409, "idempotency_mismatch")
        .redeem("b", "ada", "o1")
        .expect_status(201)
        .redeem("b", "ada", "o2")
        .award("bo", "o2", "10")
        .refused(409, "idempotency_mismatch")
        .award("ada", "o2", "10")
        .expect_status(201)
        .await;
}

#[tokio::test]
async fn an_unknown_bundle_is_reported_before_a_customer_mismatch_or_a_void() {
    world()
        .await
        .customer("ada")
        .bundle("b", json!({}))
        .award("ada", "o1", "10")
        .redeem("nobody", "bo", "o1")
        .refused(404, "bundle_not_found")
        .void("nobody", "o2")
        .expect(json!({"voided": false}))
        .redeem("nobody", "ada", "o2")
        .refused(404, "bundle_not_found")
        .redeem("b", "bo", "o1")
        .refused(409, "idempotency_mismatch")
        .await;
}

#[tokio::test]
async fn rejections_follow_the_order_of_the_rules() {
    let ended = json!({"maxRedemptions": 1, "perCustomerLimit": 1});
    world()
        .await
        .redeem("b", "ada", "o1")
        .refused(404, "bundle_not_found")
        .bundle("b", ended.clone())
        .redeem("b", "ada", "o1")
        // The bundle is sold out, outside its window and over the customer's limit. The first rule decides.
        .bundle("b", json!({"maxRedemptions": 1, "perCustomerLimit": 1, "timeStart": "20:00"}))
        .redeem("b", "ada", "o2")
        .refused(409, "limit_reached")
        .bundle("b", json!({"perCustomerLimit": 1, "timeStart": "20:00"}))
        .redeem("b", "ada", "o2")
        .refused(409, "bundle_not_active")
        .expect(json!({"bundleStatus": "paused", "status": 409}))
        .bundle("b", json!({"perCustomerLimit": 1}))
        .redeem("b", "ada", "o2")
        .refused(409, "customer_limit_reached")
        .redeem("b", "bo", "o2")
        .expect_status(201)
        // These bundles have not expired because of their limit.
        .bundle("b", json!({"maxRedemptions": 2, "desiredState": "ended"}))
        .redeem("b", "cy", "o3")
        .refused(409, "bundle_not_active")
        .expect(json!({"bundleStatus": "expired"}))
        .bundle("b", json!({"maxRedemptions": 2, "desiredState": "draft"}))
        .redeem("b", "cy", "o3")
        .refused(409, "bundle_not_active")
        .expect(json!({"bundleStatus": "draft"}))
        // Sold out comes before the end date and before paused.
        .bundle("b", json!({"maxRedemptions": 2, "desiredState": "paused", "endDate": "2026-05-01T00:00:00Z"}))
        .redeem("b", "cy", "o3")
        .refused(409, "limit_reached")
        .await;
}

#[tokio::test]
async fn eligibility_gives_the_outcome_of_a_redemption() {
    let asking = |customer: &str| {
        let path = format!("/eligibility?orgId={ORG}&bundleId=b&customerId={customer}");
        Request::new("GET", "bundle-redemption", path)
    };
    world()
        .await
        .send(asking("ada"))
        .refused(404, "bundle_not_found")
        .bundle("b", json!({"perCustomerLimit": 1, "maxRedemptions": 2}))
        .send(asking("ada"))
        .expect(json!({"canRedeem": true, "currentCount": 0, "maxAllowed": 1}))
        .expect_no("code")
        .redeem("b", "ada", "o1")
        .send(asking("ada"))
        .expect(json!({"canRedeem": false, "currentCount": 1, "maxAllowed": 1, "code": "customer_limit_reached"}))
        .expect(json!({"reason": "The customer has reached the limit of this bundle."}))
        .redeem("b", "bo", "o2")
        .send(asking("cy"))
        .expect(json!({"canRedeem": false, "currentCount": 0, "code": "limit_reached"}))
        .bundle("b", json!({"startDate": "2027-01-01T00:00:00Z"}))
        .send(asking("cy"))
        .expect(json!({"canRedeem": false, "code": "bundle_not_active"}))
        .expect_no("maxAllowed")
        .await;
}

#[tokio::test]
async fn orders_are_rejected_from_the_second_at_which_a_window_closes() {
    world()
        .await
        .bundle("b", json!({"timeStart": "08:00", "timeEnd": "17:00"}))
        // Five in the afternoon in New York. No job runs in this test.
        .at("2026-06-01T20:59:59Z")
        .redeem("b", "ada", "o1")
        .expect_status(201)
        .at("2026-06-01T20:59:59.999Z")
        .redeem("b", "ada", "o2")
        .expect_status(201)
        .at("2026-06-01T21:00:00Z")
        .redeem("b", "ada", "o3")
        .refused(409, "bundle_not_active")
        .expect_listed("b", "active")
        // An order that was fulfilled while the window was open counts, even if it arrives later.
        .redeem_at("b", "ada", "o4", "2026-06-01T20:59:59Z")
        .expect_status(201)
        .expect(json!({"currentRedemptions": 3}))
        .redeem_at("b", "ada", "o5", "2026-06-01T21:00:00Z")
        .refused(409, "bundle_not_active")
        // An order slightly ahead of the clock is accepted, and an order of tomorrow is rejected.
        .redeem_at("b", "ada", "o6", "2026-06-01T21:05:00.001Z")
        .refused(422, "invalid_fields")
        .redeem_at("b", "ada", "o6", "2026-06-01T21:05:00Z")
        .refused(409, "bundle_not_active")
        .await;
}

#[tokio::test]
async fn the_last_unit_sells_the_bundle_out_after_overdue_transitions_are_recorded() {
    world()
        .await
        .bundle("b", json!({"maxRedemptions": 2, "startDate": "2026-06-01T13:00:00Z"}))
        .at("2026-06-01T13:02:00Z")
        .redeem("b", "ada", "o1")
        .expect(json!({"limitReached": false}))
        .expect_listed("b", "scheduled")
        .redeem("b", "ada", "o2")
        .expect(json!({"limitReached": true, "currentRedemptions": 2}))
        .expect_listed("b", "expired")
        .expect_transitions(
            "b",
            [
                "scheduled>active 2026-06-01T13:00 start date reached",
                "active>expired 2026-06-01T13:02 redemption limit reached",
            ],
        )
        .redeem("b", "ada", "o2")
        .expect(json!({"replayed": true, "limitReached": true}))
        .redeem("b", "ada", "o3")
        .refused(409, "limit_reached")
        .at("2026-06-01T13:05:00Z")
        .job()
        .expect(json!({"transitions": []}))
        .await;
}

#[tokio::test]
async fn a_bundle_sold_out_after_a_long_outage_has_every_transition_recorded() {
    let world = world()
        .await
        .bundle("b", json!({"maxRedemptions": 1, "timeStart": "09:00", "timeEnd": "17:00"}))
        .at("2026-12-01T15:00:00Z")
        .redeem("b", "ada", "o1")
        .expect_status(201)
        .await;
    let transitions = bundles::transitions(&world, ORG, "b").await;
    assert_eq!(
        (transitions.len(), bundles::line(&transitions[0])),
        (368, "paused>active 2026-06-01T13:00 time window opened".into())
    );
    assert_eq!(transitions[367]["reason"], "redemption limit reached");
}

#[tokio::test]
async fn a_void_gives_the_unit_back_once() {
    world()
        .await
        .bundle("b", json!({"perCustomerLimit": 1}))
        .redeem("b", "ada", "o1")
        .void("b", "o1")
        .expect_status(200)
        .expect(json!({
            "voided": true,
            "redemption": {
                "bundleId": "b", "customerId": "ada", "orderId": "o1", "redeemedAt": "2026-06-01T12:00:00.000Z",
                "voidedAt": "2026-06-01T12:00:00.000Z", "savings": 4.5,
            },
        }))
        .expect_no("replayed")
        .at("2026-06-01T13:00:00Z")
        .void("b", "o1")
        .expect_status(200)
        .expect(json!({"voided": true, "replayed": true}))
        .expect_stats("b", json!({"totalRedemptions": 0, "uniqueCustomers": 0, "totalSavings": 0, "averageSavings": 0}))
        .redeem("b", "ada", "o1")
        .refused(409, "already_voided")
        .redeem("b", "ada", "o2")
        .expect_status(201)
        .await;
}

#[tokio::test]
async fn a_void_before_its_redemption_is_recorded() {
    world()
        .await
        .bundle("b", json!({}))
        .bundle("c", json!({}))
        .void("b", "o1")
        .expect_status(200)
        .expect(json!({"voided": false}))
        .expect_no("redemption")
        .void("b", "o1")
        .expect(json!({"voided": false, "replayed": true}))
        .redeem("b", "ada", "o1")
        .refused(409, "already_voided")
        .redeem("c", "ada", "o1")
        .expect_status(201)
        .void("b", "o1")
        .expect(json!({"voided": false, "replayed": true}))
        .expect_bundle("b", json!({"currentRedemptions": 0}))
        .await;
}

#[tokio::test]
async fn a_void_reopens_a_bundle_that_expired_only_by_its_limit() {
    world()
        .await
        .bundle("b", json!({"maxRedemptions": 1, "endDate": "2026-06-02T12:00:00Z"}))
        .redeem("b", "ada", "o1")
        .at("2026-06-01T13:00:00Z")
        .void("b", "o1")
        .expect(json!({"voided": true}))
        .expect_bundle("b", json!({"status": "active", "nextChange": "2026-06-02T12:00:00.000Z"}))
        .redeem("b", "bo", "o2")
        .expect(json!({"limitReached": true}))
        .at("2026-06-02T13:00:00Z")
        .job()
        .expect(json!({"transitions": []}))
        .void("b", "o2")
        .expect(json!({"voided": true}))
        .expect_bundle("b", json!({"status": "expired", "currentRedemptions": 0}))
        .expect_transitions(
            "b",
            [
                "active>expired 2026-06-01T12:00 redemption limit reached",
                "expired>active 2026-06-01T13:00 redemption voided",
                "active>expired 2026-06-01T13:00 redemption limit reached",
            ],
        )
        .await;
}

#[tokio::test]
async fn a_reopened_bundle_is_scheduled_again() {
    world()
        .await
        .bundle("b", json!({"maxRedemptions": 1, "timeStart": "08:00", "timeEnd": "17:00"}))
        .redeem("b", "ada", "o1")
        .void("b", "o1")
        .at("2026-06-01T21:00:00Z")
        .job()
        .expect_listed("b", "paused")
        .await;
}

#[tokio::test]
async fn a_void_after_the_bundle_ended_restores_the_count_without_reopening() {
    for terms in [
        json!({"endDate": "2026-06-01T12:30:00Z"}),
        json!({"maxRedemptions": 1, "endDate": "2026-06-01T12:30:00Z"}),
        json!({"maxRedemptions": 1}),
    ] {
        world()
            .await
            .bundle("b", terms)
            .redeem("b", "ada", "o1")
            .at("2026-06-01T13:00:00Z")
            .move_to("b", "ended")
            .void("b", "o1")
            .expect(json!({"voided": true}))
            .expect_bundle("b", json!({"status": "expired", "currentRedemptions": 0}))
            .await;
    }
}

#[tokio::test]
async fn history_is_newest_first_in_pages_and_includes_voided_entries() {
    let world = World::new().await;
    world.send(&bundles::put("b", &json!({}))).await;
    for number in 0..7 {
        let now = noon() + chrono::TimeDelta::minutes(number);
        world.send_at(&bundles::redeem("b", "ada", &format!("o{number}"), &json!({})), now).await;
    }
    world.send(&bundles::void("b", "o3")).await;
    let page = |query: String| {
        let world = &world;
        async move {
            let path = format!("/redemptions?orgId={ORG}&bundleId=b&{query}");
            let body = world.send(&Request::new("GET", "bundle-redemption", path)).await.body;
            let rows = body["redemptions"].as_array().unwrap();
            let rows: Vec<String> = rows.iter().map(|row| row["orderId"].as_str().unwrap().into()).collect();
            (rows, body["cursor"].as_str().map(str::to_owned))
        }
    };
    let (first, cursor) = page("limit=4".into()).await;
    assert_eq!(first, ["o6", "o5", "o4", "o3"]);
    let (rest, _) = page(format!("cursor={}", cursor.clone().unwrap())).await;
    assert_eq!(rest, ["o2", "o1", "o0"]);
    let history = bundles::redemptions(&world, ORG, "b").await;
    assert_eq!(history.iter().filter(|row| !row["voidedAt"].is_null()).count(), 1);
    bundles::check(&world, ORG, "b").await;

    world.send(&bundles::put("c", &json!({}))).await;
    let list = |query: String| world_get(&world, format!("/redemptions?{query}"));
    let cursor = cursor.unwrap();
    let other_bundle = list(format!("orgId={ORG}&bundleId=c&cursor={cursor}")).await;
    assert_eq!((other_bundle.0, other_bundle.1.as_str()), (422, "invalid_cursor"));
    let other_org = list(format!("orgId=other&bundleId=b&cursor={cursor}")).await;
    assert_eq!((other_org.0, other_org.1.as_str()), (403, "other_org"));
    let unknown = list(format!("orgId={ORG}&bundleId=nobody")).await;
    assert_eq!((unknown.0, unknown.1.as_str()), (404, "bundle_not_found"));
    assert_eq!(list(format!("orgId={ORG}&bundleId=c")).await.0, 200);
}

async fn world_get(world: &World, path: String) -> (u16, String) {
    let answer = world.send(&Request::new("GET", "bundle-redemption", path)).await;
    (answer.status.as_u16(), answer.code().to_owned())
}

#[tokio::test]
async fn stats_of_an_unknown_bundle_are_404() {
    let world = World::new().await;
    let answer = world_get(&world, format!("/stats?orgId={ORG}&bundleId=b")).await;
    assert_eq!(answer, (404, "bundle_not_found".into()));
}
