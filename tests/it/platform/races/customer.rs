//! Many writers of one customer.

use std::sync::Arc;

use harness::{
    World, audit, scenario,
    world::{ORG, noon},
};
use serde_json::json;
use shared::{
    domain::{
        contact::{Contact, Country},
        lookups::ContactHolders,
    },
    store::StoreError,
};

use super::sold_out::store_and_org;

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_concurrent_orders_of_one_customer_each_award_once() {
    let world = Arc::new(World::new().await);
    world.put_customer(ORG, "ada", &json!({})).await;
    let awards = (0..200).map(|number| {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let request = scenario::award("ada", &format!("o{number}"), "10", &json!({}));
            let answer = world.send_with_retries(&request, noon()).await;
            assert!(answer.is_applied(), "{}", answer.body);
        })
    });
    futures::future::try_join_all(awards).await.unwrap();
    let ada = audit::check(&world, ORG, "ada").await;
    assert_eq!((&ada["points"], &ada["orderCount"], &ada["tier"]), (&json!(2000), &json!(200), &json!("Platinum")));
    let entries = audit::ledger(&world, ORG, "ada", noon()).await;
    assert_eq!(entries.iter().filter(|entry| entry["kind"] == "points_earned").count(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_awards_refunds_and_adjustments_leave_a_correct_ledger() {
    let world = Arc::new(World::new().await);
    world.put_customer(ORG, "ada", &json!({})).await;
    for number in 0..10 {
        let request = scenario::award("ada", &format!("before{number}"), "100", &json!({}));
        assert_eq!(world.send(&request).await.status, 201);
    }
    let requests = (0..10).flat_map(|number| {
        let before = format!("before{number}");
        [
            scenario::award("ada", &format!("o{number}"), "10", &json!({})),
            scenario::refund_request("ada", &before, "r1", Some("40")),
            scenario::refund_request("ada", &before, "r2", None),
        ]
    });
    let calls = requests.map(|request| {
        let world = Arc::clone(&world);
        tokio::spawn(async move { world.send_with_retries(&request, noon()).await.status.as_u16() })
    });
    let statuses: Vec<u16> = futures::future::try_join_all(calls).await.unwrap();
    // A partial refund fails after a full refund. All other calls succeed, some as a replay.
    assert!(statuses.iter().all(|status| [200, 201, 409].contains(status)), "{statuses:?}");
    let ada = audit::check(&world, ORG, "ada").await;
    assert_eq!((&ada["points"], &ada["orderCount"]), (&json!(100), &json!(10)));
}

#[tokio::test]
async fn a_look_up_that_was_removed_and_made_again_is_not_taken_for_the_one_that_was_read() {
    let world = World::new().await;
    let phone = json!({"phone": "212 555 0134"});
    world.put_customer(ORG, "ada", &phone).await;
    let (store, org) = store_and_org(&world).await;
    let number = Contact::phone(&"212 555 0134".to_owned().try_into().unwrap(), Country::default()).unwrap();
    let (_, read) = store.customer_and_lookups(&org.value.id, None, std::iter::once(&number)).await.unwrap();

    world.put_customer(ORG, "ada", &json!({})).await;
    world.put_customer(ORG, "cy", &phone).await;
    // The look-up has the version that was read.
    let mut holders = read[&number].value.clone();
    holders.add(number.kind, &"bo".to_owned().try_into().unwrap()).unwrap();
    let mut transaction = store.transaction(&org.value);
    transaction.write_lookup(&number, &holders, Some(&read[&number])).unwrap();
    assert!(matches!(transaction.commit().await, Err(StoreError::Contended)));
    let mut transaction = store.transaction(&org.value);
    transaction.write_lookup(&number, &ContactHolders::default(), Some(&read[&number])).unwrap();
    assert!(matches!(transaction.commit().await, Err(StoreError::Contended)));
}
