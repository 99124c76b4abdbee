//! Customers whom their first order enrols.

use std::sync::Arc;

use harness::{
    Request, World, audit, scenario, world,
    world::{ORG, noon},
};
use serde_json::{Value, json};

fn first_order() -> Value {
    json!({"enrolment": "first_order"})
}

async fn found(world: &World, criterion: &Value) -> usize {
    let search = Request::new("POST", "back-office", format!("/orgs/{ORG}/customers/search")).json(criterion);
    world.send(&search).await.body["customers"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_first_order_enrols_a_customer_where_the_org_says_so() {
    let person = json!({"firstName": "Ada", "lastName": "King", "email": "a@b.example", "phone": "212 555 0134"});
    let customer = json!({"customer": person});
    world()
        .await
        .award_with("ada", "o1", "250", customer.clone())
        .refused(404, "unknown_customer")
        .loyalty(first_order())
        .award_with("ada", "o1", "250", customer.clone())
        .expect_status(201)
        .expect(json!({"pointsAwarded": 250, "balance": 250, "tier": "Silver"}))
        .award_with("ada", "o1", "250", customer)
        .expect(json!({"replayed": true, "balance": 250}))
        .award("ada", "o2", "10")
        .expect(json!({"balance": 260}))
        .expect_customer("ada", json!({"firstName": "Ada", "phone": "212 555 0134", "orderCount": 2}))
        .expect_entries(
            "ada",
            ["points_earned o1 +250 =250", "tier_changed Bronze>Silver order", "points_earned o2 +10 =260"],
        )
        .loyalty(json!({"enrolment": "first_order", "enabled": false}))
        .award("bo", "o3", "10")
        .refused(404, "unknown_customer")
        .await;
}

#[tokio::test]
async fn the_profile_of_an_order_does_not_change_a_known_customer() {
    let world = World::new().await;
    world.put_loyalty(ORG, &first_order()).await;
    world.put_customer(ORG, "ada", &json!({"firstName": "Ada"})).await;
    let order = scenario::award("ada", "o1", "10", &json!({"customer": {"firstName": "Eve", "email": "e@b.example"}}));
    assert_eq!(world.send(&order).await.status, 201);
    let ada = audit::check(&world, ORG, "ada").await;
    assert_eq!((&ada["firstName"], ada.get("email")), (&json!("Ada"), None));
    let of_other = scenario::award("bo", "o1", "10", &json!({}));
    assert_eq!(world.send(&of_other).await.code(), "idempotency_mismatch");
}

#[tokio::test]
async fn a_contact_that_is_invalid_or_shared_by_too_many_holds_up_no_order() {
    let world = World::new().await;
    world.put_loyalty(ORG, &first_order()).await;
    for number in 0..10 {
        world.put_customer(ORG, &format!("c{number}"), &json!({"phone": "212 555 0134"})).await;
    }
    world.take_records();
    let order = json!({
        "orgId": ORG, "orderId": "o1", "customerId": "ada", "orderTotal": 20,
        "customer": {
            "firstName": "Ada", "lastName": "K\u{7}", "email": "nowhere", "phone": "212 555 0134", "loyaltyLevel": 3,
        },
    });
    world.invoke("points-award", scenario::event("OrderFulfilled", order.clone())).await.unwrap();
    let ada = audit::check(&world, ORG, "ada").await;
    assert_eq!((&ada["firstName"], &ada["points"]), (&json!("Ada"), &json!(20)));
    for missing in ["lastName", "email", "phone"] {
        assert!(ada.get(missing).is_none(), "{missing}");
    }
    let counted: i64 = world.take_records().iter().filter_map(|record| record["ContactsLeftOut"].as_i64()).sum();
    assert_eq!(counted, 3);
    // A request is refused.
    let mut order = order;
    (order["orderId"], order["customerId"]) = ("o2".into(), "bo".into());
    let answer = world.send(&Request::new("POST", "points-award", "/awards").json(&order)).await;
    assert_eq!((answer.status.as_u16(), answer.fields()), (422, vec!["customer.lastName", "customer.email"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_first_orders_of_one_customer_at_once_enrol_one_customer_and_are_all_awarded() {
    let world = Arc::new(World::new().await);
    world.put_loyalty(ORG, &first_order()).await;
    let person = json!({"customer": {"phone": "212 555 0134", "lastName": "King"}});
    let sent = (0..200).map(|number| {
        let (world, order) = (Arc::clone(&world), scenario::award("ada", &format!("o{number}"), "10", &person));
        tokio::spawn(async move { world.send_with_retries(&order, noon()).await })
    });
    for answer in futures::future::join_all(sent).await {
        assert!(answer.unwrap().is_applied());
    }
    let ada = audit::check(&world, ORG, "ada").await;
    assert_eq!((&ada["points"], &ada["orderCount"]), (&json!(2000), &json!(200)));
    assert_eq!(found(&world, &json!({"phone": "212 555 0134"})).await, 1);
    assert_eq!(found(&world, &json!({"namePrefix": "king"})).await, 1);
}
