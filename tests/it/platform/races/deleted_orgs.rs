//! A disposable org is deleted completely, also while orders arrive. A later org with its id has none of its records.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicBool, Ordering},
};

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join_all;
use harness::{
    bundles::terms,
    world::{Request, World, noon},
};
use serde_json::{Value, json};

const ROUNDS: usize = 8;
const ORDERS: usize = 12;

fn post(function: &'static str, path: &str, body: &Value) -> Request {
    Request::new("POST", function, path).json(body)
}

fn award(order: usize) -> Request {
    let body = json!({"orgId": "passing", "customerId": "ada", "orderId": format!("o{order}"), "orderTotal": 50});
    post("points-award", "/awards", &body)
}

fn redemption(order: usize) -> Request {
    let body = json!({"orgId": "passing", "customerId": "ada", "orderId": format!("o{order}"), "points": 100, "orderTotal": 50});
    post("points-redemption", "/redemptions", &body)
}

async fn make_org(world: &World) {
    assert_eq!(world.put_org("passing", &json!({"name": "Passing", "disposable": true})).await.status, 201);
    world.put_loyalty("passing", &json!({})).await;
    assert_eq!(world.put_customer("passing", "ada", &json!({})).await.status, 201);
    let gift = json!({"adjustmentId": "gift", "points": 100_000, "reason": "a start"});
    let gift = Request::new("POST", "back-office", "/orgs/passing/customers/ada/adjustments").json(&gift);
    assert_eq!(world.send(&gift).await.status, 201, "nothing is left of the adjustment either");
}

async fn delete_org(world: &World) {
    loop {
        let delete = Request::new("DELETE", "back-office", "/orgs/passing");
        let deleted = world.send_with_retries(&delete, noon()).await;
        assert_eq!(deleted.status, 200, "{deleted:?}");
        if deleted.body["complete"] == true {
            return;
        }
    }
}

/// The keys of all items of the org.
async fn left(world: &World) -> Vec<String> {
    let mut left = Vec::new();
    let mut start = None;
    loop {
        let page = world.client.scan().table_name(&world.table).set_exclusive_start_key(start).send().await.unwrap();
        for item in page.items() {
            let part = |name: &str| item[name].as_s().unwrap().clone();
            if part("pk").split('#').nth(1) == Some("passing") {
                left.push(format!("{} {}", part("pk"), part("sk")));
            }
        }
        start = page.last_evaluated_key;
        if start.is_none() {
            return left;
        }
    }
}

#[tokio::test]
async fn orders_that_arrive_during_the_deletion_of_their_org_leave_no_items() {
    let world = World::new().await;
    for round in 0..ROUNDS {
        make_org(&world).await;
        // This process has cached the org and goes on with orders until the deletion is visible.
        let other = world.another_process();
        World::send_to(&other, &award(0), noon()).await;
        World::send_to(&other, &redemption(0), noon()).await;
        let gone = AtomicBool::new(false);
        let shop = |order: usize| {
            let (gone, other) = (&gone, &other);
            async move {
                while !gone.load(Ordering::Relaxed) {
                    // The redemption records the owner of the order, so the award does not.
                    World::send_to(other, &redemption(order), noon()).await;
                    World::send_to(other, &award(order), noon()).await;
                }
            }
        };
        let delete = async {
            delete_org(&world).await;
            gone.store(true, Ordering::Relaxed);
        };
        tokio::join!(delete, join_all((1..=ORDERS).map(shop)));
        assert_eq!(left(&world).await, Vec::<String>::new(), "round {round}");

        make_org(&world).await;
        let mut entries = HashSet::new();
        for order in 0..=ORDERS {
            let awarded = world.send(&award(order)).await;
            assert_eq!((awarded.status.as_u16(), awarded.body.get("replayed")), (201, None), "{awarded:?}");
            entries.insert(format!("o{order}"));
        }
        let activity = world.get("/orgs/passing/customers/ada/activity?limit=100").await;
        let earned = activity.body["entries"].as_array().unwrap().iter().filter_map(|entry| entry["orderId"].as_str());
        assert_eq!(earned.map(str::to_owned).collect::<HashSet<_>>(), entries);
        delete_org(&world).await;
    }
}

/// The latest moment at which an order can be written: its earlier records, and its entry in the list, have just been
/// deleted.
#[tokio::test]
async fn an_order_written_after_its_partition_was_deleted_is_found_by_the_deletion() {
    let world = World::new().await;
    make_org(&world).await;
    assert_eq!(world.send(&redemption(1)).await.status, 201);
    let store = shared::store::Store::new(world.client.clone(), &world.table);
    let (org, order) = ("passing".to_owned().try_into().unwrap(), "o1".to_owned().try_into().unwrap());
    let known = store.org_versioned(&org).await.unwrap().unwrap().value;

    while left(&world).await.iter().any(|item| item.starts_with("ORDER#")) {
        assert!(!store.delete_org_step(&org, 20).await.unwrap().is_complete, "the org itself goes last");
    }
    let mut late = store.transaction(&known);
    late.block_points_redemption(&order, true).unwrap();
    late.commit().await.unwrap();
    while !store.delete_org_step(&org, 20).await.unwrap().is_complete {}
    assert_eq!(left(&world).await, Vec::<String>::new());
}

/// Every write about a known order lists the order, because the deletion may have removed its entry in the list.
#[tokio::test]
async fn every_write_about_a_known_order_lists_the_order_again() {
    let world = World::new().await;
    make_org(&world).await;
    let soap = Request::new("PUT", "back-office", "/orgs/passing/bundles/soap").json(&terms(&json!({})));
    assert_eq!(world.send(&soap).await.status, 201);
    let bundle = json!({"orgId": "passing", "bundleId": "soap", "customerId": "ada", "orderId": "o1"});
    let void = |function: &'static str, query: &str| {
        Request::new("DELETE", function, format!("/redemptions/o1?orgId=passing&{query}"))
    };
    let writes = [
        ("an award", award(1)),
        ("a redemption of points", redemption(1)),
        ("the void of one that is yet to come", void("points-redemption", "customerId=ada")),
        ("a redemption of a bundle", post("bundle-redemption", "/redemptions", &bundle)),
        ("the void of one that is yet to come", void("bundle-redemption", "bundleId=soap")),
    ];
    for (first, then) in [(0, 1), (1, 0), (0, 2), (0, 3), (0, 4)] {
        let [(_, first), (what, then)] = [first, then].map(|place| &writes[place]);
        assert!(world.send(first).await.status.is_success());
        let key = |name: &str, value: &str| (name.to_owned(), AttributeValue::S(value.to_owned()));
        let order = || [key("pk", "ORDER#passing#o1"), key("sk", "ORDER")].into();
        let table = || world.client.update_item().table_name(&world.table).set_key(Some(order()));
        let hide = table().update_expression("REMOVE #list, #at");
        hide.expression_attribute_names("#list", "list").expression_attribute_names("#at", "at").send().await.unwrap();
        let done = world.send(then).await;
        assert!(done.status.is_success(), "{what}: {done:?}");
        let read = world.client.get_item().table_name(&world.table).set_key(Some(order())).send().await.unwrap();
        assert!(read.item.unwrap().contains_key("list"), "{what} lists its order");
        delete_org(&world).await;
        make_org(&world).await;
        assert_eq!(world.send(&soap).await.status, 201);
    }
}
