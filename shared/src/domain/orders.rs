//! Orders: a customer's history, and the header of one order.

use std::num::NonZeroU32;

use chrono::{DateTime, Utc};

use crate::domain::ids::CustomerId;

/// The customer of an order, and what holds for the whole order.
#[derive(Debug, Clone, Default)]
pub struct OrderHeader {
    /// The order's customer, from the first recorded operation that names one.
    pub owner: Option<CustomerId>,
    /// Whether the whole order was cancelled. Then no bundle redemption of the order counts, and none is accepted later.
    pub bundles_voided: bool,
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
    /// When the latest were fulfilled, oldest first: at most [`OrderHistory::RECENT_MAX`].
    pub recent: Vec<DateTime<Utc>>,
    /// On how many days the others were fulfilled, without the day of the oldest recent one.
    ///
    /// Counted in UTC, because awarding knows no time zone; the days of the recent ones are read in the org's. It may
    /// be off by one for each order that arrives or is refunded when it is older than the recent ones, which is taken
    /// for alone on its day because the others of its day are not remembered, and for each recent one that is refunded
    /// when it was the last of its day still remembered.
    pub earlier_days: u32,
}

impl OrderHistory {
    /// Of how many orders the instant is remembered.
    pub const RECENT_MAX: usize = 12;

    /// A first order.
    pub(super) fn first(at: DateTime<Utc>) -> Self {
        Self::dated(NonZeroU32::MIN, at, at)
    }

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
    pub(super) fn add(&mut self, at: DateTime<Utc>) -> Option<()> {
        let count = self.count.checked_add(1)?;
        let oldest = self.recent.first().copied().unwrap_or(self.last_at);
        if self.all_recent() || at >= oldest {
            self.recent.insert(self.recent.partition_point(|recent| *recent <= at), at);
            if self.recent.len() > Self::RECENT_MAX {
                let dropped = self.recent.remove(0);
                self.count_earlier(self.recent.first().is_some_and(|oldest| !same_day(dropped, *oldest)));
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
    pub(super) fn without(mut self, at: DateTime<Utc>) -> Option<Self> {
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
