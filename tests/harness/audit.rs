//! The invariants of every ledger.

use std::collections::{HashMap, HashSet};

use back_office::{
    activity::{ActivityRequest, ListActivity},
    loyalty::GetLoyalty,
    orgs::OrgRequest,
};
use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::{Request, World, lists::read_all_at, valid, world::noon};

/// Reads a customer's ledger at `now`. Returns the entries, oldest first.
pub async fn ledger(world: &World, org: &str, customer: &str, now: DateTime<Utc>) -> Vec<Value> {
    let page = |cursor| ActivityRequest { org_id: valid(org), customer_id: valid(customer), limit: valid(100), cursor };
    let mut entries = read_all_at::<ListActivity>(world, "entries", page, now).await;
    entries.reverse();
    entries
}

/// Checks a customer at noon: see [`check_at`].
pub async fn check(world: &World, org: &str, customer: &str) -> Value {
    check_at(world, org, customer, noon()).await
}

/// Checks a customer against their ledger at `now`, and returns the customer.
///
/// - The balance is the sum of the entries, and each entry's balance follows from the entry before.
/// - The available, pending and held points are never negative. With the debt subtracted, they are the balance. While
///   there is a debt, nothing is available or pending.
/// - Lifetime value and order count follow from the entries.
/// - An erased customer has nothing, and an entry that says so. Returns null.
/// - The tier is the result of the last tier change. Without a tier change it is the lowest tier.
pub async fn check_at(world: &World, org: &str, customer: &str, now: DateTime<Utc>) -> Value {
    let record = world.send_at(&Request::get_customer(org, customer), now).await;
    if record.code() == "unknown_customer" {
        let entries = ledger(world, org, customer, now).await;
        let last = entries.last().unwrap();
        assert_eq!((&last["reason"], &last["balance"]), (&"erased".into(), &0.into()), "{entries:#?}");
        return Value::Null;
    }
    assert_eq!(record.status, 200, "{:?}", record.body);
    let record = record.body;
    let settings = Request::of::<GetLoyalty>(&OrgRequest { org_id: valid(org) });
    let settings = world.send_at(&settings, now).await.body;
    let entries = ledger(world, org, customer, now).await;
    let mut balance = 0;
    let mut was_reduced = false;
    let mut orders = Orders::default();
    let mut redeemed: HashMap<&str, i64> = HashMap::new();
    let mut tier: Option<&Value> = None;
    for entry in &entries {
        balance += entry["points"].as_i64().unwrap();
        assert_eq!(entry["balance"], balance, "{customer}'s ledger: {entries:#?}");
        let order = entry["orderId"].as_str().unwrap_or_default();
        let kind = entry["kind"].as_str().unwrap();
        was_reduced |= matches!(kind, "points_reversed" | "points_adjusted") && entry["points"].as_i64() < Some(0);
        match kind {
            "points_earned" | "points_reversed" | "points_restored" => orders.apply(entry, &entries),
            "points_redeemed" => {
                // Only a hold is redeemed while there is a debt.
                assert!(
                    balance >= 0 || was_reduced,
                    "{order} was paid with more points than the balance: {entries:#?}"
                );
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
            // The figures of an erased customer begin anew.
            "points_adjusted" if entry["reason"] == "erased" => {
                assert_eq!(entry["balance"], 0, "{customer}'s ledger: {entries:#?}");
                (orders, redeemed, tier) = (Orders::default(), HashMap::new(), None);
            }
            "points_expired" => assert!(entry["points"].as_i64() < Some(0), "{customer}'s ledger: {entries:#?}"),
            "tier_changed" => {
                assert!(tier.is_none_or(|tier| entry["from"] == *tier), "{customer}'s ledger: {entries:#?}");
                tier = Some(&entry["to"]);
            }
            _ => {}
        }
    }
    let context = format!("{record}\n{entries:#?}");
    assert_eq!(record["points"], balance, "the balance is not the sum of the entries: {context}");
    let figures = ["availablePoints", "pendingPoints", "heldPoints"].map(|name| record[name].as_i64().unwrap());
    assert!(figures.iter().all(|points| *points >= 0), "a figure is negative: {context}");
    let [available, pending, held] = figures;
    let debt = available + pending + held - balance;
    assert!(debt == 0 || debt > 0 && available + pending == 0, "the figures do not add up: {context}");
    assert_eq!(cents(&record["lifetimeValue"]), orders.paid.values().sum::<i64>(), "lifetime value: {context}");
    assert_eq!(record["orderCount"], orders.paid.len(), "order count: {context}");
    assert_eq!(&record["tier"], tier.unwrap_or(&settings["tiers"][0]["name"]), "tier: {context}");
    record
}

/// What is left of the orders of a ledger, in minor units.
#[derive(Default)]
struct Orders<'a> {
    /// What is left of each order that counts.
    paid: HashMap<&'a str, i64>,
    /// What was refunded of each order.
    refunded: HashMap<&'a str, i64>,
    cancelled: HashSet<&'a str>,
}

impl<'a> Orders<'a> {
    /// Applies an entry of an award, an amendment, a refund or its void.
    fn apply(&mut self, entry: &'a Value, entries: &[Value]) {
        let order = entry["orderId"].as_str().unwrap();
        let refunded = self.refunded.entry(order).or_default();
        match (entry["kind"].as_str().unwrap(), entry["amendment"].as_str()) {
            (_, Some("cancelled")) => {
                self.paid.remove(order);
                self.cancelled.insert(order);
            }
            (_, Some(_)) => {
                self.cancelled.remove(order);
                let rest = cents(&entry["orderTotal"]) - *refunded;
                if rest > 0 || *refunded == 0 {
                    self.paid.insert(order, rest);
                } else {
                    self.paid.remove(order);
                }
            }
            ("points_earned", None) => {
                let earlier = self.paid.insert(order, cents(&entry["orderTotal"]));
                assert_eq!(earlier, None, "{order} earned twice: {entries:#?}");
            }
            ("points_reversed", None) => {
                let taken = cents(&entry["refundTotal"]);
                let rest = self.paid[order] - taken;
                assert!(rest >= 0, "{order} was refunded beyond what was paid: {entries:#?}");
                *refunded += taken;
                if rest == 0 {
                    self.paid.remove(order)
                } else {
                    self.paid.insert(order, rest)
                };
            }
            (_, None) => {
                let restored = cents(&entry["refundTotal"]);
                *refunded -= restored;
                if !self.cancelled.contains(order) {
                    *self.paid.entry(order).or_default() += restored;
                }
            }
        }
    }
}

/// An amount of an answer, in minor units.
pub fn cents(amount: &Value) -> i64 {
    let text = amount.to_string();
    let (whole, cents) = text.split_once('.').unwrap_or((&text, "0"));
    whole.parse::<i64>().unwrap() * 100 + format!("{cents:0<2}").parse::<i64>().unwrap()
}

/// A ledger entry as one line of text.
pub fn line(entry: &Value) -> String {
    let text = |name: &str| entry[name].as_str().unwrap_or_default();
    let kind = text("kind");
    if kind == "tier_changed" {
        return format!("{kind} {}>{} {}", text("from"), text("to"), text("cause"));
    }
    let reference = ["refundId", "adjustmentId", "orderId"].map(text).into_iter().find(|id| !id.is_empty());
    let reference = reference.map(|id| format!("{id} ")).unwrap_or_default();
    format!("{kind} {reference}{:+} ={}", entry["points"].as_i64().unwrap(), entry["balance"])
}
