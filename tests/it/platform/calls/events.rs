//! Events that the template routes to a function. A rejected event is logged once and succeeds. A failed event fails
//! the invocation, so that it is delivered again and at last stored in the function's queue.

use std::{collections::BTreeSet, time::Duration};

use harness::{
    World, bundles,
    faults::{Fault, FaultDuration},
    log::CapturedLog,
    roles,
    scenario::{self, event},
    world::{ORG, noon},
};
use serde_json::{Value, json, value::RawValue};

use super::decoding::{raw_text, world_with_ada};

/// An event for a function.
struct Case {
    function: &'static str,
    event: &'static str,
    /// The further fields of the event.
    more: Value,
    /// The code of its rejection.
    refused: &'static str,
}

impl Case {
    fn event(&self, customer: &str, order: &str) -> Value {
        let mut detail = json!({"orgId": ORG, "customerId": customer, "orderId": order});
        detail.as_object_mut().unwrap().extend(self.more.as_object().unwrap().clone());
        event(self.event, detail)
    }
}

fn cases() -> [Case; 7] {
    let case = |function, event, more, refused| Case { function, event, more, refused };
    [
        case("points-award", "OrderFulfilled", json!({"orderTotal": 60}), "idempotency_mismatch"),
        case(
            "points-award",
            "OrderAmended",
            json!({"orderTotal": 60, "asOf": "2026-06-01T12:00:00Z"}),
            "idempotency_mismatch",
        ),
        case("points-award", "OrderRefunded", json!({"refundId": "r", "refundTotal": 60}), "refund_exceeds_order"),
        case("points-award", "RefundCancelled", json!({"refundId": "r"}), "idempotency_mismatch"),
        case(
            "bundle-redemption",
            "OrderFulfilled",
            json!({"orderTotal": 50, "bundleIds": ["paused"]}),
            "bundle_not_active",
        ),
        case("bundle-redemption", "OrderCancelled", json!({}), "idempotency_mismatch"),
        case("points-redemption", "OrderCancelled", json!({}), "idempotency_mismatch"),
    ]
}

/// A world in which Ada paid an order of 50 in part with points.
async fn world_with_an_order(timeout: Option<Duration>) -> World {
    let world = World::with_timeout(timeout).await;
    for customer in ["ada", "bob"] {
        world.put_customer(ORG, customer, &json!({})).await;
    }
    for request in [
        scenario::adjustment("ada", "a1", 500),
        scenario::award("ada", "o1", "50", &json!({})),
        scenario::redeem_points("ada", "o1", 100, "50"),
        bundles::put("paused", &json!({"desiredState": "paused"})),
    ] {
        let answer = world.send(&request).await;
        assert!(answer.status.is_success(), "{}", answer.body);
    }
    world.take_records();
    world
}

#[test]
fn every_event_of_the_template_has_a_test_case() {
    let template = roles::template();
    let handed: BTreeSet<(String, String)> = roles::functions(&template)
        .into_iter()
        .flat_map(|(function, (_, properties))| {
            let types = properties["Events"]["Orders"]["Properties"]["Pattern"]["detail-type"].clone();
            let types = types.as_array().cloned().unwrap_or_default();
            types.into_iter().map(move |event| (function.clone(), event.as_str().unwrap().to_owned()))
        })
        .collect();
    assert_eq!(handed, cases().map(|case| (case.function.to_owned(), case.event.to_owned())).into());
}

#[tokio::test]
async fn an_event_rejected_by_a_rule_is_logged_once_with_its_code_and_not_retried() {
    for case in cases() {
        let world = world_with_an_order(None).await;
        // The cancelled or amended order belongs to another customer.
        let is_of_another = case.event.ends_with("Cancelled") || case.event == "OrderAmended";
        let customer = if is_of_another { "bob" } else { "ada" };
        let (log, guard) = CapturedLog::start(tracing::Level::INFO);
        let done = world.invoke(case.function, case.event(customer, "o1")).await;
        drop(guard);
        let reported = format!("{} {}: {done:?}", case.function, case.event);
        assert!(done.is_ok(), "{reported}");
        let logged = log.text();
        let lines: Vec<&str> = logged.lines().filter(|line| line.contains("refused")).collect();
        assert_eq!(lines.len(), 1, "{reported} {logged}");
        assert!(lines[0].contains(case.refused), "{reported} {logged}");
    }
}

#[tokio::test]
async fn an_event_that_may_succeed_later_fails_first_and_succeeds_on_retry() {
    for case in cases() {
        let world = world_with_an_order(Some(Duration::from_secs(2))).await;
        world.send(&bundles::move_to("paused", "published")).await;
        let mut event = case.event("ada", "o1");
        event["detail"]["orderTotal"] = json!(50);
        if case.event == "OrderRefunded" {
            event["detail"]["refundTotal"] = json!(50);
        }
        world.proxy.fail(0, Fault::Throttle, FaultDuration::UntilHealed);
        let failed = world.invoke(case.function, event.clone()).await;
        assert_eq!(failed.unwrap_err().code, "try_again", "{} {}", case.function, case.event);
        world.proxy.heal();
        let done = world.invoke(case.function, event).await.unwrap();
        assert!(done.get("code").is_none(), "{} {}: {done}", case.function, case.event);
    }
}

/// An event as EventBridge delivers it, with its detail as JSON text.
fn event_with(name: &str, detail: &str) -> Box<RawValue> {
    raw_text(&format!(
        r#"{{"version": "0", "id": "1", "detail-type": "{name}", "source": "shop", "account": "1",
            "time": "2026-06-01T12:00:00Z", "region": "r", "resources": [], "detail": {detail}}}"#
    ))
}

#[tokio::test]
async fn a_malformed_event_fails_the_invocation_is_counted_and_has_no_effect() {
    let world = world_with_ada().await;
    let order = |rest: &str| format!(r#"{{"orgId": "shop", "customerId": "ada", "orderId": "o1", {rest}}}"#);
    for (name, function, detail) in [
        ("OrderFulfilled", "points-award", order(r#""orderTotal": 0.30000000000000004"#)),
        ("OrderFulfilled", "points-award", order(r#""status": "paid""#)),
        ("OrderFulfilled", "points-award", order(r#""orderTotal": 5, "orderTotal": 6"#)),
        ("OrderFulfilled", "points-award", order(r#""orderTotal": 5, "bundles": "b1""#)),
        ("OrderFulfilled", "points-award", order(r#""orderTotal": 5, "bundles": [{"id": "b1"}]"#)),
        ("OrderFulfilled", "points-award", "\"a text\"".to_owned()),
        ("OrderRefunded", "points-award", order(r#""refundId": "r 1""#)),
        ("OrderFulfilled", "bundle-redemption", order(r#""bundleIds": "b1""#)),
        ("OrderFulfilled", "bundle-redemption", order(r#""bundles": ["b1"]"#)),
        ("OrderFulfilled", "bundle-redemption", order(r#""bundles": {"b1": 1}"#)),
        ("OrderFulfilled", "bundle-redemption", r#"{"orgId": "shop"}"#.to_owned()),
        ("OrderCancelled", "bundle-redemption", order(r#""bundleIds": [7]"#)),
    ] {
        world.take_records();
        let outcome = world.stack.call(function, event_with(name, &detail), Some(noon())).await.unwrap();
        assert!(outcome.is_err(), "{function} {detail}: {outcome:?}");
        let record = world.take_records().pop().unwrap();
        assert_eq!((&record["EventsInvalid"], &record["Refused"]), (&json!(1), &json!(1)), "{detail}: {record}");
    }
    let ada = world.get("/orgs/shop/customers/ada").await.body;
    assert_eq!((&ada["orderCount"], &ada["points"]), (&json!(0), &json!(0)));
    // A rejected event does not fail the invocation.
    let refused = event("OrderFulfilled", json!({"orgId": ORG, "customerId": "ada", "orderId": "o1", "orderTotal": 5}));
    world.take_records();
    world.put_loyalty(ORG, &json!({"enabled": false})).await;
    let refused = world.invoke("points-award", refused).await.unwrap();
    assert_eq!(refused["code"], "loyalty_disabled");
    assert_eq!(world.take_records().pop().unwrap()["EventsInvalid"], Value::Null);
}

#[tokio::test]
async fn an_invalid_bundle_id_fails_the_event_after_the_other_bundles_are_redeemed() {
    let world = world_with_ada().await;
    for bundle in ["b1", "b2"] {
        assert_eq!(world.send(&bundles::put(bundle, &json!({}))).await.status, 201);
    }
    let order = json!({"orgId": ORG, "customerId": "ada", "orderId": "o1", "orderTotal": 5, "bundleIds": ["b1", 7, "b 3", "b2"]});
    for _ in 0..2 {
        let failed = world.invoke("bundle-redemption", event("OrderFulfilled", order.clone())).await.unwrap_err();
        assert_eq!(failed.code, "invalid_fields");
        for bundle in ["b1", "b2"] {
            let read = world.get(&format!("/orgs/shop/bundles/{bundle}")).await.body;
            assert_eq!(read["currentRedemptions"], 1, "{read}");
        }
    }
    let mended =
        json!({"orgId": ORG, "customerId": "ada", "orderId": "o1", "orderTotal": 5, "bundleIds": ["b1", "b2"]});
    let answer = world.invoke("bundle-redemption", event("OrderFulfilled", mended)).await.unwrap();
    assert_eq!(answer["bundles"][1], json!({"bundleId": "b2", "redeemed": true, "replayed": true}));
    let wrong = json!({"orgId": ORG, "customerId": "ada", "orderId": "o1", "bundleIds": ["b1", 7]});
    world.invoke("bundle-redemption", event("OrderCancelled", wrong)).await.unwrap_err();
    let uses = async |bundle: &str| {
        world.get(&format!("/orgs/shop/bundles/{bundle}")).await.body["currentRedemptions"].clone()
    };
    assert_eq!([uses("b1").await, uses("b2").await], [0, 1], "it names b1, and does not mean all");
    let all = json!({"orgId": ORG, "customerId": "ada", "orderId": "o1", "bundleIds": []});
    world.invoke("bundle-redemption", event("OrderCancelled", all)).await.unwrap();
    assert_eq!(uses("b2").await, 0, "an empty list is as good as none");
}
