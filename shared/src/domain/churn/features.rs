//! What is known about a customer, in figures: from the customer alone.

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

/// A customer in figures. Nothing in it says who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Features {
    /// Recency: whole days since the last order.
    pub days_since_last_order: u32,
    /// Frequency: how many orders.
    pub orders: u32,
    /// Monetary: what was paid, less what was refunded.
    pub lifetime_value: Money,
    /// Lifetime value by orders, floored to the cent.
    pub average_order_value: Money,
    /// Age: whole days since the first order.
    pub days_since_first_order: u32,
    /// Orders by months of 30 days since the first, of which there is at least one; to two decimals.
    pub orders_per_month: TwoPlaceDecimal,
    /// Whether orders come closer together.
    pub trend: Trend,
    /// The segment.
    pub segment: Segment,
    /// The tier held, if any.
    pub tier: Option<SingleLine>,
    /// The balance.
    pub points: Points,
}

/// How the spacing of the recent orders changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum Trend {
    /// Orders come closer together.
    Increasing,
    /// Neither, or too few to tell.
    Stable,
    /// Orders come further apart, or have stopped.
    Declining,
}

named!(Trend);

impl Features {
    /// The features at `now`, by the days of the org's time zone; `None` without orders.
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
            points: customer.points,
        })
    }
}

/// The trend at `now`, from the gaps between the recent days with orders: the mean of the newer half (with the middle
/// one) against that of the older half. At one and a half times or more orders are `declining`, at two thirds or less
/// `increasing`. The gap still open is the newest of them once it is longer than the others are on average.
///
/// With fewer than three gaps behind there is no trend to see: `stable`.
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
    // Means are compared exactly, as each sum times the other's number.
    let (older, newer) = (older * number_of_newer, newer * number);
    if newer * 2 >= older * 3 {
        Trend::Declining
    } else if newer * 3 <= older * 2 {
        Trend::Increasing
    } else {
        Trend::Stable
    }
}
