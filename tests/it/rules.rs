//! The rules against the vectors, every row, and against what must hold of any input.

use chrono::{DateTime, TimeDelta, Utc};
use harness::{audit::cents, vectors::every_row};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::domain::{
    customer::{Customer, CustomerProfile},
    earning::{
        award::{self, Order},
        refund,
        terms::EarningTerms,
    },
    loyalty::{InactivityDays, Loyalty, LoyaltySettings, RedemptionMode, RedemptionTier, Tier, Tiers},
    money::{Currency, Money},
    orders::OrderHistory,
    points::Points,
    points_redemption::{self, PointsValuation},
    rate::{EquityMultiplier, PointsMultiplier, PointsPerDollar},
    rejection::Rejection,
    segment::segment_at,
    text::SingleLine,
    tier::{progress_percent, tier_at},
};

fn decimal(value: &Value) -> Decimal {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned).parse().unwrap()
}

fn money(value: &Value) -> Money {
    Money::from_request(decimal(value)).unwrap()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Earning {
    order_total: Value,
    points_per_dollar: Value,
    equity_multiplier: Value,
    equity_status: bool,
    tier_multiplier: Value,
    points: i64,
    #[serde(default)]
    refunds: Vec<Value>,
    #[serde(default)]
    points_reversed: Vec<i64>,
}

impl Earning {
    fn loyalty(&self) -> Loyalty {
        let tier = Tier {
            name: line("Only"),
            threshold: Money::ZERO,
            points_multiplier: PointsMultiplier::try_from(decimal(&self.tier_multiplier)).unwrap(),
        };
        let settings = LoyaltySettings {
            points_per_dollar: PointsPerDollar::try_from(decimal(&self.points_per_dollar)).unwrap(),
            equity_multiplier: EquityMultiplier::try_from(decimal(&self.equity_multiplier)).unwrap(),
            tiers: vec![tier].try_into().unwrap(),
            ..LoyaltySettings::default()
        };
        Loyalty::replaced(None, settings)
    }

    fn awarded(&self) -> award::Awarded {
        let order = order("o1", money(&self.order_total), self.equity_status);
        award::award(&somebody(), &self.loyalty(), order, now()).unwrap()
    }
}

fn line(text: &str) -> SingleLine {
    SingleLine::try_from(text.to_owned()).unwrap()
}

fn now() -> DateTime<Utc> {
    harness::world::noon()
}

fn somebody() -> Customer {
    Customer::new("ada".to_owned().try_into().unwrap(), CustomerProfile::default())
}

fn order(id: &str, total: Money, equity_status: bool) -> Order {
    let id = id.to_owned().try_into().unwrap();
    Order { id, customer: somebody().id, total, equity_status, fulfilled_at: now() }
}

#[test]
fn every_points_vector_holds() {
    every_row("points.json", 20, |row: &Earning| (json!(row.awarded().award.points), json!(row.points)));
}

#[test]
fn every_refund_vector_holds() {
    every_row("refunds.json", 20, |row: &Earning| {
        let awarded = row.awarded();
        assert_eq!(awarded.award.points, Points(row.points));
        let (mut customer, mut award, mut reversed) = (awarded.customer, awarded.award, Vec::new());
        for (number, total) in row.refunds.iter().enumerate() {
            let id = format!("r{number}").try_into().unwrap();
            let refunded = refund::refund(&customer, &row.loyalty(), &award, id, Some(money(total)), now()).unwrap();
            reversed.push(refunded.refund.points);
            (customer, award) = (refunded.customer, refunded.award);
        }
        (json!(reversed), json!(row.points_reversed))
    });
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
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Checkout {
    redemption_tiers: Vec<Reward>,
    redemption_mode: RedemptionMode,
    points: i64,
    balance: i64,
    order_total: Value,
    value: Option<Value>,
    code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Reward {
    points_cost: i64,
    reward_value: Value,
}

fn rewards(tiers: &[(i64, Money)], redemption_mode: RedemptionMode) -> LoyaltySettings {
    let tiers = tiers.iter().map(|(cost, reward_value)| RedemptionTier {
        points_cost: (*cost).try_into().unwrap(),
        reward_value: *reward_value,
    });
    let redemption_tiers = tiers.collect::<Vec<_>>().try_into().unwrap();
    LoyaltySettings { redemption_tiers, redemption_mode, ..LoyaltySettings::default() }
}

#[test]
fn every_redemption_vector_holds() {
    every_row("redemption.json", 80, |row: &Checkout| {
        let tiers: Vec<_> =
            row.redemption_tiers.iter().map(|tier| (tier.points_cost, money(&tier.reward_value))).collect();
        let settings = rewards(&tiers, row.redemption_mode);
        let points = row.points.try_into().unwrap();
        let quoted = points_redemption::quote(
            PointsValuation::new(&settings, &Currency::default()),
            Points(row.balance),
            points,
            Some(money(&row.order_total)),
        );
        let ought = row.code.as_ref().map_or_else(|| json!(money(row.value.as_ref().unwrap())), |code| json!(code));
        (quoted.map_or_else(|refusal| json!(refusal.code()), |value| json!(value)), ought)
    });
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
fn a_product_that_binary_floating_point_gets_wrong_is_exact() {
    let terms = EarningTerms {
        points_per_dollar: PointsPerDollar::default(),
        earn_rate: None,
        equity: EquityMultiplier::try_from(Decimal::new(115, 2)).unwrap(),
        tier: PointsMultiplier::default(),
    };
    assert_eq!(terms.points_for(money(&json!("100.00"))), Ok(Points(115)));
}

#[test]
fn the_largest_product_is_exact() {
    let terms = EarningTerms {
        points_per_dollar: PointsPerDollar::try_from(decimal(&json!("999.9999"))).unwrap(),
        earn_rate: None,
        equity: EquityMultiplier::try_from(decimal(&json!("9.9999"))).unwrap(),
        tier: PointsMultiplier::try_from(decimal(&json!("99.9999"))).unwrap(),
    };
    let exact: i128 = 999_999_999 * 9_999_999 * 99_999 * 999_999 / 100_000_000_000_000;
    assert_eq!(terms.points_for(money(&json!("9999999.99"))), Ok(Points(i64::try_from(exact).unwrap())));
    let beyond = terms.points_for(money(&json!("100000000000")));
    assert_eq!(beyond, Err(Rejection::OutOfRange { figure: "points" }));
}

#[test]
fn progress_is_the_floored_way_to_the_next_tier() {
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

#[test]
fn a_balance_never_leaves_what_a_json_number_holds() {
    let mut rich = somebody();
    rich.points = Points(999_999_999_999_999);
    let loyalty = Loyalty::replaced(None, LoyaltySettings::default());
    let one_more = award::award(&rich, &loyalty, order("o1", money(&json!("2")), false), now());
    assert_eq!(one_more, Err(Rejection::OutOfRange { figure: "points" }));
}

fn amounts() -> impl Strategy<Value = Money> {
    (0_i64..=100_000_000).prop_map(|minor| Money::from_minor(minor).unwrap())
}

proptest! {
    #[test]
    fn partial_refunds_together_take_back_exactly_what_was_earned(
        total in amounts(), rate in 0_i64..=10_000_000, parts in prop::collection::vec(1_u32..=100, 0..6),
    ) {
        let settings = LoyaltySettings {
            points_per_dollar: PointsPerDollar::try_from(Decimal::new(rate, 4)).unwrap(),
            ..LoyaltySettings::default()
        };
        let loyalty = Loyalty::replaced(None, settings);
        let awarded = award::award(&somebody(), &loyalty, order("o1", total, false), now()).unwrap();
        let (mut customer, mut award) = (awarded.customer, awarded.award);
        for (number, percent) in parts.into_iter().enumerate() {
            let Some(remaining) = award.remaining else { break };
            let part = Money::from_minor(remaining.minor() * i64::from(percent) / 100).unwrap();
            let id = format!("r{number}").try_into().unwrap();
            let refunded = refund::refund(&customer, &loyalty, &award, id, Some(part), now()).unwrap();
            prop_assert!(refunded.refund.points >= Points::ZERO);
            prop_assert!(refunded.customer.points >= Points::ZERO);
            (customer, award) = (refunded.customer, refunded.award);
        }
        if award.remaining.is_some() {
            let id = "rest".to_owned().try_into().unwrap();
            customer = refund::refund(&customer, &loyalty, &award, id, None, now()).unwrap().customer;
        }
        prop_assert_eq!((customer.points, customer.lifetime_value, customer.orders), (Points::ZERO, Money::ZERO, None));
    }

    #[test]
    fn the_most_points_are_accepted_and_no_more_would_be(
        tiers in prop::collection::btree_map(1_i64..40, prop_oneof![0_i64..30, 0_i64..3000], 0..5), exact in any::<bool>(), balance in -20_i64..60,
        total in prop::option::of(prop_oneof![0_i64..40, 0_i64..4000]), has_decimals in any::<bool>(),
    ) {
        let currency = Currency::try_from(if has_decimals { "USD" } else { "JPY" }.to_owned()).unwrap();
        let tiers: Vec<_> = tiers.into_iter().map(|(cost, value)| (cost, Money::from_minor(value).unwrap())).collect();
        let mode = if exact { RedemptionMode::Exact } else { RedemptionMode::Proportional };
        let (settings, total) = (rewards(&tiers, mode), total.map(|total| Money::from_minor(total).unwrap()));
        let valuation = PointsValuation::new(&settings, &currency);
        let quote = |points: i64| points_redemption::quote(valuation, Points(balance), points.try_into().unwrap(), total).ok();
        // Each one tried, one by one, which the rule does not do.
        let most = (1..=60).rev().find_map(|points| quote(points).map(|value| (points, value)));
        let told = points_redemption::max_redeemable(valuation, Points(balance), total).map(|(points, value)| (points.get().0, value));
        prop_assert_eq!(told, most);
    }

    #[test]
    fn a_tier_only_falls_while_nothing_is_bought(value in amounts(), days in 0_i64..2000, more in 0_i64..2000) {
        let settings = LoyaltySettings::default();
        let rank = |days: i64| {
            let tier = tier_at(&settings, value, Some(now()), now() + TimeDelta::days(days));
            settings.tiers.rank_of(&tier.name).unwrap()
        };
        prop_assert!(rank(days + more) <= rank(days));
        prop_assert!(rank(days) - rank(days + 1) <= 1, "one step at a time");
    }

    #[test]
    fn an_amount_is_answered_as_it_was_asked(minor in 0_i64..=1_000_000_000) {
        let amount = Money::from_minor(minor).unwrap();
        let answered = serde_json::to_value(amount).unwrap();
        prop_assert_eq!(cents(&answered), minor);
        prop_assert_eq!(money(&answered), amount);
    }
}

#[test]
fn a_recalculation_leaves_alone_what_was_decided_later_or_by_newer_rules() {
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
        customer.orders = Some(OrderHistory::dated(1.try_into().unwrap(), now(), now()));
        customer.held_tier =
            Some(HeldTier { tier: line("Bronze"), since, tier_rules_version: loyalty.tier_rules_version });
        customer
    };
    let later = now() + TimeDelta::hours(1);
    assert!(recalculate(&held(&old, now()), &old, later).is_some(), "Gold, by the rules it was judged by");
    assert_eq!(recalculate(&held(&new, now()), &old, later), None, "an order was judged by newer rules meanwhile");
    assert_eq!(recalculate(&held(&old, later + TimeDelta::milliseconds(1)), &old, later), None, "or later");
}
