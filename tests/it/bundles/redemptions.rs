//! Redeeming bundles, giving redemptions back, and what is told of them.

use harness::{
    Request, World, bundles, scenario, world,
    world::{ORG, noon},
};
use serde_json::{Value, json};

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
async fn an_order_that_was_awarded_redeems_for_its_own_customer_alone_and_the_other_way_round() {
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
async fn what_is_not_there_is_said_before_what_is_somebody_elses_or_voided() {
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
async fn refusals_come_in_the_order_of_the_rules() {
    let ended = json!({"maxRedemptions": 1, "perCustomerLimit": 1});
    world()
        .await
        .redeem("b", "ada", "o1")
        .refused(404, "bundle_not_found")
        .bundle("b", ended.clone())
        .redeem("b", "ada", "o1")
        // Sold out, out of its window and over the customer's limit: the first counts.
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
        // The limit is not what makes these expired.
        .bundle("b", json!({"maxRedemptions": 2, "desiredState": "ended"}))
        .redeem("b", "cy", "o3")
        .refused(409, "bundle_not_active")
        .expect(json!({"bundleStatus": "expired"}))
        .bundle("b", json!({"maxRedemptions": 2, "desiredState": "draft"}))
        .redeem("b", "cy", "o3")
        .refused(409, "bundle_not_active")
        .expect(json!({"bundleStatus": "draft"}))
        // Sold out comes before past the end and before paused.
        .bundle("b", json!({"maxRedemptions": 2, "desiredState": "paused", "endDate": "2026-05-01T00:00:00Z"}))
        .redeem("b", "cy", "o3")
        .refused(409, "limit_reached")
        .await;
}

#[tokio::test]
async fn eligibility_says_what_a_redemption_would_meet() {
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
        .expect(json!({"reason": "This customer has redeemed the bundle as often as one may."}))
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
async fn at_the_second_a_window_closes_orders_are_refused_and_a_second_before_they_are_not() {
    world()
        .await
        .bundle("b", json!({"timeStart": "08:00", "timeEnd": "17:00"}))
        // Five in the afternoon in New York; no job runs in this test.
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
        // What was fulfilled while it was open counts, though it is told later.
        .redeem_at("b", "ada", "o4", "2026-06-01T20:59:59Z")
        .expect_status(201)
        .expect(json!({"currentRedemptions": 3}))
        .redeem_at("b", "ada", "o5", "2026-06-01T21:00:00Z")
        .refused(409, "bundle_not_active")
        // A deal of tomorrow is not sold today: a little ahead is a clock that is a little off.
        .redeem_at("b", "ada", "o6", "2026-06-01T21:05:00.001Z")
        .refused(422, "invalid_fields")
        .redeem_at("b", "ada", "o6", "2026-06-01T21:05:00Z")
        .refused(409, "bundle_not_active")
        .await;
}

#[tokio::test]
async fn the_last_one_sells_the_bundle_out_and_puts_what_the_clock_did_on_record_first() {
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
async fn a_bundle_that_sells_out_after_a_long_outage_has_all_of_it_on_record() {
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
async fn a_void_before_its_redemption_leaves_a_mark() {
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
async fn a_void_after_the_limit_reopens_a_bundle_that_only_its_limit_had_expired() {
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
async fn a_reopened_bundle_falls_due_again() {
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
async fn a_void_after_the_bundle_ended_gives_the_count_back_and_reopens_nothing() {
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
async fn history_is_newest_first_in_pages_and_keeps_what_was_voided() {
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

fn fulfilled(order: &str, bundles: &Value) -> Value {
    let detail = json!({"orgId": ORG, "orderId": order, "customerId": "ada", "orderTotal": 40, "bundleIds": bundles, "channel": "web"});
    scenario::event("OrderFulfilled", detail)
}

fn cancelled(order: &str, bundles: &Value) -> Value {
    let mut detail = json!({"orgId": ORG, "orderId": order, "customerId": "ada", "reason": "changed my mind"});
    if !bundles.is_null() {
        detail["bundleIds"] = bundles.clone();
    }
    scenario::event("OrderCancelled", detail)
}

#[tokio::test]
async fn an_event_redeems_each_bundle_of_an_order_once_and_what_a_rule_refuses_holds_up_no_other() {
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
async fn an_event_without_bundles_has_nothing_to_do() {
    let world = World::new().await;
    let detail = json!({"orgId": ORG, "orderId": "o1", "customerId": "ada", "orderTotal": 40});
    let answer = world.invoke("bundle-redemption", scenario::event("OrderFulfilled", detail)).await.unwrap();
    assert_eq!(answer, json!({"bundles": []}));
}

#[tokio::test]
async fn an_event_about_a_bundle_not_known_yet_is_delivered_again_and_the_rest_is_done() {
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
async fn a_cancellation_that_names_none_voids_all_of_the_orders_bundles_and_those_still_to_come() {
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
async fn a_cancellation_before_its_order_keeps_it_from_redeeming_and_its_points_come_all_the_same() {
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
async fn a_cancellation_of_an_order_that_nothing_is_known_of_claims_it_for_nobody() {
    let world = World::new().await;
    for bundle in ["b", "c"] {
        world.send(&bundles::put(bundle, &json!({}))).await;
    }
    world.invoke("bundle-redemption", cancelled("o1", &json!(["b"]))).await.unwrap();
    // It is Bo's, whatever the cancellation said; and from then on nobody else's.
    world.put_customer(ORG, "bo", &json!({})).await;
    assert_eq!(world.send(&bundles::redeem("c", "bo", "o1", &json!({}))).await.status, 201);
    assert_eq!(world.send(&scenario::award("bo", "o1", "10", &json!({}))).await.status, 201);
    let other = world.send(&bundles::redeem("c", "ada", "o1", &json!({}))).await;
    assert_eq!((other.status.as_u16(), other.code()), (409, "idempotency_mismatch"));
    let voided = world.send(&bundles::redeem("b", "bo", "o1", &json!({}))).await;
    assert_eq!((voided.status.as_u16(), voided.code()), (409, "already_voided"));
    // The same of an order that is cancelled whole.
    world.invoke("bundle-redemption", cancelled("o3", &json!(null))).await.unwrap();
    assert_eq!(world.send(&scenario::award("bo", "o3", "10", &json!({}))).await.status, 201);
    let voided = world.send(&bundles::redeem("c", "bo", "o3", &json!({}))).await;
    assert_eq!((voided.status.as_u16(), voided.code()), (409, "already_voided"));
    assert_eq!(world.invoke("bundle-redemption", fulfilled("o2", &json!(null))).await.unwrap(), json!({"bundles": []}));
}

#[tokio::test]
async fn a_cancellation_that_does_not_say_whose_the_order_is_cancels_it() {
    let world = World::new().await;
    world.send(&bundles::put("b", &json!({}))).await;
    world.send(&bundles::redeem("b", "bo", "o1", &json!({}))).await;
    for (order, done) in [("o1", json!([{"bundleId": "b", "voided": true}])), ("o2", json!([]))] {
        let event = scenario::event("OrderCancelled", json!({"orgId": ORG, "orderId": order}));
        assert_eq!(world.invoke("bundle-redemption", event).await.unwrap(), json!({"bundles": done}));
        let late = world.send(&bundles::redeem("b", "bo", order, &json!({}))).await;
        assert_eq!((late.status.as_u16(), late.code()), (409, "already_voided"));
    }
    assert_eq!(bundles::check(&world, ORG, "b").await["currentRedemptions"], 0);
}

#[tokio::test]
async fn somebody_elses_order_is_not_cancelled() {
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
async fn an_order_and_its_cancellation_at_once_end_with_nothing_redeemed() {
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
