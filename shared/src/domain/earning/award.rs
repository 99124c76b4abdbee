//! What an order earns.

use chrono::{DateTime, Utc};

use super::{
    change::{AccountChange, AccountSnapshot, PendingChange},
    terms::EarningTerms,
};
use crate::domain::{
    customer::Customer,
    ids::{CustomerId, OrderId},
    ledger::{Entry, EntryKind},
    loyalty::Loyalty,
    money::Money,
    points::Points,
    rate::EquityMultiplier,
    rejection::Rejection,
    tier::{self, TierCause},
};

/// An order as the shop reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// Whose it is.
    pub customer: CustomerId,
    /// What the customer paid in money; what was paid in points earns nothing.
    pub total: Money,
    /// Whether this order earns with the equity multiplier, whoever's it is.
    pub equity_status: bool,
    /// When it was fulfilled.
    pub fulfilled_at: DateTime<Utc>,
}

/// What is kept about an awarded order, for ever: what was asked, what was answered, and what refunds need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Award {
    /// The order as it was asked about.
    pub order: Order,
    /// What it earned by.
    pub terms: EarningTerms,
    /// What it earned.
    pub points: Points,
    /// What came of it, as answered.
    pub outcome: AccountSnapshot,
    /// What has not been refunded yet; `None` once nothing is left to refund (an order of 0 can be refunded once).
    pub remaining: Option<Money>,
}

/// All that an award changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awarded {
    /// The customer after it.
    pub customer: Customer,
    /// The record of it.
    pub award: Award,
    /// The ledger entries of it.
    pub entries: Vec<Entry>,
}

/// Awards an order. The multiplier is that of the tier held just before it, now; the tier is then set as of now. Where the
/// tier was due to be lowered, that change comes first, with its own cause.
pub fn award(customer: &Customer, loyalty: &Loyalty, order: Order, now: DateTime<Utc>) -> Result<Awarded, Rejection> {
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
    pending.customer.add_points(points)?;
    pending.customer.change_lifetime_value(Money::ZERO, order.total)?;
    pending.customer.count_order(order.fulfilled_at)?;
    let earned = EntryKind::PointsEarned { order_id: order.id.clone(), order_total: order.total };
    let AccountChange { customer, entries, outcome } = pending.finish(points, earned, TierCause::Order, &order.id);
    let award = Award { terms, points, outcome, remaining: Some(order.total), order };
    Ok(Awarded { customer, award, entries })
}

/// Whether a request about an order repeats the award on record: `fulfilledAt` does not count.
#[must_use]
pub fn is_repeat(order: &Order, award: &Award) -> bool {
    let known = &award.order;
    order.customer == known.customer && order.total == known.total && order.equity_status == known.equity_status
}
