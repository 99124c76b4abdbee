//! Fields of bundles since the second release: dates without a time, products that add up, known customers only. Ids
//! may have a plus.

use aws_sdk_dynamodb::types::AttributeValue;
use harness::{Request, World, bundles, instant, scenario::world, world::ORG};
use serde_json::{Value, json};

fn org_in(zone: &str) -> Request {
    Request::new("PUT", "back-office", format!("/orgs/{ORG}")).json(&json!({"name": "Shop", "timezone": zone}))
}

#[tokio::test]
async fn a_start_day_and_an_end_day_are_included_in_the_schedule() {
    let days = json!({"startDate": "2026-12-23", "endDate": "2026-12-24"});
    let world = world()
        .await
        .bundle("b", days.clone())
        // The answer repeats the given dates.
        .expect_bundle("b", days.clone())
        .expect_bundle("b", json!({"status": "scheduled", "nextChange": "2026-12-23T05:00:00.000Z"}))
        .at("2026-12-25T04:59:59.999Z")
        .expect_bundle("b", json!({"status": "active", "nextChange": "2026-12-25T05:00:00.000Z"}))
        .at("2026-12-25T05:00:00Z")
        .expect_bundle("b", json!({"status": "expired"}))
        .job()
        .expect_transitions(
            "b",
            [
                "scheduled>active 2026-12-23T05:00 start date reached",
                "active>expired 2026-12-25T05:00 end date reached",
            ],
        )
        .await;
    assert_eq!(bundles::stored(&world, ORG, "b").await["endDate"], "2026-12-24");
}

#[tokio::test]
async fn a_change_of_time_zone_moves_days_and_keeps_instants() {
    let world = world()
        .await
        .bundle("day", json!({"startDate": "2026-12-23"}))
        .bundle("instant", json!({"startDate": "2026-12-23T05:00:00Z"}))
        .send(org_in("Asia/Tokyo"))
        .expect_status(200)
        .expect_bundle("day", json!({"startDate": "2026-12-23", "nextChange": "2026-12-22T15:00:00.000Z"}))
        .expect_bundle("instant", json!({"nextChange": "2026-12-23T05:00:00.000Z"}))
        .await;
    for bundle in ["day", "instant"] {
        bundles::check(&world, ORG, bundle).await;
    }
}

#[tokio::test]
async fn an_older_version_reads_the_instants_stored_beside_the_days() {
    let world = World::new().await;
    world.send(&bundles::put("b", &json!({"startDate": "2026-12-23", "endDate": "2026-12-24"}))).await;
    let stored = bundles::item(&world, ORG, "b").await["terms"].as_m().unwrap().clone();
    let text = |name: &str| stored[name].as_s().unwrap().clone();
    assert_eq!([text("startDay"), text("endDay")], ["2026-12-23", "2026-12-24"]);
    let instants = ["2026-12-23T05:00:00.000Z", "2026-12-25T05:00:00.000Z"];
    assert_eq!([text("startDate"), text("endDate")], instants);
    // An older version writes the terms without the days. Then the instants count.
    let update = world.client.update_item().table_name(&world.table);
    let update = update.key("pk", AttributeValue::S("ORG#shop".into())).key("sk", AttributeValue::S("BUNDLE#b".into()));
    update.update_expression("REMOVE terms.startDay, terms.endDay").send().await.unwrap();
    let read = world.get(&format!("/orgs/{ORG}/bundles/b")).await.body;
    assert_eq!([&read["startDate"], &read["endDate"]], instants.map(|at| json!(at)).each_ref());
}

#[tokio::test]
async fn an_end_before_its_start_in_the_orgs_time_zone_is_rejected() {
    let world = World::new().await;
    for (start, end, is_right) in [
        ("2026-12-24", "2026-12-24", true),
        ("2026-12-24", "2026-12-23", false),
        // A day in New York begins at five o'clock in UTC.
        ("2026-12-24", "2026-12-24T05:00:00.001Z", true),
        ("2026-12-24", "2026-12-24T05:00:00Z", false),
        ("2026-12-25T04:59:59.999Z", "2026-12-24", true),
        ("2026-12-25T05:00:00Z", "2026-12-24", false),
        ("2026-12-29T05:00:00Z", "2026-12-24", false),
    ] {
        let answer = world.send(&bundles::put("b", &json!({"startDate": start, "endDate": end}))).await;
        let fields = if is_right { vec![] } else { vec!["endDate"] };
        assert_eq!((answer.status.is_success(), answer.fields()), (is_right, fields), "{start} {end}: {}", answer.body);
    }
    // An end before its start in every zone is reported with all other faults.
    let both = json!({"startDate": "2026-12-29T05:00:00Z", "endDate": "2026-12-24", "maxRedemptions": 0});
    let mut fields =
        world.send(&bundles::put("b", &both)).await.fields().iter().map(ToString::to_string).collect::<Vec<_>>();
    fields.sort_unstable();
    assert_eq!(fields, ["endDate", "maxRedemptions"]);
    for wrong in ["2026-12-32", "2026-2-03", "20261224", "10000-01-01", "1969-12-31", "today", "2026-12-24T05:00:00"] {
        let answer = world.send(&bundles::put("b", &json!({"startDate": wrong}))).await;
        assert_eq!((answer.status.as_u16(), answer.fields()), (422, vec!["startDate"]), "{wrong}");
    }
    // The last valid day ends with the last valid instant.
    assert!(world.send(&bundles::put("c", &json!({"endDate": "9999-12-31"}))).await.status.is_success());
    bundles::check(&world, ORG, "c").await;
}

fn product(id: &str, quantity: u32, price: Value) -> Value {
    json!({"productId": id, "name": "P", "requiredQty": quantity, "originalPrice": price})
}

#[tokio::test]
async fn wrong_totals_and_duplicates_are_rejected_together() {
    let world = World::new().await;
    let faulty = json!({
        "products": [product("p", 2, json!("4.50")), product("q", 1, json!(1)), product("p", 1, json!(1))],
        "originalTotal": "10.99", "daysOfWeek": [1, 2, 1, 2], "maxRedemptions": 0, "bundlePrice": 5,
    });
    let answer = world.send(&bundles::put("b", &faulty)).await;
    let mut fields = answer.fields();
    fields.sort_unstable();
    let expected = ["daysOfWeek[2]", "daysOfWeek[3]", "maxRedemptions", "originalTotal", "products[2].productId"];
    assert_eq!(fields, expected, "{}", answer.body);
    let sound = json!({
        "products": [product("p", 2, json!("4.50")), product("q", 1, json!(1)), product("P", 1, json!(1))],
        "originalTotal": "11.00", "daysOfWeek": [1, 2], "bundlePrice": 5,
    });
    assert_eq!(world.send(&bundles::put("b", &sound)).await.status, 201);
}

#[tokio::test]
async fn an_older_bundle_with_a_wrong_total_is_read_unchanged_and_stays_on_sale() {
    let world = World::new().await;
    world.send(&bundles::put("b", &json!({}))).await;
    let update = world.client.update_item().table_name(&world.table);
    let update = update.key("pk", AttributeValue::S("ORG#shop".into())).key("sk", AttributeValue::S("BUNDLE#b".into()));
    let update = update.update_expression("SET terms.originalTotal = :total, terms.products[1] = terms.products[0]");
    update.expression_attribute_values(":total", AttributeValue::N("3000".into())).send().await.unwrap();
    let read = world.get(&format!("/orgs/{ORG}/bundles/b")).await.body;
    assert_eq!((&read["originalTotal"], read["products"].as_array().unwrap().len()), (&json!(30), 2));
    let sold = world.send(&bundles::redeem("b", "ada", "o1", &json!({}))).await;
    assert_eq!((sold.status.as_u16(), &sold.body["redemption"]["savings"]), (201, &json!(14.5)));
    assert_eq!(world.send(&bundles::move_to("b", "paused")).await.status, 200);
    assert_eq!(world.get(&format!("/orgs/{ORG}/bundles/b")).await.body["originalTotal"], 30);
}

#[tokio::test]
async fn a_bundle_for_known_customers_is_not_sold_to_another_spelling_of_an_id() {
    let eligible = |customer: &str| {
        let path = format!("/eligibility?orgId={ORG}&bundleId=b&customerId={customer}");
        Request::new("GET", "bundle-redemption", path)
    };
    let world = world()
        .await
        .customer("ada")
        .bundle("b", json!({"knownCustomersOnly": true, "perCustomerLimit": 1}))
        .expect_bundle("b", json!({"knownCustomersOnly": true}))
        .redeem("b", "ADA", "o1")
        .refused(404, "unknown_customer")
        .send(eligible("ADA"))
        .refused(404, "unknown_customer")
        .send(eligible("ada"))
        .expect(json!({"canRedeem": true}))
        .redeem("b", "ada", "o1")
        .expect_status(201)
        // An unknown record comes before a rejection by a rule.
        .void("b", "o2")
        .redeem("b", "bo", "o2")
        .refused(404, "unknown_customer")
        .redeem("b", "ada", "o3")
        .refused(409, "customer_limit_reached")
        // Without the field the customer is not checked.
        .bundle("b", json!({}))
        .expect_bundle("b", json!({"knownCustomersOnly": false}))
        .redeem("b", "bo", "o4")
        .expect_status(201)
        .await;
    // An event for an unknown customer is retried, like an event for points.
    world.send(&bundles::put("b", &json!({"knownCustomersOnly": true}))).await;
    let detail = json!({"orgId": ORG, "orderId": "o5", "customerId": "cy", "orderTotal": 40, "bundleIds": ["b"]});
    let event = harness::scenario::event("OrderFulfilled", detail);
    let failed = world.invoke("bundle-redemption", event.clone()).await.unwrap_err();
    assert_eq!(failed.code, "unknown_customer");
    world.put_customer(ORG, "cy", &json!({})).await;
    assert_eq!(world.invoke("bundle-redemption", event).await.unwrap()["bundles"][0]["redeemed"], true);
}

#[tokio::test]
async fn an_address_or_a_phone_number_is_an_id() {
    let world = World::new().await;
    let (org, ada, order, bundle) = ("a+b", "ada+shop@example.com", "+15551234567", "1+1");
    assert_eq!(world.put_org(org, &json!({"name": "Plus"})).await.status, 201);
    assert_eq!(world.put_org("a", &json!({"name": "Without"})).await.status, 201);
    world.put_loyalty(org, &json!({})).await;
    assert_eq!(world.put_customer(org, ada, &json!({})).await.status, 201);
    let put = Request::new("PUT", "back-office", format!("/orgs/{org}/bundles/{bundle}"));
    assert_eq!(world.send(&put.json(&bundles::terms(&json!({"maxRedemptions": 5})))).await.status, 201);
    let order_body = json!({"orgId": org, "bundleId": bundle, "customerId": ada, "orderId": order, "orderTotal": 5});
    let mut redeem = order_body.clone();
    redeem.as_object_mut().unwrap().remove("orderTotal");
    let redeem = Request::new("POST", "bundle-redemption", "/redemptions").json(&redeem);
    assert_eq!(world.send(&redeem).await.status, 201);
    let mut award = order_body;
    award.as_object_mut().unwrap().remove("bundleId");
    assert_eq!(world.send(&Request::new("POST", "points-award", "/awards").json(&award)).await.status, 201);

    // In a path a plus stands for itself. In a query it is written %2B.
    for (function, path, plural, count) in [
        ("bundle-redemption", "/redemptions?orgId=a%2Bb&bundleId=1%2B1&", "redemptions", 1),
        ("back-office", "/orgs/a+b/customers/ada+shop@example.com/activity?", "entries", 1),
        ("back-office", "/orgs/a%2Bb/customers?", "customers", 1),
        ("back-office", "/orgs/a+b/bundles?", "bundles", 1),
        ("back-office", "/orgs/a/customers?", "customers", 0),
        ("back-office", "/orgs/a/bundles?", "bundles", 0),
    ] {
        let answer = world.send(&Request::new("GET", function, format!("{path}limit=1"))).await;
        assert_eq!(answer.body[plural].as_array().map(Vec::len), Some(count), "{path}: {}", answer.body);
        // Its cursor needs no encoding in a URL.
        if let Some(cursor) = answer.body["cursor"].as_str() {
            let next = world.send(&Request::new("GET", function, format!("{path}limit=1&cursor={cursor}"))).await;
            assert_eq!((next.status.as_u16(), &next.body[plural]), (200, &json!([])), "{path}");
        }
    }
    let void = Request::new("DELETE", "bundle-redemption", format!("/redemptions/{order}?orgId=a%2Bb&bundleId=1%2B1"));
    assert_eq!(world.send(&void).await.body["voided"], true);
    let job = world.send_at(&bundles::job(&json!({"orgId": org})), instant("2026-06-02T12:00:00Z")).await;
    assert_eq!(job.body["success"], true, "{}", job.body);
    let space = format!("/redemptions/{order}?orgId=a+b&bundleId=1%2B1");
    let space = world.send(&Request::new("DELETE", "bundle-redemption", space)).await;
    assert_eq!((space.status.as_u16(), space.fields()), (422, vec!["orgId"]));
}
