//! Redemptions, voids and refunds at the same time.

use std::sync::Arc;

use harness::{
    World, audit, scenario,
    world::{ORG, noon},
};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn ten_of_a_hundred_concurrent_redemptions_spend_a_thousand_points() {
    let world = Arc::new(World::new().await);
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&scenario::adjustment("ada", "a1", 1000)).await;
    let calls = (0..100).map(|number| {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let request = scenario::redeem_points("ada", &format!("o{number}"), 100, "20");
            let answer = world.send_with_retries(&request, noon()).await;
            if answer.is_applied() { "landed".to_owned() } else { answer.code().to_owned() }
        })
    });
    let ends = futures::future::try_join_all(calls).await.unwrap();
    let count = |end: &str| ends.iter().filter(|one| *one == end).count();
    assert_eq!((count("landed"), count("insufficient_points")), (10, 90));
    assert_eq!(audit::check(&world, ORG, "ada").await["points"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_operations_on_an_order_neither_lose_nor_create_points() {
    let world = Arc::new(World::new().await);
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&scenario::adjustment("ada", "a1", 10_000)).await;
    // The award records the owner first, so that recording the owner does not serialise the calls.
    for number in 0..30 {
        world.send(&scenario::award("ada", &format!("o{number}"), "20", &json!({}))).await;
    }
    let requests = (0..30).flat_map(|number| {
        let order = format!("o{number}");
        [
            scenario::redeem_points("ada", &order, 100, "50"),
            scenario::void_points("ada", &order),
            scenario::refund_request("ada", &order, "r1", Some("5")),
            scenario::redeem_points("ada", &order, 100, "50"),
            scenario::void_points("ada", &order),
        ]
    });
    let calls = requests.map(|request| {
        let world = Arc::clone(&world);
        tokio::spawn(async move { world.send_with_retries(&request, noon()).await.status.as_u16() })
    });
    let statuses: Vec<u16> = futures::future::try_join_all(calls).await.unwrap();
    assert!(statuses.iter().all(|status| [200, 201, 409].contains(status)), "{statuses:?}");
    // Every redemption was voided, before or after it was made. Each order kept 15 of its 20.
    assert_eq!(audit::check(&world, ORG, "ada").await["points"], 10_000 + 30 * 15);
}

#[tokio::test]
async fn a_void_read_before_a_redemption_does_not_overwrite_the_redemption() {
    use shared::store::{Store, StoreError};
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&scenario::adjustment("ada", "a1", 500)).await;
    world.send(&scenario::award("ada", "o1", "20", &json!({}))).await;
    let store = Store::new(world.client.clone(), &world.table);
    let org = store.org_versioned(&ORG.to_owned().try_into().unwrap()).await.unwrap().unwrap().value;
    world.send(&scenario::redeem_points("ada", "o1", 100, "50")).await;
    let mut transaction = store.transaction(&org);
    transaction.block_points_redemption(&"o1".to_owned().try_into().unwrap(), true).unwrap();
    assert!(matches!(transaction.commit().await, Err(StoreError::Contended)));
}
