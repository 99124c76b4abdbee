//! Closes the days of an org that are over: counts the entries of each day and records what is outstanding.

use std::ops::ControlFlow;

use chrono::{DateTime, NaiveDate, Utc};
use shared::{
    domain::{
        liability::{AccountTotals, ClosedDay, DayChanges, LateDay, days_to_close, total},
        loyalty::LoyaltySettings,
        org::Org,
        points_redemption::{PointsValuation, value_at_best_rate},
    },
    failure::Failure,
    jobs::{
        fresh::commit_listed,
        pages::{for_each_row, retry_unavailable},
        sweep::Sweep,
    },
};

use crate::{answer::ExpiryFigures, balances::first_day};

/// The number of closed days whose entries are counted again for late ones.
pub(crate) const LATE_DAYS: usize = 7;

/// Entries in a page.
const PAGE_SIZE: usize = 1_000;

/// The days of one org that are over.
pub(crate) struct Closing<'a> {
    pub(crate) sweep: &'a Sweep<'a>,
    pub(crate) org: &'a Org,
    /// The start of the run, by which everything due is recorded.
    pub(crate) began: DateTime<Utc>,
    /// What the run found in the accounts.
    pub(crate) found: AccountTotals,
}

impl Closing<'_> {
    /// Closes days, oldest first. `newest` are the last records, newest first. Returns whether all days are closed, as
    /// far as one run closes them.
    pub(crate) async fn close_days(
        &self,
        mut newest: Vec<ClosedDay>,
        figures: &mut ExpiryFigures,
    ) -> Result<bool, Failure> {
        for _ in days_to_close(newest.first().map(|day| day.date), self.began) {
            if self.sweep.should_stop() {
                return Ok(false);
            }
            let load = || async { Ok(Some(self.newest_days().await?)) };
            let listed = Some(newest.clone());
            let closed = commit_listed(self.sweep.deadline, listed, load, |newest| self.close_next(newest)).await?;
            // Another run may have closed the days.
            let Some(closed) = closed else { return Ok(true) };
            newest.insert(0, closed);
            newest.truncate(LATE_DAYS);
            figures.days_closed += 1;
            self.sweep.mark_progress();
        }
        Ok(true)
    }

    async fn newest_days(&self) -> Result<Vec<ClosedDay>, Failure> {
        Ok(retry_unavailable(self.sweep, || self.sweep.store.newest_days(&self.org.id, LATE_DAYS)).await?)
    }

    /// Closes the day after the newest record. Returns `None` if it is not over.
    async fn close_next(&self, newest: Vec<ClosedDay>) -> Result<Option<ClosedDay>, Failure> {
        let last = newest.first();
        let days = days_to_close(last.map(|day| day.date), self.began);
        let Some(date) = days.first().copied() else { return Ok(None) };
        let late = self.late_days(&newest).await?;
        let late_points = total(late.iter().map(LateDay::points));
        let (changes, outstanding) = match last {
            Some(last) => {
                let changes = self.changes(date).await?;
                let outstanding = total([last.outstanding, changes.net(), late_points]);
                (changes, outstanding)
            }
            // Both come from the ledgers. The index may lag behind them, and would find entries that are in the balances
            // as late ones.
            None => first_day(self.sweep, self.org, date).await?,
        };
        let settings =
            self.org.loyalty.as_ref().map_or_else(LoyaltySettings::default, |loyalty| loyalty.settings.clone());
        let valuation = PointsValuation::new(&settings, &self.org.profile.currency);
        let day = ClosedDay {
            date,
            changes,
            late: late_points,
            outstanding,
            // The accounts are known as of now, and only the last day has just ended.
            found: (days.len() == 1).then_some(self.found),
            value: value_at_best_rate(valuation, outstanding),
            counted: changes.net(),
            closed_at: self.began,
        };
        let mut transaction = self.sweep.store.transaction(self.org);
        transaction.close_day(&day, &late)?;
        transaction.commit().await?;
        Ok(Some(day))
    }

    /// The sums of a day's entries.
    async fn changes(&self, day: NaiveDate) -> Result<DayChanges, Failure> {
        let (store, org) = (self.sweep.store, &self.org.id);
        let mut changes = DayChanges::default();
        let page =
            |after: Option<String>| async move { store.entries_of_day(org, day, after.as_deref(), PAGE_SIZE).await };
        for_each_row(self.sweep, page, |entry| {
            if let Some((_, entry)) = entry {
                changes.count(&entry);
            }
            ControlFlow::Continue(())
        })
        .await?;
        Ok(changes)
    }

    /// The closed days with entries that were recorded after the day was closed.
    async fn late_days(&self, newest: &[ClosedDay]) -> Result<Vec<LateDay>, Failure> {
        let mut late = Vec::new();
        // A day that this run closed was counted a moment ago.
        for day in newest.iter().filter(|day| day.closed_at < self.began) {
            late.extend(LateDay::of(day, &self.changes(day.date).await?));
        }
        Ok(late)
    }
}
