//! Orgs, settings, customers and their ledgers, as people and programs see them.

use std::collections::BTreeSet;

use harness::{Request, World, scenario::award, world, world::ORG};
use serde_json::{Value, json};

fn put(path: &str, body: &Value) -> Request {
    Request::new("PUT", "back-office", path).json(body)
}

fn delete(path: &str) -> Request {
    Request::new("DELETE", "back-office", path)
}

#[tokio::test]
async fn an_org_is_created_with_defaults_then_replaced() {
    let world = World::new().await;
    let created = world.put_org("new", &json!({"name": "New"})).await;
    let defaults = json!({
        "orgId": "new", "name": "New", "timezone": "America/New_York", "currency": "USD", "disposable": false,
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
async fn an_org_names_a_zone_and_a_currency_that_exist() {
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
    });
    assert_eq!(world.get("/orgs/shop/loyalty").await.body, expected);
    world.put_org("new", &json!({"name": "New"})).await;
    assert_eq!(world.get("/orgs/new/loyalty").await.code(), "loyalty_not_set");
    assert_eq!(world.put_loyalty("new", &json!({})).await.status, 201);
    assert_eq!(world.put_loyalty("new", &json!({})).await.status, 200);
    assert_eq!(world.put_loyalty("nowhere", &json!({})).await.code(), "unknown_org");
}

#[tokio::test]
async fn loyalty_settings_are_replaced_whole_and_read_back_exactly() {
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
async fn every_fault_of_loyalty_settings_is_named_at_once() {
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
async fn a_ladder_of_tiers_starts_at_nothing_and_repeats_nothing() {
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
async fn putting_a_customer_replaces_what_people_set_and_leaves_what_the_system_keeps() {
    world()
        .await
        .customer_with("ada", json!({"firstName": "Ada", "email": "ada@example.org", "equityStatus": true}))
        .expect_status(201)
        .expect(json!({"customerId": "ada", "points": 0, "orderCount": 0, "tier": "Bronze", "segment": "new", "tierProgress": 0}))
        .award("ada", "o1", "100")
        .customer_with("ada", json!({"firstName": "Augusta", "email": null}))
        .expect_status(200)
        .expect(json!({"firstName": "Augusta", "points": 120, "lifetimeValue": 100}))
        .expect_no("email")
        .expect_no("equityStatus")
        .send(put("/orgs/shop/customers/ada", &json!({"firstName": "X"})).header("if-none-match", "*"))
        .refused(412, "already_exists")
        .send(put("/orgs/shop/customers/ada", &json!({"points": 5, "tier": "Gold"})))
        .refused(422, "invalid_fields")
        .send(put("/orgs/nowhere/customers/ada", &json!({})))
        .refused(404, "unknown_org")
        .await;
}

#[tokio::test]
async fn erasing_a_customer_keeps_the_ledger() {
    world()
        .await
        .customer_with(
            "ada",
            json!({"firstName": "Ada", "lastName": "L", "email": "a@b.example", "phone": "112", "equityStatus": true}),
        )
        .award("ada", "o1", "10")
        .send(delete("/orgs/shop/customers/ada"))
        .expect_status(200)
        .expect_no("firstName")
        .expect_no("lastName")
        .expect_no("email")
        .expect_no("phone")
        .expect_no("equityStatus")
        .expect_customer("ada", json!({"points": 12, "orderCount": 1}))
        .expect_entries("ada", ["points_earned o1 +12 =12"])
        .send(delete("/orgs/shop/customers/ada"))
        .expect_status(200)
        .send(delete("/orgs/shop/customers/nobody"))
        .refused(404, "unknown_customer")
        .await;
}

#[tokio::test]
async fn points_are_adjusted_by_hand_either_way() {
    let adjust = |body: Value| Request::new("POST", "back-office", "/orgs/shop/customers/ada/adjustments").json(&body);
    world()
        .await
        .customer("ada")
        .adjust("ada", "a1", 30)
        .expect_status(201)
        .expect(json!({"points": 30, "balance": 30}))
        .adjust("ada", "a2", -50)
        .expect(json!({"points": -50, "balance": -20}))
        .adjust("nobody", "a1", 1)
        .refused(404, "unknown_customer")
        .adjust("ada", "a3", 0)
        .refused(422, "invalid_fields")
        .send(adjust(json!({"adjustmentId": "a3", "points": 1.5, "reason": "r"})))
        .refused(422, "invalid_fields")
        .send(adjust(json!({"adjustmentId": "a3", "points": 5})))
        .refused(422, "invalid_fields")
        .expect_entries("ada", ["points_adjusted a1 +30 =30", "points_adjusted a2 -50 =-20"])
        .await;
}

async fn walk(world: &World, path: &str, name: &str) -> (Vec<Value>, usize) {
    let (mut rows, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let page = world.get(&format!("{path}{cursor}")).await;
        assert_eq!(page.status, 200, "{}", page.body);
        rows.extend(page.body[name].as_array().unwrap().clone());
        pages += 1;
        match page.body["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (rows, pages),
        }
    }
}

fn ids(rows: &[Value], name: &str) -> Vec<String> {
    rows.iter().map(|row| row[name].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn customers_are_listed_by_last_order_newest_first_page_by_page() {
    let world = World::new().await;
    world.put_customer(ORG, "none", &json!({})).await;
    for day in 1..=5 {
        world.put_customer(ORG, &format!("c{day}"), &json!({})).await;
        let at = json!({"fulfilledAt": format!("2026-05-0{day}T00:00:00Z")});
        world.send(&award(&format!("c{day}"), &format!("o{day}"), "10", &at)).await;
    }
    let (rows, pages) = walk(&world, "/orgs/shop/customers?limit=2", "customers").await;
    assert_eq!(ids(&rows, "customerId"), ["c5", "c4", "c3", "c2", "c1", "none"]);
    assert!(pages >= 3);
    let (all, _) = walk(&world, "/orgs/shop/customers?limit=100", "customers").await;
    assert_eq!(all, rows);
}

#[tokio::test]
async fn customers_are_filtered_by_tier_and_segment() {
    let world = World::new().await;
    for number in 0..12 {
        let name = format!("c{number:02}");
        world.put_customer(ORG, &name, &json!({})).await;
        let total = if number % 4 == 0 { "600" } else { "10" };
        let month = if number < 6 { "2026-01" } else { "2026-05" };
        let at = json!({"fulfilledAt": format!("{month}-10T00:00:{number:02}Z")});
        world.send(&award(&name, &format!("o{number}"), total, &at)).await;
    }
    let (gold, _) = walk(&world, "/orgs/shop/customers?tier=Gold&limit=1", "customers").await;
    assert_eq!(ids(&gold, "customerId"), ["c08", "c04", "c00"]);
    let (churned, _) = walk(&world, "/orgs/shop/customers?segment=churned&limit=4", "customers").await;
    assert_eq!(ids(&churned, "customerId"), ["c05", "c04", "c03", "c02", "c01", "c00"]);
    let (both, _) = walk(&world, "/orgs/shop/customers?segment=churned&tier=Gold&limit=5", "customers").await;
    assert_eq!(ids(&both, "customerId"), ["c04", "c00"]);
    let (none, _) = walk(&world, "/orgs/shop/customers?tier=Diamond&limit=5", "customers").await;
    assert!(none.is_empty());
}

#[tokio::test]
async fn activity_is_listed_newest_first_and_in_the_order_of_commits_within_an_instant() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    for number in [9, 3, 7, 1] {
        world.send(&award("ada", &format!("o{number}"), "10", &json!({}))).await;
    }
    let (rows, _) = walk(&world, "/orgs/shop/customers/ada/activity?limit=1", "entries").await;
    assert_eq!(ids(&rows, "orderId"), ["o1", "o7", "o3", "o9"]);
    assert_eq!(
        rows[0],
        json!({
            "kind": "points_earned", "at": "2026-06-01T12:00:00.000Z", "points": 10, "balance": 40, "orderId": "o1", "orderTotal": 10,
        })
    );
    assert_eq!(world.get("/orgs/shop/customers/nobody/activity").await.code(), "unknown_customer");
    assert_eq!(world.get("/orgs/nowhere/customers/ada/activity").await.code(), "unknown_org");
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
async fn only_a_disposable_org_is_deleted_and_nothing_is_left_of_it() {
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
    // An org whose name begins like it is another org.
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
    // The org; 45 customers with an order each: profile, two entries, two records; 40 adjustments: entry and record.
    assert_eq!(deleted, 1 + 45 * 5 + 40 * 2);
    assert_eq!(world.send(&delete("/orgs/temp")).await.code(), "unknown_org");
    let left = world.client.scan().table_name(&world.table).send().await.unwrap();
    let keys: BTreeSet<String> = left.items().iter().map(|item| item["pk"].as_s().unwrap().clone()).collect();
    assert_eq!(keys.into_iter().collect::<Vec<_>>(), ["CUSTOMER#temp2#ada", "ORG#shop", "ORG#temp2"]);
}

#[tokio::test]
async fn an_org_whose_deletion_has_begun_is_gone_for_everybody() {
    // So little time that a deletion marks the org, clears one page, and has to be called again.
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
async fn a_change_by_another_process_shows_within_a_minute() {
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
