//! Segments: a classification of customers by recency, frequency and value. A segment is computed when it is read and
//! never stored.

use chrono::{DateTime, Utc};
use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

use crate::domain::{money::Money, names::named, orders::OrderHistory, time::days_between};

/// A customer's segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum Segment {
    /// No orders, a first order less than 30 days ago, or no match with any other segment.
    New,
    /// No order for at least 90 days.
    Churned,
    /// No order for at least 60 days.
    AtRisk,
    /// No order for at least 30 days.
    Slipping,
    /// A lifetime value of at least 500, or at least 8 orders that average at least 50.
    Vip,
    /// Fewer than 5 orders that average at least 75.
    HighValue,
    /// At least 5 orders that average less than 60.
    Frequent,
    /// At least 2 orders.
    Loyal,
}

named!(Segment);

/// The segment at `now`: the first rule that matches. The comparison of averages is exact, because it multiplies the
/// limit by the number of orders instead of dividing.
#[must_use]
pub fn segment_at(orders: Option<&OrderHistory>, lifetime_value: Money, now: DateTime<Utc>) -> Segment {
    let Some(&OrderHistory { count, first_at, last_at, .. }) = orders else { return Segment::New };
    match days_between(last_at, now) {
        90.. => return Segment::Churned,
        60.. => return Segment::AtRisk,
        30.. => return Segment::Slipping,
        _ => {}
    }
    if days_between(first_at, now) < 30 {
        return Segment::New;
    }
    let (spent, count) = (lifetime_value.minor(), count.get());
    let dollars = |whole: i64| whole * 100;
    let averages_at_least = |whole: i64| spent >= i64::from(count) * dollars(whole);
    if spent >= dollars(500) || (count >= 8 && averages_at_least(50)) {
        Segment::Vip
    } else if averages_at_least(75) && count < 5 {
        Segment::HighValue
    } else if count >= 5 && !averages_at_least(60) {
        Segment::Frequent
    } else if count >= 2 {
        Segment::Loyal
    } else {
        Segment::New
    }
}
