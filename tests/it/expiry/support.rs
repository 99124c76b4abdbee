//! What the tests of the job share.

use aws_sdk_dynamodb::types::AttributeValue;
use harness::{
    Request, World, contract, instant,
    scenario::{award, expiry},
    world::ORG,
};
use serde_json::{Map, Value, json};

/// Runs the job at `now`.
pub(super) async fn run_at(world: &World, now: &str, body: &Value) -> Value {
    let answer = world.send_at(&expiry(body), instant(now)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

/// Sends a request at `now`, which must succeed.
pub(super) async fn send(world: &World, request: &Request, now: &str) -> Value {
    let answer = world.send_at(request, instant(now)).await;
    assert!(answer.status.is_success(), "{} {}: {}", request.method, request.path, answer.body);
    answer.body
}

/// A world in which Ada has 250 points of June 1, which expire at the end of July in New York: [`EXPIRES_AT`].
pub(super) async fn ada_with_points_until_august() -> World {
    let world = World::new().await;
    world.put_loyalty(ORG, &json!({"pointsExpiry": {"months": 1}})).await;
    world.put_customer(ORG, "ada", &json!({})).await;
    send(&world, &award("ada", "o1", "250", &json!({})), "2026-06-01T12:00:00Z").await;
    world.proxy.take_requests();
    world
}

/// When Ada's points expire.
pub(super) const EXPIRES_AT: &str = "2026-08-01T04:00:00.000Z";

/// The fields of all events of a name, as far as they are not empty, by their time.
pub(super) async fn events(world: &World, name: &str) -> Vec<Value> {
    let mut pages = world.client.scan().table_name(&world.table).into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(item) = pages.next().await {
        let Some(AttributeValue::M(event)) = item.unwrap().remove("event") else { continue };
        let text = |value: AttributeValue| Value::from(value.as_s().unwrap().clone());
        let mut fields: Map<String, Value> = event.into_iter().map(|(name, value)| (name, text(value))).collect();
        if fields.remove("name") == Some(name.into()) {
            contract::check_event(name, &json!(fields));
            fields.retain(|_, value| value != "");
            found.push(Value::Object(fields));
        }
    }
    found.sort_by_key(|event| event["at"].to_string());
    found
}

/// The closed days of the org.
pub(super) async fn liability(world: &World, query: &str) -> Vec<Value> {
    let answer = world.get(&format!("/orgs/{ORG}/liability?limit=100{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["days"].as_array().unwrap().clone()
}
