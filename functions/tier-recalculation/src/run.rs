//! Recalculates the tiers of each org's customers, page by page. The tier changes of a batch are written concurrently.

use chrono::{DateTime, Utc};
use futures::future::join_all;
use serde::{Deserialize, Serialize};
use shared::{
    domain::{
        customer::Customer,
        ids::CustomerId,
        loyalty::{Loyalty, LoyaltySettings},
        org::Org,
        recalculation::{TierDirection, recalculate},
        tier,
    },
    error::chain,
    failure::{Failure, retry_conflicts_within},
    jobs::{
        report::fail_if_store_unavailable,
        sweep::{OrgVisit, Sweep, VisitOutcome},
    },
    store::{Listed, ListedCustomer, Page, Row, StoreError, Versioned},
};

use crate::answer::RecalculationFigures;

/// Customers in a page. One response of the index holds about twice as many.
const PAGE_SIZE: usize = 1_000;

/// The maximum number of tier changes in a batch. The changes of a batch are written concurrently.
const BATCH_CHANGES_MAX: usize = 16;

/// Where the next call continues within an org.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct RecalculationPosition {
    /// The index position of the last evaluated customer.
    #[serde(deserialize_with = "Option::deserialize")]
    after: Option<String>,
    /// The version of the tier rules that evaluated every customer so far.
    ///
    /// `None` if a customer could not be evaluated, or if the version changed meanwhile.
    #[serde(deserialize_with = "Option::deserialize")]
    judged_by: Option<u64>,
}

/// One call of a run.
pub(crate) struct Run<'a> {
    pub(crate) sweep: Sweep<'a>,
    /// Settings that replace the stored settings in a dry run.
    pub(crate) trial_settings: Option<LoyaltySettings>,
}

impl Run<'_> {
    /// The programme to evaluate an org's customers with. Returns `None` if it is disabled.
    fn loyalty(&self, org: &Org) -> Option<Loyalty> {
        let loyalty = match &self.trial_settings {
            Some(settings) => Some(Loyalty::replaced(org.loyalty.as_ref(), settings.clone())),
            None => org.loyalty.clone(),
        };
        loyalty.filter(|loyalty| loyalty.settings.enabled)
    }

    /// Recalculates an org until its customers or the time of the call run out.
    pub(crate) async fn visit_org(
        &self,
        visit: OrgVisit<RecalculationPosition>,
    ) -> Result<Option<VisitOutcome<RecalculationFigures, RecalculationPosition>>, Failure> {
        let OrgVisit { org, began, from } = visit;
        let Some(mut loyalty) = self.loyalty(&org) else { return Ok(None) };
        let rules = Some(loyalty.tier_rules_version);
        let RecalculationPosition { mut after, mut judged_by } =
            from.unwrap_or(RecalculationPosition { after: None, judged_by: rules });
        let (mut figures, mut errors) = (RecalculationFigures::default(), 0);
        let mut is_done = false;
        while !is_done && !self.sweep.should_stop() {
            judged_by = judged_by.filter(|judged_by| *judged_by == loyalty.tier_rules_version);
            let evaluator = TierEvaluator { sweep: &self.sweep, org: &org, loyalty: &loyalty, now: began };
            let Some(page) = self.sweep.stop_if_transient(evaluator.next_page(after.as_deref()).await)? else { break };
            let is_last_page = page.next.is_none();
            let progress = evaluator.recalculate_page(page.rows, &mut figures).await?;
            after = progress.last.or(after);
            errors += progress.errors;
            judged_by = judged_by.filter(|_| errors == 0);
            if !progress.is_complete {
                break;
            }
            if is_last_page {
                is_done = true;
                if let Some(rules) = judged_by.filter(|_| self.sweep.dry_run.is_none()) {
                    evaluator.record_applied_rules(rules).await;
                }
                break;
            }
            // The settings may have changed since the last page.
            let Some(org) = self.sweep.stop_if_transient(self.sweep.org_if_active(&org.id).await)? else { break };
            match org.and_then(|org| self.loyalty(&org)) {
                Some(in_force) => loyalty = in_force,
                None => is_done = true,
            }
        }
        let stopped_at = (!is_done).then_some(RecalculationPosition { after, judged_by });
        Ok(Some(VisitOutcome { figures, errors, stopped_at }))
    }
}

/// Evaluates the customers of one org against its programme.
struct TierEvaluator<'a> {
    sweep: &'a Sweep<'a>,
    org: &'a Org,
    loyalty: &'a Loyalty,
    now: DateTime<Utc>,
}

/// How much of a page is evaluated.
struct PageProgress {
    /// The index position of the last evaluated customer.
    last: Option<String>,
    is_complete: bool,
    /// Customers that could not be evaluated.
    errors: u64,
}

/// Consecutive customers of a page, with at most [`BATCH_CHANGES_MAX`] tier changes among them.
#[derive(Default)]
struct Batch {
    /// The ranks of the customers whose tier does not change.
    unchanged_ranks: Vec<usize>,
    changing: Vec<Versioned<Customer>>,
    unreadable: Vec<(CustomerId, Failure)>,
    /// All customers of the batch, including unreadable ones.
    size: u64,
    /// The index position of the batch's last customer.
    last: Option<String>,
}

/// A customer's change of tier.
struct TierMove {
    direction: TierDirection,
    /// The rank of the new tier, if the settings list it.
    rank: Option<usize>,
}

impl TierEvaluator<'_> {
    async fn next_page(&self, after: Option<&str>) -> Result<Page<ListedCustomer>, StoreError> {
        self.sweep.store.customers_since(&self.org.id, None, after, PAGE_SIZE).await
    }

    /// Recalculates a page, as far as the time of the call and the store allow.
    async fn recalculate_page(
        &self,
        rows: Vec<Row<ListedCustomer>>,
        figures: &mut RecalculationFigures,
    ) -> Result<PageProgress, Failure> {
        let (mut last, mut errors) = (None, 0);
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            if self.sweep.should_stop() {
                return Ok(PageProgress { last, is_complete: false, errors });
            }
            let Batch { unchanged_ranks, changing, unreadable, size, last: batch_end } = self.next_batch(&mut rows);
            let writes: Vec<_> = changing.into_iter().map(|image| self.recalculate_customer(image)).collect();
            let outcomes = join_all(writes).await;
            let Some(outcomes) = self.sweep.stop_if_transient(fail_if_store_unavailable(outcomes))? else {
                return Ok(PageProgress { last, is_complete: false, errors });
            };
            figures.count_customers(size);
            for rank in unchanged_ranks {
                figures.count_holder(rank);
            }
            for (id, failure) in unreadable {
                self.log_failure(&id, &failure);
                errors += 1;
            }
            for (id, outcome) in outcomes {
                match outcome {
                    Ok(Some(TierMove { direction, rank })) => {
                        figures.count_change(direction);
                        if let Some(rank) = rank {
                            figures.count_holder(rank);
                        }
                    }
                    // Another writer has changed the tier meanwhile, or the customer is deleted.
                    Ok(None) => {}
                    Err(failure) => {
                        self.log_failure(&id, &failure);
                        errors += 1;
                    }
                }
            }
            last = batch_end;
            self.sweep.mark_progress();
        }
        self.sweep.mark_progress();
        Ok(PageProgress { last, is_complete: true, errors })
    }

    /// Takes the next batch from a page.
    fn next_batch(&self, rows: &mut impl Iterator<Item = Row<ListedCustomer>>) -> Batch {
        let mut batch = Batch::default();
        for Row { value: Listed { id, image }, position } in rows {
            batch.size += 1;
            batch.last = Some(position);
            match image {
                Ok(image) if recalculate(&image.value, self.loyalty, self.now).is_some() => batch.changing.push(image),
                Ok(image) => batch.unchanged_ranks.extend(self.rank(&image.value)),
                Err(error) => batch.unreadable.push((id, Failure::Internal(error))),
            }
            if batch.changing.len() == BATCH_CHANGES_MAX {
                break;
            }
        }
        batch
    }

    /// The rank of the tier that a customer holds, if the settings list the tier.
    fn rank(&self, customer: &Customer) -> Option<usize> {
        let settings = &self.loyalty.settings;
        settings.tiers.rank_of(tier::held_tier(customer, settings))
    }

    fn log_failure(&self, customer: &CustomerId, failure: &Failure) {
        tracing::error!(org = %self.org.id, %customer, error = chain(failure), "a tier was not recalculated");
    }

    /// Recalculates a customer and writes a change of tier. Returns `None` without a change.
    async fn recalculate_customer(
        &self,
        image: Versioned<Customer>,
    ) -> (CustomerId, Result<Option<TierMove>, Failure>) {
        self.sweep.commit_customer(&self.org.id, image, |current| self.commit(current)).await
    }

    async fn commit(&self, current: Versioned<Customer>) -> Result<Option<TierMove>, Failure> {
        let Some(recalculated) = recalculate(&current.value, self.loyalty, self.now) else { return Ok(None) };
        let tier_move = TierMove { direction: recalculated.direction, rank: self.rank(&recalculated.customer) };
        if self.sweep.dry_run.is_none() {
            self.sweep.store.make_room_for_due(self.org, &current, self.now).await?;
            let mut transaction = self.sweep.store.transaction(self.org);
            transaction.replace_customer(&recalculated.customer, &current, &recalculated.entries)?;
            transaction.commit().await?;
        }
        Ok(Some(tier_move))
    }

    /// Records that every customer was evaluated by this version of the tier rules.
    ///
    /// A later change of tier is then no longer attributed to new settings. After a failure, the next run records the
    /// version.
    async fn record_applied_rules(&self, rules: u64) {
        if self.loyalty.with_applied_rules(rules).is_none() {
            return;
        }
        let store = self.sweep.store;
        let recorded = retry_conflicts_within(self.sweep.deadline, || async {
            let Some(current) = store.org_versioned(&self.org.id).await?.filter(|org| !org.value.deleting) else {
                return Ok(());
            };
            if let Some(loyalty) = current.value.loyalty.as_ref().and_then(|loyalty| loyalty.with_applied_rules(rules))
            {
                store.put_org(&Org { loyalty: Some(loyalty), ..current.value.clone() }, Some(&current)).await?;
            }
            Ok(())
        });
        if let Err(failure) = recorded.await {
            tracing::warn!(org = %self.org.id, error = chain(&failure), "the applied tier rules were not recorded");
        }
    }
}
