//! Points spent at checkout: what they are worth, whether an order can be paid with them, and what a void gives back.

use chrono::{DateTime, Utc};

use crate::domain::{
    customer::Customer,
    ids::{CustomerId, OrderId},
    ledger::{Entry, EntryKind},
    loyalty::{LoyaltySettings, PointsCost, RedemptionMode},
    money::{Currency, Money},
    points::Points,
    rejection::Rejection,
};

/// What is kept about a redemption, for ever: what was asked, and what was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointsRedemption {
    /// The order.
    pub order: OrderId,
    /// Whose it is.
    pub customer: CustomerId,
    /// The points spent.
    pub points: Points,
    /// What the order came to when they were.
    pub order_total: Money,
    /// What they took off it.
    pub value: Money,
    /// The balance after it.
    pub balance: Points,
    /// When it was made.
    pub redeemed_at: DateTime<Utc>,
    /// What its void came to, if it was voided.
    pub voided: Option<PointsVoid>,
}

/// What is kept about the void of a redemption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointsVoid {
    /// When it was voided.
    pub at: DateTime<Utc>,
    /// The balance after it.
    pub balance: Points,
}

/// All that a redemption, or its void, changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointsRedemptionChange {
    /// The customer after it.
    pub customer: Customer,
    /// The record of it.
    pub redemption: PointsRedemption,
    /// The ledger entry of it.
    pub entry: Entry,
}

/// What points are worth in an org: by its settings, in its currency.
#[derive(Clone, Copy)]
pub struct PointsValuation<'a> {
    settings: &'a LoyaltySettings,
    /// The increment amount, in minor units: a value is floored to whole ones.
    increment: i64,
}

impl<'a> PointsValuation<'a> {
    /// By these settings, in this currency.
    #[must_use]
    pub fn new(settings: &'a LoyaltySettings, currency: &Currency) -> Self {
        Self { settings, increment: currency.increment() }
    }
}

/// From how many points on so many are worth so much, in proportion.
#[derive(Clone, Copy)]
struct RedemptionRate {
    from: i64,
    cost: i64,
    /// In minor units.
    reward: i64,
    /// The increment amount, in minor units.
    increment: i64,
}

impl RedemptionRate {
    /// In minor units, floored to the increment amount.
    fn value(self, points: i64) -> i128 {
        let increment = i128::from(self.increment);
        i128::from(points) * i128::from(self.reward) / (i128::from(self.cost) * increment) * increment
    }

    /// The most points that are worth no more than `total` minor units.
    fn points_within(self, total: i64) -> i128 {
        if self.reward == 0 {
            return i128::MAX;
        }
        // Worth less than the next amount that is above the total.
        let above = i128::from((total / self.increment + 1) * self.increment);
        (above * i128::from(self.cost) - 1) / i128::from(self.reward)
    }
}

/// The rates, cheapest first, never none.
fn rates(PointsValuation { settings, increment }: PointsValuation<'_>) -> Vec<RedemptionRate> {
    let listed = settings.redemption_tiers.iter().map(|tier| {
        let cost = tier.points_cost.get().0;
        RedemptionRate { from: cost, cost, reward: tier.reward_value.minor(), increment }
    });
    let listed: Vec<_> = listed.collect();
    // Without redemption tiers 100 points are worth one unit of currency.
    if listed.is_empty() { vec![RedemptionRate { from: 1, cost: 100, reward: 100, increment }] } else { listed }
}

fn is_exact(settings: &LoyaltySettings) -> bool {
    settings.redemption_mode == RedemptionMode::Exact && settings.redemption_tiers.iter().next().is_some()
}

/// What so many points are worth: at the rate of the dearest redemption tier that they reach, floored to the
/// increment amount of the currency.
/// `None` below the cheapest, and beyond what is kept.
#[must_use]
pub fn value(valuation: PointsValuation<'_>, points: PointsCost) -> Option<Money> {
    let points = points.get().0;
    let rate = rates(valuation).into_iter().rev().find(|rate| rate.from <= points)?;
    i64::try_from(rate.value(points)).ok().and_then(Money::from_minor)
}

/// What so many points take off an order, or the first refusal that applies. Without an order total that rule is left
/// out.
pub fn quote(
    valuation: PointsValuation<'_>,
    balance: Points,
    points: PointsCost,
    order_total: Option<Money>,
) -> Result<Money, Rejection> {
    let settings = valuation.settings;
    let minimum = rates(valuation).first().map_or(1, |rate| rate.from);
    if points.get().0 < minimum {
        return Err(Rejection::BelowMinimum { minimum: Points(minimum) });
    }
    if points.get() > balance {
        return Err(Rejection::InsufficientPoints { balance });
    }
    if is_exact(settings) && !settings.redemption_tiers.iter().any(|tier| tier.points_cost == points) {
        return Err(Rejection::NotAListedAmount);
    }
    let value = value(valuation, points).ok_or(Rejection::OutOfRange { figure: "value" })?;
    if order_total.is_some_and(|total| value > total) {
        return Err(Rejection::ExceedsOrderTotal { value });
    }
    Ok(value)
}

/// The most points that [`quote`] accepts, with what they are worth; `None` if it accepts none.
///
/// A value need not rise with points: just above a dearer redemption tier's cost the rate changes. So each tier's own
/// span is looked at, from the top.
#[must_use]
pub fn max_redeemable(
    valuation: PointsValuation<'_>,
    balance: Points,
    order_total: Option<Money>,
) -> Option<(PointsCost, Money)> {
    let mut above = PointsCost::MAX + 1;
    for rate in rates(valuation).into_iter().rev() {
        let within = order_total.map_or(i128::MAX, |total| rate.points_within(total.minor()));
        let top = if is_exact(valuation.settings) { rate.from } else { above - 1 };
        let top = i64::try_from(within).unwrap_or(i64::MAX).min(top).min(balance.0);
        if top >= rate.from {
            let points = PointsCost::try_from(top).ok()?;
            return value(valuation, points).map(|value| (points, value));
        }
        above = rate.from;
    }
    None
}

/// Spends points on an order, if [`quote`] accepts them.
pub fn redeem(
    customer: &Customer,
    valuation: PointsValuation<'_>,
    order: OrderId,
    points: PointsCost,
    order_total: Money,
    now: DateTime<Utc>,
) -> Result<PointsRedemptionChange, Rejection> {
    let value = quote(valuation, customer.points, points, Some(order_total))?;
    let mut customer = customer.clone();
    let change = points.get().negated();
    customer.add_points(change)?;
    let kind = EntryKind::PointsRedeemed { order_id: order.clone(), order_total, value };
    let entry = Entry::new(&customer, change, kind, now);
    let redemption = PointsRedemption {
        order,
        customer: customer.id.clone(),
        points: points.get(),
        order_total,
        value,
        balance: customer.points,
        redeemed_at: now,
        voided: None,
    };
    Ok(PointsRedemptionChange { customer, redemption, entry })
}

/// Whether a request repeats the redemption on record.
#[must_use]
pub fn is_repeat(redemption: &PointsRedemption, points: PointsCost, order_total: Money) -> bool {
    redemption.points == points.get() && redemption.order_total == order_total
}

/// Gives the points of a redemption back.
pub fn void(
    customer: &Customer,
    redemption: PointsRedemption,
    now: DateTime<Utc>,
) -> Result<PointsRedemptionChange, Rejection> {
    let mut customer = customer.clone();
    customer.add_points(redemption.points)?;
    let kind = EntryKind::PointsReturned { order_id: redemption.order.clone() };
    let entry = Entry::new(&customer, redemption.points, kind, now);
    let voided = Some(PointsVoid { at: now, balance: customer.points });
    Ok(PointsRedemptionChange { redemption: PointsRedemption { voided, ..redemption }, customer, entry })
}
