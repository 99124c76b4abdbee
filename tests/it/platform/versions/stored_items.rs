//! Items as the release before points with dates stored them: `tests/data/stored-items-0.2.json`.
//!
//! Ada has an award of 300 with a refund of 50, an award of 40 whose refund was voided, 100 points from an operator, a
//! redemption of 150 and a voided one of 100.

use aws_sdk_dynamodb::types::AttributeValue;
use harness::{
    Request, World, audit, scenario,
    world::{ORG, noon},
};
use serde_json::{Value, json};

use super::support::{Item, items, put};

/// A JSON value as `DynamoDB` has it.
fn attribute(value: &Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(value) => AttributeValue::Bool(*value),
        Value::Number(value) => AttributeValue::N(value.to_string()),
        Value::String(value) => AttributeValue::S(value.clone()),
        Value::Array(values) => AttributeValue::L(values.iter().map(attribute).collect()),
        Value::Object(members) => AttributeValue::M(item(members)),
    }
}

fn item(members: &serde_json::Map<String, Value>) -> Item {
    members.iter().map(|(name, value)| (name.clone(), attribute(value))).collect()
}

/// A world with these items only.
async fn world_of_before() -> World {
    let world = World::new().await;
    let file = harness::root().join("tests/data/stored-items-0.2.json");
    let stored: Vec<serde_json::Map<String, Value>> =
        serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    for each in &stored {
        put(&world, item(each)).await;
    }
    world
}

async fn answer(world: &World, request: &Request) -> Value {
    let answer = world.send(request).await;
    assert!(answer.status.is_success(), "{} {}: {}", request.method, request.path, answer.body);
    answer.body
}

#[tokio::test]
async fn stored_items_of_before_are_read_as_they_were() {
    let world = world_of_before().await;
    let ada = audit::check(&world, ORG, "ada").await;
    let figures = ["points", "availablePoints", "pendingPoints", "heldPoints", "lifetimeValue", "orderCount"];
    assert_eq!(json!(figures.map(|name| &ada[name])), json!([240, 240, 0, 0, 290, 2]));
    assert_eq!((&ada["tier"], &ada["expiringPoints"]), (&json!("Silver"), &json!([])));
    let entries = audit::ledger(&world, ORG, "ada", noon()).await;
    assert!(entries.iter().all(|entry| entry.get("error").is_none()), "{entries:#?}");
    // What was answered then is answered again.
    for (request, name, figure) in [
        (scenario::award("ada", "o1", "300", &json!({})), "pointsAwarded", 300),
        (scenario::refund_request("ada", "o1", "r1", Some("50")), "pointsReversed", 50),
        (scenario::redeem_points("ada", "o3", 150, "49.99"), "pointsRedeemed", 150),
        (scenario::adjustment("ada", "a1", 100), "points", 100),
        (scenario::void_points("ada", "o4"), "pointsReturned", 100),
        (scenario::void_refund("ada", "o2", "r2"), "pointsRestored", 40),
    ] {
        let replayed = answer(&world, &request).await;
        assert_eq!((&replayed["replayed"], &replayed[name]), (&json!(true), &json!(figure)), "{replayed}");
    }
}

#[tokio::test]
async fn what_was_awarded_refunded_and_redeemed_before_can_be_undone() {
    let world = world_of_before().await;
    // Points that are earned now expire. Those of before never do.
    world.put_loyalty(ORG, &json!({"pointsExpiry": {"months": 1}})).await;
    assert_eq!(answer(&world, &scenario::void_points("ada", "o3")).await["pointsReturned"], 150);
    assert_eq!(answer(&world, &scenario::void_refund("ada", "o1", "r1")).await["pointsRestored"], 50);
    assert_eq!(answer(&world, &scenario::refund_request("ada", "o2", "r3", None)).await["pointsReversed"], 40);
    answer(&world, &scenario::award("ada", "o9", "10", &json!({}))).await;
    let ada = audit::check(&world, ORG, "ada").await;
    assert_eq!((&ada["points"], &ada["lifetimeValue"]), (&json!(410), &json!(310)));
    let august = harness::instant("2026-08-01T04:00:00Z");
    assert_eq!(audit::check_at(&world, ORG, "ada", august).await["points"], 400);
}

#[tokio::test]
async fn operations_on_items_of_before_add_no_attribute_while_points_have_no_dates() {
    let world = world_of_before().await;
    let before = items(&world).await;
    answer(&world, &scenario::void_points("ada", "o3")).await;
    answer(&world, &scenario::void_refund("ada", "o1", "r1")).await;
    answer(&world, &scenario::refund_request("ada", "o2", "r3", None)).await;
    let after = items(&world).await;
    for (key, item) in before {
        let names: Vec<_> = after[&key].keys().filter(|name| !item.contains_key(*name)).collect();
        let expected: &[&str] = if key.1 == "REFUND#r1" { &["voided"] } else { &[] };
        assert_eq!(names, expected, "{key:?}");
    }
}
