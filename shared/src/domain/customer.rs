//! A customer of a shop's loyalty programme.

use chrono::{DateTime, Utc};

use crate::domain::{
    churn::score::Prediction, ids::CustomerId, lookups::FoundBy, lots::account::PointsAccount, money::Money,
    orders::OrderHistory, points::Points, rejection::Rejection, text::SingleLine,
};

pub use crate::domain::profile::CustomerProfile;

/// One customer of one org.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// The id given by the shop.
    pub id: CustomerId,
    /// The data that a PUT of the customer replaces.
    pub profile: CustomerProfile,
    /// The points, with their dates.
    pub account: PointsAccount,
    /// The total paid for orders minus the total refunded.
    pub lifetime_value: Money,
    /// The orders that are not fully refunded. `None` if there are none.
    pub orders: Option<OrderHistory>,
    /// The tier held. `None` until a first tier is set.
    pub held_tier: Option<HeldTier>,
    /// The last churn prediction.
    pub churn: Option<Prediction>,
    /// The contacts and the name by which the customer is found.
    pub found_by: FoundBy,
    /// The last erasure, if there was one.
    pub erasure: Option<Erasure>,
}

/// When a customer was erased, and whether they still are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erasure {
    /// The instant.
    pub at: DateTime<Utc>,
    /// Whether the customer was enrolled anew since.
    pub is_over: bool,
}

/// The tier that a customer holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldTier {
    /// The name of the tier in the settings of that time.
    pub tier: SingleLine,
    /// When the tier last changed.
    pub since: DateTime<Utc>,
    /// The [`Loyalty::tier_rules_version`](crate::domain::loyalty::Loyalty) by which the tier was last evaluated.
    pub tier_rules_version: u64,
}

impl Customer {
    /// A customer without orders and points.
    #[must_use]
    pub fn new(id: CustomerId, profile: CustomerProfile) -> Self {
        Self {
            id,
            profile,
            account: PointsAccount::default(),
            lifetime_value: Money::ZERO,
            orders: None,
            held_tier: None,
            churn: None,
            found_by: FoundBy::default(),
            erasure: None,
        }
    }

    /// Whether the customer is erased, and was not enrolled anew.
    #[must_use]
    pub fn is_erased(&self) -> bool {
        self.erasure.is_some_and(|erasure| !erasure.is_over)
    }

    /// Rejects what is sent for an erased customer, and what is about an order of the time before the erasure.
    pub fn check_not_erased(&self, of: Option<DateTime<Utc>>) -> Result<(), Rejection> {
        let is_before = |erasure: Erasure| of.is_some_and(|of| of <= erasure.at);
        let is_erased = self.is_erased() || self.erasure.is_some_and(is_before);
        if is_erased { Err(Rejection::CustomerErased) } else { Ok(()) }
    }

    /// When the last order was fulfilled.
    #[must_use]
    pub fn last_order_at(&self) -> Option<DateTime<Utc>> {
        self.orders.as_ref().map(|orders| orders.last_at)
    }

    /// The number of orders.
    #[must_use]
    pub fn order_count(&self) -> u32 {
        self.orders.as_ref().map_or(0, |orders| orders.count.get())
    }

    /// The lifetime value divided by the number of orders, floored to the minor unit. Returns `None` without orders.
    #[must_use]
    pub fn average_order_value(&self) -> Option<Money> {
        let count = self.orders.as_ref().map(|orders| i64::from(orders.count.get()))?;
        self.lifetime_value.minor().checked_div(count).and_then(Money::from_minor)
    }

    /// The balance: the sum of the customer's ledger entries.
    #[must_use]
    pub fn points(&self) -> Points {
        self.account.points()
    }

    /// Fails with [`Rejection::OutOfRange`] if the balance cannot change by `change`.
    pub(super) fn check_balance(&self, change: Points) -> Result<(), Rejection> {
        self.points().plus(change).map(drop).ok_or(Rejection::OutOfRange { figure: "points" })
    }

    /// Adds an order fulfilled at `at` to the history. A late order changes neither date in the wrong direction.
    pub(super) fn count_order(&mut self, at: DateTime<Utc>) -> Result<(), Rejection> {
        match &mut self.orders {
            None => self.orders = Some(OrderHistory::first(at)),
            Some(orders) => orders.add(at).ok_or(Rejection::OutOfRange { figure: "orderCount" })?,
        }
        Ok(())
    }

    /// Removes a fully refunded order, fulfilled at `at`, from the history.
    pub(super) fn uncount_order(&mut self, at: DateTime<Utc>) {
        self.orders = self.orders.take().and_then(|orders| orders.without(at));
    }

    /// Replaces the part `before` of the lifetime value by `after`. Fails with [`Rejection::OutOfRange`].
    pub(super) fn change_lifetime_value(&mut self, before: Money, after: Money) -> Result<(), Rejection> {
        let value = self.lifetime_value.plus(after).and_then(|value| value.minus(before));
        self.lifetime_value = value.ok_or(Rejection::OutOfRange { figure: "lifetimeValue" })?;
        Ok(())
    }
}
