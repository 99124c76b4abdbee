//! Requests about bundles, and the invariants of every bundle.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use back_office::{
    bundle_lists::{BundlesRequest, ListBundles, ListTransitions, TransitionsRequest as BundleTransitionsRequest},
    bundles::{BundleRequest, GetBundle, PutBundle, TransitionBundle, TransitionRequest},
};
use bundle_redemption::{
    read::{
        BundleRedemptionsRequest, CheckEligibility, EligibilityRequest, GetBundleStats, ListBundleRedemptions,
        StatsRequest,
    },
    redeem::{BundleRedemptionRequest, RedeemBundle},
    void::{BundleVoidRequest, VoidBundleRedemption},
};
use bundle_transitions::transition::{TransitionBundles, TransitionsRequest};
use chrono::TimeDelta;
use serde_json::Value;
use shared::{
    domain::{
        bundle::terms::{BundleType, DesiredState, Product},
        time,
    },
    inbound::bundle::BundleFields,
};

use crate::{Request, World, audit::cents, instant, lists::read_all, valid, world::ORG};

/// The request to create or replace a bundle of soap, extended by `more`.
pub fn put(bundle: &str, more: &Value) -> Request {
    let soap =
        Product { product_id: valid("soap"), name: valid("Soap"), required_qty: valid(2), original_price: valid(10) };
    Request::of::<PutBundle>(&BundleFields {
        org_id: valid(ORG),
        bundle_id: valid(bundle),
        name: valid("Soap for two"),
        description: None,
        kind: BundleType::Bogo,
        products: vec![soap].try_into().unwrap(),
        original_total: valid("20.00"),
        bundle_price: valid("15.50"),
        start_date: None,
        end_date: None,
        days_of_week: None,
        time_start: None,
        time_end: None,
        max_redemptions: None,
        per_customer_limit: None,
        known_customers_only: false,
        desired_state: Some(DesiredState::Published),
    })
    .with(more)
}

/// The fields of a bundle of soap, extended by `more`.
pub fn terms(more: &Value) -> Value {
    serde_json::from_slice(&put("soap", more).body).unwrap()
}

/// The request to move a bundle to another state.
pub fn move_to(bundle: &str, to: &str) -> Request {
    Request::of::<TransitionBundle>(&TransitionRequest {
        org_id: valid(ORG),
        bundle_id: valid(bundle),
        to: valid(to),
        reason: valid("as the test says"),
    })
}

/// The request to redeem a bundle, extended by `more`.
pub fn redeem(bundle: &str, customer: &str, order: &str, more: &Value) -> Request {
    let request = BundleRedemptionRequest {
        org_id: valid(ORG),
        bundle_id: valid(bundle),
        customer_id: valid(customer),
        order_id: valid(order),
        fulfilled_at: None,
    };
    Request::of::<RedeemBundle>(&request).with(more)
}

/// The request to void a redemption.
pub fn void(bundle: &str, order: &str) -> Request {
    let request = BundleVoidRequest { org_id: valid(ORG), order_id: valid(order), bundle_id: valid(bundle) };
    Request::of::<VoidBundleRedemption>(&request)
}

/// The request to read a bundle.
pub fn get(org: &str, bundle: &str) -> Request {
    Request::of::<GetBundle>(&BundleRequest { org_id: valid(org), bundle_id: valid(bundle) })
}

/// The request to read the counters of a bundle.
pub fn stats(org: &str, bundle: &str) -> Request {
    Request::of::<GetBundleStats>(&StatsRequest { org_id: valid(org), bundle_id: valid(bundle) })
}

/// The request to run `bundle-transitions` over all orgs, extended by `more`.
pub fn job(more: &Value) -> Request {
    Request::of::<TransitionBundles>(&TransitionsRequest { org_id: None, cursor: None, dry_run: false }).with(more)
}

/// A transition as one line of text.
pub fn line(transition: &Value) -> String {
    let text = |name: &str| transition[name].as_str().unwrap();
    let at = text("at").trim_end_matches("00.000Z").trim_end_matches(':');
    format!("{}>{} {at} {}", text("from"), text("to"), text("reason"))
}

/// A bundle's transitions, oldest first.
pub async fn transitions(world: &World, org: &str, bundle: &str) -> Vec<Value> {
    let page =
        |cursor| BundleTransitionsRequest { org_id: valid(org), bundle_id: valid(bundle), limit: valid(100), cursor };
    let mut rows = read_all::<ListTransitions>(world, "transitions", page).await;
    rows.reverse();
    rows
}

/// A bundle's redemptions, newest first.
pub async fn redemptions(world: &World, org: &str, bundle: &str) -> Vec<Value> {
    let page =
        |cursor| BundleRedemptionsRequest { org_id: valid(org), bundle_id: valid(bundle), limit: valid(100), cursor };
    read_all::<ListBundleRedemptions>(world, "redemptions", page).await
}

/// The row of a bundle in the list, with its recorded status.
pub async fn stored(world: &World, org: &str, bundle: &str) -> Value {
    let page = |cursor| BundlesRequest { org_id: valid(org), status: None, limit: valid(100), cursor };
    let listed = read_all::<ListBundles>(world, "bundles", page).await;
    listed.into_iter().find(|row| row["bundleId"] == bundle).expect("the bundle is listed")
}

/// Writes numbered copies of a bundle to the table. Copy number `n` is due at `due(n)`, or never.
pub async fn copy(world: &World, bundle: &str, copies: usize, due: impl Fn(usize) -> Option<&'static str>) {
    let text = |value: String| AttributeValue::S(value);
    let item = item(world, ORG, bundle).await;
    let numbers: Vec<usize> = (0..copies).collect();
    for batch in numbers.chunks(25) {
        let puts = batch.iter().map(|number| {
            let mut item = item.clone();
            item.insert("sk".into(), text(format!("BUNDLE#{bundle}{number:06}")));
            item.insert("bundleId".into(), text(format!("{bundle}{number:06}")));
            item.remove("list");
            item.remove("at");
            if let Some(due) = due(*number) {
                item.insert("list".into(), text(format!("DUE#{:02}", number % 16)));
                item.insert("at".into(), text(due.to_owned()));
            }
            let put = PutRequest::builder().set_item(Some(item)).build().unwrap();
            WriteRequest::builder().put_request(put).build()
        });
        let puts: Vec<_> = puts.collect();
        world.client.batch_write_item().request_items(&world.table, puts).send().await.unwrap();
    }
}

/// The stored item of a bundle.
pub async fn item(world: &World, org: &str, bundle: &str) -> HashMap<String, AttributeValue> {
    let key = |value: String| AttributeValue::S(value);
    let get = world.client.get_item().table_name(&world.table).key("pk", key(format!("ORG#{org}")));
    let get = get.key("sk", key(format!("BUNDLE#{bundle}"))).consistent_read(true);
    get.send().await.unwrap().item.expect("the bundle")
}

/// Changes a bundle as if older time zone data had been used: the bundle falls due an hour late. The job has not yet
/// seen the newer data.
pub async fn record_older_zone_rules(world: &World, org: &str, bundle: &str) {
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let due = item(world, org, bundle).await.get("at").map(|at| instant(at.as_s().unwrap()) + TimeDelta::hours(1));
    let update = |pk: String, sk: &str| {
        world.client.update_item().table_name(&world.table).key("pk", AttributeValue::S(pk)).key("sk", text(sk))
    };
    let update_bundle = update(format!("ORG#{org}"), &format!("BUNDLE#{bundle}"));
    let update_bundle = update_bundle.expression_attribute_values(":data", text("2025b"));
    let update_bundle = match due {
        Some(due) => update_bundle
            .update_expression("SET recorded.zoneData = :data, #at = :at")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":at", AttributeValue::S(time::text(due))),
        None => update_bundle.update_expression("SET recorded.zoneData = :data"),
    };
    update_bundle.send().await.unwrap();
    let marked = update("SWEEP#transition".to_owned(), "ZONES").update_expression("SET marked = :data");
    marked.expression_attribute_values(":data", text("2025b")).send().await.unwrap();
}

/// Checks that the due index holds the next status change after the instant of the recorded status.
async fn check_due(world: &World, org: &str, bundle: &str) {
    let item = item(world, org, bundle).await;
    let recorded = instant(item["recorded"].as_m().unwrap()["at"].as_s().unwrap());
    let then = world.send_at(&get(org, bundle), recorded).await.body;
    let due = item.get("at").map(|at| at.as_s().unwrap().as_str());
    assert_eq!(due, then["nextChange"].as_str(), "{item:?}");
    assert_eq!(item.contains_key("list"), due.is_some());
}

/// Checks that history, counters, limits, recorded status and due index agree, and that each transition begins with the
/// status that the transition before ended with. Returns the row of the bundle.
pub async fn check(world: &World, org: &str, bundle: &str) -> Value {
    check_due(world, org, bundle).await;
    let stored = stored(world, org, bundle).await;
    let history = redemptions(world, org, bundle).await;
    let stats = world.send(&stats(org, bundle)).await.body;

    let counting: Vec<&Value> = history.iter().filter(|row| row["voidedAt"].is_null()).collect();
    let mut by_customer: BTreeMap<&str, u64> = BTreeMap::new();
    for row in &counting {
        *by_customer.entry(row["customerId"].as_str().unwrap()).or_default() += 1;
    }
    let context = format!("{stored}\n{stats}\n{history:#?}");
    let customers: BTreeSet<&str> = history.iter().map(|row| row["customerId"].as_str().unwrap()).collect();
    for customer in customers.into_iter().take(60) {
        let request = EligibilityRequest { org_id: valid(org), bundle_id: valid(bundle), customer_id: valid(customer) };
        let eligibility = world.send(&Request::of::<CheckEligibility>(&request)).await.body;
        assert_eq!(
            eligibility["currentCount"],
            by_customer.get(customer).copied().unwrap_or(0),
            "{customer} of {context}"
        );
    }
    assert_eq!(stored["currentRedemptions"], counting.len(), "{context}");
    assert_eq!(stats["totalRedemptions"], counting.len(), "{context}");
    assert_eq!(stats["uniqueCustomers"], by_customer.len(), "{context}");
    let saved: i64 = counting.iter().map(|row| cents(&row["savings"])).sum();
    assert_eq!(cents(&stats["totalSavings"]), saved, "{context}");
    if let Some(max) = stored["maxRedemptions"].as_u64() {
        assert!(counting.len() as u64 <= max, "oversold: {context}");
    }
    if let Some(limit) = stored["perCustomerLimit"].as_u64() {
        assert!(by_customer.values().all(|count| *count <= limit), "a customer is above the limit: {context}");
    }

    let transitions = transitions(world, org, bundle).await;
    for pair in transitions.windows(2) {
        assert_eq!(pair[0]["to"], pair[1]["from"], "{transitions:#?}");
        assert!(pair[0]["at"].as_str() <= pair[1]["at"].as_str(), "{transitions:#?}");
    }
    if let Some(last) = transitions.last() {
        assert_eq!(last["to"], stored["status"], "{transitions:#?}");
    }
    stored
}
