//! A member of a shop's programme: what people set, and what the system keeps.

use std::num::NonZeroU32;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::{ids::CustomerId, money::Money, points::Points, rejection::Rejection, text::Line};

/// One customer of one org.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// The id the shop gave.
    pub id: CustomerId,
    /// What people set.
    pub person: Person,
    /// The balance: the sum of the customer's ledger entries.
    pub points: Points,
    /// What was paid for orders, less what was refunded.
    pub lifetime_value: Money,
    /// Orders that are not wholly refunded; `None` without any.
    pub orders: Option<Orders>,
    /// The tier held, from the first time one was decided.
    pub standing: Option<Standing>,
}

/// What people set of a customer; all of it is erased on request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// Given name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<Line>,
    /// Family name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<Line>,
    /// E-mail address, as given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Line>,
    /// Telephone number, as given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Line>,
    /// Whether every order of theirs earns with the equity multiplier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equity_status: Option<bool>,
}

/// How many orders, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Orders {
    /// How many.
    pub count: NonZeroU32,
    /// When the first was fulfilled.
    pub first_at: DateTime<Utc>,
    /// When the last was fulfilled.
    pub last_at: DateTime<Utc>,
}

/// The tier somebody holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its name, as listed when it was decided.
    pub tier: Line,
    /// When it last changed.
    pub since: DateTime<Utc>,
    /// The [`Loyalty::tier_rules`](crate::domain::loyalty::Loyalty) by which it was last decided.
    pub tier_rules: u64,
}

impl Customer {
    /// Somebody who has not bought anything yet.
    #[must_use]
    pub const fn new(id: CustomerId, person: Person) -> Self {
        Self { id, person, points: Points::ZERO, lifetime_value: Money::ZERO, orders: None, standing: None }
    }

    /// When the last order was fulfilled.
    #[must_use]
    pub fn last_order_at(&self) -> Option<DateTime<Utc>> {
        self.orders.map(|orders| orders.last_at)
    }

    /// How many orders there are.
    #[must_use]
    pub fn order_count(&self) -> u32 {
        self.orders.map_or(0, |orders| orders.count.get())
    }

    /// Lifetime value by orders, floored to the cent; `None` without orders.
    #[must_use]
    pub fn average_order_value(&self) -> Option<Money> {
        let count = self.orders.map(|orders| i64::from(orders.count.get()))?;
        self.lifetime_value.minor().checked_div(count).and_then(Money::from_minor)
    }

    /// Adds points, or takes them.
    pub(super) fn add_points(&mut self, change: Points) -> Result<(), Rejection> {
        self.points = self.points.plus(change).ok_or(Rejection::OutOfRange { figure: "points" })?;
        Ok(())
    }

    /// Counts an order fulfilled at `at`; one that arrives late moves no date the wrong way.
    pub(super) fn count_order(&mut self, total: Money, at: DateTime<Utc>) -> Result<(), Rejection> {
        let out_of_range = |figure| Rejection::OutOfRange { figure };
        self.lifetime_value = self.lifetime_value.plus(total).ok_or(out_of_range("lifetimeValue"))?;
        self.orders = Some(match self.orders {
            None => Orders { count: NonZeroU32::MIN, first_at: at, last_at: at },
            Some(Orders { count, first_at, last_at }) => Orders {
                count: count.checked_add(1).ok_or(out_of_range("orderCount"))?,
                first_at: first_at.min(at),
                last_at: last_at.max(at),
            },
        });
        Ok(())
    }

    /// No longer counts an order of which nothing is left; without any other, both dates go.
    pub(super) fn uncount_order(&mut self) {
        self.orders = self.orders.and_then(|orders| {
            let count = NonZeroU32::new(orders.count.get() - 1)?;
            Some(Orders { count, ..orders })
        });
    }
}
