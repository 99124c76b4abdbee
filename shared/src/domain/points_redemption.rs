//! Points spent at checkout: their value, whether an order can be paid with them, and what a void gives back.

use chrono::{DateTime, Utc};

use crate::domain::{
    customer::Customer,
    ids::{CustomerId, OrderId},
    ledger::{Entry, EntryKind},
    lots::{dates::late_return_expiry, due::apply_due, lot::Lot},
    loyalty::{LoyaltySettings, PointsCost, RedemptionMode},
    money::{Currency, Money},
    points::Points,
    rejection::Rejection,
    zone::Zone,
};

/// The permanent record of a redemption, with the request and its answer. A replay returns the same answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointsRedemption {
    /// The order.
    pub order: OrderId,
    /// The customer of the order.
    pub customer: CustomerId,
    /// The points spent.
    pub points: Points,
    /// The total of the order before the points.
    pub order_total: Money,
    /// The amount that the points took off the total.
    pub value: Money,
    /// The balance after the redemption.
    pub balance: Points,
    /// The points with their dates, which a void gives back.
    pub lots: Vec<Lot>,
    /// When the redemption was made.
    pub redeemed_at: DateTime<Utc>,
    /// The void of the redemption, if it was voided.
    pub voided: Option<PointsVoid>,
}

/// The record of the void of a redemption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointsVoid {
    /// When the redemption was voided.
    pub at: DateTime<Utc>,
    /// The balance after the void.
    pub balance: Points,
}

/// The changes of a redemption, or of its void.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointsRedemptionChange {
    /// The customer after the change.
    pub customer: Customer,
    /// The record of the redemption.
    pub redemption: PointsRedemption,
    /// The new ledger entries.
    pub entries: Vec<Entry>,
}

/// The valuation of points in an org: its settings and the increment of its currency.
#[derive(Clone, Copy)]
pub struct PointsValuation<'a> {
    settings: &'a LoyaltySettings,
    /// The smallest difference between two amounts, in minor units. A value is floored to a multiple of it.
    increment: i64,
}

impl<'a> PointsValuation<'a> {
    /// The valuation by these settings in this currency.
    #[must_use]
    pub fn new(settings: &'a LoyaltySettings, currency: &Currency) -> Self {
        Self { settings, increment: currency.increment() }
    }
}

/// The rate at which points are redeemed, from a minimum number of points on.
#[derive(Clone, Copy)]
struct RedemptionRate {
    minimum: i64,
    cost: i64,
    /// The value of `cost` points, in minor units.
    reward: i64,
    /// The smallest difference between two amounts, in minor units.
    increment: i64,
}

impl RedemptionRate {
    /// The value in minor units, floored to the increment.
    fn value(self, points: i64) -> i128 {
        let increment = i128::from(self.increment);
        i128::from(points) * i128::from(self.reward) / (i128::from(self.cost) * increment) * increment
    }

    /// The largest number of points whose value is at most `total` minor units.
    fn points_within(self, total: i64) -> i128 {
        if self.reward == 0 {
            return i128::MAX;
        }
        // The floored value is at most `total` if the exact value is below the next multiple of the increment.
        let exceeding = i128::from((total / self.increment + 1) * self.increment);
        (exceeding * i128::from(self.cost) - 1) / i128::from(self.reward)
    }
}

/// The rates, cheapest first. The list is never empty.
fn rates(PointsValuation { settings, increment }: PointsValuation<'_>) -> Vec<RedemptionRate> {
    let listed = settings.redemption_tiers.iter().map(|tier| {
        let cost = tier.points_cost.get().0;
        RedemptionRate { minimum: cost, cost, reward: tier.reward_value.minor(), increment }
    });
    let listed: Vec<_> = listed.collect();
    // Without redemption tiers, 100 points are worth one unit of currency.
    if listed.is_empty() { vec![RedemptionRate { minimum: 1, cost: 100, reward: 100, increment }] } else { listed }
}

fn is_exact(settings: &LoyaltySettings) -> bool {
    settings.redemption_mode == RedemptionMode::Exact && settings.redemption_tiers.iter().next().is_some()
}

/// The value of points by the most expensive redemption tier that they reach, floored to the increment of the currency.
/// Returns `None` below the cheapest redemption tier, or if the value exceeds the range of amounts.
#[must_use]
pub fn value(valuation: PointsValuation<'_>, points: PointsCost) -> Option<Money> {
    let points = points.get().0;
    let rate = rates(valuation).into_iter().rev().find(|rate| rate.minimum <= points)?;
    i64::try_from(rate.value(points)).ok().and_then(Money::from_minor)
}

/// The value of any number of points at the rate that gives the most for a point, floored to the increment of the
/// currency. A number below 0 has no value.
#[must_use]
pub fn value_at_best_rate(valuation: PointsValuation<'_>, points: Points) -> Money {
    let rates = rates(valuation).into_iter();
    let best = rates.max_by(|one, other| {
        let (one, other) = ((one.reward, other.cost), (other.reward, one.cost));
        (i128::from(one.0) * i128::from(one.1)).cmp(&(i128::from(other.0) * i128::from(other.1)))
    });
    let value = best.map_or(0, |rate| rate.value(points.0.max(0)));
    Money::from_minor(i64::try_from(value).unwrap_or(i64::MAX)).unwrap_or(Money::ZERO)
}

/// The amount that points take off an order. Fails with the first rejection that applies. Without an order total, the
/// comparison with the total is skipped.
pub fn quote(
    valuation: PointsValuation<'_>,
    balance: Points,
    points: PointsCost,
    order_total: Option<Money>,
) -> Result<Money, Rejection> {
    let settings = valuation.settings;
    let minimum = rates(valuation).first().map_or(1, |rate| rate.minimum);
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

/// The largest number of points that [`quote`] accepts, with their value. Returns `None` if it accepts none.
///
/// A larger number of points can have a lower value, because the rate changes at the cost of each redemption tier. The
/// search therefore covers the range of each tier, from the most expensive tier down.
#[must_use]
pub fn max_redeemable(
    valuation: PointsValuation<'_>,
    balance: Points,
    order_total: Option<Money>,
) -> Option<(PointsCost, Money)> {
    let mut next_minimum = PointsCost::MAX + 1;
    for rate in rates(valuation).into_iter().rev() {
        let within = order_total.map_or(i128::MAX, |total| rate.points_within(total.minor()));
        let top = if is_exact(valuation.settings) { rate.minimum } else { next_minimum - 1 };
        let top = i64::try_from(within).unwrap_or(i64::MAX).min(top).min(balance.0);
        if top >= rate.minimum {
            let points = PointsCost::try_from(top).ok()?;
            return value(valuation, points).map(|value| (points, value));
        }
        next_minimum = rate.minimum;
    }
    None
}

/// Spends points on an order. Fails with the rejection of [`quote`], by the points that can be spent now.
///
/// An order with a hold for as many points spends these at the value promised, whatever the settings are now. For fewer
/// points, the rest of the hold returns. For more, the hold ends first. A hold stays if the redemption is rejected.
pub fn redeem(
    customer: &Customer,
    valuation: PointsValuation<'_>,
    order: OrderId,
    points: PointsCost,
    order_total: Money,
    now: DateTime<Utc>,
) -> Result<PointsRedemptionChange, Rejection> {
    let mut customer = customer.clone();
    let mut entries = apply_due(&mut customer, now);
    let held = customer.account.hold_of(&order).map(|hold| (hold.points(), hold.value));
    let total = Some(order_total);
    let (value, lots, expired) = match held {
        Some((held, value)) if held == points.get() => {
            if value > order_total {
                return Err(Rejection::ExceedsOrderTotal { value });
            }
            let (lots, expired) = customer.account.capture(&order, held, now).unwrap_or_default();
            (value, lots, expired)
        }
        Some((held, _)) if held > points.get() => {
            let value = quote(valuation, held, points, total)?;
            let (lots, expired) = customer.account.capture(&order, points.get(), now).unwrap_or_default();
            (value, lots, expired)
        }
        Some(_) | None => {
            let released = customer.account.release(&order, now);
            entries.extend(released.and_then(|(_, expired)| expired).map(Entry::from));
            let balance = customer.account.available(now);
            let value = quote(valuation, balance, points, total)?;
            (value, customer.account.take(points.get(), now).unwrap_or_default(), None)
        }
    };
    let kind = EntryKind::PointsRedeemed { order_id: order.clone(), order_total, value };
    let entry = Entry::new(&customer, points.get().negated(), kind, now);
    // The rest of a hold expires after the redemption.
    let expired_points = expired.as_ref().map_or(0, |expired| expired.points.0);
    entries.push(Entry { balance: Points(entry.balance.0 + expired_points), ..entry });
    entries.extend(expired.map(Entry::from));
    let redemption = PointsRedemption {
        order,
        customer: customer.id.clone(),
        points: points.get(),
        order_total,
        value,
        balance: customer.points(),
        lots,
        redeemed_at: now,
        voided: None,
    };
    Ok(PointsRedemptionChange { customer, redemption, entries })
}

/// Whether an order has a hold for as many points at `now`. Its redemption then depends on no settings.
#[must_use]
pub fn is_promised(customer: &Customer, order: &OrderId, points: PointsCost, now: DateTime<Utc>) -> bool {
    let mut account = customer.account.clone();
    account.advance(now);
    account.hold_of(order).is_some_and(|hold| hold.points() == points.get())
}

/// Whether a request repeats the recorded redemption.
#[must_use]
pub fn is_repeat(redemption: &PointsRedemption, points: PointsCost, order_total: Money) -> bool {
    redemption.points == points.get() && redemption.order_total == order_total
}

/// Voids a redemption and gives its points back, each with its own expiry. Points past their expiry can be spent for 30
/// days.
pub fn void(
    customer: &Customer,
    zone: Zone,
    redemption: PointsRedemption,
    now: DateTime<Utc>,
) -> Result<PointsRedemptionChange, Rejection> {
    let mut customer = customer.clone();
    let mut entries = apply_due(&mut customer, now);
    customer.check_balance(redemption.points)?;
    customer.account.give_back(redemption.lots.clone(), late_return_expiry(zone, now), now);
    let kind = EntryKind::PointsReturned { order_id: redemption.order.clone() };
    entries.push(Entry::new(&customer, redemption.points, kind, now));
    let voided = Some(PointsVoid { at: now, balance: customer.points() });
    Ok(PointsRedemptionChange { redemption: PointsRedemption { voided, ..redemption }, customer, entries })
}
