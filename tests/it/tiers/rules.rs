//! The rules of tiers and segments: every row of the vectors, and random customers.

use chrono::{DateTime, TimeDelta, Utc};
use harness::{
    vectors::{every_row, money},
    world::noon,
};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::domain::{
    loyalty::{InactivityDays, Loyalty, LoyaltySettings, Tier, Tiers},
    money::Money,
    orders::OrderHistory,
    rate::PointsMultiplier,
    segment::segment_at,
    text::SingleLine,
    tier::{progress_percent, tier_at},
};

fn line(text: &str) -> SingleLine {
    SingleLine::try_from(text.to_owned()).unwrap()
}

fn amounts() -> impl Strategy<Value = Money> {
    (0_i64..=100_000_000).prop_map(|minor| Money::from_minor(minor).unwrap())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HeldTier {
    tiers: Vec<Value>,
    inactivity_days: i64,
    lifetime_value: Value,
    last_order_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    tier: String,
}

#[test]
fn every_tier_vector_holds() {
    every_row("tier.json", 20, |row: &HeldTier| {
        let settings = LoyaltySettings {
            tiers: ladder(row.tiers.iter().map(|tier| (tier["name"].as_str().unwrap(), money(&tier["threshold"])))),
            inactivity_days: InactivityDays::try_from(row.inactivity_days).unwrap(),
            ..LoyaltySettings::default()
        };
        let tier = tier_at(&settings, money(&row.lifetime_value), row.last_order_at, row.now);
        (json!(tier.name), json!(row.tier))
    });
}

fn ladder<'a>(tiers: impl Iterator<Item = (&'a str, Money)>) -> Tiers {
    let points_multiplier = PointsMultiplier::default();
    let tiers: Vec<Tier> =
        tiers.map(|(name, threshold)| Tier { name: line(name), threshold, points_multiplier }).collect();
    tiers.try_into().unwrap()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Belonging {
    order_count: u32,
    lifetime_value: Value,
    first_order_at: Option<DateTime<Utc>>,
    last_order_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    segment: Value,
}

#[test]
fn every_segment_vector_holds() {
    every_row("segment.json", 20, |row: &Belonging| {
        let dates = row.first_order_at.zip(row.last_order_at);
        let orders = dates.map(|(first, last)| OrderHistory::dated(row.order_count.try_into().unwrap(), first, last));
        (json!(segment_at(orders.as_ref(), money(&row.lifetime_value), row.now)), row.segment.clone())
    });
}

#[test]
fn progress_is_the_rounded_down_share_of_the_way_to_the_next_tier() {
    let settings = LoyaltySettings::default();
    let at = |tier: &str, value: &str| progress_percent(&settings, &line(tier), money(&json!(value)));
    assert_eq!(at("Bronze", "0"), Some(0));
    assert_eq!(at("Bronze", "199.99"), Some(99));
    assert_eq!(at("Silver", "349.99"), Some(49));
    assert_eq!(at("Silver", "350"), Some(50));
    assert_eq!(at("Silver", "2000"), Some(99), "lowered for inactivity, with more spent than the next tier takes");
    assert_eq!(at("Gold", "100"), Some(0), "refunded below the tier still held");
    assert_eq!(at("Platinum", "1000"), Some(100));
    assert_eq!(at("Diamond", "1000"), None, "no longer listed");
}

proptest! {
    #[test]
    fn a_tier_only_falls_without_orders(value in amounts(), days in 0_i64..2000, more in 0_i64..2000) {
        let settings = LoyaltySettings::default();
        let rank = |days: i64| {
            let tier = tier_at(&settings, value, Some(noon()), noon() + TimeDelta::days(days));
            settings.tiers.rank_of(&tier.name).unwrap()
        };
        prop_assert!(rank(days + more) <= rank(days));
        prop_assert!(rank(days) - rank(days + 1) <= 1, "one step at a time");
    }
}

#[test]
fn a_recalculation_keeps_a_tier_decided_later_or_by_newer_rules() {
    use shared::domain::{
        customer::{Customer, CustomerProfile, HeldTier},
        orders::OrderHistory,
        recalculation::recalculate,
    };
    let lower = |threshold: &str| {
        let tier = |name: &str, threshold: &str| Tier {
            name: line(name),
            threshold: money(&json!(threshold)),
            points_multiplier: PointsMultiplier::default(),
        };
        let tiers = vec![tier("Bronze", "0"), tier("Gold", threshold)].try_into().unwrap();
        LoyaltySettings { tiers, ..LoyaltySettings::default() }
    };
    let old = Loyalty::replaced(None, lower("500"));
    let new = Loyalty::replaced(Some(&old), lower("5000"));
    let held = |loyalty: &Loyalty, since| {
        let mut customer = Customer::new("ada".to_owned().try_into().unwrap(), CustomerProfile::default());
        customer.lifetime_value = money(&json!("600"));
        customer.orders = Some(OrderHistory::dated(1.try_into().unwrap(), noon(), noon()));
        customer.held_tier =
            Some(HeldTier { tier: line("Bronze"), since, tier_rules_version: loyalty.tier_rules_version });
        customer
    };
    let later = noon() + TimeDelta::hours(1);
    assert!(recalculate(&held(&old, noon()), &old, later).is_some(), "Gold, by the rules it was judged by");
    assert_eq!(recalculate(&held(&new, noon()), &old, later), None, "an order was judged by newer rules meanwhile");
    assert_eq!(recalculate(&held(&old, later + TimeDelta::milliseconds(1)), &old, later), None, "or later");
}
