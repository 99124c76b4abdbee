//! The entries of a day that is over, and the points of all customers at its end, from their ledgers.
//!
//! The records of an org begin with them. One call reads all ledgers, because a customer may move in the list while
//! it is read, and must count once.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
    ops::ControlFlow,
};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use futures::future::join_all;
use shared::{
    domain::{
        ids::CustomerId,
        ledger::Entry,
        liability::{DayChanges, end_of, total},
        org::Org,
        points::Points,
    },
    failure::Failure,
    jobs::{
        pages::{check_time, for_each_row, retry_unavailable},
        sweep::Sweep,
    },
    store::{HistoryRow, Page, Row},
};

/// Customers or entries in a page.
const PAGE_SIZE: usize = 1_000;

/// Ledgers that are read concurrently.
const LEDGERS_AT_ONCE: usize = 16;

/// Entries in a page of a ledger.
const LEDGER_PAGE_SIZE: usize = 20;

/// By how much the clocks of two writers may differ. An entry may be dated that much before an earlier entry.
const CLOCK_SKEW_MAX: TimeDelta = TimeDelta::hours(1);

const DAY: TimeDelta = TimeDelta::days(1);

/// The sums of a day's entries in UTC, and the points that all customers of an org had at its end.
pub(crate) async fn first_day(sweep: &Sweep<'_>, org: &Org, date: NaiveDate) -> Result<(DayChanges, Points), Failure> {
    let (sum, changes, seen) = (Points::ZERO, DayChanges::default(), HashSet::new());
    let mut balances = Balances { sweep, org, date, at: end_of(date), seen, sum, changes };
    balances.add_listed_customers().await?;
    balances.add_customers_with_entries().await?;
    Ok((balances.changes, balances.sum))
}

struct Balances<'a> {
    sweep: &'a Sweep<'a>,
    org: &'a Org,
    date: NaiveDate,
    /// The end of the day.
    at: DateTime<Utc>,
    /// Digests, because the ids of millions of customers take too much memory.
    seen: HashSet<u64>,
    sum: Points,
    changes: DayChanges,
}

impl Balances<'_> {
    /// Adds every customer of the list.
    async fn add_listed_customers(&mut self) -> Result<(), Failure> {
        let (store, org) = (self.sweep.store, &self.org.id);
        let mut after: Option<String> = None;
        loop {
            check_time(self.sweep)?;
            let page = || store.customers_since(org, None, after.as_deref(), PAGE_SIZE);
            let Page { rows, next } = retry_unavailable(self.sweep, page).await?;
            self.add(rows.into_iter().map(|Row { value, .. }| value.id)).await?;
            after = next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Adds the customers that the list did not show because they moved while it was read. A customer only moves with an
    /// entry.
    async fn add_customers_with_entries(&mut self) -> Result<(), Failure> {
        let (store, org) = (self.sweep.store, &self.org.id);
        let last = (self.sweep.now + CLOCK_SKEW_MAX).date_naive();
        let mut customers: HashSet<CustomerId> = HashSet::new();
        for day in self.at.date_naive().iter_days().take_while(|day| *day <= last) {
            let page = |after: Option<String>| async move {
                store.entries_of_day(org, day, after.as_deref(), PAGE_SIZE).await
            };
            for_each_row(self.sweep, page, |entry| {
                customers.extend(entry.map(|(customer, _)| customer));
                ControlFlow::Continue(())
            })
            .await?;
        }
        self.add(customers.into_iter()).await
    }

    /// Adds the customers among these that are not added yet.
    async fn add(&mut self, customers: impl Iterator<Item = CustomerId>) -> Result<(), Failure> {
        let new: Vec<CustomerId> = customers
            .filter(|customer| {
                let mut digest = DefaultHasher::new();
                customer.hash(&mut digest);
                self.seen.insert(digest.finish())
            })
            .collect();
        for batch in new.chunks(LEDGERS_AT_ONCE) {
            check_time(self.sweep)?;
            for balance in join_all(batch.iter().map(|customer| self.balance(customer))).await {
                let (balance, entries) = balance?;
                self.sum = total([self.sum, balance]);
                for entry in &entries {
                    self.changes.count(entry);
                }
            }
        }
        Ok(())
    }

    /// The points that a customer had at the end of the day: those after the newest entry, less what came since. And the
    /// entries of the day.
    async fn balance(&self, customer: &CustomerId) -> Result<(Points, Vec<Entry>), Failure> {
        let (store, org) = (self.sweep.store, &self.org.id);
        let mut newest: Option<Points> = None;
        let mut of_day = Vec::new();
        let mut since = Points::ZERO;
        let mut after: Option<String> = None;
        loop {
            let page = || store.ledger(org, customer, after.as_deref(), LEDGER_PAGE_SIZE);
            let Page { rows, next } = retry_unavailable(self.sweep, page).await?;
            for Row { value, .. } in rows {
                let HistoryRow::Read(entry) = value else { continue };
                newest = newest.or(Some(entry.balance));
                if entry.at < self.at - DAY - CLOCK_SKEW_MAX {
                    return Ok((Points(newest.unwrap_or_default().0.saturating_sub(since.0)), of_day));
                }
                if entry.at >= self.at {
                    since = total([since, entry.points]);
                } else if entry.at.date_naive() == self.date {
                    of_day.push(entry);
                }
            }
            after = next;
            if after.is_none() {
                return Ok((Points(newest.unwrap_or_default().0.saturating_sub(since.0)), of_day));
            }
        }
    }
}
