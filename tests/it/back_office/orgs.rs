//! Orgs and their settings: created, replaced, listed, deleted.

use std::collections::BTreeSet;

use harness::{Request, World, world::ORG};
use serde_json::{Value, json};

use super::support::{delete, ids, put, walk};

#[tokio::test]
async fn an_org_is_created_with_defaults_then_replaced() {
    let world = World::new().await;
    let created = world.put_org("new", &json!({"name": "New"})).await;
    let defaults = json!({
        "orgId": "new", "name": "New", "timezone": "America/New_York", "currency": "USD", "country": "US",
        "disposable": false,
    });
    assert_eq!((created.status.as_u16(), &created.body), (201, &defaults));
    let berlin = json!({"name": "Neu", "timezone": "Europe/Berlin", "currency": "EUR"});
    assert_eq!(world.put_org("new", &berlin).await.status, 200);
    let read = world.get("/orgs/new").await.body;
    assert_eq!(
        (&read["name"], &read["timezone"], &read["currency"]),
        (&json!("Neu"), &json!("Europe/Berlin"), &json!("EUR"))
    );
    let only_create = put("/orgs/new", &json!({"name": "Again"})).header("if-none-match", "*");
    let refused = world.send(&only_create).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (412, "already_exists"));
    assert_eq!(world.get("/orgs/nowhere").await.code(), "unknown_org");
}

#[tokio::test]
async fn replacing_an_org_keeps_its_loyalty_settings() {
    let world = World::new().await;
    world.put_org(ORG, &json!({"name": "Renamed"})).await;
    assert_eq!(world.get("/orgs/shop/loyalty").await.status, 200);
    assert_eq!(world.get("/orgs/shop").await.body["loyalty"]["pointsPerDollar"], 1);
}

#[tokio::test]
async fn an_org_needs_an_existing_time_zone_and_currency() {
    let world = World::new().await;
    let wrong = json!({"name": " ", "timezone": "Mars/Olympus", "currency": "usd", "disposable": "no", "loyalty": {}});
    let mut fields = world.put_org("new", &wrong).await.fields().into_iter().map(str::to_owned).collect::<Vec<_>>();
    fields.sort_unstable();
    assert_eq!(fields, ["currency", "disposable", "loyalty", "name", "timezone"]);
}

#[tokio::test]
async fn loyalty_settings_have_the_defaults_of_the_programme() {
    let world = World::new().await;
    let expected = json!({
        "enabled": true, "pointsPerDollar": 1, "equityMultiplier": 1.2,
        "tiers": [
            {"name": "Bronze", "threshold": 0, "pointsMultiplier": 1},
            {"name": "Silver", "threshold": 200, "pointsMultiplier": 1},
            {"name": "Gold", "threshold": 500, "pointsMultiplier": 1},
            {"name": "Platinum", "threshold": 1000, "pointsMultiplier": 1},
        ],
        "redemptionTiers": [
            {"pointsCost": 100, "rewardValue": 5}, {"pointsCost": 250, "rewardValue": 15}, {"pointsCost": 500, "rewardValue": 35},
        ],
        "redemptionMode": "proportional", "inactivityDays": 180, "activeDays": 90,
        "pendingDays": 0, "enrolment": "explicit",
    });
    assert_eq!(world.get("/orgs/shop/loyalty").await.body, expected);
    world.put_org("new", &json!({"name": "New"})).await;
    assert_eq!(world.get("/orgs/new/loyalty").await.code(), "loyalty_not_set");
    assert_eq!(world.put_loyalty("new", &json!({})).await.status, 201);
    assert_eq!(world.put_loyalty("new", &json!({})).await.status, 200);
    assert_eq!(world.put_loyalty("nowhere", &json!({})).await.code(), "unknown_org");
}

#[tokio::test]
async fn loyalty_settings_are_replaced_as_a_whole_and_read_back_exactly() {
    let world = World::new().await;
    let settings = json!({
        "enabled": false, "pointsPerDollar": "0.3333", "equityMultiplier": 1.15, "redemptionMode": "exact",
        "tiers": [{"name": "Top", "threshold": "99.99", "pointsMultiplier": "2.5"}, {"name": "Base", "threshold": 0}],
        "redemptionTiers": [], "inactivityDays": 30, "activeDays": 7,
    });
    world.put_loyalty(ORG, &settings).await;
    let read = world.get("/orgs/shop/loyalty").await.body;
    assert_eq!(read["pointsPerDollar"], 0.3333);
    assert_eq!(
        read["tiers"],
        json!([
            {"name": "Base", "threshold": 0, "pointsMultiplier": 1}, {"name": "Top", "threshold": 99.99, "pointsMultiplier": 2.5},
        ])
    );
    assert_eq!(
        (&read["redemptionTiers"], &read["redemptionMode"], &read["enabled"]),
        (&json!([]), &json!("exact"), &json!(false))
    );
    world.put_loyalty(ORG, &json!({})).await;
    assert_eq!(world.get("/orgs/shop/loyalty").await.body["pointsPerDollar"], 1);
}

#[tokio::test]
async fn every_fault_of_loyalty_settings_is_reported_at_once() {
    let world = World::new().await;
    let wrong = json!({
        "enabled": 1, "pointsPerDollar": 1000.5, "equityMultiplier": "0.9", "redemptionMode": "any",
        "tiers": [{"name": "A", "threshold": 0, "pointsMultiplier": 101}, {"name": "B", "threshold": -1, "colour": "red"}],
        "redemptionTiers": [{"pointsCost": 0, "rewardValue": 5}, {"pointsCost": 1.5}],
        "inactivityDays": 0, "activeDays": 6, "tierRules": 3,
    });
    let answer = world.put_loyalty(ORG, &wrong).await;
    let fields: BTreeSet<&str> = answer.fields().into_iter().collect();
    let expected = [
        "activeDays",
        "enabled",
        "equityMultiplier",
        "inactivityDays",
        "pointsPerDollar",
        "redemptionMode",
        "redemptionTiers[0].pointsCost",
        "redemptionTiers[1].pointsCost",
        "redemptionTiers[1].rewardValue",
        "tierRules",
        "tiers[0].pointsMultiplier",
        "tiers[1].colour",
        "tiers[1].threshold",
    ];
    assert_eq!(fields, BTreeSet::from(expected), "{}", answer.body);
}

#[tokio::test]
async fn a_list_of_tiers_starts_at_zero_and_has_no_duplicates() {
    let world = World::new().await;
    let tier = |name: &str, threshold: i64| json!({"name": name, "threshold": threshold});
    let twenty_one: Vec<Value> = (0..21).map(|number| tier(&format!("T{number}"), number)).collect();
    for tiers in [
        json!([]),
        json!([tier("A", 1)]),
        json!([tier("A", 0), tier("B", 0)]),
        json!([tier("A", 0), tier("A", 5)]),
        json!(twenty_one),
        json!({}),
    ] {
        assert_eq!(world.put_loyalty(ORG, &json!({ "tiers": tiers })).await.fields(), ["tiers"], "{tiers}");
    }
    for settings in [json!({"pointsPerDollar": "1.00001"}), json!({"pointsPerDollar": -1})] {
        assert_eq!(world.put_loyalty(ORG, &settings).await.fields(), ["pointsPerDollar"], "{settings}");
    }
    assert_eq!(world.put_loyalty(ORG, &json!({"tiers": twenty_one[..20]})).await.status, 200);
}

#[tokio::test]
async fn orgs_are_listed_by_id() {
    let world = World::new().await;
    for org in ["zoo", "bar", "ant"] {
        world.put_org(org, &json!({"name": "An org"})).await;
    }
    let (rows, _) = walk(&world, "/orgs?limit=3", "orgs").await;
    assert_eq!(ids(&rows, "orgId"), ["ant", "bar", "shop", "zoo"]);
}

#[tokio::test]
async fn only_a_disposable_org_can_be_deleted_and_no_items_remain() {
    let world = World::new().await;
    let kept = world.send(&delete("/orgs/shop")).await;
    assert_eq!((kept.status.as_u16(), kept.code()), (409, "org_not_disposable"));
    let fixed = world.put_org(ORG, &json!({"name": "Shop", "disposable": true})).await;
    assert_eq!((fixed.status.as_u16(), fixed.code()), (409, "disposable_is_fixed"));

    world.put_org("temp", &json!({"name": "Temp", "disposable": true})).await;
    world.put_org("temp", &json!({"name": "Renamed"})).await;
    world.put_loyalty("temp", &json!({})).await;
    for number in 0..45 {
        let customer = format!("c{number}");
        world.put_customer("temp", &customer, &json!({})).await;
        let order =
            json!({"orgId": "temp", "customerId": customer, "orderId": format!("o{number}"), "orderTotal": 300});
        assert_eq!(world.send(&Request::new("POST", "points-award", "/awards").json(&order)).await.status, 201);
    }
    for number in 0..40 {
        let body = json!({"adjustmentId": format!("a{number}"), "points": 1, "reason": "goodwill"});
        let path = "/orgs/temp/customers/c1/adjustments";
        assert_eq!(world.send(&Request::new("POST", "back-office", path).json(&body)).await.status, 201);
    }
    // The id of this org begins with the id of the deleted org.
    world.put_org("temp2", &json!({"name": "Temp 2", "disposable": true})).await;
    world.put_customer("temp2", "ada", &json!({})).await;

    let mut deleted = 0;
    loop {
        let answer = world.send(&delete("/orgs/temp")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        deleted += answer.body["deleted"].as_i64().unwrap();
        assert!(answer.body["deleted"] != 0, "a deletion goes on");
        if answer.body["complete"] == true {
            break;
        }
    }
    // The org, 45 customers with profile, two entries and two records, and 40 adjustments with entry and record.
    assert_eq!(deleted, 1 + 45 * 5 + 40 * 2);
    assert_eq!(world.send(&delete("/orgs/temp")).await.code(), "unknown_org");
    let left = world.client.scan().table_name(&world.table).send().await.unwrap();
    let keys: BTreeSet<String> = left.items().iter().map(|item| item["pk"].as_s().unwrap().clone()).collect();
    assert_eq!(keys.into_iter().collect::<Vec<_>>(), ["CUSTOMER#temp2#ada", "ORG#shop", "ORG#temp2"]);
}

#[tokio::test]
async fn an_org_is_unavailable_once_its_deletion_has_begun() {
    // With this time a deletion marks the org, deletes one page, and must be called again.
    let world = World::with_timeout(Some(std::time::Duration::from_secs(3))).await;
    world.put_org("temp", &json!({"name": "Temp", "disposable": true})).await;
    world.put_loyalty("temp", &json!({})).await;
    for number in 0..25 {
        world.put_customer("temp", &format!("c{number}"), &json!({})).await;
    }
    let first = world.send(&delete("/orgs/temp")).await;
    assert_eq!((first.status.as_u16(), &first.body["complete"]), (200, &json!(false)), "{}", first.body);
    assert_eq!(world.get("/orgs/temp").await.code(), "unknown_org");
    assert_eq!(world.get("/orgs/temp/customers/c1").await.code(), "unknown_org");
    assert_eq!(world.get("/orgs").await.body["orgs"].as_array().unwrap().len(), 1);
    let again = world.put_org("temp", &json!({"name": "Temp"})).await;
    assert_eq!((again.status.as_u16(), again.code()), (409, "org_being_deleted"));
    let mut calls = 1;
    while world.send(&delete("/orgs/temp")).await.body["complete"] != true {
        calls += 1;
        assert!(calls < 10, "a deletion comes to an end");
    }
    assert_eq!(world.put_org("temp", &json!({"name": "Temp"})).await.status, 201);
}

#[tokio::test]
async fn a_change_by_another_process_is_visible_within_a_minute() {
    use shared::{domain::ids::OrgId, store::Store};
    use std::time::Duration;
    let world = World::new().await;
    let shop = OrgId::try_from(ORG.to_owned()).unwrap();
    let process = Store::new(world.client.clone(), &world.table);
    let begun = shared::clock::monotonic();
    let name = async |after: u64| {
        let org = process.org(&shop, begun + Duration::from_secs(after)).await.unwrap().unwrap();
        org.profile.name.as_str().to_owned()
    };
    assert_eq!(name(0).await, "Shop");
    world.put_org(ORG, &json!({"name": "Renamed"})).await;
    assert_eq!(name(59).await, "Shop");
    assert_eq!(name(60).await, "Renamed");
}
