//! The figures of a customer, and the trend of their orders.

use chrono::{DateTime, TimeDelta, Utc};
use churn_prediction::claude::ClaudeInput;
use harness::{instant, rules};
use serde_json::{Value, json};
use shared::domain::{
    churn::{
        features::{Features, Trend, trend_at},
        risk::Probability,
    },
    customer::{Customer, CustomerProfile},
    earning::award::Order,
    loyalty::{Loyalty, LoyaltySettings},
    money::Money,
    orders::OrderHistory,
    zone::Zone,
};

fn start() -> DateTime<Utc> {
    instant("2026-01-01T10:00:00Z")
}

fn days(days: i64) -> DateTime<Utc> {
    start() + TimeDelta::days(days)
}

fn customer(orders: &[(i64, &str)]) -> Customer {
    let loyalty = Loyalty::replaced(None, LoyaltySettings::default());
    let customer = Customer::new("ada".to_owned().try_into().unwrap(), CustomerProfile::default());
    orders.iter().enumerate().fold(customer, |customer, (number, (day, total))| {
        let order = Order {
            id: format!("o{number}").try_into().unwrap(),
            customer: customer.id.clone(),
            total: Money::from_request(total.parse().unwrap()).unwrap(),
            equity_status: false,
            fulfilled_at: days(*day),
        };
        rules::award(&customer, &loyalty, Zone::UTC, order, days(*day)).unwrap().customer
    })
}

/// The figures as a request to Claude contains them.
fn asked(features: &Features) -> Value {
    json!(ClaudeInput::new(features, Probability::from_hundredths(2_500).unwrap()))
}

#[test]
fn the_figures_of_a_customer_follow_from_the_order_dates() {
    let features =
        Features::at(&customer(&[(0, "100.00"), (30, "49.99"), (60, "99.00")]), Zone::UTC, days(75)).unwrap();
    assert_eq!(
        asked(&features),
        json!({
            "daysSinceLastOrder": 15, "orders": 3, "lifetimeValue": 248.99, "averageOrderValue": 82.99,
            "daysSinceFirstOrder": 75, "ordersPerMonth": 1.2, "trend": "stable", "segment": "high_value",
            "tier": "Silver", "points": 248, "statisticalProbability": 25,
        })
    );
}

#[test]
fn orders_are_averaged_over_at_least_a_month() {
    let per_month = |orders: &[(i64, &str)], at: i64| {
        asked(&Features::at(&customer(orders), Zone::UTC, days(at)).unwrap())["ordersPerMonth"].clone()
    };
    assert_eq!(per_month(&[(0, "1")], 0), json!(1));
    assert_eq!(per_month(&[(0, "1"), (1, "1")], 29), json!(2));
    assert_eq!(per_month(&[(0, "1"), (1, "1")], 45), json!(1.33));
    assert_eq!(per_month(&[(0, "1")], 3650), json!(0.01));
}

#[test]
fn without_orders_there_are_no_figures() {
    assert_eq!(Features::at(&customer(&[]), Zone::UTC, start()), None);
}

/// The trend of orders on these days, as of day `now`.
fn trend(on: &[i64], now: i64) -> Trend {
    let orders: Vec<_> = on.iter().map(|day| (*day, "1")).collect();
    trend_at(customer(&orders).orders.as_ref().unwrap(), Zone::UTC, days(now))
}

#[test]
fn orders_at_shorter_intervals_are_an_increasing_trend() {
    assert_eq!(trend(&[0, 60, 110, 130, 140, 148], 150), Trend::Increasing);
    assert_eq!(trend(&[0, 30, 50, 70], 71), Trend::Increasing, "two thirds");
    assert_eq!(trend(&[0, 30, 50, 71], 72), Trend::Stable, "a little more");
}

#[test]
fn orders_at_longer_intervals_or_stopped_orders_are_a_declining_trend() {
    assert_eq!(trend(&[0, 10, 20, 40, 60, 80], 81), Trend::Declining);
    assert_eq!(trend(&[0, 20, 50, 80], 81), Trend::Declining, "one and a half");
    assert_eq!(trend(&[0, 20, 50, 79], 80), Trend::Stable, "a little less");
    assert_eq!(trend(&[0, 10, 20, 30, 40], 45), Trend::Stable);
    assert_eq!(trend(&[0, 10, 20, 30, 40], 64), Trend::Stable, "late, and not yet telling");
    assert_eq!(trend(&[0, 10, 20, 30, 40], 65), Trend::Declining, "silent for so long that it tells");
    assert_eq!(trend(&[0, 60, 110, 130, 140, 148], 400), Trend::Declining, "they came ever faster, and then no more");
}

#[test]
fn too_few_orders_have_no_trend() {
    for on in [&[0][..], &[0, 90], &[0, 10, 200]] {
        assert_eq!(trend(on, 300), Trend::Stable, "{on:?}");
    }
    assert_eq!(trend(&[0, 0, 0, 10, 10, 200], 300), Trend::Stable, "several on a day are one");
}

#[test]
fn only_the_last_dozen_orders_affect_the_trend() {
    let mut on: Vec<i64> = (0..20).collect();
    on.extend((1..=12).map(|order| 100 + order * 10));
    assert_eq!(trend(&on, 221), Trend::Stable);
}

#[test]
fn a_trend_uses_days_of_the_orgs_time_zone() {
    let honolulu: Zone = "Pacific/Honolulu".parse().unwrap();
    let at = |text: &str| instant(text);
    let orders = OrderHistory {
        count: 4.try_into().unwrap(),
        first_at: at("2026-01-01T12:00:00Z"),
        last_at: at("2026-01-05T12:00:00Z"),
        // In Honolulu, ten hours behind UTC, the last two orders are on one day.
        recent: ["2026-01-01T12:00:00Z", "2026-01-02T12:00:00Z", "2026-01-05T00:00:00Z", "2026-01-05T09:00:00Z"]
            .map(at)
            .to_vec(),
        earlier_days: 0,
    };
    assert_eq!(trend_at(&orders, honolulu, at("2026-01-06T12:00:00Z")), Trend::Stable, "two gaps only");
}
