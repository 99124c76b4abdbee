//! Many orders for a few units of a bundle: the limits hold with and without faults.

use std::sync::Arc;

use futures::{StreamExt, stream};
use harness::{
    World, bundles,
    world::{ORG, noon},
};
use serde_json::{Value, json};

const WORKERS: usize = 64;
const ORDERS: usize = 1000;

/// The outcome of each order, by its number.
async fn race(world: &Arc<World>, customers: usize) -> Vec<(u16, String)> {
    let order = |number: usize| {
        let world = Arc::clone(world);
        async move {
            let (customer, order) = (format!("c{}", number % customers), format!("o{number}"));
            let request = bundles::redeem("b", &customer, &order, &json!({}));
            let answer = world.send_with_retries(&request, noon()).await;
            (answer.status.as_u16(), answer.code().to_owned())
        }
    };
    let racing = stream::iter((0..ORDERS).map(|number| tokio::spawn(order(number)))).buffered(WORKERS);
    racing.map(Result::unwrap).collect().await
}

fn count(ends: &[(u16, String)], statuses: &[u16], code: &str) -> usize {
    ends.iter().filter(|(status, with)| statuses.contains(status) && with == code).count()
}

async fn prepared(terms: Value, faults: bool) -> Arc<World> {
    let world = World::new().await;
    world.send(&bundles::put("b", &terms)).await;
    if faults {
        let seed = fastrand::u64(..);
        println!("seed {seed}");
        world.proxy.fail_at_random(seed, 8);
    }
    Arc::new(world)
}

/// Checks the outcome after the race, and again after every order was sent a second time.
async fn same_when_sent_again(world: &Arc<World>, ends: &[(u16, String)], customers: usize) -> Value {
    world.proxy.heal();
    let bundle = bundles::check(world, ORG, "b").await;
    let again = race(world, customers).await;
    for (number, (first, then)) in ends.iter().zip(&again).enumerate() {
        let redeemed = |(status, _): &(u16, String)| [200, 201].contains(status);
        assert_eq!((redeemed(first), &first.1), (redeemed(then), &then.1), "order {number}");
        assert_ne!(then.0, 201, "order {number} was redeemed before, or refused");
    }
    assert_eq!(bundles::check(world, ORG, "b").await, bundle);
    bundle
}

async fn three_hundred_of_a_thousand(faults: bool) {
    let world = prepared(json!({"maxRedemptions": 300}), faults).await;
    let ends = race(&world, ORDERS).await;
    assert_eq!((count(&ends, &[200, 201], ""), count(&ends, &[409], "limit_reached")), (300, 700));
    let bundle = same_when_sent_again(&world, &ends, ORDERS).await;
    assert_eq!((&bundle["status"], &bundle["currentRedemptions"]), (&json!("expired"), &json!(300)));
    assert_eq!(bundles::redemptions(&world, ORG, "b").await.len(), 300);
    let transitions = bundles::transitions(&world, ORG, "b").await;
    let reported: Vec<String> = transitions.iter().map(bundles::line).collect();
    assert_eq!(reported, ["active>expired 2026-06-01T12:00 redemption limit reached"]);
}

async fn two_for_each_of_fifty(faults: bool) {
    let world = prepared(json!({"perCustomerLimit": 2}), faults).await;
    let ends = race(&world, 50).await;
    assert_eq!((count(&ends, &[200, 201], ""), count(&ends, &[409], "customer_limit_reached")), (100, 900));
    let bundle = same_when_sent_again(&world, &ends, 50).await;
    assert_eq!((&bundle["status"], &bundle["currentRedemptions"]), (&json!("active"), &json!(100)));
    assert!(bundles::transitions(&world, ORG, "b").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_of_a_thousand_orders_redeem_three_hundred_units() {
    three_hundred_of_a_thousand(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_of_a_thousand_orders_redeem_three_hundred_units_with_faults() {
    three_hundred_of_a_thousand(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_fifty_customers_redeems_two_of_twenty_orders() {
    two_for_each_of_fifty(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_fifty_customers_redeems_two_of_twenty_orders_with_faults() {
    two_for_each_of_fifty(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn voids_race_redemptions_for_the_last_unit_and_the_record_stays_consistent() {
    let world = prepared(json!({"maxRedemptions": 3}), false).await;
    let calls = (0..200).map(|number| {
        let (world, order) = (Arc::clone(&world), format!("o{}", number / 2));
        tokio::spawn(async move {
            let redeem = bundles::redeem("b", "ada", &order, &json!({}));
            let request = if number % 2 == 0 { redeem } else { bundles::void("b", &order) };
            world.send_with_retries(&request, noon()).await.status.as_u16()
        })
    });
    let statuses: Vec<u16> = futures::future::try_join_all(calls).await.unwrap();
    assert!(statuses.iter().all(|status| [200, 201, 409].contains(status)), "{statuses:?}");
    // Every redemption was voided, before or after it was made, so no redemption counts.
    let bundle = bundles::check(&world, ORG, "b").await;
    assert_eq!((&bundle["currentRedemptions"], &bundle["status"]), (&json!(0), &json!("active")));
}

#[tokio::test]
async fn a_unit_returned_meanwhile_keeps_the_bundle_from_selling_out() {
    use shared::{
        domain::bundle::redemption::{Fulfilment, Redeem, redeem},
        store::StoreError,
    };
    let world = prepared(json!({"maxRedemptions": 2}), false).await;
    assert_eq!(world.send(&bundles::redeem("b", "ada", "o1", &json!({}))).await.status, 201);
    let (store, org) = store_and_org(&world).await;
    let org = org.value;
    let (b, bo) = ("b".to_owned().try_into().unwrap(), "bo".to_owned().try_into().unwrap());
    let o2: shared::domain::ids::OrderId = "o2".to_owned().try_into().unwrap();
    let loaded = store.bundle_redemption_context(&org.id, &b, &bo, &o2).await.unwrap();
    let read = loaded.bundle.unwrap();

    assert_eq!(world.send(&bundles::void("b", "o1")).await.body["voided"], true);
    let at_noon = Fulfilment { at: noon(), now: noon(), was_active: false, savings: None };
    let decided = redeem(&read.value, org.zone(), 0, (o2, bo), at_noon).unwrap();
    let Redeem::Apply(last) = decided else { panic!("it takes the last unit") };
    assert!(last.update.is_some());
    let mut transaction = store.transaction(&org);
    transaction.record_bundle_redemption(&last, &read, None).unwrap();
    assert!(matches!(transaction.commit().await, Err(StoreError::Contended)));
    assert_eq!(bundles::check(&world, ORG, "b").await["status"], "active");
}

/// The store and the org, read before another call.
pub(super) async fn store_and_org(
    world: &World,
) -> (shared::store::Store, shared::store::Versioned<shared::domain::org::Org>) {
    let store = shared::store::Store::new(world.client.clone(), &world.table);
    let org = store.org_versioned(&ORG.to_owned().try_into().unwrap()).await.unwrap().unwrap();
    (store, org)
}

#[tokio::test]
async fn a_limit_below_the_latest_redemption_count_is_not_written() {
    use shared::{
        domain::bundle::transition::{bring_up_to_date, edit},
        store::StoreError,
    };
    let world = prepared(json!({"maxRedemptions": 10}), false).await;
    world.send(&bundles::redeem("b", "ada", "o1", &json!({}))).await;
    let (store, org) = store_and_org(&world).await;
    let read = store.bundle(&org.value.id, &"b".to_owned().try_into().unwrap()).await.unwrap().unwrap();

    world.send(&bundles::redeem("b", "ada", "o2", &json!({}))).await;
    let mut terms = read.value.terms.clone();
    terms.max_redemptions = Some(1.try_into().unwrap());
    let moved = bring_up_to_date(&read.value, org.value.zone(), noon());
    let edited = edit(moved, terms, None).unwrap();
    let mut transaction = store.transaction(&org.value);
    transaction.edit_bundle(&edited, &read).unwrap();
    assert!(matches!(transaction.commit().await, Err(StoreError::Contended)));
    let lower = world.send(&bundles::put("b", &json!({"maxRedemptions": 1}))).await;
    assert_eq!((lower.status.as_u16(), lower.code()), (409, "limit_below_used"));
    bundles::check(&world, ORG, "b").await;
}

#[tokio::test]
async fn a_bundle_redeemed_meanwhile_is_not_deleted() {
    use shared::store::StoreError;
    let world = prepared(json!({}), false).await;
    let (store, org) = store_and_org(&world).await;
    let b = "b".to_owned().try_into().unwrap();
    let read = store.bundle(&org.value.id, &b).await.unwrap().unwrap();
    world.send(&bundles::redeem("b", "ada", "o1", &json!({}))).await;
    let mut transaction = store.transaction(&org.value);
    transaction.delete_bundle(&b, read.version, noon()).unwrap();
    assert!(matches!(transaction.commit().await, Err(StoreError::Contended)));
}

#[tokio::test]
async fn a_recreated_bundle_is_not_mistaken_for_the_deleted_one() {
    use shared::{domain::bundle::transition::bring_up_to_date, store::StoreError};
    let world = prepared(json!({"timeStart": "09:00"}), false).await;
    let (store, org) = store_and_org(&world).await;
    let read = store.bundle(&org.value.id, &"b".to_owned().try_into().unwrap()).await.unwrap().unwrap();
    let later = noon() + chrono::TimeDelta::hours(2);
    let delete = harness::Request::new("DELETE", "back-office", format!("/orgs/{ORG}/bundles/b"));
    assert_eq!(world.send_at(&delete, later).await.status, 200);
    assert_eq!(world.send_at(&bundles::put("b", &json!({"bundlePrice": 1})), later).await.status, 201);

    let moved = bring_up_to_date(&read.value, org.value.zone(), later);
    assert!(!moved.transitions.is_empty());
    let mut transaction = store.transaction(&org.value);
    transaction.record_status(&moved, &read).unwrap();
    assert!(matches!(transaction.commit().await, Err(StoreError::Contended)));
    assert_eq!(bundles::check(&world, ORG, "b").await["bundlePrice"], 1);
}

#[tokio::test]
async fn a_bundle_is_not_created_from_a_stale_read_of_its_org() {
    use shared::{domain::bundle::transition::StatusUpdate, store::StoreError};
    let world = prepared(json!({}), false).await;
    let (store, org) = store_and_org(&world).await;
    let b = store.bundle(&org.value.id, &"b".to_owned().try_into().unwrap()).await.unwrap().unwrap().value;
    world.put_org(ORG, &json!({"name": "Shop", "timezone": "Asia/Tokyo"})).await;
    let made = StatusUpdate::new("new".to_owned().try_into().unwrap(), b.terms, org.value.profile.timezone, noon());
    let mut transaction = store.transaction(&org.value);
    transaction.create_bundle(&made, org.version).unwrap();
    assert!(matches!(transaction.commit().await, Err(StoreError::Contended)));
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_lowered_while_orders_race_are_never_exceeded() {
    let world = prepared(json!({"maxRedemptions": 100}), false).await;
    let orders = (0..120).map(|number| bundles::redeem("b", "ada", &format!("o{number}"), &json!({})));
    let edits = (1..40).map(|limit| bundles::put("b", &json!({"maxRedemptions": limit})));
    let calls = orders.zip(edits.cycle()).flat_map(|(order, edit)| [order, edit]).map(|request| {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let status = world.send_with_retries(&request, noon()).await.status.as_u16();
            assert!([200, 201, 409].contains(&status));
        })
    });
    futures::future::try_join_all(calls).await.unwrap();
    bundles::check(&world, ORG, "b").await;
}
