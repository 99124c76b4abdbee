//! Refusals that the API documents promise for many operations, and those at the ends of the ranges of numbers.

use api::{
    contract::{Contract, OperationContract},
    samples,
};
use aws_sdk_dynamodb::types::AttributeValue;
use harness::{
    Request, World, amendments, bundles, scenario,
    world::{ORG, noon},
};
use serde_json::{Value, json};
use shared::domain::rejection::RefusalCode;

/// Calls an operation with its example request, with some members replaced, and returns the code.
async fn code_of(world: &World, operation: &OperationContract, members: &[(&str, &str)]) -> String {
    let mut fields = samples::request(operation);
    for (name, value) in members {
        fields.insert((*name).to_owned(), (*value).into());
    }
    if operation.operation.method.is_empty() {
        let event = scenario::event(operation.operation.event.unwrap(), Value::Object(fields));
        return match world.invoke(operation.function, event).await {
            Ok(body) => body["code"].as_str().unwrap_or_default().to_owned(),
            Err(error) => error.code.to_owned(),
        };
    }
    let mut invocation = Value::Object(fields);
    invocation["operation"] = operation.operation.name.into();
    let answer = world.invoke(operation.function, invocation).await.unwrap();
    answer["code"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn every_operation_that_names_an_org_refuses_an_unknown_one() {
    let world = World::new().await;
    let contract = Contract::collect();
    let declare = |operation: &&OperationContract| operation.refusals.contains(&RefusalCode::UnknownOrg);
    let mut asked = 0;
    for operation in contract.operations().filter(declare) {
        let code = code_of(&world, operation, &[("orgId", "nowhere")]).await;
        assert_eq!(code, "unknown_org", "{}", operation.id());
        asked += 1;
    }
    assert!(asked > 30, "only {asked}");
}

#[tokio::test]
async fn every_list_and_job_refuses_a_cursor_that_it_did_not_return() {
    let world = World::new().await;
    let contract = Contract::collect();
    let declare = |operation: &&OperationContract| operation.refusals.contains(&RefusalCode::InvalidCursor);
    let mut asked = 0;
    for operation in contract.operations().filter(declare) {
        // The list of orgs is of no org, and a job without an org is of all orgs.
        let members: &[_] = if operation.requires("orgId") {
            &[("cursor", "invented"), ("orgId", ORG)]
        } else {
            &[("cursor", "invented")]
        };
        let code = code_of(&world, operation, members).await;
        assert_eq!(code, "invalid_cursor", "{}", operation.id());
        asked += 1;
    }
    assert!(asked > 10, "only {asked}");
}

/// Sets a number of a stored item.
async fn set_number(world: &World, (pk, sk): (&str, &str), attribute: &str, number: i64) {
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let update = world.client.update_item().table_name(&world.table).key("pk", text(pk)).key("sk", text(sk));
    let path: Vec<String> = attribute.split('.').map(|part| format!("#{part}")).collect();
    let update =
        attribute.split('.').fold(update, |update, part| update.expression_attribute_names(format!("#{part}"), part));
    let update = update.update_expression(format!("SET {} = :n", path.join(".")));
    update.expression_attribute_values(":n", AttributeValue::N(number.to_string())).send().await.unwrap();
}

/// Sets the balance of ada.
async fn set_balance(world: &World, points: i64) {
    set_number(world, (&format!("CUSTOMER#{ORG}#ada"), "PROFILE"), "points", points).await;
}

/// The largest balance.
const BALANCE_MAX: i64 = 1_000_000_000_000_000;

async fn code(world: &World, request: Request) -> String {
    world.send(&request).await.code().to_owned()
}

#[tokio::test]
async fn no_operation_takes_a_balance_out_of_its_range() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    for order in ["o1", "o2"] {
        assert!(world.send(&scenario::award("ada", order, "500", &json!({}))).await.is_applied());
    }
    assert!(world.send(&scenario::redeem_points("ada", "o3", 100, "49.99")).await.is_applied());
    assert!(world.send(&scenario::refund_request("ada", "o2", "r2", Some("100"))).await.is_applied());

    set_balance(&world, BALANCE_MAX - 1).await;
    assert_eq!(code(&world, scenario::award("ada", "o4", "500", &json!({}))).await, "out_of_range");
    assert_eq!(code(&world, scenario::adjustment("ada", "a1", 500)).await, "out_of_range");
    assert_eq!(code(&world, scenario::void_points("ada", "o3")).await, "out_of_range");
    assert_eq!(code(&world, scenario::void_refund("ada", "o2", "r2")).await, "out_of_range");
    set_balance(&world, 1 - BALANCE_MAX).await;
    assert_eq!(code(&world, scenario::refund_request("ada", "o1", "r1", None)).await, "out_of_range");

    let dear = json!({"redemptionTiers": [{"pointsCost": 1, "rewardValue": 100_000_000_000_i64}]});
    world.put_loyalty(ORG, &dear).await;
    set_balance(&world, 1_000_000_000).await;
    let all = scenario::redeem_points("ada", "o5", 1_000_000_000, "49.99");
    assert_eq!(code(&world, all).await, "out_of_range");
}

#[tokio::test]
async fn no_redemption_takes_the_savings_of_a_bundle_out_of_their_range() {
    let world = World::new().await;
    assert_eq!(world.send(&bundles::put("b", &json!({}))).await.status, 201);
    assert!(world.send(&bundles::redeem("b", "ada", "o1", &json!({}))).await.is_applied());
    set_number(&world, (&format!("ORG#{ORG}"), "BUNDLE#b"), "savings", BALANCE_MAX).await;
    assert_eq!(code(&world, bundles::redeem("b", "ada", "o2", &json!({}))).await, "out_of_range");
}

#[tokio::test]
async fn loyalty_settings_that_exist_are_not_created_again() {
    let world = World::new().await;
    let put = Request::new("PUT", "back-office", format!("/orgs/{ORG}/loyalty")).json(&json!({}));
    let answer = world.send(&put.header("if-none-match", "*")).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (412, "already_exists"));
}

#[tokio::test]
async fn every_operation_with_money_accepts_the_currency_of_the_org_and_no_other() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&scenario::adjustment("ada", "a1", 500)).await;
    for (function, path, body) in [
        ("points-award", "/awards", json!({"orderId": "o1", "orderTotal": "20"})),
        ("points-award", "/refunds", json!({"orderId": "o1", "refundId": "r1", "refundTotal": "5"})),
        ("points-redemption", "/quotes", json!({"points": 100})),
        ("points-redemption", "/redemptions", json!({"orderId": "o2", "points": 100, "orderTotal": "20"})),
    ] {
        let send = async |currency: &str| {
            let mut body = body.clone();
            (body["orgId"], body["customerId"], body["currency"]) = (ORG.into(), "ada".into(), currency.into());
            world.send(&Request::new("POST", function, path).json(&body)).await
        };
        assert_eq!(send("EUR").await.code(), "other_currency", "{function}{path}");
        assert!(send("USD").await.status.is_success(), "{function}{path}");
    }
}

#[tokio::test]
async fn the_rewards_of_an_unknown_customer_are_refused() {
    let world = World::new().await;
    let options = Request::new("GET", "points-redemption", format!("/options?orgId={ORG}&customerId=nobody"));
    assert_eq!(code(&world, options).await, "unknown_customer");
}

#[tokio::test]
async fn an_order_event_may_state_when_the_order_was_fulfilled_and_a_cancellation_its_bundles_with_savings() {
    let world = World::new().await;
    assert_eq!(world.send(&bundles::put("b", &json!({}))).await.status, 201);
    let bundle = json!([{"bundleId": "b", "savings": "1.50"}]);
    let fulfilled_at = (noon() + chrono::TimeDelta::minutes(1)).to_rfc3339();
    let order = json!({
        "orgId": ORG, "orderId": "o1", "customerId": "ada", "bundles": bundle, "fulfilledAt": fulfilled_at,
    });
    let redeemed = world.invoke("bundle-redemption", scenario::event("OrderFulfilled", order)).await.unwrap();
    assert_eq!(redeemed["bundles"][0]["redeemed"], true, "{redeemed}");
    let cancelled = json!({"orgId": ORG, "orderId": "o1", "bundles": bundle});
    let voided = world.invoke("bundle-redemption", scenario::event("OrderCancelled", cancelled)).await.unwrap();
    assert_eq!(voided["bundles"][0]["voided"], true, "{voided}");
}

#[tokio::test]
async fn a_refund_reads_the_settings_that_its_process_does_not_know_yet() {
    let world = World::new().await;
    let org = |path: &str| Request::new("PUT", "back-office", format!("/orgs/new{path}"));
    world.put_org("new", &json!({"name": "New"})).await;
    world.put_customer("new", "ada", &json!({})).await;
    let order = json!({"orgId": "new", "customerId": "ada", "orderId": "o1", "orderTotal": "20"});
    let award = Request::new("POST", "points-award", "/awards").json(&order);
    let process = world.another_process();
    let refused = World::send_to(&process, &award, noon()).await;
    assert_eq!(refused.code(), "loyalty_disabled", "the other process knows the org without settings");
    world.send(&org("/loyalty").json(&json!({}))).await;
    assert!(world.send(&award).await.is_applied());
    let refund = json!({"orgId": "new", "customerId": "ada", "orderId": "o1", "refundId": "r1", "refundTotal": "5"});
    let refund = Request::new("POST", "points-award", "/refunds").json(&refund);
    assert!(World::send_to(&process, &refund, noon()).await.is_applied());
}

#[tokio::test]
async fn a_refund_or_an_amendment_in_an_org_that_lost_its_settings_is_refused() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    assert!(world.send(&scenario::award("ada", "o1", "20", &json!({}))).await.is_applied());
    assert!(world.send(&scenario::refund_request("ada", "o1", "r1", Some("5"))).await.is_applied());
    // As after a deletion that left an award behind.
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let update = world.client.update_item().table_name(&world.table).update_expression("REMOVE loyalty");
    update.key("pk", text(&format!("ORG#{ORG}"))).key("sk", text("ORG")).send().await.unwrap();
    let process = world.another_process();
    for request in [
        scenario::refund_request("ada", "o1", "r2", Some("5")),
        scenario::void_refund("ada", "o1", "r1"),
        amendments::amend("ada", "o1", "30", "2026-06-01T13:00:00Z"),
        amendments::award_state("ada", "o1", "30", "2026-06-01T13:00:00Z"),
    ] {
        assert_eq!(World::send_to(&process, &request, noon()).await.code(), "loyalty_not_set");
    }
}
