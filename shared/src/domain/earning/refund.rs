//! Refunds of awarded orders, and voids of refunds.

use chrono::{DateTime, Utc};

use super::{
    award::Award,
    change::{AccountChange, AccountSnapshot, PendingChange},
};
use crate::domain::{
    customer::Customer,
    ids::RefundId,
    ledger::{Entry, EntryKind},
    lots::{dates::late_return_expiry, lot::Lot},
    loyalty::Loyalty,
    money::Money,
    points::Points,
    rejection::Rejection,
    tier::TierCause,
    zone::Zone,
};

/// The permanent record of a refund: the request and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// The id of the refund, unique within its order.
    pub id: RefundId,
    /// The requested amount. `None` requested a full refund of the remaining amount.
    pub asked: Option<Money>,
    /// The refunded amount. `None` for full refunds recorded before this field existed.
    pub total: Option<Money>,
    /// The points taken back.
    pub points: Points,
    /// Whether the points of the award had expired, so that the refund took none.
    pub after_expiry: bool,
    /// The account after the refund, as answered.
    pub outcome: AccountSnapshot,
    /// The void of the refund, if it was voided.
    pub voided: Option<RefundVoid>,
}

/// The record of the void of a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundVoid {
    /// When the refund was voided.
    pub at: DateTime<Utc>,
    /// The points given back.
    pub points: Points,
    /// The account after the void, as answered.
    pub outcome: AccountSnapshot,
}

/// The record under the id of a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundRecord {
    /// The refund was made. It may have been voided since.
    Made(Box<Refund>),
    /// A void arrived before the refund, so the refund is rejected.
    VoidedBefore,
}

/// The changes of a refund, or of its void.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refunded {
    /// The customer after the change.
    pub customer: Customer,
    /// The award with the new remaining amount.
    pub award: Award,
    /// The record of the refund.
    pub refund: Refund,
    /// The new ledger entries.
    pub entries: Vec<Entry>,
}

/// Refunds the requested amount of an awarded order, or all of the remaining amount. The refund takes back the points
/// that the remaining total would not have earned by the terms of the award. Partial refunds together therefore never
/// take back more than the award.
///
/// The points come from the lot of the award first. At or after the expiry of the award, the refund takes none. The
/// balance may become negative. A fully refunded order no longer counts as an order. A demotion that was due is
/// recorded first, with its own cause.
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
    let after_expiry = award.dates.is_expired(now);
    let points = if after_expiry { Points::ZERO } else { earned_between(award, left, remaining)? };

    let mut pending = PendingChange::begin(customer, loyalty, now);
    pending.customer.check_balance(points.negated())?;
    pending.customer.account.take_back(points, Some(award.dates), now);
    pending.customer.change_lifetime_value(remaining, left)?;
    let remaining = (left > Money::ZERO).then_some(left);
    if remaining.is_none() {
        pending.customer.uncount_order(award.order.fulfilled_at);
    }
    let order_id = &award.order.id;
    let kind = EntryKind::PointsReversed { order_id: order_id.clone(), refund_id: id.clone(), refund_total: total };
    let AccountChange { customer, entries, outcome } =
        pending.finish(points.negated(), kind, TierCause::Refund, order_id);
    let refunded = award.refunded.plus(total).ok_or(Rejection::OutOfRange { figure: "refundTotal" })?;
    let award = Award { refunded, remaining, ..award.clone() };
    let refund = Refund { id, asked, total: Some(total), points, after_expiry, outcome, voided: None };
    Ok(Refunded { customer, award, refund, entries })
}

/// Voids a refund that did not happen. The void gives back the difference between the points of the two remaining
/// totals, by the terms of the award. A fully refunded order counts as an order again.
///
/// The points return to the lot of the award. A refund that took no points gives none back.
///
/// The difference may not equal the points that the refund took. Other refunds may have followed, and the points of
/// each total are floored separately.
pub fn void(
    customer: &Customer,
    (loyalty, zone): (&Loyalty, Zone),
    award: &Award,
    refund: Refund,
    total: Money,
    now: DateTime<Utc>,
) -> Result<Refunded, Rejection> {
    let before = award.remaining.unwrap_or(Money::ZERO);
    // Of a cancelled order nothing is left, whatever was refunded.
    let back = if award.state.cancelled { Money::ZERO } else { total };
    let after = before.plus(back).ok_or(Rejection::OutOfRange { figure: "lifetimeValue" })?;
    let points = if refund.after_expiry { Points::ZERO } else { earned_between(award, before, after)? };

    let mut pending = PendingChange::begin(customer, loyalty, now);
    pending.customer.check_balance(points)?;
    let lots = Lot::new(points, award.dates).into_iter().collect();
    pending.customer.account.give_back(lots, late_return_expiry(zone, now), now);
    pending.customer.change_lifetime_value(before, after)?;
    let counts = !award.state.cancelled;
    if counts && award.remaining.is_none() {
        pending.customer.count_order(award.order.fulfilled_at)?;
    }
    let (order_id, refund_id) = (&award.order.id, refund.id.clone());
    let kind = EntryKind::PointsRestored { order_id: order_id.clone(), refund_id, refund_total: total };
    let AccountChange { customer, entries, outcome } = pending.finish(points, kind, TierCause::Refund, order_id);
    let refunded = award.refunded.minus(total).unwrap_or(Money::ZERO);
    let award = Award { refunded, remaining: counts.then_some(after), ..award.clone() };
    let voided = Some(RefundVoid { at: now, points, outcome });
    Ok(Refunded { customer, award, refund: Refund { voided, ..refund }, entries })
}

/// The amount of a full refund that was recorded without its amount: the order total minus all other refunds.
#[must_use]
pub fn infer_total<'a>(award: &Award, others: impl Iterator<Item = &'a Refund>) -> Option<Money> {
    let mut taken = others.filter(|other| other.voided.is_none()).map(|other| other.total.or(other.asked));
    taken.try_fold(award.order.total, |rest, taken| rest.minus(taken?))
}

/// The points that the total `more` earns beyond the total `less`. Negative if `more` is less.
pub(super) fn earned_between(award: &Award, less: Money, more: Money) -> Result<Points, Rejection> {
    let (less, more) = (award.terms.points_for(less)?, award.terms.points_for(more)?);
    more.minus(less).ok_or(Rejection::OutOfRange { figure: "points" })
}
