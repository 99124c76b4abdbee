//! Erased customers: a tombstone stays, and nothing brings them back unasked.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use harness::{
    Request, Scenario, World, amendments, audit, bundles, scenario, world,
    world::{ORG, noon},
};
use serde_json::{Value, json};

const LATER: &str = "2026-06-02T12:00:00Z";

fn erase(customer: &str) -> Request {
    Request::new("DELETE", "back-office", format!("/orgs/{ORG}/customers/{customer}"))
}

/// Ada, who was erased with 300 points, 100 of them on hold, and two orders.
async fn erased_ada() -> Scenario {
    let person = json!({"firstName": "Ada", "lastName": "L", "phone": "212 555 0134", "equityStatus": false});
    world()
        .await
        .customer_with("ada", person)
        .award("ada", "o1", "300")
        .award("ada", "o2", "100")
        .refund_of("ada", "o2", "r1", "10")
        .redeem_points("ada", "o3", 100, "49.99")
        .hold_with("ada", "o4", 100, "49.99", json!({"minutes": 1440}))
        .send(erase("ada"))
        .accepted()
}

#[tokio::test]
async fn an_erasure_leaves_the_entries_and_one_that_brings_the_balance_to_zero() {
    erased_ada()
        .await
        .expect(json!({"points": 0, "lifetimeValue": 0, "orderCount": 0, "heldPoints": 0, "tier": "Bronze"}))
        .expect_no("firstName")
        .expect_no("phone")
        .expect_no("equityStatus")
        .send(erase("ada"))
        .expect_status(200)
        .send(Request::get_customer(ORG, "ada"))
        .refused(404, "unknown_customer")
        .expect_entries(
            "ada",
            [
                "points_earned o1 +300 =300",
                "tier_changed Bronze>Silver order",
                "points_earned o2 +100 =400",
                "points_reversed r1 -10 =390",
                "points_redeemed o3 -100 =290",
                "points_adjusted erased -290 =0",
            ],
        )
        .send(erase("nemo"))
        .refused(404, "unknown_customer")
        .await;
}

/// Everything that may be sent for Ada later, and the function that takes it.
fn sent_later() -> Vec<Request> {
    vec![
        scenario::award("ada", "o9", "20", &json!({})),
        scenario::refund_request("ada", "o1", "r9", None),
        scenario::void_refund("ada", "o2", "r1"),
        amendments::amend("ada", "o1", "400", LATER),
        scenario::adjustment("ada", "a9", 5),
        scenario::redeem_points("ada", "o4", 100, "49.99"),
        scenario::void_points("ada", "o3"),
        scenario::hold_points("ada", "o9", 100, "49.99", &json!({})),
    ]
}

#[tokio::test]
async fn what_is_sent_for_an_erased_customer_is_refused_and_changes_nothing() {
    let world = erased_ada().await.await;
    world.put_loyalty(ORG, &json!({"enrolment": "first_order"})).await;
    world.send(&bundles::put("b", &json!({"knownCustomersOnly": true}))).await;
    let entries = audit::ledger(&world, ORG, "ada", noon()).await;
    let quote = json!({"orgId": ORG, "customerId": "ada", "points": 100});
    let reads = [
        Request::new("POST", "points-redemption", "/quotes").json(&quote),
        Request::new("GET", "points-redemption", format!("/options?orgId={ORG}&customerId=ada")),
        bundles::redeem("b", "ada", "o9", &json!({})),
        Request::new("GET", "bundle-redemption", format!("/eligibility?orgId={ORG}&bundleId=b&customerId=ada")),
    ];
    for request in sent_later().into_iter().chain(reads) {
        let answer = world.send(&request).await;
        let reported = format!("{} {}: {}", request.method, request.path, answer.body);
        assert_eq!((answer.status.as_u16(), answer.code()), (409, "customer_erased"), "{reported}");
    }
    let patch = Request::new("PATCH", "back-office", format!("/orgs/{ORG}/customers/ada")).json(&json!({}));
    let patched = world.send(&patch).await;
    assert_eq!((patched.status.as_u16(), patched.code()), (409, "customer_erased"));
    // An event is done with.
    let order = json!({"orgId": ORG, "customerId": "ada", "orderId": "o9", "orderTotal": 20});
    world.invoke("points-award", scenario::event("OrderFulfilled", order)).await.unwrap();
    // What was answered before is answered again.
    let replay = world.send(&scenario::award("ada", "o1", "300", &json!({}))).await;
    assert_eq!((replay.status.as_u16(), &replay.body["balance"]), (200, &json!(300)));
    assert_eq!(audit::ledger(&world, ORG, "ada", noon()).await, entries);
    let list = world.get(&format!("/orgs/{ORG}/customers")).await.body;
    assert_eq!(list["customers"], json!([]));
}

#[tokio::test]
async fn a_put_enrols_the_id_anew_with_nothing_and_old_orders_stay_closed() {
    let put = |body: &Value| Request::put_customer(ORG, "ada").with(body);
    erased_ada()
        .await
        .at(LATER)
        .send(put(&json!({"firstName": "Augusta"})).header("if-none-match", "*"))
        .expect_status(201)
        .expect(json!({"firstName": "Augusta", "points": 0, "orderCount": 0}))
        .send(put(&json!({"firstName": "Ada"})))
        .expect_status(200)
        .award("ada", "o9", "250")
        .expect(json!({"balance": 250, "tier": "Silver"}))
        .refund("ada", "o1", "r9")
        .refused(409, "customer_erased")
        .void_refund("ada", "o2", "r1")
        .refused(409, "customer_erased")
        .amend("ada", "o1", "400", LATER)
        .refused(409, "customer_erased")
        .void_points("ada", "o3")
        .refused(409, "customer_erased")
        .refund_of("ada", "o9", "r1", "50")
        .expect(json!({"balance": 200}))
        .expect_customer("ada", json!({"firstName": "Ada", "points": 200, "lifetimeValue": 200, "orderCount": 1}))
        .await;
}

#[tokio::test]
async fn jobs_pass_an_erased_customer_over() {
    let world = erased_ada().await.await;
    for request in [scenario::recalculation(&json!({})), scenario::prediction(&json!({})), scenario::expiry(&json!({}))]
    {
        let answer = world.send_at(&request, harness::instant("2027-06-02T12:00:00Z")).await;
        assert_eq!((answer.status.as_u16(), &answer.body["success"]), (200, &json!(true)), "{}", answer.body);
    }
    let one = world.send(&scenario::prediction(&json!({"orgId": ORG, "customerId": "ada"}))).await;
    assert_eq!(one.code(), "unknown_customer");
    assert_eq!(world.send(&Request::get_customer(ORG, "ada")).await.status, 404);
}

#[tokio::test]
async fn the_deletion_of_a_disposable_org_removes_its_erased_customers() {
    let world = World::new().await;
    world.put_org("to-go", &json!({"name": "To go", "disposable": true})).await;
    world.put_customer("to-go", "ada", &json!({"firstName": "Ada"})).await;
    assert_eq!(world.send(&Request::new("DELETE", "back-office", "/orgs/to-go/customers/ada")).await.status, 200);
    for _ in 0..5 {
        world.send(&Request::new("DELETE", "back-office", "/orgs/to-go")).await;
    }
    let items = world.client.scan().table_name(&world.table).send().await.unwrap().items.unwrap_or_default();
    let left: BTreeSet<&String> = items.iter().map(|item| item["pk"].as_s().unwrap()).collect();
    assert!(left.iter().all(|pk| !pk.contains("to-go")), "{left:?}");
}

#[tokio::test]
async fn what_an_older_version_writes_for_an_erased_customer_is_erased_once_more() {
    let world = erased_ada().await.await;
    // It knows no tombstone: a PUT sets the profile, an award adds points and lists the customer.
    let key = |name: &str, value: &str| (name.to_owned(), AttributeValue::S(value.to_owned()));
    let keys = [key("pk", &format!("CUSTOMER#{ORG}#ada")), key("sk", "PROFILE")];
    let update = world.client.update_item().table_name(&world.table).set_key(Some(keys.into()));
    let update =
        update.update_expression("SET person.lastName = :name, lifetimeValue = :cents, #list = :list, #at = :at");
    let update = update.expression_attribute_names("#list", "list").expression_attribute_names("#at", "at");
    let update = update.expression_attribute_values(":name", AttributeValue::S("King".to_owned()));
    let update = update.expression_attribute_values(":cents", AttributeValue::N("500".to_owned()));
    let update = update.expression_attribute_values(":list", AttributeValue::S(format!("CUSTOMERS#{ORG}")));
    update.expression_attribute_values(":at", AttributeValue::S("0000".to_owned())).send().await.unwrap();

    assert_eq!(world.get(&format!("/orgs/{ORG}/customers")).await.body["customers"], json!([]));
    let erased = world.send(&erase("ada")).await;
    assert_eq!((erased.status.as_u16(), &erased.body["lifetimeValue"]), (200, &json!(0)));
    assert_eq!(erased.body.get("lastName"), None);
    let keys = [key("pk", &format!("CUSTOMER#{ORG}#ada")), key("sk", "PROFILE")];
    let read = world.client.get_item().table_name(&world.table).set_key(Some(keys.into()));
    let item = read.send().await.unwrap().item.unwrap();
    assert!(!item.contains_key("list") && !format!("{item:?}").contains("King"), "{item:?}");
    let anew = world.put_customer(ORG, "ada", &json!({"firstName": "Ada"})).await;
    assert_eq!((anew.status.as_u16(), &anew.body["lifetimeValue"]), (201, &json!(0)));
    audit::check(&world, ORG, "ada").await;
}

#[tokio::test]
async fn an_order_of_the_time_before_the_erasure_is_not_awarded_to_the_customer_enrolled_anew() {
    let put = Request::put_customer(ORG, "ada").with(&json!({}));
    world()
        .await
        .customer("ada")
        // A pre-order, fulfilled later than the erasure.
        .award_with("ada", "o1", "100", json!({"fulfilledAt": "2026-06-01T18:00:00Z"}))
        .send(erase("ada"))
        .accepted()
        .at(LATER)
        .send(put)
        .expect_status(201)
        .award_with("ada", "o2", "100", json!({"fulfilledAt": "2026-06-01T11:00:00Z"}))
        .refused(409, "customer_erased")
        .amend("ada", "o1", "400", LATER)
        .refused(409, "customer_erased")
        .award("ada", "o3", "20")
        .expect_customer("ada", json!({"points": 20, "lifetimeValue": 20}))
        .await;
}
