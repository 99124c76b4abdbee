//! What an operation costs in requests to DynamoDB.

use harness::{Request, World, scenario, world::ORG};
use serde_json::json;

async fn requests(world: &World, request: &Request) -> Vec<String> {
    world.wire.take_seen();
    let answer = world.send(request).await;
    assert!(answer.status.is_success(), "{}", answer.body);
    world.wire.take_seen()
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
async fn an_adjustment_is_one_read_and_one_transaction() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    let body = json!({"adjustmentId": "a1", "points": 5, "reason": "goodwill"});
    let adjust = Request::new("POST", "back-office", format!("/orgs/{ORG}/customers/ada/adjustments")).json(&body);
    assert_eq!(requests(&world, &adjust).await, ["BatchGetItem", "TransactWriteItems"]);
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
