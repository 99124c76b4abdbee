//! The purchase log, told to the rules order by order up to some day, and what happened after it.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use shared::domain::{
    customer::{Customer, CustomerProfile},
    earning::award::{self, Order},
    loyalty::{Loyalty, LoyaltySettings},
    money::Money,
};

/// How far ahead the log is looked at: what `activeDays` is unless a shop says otherwise.
pub const HORIZON_DAYS: u32 = 90;

/// Somebody as they were known on a day, and what came of it.
pub struct Past {
    /// The customer as the orders until then left them.
    pub customer: Customer,
    /// Whether no order came in the [`HORIZON_DAYS`] after.
    pub left: bool,
}

/// The end of the day on which the literature parts the log.
pub fn parting() -> DateTime<Utc> {
    "1997-09-30T23:59:59Z".parse().unwrap()
}

/// Everybody who had bought by `now`, with that day's orders known.
pub fn known_at(now: DateTime<Utc>) -> Vec<Past> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/cdnow-sample.csv");
    let text = std::fs::read_to_string(file).unwrap();
    let loyalty = Loyalty::replaced(None, LoyaltySettings::default());
    let mut known = BTreeMap::new();
    for order in text.lines().skip(1).map(order) {
        let at = order.fulfilled_at;
        if at <= now {
            let stranger =
                || Past { customer: Customer::new(order.customer.clone(), CustomerProfile::default()), left: true };
            let past = known.entry(order.customer.clone()).or_insert_with(stranger);
            past.customer = award::award(&past.customer, &loyalty, order, at).unwrap().customer;
        } else if at <= now + TimeDelta::days(i64::from(HORIZON_DAYS))
            && let Some(past) = known.get_mut(&order.customer)
        {
            past.left = false;
        }
    }
    known.into_values().collect()
}

/// One line of the log: `order_id,customer_id,date,quantity,amount`.
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
