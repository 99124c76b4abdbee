//! The invariants of every ledger.

use std::collections::HashMap;

use back_office::{
    activity::{ActivityRequest, ListActivity},
    loyalty::GetLoyalty,
    orgs::OrgRequest,
};
use serde_json::Value;

use crate::{Request, World, lists::read_all, valid};

/// Reads a customer's ledger. Returns the entries, oldest first.
pub async fn ledger(world: &World, org: &str, customer: &str) -> Vec<Value> {
    let page = |cursor| ActivityRequest { org_id: valid(org), customer_id: valid(customer), limit: valid(100), cursor };
    let mut entries = read_all::<ListActivity>(world, "entries", page).await;
    entries.reverse();
    entries
}

/// Checks a customer against their ledger, and returns the customer.
///
/// - The balance is the sum of the entries, and each entry's balance follows from the entry before.
/// - Lifetime value and order count follow from the entries.
/// - The tier is the result of the last tier change. Without a tier change it is the lowest tier.
pub async fn check(world: &World, org: &str, customer: &str) -> Value {
    let record = world.send(&Request::get_customer(org, customer)).await;
    assert_eq!(record.status, 200, "{:?}", record.body);
    let settings = world.send(&Request::of::<GetLoyalty>(&OrgRequest { org_id: valid(org) })).await.body;
    let entries = ledger(world, org, customer).await;
    let mut balance = 0;
    let mut paid: HashMap<&str, i64> = HashMap::new();
    let mut redeemed: HashMap<&str, i64> = HashMap::new();
    let mut tier: Option<&Value> = None;
    for entry in &entries {
        balance += entry["points"].as_i64().unwrap();
        assert_eq!(entry["balance"], balance, "{customer}'s ledger: {entries:#?}");
        let order = entry["orderId"].as_str().unwrap_or_default();
        match entry["kind"].as_str().unwrap() {
            "points_earned" => {
                let earlier = paid.insert(order, cents(&entry["orderTotal"]));
                assert_eq!(earlier, None, "{order} earned twice: {entries:#?}");
            }
            "points_reversed" => {
                let rest = paid[order] - cents(&entry["refundTotal"]);
                assert!(rest >= 0, "{order} was refunded beyond what was paid: {entries:#?}");
                if rest == 0 {
                    paid.remove(order)
                } else {
                    paid.insert(order, rest)
                };
            }
            "points_restored" => {
                *paid.entry(order).or_default() += cents(&entry["refundTotal"]);
            }
            "points_redeemed" => {
                assert!(balance >= 0, "{order} was paid with more points than the balance: {entries:#?}");
                assert!(
                    redeemed.insert(order, -entry["points"].as_i64().unwrap()).is_none(),
                    "{order} twice: {entries:#?}"
                );
            }
            "points_returned" => {
                assert_eq!(redeemed.remove(order), entry["points"].as_i64(), "{order} returned: {entries:#?}");
                // The order cannot be paid with points again.
                redeemed.insert(order, 0);
            }
            "tier_changed" => {
                assert!(tier.is_none_or(|tier| entry["from"] == *tier), "{customer}'s ledger: {entries:#?}");
                tier = Some(&entry["to"]);
            }
            _ => {}
        }
    }
    let context = format!("{}\n{entries:#?}", record.body);
    assert_eq!(record.body["points"], balance, "the balance is not the sum of the entries: {context}");
    assert_eq!(cents(&record.body["lifetimeValue"]), paid.values().sum::<i64>(), "lifetime value: {context}");
    assert_eq!(record.body["orderCount"], paid.len(), "order count: {context}");
    assert_eq!(&record.body["tier"], tier.unwrap_or(&settings["tiers"][0]["name"]), "tier: {context}");
    record.body
}

/// An amount of an answer, in minor units.
pub fn cents(amount: &Value) -> i64 {
    let text = amount.to_string();
    let (whole, cents) = text.split_once('.').unwrap_or((&text, "0"));
    whole.parse::<i64>().unwrap() * 100 + format!("{cents:0<2}").parse::<i64>().unwrap()
}
