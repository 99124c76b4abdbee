//! Visits an org: its customers, page by page, and then the days that are over.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use shared::{
    domain::{
        liability::{AccountTotals, ClosedDay},
        org::Org,
        points::Points,
    },
    error::{InternalError, chain},
    failure::Failure,
    jobs::{
        pages::retry_unavailable,
        sweep::{OrgVisit, Sweep, VisitOutcome},
    },
    store::StoreError,
};

use crate::{
    answer::ExpiryFigures,
    closing::{Closing, LATE_DAYS},
    customers::{CustomerPages, PageProgress},
};

/// How far back an org's first run looks for notices that are due.
const FIRST_NOTICES_WITHIN: TimeDelta = TimeDelta::days(3);

/// Where the next call continues within an org.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct ExpiryPosition {
    /// The index position of the last customer.
    #[serde(deserialize_with = "Option::deserialize")]
    after: Option<String>,
    /// Whether every customer has been looked at.
    customers_done: bool,
    /// Whether a customer could not be written. The days of the org then stay open.
    is_incomplete: bool,
    /// What the accounts hold so far: pending, held and soon expiring points.
    found: [i64; 3],
}

impl ExpiryPosition {
    const fn totals(&self) -> AccountTotals {
        let [pending, held, expiring] = self.found;
        AccountTotals { pending: Points(pending), held: Points(held), expiring_within_30_days: Points(expiring) }
    }

    /// Moves past the customers of a page that are done.
    fn advance(&mut self, progress: PageProgress, found: AccountTotals) {
        self.after = progress.last.or(self.after.take());
        self.is_incomplete |= progress.write_errors > 0;
        self.found = [found.pending.0, found.held.0, found.expiring_within_30_days.0];
    }
}

fn log_open_days(org: &Org, error: &InternalError) {
    tracing::error!(org = %org.id, error = chain(error), "the days of the org stay open");
}

/// One call of a run.
pub(crate) struct Run<'a> {
    pub(crate) sweep: Sweep<'a>,
}

impl Run<'_> {
    /// Works in an org until its customers and days, or the time of the call, run out.
    pub(crate) async fn visit_org(
        &self,
        visit: OrgVisit<ExpiryPosition>,
    ) -> Result<Option<VisitOutcome<ExpiryFigures, ExpiryPosition>>, Failure> {
        let OrgVisit { org, began, from } = visit;
        if org.loyalty_in_force().is_err() {
            return Ok(None);
        }
        let mut position = from.unwrap_or_default();
        let mut outcome = VisitOutcome { figures: ExpiryFigures::default(), errors: 0, stopped_at: None };
        let read = retry_unavailable(&self.sweep, || self.sweep.store.newest_days(&org.id, LATE_DAYS)).await;
        let newest = match read {
            // Customers do not wait for a record that a person has to look at. The days of the org do.
            Err(StoreError::Broken(error)) => {
                log_open_days(&org, &error);
                outcome.errors += 1;
                None
            }
            read => Some(read?),
        };
        let records = newest.as_deref().unwrap_or_default();
        if !self.visit_customers(&org, began, records, &mut position, &mut outcome).await? {
            outcome.stopped_at = Some(position);
            return Ok(Some(outcome));
        }
        let Some(newest) = newest.filter(|_| self.sweep.dry_run.is_none() && !position.is_incomplete) else {
            return Ok(Some(outcome));
        };
        let closing = Closing { sweep: &self.sweep, org: &org, began, found: position.totals() };
        match closing.close_days(newest, &mut outcome.figures).await {
            // What is recorded of the customers stays in the report.
            Err(Failure::Internal(error)) => {
                log_open_days(&org, &error);
                outcome.errors += 1;
            }
            closed => {
                if self.sweep.stop_if_transient(closed)? != Some(true) {
                    outcome.stopped_at = Some(position);
                }
            }
        }
        Ok(Some(outcome))
    }

    /// Looks at every customer. Returns whether all are done.
    async fn visit_customers(
        &self,
        org: &Org,
        began: DateTime<Utc>,
        newest: &[ClosedDay],
        position: &mut ExpiryPosition,
        outcome: &mut VisitOutcome<ExpiryFigures, ExpiryPosition>,
    ) -> Result<bool, Failure> {
        let notices_since = newest.first().map_or(began - FIRST_NOTICES_WITHIN, |day| day.closed_at);
        let mut found = position.totals();
        while !position.customers_done {
            if self.sweep.should_stop() {
                return Ok(false);
            }
            let mut pages = CustomerPages {
                sweep: &self.sweep,
                org,
                began,
                notices_since,
                figures: &mut outcome.figures,
                found: &mut found,
            };
            let page = pages.next_page(position.after.as_deref()).await;
            let Some(page) = self.sweep.stop_if_transient(page)? else { return Ok(false) };
            let is_last_page = page.next.is_none();
            let progress = pages.record_page(page.rows).await?;
            outcome.errors += progress.read_errors + progress.write_errors;
            let is_complete = progress.is_complete;
            position.advance(progress, found);
            if !is_complete {
                return Ok(false);
            }
            position.customers_done = is_last_page;
            // The programme may have been switched off since the last page.
            if !is_last_page {
                let current = self.sweep.stop_if_transient(self.sweep.org_if_active(&org.id).await)?;
                let Some(current) = current else { return Ok(false) };
                if current.is_none_or(|org| org.loyalty_in_force().is_err()) {
                    position.is_incomplete = true;
                    position.customers_done = true;
                }
            }
        }
        Ok(true)
    }
}
