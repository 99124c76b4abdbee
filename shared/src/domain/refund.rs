//! What a refund takes back.

use chrono::{DateTime, Utc};

use crate::domain::{
    award::{self, Award, Outcome},
    customer::Customer,
    ids::RefundId,
    ledger::{Entry, Happening},
    loyalty::Loyalty,
    money::Money,
    points::Points,
    rejection::Rejection,
    tier::{self, TierCause},
};

/// What is kept about a refund, for ever: what was asked, and what was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// Its id, within its order.
    pub id: RefundId,
    /// The amount asked for; `None` asked for all that was left.
    pub asked: Option<Money>,
    /// The points taken back.
    pub points: Points,
    /// What came of it, as answered.
    pub outcome: Outcome,
}

/// All that a refund changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refunded {
    /// The customer after it.
    pub customer: Customer,
    /// The award with what remains of it.
    pub award: Award,
    /// The record of it.
    pub refund: Refund,
    /// The ledger entries of it.
    pub entries: Vec<Entry>,
}

/// Refunds `asked` of an awarded order, or all that is left: takes back what the remaining total would not have
/// earned, by the terms of the award, so that partial refunds together never take back more than was earned.
///
/// The balance may go below zero. When nothing is left the order no longer counts.
pub fn refund(
    customer: &Customer,
    loyalty: &Loyalty,
    award: &Award,
    id: RefundId,
    asked: Option<Money>,
    now: DateTime<Utc>,
) -> Result<Refunded, Rejection> {
    let remaining = award.remaining.ok_or(Rejection::AlreadyRefunded)?;
    let total = asked.unwrap_or(remaining);
    let left = remaining.minus(total).ok_or(Rejection::RefundExceedsOrder { remaining })?;
    let points = reversed(award, remaining, left);

    let out_of_range = Rejection::OutOfRange { figure: "lifetimeValue" };
    let mut customer = customer.clone();
    customer.add_points(points.negated())?;
    customer.lifetime_value = customer.lifetime_value.minus(total).ok_or(out_of_range)?;
    let remaining = (left > Money::ZERO).then_some(left);
    if remaining.is_none() {
        customer.uncount_order(award.order.fulfilled_at);
    }
    let tier_change = tier::judge(&mut customer, loyalty, TierCause::Refund, now);

    let order_id = &award.order.id;
    let what = Happening::PointsReversed { order_id: order_id.clone(), refund_id: id.clone(), refund_total: total };
    let (entries, outcome) = award::conclude(&customer, loyalty, points.negated(), what, tier_change, order_id, now);
    let award = Award { remaining, ..award.clone() };
    Ok(Refunded { customer, award, refund: Refund { id, asked, points, outcome }, entries })
}

/// The points that a total fallen from `remaining` to `left` takes back.
fn reversed(award: &Award, remaining: Money, left: Money) -> Points {
    let kept = award.terms.points_for(remaining);
    kept.minus(award.terms.points_for(left)).unwrap_or(kept)
}
