//! One item of every kind, and marks that a newer version would add.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use harness::{Request, World, bundles, instant, scenario, world::ORG};
use serde_json::{Value, json};

pub(super) type Item = HashMap<String, AttributeValue>;

/// The attribute that a newer version adds to every map.
pub(super) const MARK: &str = "nextVersion";

/// The item with the release of the time zone data.
pub(super) const ZONES: &str = "SWEEP#transition ZONES";

pub(super) fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

pub(super) fn part<'a>(item: &'a Item, name: &str) -> &'a str {
    item[name].as_s().unwrap()
}

/// Whether an item is of a kind. Words in capitals match themselves, and other words match any text.
pub(super) fn is_of(item: &Item, kind: &str) -> bool {
    let fits = |key: &str, pattern: &str| {
        let (key, pattern): (Vec<_>, Vec<_>) = (key.split('#').collect(), pattern.split('#').collect());
        let same = |(part, word): (&&str, &&str)| part == word || word.chars().any(char::is_lowercase);
        key.len() == pattern.len() && key.iter().zip(&pattern).all(same)
    };
    let (pk, sk) = kind.split_once(' ').unwrap();
    fits(part(item, "pk"), pk) && fits(part(item, "sk"), sk)
}

pub(super) async fn items(world: &World) -> BTreeMap<(String, String), Item> {
    let found = world.client.scan().table_name(&world.table).into_paginator().items().send();
    let found: Vec<Item> = found.collect::<Result<_, _>>().await.unwrap();
    found.into_iter().map(|item| ((part(&item, "pk").to_owned(), part(&item, "sk").to_owned()), item)).collect()
}

pub(super) async fn put(world: &World, item: Item) {
    world.client.put_item().table_name(&world.table).set_item(Some(item)).send().await.unwrap();
}

/// Adds the mark to a map and to every map within it.
pub(super) fn mark(map: &mut Item) {
    map.values_mut().for_each(mark_within);
    map.insert(MARK.to_owned(), AttributeValue::N("3.14".to_owned()));
}

fn mark_within(value: &mut AttributeValue) {
    match value {
        AttributeValue::M(map) => mark(map),
        AttributeValue::L(list) => list.iter_mut().for_each(mark_within),
        _ => {}
    }
}

pub(super) async fn succeeds(world: &World, request: Request, at: &str) -> Value {
    let answer = world.send_at(&request, instant(at)).await;
    assert!(answer.status.is_success(), "{} {}: {}", request.method, request.path, answer.body);
    answer.body
}

pub(super) fn back_office(method: &'static str, path: &str) -> Request {
    Request::new(method, "back-office", format!("/orgs/{ORG}{path}"))
}

pub(super) const NOON: &str = "2026-06-01T12:00:00Z";

pub(super) const LATER: &str = "2026-06-01T13:05:00Z";

pub(super) fn bundle_terms() -> Value {
    json!({"startDate": "2026-06-01T13:00:00Z", "maxRedemptions": 5, "perCustomerLimit": 4, "description": "Soap"})
}

pub(super) fn org(name: &str, zone: &str) -> Request {
    back_office("PUT", "").json(&json!({"name": name, "timezone": zone}))
}

/// Writes one item of every kind.
pub(super) async fn make_one_of_each(world: &World) {
    for (customer, profile) in
        [("ada", json!({"firstName": "A", "phone": "212 555 0134"})), ("bob", json!({"equityStatus": true}))]
    {
        succeeds(world, back_office("PUT", &format!("/customers/{customer}")).json(&profile), NOON).await;
    }
    succeeds(world, back_office("PUT", "/loyalty").json(&json!({"inactivityDays": 100})), NOON).await;
    for scope in ["manage", "till"] {
        succeeds(world, back_office("POST", "/keys").json(&json!({"name": "key", "scope": scope})), NOON).await;
    }
    succeeds(world, scenario::adjustment("ada", "a1", 500), NOON).await;
    succeeds(world, scenario::award("ada", "o1", "250", &json!({})), NOON).await;
    succeeds(world, scenario::refund_request("ada", "o1", "r1", Some("10")), NOON).await;
    succeeds(world, scenario::redeem_points("ada", "o2", 100, "49.99"), NOON).await;
    succeeds(world, bundles::put("b", &bundle_terms()), NOON).await;
    succeeds(world, bundles::job(&json!({})), LATER).await;
    succeeds(world, bundles::redeem("b", "ada", "o3", &json!({})), LATER).await;
    succeeds(world, org("Shop", "Asia/Kolkata"), LATER).await;
    succeeds(world, scenario::prediction(&json!({})), LATER).await;
    succeeds(world, scenario::recalculation(&json!({})), LATER).await;
    succeeds(world, Request::new("PUT", "back-office", "/orgs/another").json(&json!({"name": "Another"})), LATER).await;
    stop_a_report(world, LATER).await;
    make_and_delete_a_bundle(world, LATER).await;
    give_notice_and_close_a_day(world).await;
}

/// Gives notice of points that expire in a week, and closes the last day of May.
async fn give_notice_and_close_a_day(world: &World) {
    let expiring = json!({"inactivityDays": 100, "pointsExpiry": {"months": 1, "roundTo": "day"}});
    succeeds(world, back_office("PUT", "/loyalty").json(&expiring), LATER).await;
    succeeds(world, back_office("PUT", "/customers/cleo").json(&json!({})), LATER).await;
    let order = scenario::award("cleo", "cleo-1", "10", &json!({"fulfilledAt": "2026-05-06T12:00:00Z"}));
    succeeds(world, order, LATER).await;
    succeeds(world, back_office("PUT", "/loyalty").json(&json!({"inactivityDays": 100})), LATER).await;
    succeeds(world, scenario::expiry(&json!({})), LATER).await;
}

pub(super) async fn make_and_delete_a_bundle(world: &World, at: &str) {
    succeeds(world, bundles::put("gone", &bundle_terms()), at).await;
    succeeds(world, back_office("DELETE", "/bundles/gone"), at).await;
}

/// Runs a report that has no time for the second org, so it stores its position.
pub(super) async fn stop_a_report(world: &World, at: &str) {
    let report = Request::new("POST", "weekly-report", "/").json(&json!({}));
    let stopped = world.send_within(&report, instant(at), std::time::Duration::from_secs(5)).await.body;
    assert!(stopped["cursor"].is_string(), "{stopped}");
}
