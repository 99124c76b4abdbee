//! Change events: new items that carry the name of an event. The pipe runs in the cloud alone, so its definition is
//! compared with the items that the functions write.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use harness::{
    Request, World, bundles, contract, instant, roles, scenario,
    world::{ORG, noon},
};
use serde_json::{Value, json};

/// The change events in the items of the table, in no order, each with its name.
async fn change_events(world: &World) -> Vec<(String, BTreeMap<String, String>)> {
    let mut pages = world.client.scan().table_name(&world.table).into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(item) = pages.next().await {
        if let Some(AttributeValue::M(event)) = item.unwrap().get("event") {
            let text = |value: &AttributeValue| value.as_s().expect("every field is a text").clone();
            let mut fields: BTreeMap<String, String> =
                event.iter().map(|(name, value)| (name.clone(), text(value))).collect();
            let name = fields.remove("name").unwrap();
            contract::check_event(&name, &json!(fields));
            found.push((name, fields));
        }
    }
    found
}

async fn change_event(world: &World, name: &str) -> BTreeMap<String, String> {
    let events = change_events(world).await.into_iter();
    let mut matching: Vec<_> = events.filter(|(event, _)| event == name).map(|(_, fields)| fields).collect();
    assert_eq!(matching.len(), 1, "{name}: {matching:?}");
    matching.remove(0)
}

/// The fields of an event that are not empty.
fn says(fields: &BTreeMap<String, String>) -> Value {
    fields.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name.clone(), json!(value))).collect()
}

async fn send(world: &World, request: Request) {
    let answer = world.send(&request).await;
    assert!(answer.status.is_success(), "{}", answer.body);
}

async fn world_with_ada() -> World {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({"firstName": "Ada", "email": "ada@example.com"})).await;
    world
}

const NOON: &str = "2026-06-01T12:00:00.000Z";

#[tokio::test]
async fn a_change_of_points_emits_an_event_with_the_new_balance() {
    let world = world_with_ada().await;
    send(&world, scenario::award("ada", "o1", "150", &json!({}))).await;
    send(&world, scenario::adjustment("ada", "a1", 100)).await;
    send(&world, scenario::redeem_points("ada", "o2", 100, "49.99")).await;
    send(&world, scenario::void_points("ada", "o2")).await;
    send(&world, scenario::refund_request("ada", "o1", "r1", Some("50"))).await;
    send(&world, scenario::refund_request("ada", "o1", "r2", Some("20"))).await;
    send(&world, scenario::void_refund("ada", "o1", "r2")).await;
    for (name, reference, points, balance) in [
        ("PointsEarned", "o1", "150", "150"),
        ("PointsRedeemed", "o2", "-100", "150"),
        ("PointsReturned", "o2", "100", "250"),
        ("PointsRestored", "r2", "20", "200"),
    ] {
        let expected = json!({
            "orgId": ORG, "customerId": "ada", "reference": reference, "at": NOON, "points": points, "balance": balance,
        });
        assert_eq!(says(&change_event(&world, name).await), expected, "{name}");
    }
    let reversed = change_events(&world).await.into_iter().filter(|(name, _)| name == "PointsReversed");
    let mut reversed: Vec<_> =
        reversed.map(|(_, fields)| (fields["reference"].clone(), fields["points"].clone())).collect();
    reversed.sort();
    assert_eq!(reversed, [("r1", "-50"), ("r2", "-20")].map(|(refund, points)| (refund.to_owned(), points.to_owned())));
    let adjusted = change_event(&world, "PointsAdjusted").await;
    assert_eq!((adjusted["points"].as_str(), adjusted["reference"].as_str()), ("100", "a1"));
    assert!(!adjusted["cause"].is_empty(), "in the words of who adjusted");
}

#[tokio::test]
async fn a_change_of_tier_emits_an_event_with_its_cause() {
    let world = world_with_ada().await;
    send(&world, scenario::award("ada", "o1", "250", &json!({}))).await;
    let expected = json!({
        "orgId": ORG, "customerId": "ada", "reference": "o1", "at": NOON, "points": "0", "balance": "250",
        "from": "Bronze", "to": "Silver", "cause": "order",
    });
    assert_eq!(says(&change_event(&world, "TierChanged").await), expected);
}

#[tokio::test]
async fn only_a_change_of_a_bundles_status_emits_a_bundle_event() {
    let world = World::new().await;
    send(&world, bundles::put("b", &json!({"startDate": "2026-06-01T13:00:00Z"}))).await;
    // The bundle is still scheduled, so its status does not change.
    send(&world, bundles::move_to("b", "paused")).await;
    assert!(change_events(&world).await.is_empty(), "{:?}", change_events(&world).await);
    send(&world, bundles::move_to("b", "published")).await;
    let opened = world.send_at(&bundles::job(&json!({})), instant("2026-06-01T13:05:00Z")).await;
    assert_eq!(opened.body["summary"]["transitionsPerformed"], 1);
    let expected = json!({
        "orgId": ORG, "bundleId": "b", "at": "2026-06-01T13:00:00.000Z",
        "from": "scheduled", "to": "active", "cause": "start date reached",
    });
    assert_eq!(says(&change_event(&world, "BundleStatusChanged").await), expected);
}

#[tokio::test]
async fn a_risk_level_emits_an_event_if_the_previous_one_differs() {
    let world = world_with_ada().await;
    send(&world, scenario::award("ada", "o1", "40", &json!({}))).await;
    let risks = async || -> Vec<(String, String)> {
        let change_events = change_events(&world).await.into_iter().filter(|(name, _)| name == "ChurnRiskChanged");
        let mut risks: Vec<_> = change_events.map(|(_, fields)| fields).collect();
        risks.sort_by_key(|fields| fields["at"].clone());
        risks.into_iter().map(|fields| (fields["from"].clone(), fields["to"].clone())).collect()
    };
    let mut levels = Vec::new();
    for week in 0..10 {
        let at = noon() + chrono::TimeDelta::days(1 + 7 * week);
        world.send_at(&scenario::prediction(&json!({})), at).await;
        let ada = world.send_at(&Request::new("GET", "back-office", format!("/orgs/{ORG}/customers/ada")), at).await;
        levels.push(ada.body["churnRiskLevel"].as_str().unwrap().to_owned());
    }
    levels.dedup();
    assert!(levels.len() > 1, "she gets likelier to leave: {levels:?}");
    let mut from = String::new();
    let expected: Vec<_> = levels.into_iter().map(|to| (std::mem::replace(&mut from, to.clone()), to)).collect();
    assert_eq!(risks().await, expected, "the first has none before it");
}

#[tokio::test]
async fn a_disposable_org_emits_no_events() {
    let world = World::new().await;
    world.put_org("to-go", &json!({"name": "To go", "disposable": true})).await;
    world.put_loyalty("to-go", &json!({})).await;
    world.put_customer("to-go", "ada", &json!({})).await;
    let order = json!({"orgId": "to-go", "customerId": "ada", "orderId": "o1", "orderTotal": 250});
    send(&world, Request::new("POST", "points-award", "/awards").json(&order)).await;
    assert!(change_events(&world).await.is_empty());
}

#[tokio::test]
async fn the_pipe_forwards_exactly_the_events_that_the_items_carry() {
    let world = world_with_ada().await;
    send(&world, scenario::award("ada", "o1", "250", &json!({}))).await;
    let template = roles::template();
    let pipe = &template["Resources"]["Changes"]["Properties"];
    let filter = &pipe["SourceParameters"]["FilterCriteria"]["Filters"][0]["Pattern"];
    let filter: Value = serde_json::from_str(filter.as_str().unwrap()).unwrap();
    let expected = json!({"eventName": ["INSERT"], "dynamodb": {"NewImage": {"event": {"M": {"name": {"S": [{"exists": true}]}}}}}});
    assert_eq!(filter, expected);
    let target = &pipe["TargetParameters"];
    assert_eq!(target["EventBridgeEventBusParameters"]["DetailType"], "$.dynamodb.NewImage.event.M.name.S");

    let input = target["InputTemplate"].as_str().unwrap();
    // EventBridge inserts JSON text. The template without the insertions is JSON too.
    let fields: BTreeMap<String, String> = serde_json::from_str(&input.replace(['<', '>'], "\"")).unwrap();
    for (name, path) in &fields {
        assert_eq!(*path, format!("$.dynamodb.NewImage.event.M.{name}.S"));
    }
    for (name, event) in change_events(&world).await {
        let (carried, passed_on): (BTreeSet<_>, BTreeSet<_>) = (event.keys().collect(), fields.keys().collect());
        assert_eq!(carried, passed_on, "{name}");
    }
}

#[test]
fn outbound_events_have_another_source_than_inbound_events() {
    let parameters = &roles::template()["Parameters"];
    assert_ne!(parameters["ChangeSource"]["Default"], parameters["EventSource"]["Default"]);
}
