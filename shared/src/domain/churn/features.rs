//! The figures of a customer that Claude and the fallback reasoning use.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

use super::observation::{days_between_dates, recent_days};
use crate::domain::{
    customer::Customer,
    decimal::TwoPlaceDecimal,
    money::Money,
    names::named,
    orders::OrderHistory,
    points::Points,
    segment::{Segment, segment_at},
    text::SingleLine,
    time::days_between,
    zone::Zone,
};

/// The figures of one customer, without any data that identifies the customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Features {
    /// Recency: whole days since the last order.
    pub days_since_last_order: u32,
    /// Frequency: the number of orders.
    pub orders: u32,
    /// Monetary value: the total paid minus the total refunded.
    pub lifetime_value: Money,
    /// The lifetime value divided by the number of orders, floored to the minor unit.
    pub average_order_value: Money,
    /// Age: whole days since the first order.
    pub days_since_first_order: u32,
    /// Orders for each 30 days since the first order, rounded to two decimals. An age below 30 days counts as 30 days.
    pub orders_per_month: TwoPlaceDecimal,
    /// The trend of the intervals between orders.
    pub trend: Trend,
    /// The segment.
    pub segment: Segment,
    /// The tier held, if there is one.
    pub tier: Option<SingleLine>,
    /// The balance.
    pub points: Points,
}

/// The trend of the intervals between recent orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum Trend {
    /// The intervals become shorter.
    Increasing,
    /// The intervals do not change, or there are too few of them.
    Stable,
    /// The intervals become longer, or the orders have stopped.
    Declining,
}

named!(Trend);

impl Features {
    /// The features at `now`, with days in the org's time zone. Returns `None` without orders.
    #[must_use]
    pub fn at(customer: &Customer, zone: Zone, now: DateTime<Utc>) -> Option<Self> {
        let orders = customer.orders.as_ref()?;
        let age = days_between(orders.first_at, now);
        let per_month = Decimal::from(orders.count.get()) * Decimal::from(30) / Decimal::from(age.max(30));
        Some(Self {
            days_since_last_order: days_between(orders.last_at, now),
            orders: orders.count.get(),
            lifetime_value: customer.lifetime_value,
            average_order_value: customer.average_order_value()?,
            days_since_first_order: age,
            orders_per_month: TwoPlaceDecimal::rounded(per_month),
            trend: trend_at(orders, zone, now),
            segment: segment_at(Some(orders), customer.lifetime_value, now),
            tier: customer.held_tier.as_ref().map(|held_tier| held_tier.tier.clone()),
            points: customer.points(),
        })
    }
}

/// The trend at `now`, from the gaps between the recent days with orders. It compares the mean of the newer half of the
/// gaps, including the middle one, with the mean of the older half. The trend is `declining` at a ratio of at least
/// 3/2, and `increasing` at a ratio of at most 2/3. The gap since the last order is included once it exceeds the mean
/// of the other gaps.
///
/// With fewer than three gaps, the trend is `stable`.
#[must_use]
pub fn trend_at(orders: &OrderHistory, zone: Zone, now: DateTime<Utc>) -> Trend {
    let days = recent_days(orders, zone);
    let mut gaps: Vec<u64> = days
        .iter()
        .zip(days.iter().skip(1))
        .map(|(one, next)| days_between_dates(*one, *next))
        .map(u64::from)
        .collect();
    if gaps.len() < 3 {
        return Trend::Stable;
    }
    let sum_and_number = |gaps: &[u64]| gaps.iter().fold((0, 0), |(sum, number), gap| (sum + gap, number + 1));
    let open =
        days.last().map_or(0, |last| u64::from(days_between_dates(*last, now.with_timezone(&zone).date_naive())));
    let (sum, number) = sum_and_number(&gaps);
    if open * number > sum {
        gaps.push(open);
    }
    let (older, newer) = gaps.split_at(gaps.len() / 2);
    let ((older, number), (newer, number_of_newer)) = (sum_and_number(older), sum_and_number(newer));
    // The comparison of the means is exact, because each sum is multiplied by the number of the other gaps.
    let (older, newer) = (older * number_of_newer, newer * number);
    if newer * 2 >= older * 3 {
        Trend::Declining
    } else if newer * 3 <= older * 2 {
        Trend::Increasing
    } else {
        Trend::Stable
    }
}
