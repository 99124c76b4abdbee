//! Scores the active customers of each org, batch by batch. A run scores each customer once.

use std::time::Duration;

use futures::future::join_all;
use serde::{Deserialize, Serialize};
use shared::{
    clock::Deadline,
    domain::{
        churn::{
            prediction::{active_since, is_active},
            risk::RiskLevel,
            score::Prediction,
        },
        customer::Customer,
        ids::CustomerId,
        rejection::Rejection,
    },
    error::chain,
    failure::Failure,
    jobs::{
        report::fail_if_store_unavailable,
        sweep::{OrgVisit, Sweep, VisitOutcome},
    },
    store::{Listed, ListedCustomer, Row, Versioned},
};

use crate::{
    answer::{HindsightView, ScoringFigures},
    claude::Claude,
    model,
    score::{Candidate, Scored, Scorer},
};

/// Customers in a page.
const PAGE_SIZE: usize = 500;

/// Customers in a batch that is scored without Claude. The scores of a batch are written concurrently.
const STATISTICAL_BATCH_SIZE: usize = 16;

/// The time reserved for the last writes and the answer.
pub(crate) const ANSWER_RESERVE: Duration = Duration::from_secs(5);

/// Where the next call continues within an org.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ScoringPosition {
    /// The index position of the last scored customer.
    #[serde(deserialize_with = "Option::deserialize")]
    after: Option<String>,
}

/// One call of a run.
pub(crate) struct Run<'a> {
    pub(crate) sweep: Sweep<'a>,
    pub(crate) claude: Option<Claude>,
    /// The only customer to score, even if it was already scored.
    pub(crate) only: Option<CustomerId>,
}

/// Consecutive customers of a page that are scored together.
#[derive(Default)]
struct Batch {
    candidates: Vec<Candidate>,
    unreadable: Vec<(CustomerId, Failure)>,
    /// The index position of the batch's last customer.
    last: Option<String>,
}

/// How much of a batch is scored.
enum BatchEnd {
    /// Every customer is scored or has failed permanently.
    Complete,
    /// The next call repeats the batch. There was no time to ask Claude, or the store is unavailable.
    Repeat,
}

impl Run<'_> {
    /// Scores an org until its customers or the time of the call run out.
    pub(crate) async fn visit_org(
        &self,
        visit: OrgVisit<ScoringPosition>,
    ) -> Result<Option<VisitOutcome<ScoringFigures, ScoringPosition>>, Failure> {
        let OrgVisit { org, began, from } = visit;
        let Ok(loyalty) = org.loyalty_in_force() else { return Ok(None) };
        let horizon_days = loyalty.settings.active_days.get();
        let mut figures = ScoringFigures::default();
        // The first call of a run looks back and fits the model. A single customer is not worth the reads.
        let model = if from.is_none() && self.only.is_none() {
            let (model, hindsight) = model::begin(&self.sweep, &org, began).await?;
            figures.hindsight = hindsight.map(HindsightView::from);
            model
        } else {
            model::stored_model(&self.sweep, &org).await?
        };
        let left = self.sweep.deadline.remaining().saturating_sub(ANSWER_RESERVE);
        let (claude, deadline) = (self.claude.as_ref(), Deadline::after(left));
        let scorer = Scorer { org: &org, model, horizon_days, now: began, claude, deadline };
        let mut scorer = BatchScorer { run: self, scorer, figures, errors: 0 };
        let stopped_at = match &self.only {
            Some(customer) => {
                scorer.score_single(customer).await?;
                None
            }
            None => scorer.score_all(from.and_then(|position| position.after)).await?,
        };
        let BatchScorer { figures, errors, .. } = scorer;
        Ok(Some(VisitOutcome { figures, errors, stopped_at }))
    }

    /// The number of customers in a batch.
    fn batch_size(&self) -> usize {
        let claude = self.claude.as_ref().filter(|claude| claude.is_off().is_none());
        claude.map_or(STATISTICAL_BATCH_SIZE, Claude::at_once)
    }
}

/// A written prediction, and the level of the customer's previous prediction.
type Written = (Scored, Option<RiskLevel>);

/// Scores the customers of one org, batch by batch.
struct BatchScorer<'a> {
    run: &'a Run<'a>,
    scorer: Scorer<'a>,
    figures: ScoringFigures,
    errors: u64,
}

impl BatchScorer<'_> {
    async fn score_single(&mut self, id: &CustomerId) -> Result<(), Failure> {
        let customer = self.run.sweep.store.customer(&self.scorer.org.id, id).await?;
        let customer = customer.filter(|customer| !customer.value.is_erased()).ok_or(Rejection::UnknownCustomer)?;
        let Scorer { horizon_days, now, .. } = self.scorer;
        let active = customer.value.orders.as_ref().is_some_and(|orders| is_active(orders, horizon_days, now));
        let candidate = Some(customer).filter(|_| active).and_then(|customer| self.scorer.candidate(customer));
        self.score_batch(candidate.into_iter().collect()).await.map(drop)
    }

    /// Scores the active customers. Returns the position of the next call if the time was too short.
    async fn score_all(&mut self, mut after: Option<String>) -> Result<Option<ScoringPosition>, Failure> {
        let Scorer { org, horizon_days, now, .. } = self.scorer;
        let since = Some(active_since(horizon_days, now));
        loop {
            if self.run.sweep.should_stop() {
                return Ok(Some(ScoringPosition { after }));
            }
            let page = self.run.sweep.store.customers_since(&org.id, since, after.as_deref(), PAGE_SIZE).await;
            let Some(page) = self.run.sweep.stop_if_transient(page)? else {
                return Ok(Some(ScoringPosition { after }));
            };
            let mut rows = page.rows.into_iter().peekable();
            while rows.peek().is_some() {
                if self.run.sweep.should_stop() {
                    return Ok(Some(ScoringPosition { after }));
                }
                let Batch { candidates, unreadable, last } = self.next_batch(&mut rows);
                if let BatchEnd::Repeat = self.score_batch(candidates).await? {
                    return Ok(Some(ScoringPosition { after }));
                }
                for (id, failure) in &unreadable {
                    self.count_failure(id, failure);
                }
                after = last.or(after);
            }
            self.run.sweep.mark_progress();
            if page.next.is_none() {
                return Ok(None);
            }
            // The programme may have been switched off since the last page.
            let Some(org) = self.run.sweep.stop_if_transient(self.run.sweep.org_if_active(&org.id).await)? else {
                return Ok(Some(ScoringPosition { after }));
            };
            if org.is_none_or(|org| org.loyalty_in_force().is_err()) {
                return Ok(None);
            }
        }
    }

    /// Takes the next batch from a page. Customers that this run has already scored are left out.
    fn next_batch(&self, rows: &mut impl Iterator<Item = Row<ListedCustomer>>) -> Batch {
        let mut batch = Batch::default();
        let batch_size = self.run.batch_size();
        for Row { value: Listed { id, image }, position } in rows {
            batch.last = Some(position);
            match image {
                Ok(image) if self.is_scored(&image.value) => {}
                Ok(image) => batch.candidates.extend(self.scorer.candidate(image)),
                Err(error) => batch.unreadable.push((id, Failure::Internal(error))),
            }
            if batch.candidates.len() == batch_size {
                break;
            }
        }
        batch
    }

    /// Whether the customer was scored since the run began.
    fn is_scored(&self, customer: &Customer) -> bool {
        customer.churn.as_ref().is_some_and(|churn| churn.at >= self.scorer.now)
    }

    async fn score_batch(&mut self, candidates: Vec<Candidate>) -> Result<BatchEnd, Failure> {
        let sweep = &self.run.sweep;
        let verdicts = self.scorer.ask(&candidates).await;
        // The next call asks Claude about the rest. A call without progress scores the rest by the statistical model,
        // because a call must make progress.
        let out_of_time = self.scorer.claude.is_some_and(Claude::is_out_of_time) && sweep.has_progressed();
        let cut_off = out_of_time && verdicts.iter().any(Option::is_none);
        let decided = candidates.into_iter().zip(verdicts).filter(|(_, verdict)| !cut_off || verdict.is_some());
        let scored: Vec<_> =
            decided.map(|(candidate, verdict)| (self.scorer.score(&candidate, verdict), candidate.image)).collect();
        let writes: Vec<_> = scored.into_iter().map(|(scored, image)| self.write(scored, image)).collect();
        let Some(written) = sweep.stop_if_transient(fail_if_store_unavailable(join_all(writes).await))? else {
            return Ok(BatchEnd::Repeat);
        };
        for (id, outcome) in written {
            match outcome {
                Ok(Some((scored, before))) => self.figures.count_prediction(&scored, before),
                // Another call has scored the customer meanwhile, or the customer is deleted.
                Ok(None) => {}
                Err(failure) => self.count_failure(&id, &failure),
            }
        }
        self.run.sweep.mark_progress();
        Ok(if cut_off { BatchEnd::Repeat } else { BatchEnd::Complete })
    }

    fn count_failure(&mut self, customer: &CustomerId, failure: &Failure) {
        tracing::error!(org = %self.scorer.org.id, %customer, error = chain(failure), "a customer was not scored");
        self.errors += 1;
    }

    /// Writes a prediction, unless the customer was scored since the run began.
    ///
    /// The check is repeated here because the index may lag behind the stored customer.
    async fn write(
        &self,
        scored: Scored,
        image: Versioned<Customer>,
    ) -> (CustomerId, Result<Option<Written>, Failure>) {
        let org = self.scorer.org;
        let commit = |current| self.commit(&scored, current);
        self.run.sweep.commit_customer(&org.id, image, commit).await
    }

    async fn commit(&self, scored: &Scored, current: Versioned<Customer>) -> Result<Option<Written>, Failure> {
        let customer = &current.value;
        if self.run.only.is_none() && self.is_scored(customer) {
            return Ok(None);
        }
        let written = (scored.clone(), customer.churn.as_ref().map(Prediction::level));
        if self.run.sweep.dry_run.is_some() {
            return Ok(Some(written));
        }
        let (store, at) = (self.run.sweep.store, scored.prediction.at);
        store.make_room_for_due(self.scorer.org, &current, at).await?;
        let mut transaction = store.transaction(self.scorer.org);
        transaction.record_prediction(&current, &scored.prediction, self.scorer.horizon_days)?;
        transaction.commit().await?;
        Ok(Some(written))
    }
}
