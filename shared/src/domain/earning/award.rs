//! The award of an order.

use chrono::{DateTime, Utc};

use super::{
    change::{AccountChange, AccountSnapshot, PendingChange},
    terms::EarningTerms,
};
use crate::domain::{
    customer::Customer,
    ids::{CustomerId, OrderId},
    ledger::{Entry, EntryKind},
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
    /// The amount that is not refunded yet. `None` if the order is fully refunded. An order with the total 0 can be
    /// refunded once.
    pub remaining: Option<Money>,
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
pub fn award(
    customer: &Customer,
    loyalty: &Loyalty,
    zone: Zone,
    order: Order,
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
    let points = terms.points_for(order.total)?;

    let mut pending = PendingChange::begin(customer, loyalty, now);
    pending.customer.check_balance(points)?;
    let dates = settings.dates_of_earned(zone, order.fulfilled_at);
    pending.expired = pending.customer.account.earn(points, dates, now);
    pending.customer.change_lifetime_value(Money::ZERO, order.total)?;
    pending.customer.count_order(order.fulfilled_at)?;
    let earned = EntryKind::PointsEarned { order_id: order.id.clone(), order_total: order.total };
    let AccountChange { customer, entries, outcome } = pending.finish(points, earned, TierCause::Order, &order.id);
    let award = Award { terms, points, outcome, dates, remaining: Some(order.total), order };
    Ok(Awarded { customer, award, entries })
}

/// Whether a request repeats the recorded award. `fulfilledAt` is not compared.
#[must_use]
pub fn is_repeat(order: &Order, award: &Award) -> bool {
    let known = &award.order;
    order.customer == known.customer && order.total == known.total && order.equity_status == known.equity_status
}
