//! What an order earns.

use chrono::{DateTime, Utc};
use rust_decimal::{Decimal, prelude::ToPrimitive};

use crate::domain::{
    customer::Customer,
    ids::{CustomerId, OrderId},
    ledger::{self, Entry, Happening},
    loyalty::Loyalty,
    money::Money,
    points::Points,
    rate::{EquityMultiplier, PointsMultiplier, PointsPerDollar},
    rejection::Rejection,
    text::Line,
    tier::{self, TierCause, TierChange},
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

/// The rate and multipliers an order earned by. Refunds are counted by the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Points for each unit of currency.
    pub points_per_dollar: PointsPerDollar,
    /// The equity multiplier as applied; 1 without equity status.
    pub equity: EquityMultiplier,
    /// The multiplier of the tier held before the order.
    pub tier: PointsMultiplier,
}

impl Terms {
    /// `floor(total x pointsPerDollar x equity x tier)`, formed exactly and floored once.
    ///
    /// Within the bounds of its parts the product has at most 27 digits, which a decimal holds without rounding.
    #[must_use]
    pub fn points_for(&self, total: Money) -> Points {
        let product: Decimal = total.decimal() * self.points_per_dollar.get() * self.equity.get() * self.tier.get();
        Points(product.floor().to_i64().unwrap_or(i64::MAX))
    }
}

/// What is kept about an awarded order, for ever: what was asked, what was answered, and what refunds need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Award {
    /// The order as it was asked about.
    pub order: Order,
    /// What it earned by.
    pub terms: Terms,
    /// What it earned.
    pub points: Points,
    /// What came of it, as answered.
    pub outcome: Outcome,
    /// What has not been refunded yet; `None` once nothing is left to refund (an order of 0 can be refunded once).
    pub remaining: Option<Money>,
}

/// How a customer stood after an award or a refund, as answered then and replayed ever after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The balance.
    pub balance: Points,
    /// The tier.
    pub tier: Line,
    /// The change of tier it made, if any.
    pub tier_change: Option<TierChange>,
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

/// Awards an order. The multiplier is that of the tier held just before it, now; the tier is then set as of now.
pub fn award(customer: &Customer, loyalty: &Loyalty, order: Order, now: DateTime<Utc>) -> Result<Awarded, Rejection> {
    let settings = &loyalty.settings;
    let before = tier::tier_at(settings, customer.lifetime_value, customer.last_order_at(), now);
    let has_equity = order.equity_status || customer.person.equity_status == Some(true);
    let terms = Terms {
        points_per_dollar: settings.points_per_dollar,
        equity: if has_equity { settings.equity_multiplier } else { EquityMultiplier::NONE },
        tier: before.points_multiplier,
    };
    let points = terms.points_for(order.total);

    let mut customer = customer.clone();
    customer.add_points(points)?;
    customer.count_order(order.total, order.fulfilled_at)?;
    let tier_change = tier::judge(&mut customer, loyalty, TierCause::Order, now);

    let earned = Happening::PointsEarned { order_id: order.id.clone(), order_total: order.total };
    let (entries, outcome) = conclude(&customer, loyalty, points, earned, tier_change, &order.id, now);
    let award = Award { terms, points, outcome, remaining: Some(order.total), order };
    Ok(Awarded { customer, award, entries })
}

/// Whether a request about an order repeats the award on record: `fulfilledAt` does not count.
#[must_use]
pub fn repeats(order: &Order, award: &Award) -> bool {
    let known = &award.order;
    order.customer == known.customer && order.total == known.total && order.equity_status == known.equity_status
}

/// The ledger entries and the outcome of a change of points that may have moved the tier.
pub(super) fn conclude(
    customer: &Customer,
    loyalty: &Loyalty,
    points: Points,
    what: Happening,
    tier_change: Option<TierChange>,
    order: &OrderId,
    now: DateTime<Utc>,
) -> (Vec<Entry>, Outcome) {
    let mut entries = vec![ledger::entry(customer, points, what, now)];
    if let Some(change) = tier_change.clone() {
        let moved = Happening::TierChanged { change, order_id: Some(order.clone()) };
        entries.push(ledger::entry(customer, Points::ZERO, moved, now));
    }
    let tier = tier::held_by(customer, &loyalty.settings).clone();
    (entries, Outcome { balance: customer.points, tier, tier_change })
}
