//! What the statistical model looks at of a customer, and a bounded sample of customers to fit it on.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use sha2::{Digest, Sha256};

use crate::domain::{ids::CustomerId, orders::OrderHistory, zone::Zone};

/// A customer's purchases in three numbers, as the BG/NBD family takes them. Orders of one day are one purchase.
///
/// The last repeat purchase lies within the age, and there are no more of them than days up to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Observation {
    repeats: u32,
    last: u32,
    age: u32,
}

impl Observation {
    /// From the number of purchase days after the first, and the days from the first to the last and to today. What
    /// contradicts itself is brought into line: `age` is at least `last`, and `repeats` from 1 to `last`, or 0 where
    /// `last` is.
    #[must_use]
    pub const fn new(repeats: u32, last: u32, age: u32) -> Self {
        let repeats = if repeats > last {
            last
        } else if repeats == 0 && last > 0 {
            1
        } else {
            repeats
        };
        Self { repeats, last, age: if age > last { age } else { last } }
    }

    /// What is to be seen of somebody's orders at `now`, by the days of the org's time zone.
    #[must_use]
    pub fn of(orders: &OrderHistory, zone: Zone, now: DateTime<Utc>) -> Self {
        let day = |at: DateTime<Utc>| at.with_timezone(&zone).date_naive();
        let days = recent_days(orders, zone);
        let oldest = days.first().copied().filter(|_| orders.all_recent());
        let first = oldest.unwrap_or_else(|| day(orders.first_at));
        let last = days.last().copied().unwrap_or_else(|| day(orders.last_at));
        let purchases = orders.earlier_days.saturating_add(u32::try_from(days.len()).unwrap_or(u32::MAX));
        Self::new(purchases.saturating_sub(1), days_between_dates(first, last), days_between_dates(first, day(now)))
    }

    /// Purchase days after the first: `x`.
    #[must_use]
    pub const fn repeats(self) -> u32 {
        self.repeats
    }

    /// From the first purchase day to the last, in weeks: `t_x`.
    #[must_use]
    pub fn recency_weeks(self) -> f64 {
        f64::from(self.last) / 7.0
    }

    /// From the first purchase day to today, in weeks: `T`.
    #[must_use]
    pub fn age_weeks(self) -> f64 {
        f64::from(self.age) / 7.0
    }
}

/// The days of the recent orders, each once, oldest first.
pub(super) fn recent_days(orders: &OrderHistory, zone: Zone) -> Vec<NaiveDate> {
    let days = orders.recent.iter().map(|at| at.with_timezone(&zone).date_naive());
    let mut days: Vec<_> = days.collect();
    // Where clocks go back over midnight a later instant can have the earlier date.
    days.sort_unstable();
    days.dedup();
    days
}

/// Days from one date to another; 0 if that is no later.
pub(super) fn days_between_dates(one: NaiveDate, other: NaiveDate) -> u32 {
    u32::try_from((other - one).num_days()).unwrap_or(0)
}

/// At most [`CustomerSample::SIZE_MAX`] of the customers it is shown: those whose ids have the smallest digests (SHA-256, which no
/// release of the compiler changes). So it is the same sample in whatever order they come, and a customer who comes twice is
/// in it once.
#[derive(Debug, Default)]
pub struct CustomerSample {
    by_digest: BTreeMap<[u8; 32], Observation>,
}

impl CustomerSample {
    /// How many customers are enough: the parameters of ten thousand are certain to a few percent, and fitting them
    /// takes a fraction of a second.
    pub const SIZE_MAX: usize = 10_000;

    /// Shows one customer. Whom the model is fitted on has to include those who have left long ago.
    pub fn insert(&mut self, id: &CustomerId, observation: Observation) {
        self.by_digest.insert(Sha256::digest(id.as_str()).into(), observation);
        if self.by_digest.len() > Self::SIZE_MAX {
            self.by_digest.pop_last();
        }
    }

    /// What was kept.
    pub fn observations(&self) -> impl Iterator<Item = Observation> + '_ {
        self.by_digest.values().copied()
    }
}
