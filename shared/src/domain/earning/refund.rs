//! What a refund takes back, and what is given back where it did not happen.

use chrono::{DateTime, Utc};

use super::{
    award::Award,
    change::{AccountChange, AccountSnapshot, PendingChange},
};
use crate::domain::{
    customer::Customer,
    ids::RefundId,
    ledger::{Entry, EntryKind},
    loyalty::Loyalty,
    money::Money,
    points::Points,
    rejection::Rejection,
    tier::TierCause,
};

/// What is kept about a refund, for ever: what was asked, and what was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// Its id, within its order.
    pub id: RefundId,
    /// The amount asked for; `None` asked for all that was left.
    pub asked: Option<Money>,
    /// The amount; `None` where all that was left was asked for, of refunds that were made before it was kept.
    pub total: Option<Money>,
    /// The points taken back.
    pub points: Points,
    /// What came of it, as answered.
    pub outcome: AccountSnapshot,
    /// What came of its void, if it did not happen after all.
    pub voided: Option<RefundVoid>,
}

/// What is kept about the void of a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundVoid {
    /// When it was voided.
    pub at: DateTime<Utc>,
    /// The points given back.
    pub points: Points,
    /// What came of it, as answered.
    pub outcome: AccountSnapshot,
}

/// What is on record under a refund's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundRecord {
    /// It was made, and perhaps voided.
    Made(Box<Refund>),
    /// It was voided before it came, and can't be made any more.
    VoidedBefore,
}

/// All that a refund, or its void, changes.
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
/// The balance may go below zero. When nothing is left the order no longer counts. Where the tier was due to be lowered, that
/// change comes first, with its own cause.
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
    let points = earned_between(award, left, remaining)?;

    let mut pending = PendingChange::begin(customer, loyalty, now);
    pending.customer.add_points(points.negated())?;
    pending.customer.change_lifetime_value(remaining, left)?;
    let remaining = (left > Money::ZERO).then_some(left);
    if remaining.is_none() {
        pending.customer.uncount_order(award.order.fulfilled_at);
    }
    let order_id = &award.order.id;
    let kind = EntryKind::PointsReversed { order_id: order_id.clone(), refund_id: id.clone(), refund_total: total };
    let AccountChange { customer, entries, outcome } =
        pending.finish(points.negated(), kind, TierCause::Refund, order_id);
    let award = Award { remaining, ..award.clone() };
    let refund = Refund { id, asked, total: Some(total), points, outcome, voided: None };
    Ok(Refunded { customer, award, refund, entries })
}

/// Voids a refund of so much that did not happen: gives back what the larger remaining total earns more, by the terms of the
/// award, and counts an order again of which nothing was left.
///
/// That need not be what the refund took: other refunds may have come since, and each total is floored by itself.
pub fn void(
    customer: &Customer,
    loyalty: &Loyalty,
    award: &Award,
    refund: Refund,
    total: Money,
    now: DateTime<Utc>,
) -> Result<Refunded, Rejection> {
    let before = award.remaining.unwrap_or(Money::ZERO);
    let after = before.plus(total).ok_or(Rejection::OutOfRange { figure: "lifetimeValue" })?;
    let points = earned_between(award, before, after)?;

    let mut pending = PendingChange::begin(customer, loyalty, now);
    pending.customer.add_points(points)?;
    pending.customer.change_lifetime_value(before, after)?;
    if award.remaining.is_none() {
        pending.customer.count_order(award.order.fulfilled_at)?;
    }
    let (order_id, refund_id) = (&award.order.id, refund.id.clone());
    let kind = EntryKind::PointsRestored { order_id: order_id.clone(), refund_id, refund_total: total };
    let AccountChange { customer, entries, outcome } = pending.finish(points, kind, TierCause::Refund, order_id);
    let award = Award { remaining: Some(after), ..award.clone() };
    let voided = Some(RefundVoid { at: now, points, outcome });
    Ok(Refunded { customer, award, refund: Refund { voided, ..refund }, entries })
}

/// The amount of a refund that asked for all that was left, where it was not kept: what no other refund has taken.
#[must_use]
pub fn infer_total<'a>(award: &Award, others: impl Iterator<Item = &'a Refund>) -> Option<Money> {
    let mut taken = others.filter(|other| other.voided.is_none()).map(|other| other.total.or(other.asked));
    taken.try_fold(award.order.total, |rest, taken| rest.minus(taken?))
}

/// The points that a total of `more` earns more than one of `less`.
fn earned_between(award: &Award, less: Money, more: Money) -> Result<Points, Rejection> {
    let (less, more) = (award.terms.points_for(less)?, award.terms.points_for(more)?);
    more.minus(less).ok_or(Rejection::OutOfRange { figure: "points" })
}
