//! A member of a shop's programme: what people set, and what the system keeps.

use chrono::{DateTime, Utc};

use crate::domain::{
    churn::score::Prediction, ids::CustomerId, money::Money, orders::OrderHistory, points::Points,
    rejection::Rejection, text::SingleLine,
};

/// One customer of one org.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// The id the shop gave.
    pub id: CustomerId,
    /// What people set.
    pub profile: CustomerProfile,
    /// The balance: the sum of the customer's ledger entries.
    pub points: Points,
    /// What was paid for orders, less what was refunded.
    pub lifetime_value: Money,
    /// Orders that are not wholly refunded; `None` without any.
    pub orders: Option<OrderHistory>,
    /// The tier held, from the first time one was decided.
    pub held_tier: Option<HeldTier>,
    /// How likely they were to leave when that was last worked out.
    pub churn: Option<Prediction>,
}

/// What people set of a customer; all of it is erased on request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CustomerProfile {
    /// Given name.
    pub first_name: Option<SingleLine>,
    /// Family name.
    pub last_name: Option<SingleLine>,
    /// E-mail address, as given.
    pub email: Option<SingleLine>,
    /// Telephone number, as given.
    pub phone: Option<SingleLine>,
    /// Whether every order of theirs earns with the equity multiplier.
    pub equity_status: Option<bool>,
}

/// The tier somebody holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldTier {
    /// Its name, as listed when it was decided.
    pub tier: SingleLine,
    /// When it last changed.
    pub since: DateTime<Utc>,
    /// The [`Loyalty::tier_rules_version`](crate::domain::loyalty::Loyalty) by which it was last decided.
    pub tier_rules_version: u64,
}

impl Customer {
    /// Somebody who has not bought anything yet.
    #[must_use]
    pub const fn new(id: CustomerId, profile: CustomerProfile) -> Self {
        Self {
            id,
            profile,
            points: Points::ZERO,
            lifetime_value: Money::ZERO,
            orders: None,
            held_tier: None,
            churn: None,
        }
    }

    /// When the last order was fulfilled.
    #[must_use]
    pub fn last_order_at(&self) -> Option<DateTime<Utc>> {
        self.orders.as_ref().map(|orders| orders.last_at)
    }

    /// How many orders there are.
    #[must_use]
    pub fn order_count(&self) -> u32 {
        self.orders.as_ref().map_or(0, |orders| orders.count.get())
    }

    /// Lifetime value by orders, floored to the cent; `None` without orders.
    #[must_use]
    pub fn average_order_value(&self) -> Option<Money> {
        let count = self.orders.as_ref().map(|orders| i64::from(orders.count.get()))?;
        self.lifetime_value.minor().checked_div(count).and_then(Money::from_minor)
    }

    /// Adds points, or takes them.
    pub(super) fn add_points(&mut self, change: Points) -> Result<(), Rejection> {
        self.points = self.points.plus(change).ok_or(Rejection::OutOfRange { figure: "points" })?;
        Ok(())
    }

    /// Counts an order fulfilled at `at`; one that arrives late moves no date the wrong way.
    pub(super) fn count_order(&mut self, at: DateTime<Utc>) -> Result<(), Rejection> {
        match &mut self.orders {
            None => self.orders = Some(OrderHistory::first(at)),
            Some(orders) => orders.add(at).ok_or(Rejection::OutOfRange { figure: "orderCount" })?,
        }
        Ok(())
    }

    /// No longer counts an order, fulfilled at `at`, of which nothing is left; without any other, all dates go.
    pub(super) fn uncount_order(&mut self, at: DateTime<Utc>) {
        self.orders = self.orders.take().and_then(|orders| orders.without(at));
    }

    /// Adds to what was paid, or takes from it.
    pub(super) fn change_lifetime_value(&mut self, before: Money, after: Money) -> Result<(), Rejection> {
        let value = self.lifetime_value.plus(after).and_then(|value| value.minus(before));
        self.lifetime_value = value.ok_or(Rejection::OutOfRange { figure: "lifetimeValue" })?;
        Ok(())
    }
}
