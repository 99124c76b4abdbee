//! The requests to DynamoDB that each operation makes.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::Days;
use harness::{Request, World, amendments, bundles, instant, scenario, world::ORG};
use serde_json::json;

async fn requests(world: &World, request: &Request) -> Vec<String> {
    world.proxy.take_requests();
    let answer = world.send(request).await;
    assert!(answer.status.is_success(), "{}", answer.body);
    world.proxy.take_requests()
}

#[tokio::test]
async fn an_award_is_one_read_and_one_transaction() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    let award = scenario::award("ada", "o1", "250", &json!({}));
    assert_eq!(requests(&world, &award).await, ["BatchGetItem", "TransactWriteItems"]);
    assert_eq!(requests(&world, &award).await, ["BatchGetItem"], "a replay only reads");
}

#[tokio::test]
async fn a_refund_is_one_read_and_one_transaction() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&scenario::award("ada", "o1", "250", &json!({}))).await;
    let refund = scenario::refund_request("ada", "o1", "r1", None);
    assert_eq!(requests(&world, &refund).await, ["BatchGetItem", "TransactWriteItems"]);
}

#[tokio::test]
async fn an_amendment_is_one_read_and_one_transaction() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&scenario::award("ada", "o1", "250", &json!({}))).await;
    let later = amendments::award_state("ada", "o1", "260", "2026-06-01T13:00:00Z");
    for request in [
        amendments::amend("ada", "o1", "251", "2026-06-01T12:30:00Z"),
        later.clone(),
        amendments::cancel("ada", "o1", "2026-06-01T14:00:00Z"),
        amendments::cancel("ada", "o2", "2026-06-01T14:00:00Z"),
    ] {
        assert_eq!(requests(&world, &request).await, ["BatchGetItem", "TransactWriteItems"], "{}", request.path);
    }
    assert_eq!(requests(&world, &later).await, ["BatchGetItem"], "an older state only reads");
    assert_eq!(requests(&world, &amendments::get_award("o1")).await, ["BatchGetItem", "Query"]);
}

#[tokio::test]
async fn contacts_cost_a_read_where_one_changes_and_none_where_none_does() {
    let world = World::new().await;
    let put = |body| Request::put_customer(ORG, "ada").with(&body);
    let patch = |body| Request::new("PATCH", "back-office", format!("/orgs/{ORG}/customers/ada")).json(&body);
    let search = |body| Request::new("POST", "back-office", format!("/orgs/{ORG}/customers/search")).json(&body);
    let (read, write) = ("BatchGetItem", "TransactWriteItems");
    let given = json!({"phone": "212 555 0134", "email": "a@b.example", "cardNumber": "17", "lastName": "King"});
    // The first call of a process reads the org too.
    assert_eq!(requests(&world, &put(given.clone())).await, [read, read, write]);
    assert_eq!(requests(&world, &put(given.clone())).await, [read], "nothing changes");
    assert_eq!(requests(&world, &put(json!({"firstName": "Ada"}))).await, [read, read, write], "contacts are given up");
    assert_eq!(requests(&world, &put(given)).await, [read, write]);
    assert_eq!(requests(&world, &patch(json!({"lastName": "Byron"}))).await, [read, write]);
    assert_eq!(requests(&world, &patch(json!({"phone": "212 555 0199"}))).await, [read, read, write]);
    assert_eq!(requests(&world, &search(json!({"phone": "212 555 0199"}))).await, [read, read]);
    assert_eq!(requests(&world, &search(json!({"namePrefix": "byr"}))).await, ["Query", read]);
    world.put_loyalty(ORG, &json!({"enrolment": "first_order"})).await;
    let order = |customer: &str, more| scenario::award(customer, &format!("of-{customer}"), "5", &more);
    assert!(world.send(&order("ada", json!({}))).await.is_applied());
    assert_eq!(requests(&world, &order("bo", json!({}))).await, [read, write]);
    let person = json!({"customer": {"phone": "212 555 0177"}});
    assert_eq!(requests(&world, &order("cy", person)).await, [read, read, write]);
}

#[tokio::test]
async fn an_adjustment_is_one_read_and_one_transaction() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    let adjust = scenario::adjustment("ada", "a1", 5);
    assert_eq!(requests(&world, &adjust).await, ["BatchGetItem", "TransactWriteItems"]);
}

#[tokio::test]
async fn a_points_redemption_and_a_void_are_one_read_and_one_transaction_each() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&scenario::adjustment("ada", "a1", 500)).await;
    let redemption = scenario::redeem_points("ada", "o1", 300, "49.99");
    assert_eq!(requests(&world, &redemption).await, ["BatchGetItem", "TransactWriteItems"]);
    assert_eq!(requests(&world, &redemption).await, ["BatchGetItem"], "a replay only reads");
    assert_eq!(requests(&world, &scenario::void_points("ada", "o1")).await, ["BatchGetItem", "TransactWriteItems"]);
}

#[tokio::test]
async fn a_hold_and_its_end_are_one_read_and_one_transaction_each() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&scenario::adjustment("ada", "a1", 500)).await;
    let hold = |order: &str, points: i64| scenario::hold_points("ada", order, points, "49.99", &json!({}));
    // The first call of a process reads the org too.
    world.send(&scenario::release_points("ada", "none")).await;
    let both = ["BatchGetItem", "TransactWriteItems"];
    assert_eq!(requests(&world, &hold("o1", 300)).await, both);
    assert_eq!(requests(&world, &hold("o1", 100)).await, both, "a hold that replaces another");
    assert_eq!(requests(&world, &scenario::redeem_points("ada", "o1", 100, "49.99")).await, both);
    world.send(&hold("o2", 100)).await;
    assert_eq!(requests(&world, &scenario::release_points("ada", "o2")).await, both);
    assert_eq!(requests(&world, &scenario::release_points("ada", "o2")).await, ["BatchGetItem"], "nothing to release");
    world.send(&hold("o3", 100)).await;
    assert_eq!(requests(&world, &scenario::void_points("ada", "o3")).await, both);
}

#[tokio::test]
async fn an_award_that_records_an_expiry_is_one_read_and_one_transaction() {
    let world = World::new().await;
    world.put_loyalty(ORG, &json!({"pointsExpiry": {"months": 1}})).await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send_at(&scenario::award("ada", "o1", "250", &json!({})), instant("2026-01-01T12:00:00Z")).await;
    let award = scenario::award("ada", "o2", "250", &json!({}));
    assert_eq!(requests(&world, &award).await, ["BatchGetItem", "TransactWriteItems"]);
    let get = Request::new("GET", "back-office", format!("/orgs/{ORG}/customers/ada"));
    assert_eq!(requests(&world, &get).await, ["BatchGetItem"]);
}

/// The size of a value, as `DynamoDB` reckons it.
fn size_of(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
        AttributeValue::L(list) => 3 + list.iter().map(|element| 1 + size_of(element)).sum::<usize>(),
        AttributeValue::M(map) => 3 + map.iter().map(|(name, value)| 1 + name.len() + size_of(value)).sum::<usize>(),
        _ => 1,
    }
}

#[tokio::test]
async fn a_customer_with_two_hundred_lots_takes_less_than_12_kilobytes() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({"firstName": "Ada", "email": "ada@example.com"})).await;
    let noon = instant("2026-06-01T12:00:00Z");
    // Pending points that expire after five years, each of another day, and available ones of 110 months and days.
    for (settings, orders) in [
        (json!({"pendingDays": 90, "pointsExpiry": {"months": 60}}), (0..89).map(Days::new).collect::<Vec<_>>()),
        (json!({"pointsExpiry": {"months": 3, "roundTo": "day"}}), (0..60).map(Days::new).collect()),
        (json!({"pointsExpiry": {"months": 60}}), (3..60).map(|months| Days::new(months * 30)).collect()),
    ] {
        world.put_loyalty(ORG, &settings).await;
        for days in orders {
            let fulfilled = json!({"fulfilledAt": noon - days});
            let order = format!("{}-{:?}", settings["pendingDays"], days);
            let order: String = order.chars().filter(char::is_ascii_alphanumeric).collect();
            let order = format!("{order}-{}", settings["pointsExpiry"]["months"]);
            assert_eq!(world.send(&scenario::award("ada", &order, "1234.56", &fulfilled)).await.status, 201);
        }
    }
    let key = [("pk", format!("CUSTOMER#{ORG}#ada")), ("sk", "PROFILE".to_owned())];
    let key = key.map(|(name, value)| (name.to_owned(), AttributeValue::S(value)));
    let get = world.client.get_item().table_name(&world.table).set_key(Some(key.into()));
    let item = get.send().await.unwrap().item.unwrap();
    assert!(item["lots"].as_l().unwrap().len() >= 200, "{}", item["lots"].as_l().unwrap().len());
    let size = size_of(&AttributeValue::M(item));
    assert!(size < 12 * 1024, "{size} bytes");
}

#[tokio::test]
async fn the_settings_are_read_once_and_again_after_a_change() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    let get = Request::new("GET", "back-office", format!("/orgs/{ORG}/customers/ada"));
    assert_eq!(requests(&world, &get).await, ["BatchGetItem"]);
    world.put_loyalty(ORG, &json!({"pointsPerDollar": 2})).await;
    assert_eq!(requests(&world, &get).await, ["BatchGetItem", "BatchGetItem"]);
    assert_eq!(requests(&world, &get).await, ["BatchGetItem"]);
}

#[tokio::test]
async fn a_page_of_customers_is_one_query() {
    let world = World::new().await;
    for number in 0..5 {
        world.put_customer(ORG, &format!("c{number}"), &json!({})).await;
    }
    let list = Request::new("GET", "back-office", format!("/orgs/{ORG}/customers"));
    assert_eq!(requests(&world, &list).await, ["Query"]);
}

#[tokio::test]
async fn a_bundle_redemption_is_one_read_and_one_transaction() {
    let world = World::new().await;
    world.send(&bundles::put("b", &json!({"maxRedemptions": 2, "perCustomerLimit": 2}))).await;
    let redeem = |order: &str| bundles::redeem("b", "ada", order, &json!({}));
    // The first call of a process reads the org too.
    world.send(&bundles::void("b", "none")).await;
    assert_eq!(requests(&world, &redeem("o1")).await, ["BatchGetItem", "TransactWriteItems"]);
    assert_eq!(requests(&world, &redeem("o2")).await, ["BatchGetItem", "TransactWriteItems"], "the last one too");
    assert_eq!(requests(&world, &redeem("o2")).await, ["BatchGetItem"], "a replay only reads");
    let void = bundles::void("b", "o2");
    assert_eq!(requests(&world, &void).await, ["BatchGetItem", "BatchGetItem", "TransactWriteItems"]);
    assert_eq!(requests(&world, &void).await, ["BatchGetItem"]);
}

#[tokio::test]
async fn a_known_customer_rule_and_an_order_before_an_edit_cost_one_more_read_each() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&bundles::put("b", &json!({"knownCustomersOnly": true}))).await;
    world.send(&bundles::void("b", "none")).await;
    let redeem = |order: &str| bundles::redeem("b", "ada", order, &json!({"fulfilledAt": "2026-06-01T12:00:00Z"}));
    assert_eq!(requests(&world, &redeem("o1")).await, ["BatchGetItem", "BatchGetItem", "TransactWriteItems"]);
    let eligibility = format!("/eligibility?orgId={ORG}&bundleId=b&customerId=ada");
    let eligibility = Request::new("GET", "bundle-redemption", eligibility);
    assert_eq!(requests(&world, &eligibility).await, ["BatchGetItem", "BatchGetItem"]);

    world.send(&bundles::put("b", &json!({}))).await;
    let later = instant("2026-06-01T12:05:00Z");
    world.send_at(&bundles::move_to("b", "paused"), later).await;
    world.proxy.take_requests();
    assert_eq!(world.send_at(&redeem("o2"), later).await.status, 201);
    assert_eq!(world.proxy.take_requests(), ["BatchGetItem", "Query", "TransactWriteItems"]);
    assert_eq!(world.send_at(&bundles::redeem("b", "ada", "o3", &json!({})), later).await.status, 409);
    assert_eq!(world.proxy.take_requests(), ["BatchGetItem", "Query"], "a refusal");
}

#[tokio::test]
async fn the_stats_and_the_history_of_a_bundle_are_one_read_each_for_any_length() {
    let world = World::new().await;
    world.send(&bundles::put("b", &json!({}))).await;
    for number in 0..120 {
        world.send(&bundles::redeem("b", "ada", &format!("o{number}"), &json!({}))).await;
    }
    let get = |path: &str| Request::new("GET", "bundle-redemption", format!("{path}?orgId={ORG}&bundleId=b"));
    assert_eq!(requests(&world, &get("/stats")).await, ["BatchGetItem"]);
    assert_eq!(requests(&world, &get("/redemptions")).await, ["Query"]);
}

#[tokio::test]
async fn a_run_without_due_bundles_is_a_query_per_shard_and_a_read_of_other_jobs() {
    let world = World::new().await;
    for number in 0..40 {
        world.send(&bundles::put(&format!("b{number}"), &json!({"startDate": "2027-01-01T00:00:00Z"}))).await;
    }
    let job = bundles::job(&json!({}));
    let each = [vec!["Query"; 16], vec!["BatchGetItem"]].concat();
    // The first run on a table records its instant for each watched job, and its time zone data.
    assert_eq!(requests(&world, &job).await, [each.clone(), vec!["UpdateItem"; 4]].concat());
    assert_eq!(requests(&world, &job).await, each);
    let job = bundles::job(&json!({"orgId": ORG}));
    let alone = [vec!["BatchGetItem"], vec!["Query"; 16]].concat();
    assert_eq!(requests(&world, &job).await, alone, "its org; what is done for one is no run");
}

#[tokio::test]
async fn the_cost_of_a_run_depends_on_due_bundles_and_not_on_all_bundles() {
    let mut costs = Vec::new();
    for bundles in [1_000, 5_000] {
        let world = World::new().await;
        world.send(&bundles::put("b", &json!({"startDate": "2026-06-01T13:00:00Z"}))).await;
        world.send(&bundles::move_to("b", "paused")).await;
        bundles::copy(&world, "b", bundles, |number| {
            Some(if number < 50 { "2026-06-01T13:00:00.000Z" } else { "2026-07-01T13:00:00.000Z" })
        })
        .await;
        world.send(&bundles::put("b", &json!({"desiredState": "ended"}))).await;
        world.proxy.take_requests();
        let run = world.send_at(&bundles::job(&json!({})), instant("2026-06-01T13:00:00Z")).await.body;
        assert_eq!(run["summary"]["transitionsPerformed"], 50);
        let mut cost: BTreeMap<String, usize> = BTreeMap::new();
        world.proxy.take_requests().into_iter().for_each(|operation| *cost.entry(operation).or_default() += 1);
        costs.push(cost);
    }
    // One query per shard, one read of the org, one read of the other jobs, and one transaction per due bundle.
    // The first run on a table also writes three instants and the release of its time zone data.
    let expected = [("Query", 16), ("BatchGetItem", 2), ("UpdateItem", 4), ("TransactWriteItems", 50)];
    let expected: BTreeMap<String, usize> = expected.map(|(operation, count)| (operation.to_owned(), count)).into();
    assert_eq!(costs, [expected.clone(), expected]);
}

#[tokio::test]
async fn the_pages_of_a_shard_are_read_in_sequence() {
    let world = World::new().await;
    world.send(&bundles::put("b", &json!({"startDate": "2026-06-01T13:00:00Z"}))).await;
    // Every sixteenth bundle is in the first shard, which is more than a page.
    bundles::copy(&world, "b", 16 * 130, |number| (number % 16 == 0).then_some("2026-06-01T13:00:00.000Z")).await;
    world.proxy.take_requests();
    let run = world.send_at(&bundles::job(&json!({})), instant("2026-06-01T13:00:00Z")).await.body;
    assert_eq!(run["summary"]["transitionsPerformed"], 131);
    assert_eq!(world.proxy.take_requests().iter().filter(|operation| *operation == "Query").count(), 17);
}

#[tokio::test]
async fn the_cost_of_a_report_depends_on_the_org_and_its_week() {
    let world = World::new().await;
    let report = Request::new("POST", "weekly-report", "/").json(&json!({"orgId": ORG}));
    let cost = async || {
        let mut cost: BTreeMap<String, usize> = BTreeMap::new();
        requests(&world, &report).await.into_iter().for_each(|operation| *cost.entry(operation).or_default() += 1);
        cost
    };
    // Overdue bundles of each shard, the bundles, entries and transitions of the eight days in UTC that overlap the week,
    // customers, predictions of these days and of the days a month before, and the org.
    let nothing = BTreeMap::from([("Query".to_owned(), 16 + 1 + 8 + 8 + 1 + 16), ("BatchGetItem".to_owned(), 2)]);
    assert_eq!(cost().await, nothing);
    for number in 0..20 {
        let customer = format!("c{number}");
        world.put_customer(ORG, &customer, &json!({})).await;
        let before = instant("2026-05-28T12:00:00Z");
        let order = scenario::award(&customer, &format!("o{number}"), "250", &json!({}));
        assert_eq!(world.send_at(&order, before).await.status, 201);
    }
    assert_eq!(cost().await, nothing, "a page holds them");
}
