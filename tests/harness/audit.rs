//! What must hold of every ledger, whatever happened.

use std::collections::HashMap;

use serde_json::Value;

use crate::World;

/// A customer's ledger, oldest first, read page by page.
pub async fn ledger(world: &World, org: &str, customer: &str) -> Vec<Value> {
    let mut entries = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/orgs/{org}/customers/{customer}/activity?limit=100{cursor}");
        let page = world.get(&path).await;
        assert_eq!(page.status, 200, "{:?}", page.body);
        entries.extend(page.body["entries"].as_array().unwrap().clone());
        match page.body["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    entries.reverse();
    entries
}

/// Reads a customer and checks: the balance is the sum of the entries, each entry's balance follows from the one before,
/// lifetime value and order count follow from the entries, and the tier is where the last change of tier left it, or the
/// lowest without one.
pub async fn check(world: &World, org: &str, customer: &str) -> Value {
    let who = world.get(&format!("/orgs/{org}/customers/{customer}")).await;
    assert_eq!(who.status, 200, "{:?}", who.body);
    let settings = world.get(&format!("/orgs/{org}/loyalty")).await.body;
    let entries = ledger(world, org, customer).await;
    let mut balance = 0;
    let mut left: HashMap<&str, i64> = HashMap::new();
    let mut spent: HashMap<&str, i64> = HashMap::new();
    let mut tier: Option<&Value> = None;
    for entry in &entries {
        balance += entry["points"].as_i64().unwrap();
        assert_eq!(entry["balance"], balance, "{customer}'s ledger: {entries:#?}");
        let order = entry["orderId"].as_str().unwrap_or_default();
        match entry["kind"].as_str().unwrap() {
            "points_earned" => {
                let earlier = left.insert(order, cents(&entry["orderTotal"]));
                assert_eq!(earlier, None, "{order} earned twice: {entries:#?}");
            }
            "points_reversed" => {
                let rest = left[order] - cents(&entry["refundTotal"]);
                assert!(rest >= 0, "{order} was refunded beyond what was paid: {entries:#?}");
                if rest == 0 {
                    left.remove(order)
                } else {
                    left.insert(order, rest)
                };
            }
            "points_restored" => {
                *left.entry(order).or_default() += cents(&entry["refundTotal"]);
            }
            "points_redeemed" => {
                assert!(balance >= 0, "{order} was paid with points that were not there: {entries:#?}");
                assert!(
                    spent.insert(order, -entry["points"].as_i64().unwrap()).is_none(),
                    "{order} twice: {entries:#?}"
                );
            }
            "points_returned" => {
                assert_eq!(spent.remove(order), entry["points"].as_i64(), "{order} returned: {entries:#?}");
                // It can't be paid with points again.
                spent.insert(order, 0);
            }
            "tier_changed" => {
                assert!(tier.is_none_or(|tier| entry["from"] == *tier), "{customer}'s ledger: {entries:#?}");
                tier = Some(&entry["to"]);
            }
            _ => {}
        }
    }
    let told = format!("{}\n{entries:#?}", who.body);
    assert_eq!(who.body["points"], balance, "the balance is not the sum of the entries: {told}");
    assert_eq!(cents(&who.body["lifetimeValue"]), left.values().sum::<i64>(), "lifetime value: {told}");
    assert_eq!(who.body["orderCount"], left.len(), "order count: {told}");
    assert_eq!(&who.body["tier"], tier.unwrap_or(&settings["tiers"][0]["name"]), "tier: {told}");
    who.body
}

/// An amount in an answer, in minor units.
pub fn cents(amount: &Value) -> i64 {
    let text = amount.to_string();
    let (whole, cents) = text.split_once('.').unwrap_or((&text, "0"));
    whole.parse::<i64>().unwrap() * 100 + format!("{cents:0<2}").parse::<i64>().unwrap()
}
