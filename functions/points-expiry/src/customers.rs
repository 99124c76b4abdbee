//! Records what is due of the customers of a page. The customers of a batch are written concurrently.

use chrono::{DateTime, Utc};
use futures::future::join_all;
use shared::{
    domain::{
        customer::Customer,
        ids::CustomerId,
        liability::{AccountTotals, total},
        lots::{
            account::PointsAccount,
            due::apply_due,
            notice::{ExpiryNotice, notices_due},
        },
        org::Org,
        points::Points,
    },
    error::chain,
    failure::{Failure, retry_conflicts_within},
    jobs::{
        report::{ItemOutcomes, fail_if_store_unavailable},
        sweep::Sweep,
    },
    store::{Listed, ListedCustomer, Page, Row, StoreError, Versioned},
};

use crate::answer::ExpiryFigures;

/// Customers in a page. One response of the index holds about twice as many.
const PAGE_SIZE: usize = 1_000;

/// The maximum number of customers in a batch of whom something is due.
const BATCH_DUE_MAX: usize = 16;

/// The customers of one org, and the figures that they add to.
pub(crate) struct CustomerPages<'a> {
    pub(crate) sweep: &'a Sweep<'a>,
    pub(crate) org: &'a Org,
    /// The start of the run. What is due later is left to the next run.
    pub(crate) began: DateTime<Utc>,
    /// Notices that were due by then have been given.
    pub(crate) notices_since: DateTime<Utc>,
    pub(crate) figures: &'a mut ExpiryFigures,
    pub(crate) found: &'a mut AccountTotals,
}

/// How much of a page is done.
#[derive(Default)]
pub(crate) struct PageProgress {
    /// The index position of the last customer that is done.
    pub(crate) last: Option<String>,
    pub(crate) is_complete: bool,
    /// Customers that could not be read.
    pub(crate) read_errors: u64,
    /// Customers of whom something could not be written.
    pub(crate) write_errors: u64,
}

/// Consecutive customers of a page, with at most [`BATCH_DUE_MAX`] of whom something is due.
#[derive(Default)]
struct Batch {
    unchanged: Vec<PointsAccount>,
    due: Vec<Versioned<Customer>>,
    unreadable: Vec<(CustomerId, Failure)>,
    /// All customers of the batch, including unreadable ones.
    size: u64,
    /// The index position of the batch's last customer.
    last: Option<String>,
}

/// What is recorded of a customer.
struct Recorded {
    /// The account as of the start of the run.
    account: PointsAccount,
    /// The points that expired and the holds that lapsed. `None` if nothing was due any more.
    due: Option<(Points, usize)>,
}

impl CustomerPages<'_> {
    pub(crate) async fn next_page(&self, after: Option<&str>) -> Result<Page<ListedCustomer>, StoreError> {
        self.sweep.store.customers_since(&self.org.id, None, after, PAGE_SIZE).await
    }

    /// Records what is due of a page, as far as the time of the call and the store allow.
    pub(crate) async fn record_page(&mut self, rows: Vec<Row<ListedCustomer>>) -> Result<PageProgress, Failure> {
        let mut progress = PageProgress::default();
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            if self.sweep.should_stop() {
                return Ok(progress);
            }
            let batch = self.next_batch(&mut rows);
            if !self.record_batch(batch, &mut progress).await? {
                return Ok(progress);
            }
            self.sweep.mark_progress();
        }
        self.sweep.mark_progress();
        Ok(PageProgress { is_complete: true, ..progress })
    }

    /// Takes the next batch from a page.
    fn next_batch(&self, rows: &mut impl Iterator<Item = Row<ListedCustomer>>) -> Batch {
        let mut batch = Batch::default();
        for Row { value: Listed { id, image }, position } in rows {
            batch.size += 1;
            batch.last = Some(position);
            match image {
                Ok(image) if self.has_work(&image.value.account) => batch.due.push(image),
                Ok(image) => batch.unchanged.push(image.value.account),
                Err(error) => batch.unreadable.push((id, Failure::Internal(error))),
            }
            if batch.due.len() == BATCH_DUE_MAX {
                break;
            }
        }
        batch
    }

    fn is_due(&self, account: &PointsAccount) -> bool {
        account.next_due().is_some_and(|at| at <= self.began)
    }

    fn has_work(&self, account: &PointsAccount) -> bool {
        self.is_due(account) || !notices_due(account, self.notices_since, self.began).is_empty()
    }

    /// Records a batch. Returns `false` if the store accepts nothing, so that the call stops before the batch.
    async fn record_batch(&mut self, batch: Batch, progress: &mut PageProgress) -> Result<bool, Failure> {
        let Batch { unchanged, due, unreadable, size, last } = batch;
        let outcomes = join_all(due.into_iter().map(|image| self.record_customer(image))).await;
        let Some(outcomes) = self.sweep.stop_if_transient(fail_if_store_unavailable(outcomes))? else {
            return Ok(false);
        };
        let mut accounts = Vec::new();
        for (id, outcome) in outcomes {
            match outcome {
                Ok(Some(Recorded { account, due })) => {
                    if let Some((points, holds)) = due {
                        self.figures.count_recorded(points, holds);
                    }
                    accounts.push((id, account));
                }
                // The customer is deleted.
                Ok(None) => {}
                Err(failure) => {
                    self.log_failure(&id, &failure);
                    progress.write_errors += 1;
                }
            }
        }
        let given = self.give_notices(&accounts).await;
        let Some(given) = self.sweep.stop_if_transient(fail_if_store_unavailable(given))? else { return Ok(false) };
        for (id, given) in given {
            match given {
                Ok(is_new) => self.figures.warned += u64::from(is_new),
                Err(failure) => {
                    self.log_failure(&id, &failure);
                    progress.write_errors += 1;
                }
            }
        }
        for account in unchanged.iter().chain(accounts.iter().map(|(_, account)| account)) {
            self.found.count(account, self.began);
        }
        for (id, failure) in unreadable {
            self.log_failure(&id, &failure);
            progress.read_errors += 1;
        }
        self.figures.customers += size;
        progress.last = last;
        Ok(true)
    }

    fn log_failure(&self, customer: &CustomerId, failure: &Failure) {
        tracing::error!(org = %self.org.id, %customer, error = chain(failure), "what is due was not recorded");
    }

    /// Records what is due of a customer.
    async fn record_customer(&self, image: Versioned<Customer>) -> (CustomerId, Result<Option<Recorded>, Failure>) {
        self.sweep.commit_customer(&self.org.id, image, |current| self.commit(current)).await
    }

    async fn commit(&self, current: Versioned<Customer>) -> Result<Option<Recorded>, Failure> {
        let mut customer = current.value.clone();
        let is_due = self.is_due(&customer.account);
        let holds = customer.account.holds().iter().filter(|hold| hold.until <= self.began).count();
        let entries = apply_due(&mut customer, self.began);
        let account = customer.account.clone();
        if !is_due {
            return Ok(Some(Recorded { account, due: None }));
        }
        if self.sweep.dry_run.is_none() {
            // The first part of very many entries is recorded by itself, and is not counted.
            self.sweep.store.make_room_for_due(self.org, &current, self.began).await?;
            let mut transaction = self.sweep.store.transaction(self.org);
            transaction.replace_customer(&customer, &current, &entries)?;
            transaction.commit().await?;
        }
        let points = total(entries.iter().map(|entry| entry.points)).negated();
        Ok(Some(Recorded { account, due: Some((points, holds)) }))
    }

    /// Gives the notices that are due. The outcome of each says whether it was given for the first time.
    async fn give_notices(&self, accounts: &[(CustomerId, PointsAccount)]) -> ItemOutcomes<CustomerId, bool> {
        let due = accounts.iter().flat_map(|(id, account)| {
            let notices = notices_due(account, self.notices_since, self.began);
            notices.into_iter().map(move |notice| (id, notice))
        });
        join_all(due.map(|(id, notice)| async move { (id.clone(), self.give_notice(id, &notice).await) })).await
    }

    async fn give_notice(&self, customer: &CustomerId, notice: &ExpiryNotice) -> Result<bool, Failure> {
        if self.sweep.dry_run.is_some() {
            return Ok(true);
        }
        let store = self.sweep.store;
        retry_conflicts_within(self.sweep.deadline, || async {
            Ok(store.record_expiry_notice(self.org, customer, notice).await?)
        })
        .await
    }
}
