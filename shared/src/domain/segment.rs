//! Segments: who somebody is to the shop, worked out when read and never stored.

use chrono::{DateTime, Utc};
use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

use crate::domain::{money::Money, names::named, orders::OrderHistory, time::days_between};

/// A customer's segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum Segment {
    /// No orders, or nothing yet that tells.
    New,
    /// No order for 90 days or more.
    Churned,
    /// No order for 60 days or more.
    AtRisk,
    /// No order for 30 days or more.
    Slipping,
    /// Has spent 500, or orders often and well.
    Vip,
    /// Few, large orders.
    HighValue,
    /// Many, smaller orders.
    Frequent,
    /// Came back.
    Loyal,
}

named!(Segment);

/// The segment at `now`; the first rule that matches decides. Averages are compared exactly, as lifetime value against
/// orders times the limit.
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
