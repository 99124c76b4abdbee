//! Each event that the template hands to a function: what a rule refuses is logged once and done with; what may succeed later
//! fails the invocation, so that it is delivered again and in the end kept in the function's queue.

use std::{collections::BTreeSet, time::Duration};

use harness::{
    World, bundles,
    faults::{Fault, Lasting},
    log::Log,
    roles, scenario,
    world::ORG,
};
use serde_json::{Value, json};

/// An event that a function is handed.
struct Case {
    function: &'static str,
    event: &'static str,
    /// What it says of the order.
    more: Value,
    /// With what a rule refuses it.
    refused: &'static str,
}

impl Case {
    fn event(&self, customer: &str, order: &str) -> Value {
        let mut detail = json!({"orgId": ORG, "customerId": customer, "orderId": order});
        detail.as_object_mut().unwrap().extend(self.more.as_object().unwrap().clone());
        scenario::event(self.event, detail)
    }
}

fn cases() -> [Case; 6] {
    let case = |function, event, more, refused| Case { function, event, more, refused };
    [
        case("points-award", "OrderFulfilled", json!({"orderTotal": 60}), "idempotency_mismatch"),
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

/// Ada's order, of 50, paid in part with points.
async fn world_with_an_order(timeout: Option<Duration>) -> World {
    let world = World::with_timeout(timeout).await;
    for customer in ["ada", "bob"] {
        world.put_customer(ORG, customer, &json!({})).await;
    }
    for request in [
        scenario::adjustment("ada", "a1", 500),
        scenario::award("ada", "o1", "50", &json!({})),
        scenario::spend("ada", "o1", 100, "50"),
        bundles::put("paused", &json!({"desiredState": "paused"})),
    ] {
        let answer = world.send(&request).await;
        assert!(answer.status.is_success(), "{}", answer.body);
    }
    world.take_records();
    world
}

#[test]
fn every_event_of_the_template_is_here() {
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
async fn an_event_that_a_rule_refuses_is_logged_once_with_its_code_and_done_with() {
    for case in cases() {
        let world = world_with_an_order(None).await;
        // What is cancelled is not this customer's order.
        let customer = if case.event.ends_with("Cancelled") { "bob" } else { "ada" };
        let (log, guard) = Log::start(tracing::Level::INFO);
        let done = world.invoke(case.function, case.event(customer, "o1")).await;
        drop(guard);
        let told = format!("{} {}: {done:?}", case.function, case.event);
        assert!(done.is_ok(), "{told}");
        let logged = log.text();
        let lines: Vec<&str> = logged.lines().filter(|line| line.contains("refused")).collect();
        assert_eq!(lines.len(), 1, "{told} {logged}");
        assert!(lines[0].contains(case.refused), "{told} {logged}");
    }
}

#[tokio::test]
async fn an_event_that_may_succeed_later_fails_the_invocation_and_succeeds_then() {
    for case in cases() {
        let world = world_with_an_order(Some(Duration::from_secs(2))).await;
        world.send(&bundles::move_to("paused", "published")).await;
        let mut event = case.event("ada", "o1");
        event["detail"]["orderTotal"] = json!(50);
        if case.event == "OrderRefunded" {
            event["detail"]["refundTotal"] = json!(50);
        }
        world.wire.fail(0, Fault::Throttle, Lasting::UntilHealed);
        let failed = world.invoke(case.function, event.clone()).await;
        assert_eq!(failed.unwrap_err().code, "try_again", "{} {}", case.function, case.event);
        world.wire.heal();
        let done = world.invoke(case.function, event).await.unwrap();
        assert!(done.get("code").is_none(), "{} {}: {done}", case.function, case.event);
    }
}
