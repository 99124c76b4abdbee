//! Versions side by side: what a newer version wrote is read, kept through every write of this one, and listed.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use harness::{Request, World, audit, bundles, instant, root, scenario, world::ORG};
use serde_json::{Value, json};

type Item = HashMap<String, AttributeValue>;

/// What the next version adds to every map.
const MARK: &str = "nextVersion";

/// By which zone rules bundles are judged.
const ZONES: &str = "SWEEP#transition ZONES";

/// Every kind of item that is written again after it was created, as `pk sk` of the table in `store/keys.rs`.
const REWRITTEN: [&str; 17] = [
    "ORG#o ORG",
    "CUSTOMER#o#c PROFILE",
    "ORDER#o#order ORDER",
    "ORDER#o#order AWARD",
    "ORDER#o#order POINTS",
    "ORG#o BUNDLE#b",
    "ORG#o REZONE",
    "BUNDLE#o#b CUSTOMER#c",
    "ORG#o CHURN",
    "CUSTOMER#o#c PREDICTION#date",
    "CUSTOMER#o#c RISK",
    "SWEEP#operation POSITION",
    "SWEEP#operation ENDED",
    ZONES,
    "ORG#o DELETED#b",
    "ORDER#o#order BUNDLE#b",
    "ORDER#o#order REFUND#id",
];

/// Every kind of item that is written once.
const WRITTEN_ONCE: [&str; 4] = [
    "CUSTOMER#o#c ENTRY#version.nth#kind#ref",
    "CUSTOMER#o#c ONCE#adjustment#id",
    "ORG#o KEY#id",
    "BUNDLE#o#b TRANSITION#at#version.nth#from-to",
];

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn part<'a>(item: &'a Item, name: &str) -> &'a str {
    item[name].as_s().unwrap()
}

/// The kinds of items that the table in `store/keys.rs` lists.
fn listed_kinds() -> Vec<String> {
    let source = std::fs::read_to_string(root().join("shared/src/store/keys.rs")).unwrap();
    let rows = source.lines().filter_map(|line| line.strip_prefix("//! | ")).skip(1);
    let cells =
        |row: &str| row.split(" | ").map(|cell| cell.trim_matches(['`', ' ', '|']).to_owned()).collect::<Vec<_>>();
    rows.map(cells).map(|cells| format!("{} {}", cells[1], cells[2])).collect()
}

/// Whether an item is of a kind: words in capitals stand for themselves, others for anything.
fn is_of(item: &Item, kind: &str) -> bool {
    let fits = |key: &str, pattern: &str| {
        let (key, pattern): (Vec<_>, Vec<_>) = (key.split('#').collect(), pattern.split('#').collect());
        let same = |(part, word): (&&str, &&str)| part == word || word.chars().any(char::is_lowercase);
        key.len() == pattern.len() && key.iter().zip(&pattern).all(same)
    };
    let (pk, sk) = kind.split_once(' ').unwrap();
    fits(part(item, "pk"), pk) && fits(part(item, "sk"), sk)
}

async fn items(world: &World) -> BTreeMap<(String, String), Item> {
    let found = world.client.scan().table_name(&world.table).into_paginator().items().send();
    let found: Vec<Item> = found.collect::<Result<_, _>>().await.unwrap();
    found.into_iter().map(|item| ((part(&item, "pk").to_owned(), part(&item, "sk").to_owned()), item)).collect()
}

async fn put(world: &World, item: Item) {
    world.client.put_item().table_name(&world.table).set_item(Some(item)).send().await.unwrap();
}

/// Marks a map and every map within it.
fn mark(map: &mut Item) {
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

/// Where a map, or a map within it, has lost the mark that it had before. What is new has none.
fn lost(before: &AttributeValue, now: &AttributeValue, path: &str) -> Vec<String> {
    match (before, now) {
        (AttributeValue::M(before), AttributeValue::M(now)) => {
            let own = (!now.contains_key(MARK)).then(|| path.to_owned()).into_iter();
            let both = before.iter().filter_map(|(name, before)| Some((name, before, now.get(name)?)));
            own.chain(both.flat_map(|(name, before, now)| lost(before, now, &format!("{path}.{name}")))).collect()
        }
        (AttributeValue::L(before), AttributeValue::L(now)) => {
            let both = before.iter().zip(now).enumerate();
            both.flat_map(|(at, (before, now))| lost(before, now, &format!("{path}[{at}]"))).collect()
        }
        _ => Vec::new(),
    }
}

/// Where a map, or a map within it, has no mark.
fn unmarked(map: &Item, path: &str) -> Vec<String> {
    let own = (!map.contains_key(MARK)).then(|| path.to_owned());
    own.into_iter().chain(map.iter().flat_map(|(name, value)| within(value, &format!("{path}.{name}")))).collect()
}

fn within(value: &AttributeValue, path: &str) -> Vec<String> {
    match value {
        AttributeValue::M(map) => unmarked(map, path),
        AttributeValue::L(list) => {
            list.iter().enumerate().flat_map(|(at, value)| within(value, &format!("{path}[{at}]"))).collect()
        }
        _ => Vec::new(),
    }
}

async fn succeeds(world: &World, request: Request, at: &str) -> Value {
    let answer = world.send_at(&request, instant(at)).await;
    assert!(answer.status.is_success(), "{} {}: {}", request.method, request.path, answer.body);
    answer.body
}

fn back_office(method: &'static str, path: &str) -> Request {
    Request::new(method, "back-office", format!("/orgs/{ORG}{path}"))
}

const NOON: &str = "2026-06-01T12:00:00Z";
const LATER: &str = "2026-06-01T13:05:00Z";

fn bundle_terms() -> Value {
    json!({"startDate": "2026-06-01T13:00:00Z", "maxRedemptions": 5, "perCustomerLimit": 4, "description": "Soap"})
}

fn org(name: &str, zone: &str) -> Request {
    back_office("PUT", "").json(&json!({"name": name, "timezone": zone}))
}

/// Makes one item of every kind.
async fn make_one_of_each(world: &World) {
    for customer in ["ada", "bob"] {
        succeeds(world, back_office("PUT", &format!("/customers/{customer}")).json(&json!({"firstName": "A"})), NOON)
            .await;
    }
    succeeds(world, back_office("PUT", "/loyalty").json(&json!({"inactivityDays": 100})), NOON).await;
    succeeds(world, back_office("POST", "/keys").json(&json!({"name": "till"})), NOON).await;
    succeeds(world, scenario::adjustment("ada", "a1", 500), NOON).await;
    succeeds(world, scenario::award("ada", "o1", "250", &json!({})), NOON).await;
    succeeds(world, scenario::refund_request("ada", "o1", "r1", Some("10")), NOON).await;
    succeeds(world, scenario::spend("ada", "o2", 100, "49.99"), NOON).await;
    succeeds(world, bundles::put("b", &bundle_terms()), NOON).await;
    succeeds(world, bundles::job(&json!({})), LATER).await;
    succeeds(world, bundles::redeem("b", "ada", "o3", &json!({})), LATER).await;
    succeeds(world, org("Shop", "Asia/Kolkata"), LATER).await;
    succeeds(world, scenario::prediction(&json!({})), LATER).await;
    succeeds(world, scenario::recalculation(&json!({})), LATER).await;
    succeeds(world, Request::new("PUT", "back-office", "/orgs/another").json(&json!({"name": "Another"})), LATER).await;
    stop_a_report(world, LATER).await;
    make_and_delete_a_bundle(world, LATER).await;
}

async fn make_and_delete_a_bundle(world: &World, at: &str) {
    succeeds(world, bundles::put("gone", &bundle_terms()), at).await;
    succeeds(world, back_office("DELETE", "/bundles/gone"), at).await;
}

/// A report over two orgs that has no time for the second keeps where it goes on.
async fn stop_a_report(world: &World, at: &str) {
    let report = Request::new("POST", "weekly-report", "/").json(&json!({}));
    let stopped = world.send_within(&report, instant(at), std::time::Duration::from_secs(5)).await.body;
    assert!(stopped["cursor"].is_string(), "{stopped}");
}

/// Does everything that writes an item of each kind again.
async fn write_each_again(world: &World) {
    let after = "2026-06-01T14:00:00Z";
    make_and_delete_a_bundle(world, after).await;
    // Before the change of the org's zone is due.
    succeeds(world, bundles::job(&json!({})), "2026-06-01T13:06:00Z").await;
    succeeds(
        world,
        back_office("PUT", "/customers/ada").json(&json!({"firstName": "Ada", "email": "a@b.example"})),
        after,
    )
    .await;
    succeeds(world, scenario::award("ada", "o4", "400", &json!({})), after).await;
    succeeds(world, scenario::refund_request("ada", "o1", "r2", Some("20")), after).await;
    succeeds(world, scenario::void_refund("ada", "o1", "r1"), after).await;
    succeeds(world, scenario::unspend("ada", "o2"), after).await;
    for order in ["o1", "o4"] {
        succeeds(world, bundles::redeem("b", "ada", order, &json!({})), after).await;
    }
    let cancelled = json!({"orgId": ORG, "orderId": "o3", "customerId": "ada"});
    world.invoke("bundle-redemption", scenario::event("OrderCancelled", cancelled)).await.unwrap();
    let mut terms = bundle_terms();
    terms["bundlePrice"] = "15".into();
    succeeds(world, bundles::put("b", &terms), after).await;
    succeeds(world, bundles::move_to("b", "paused"), after).await;
    succeeds(world, org("Shop & Sons", "Asia/Kolkata"), after).await;
    succeeds(world, org("Shop & Sons", "Europe/Berlin"), after).await;
    let tiers = json!([
        {"name": "Bronze", "threshold": 0}, {"name": "Silver", "threshold": 150}, {"name": "Gold", "threshold": 500},
        {"name": "Platinum", "threshold": 1000},
    ]);
    succeeds(world, back_office("PUT", "/loyalty").json(&json!({"tiers": tiers})), after).await;
    // The same day again, and then a whole run a week later.
    succeeds(world, scenario::prediction(&json!({"orgId": ORG, "customerId": "ada"})), after).await;
    succeeds(world, scenario::prediction(&json!({})), "2026-06-08T12:00:00Z").await;
    stop_a_report(world, "2026-06-08T12:00:00Z").await;
    succeeds(world, scenario::recalculation(&json!({})), "2027-01-01T00:00:00Z").await;
    succeeds(world, back_office("DELETE", "/customers/bob"), after).await;
}

#[tokio::test]
async fn what_a_newer_version_wrote_survives_every_write() {
    let world = World::new().await;
    make_one_of_each(&world).await;
    let before = items(&world).await;
    for mut item in before.clone().into_values() {
        let keys = ["pk", "sk"].map(|name| (name.to_owned(), item[name].clone()));
        mark(&mut item);
        item.extend(keys);
        if is_of(&item, ZONES) {
            item.insert("marked".to_owned(), text("2000a"));
        }
        put(&world, item).await;
    }
    let marked = items(&world).await;
    assert!(marked.values().all(|item| unmarked(item, "").is_empty()));
    write_each_again(&world).await;

    let after = items(&world).await;
    for (key, item) in &marked {
        let now = after.get(key).unwrap_or_else(|| panic!("{key:?} is gone"));
        let lost = lost(&AttributeValue::M(item.clone()), &AttributeValue::M(now.clone()), "");
        assert!(lost.is_empty(), "{key:?} has lost what the next version wrote at {lost:?}: {now:?}");
        assert_eq!(item[MARK], now[MARK]);
    }
    let kinds = || REWRITTEN.into_iter().chain(WRITTEN_ONCE);
    for kind in kinds() {
        let of_kind: Vec<_> = marked.iter().filter(|(_, item)| is_of(item, kind)).collect();
        assert!(!of_kind.is_empty(), "no item is {kind}");
        let is_rewritten = of_kind.iter().any(|(key, item)| after[*key] != **item);
        assert_eq!(is_rewritten, REWRITTEN.contains(&kind), "{kind}");
    }
    let mut named: Vec<&str> = kinds().collect();
    named.sort_unstable();
    let mut listed = listed_kinds();
    listed.sort();
    assert_eq!(listed, named, "every kind of item is tried here");
    audit::check(&world, ORG, "ada").await;
}

#[tokio::test]
async fn an_item_with_what_is_not_known_answers_like_one_without() {
    let world = World::new().await;
    make_one_of_each(&world).await;
    let reads = [
        back_office("GET", ""),
        back_office("GET", "/loyalty"),
        back_office("GET", "/keys"),
        back_office("GET", "/bundles"),
        back_office("GET", "/bundles/b"),
        back_office("GET", "/bundles/b/transitions"),
        back_office("GET", "/customers"),
        back_office("GET", "/customers/ada"),
        back_office("GET", "/customers/ada/activity"),
        Request::new("GET", "points-redemption", format!("/redemptions?orgId={ORG}&customerId=ada")),
        Request::new("GET", "bundle-redemption", format!("/redemptions?orgId={ORG}&bundleId=b")),
    ];
    let mut before = Vec::new();
    for request in &reads {
        before.push(succeeds(&world, request.clone(), LATER).await);
    }
    for mut item in items(&world).await.into_values() {
        mark(&mut item);
        put(&world, item).await;
    }
    for (request, before) in reads.iter().zip(before) {
        assert_eq!(succeeds(&world, request.clone(), LATER).await, before, "{}", request.path);
    }
}

/// Puts a copy of the only item of a kind beside it, with another sort key and what else is said.
async fn put_like(world: &World, kind: &str, sk: &str, more: Value) {
    let mut item = items(world).await.into_values().find(|item| is_of(item, kind)).expect(kind);
    item.insert("sk".to_owned(), text(sk));
    item.extend(item_of(more));
    put(world, item).await;
}

fn item_of(value: Value) -> Item {
    fn attribute(value: Value) -> AttributeValue {
        match value {
            Value::String(text) => AttributeValue::S(text),
            Value::Number(number) => AttributeValue::N(number.to_string()),
            Value::Bool(value) => AttributeValue::Bool(value),
            Value::Array(list) => AttributeValue::L(list.into_iter().map(attribute).collect()),
            Value::Object(map) => {
                AttributeValue::M(map.into_iter().map(|(name, value)| (name, attribute(value))).collect())
            }
            Value::Null => AttributeValue::Null(true),
        }
    }
    let Value::Object(map) = value else { panic!("an object") };
    map.into_iter().map(|(name, value)| (name, attribute(value))).collect()
}

#[tokio::test]
async fn an_entry_of_an_unknown_kind_is_listed_as_such_and_fails_nothing_else() {
    let world = World::new().await;
    make_one_of_each(&world).await;
    let kind = "CUSTOMER#o#c ENTRY#version.nth#kind#ref";
    put_like(&world, kind, "ENTRY#000000000099#points_blessed#x", json!({"what": {"points_blessed": {"by": "x"}}}))
        .await;
    put_like(&world, kind, "ENTRY#000000000098#broken#x", json!({"what": "spoiled", "writtenAt": LATER})).await;
    let listed = succeeds(&world, back_office("GET", "/customers/ada/activity?limit=3"), LATER).await;
    let entries = listed["entries"].as_array().unwrap();
    let unread = |kind: &str, at: &str, error: &str| json!({"kind": kind, "at": at, "error": error});
    assert_eq!(entries[0], unread("points_blessed", "2026-06-01T12:00:00.000Z", "unknown_kind"));
    assert_eq!(entries[1], unread("entry", LATER, "internal"));
    assert_eq!(entries[2]["kind"], "points_redeemed", "{listed}");
    let rest = format!("/customers/ada/activity?cursor={}", listed["cursor"].as_str().unwrap());
    let rest = succeeds(&world, back_office("GET", &rest), LATER).await;
    assert_eq!(rest["entries"][0]["kind"], "points_reversed", "{rest}");
    // The week's figures go by entries too.
    let report = Request::new("POST", "weekly-report", "/").json(&json!({"orgId": ORG}));
    succeeds(&world, report, "2026-06-08T12:00:00Z").await;
}

#[tokio::test]
async fn a_transition_of_an_unknown_kind_is_listed_as_such_and_fails_nothing_else() {
    let world = World::new().await;
    make_one_of_each(&world).await;
    let kind = "BUNDLE#o#b TRANSITION#at#version.nth#from-to";
    let sk = "TRANSITION#2026-06-01T13:30:00.000Z#0000000000000099.00#active-sleeping";
    let at = "2026-06-01T13:30:00.000Z";
    put_like(&world, kind, sk, json!({"to": "sleeping", "reason": "weather", "happenedAt": at})).await;
    let listed = succeeds(&world, back_office("GET", "/bundles/b/transitions"), LATER).await;
    assert_eq!(listed["transitions"][0], json!({"kind": "weather", "at": at, "error": "unknown_kind"}));
    assert_eq!(listed["transitions"][1]["to"], "active", "{listed}");
    succeeds(&world, bundles::job(&json!({})), "2026-06-01T14:00:00Z").await;
    let report = Request::new("POST", "weekly-report", "/").json(&json!({"orgId": ORG}));
    succeeds(&world, report, "2026-06-08T12:00:00Z").await;
}

#[tokio::test]
async fn a_redemption_of_an_unknown_kind_is_listed_as_such_and_fails_nothing_else() {
    let world = World::new().await;
    make_one_of_each(&world).await;
    let made = items(&world).await;
    for (kind, list) in [("ORDER#o#order BUNDLE#b", "bundle"), ("ORDER#o#order POINTS", "points")] {
        let mut item = made.values().find(|item| is_of(item, kind)).expect(kind).clone();
        item.insert("pk".into(), text(&format!("ORDER#{ORG}#of-{list}")));
        item.insert("at".into(), text("2026-06-01T13:30:00.000Z"));
        item.remove("redemption");
        item.extend(item_of(json!({"reservation": {"until": "later"}})));
        put(&world, item).await;
    }
    let bundle = Request::new("GET", "bundle-redemption", format!("/redemptions?orgId={ORG}&bundleId=b&limit=1"));
    let points = Request::new("GET", "points-redemption", format!("/redemptions?orgId={ORG}&customerId=ada&limit=1"));
    for request in [bundle, points] {
        let listed = succeeds(&world, request.clone(), LATER).await;
        let unread = json!({"kind": "reservation", "at": "2026-06-01T13:30:00.000Z", "error": "unknown_kind"});
        assert_eq!(listed["redemptions"], json!([unread]), "{}", request.path);
        let rest =
            Request { path: format!("{}&cursor={}", request.path, listed["cursor"].as_str().unwrap()), ..request };
        let rest = succeeds(&world, rest, LATER).await;
        assert!(rest["redemptions"][0]["orderId"].is_string(), "{rest}");
    }
    // A cancellation of the whole order passes the one by that is of another kind.
    let cancelled = json!({"orgId": ORG, "orderId": "of-bundle", "customerId": "ada"});
    world.invoke("bundle-redemption", scenario::event("OrderCancelled", cancelled)).await.unwrap();
}

#[tokio::test]
async fn a_prediction_by_an_unknown_source_fails_nothing_and_is_kept() {
    let world = World::new().await;
    make_one_of_each(&world).await;
    let oracle = |mut item: Item, within: Option<&str>| {
        let map = match within {
            Some(name) => match item.get_mut(name) {
                Some(AttributeValue::M(map)) => map,
                other => panic!("{name} is {other:?}"),
            },
            None => &mut item,
        };
        map.insert("source".to_owned(), text("oracle"));
        item
    };
    let made = items(&world).await;
    let profile = made[&(format!("CUSTOMER#{ORG}#ada"), "PROFILE".to_owned())].clone();
    put(&world, oracle(profile, Some("churn"))).await;
    for item in made.into_values().filter(|item| is_of(item, "CUSTOMER#o#c PREDICTION#date")) {
        put(&world, oracle(item, None)).await;
    }

    let ada = succeeds(&world, back_office("GET", "/customers/ada"), LATER).await;
    assert_eq!((&ada["churnSource"], &ada["points"]), (&Value::Null, &json!(640)), "{ada}");
    succeeds(&world, scenario::award("ada", "o5", "10", &json!({})), LATER).await;
    let kept = items(&world).await[&(format!("CUSTOMER#{ORG}#ada"), "PROFILE".to_owned())].clone();
    assert_eq!(kept["churn"].as_m().unwrap()["source"], text("oracle"));
    // Ninety days later it is looked back at, whoever made it.
    let run = succeeds(&world, scenario::prediction(&json!({})), "2026-08-31T14:00:00Z").await;
    assert_eq!((&run["success"], &run["results"][0]["hindsight"]["predictions"]), (&json!(true), &json!(1)), "{run}");
}

#[tokio::test]
async fn a_cursor_is_understood_whole_or_refused() {
    let world = World::new().await;
    make_one_of_each(&world).await;
    let first = world.get(&format!("/orgs/{ORG}/customers?limit=1")).await;
    let cursor = first.body["cursor"].as_str().unwrap();
    let mut said: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(cursor).unwrap()).unwrap();
    assert_eq!(said["v"], 1, "{said}");
    let status = async |said: &Value| {
        let cursor = BASE64_URL_SAFE_NO_PAD.encode(said.to_string());
        let answer = world.get(&format!("/orgs/{ORG}/customers?limit=1&cursor={cursor}")).await;
        (answer.status.as_u16(), answer.code().to_owned())
    };
    let before = json!([said["operation"], said["org"], said["of"], said["position"]]);
    assert_eq!(status(&before).await.0, 200, "as the release before gave it");
    said["shard"] = json!(3);
    assert_eq!(status(&said).await.0, 200, "what is not known is ignored");
    said["v"] = json!(2);
    assert_eq!(status(&said).await, (422, "invalid_cursor".to_owned()), "what must be understood is refused");
}
