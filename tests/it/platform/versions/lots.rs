//! Points with dates beside a version that knows none: it changes `points` of a profile and keeps all other attributes.

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::types::AttributeValue;
use harness::{World, audit, instant, scenario, world::ORG};
use serde_json::{Value, json};

use super::support::{Item, MARK, NOON, items, mark, part, put, succeeds, text};

/// The attributes that points in time have added to items of before.
const NEW_ATTRIBUTES: [&str; 8] =
    ["lots", "holds", "debt", "availableAt", "expiresAt", "afterExpiry", "pendingDays", "pointsExpiry"];

const AUGUST: &str = "2026-08-01T04:00:00Z";

/// A world with Ada. Points expire at the end of the month after the month in which they are earned.
async fn world_with_ada(settings: Value) -> World {
    let world = World::new().await;
    world.put_loyalty(ORG, &settings).await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world
}

async fn profile(world: &World) -> Item {
    items(world).await[&(format!("CUSTOMER#{ORG}#ada"), "PROFILE".to_owned())].clone()
}

fn whole(value: &AttributeValue) -> i64 {
    value.as_n().unwrap().parse().unwrap()
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Changes Ada's points as a version without lots does: the profile gets the sum, and the ledger an entry.
async fn older_version_adjusts(world: &World, points: i64) {
    let mut profile = profile(world).await;
    let (balance, version) = (whole(&profile["points"]) + points, whole(&profile["version"]) + 1);
    profile.extend([("points".to_owned(), number(balance)), ("version".to_owned(), number(version))]);
    put(world, profile).await;
    let what = [("adjustmentId".to_owned(), text(&format!("older{version}"))), ("reason".to_owned(), text("older"))];
    let what = AttributeValue::M(HashMap::from([("points_adjusted".to_owned(), AttributeValue::M(what.into()))]));
    let entry = Item::from([
        ("pk".to_owned(), text(&format!("CUSTOMER#{ORG}#ada"))),
        ("sk".to_owned(), text(&format!("ENTRY#{version:012}.00#points_adjusted#older{version}"))),
        ("writtenAt".to_owned(), text("2026-06-01T12:00:00.000Z")),
        ("points".to_owned(), number(points)),
        ("balance".to_owned(), number(balance)),
        ("what".to_owned(), what),
    ]);
    put(world, entry).await;
}

/// Ada's points in all, and those that are available, pending and held.
async fn figures(world: &World, at: &str) -> [i64; 4] {
    let ada = audit::check_at(world, ORG, "ada", instant(at)).await;
    ["points", "availablePoints", "pendingPoints", "heldPoints"].map(|name| ada[name].as_i64().unwrap())
}

async fn hold(world: &World, order: &str, points: i64, minutes: i64) {
    let request = scenario::hold_points("ada", order, points, "100", &json!({"minutes": minutes}));
    succeeds(world, request, NOON).await;
}

#[tokio::test]
async fn points_that_an_older_version_gave_are_a_lot_without_dates() {
    let world = world_with_ada(json!({"pointsExpiry": {"months": 1}})).await;
    succeeds(&world, scenario::award("ada", "o1", "100", &json!({})), NOON).await;
    older_version_adjusts(&world, 40).await;
    assert_eq!(figures(&world, NOON).await, [140, 140, 0, 0]);
    assert_eq!(figures(&world, AUGUST).await, [40, 40, 0, 0]);
    // A write records them as such.
    succeeds(&world, scenario::adjustment("ada", "a1", 1), NOON).await;
    assert_eq!(figures(&world, AUGUST).await, [40, 40, 0, 0]);
}

#[tokio::test]
async fn points_that_an_older_version_took_are_missing_from_lots_then_from_holds_and_are_then_a_debt() {
    let world = world_with_ada(json!({"pointsExpiry": {"months": 1}, "redemptionTiers": []})).await;
    succeeds(&world, scenario::award("ada", "o1", "150", &json!({})), NOON).await;
    hold(&world, "soon", 60, 10).await;
    hold(&world, "late", 30, 20).await;
    world.put_loyalty(ORG, &json!({"pendingDays": 5, "redemptionTiers": []})).await;
    succeeds(&world, scenario::award("ada", "o2", "20", &json!({})), NOON).await;
    assert_eq!(figures(&world, NOON).await, [170, 60, 20, 90]);
    older_version_adjusts(&world, -50).await;
    assert_eq!(figures(&world, NOON).await, [120, 10, 20, 90], "available points first");
    older_version_adjusts(&world, -15).await;
    assert_eq!(figures(&world, NOON).await, [105, 0, 15, 90], "then pending ones");
    older_version_adjusts(&world, -40).await;
    // The later hold had 30 and is gone. Of it 5 return.
    assert_eq!(figures(&world, NOON).await, [65, 5, 0, 60], "then the latest hold");
    older_version_adjusts(&world, -75).await;
    assert_eq!(figures(&world, NOON).await, [-10, 0, 0, 0], "then all holds");
    let redemption = scenario::redeem_points("ada", "soon", 60, "100");
    assert_eq!(world.send(&redemption).await.code(), "insufficient_points");
    succeeds(&world, scenario::adjustment("ada", "a1", 30), NOON).await;
    assert_eq!(figures(&world, NOON).await, [20, 20, 0, 0]);
}

#[tokio::test]
async fn a_redemption_that_an_older_version_recorded_returns_as_points_that_never_expire() {
    let world = world_with_ada(json!({"pointsExpiry": {"months": 1}})).await;
    succeeds(&world, scenario::award("ada", "o1", "200", &json!({})), NOON).await;
    succeeds(&world, scenario::redeem_points("ada", "o2", 100, "20"), NOON).await;
    succeeds(&world, scenario::redeem_points("ada", "o3", 100, "20"), NOON).await;
    let key = |name: &str, value: &str| (name.to_owned(), text(value));
    let keys = Item::from([key("pk", &format!("ORDER#{ORG}#o2")), key("sk", "POINTS")]);
    let strip = world.client.update_item().table_name(&world.table).set_key(Some(keys));
    strip.update_expression("REMOVE redemption.lots").send().await.unwrap();
    for order in ["o2", "o3"] {
        succeeds(&world, scenario::void_points("ada", order), NOON).await;
    }
    assert_eq!(figures(&world, NOON).await, [200, 200, 0, 0]);
    assert_eq!(figures(&world, AUGUST).await, [100, 100, 0, 0]);
}

#[tokio::test]
async fn both_versions_in_turn_over_one_customer_lose_no_points() {
    let world = world_with_ada(json!({"pointsExpiry": {"months": 1}, "pendingDays": 1, "redemptionTiers": []})).await;
    let seed = fastrand::u64(..);
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut balance = 0;
    for number in 0..40 {
        let order = format!("o{number}");
        let points = rng.i64(1..60);
        let (request, change) = match rng.u8(0..4) {
            0 => (scenario::award("ada", &order, &points.to_string(), &json!({})), points),
            1 => (scenario::adjustment("ada", &order, points), points),
            2 => (scenario::adjustment("ada", &order, -points), -points),
            _ => (scenario::hold_points("ada", &order, points, "100", &json!({})), 0),
        };
        let answer = world.send(&request).await;
        let is_refused = ["insufficient_points", "too_many_holds"].contains(&answer.code());
        assert!(answer.status.is_success() || is_refused, "seed {seed}: {}", answer.body);
        let by_older = rng.i64(-50..50);
        older_version_adjusts(&world, by_older).await;
        balance += change + by_older;
        let [points, ..] = figures(&world, NOON).await;
        assert_eq!(points, balance, "seed {seed}, step {number}");
    }
}

#[tokio::test]
async fn an_org_without_dates_and_holds_stores_nothing_that_an_older_version_does_not_know() {
    let world = world_with_ada(json!({})).await;
    succeeds(&world, scenario::award("ada", "o1", "250", &json!({})), NOON).await;
    succeeds(&world, scenario::redeem_points("ada", "o2", 100, "20"), NOON).await;
    succeeds(&world, scenario::refund_request("ada", "o1", "r1", None), NOON).await;
    succeeds(&world, scenario::void_refund("ada", "o1", "r1"), NOON).await;
    hold(&world, "o3", 100, 5).await;
    succeeds(&world, scenario::release_points("ada", "o3"), NOON).await;
    let names: HashSet<String> =
        items(&world).await.into_values().flat_map(|item| names(&AttributeValue::M(item))).collect();
    assert!(names.contains("lifetimeValue"), "{names:?}");
    for new in NEW_ATTRIBUTES {
        assert!(!names.contains(new), "{new}");
    }
    assert_eq!(figures(&world, NOON).await, [150, 150, 0, 0]);
}

/// The names of all attributes within a value.
fn names(value: &AttributeValue) -> Vec<String> {
    match value {
        AttributeValue::M(map) => map.keys().cloned().chain(map.values().flat_map(names)).collect(),
        AttributeValue::L(list) => list.iter().flat_map(names).collect(),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn new_attributes_are_gone_with_their_reason() {
    let world = world_with_ada(json!({"pointsExpiry": {"months": 1}})).await;
    succeeds(&world, scenario::award("ada", "o1", "100", &json!({})), NOON).await;
    hold(&world, "o2", 100, 5).await;
    succeeds(&world, scenario::refund_request("ada", "o1", "r1", None), NOON).await;
    let stored = profile(&world).await;
    assert_eq!((whole(&stored["debt"]), whole(&stored["points"])), (100, 0), "{stored:?}");
    assert!(stored["holds"].as_l().unwrap().len() == 1 && stored["lots"].as_l().unwrap().is_empty());
    succeeds(&world, scenario::release_points("ada", "o2"), NOON).await;
    let stored = profile(&world).await;
    let left = NEW_ATTRIBUTES.into_iter().filter(|name| stored.contains_key(*name)).collect::<Vec<_>>();
    assert!(left.is_empty(), "{left:?}");
}

/// The elements of a list of Ada's profile that have lost their mark.
fn unmarked(profile: &Item, list: &str) -> Vec<AttributeValue> {
    let elements = profile[list].as_l().unwrap().iter();
    elements.filter(|element| !element.as_m().unwrap().contains_key(MARK)).cloned().collect()
}

#[tokio::test]
async fn attributes_of_a_newer_version_stay_with_lots_and_holds_whose_points_change() {
    let world = world_with_ada(json!({"pointsExpiry": {"months": 1}})).await;
    succeeds(&world, scenario::award("ada", "o1", "300", &json!({})), NOON).await;
    succeeds(&world, scenario::redeem_points("ada", "o5", 100, "20"), NOON).await;
    world.put_loyalty(ORG, &json!({"pointsExpiry": {"months": 2}, "pendingDays": 1})).await;
    succeeds(&world, scenario::award("ada", "o2", "200", &json!({})), NOON).await;
    world.put_loyalty(ORG, &json!({})).await;
    succeeds(&world, scenario::adjustment("ada", "a1", 50), NOON).await;
    hold(&world, "o3", 100, 5).await;
    hold(&world, "o4", 100, 6).await;
    for mut item in items(&world).await.into_values() {
        let keys = ["pk", "sk"].map(|name| (name.to_owned(), item[name].clone()));
        mark(&mut item);
        item.extend(keys);
        put(&world, item).await;
    }
    // Each of these changes the points of a lot, or of a hold.
    succeeds(&world, scenario::refund_request("ada", "o2", "r1", Some("20")), NOON).await;
    succeeds(&world, scenario::adjustment("ada", "a2", 5), NOON).await;
    hold(&world, "o4", 120, 7).await;
    let stored = profile(&world).await;
    for list in ["lots", "holds"] {
        assert!(!stored[list].as_l().unwrap().is_empty());
        assert_eq!(unmarked(&stored, list), [], "{list}: {stored:?}");
    }
    succeeds(&world, scenario::void_points("ada", "o5"), NOON).await;
    for item in items(&world).await.into_values().filter(|item| ["POINTS", "AWARD"].contains(&part(item, "sk"))) {
        assert!(item.contains_key(MARK), "{} {}", part(&item, "pk"), part(&item, "sk"));
    }
}
