//! Customers of the purchase log: awarded order by order up to a date, with the outcome after it.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use shared::domain::{
    customer::{Customer, CustomerProfile},
    earning::{
        award::{self, Order},
        order_state::OrderState,
    },
    loyalty::{Loyalty, LoyaltySettings},
    money::Money,
    zone::Zone,
};

/// The days after the date that decide the outcome. Equal to the default of `activeDays`.
pub const HORIZON_DAYS: u32 = 90;

/// A customer as known on a date, and the outcome.
pub struct HistoricalCustomer {
    /// The customer after the orders up to the date.
    pub customer: Customer,
    /// Whether no order came in the [`HORIZON_DAYS`] after.
    pub churned: bool,
}

/// The end of the calibration period in the literature. The holdout period begins then.
pub fn calibration_end() -> DateTime<Utc> {
    "1997-09-30T23:59:59Z".parse().unwrap()
}

/// All orders, oldest first.
pub fn orders() -> Vec<Order> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/cdnow-sample.csv");
    let text = std::fs::read_to_string(file).unwrap();
    let mut orders: Vec<Order> = text.lines().skip(1).map(order).collect();
    orders.sort_by_key(|order| order.fulfilled_at);
    orders
}

/// The customers with an order up to `now`.
pub fn customers_known_at(now: DateTime<Utc>) -> Vec<HistoricalCustomer> {
    let loyalty = Loyalty::replaced(None, LoyaltySettings::default());
    let mut known = BTreeMap::new();
    for order in orders() {
        let at = order.fulfilled_at;
        if at <= now {
            let new_customer = || HistoricalCustomer {
                customer: Customer::new(order.customer.clone(), CustomerProfile::default()),
                churned: true,
            };
            let past = known.entry(order.customer.clone()).or_insert_with(new_customer);
            let state = OrderState::placed(order.total, at);
            past.customer = award::award(&past.customer, (&loyalty, Zone::UTC), order, state, at).unwrap().customer;
        } else if at <= now + TimeDelta::days(i64::from(HORIZON_DAYS))
            && let Some(past) = known.get_mut(&order.customer)
        {
            past.churned = false;
        }
    }
    known.into_values().collect()
}

/// Parses one line of the log: `order_id,customer_id,date,quantity,amount`.
fn order(line: &str) -> Order {
    let columns: Vec<&str> = line.split(',').collect();
    let [id, customer, date, _, amount] = columns[..] else { panic!("{line}") };
    Order {
        id: id.to_owned().try_into().unwrap(),
        customer: customer.to_owned().try_into().unwrap(),
        total: Money::from_request(amount.parse::<Decimal>().unwrap()).unwrap(),
        equity_status: false,
        fulfilled_at: date.parse::<NaiveDate>().unwrap().and_time(NaiveTime::MIN).and_utc(),
    }
}
