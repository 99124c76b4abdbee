//! A member of a shop's programme: what people set, and what the system keeps.

use std::num::NonZeroU32;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::{
    churn::prediction::Prediction, ids::CustomerId, money::Money, points::Points, rejection::Rejection,
    text::SingleLine,
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
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CustomerProfile {
    /// Given name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<SingleLine>,
    /// Family name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<SingleLine>,
    /// E-mail address, as given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<SingleLine>,
    /// Telephone number, as given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<SingleLine>,
    /// Whether every order of theirs earns with the equity multiplier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equity_status: Option<bool>,
}

/// How many orders, and when: what the rules need of a history, and no more.
///
/// An order of which nothing is left after refunds is not one of them. The dates of the first and the last are then those of
/// the orders that are left, as far as these are remembered; else they stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderHistory {
    /// How many.
    pub count: NonZeroU32,
    /// When the first was fulfilled.
    pub first_at: DateTime<Utc>,
    /// When the last was fulfilled.
    pub last_at: DateTime<Utc>,
    /// When the latest were fulfilled, oldest first: at most [`OrderHistory::RECENT`].
    pub recent: Vec<DateTime<Utc>>,
    /// On how many days the others were fulfilled, without the day of the oldest recent one.
    ///
    /// Counted in UTC, because awarding knows no time zone; the days of the recent ones are read in the org's. It may
    /// be off by one for each order that arrives or is refunded when it is older than the recent ones, which is taken
    /// for alone on its day because the others of its day are not remembered, and for each recent one that is refunded
    /// when it was the last of its day still remembered.
    pub earlier_days: u32,
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
            None => self.orders = Some(OrderHistory::dated(NonZeroU32::MIN, at, at)),
            Some(orders) => orders.add(at).ok_or(Rejection::OutOfRange { figure: "orderCount" })?,
        }
        Ok(())
    }

    /// No longer counts an order, fulfilled at `at`, of which nothing is left; without any other, all dates go.
    pub(super) fn uncount_order(&mut self, at: DateTime<Utc>) {
        self.orders = self.orders.take().and_then(|orders| orders.without(at));
    }

    /// Adds to what was paid, or takes from it.
    pub(super) fn add_value(&mut self, before: Money, after: Money) -> Result<(), Rejection> {
        let value = self.lifetime_value.plus(after).and_then(|value| value.minus(before));
        self.lifetime_value = value.ok_or(Rejection::OutOfRange { figure: "lifetimeValue" })?;
        Ok(())
    }
}

impl OrderHistory {
    /// Of how many orders the instant is remembered.
    pub const RECENT: usize = 12;

    /// Orders of which only number and dates are known: each is taken for alone on its day.
    #[must_use]
    pub fn dated(count: NonZeroU32, first_at: DateTime<Utc>, last_at: DateTime<Utc>) -> Self {
        Self { count, first_at, last_at, recent: vec![last_at], earlier_days: count.get() - 1 }
    }

    /// Whether every order is among the recent ones.
    #[must_use]
    pub fn all_recent(&self) -> bool {
        u32::try_from(self.recent.len()) == Ok(self.count.get())
    }

    /// One more; `None` beyond what can be counted.
    fn add(&mut self, at: DateTime<Utc>) -> Option<()> {
        let count = self.count.checked_add(1)?;
        let oldest = self.recent.first().copied().unwrap_or(self.last_at);
        if self.all_recent() || at >= oldest {
            self.recent.insert(self.recent.partition_point(|recent| *recent <= at), at);
            if self.recent.len() > Self::RECENT {
                let gone = self.recent.remove(0);
                self.count_earlier(self.recent.first().is_some_and(|oldest| !same_day(gone, *oldest)));
            }
        } else {
            self.count_earlier(!same_day(at, oldest) && !same_day(at, self.first_at));
        }
        (self.count, self.first_at, self.last_at) = (count, self.first_at.min(at), self.last_at.max(at));
        Some(())
    }

    fn count_earlier(&mut self, is_new_day: bool) {
        self.earlier_days = self.earlier_days.saturating_add(u32::from(is_new_day));
    }

    /// Those left without the one fulfilled at `at`.
    fn without(mut self, at: DateTime<Utc>) -> Option<Self> {
        self.count = NonZeroU32::new(self.count.get() - 1)?;
        if let Ok(index) = self.recent.binary_search(&at) {
            self.recent.remove(index);
        } else if self.recent.first().is_none_or(|oldest| !same_day(at, *oldest)) {
            self.earlier_days = self.earlier_days.saturating_sub(1);
        }
        if let Some(last) = self.recent.last() {
            self.last_at = *last;
        }
        if let Some(first) = self.recent.first().filter(|_| self.all_recent()) {
            self.first_at = *first;
        }
        Some(self)
    }
}

fn same_day(one: DateTime<Utc>, other: DateTime<Utc>) -> bool {
    one.date_naive() == other.date_naive()
}
