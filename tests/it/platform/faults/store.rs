//! A store that fails, items that cannot be read, batches that come back incomplete.

use std::time::Duration;

use harness::{
    Request, World, audit, bundles,
    faults::{Fault, FaultDuration},
    scenario,
    world::{ORG, noon},
};
use serde_json::json;

#[tokio::test]
async fn a_store_that_does_not_answer_is_503_with_retry_after() {
    let world = World::with_timeout(Some(Duration::from_secs(2))).await;
    world.proxy.fail(0, Fault::DropRequest, FaultDuration::UntilHealed);
    let answer = world.get(&format!("/orgs/{ORG}")).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (503, "try_again"));
    assert_eq!(answer.headers["retry-after"], "1");
}

#[tokio::test]
async fn a_hanging_store_is_given_up_before_lambdas_own_timeout() {
    let world = World::with_timeout(Some(Duration::from_secs(2))).await;
    world.proxy.fail(0, Fault::Hang, FaultDuration::UntilHealed);
    let answer = world.get(&format!("/orgs/{ORG}")).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (503, "try_again"));
    assert_eq!(world.proxy.take_requests().len(), 1, "the client's own patience is longer than the function's");
}

#[tokio::test]
async fn an_unreadable_item_is_500_and_the_answer_reveals_no_detail() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.corrupt("CUSTOMER#shop#ada", "PROFILE", "points").await;
    let answer = world.get(&format!("/orgs/{ORG}/customers/ada")).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (500, "internal"));
    assert!(!answer.body.to_string().contains("customer"), "{}", answer.body);
}

#[tokio::test]
async fn an_unreadable_item_does_not_hide_other_items_from_a_list() {
    let world = World::new().await;
    for name in ["ada", "bo", "cy"] {
        world.put_customer(ORG, name, &json!({})).await;
        world.send(&bundles::put(name, &json!({}))).await;
        world.put_org(name, &json!({"name": "An org"})).await;
    }
    world.corrupt("CUSTOMER#shop#bo", "PROFILE", "points").await;
    world.corrupt("ORG#shop", "BUNDLE#bo", "terms").await;
    world.corrupt("ORG#bo", "ORG", "version").await;
    for (path, plural, id, readable) in [
        ("/orgs", "orgs", "orgId", vec!["ada", "cy", "shop"]),
        ("/orgs/shop/bundles", "bundles", "bundleId", vec!["ada", "cy"]),
        ("/orgs/shop/customers", "customers", "customerId", vec!["ada", "cy"]),
    ] {
        let (mut whole, mut broken, mut cursor) = (Vec::new(), Vec::new(), String::new());
        loop {
            let page = world.get(&format!("{path}?limit=1{cursor}")).await;
            assert_eq!(page.status, 200, "{path}: {}", page.body);
            for row in page.body[plural].as_array().unwrap() {
                if row.get("error").is_some() { &mut broken } else { &mut whole }.push(row.clone());
            }
            let Some(next) = page.body["cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(broken, [json!({id: "bo", "error": "internal"})], "{path}");
        let mut ids: Vec<&str> = whole.iter().map(|row| row[id].as_str().unwrap()).collect();
        ids.sort_unstable();
        assert_eq!(ids, readable, "{path}");
    }
    // An unreadable record matches no filter.
    for path in ["/orgs/shop/bundles?status=draft", "/orgs/shop/customers?tier=Bronze"] {
        let page = world.get(path).await.body;
        assert!(!page.to_string().contains("\"bo\""), "{page}");
    }
}

#[tokio::test]
async fn an_award_read_before_another_refund_is_not_overwritten() {
    use shared::{
        domain::{earning::refund, ids::OrgId},
        store::{Store, StoreError},
    };
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&scenario::award("ada", "o1", "100", &json!({}))).await;
    let store = Store::new(world.client.clone(), &world.table);
    let shop = OrgId::try_from(ORG.to_owned()).unwrap();
    let org = store.org_versioned(&shop).await.unwrap().unwrap().value;
    let (ada, o1) = ("ada".to_owned().try_into().unwrap(), "o1".to_owned().try_into().unwrap());
    let late: shared::domain::ids::RefundId = "late".to_owned().try_into().unwrap();

    // A batch is not one snapshot: the award may be older and the customer newer than another refund.
    let before = store.refund_context(&shop, &ada, &o1, &late).await.unwrap().award.unwrap();
    world.send(&scenario::refund_request("ada", "o1", "first", None)).await;
    let after = store.refund_context(&shop, &ada, &o1, &late).await.unwrap().customer.unwrap();
    let loyalty = org.loyalty.as_ref().unwrap();
    let mut stale = after.value.clone();
    stale.lifetime_value = before.value.order.total;
    let torn = refund::refund(&stale, loyalty, &before.value, late, None, noon()).unwrap();

    let mut transaction = store.transaction(&org);
    transaction.replace_customer(&torn.customer, &after, &torn.entries).unwrap();
    transaction.record_refund(&torn.refund, &torn.award, &before).unwrap();
    assert!(matches!(transaction.commit().await, Err(StoreError::Contended)));
    assert_eq!(audit::check(&world, ORG, "ada").await["points"], 0);
}

#[tokio::test]
async fn an_org_is_deleted_completely_despite_unprocessed_batches() {
    let world = World::new().await;
    world.put_org("temp", &json!({"name": "Temp", "disposable": true})).await;
    world.put_customer("temp", "ada", &json!({})).await;
    let delete = Request::new("DELETE", "back-office", "/orgs/temp");
    // The mark (read and write), the list of customers, the partition of one customer, and its batch.
    world.proxy.fail(4, Fault::Unprocessed, FaultDuration::Once);
    let answer = world.send(&delete).await;
    assert_eq!((answer.status.as_u16(), &answer.body["complete"]), (200, &json!(true)), "{}", answer.body);
    let seen = world.proxy.take_requests();
    assert_eq!(seen[4..6], ["BatchWriteItem", "BatchWriteItem"], "{seen:?}");
    assert_eq!(world.client.scan().table_name(&world.table).send().await.unwrap().count(), 1);
}

#[tokio::test]
async fn an_empty_page_does_not_end_a_listing() {
    let world = World::new().await;
    for name in ["ada", "bo"] {
        world.put_customer(ORG, name, &json!({})).await;
    }
    world.proxy.answer_empty_pages(2);
    let page = world.get("/orgs/shop/customers").await;
    assert_eq!(page.body["customers"].as_array().unwrap().len(), 2);
    world.proxy.answer_empty_pages(1);
    assert_eq!(world.get("/orgs").await.body["orgs"].as_array().unwrap().len(), 1);
}
