//! Records and cursors of a kind that this version does not know.

use aws_sdk_dynamodb::types::AttributeValue;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use harness::{Request, World, bundles, scenario, world::ORG};
use serde_json::{Value, json};

use super::support::{Item, LATER, back_office, is_of, items, make_one_of_each, put, succeeds, text};

/// Writes a copy of the only item of a kind, with another sort key and other attributes.
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
async fn an_entry_of_an_unknown_kind_is_listed_as_unknown_and_causes_no_failure() {
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
    // The weekly report reads entries too.
    let report = Request::new("POST", "weekly-report", "/").json(&json!({"orgId": ORG}));
    succeeds(&world, report, "2026-06-08T12:00:00Z").await;
}

#[tokio::test]
async fn a_transition_of_an_unknown_kind_is_listed_as_unknown_and_causes_no_failure() {
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
async fn a_redemption_of_an_unknown_kind_is_listed_as_unknown_and_causes_no_failure() {
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
    // A cancellation of the whole order skips a redemption of an unknown kind.
    let cancelled = json!({"orgId": ORG, "orderId": "of-bundle", "customerId": "ada"});
    world.invoke("bundle-redemption", scenario::event("OrderCancelled", cancelled)).await.unwrap();
}

#[tokio::test]
async fn a_prediction_by_an_unknown_source_is_kept_and_causes_no_failure() {
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
    // Ninety days later the prediction is compared with the outcome, whatever its source.
    let run = succeeds(&world, scenario::prediction(&json!({})), "2026-08-31T14:00:00Z").await;
    assert_eq!((&run["success"], &run["results"][0]["hindsight"]["predictions"]), (&json!(true), &json!(1)), "{run}");
}

#[tokio::test]
async fn a_cursor_that_is_only_partly_understood_is_rejected() {
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
