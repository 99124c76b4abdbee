//! The input of the statistical model for one customer, and a bounded sample of customers for the fit.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use sha2::{Digest, Sha256};

use crate::domain::{ids::CustomerId, orders::OrderHistory, zone::Zone};

/// The purchases of a customer in the three numbers of the BG/NBD family: frequency, recency and age. Several orders on
/// one day are one purchase.
///
/// Invariant: the recency is at most the age, and the frequency is at most the recency in days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Observation {
    repeats: u32,
    recency_days: u32,
    age_days: u32,
}

impl Observation {
    /// An observation from the number of purchase days after the first, and the days from the first purchase to the
    /// last and to today. Contradictory numbers are corrected: `age_days` becomes at least
    /// `recency_days`. `repeats` becomes 0 if `recency_days` is 0, else 1 to `recency_days`.
    #[must_use]
    pub const fn new(repeats: u32, recency_days: u32, age_days: u32) -> Self {
        let repeats = if repeats > recency_days {
            recency_days
        } else if repeats == 0 && recency_days > 0 {
            1
        } else {
            repeats
        };
        Self { repeats, recency_days, age_days: if age_days > recency_days { age_days } else { recency_days } }
    }

    /// The observation of a customer's orders at `now`, with days in the org's time zone.
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

    /// The frequency `x`: the purchase days after the first.
    #[must_use]
    pub const fn repeats(self) -> u32 {
        self.repeats
    }

    /// The recency `t_x`: the weeks from the first purchase day to the last.
    #[must_use]
    pub fn recency_weeks(self) -> f64 {
        f64::from(self.recency_days) / 7.0
    }

    /// The age `T`: the weeks from the first purchase day to today.
    #[must_use]
    pub fn age_weeks(self) -> f64 {
        f64::from(self.age_days) / 7.0
    }
}

/// The distinct days of the recent orders, oldest first.
pub(super) fn recent_days(orders: &OrderHistory, zone: Zone) -> Vec<NaiveDate> {
    let days = orders.recent.iter().map(|at| at.with_timezone(&zone).date_naive());
    let mut days: Vec<_> = days.collect();
    // If clocks go back over midnight, a later instant can have an earlier date.
    days.sort_unstable();
    days.dedup();
    days
}

/// The days from one date to another. Returns 0 if the second date is not later.
pub(super) fn days_between_dates(one: NaiveDate, other: NaiveDate) -> u32 {
    u32::try_from((other - one).num_days()).unwrap_or(0)
}

/// A sample of at most [`CustomerSample::SIZE_MAX`] customers. It contains the customers whose ids have the smallest
/// SHA-256 digests. The sample does not depend on the order of insertion, and contains a customer only once. SHA-256,
/// unlike the standard hasher, is the same in every release of the compiler.
#[derive(Debug, Default)]
pub struct CustomerSample {
    by_digest: BTreeMap<[u8; 32], Observation>,
}

impl CustomerSample {
    /// The maximum size. The parameters of a fit to 10,000 customers are exact to a few percent, and the fit takes a
    /// fraction of a second.
    pub const SIZE_MAX: usize = 10_000;

    /// Inserts a customer. The sample keeps the customer only if the digest of the id is among the smallest. The caller
    /// must also insert customers that left long ago.
    pub fn insert(&mut self, id: &CustomerId, observation: Observation) {
        self.by_digest.insert(Sha256::digest(id.as_str()).into(), observation);
        if self.by_digest.len() > Self::SIZE_MAX {
            self.by_digest.pop_last();
        }
    }

    /// The observations in the sample.
    pub fn observations(&self) -> impl Iterator<Item = Observation> + '_ {
        self.by_digest.values().copied()
    }
}
