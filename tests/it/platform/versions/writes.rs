//! Attributes of a newer version survive every write of this one.

use aws_sdk_dynamodb::types::AttributeValue;
use harness::{Request, World, amendments, audit, bundles, root, scenario, world::ORG};
use serde_json::json;

use super::support::{
    Item, LATER, MARK, ZONES, back_office, bundle_terms, is_of, items, make_and_delete_a_bundle, make_one_of_each,
    mark, org, put, stop_a_report, succeeds, text,
};

/// Every kind of item that is written again after it was created, as `pk sk` of the table in `store/keys.rs`.
const REWRITTEN: [&str; 20] = [
    "ORG#o ORG",
    "CUSTOMER#o#c PROFILE",
    "CUSTOMER#o#c NAME",
    "CONTACT#o#kind#digest CONTACT",
    "ORDER#o#order ORDER",
    "ORDER#o#order AWARD",
    "ORDER#o#order POINTS",
    "ORG#o BUNDLE#b",
    "ORG#o REZONE",
    "BUNDLE#o#b CUSTOMER#c",
    "ORG#o CHURN",
    "ORG#o DAY#date",
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
const WRITTEN_ONCE: [&str; 6] = [
    "CUSTOMER#o#c ENTRY#version.nth#kind#ref",
    "CUSTOMER#o#c ONCE#adjustment#id",
    "CUSTOMER#o#c EXPIRING#instant#days",
    "ORG#o KEY#id",
    "ORG#o KEYSCOPED#id",
    "BUNDLE#o#b TRANSITION#at#version.nth#from-to",
];

/// The kinds of items that the table in `store/keys.rs` lists.
fn listed_kinds() -> Vec<String> {
    let source = std::fs::read_to_string(root().join("shared/src/store/keys.rs")).unwrap();
    let rows = source.lines().filter_map(|line| line.strip_prefix("//! | ")).skip(1);
    let cells =
        |row: &str| row.split(" | ").map(|cell| cell.trim_matches(['`', ' ', '|']).to_owned()).collect::<Vec<_>>();
    rows.map(cells).map(|cells| format!("{} {}", cells[1], cells[2])).collect()
}

/// The paths of the maps that have lost their mark. New maps have no mark.
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

/// The paths of the maps without a mark.
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

/// Writes an item of every kind a second time.
async fn write_each_again(world: &World) {
    let after = "2026-06-01T14:00:00Z";
    make_and_delete_a_bundle(world, after).await;
    // The change of the org's zone is not due yet.
    succeeds(world, bundles::job(&json!({})), "2026-06-01T13:06:00Z").await;
    succeeds(
        world,
        back_office("PUT", "/customers/ada")
            .json(&json!({"firstName": "Ada", "email": "a@b.example", "phone": "212 555 0134"})),
        after,
    )
    .await;
    succeeds(world, scenario::award("ada", "o4", "400", &json!({})), after).await;
    succeeds(world, scenario::refund_request("ada", "o1", "r2", Some("20")), after).await;
    succeeds(world, scenario::void_refund("ada", "o1", "r1"), after).await;
    succeeds(world, amendments::amend("ada", "o1", "450", after), after).await;
    succeeds(world, amendments::cancel("ada", "o5", after), after).await;
    succeeds(world, scenario::void_points("ada", "o2"), after).await;
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
    // An entry that came after its day was closed.
    succeeds(world, scenario::adjustment("ada", "a2", 5), "2026-05-31T23:00:00Z").await;
    succeeds(world, scenario::expiry(&json!({})), "2026-06-02T05:00:00Z").await;
    // A second prediction on the same day, and a full run a week later.
    succeeds(world, scenario::prediction(&json!({"orgId": ORG, "customerId": "ada"})), after).await;
    succeeds(world, scenario::prediction(&json!({})), "2026-06-08T12:00:00Z").await;
    stop_a_report(world, "2026-06-08T12:00:00Z").await;
    succeeds(world, scenario::recalculation(&json!({})), "2027-01-01T00:00:00Z").await;
    // Cleo shares the number of Ada.
    succeeds(world, back_office("PUT", "/customers/cleo").json(&json!({"phone": "212 555 0134"})), after).await;
    succeeds(world, back_office("DELETE", "/customers/bob"), after).await;
}

#[tokio::test]
async fn attributes_of_a_newer_version_survive_every_write() {
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
async fn unknown_attributes_of_an_item_do_not_change_any_answer() {
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
        back_office("GET", "/liability"),
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
