//! The rules of awards and refunds: every row of the vectors, and random amounts.

use chrono::{DateTime, Utc};
use harness::{
    audit::cents,
    rules,
    vectors::{decimal, every_row, money},
};
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
    lots::account::PointsAccount,
    loyalty::{Loyalty, LoyaltySettings, Tier},
    money::Money,
    points::Points,
    rate::{EquityMultiplier, PointsMultiplier, PointsPerDollar},
    rejection::Rejection,
    text::SingleLine,
    zone::Zone,
};

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
        rules::award(&new_customer(), &self.loyalty(), Zone::UTC, order, now()).unwrap()
    }
}

fn line(text: &str) -> SingleLine {
    SingleLine::try_from(text.to_owned()).unwrap()
}

fn now() -> DateTime<Utc> {
    harness::world::noon()
}

fn new_customer() -> Customer {
    Customer::new("ada".to_owned().try_into().unwrap(), CustomerProfile::default())
}

fn order(id: &str, total: Money, equity_status: bool) -> Order {
    let id = id.to_owned().try_into().unwrap();
    Order { id, customer: new_customer().id, total, equity_status, fulfilled_at: now() }
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
fn a_balance_stays_within_the_exact_range_of_a_json_number() {
    let mut rich = new_customer();
    rich.account = PointsAccount::undated(Points(999_999_999_999_999));
    let loyalty = Loyalty::replaced(None, LoyaltySettings::default());
    let one_more = rules::award(&rich, &loyalty, Zone::UTC, order("o1", money(&json!("2")), false), now());
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
        let awarded = rules::award(&new_customer(), &loyalty, Zone::UTC, order("o1", total, false), now()).unwrap();
        let (mut customer, mut award) = (awarded.customer, awarded.award);
        for (number, percent) in parts.into_iter().enumerate() {
            let Some(remaining) = award.remaining else { break };
            let part = Money::from_minor(remaining.minor() * i64::from(percent) / 100).unwrap();
            let id = format!("r{number}").try_into().unwrap();
            let refunded = refund::refund(&customer, &loyalty, &award, id, Some(part), now()).unwrap();
            prop_assert!(refunded.refund.points >= Points::ZERO);
            prop_assert!(refunded.customer.points() >= Points::ZERO);
            (customer, award) = (refunded.customer, refunded.award);
        }
        if award.remaining.is_some() {
            let id = "rest".to_owned().try_into().unwrap();
            customer = refund::refund(&customer, &loyalty, &award, id, None, now()).unwrap().customer;
        }
        prop_assert_eq!((customer.points(), customer.lifetime_value, customer.orders), (Points::ZERO, Money::ZERO, None));
    }

    #[test]
    fn an_amount_survives_serialization_unchanged(minor in 0_i64..=1_000_000_000) {
        let amount = Money::from_minor(minor).unwrap();
        let answered = serde_json::to_value(amount).unwrap();
        prop_assert_eq!(cents(&answered), minor);
        prop_assert_eq!(money(&answered), amount);
    }
}
