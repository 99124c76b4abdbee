//! The award of an order.

use chrono::{DateTime, Utc};

use super::{
    change::{AccountChange, AccountSnapshot, PendingChange},
    order_state::{Amendment, OrderState},
    terms::EarningTerms,
};
use crate::domain::{
    customer::Customer,
    ids::{CustomerId, OrderId},
    ledger::{AmendmentKind, Entry, EntryKind},
    lots::lot::LotDates,
    loyalty::Loyalty,
    money::Money,
    points::Points,
    rate::EquityMultiplier,
    rejection::Rejection,
    tier::{self, TierCause},
    zone::Zone,
};

/// An order as the shop reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The id of the order.
    pub id: OrderId,
    /// The customer of the order.
    pub customer: CustomerId,
    /// The amount paid in money. An amount paid in points earns nothing.
    pub total: Money,
    /// Whether this order earns with the equity multiplier, independent of the customer's own equity status.
    pub equity_status: bool,
    /// When the order was fulfilled.
    pub fulfilled_at: DateTime<Utc>,
}

/// The permanent record of an award: the request, its answer, and the state that refunds need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Award {
    /// The order of the request.
    pub order: Order,
    /// The terms of the award.
    pub terms: EarningTerms,
    /// The points earned.
    pub points: Points,
    /// The account after the award, as answered.
    pub outcome: AccountSnapshot,
    /// When the points can be spent, and when they expire.
    pub dates: LotDates,
    /// The newest state of the order.
    pub state: OrderState,
    /// The amount that is refunded.
    pub refunded: Money,
    /// The amount that is not refunded yet. `None` if the order is fully refunded or cancelled, so that it no longer
    /// counts as an order. An order with the total 0 can be refunded once.
    pub remaining: Option<Money>,
    /// The last amendment, if there was one.
    pub amendment: Option<Amendment>,
}

/// The changes of an award.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awarded {
    /// The customer after the award.
    pub customer: Customer,
    /// The record of the award.
    pub award: Award,
    /// The new ledger entries.
    pub entries: Vec<Entry>,
}

/// Awards an order. The points are multiplied by the multiplier of the tier that the customer has at `now`, before the
/// order. The tier is then updated as of `now`. What was due is recorded first, with its own cause.
///
/// Points of an order that comes after their expiry pay a debt, and the rest of them expires at once.
///
/// `state` is the newest state of the order. If the order was cancelled before it was awarded, it earns nothing and does
/// not count as an order.
pub fn award(
    customer: &Customer,
    (loyalty, zone): (&Loyalty, Zone),
    order: Order,
    state: OrderState,
    now: DateTime<Utc>,
) -> Result<Awarded, Rejection> {
    let settings = &loyalty.settings;
    let before = tier::tier_at(settings, customer.lifetime_value, customer.last_order_at(), now);
    let has_equity = order.equity_status || customer.profile.equity_status == Some(true);
    let terms = EarningTerms {
        points_per_dollar: settings.points_per_dollar,
        earn_rate: settings.earn_rate,
        equity: if has_equity { settings.equity_multiplier } else { EquityMultiplier::NONE },
        tier: before.points_multiplier,
    };
    let points = terms.points_for(state.total)?;

    let mut pending = PendingChange::begin(customer, loyalty, now);
    pending.customer.check_balance(points)?;
    let dates = settings.dates_of_earned(zone, order.fulfilled_at);
    pending.expired = pending.customer.account.earn(points, dates, now);
    pending.customer.change_lifetime_value(Money::ZERO, state.total)?;
    let (order_id, order_total) = (order.id.clone(), state.total);
    let earned = if state.cancelled {
        EntryKind::EarnedByAmendment { order_id, order_total, amendment: AmendmentKind::Cancelled }
    } else {
        pending.customer.count_order(order.fulfilled_at)?;
        EntryKind::PointsEarned { order_id, order_total }
    };
    let AccountChange { customer, entries, outcome } = pending.finish(points, earned, TierCause::Order, &order.id);
    let remaining = (!state.cancelled).then_some(state.total);
    let refunded = Money::ZERO;
    let award = Award { terms, points, outcome, dates, state, refunded, remaining, amendment: None, order };
    Ok(Awarded { customer, award, entries })
}

/// Whether a request is about the recorded award. `fulfilledAt` and the total are not compared.
#[must_use]
pub fn is_same_order(order: &Order, award: &Award) -> bool {
    let known = &award.order;
    order.customer == known.customer && order.equity_status == known.equity_status
}

/// Whether a request repeats the recorded award. `fulfilledAt` is not compared.
#[must_use]
pub fn is_repeat(order: &Order, award: &Award) -> bool {
    is_same_order(order, award) && order.total == award.order.total
}
