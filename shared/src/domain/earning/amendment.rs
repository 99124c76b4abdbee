//! The amendment of an order: it was edited, shipped in parts or cancelled, and came to another total.

use chrono::{DateTime, Utc};

use super::{
    award::Award,
    change::{AccountChange, PendingChange},
    order_state::{Amendment, OrderState},
    refund::earned_between,
};
use crate::domain::{
    customer::Customer,
    ledger::{AmendmentKind, Entry, EntryKind},
    loyalty::Loyalty,
    money::Money,
    points::Points,
    rejection::Rejection,
    tier::TierCause,
};

/// The changes of an amendment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amended {
    /// The customer after the amendment.
    pub customer: Customer,
    /// The award with the new state.
    pub award: Award,
    /// The new ledger entries.
    pub entries: Vec<Entry>,
    /// The amendment.
    pub amendment: Amendment,
}

/// Whether a newer state says nothing else of the order, so that only its instant is recorded.
#[must_use]
pub fn is_same(award: &Award, state: &OrderState) -> bool {
    (award.state.total, award.state.cancelled) == (state.total, state.cancelled)
}

/// Sets what an awarded order came to in all. `state` must supersede the state of the award.
///
/// The points change by what the remaining total earns by the terms of the award, less what the remaining total before
/// earned. More points go into the lot of the award. Fewer are taken back as by a refund. At or after the expiry of the
/// award no points change. The order counts as an order if it is not cancelled and something of it is left, or if it is
/// an order of 0.
///
/// Fails with [`Rejection::RefundExceedsOrder`] if more than the new total has been refunded. A cancellation does not.
pub fn amend(
    customer: &Customer,
    loyalty: &Loyalty,
    award: &Award,
    state: OrderState,
    now: DateTime<Utc>,
) -> Result<Amended, Rejection> {
    let before = award.remaining.unwrap_or(Money::ZERO);
    let after = match state.total.minus(award.refunded) {
        Some(after) => after,
        None if state.cancelled => Money::ZERO,
        None => return Err(Rejection::RefundExceedsOrder { remaining: before }),
    };
    let counts = !state.cancelled && (after > Money::ZERO || award.refunded == Money::ZERO);
    let points = if award.dates.is_expired(now) { Points::ZERO } else { earned_between(award, before, after)? };

    let mut pending = PendingChange::begin(customer, loyalty, now);
    pending.customer.check_balance(points)?;
    if points < Points::ZERO {
        pending.customer.account.take_back(points.negated(), Some(award.dates), now);
    } else {
        pending.expired = pending.customer.account.earn(points, award.dates, now);
    }
    pending.customer.change_lifetime_value(before, after)?;
    match (award.remaining.is_some(), counts) {
        (false, true) => pending.customer.count_order(award.order.fulfilled_at)?,
        (true, false) => pending.customer.uncount_order(award.order.fulfilled_at),
        (true, true) | (false, false) => {}
    }
    let order_id = award.order.id.clone();
    let amendment = if state.cancelled { AmendmentKind::Cancelled } else { AmendmentKind::Amended };
    let kind = if after < before {
        EntryKind::ReversedByAmendment { order_id, order_total: state.total, amendment }
    } else {
        EntryKind::EarnedByAmendment { order_id, order_total: state.total, amendment }
    };
    let AccountChange { customer, entries, outcome } =
        pending.finish(points, kind, TierCause::Amendment, &award.order.id);
    let amendment = Amendment { points, outcome };
    let remaining = counts.then_some(after);
    let award = Award { state, remaining, amendment: Some(amendment.clone()), ..award.clone() };
    Ok(Amended { customer, award, entries, amendment })
}
