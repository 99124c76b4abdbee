//! Orders: the order history of a customer, and the header of one order.

use std::num::NonZeroU32;

use chrono::{DateTime, Utc};

use crate::domain::ids::CustomerId;

/// The customer of an order, and the state that applies to the whole order.
#[derive(Debug, Clone, Default)]
pub struct OrderHeader {
    /// The order's customer, from the first recorded operation that names one.
    pub owner: Option<CustomerId>,
    /// Whether the whole order was cancelled. Then no bundle redemption of the order counts, and none is accepted
    /// later.
    pub bundles_voided: bool,
    /// The instant of the state in which the order was cancelled, if that state came before the award.
    pub cancelled_as_of: Option<DateTime<Utc>>,
}

/// The number of orders and their dates, as far as the rules need them.
///
/// A fully refunded order is not part of the history. After its removal, the remaining orders determine the first and
/// the last date, as far as their instants are remembered. Otherwise the dates do not change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderHistory {
    /// The number of orders.
    pub count: NonZeroU32,
    /// When the first order was fulfilled.
    pub first_at: DateTime<Utc>,
    /// When the last order was fulfilled.
    pub last_at: DateTime<Utc>,
    /// When the most recent orders were fulfilled, oldest first. Contains at most [`OrderHistory::RECENT_MAX`]
    /// instants.
    pub recent: Vec<DateTime<Utc>>,
    /// The number of days with orders that are older than `recent`, without the day of the oldest recent order.
    ///
    /// These days are counted in UTC, because an award does not know the org's time zone. The days of the recent orders
    /// are read in the org's time zone. The number can be off by one for each of these events:
    ///
    /// - An older order arrives late or is refunded on a day with other older orders. The history does not remember
    ///   those orders, so the order counts as the only one of its day.
    /// - The last remembered order of its day is refunded.
    pub earlier_days: u32,
}

impl OrderHistory {
    /// The number of recent orders whose instants are remembered.
    pub const RECENT_MAX: usize = 12;

    /// The history after a first order.
    pub(super) fn first(at: DateTime<Utc>) -> Self {
        Self::dated(NonZeroU32::MIN, at, at)
    }

    /// A history of which only the number of orders and two dates are known. Each order counts as the only one of its
    /// day.
    #[must_use]
    pub fn dated(count: NonZeroU32, first_at: DateTime<Utc>, last_at: DateTime<Utc>) -> Self {
        Self { count, first_at, last_at, recent: vec![last_at], earlier_days: count.get() - 1 }
    }

    /// Whether `recent` contains every order.
    #[must_use]
    pub fn all_recent(&self) -> bool {
        u32::try_from(self.recent.len()) == Ok(self.count.get())
    }

    /// Adds an order. Returns `None` if the number of orders overflows.
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

    /// The history without the order fulfilled at `at`. Returns `None` if no order remains.
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
