//! A run: the active customers of each org, some at a time; each is scored once, and written with their score.

use std::time::Duration;

use deserr::Deserr;
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
        ids::{CustomerId, OrgId},
        rejection::{FieldError, Rejection},
    },
    error::chain,
    failure::Failure,
    host::{Context, Reply},
    inbound::{Call, Fields, cursor::Cursor},
    jobs::{
        report::fail_if_store_unavailable,
        sweep::{OrgVisit, Sweep, VisitOutcome},
    },
    secrets,
    store::{Listed, ListedCustomer, Row, Versioned},
};

use crate::{
    answer::{ClaudeUsage, HindsightView, ScoringFigures, reply},
    claude::{Claude, SwitchOffReason},
    model,
    score::{Candidate, Scored, Scorer},
};

/// Customers in a page.
const PAGE: usize = 500;

/// Customers scored and written together where Claude is not asked.
const AT_ONCE: usize = 16;

/// What writing the last scores, and the answer, may take.
const ANSWER_RESERVE: Duration = Duration::from_secs(5);

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct PredictionRequest {
    #[deserr(default)]
    org_id: Option<OrgId>,
    #[deserr(default)]
    customer_id: Option<CustomerId>,
    #[deserr(default)]
    cursor: Option<Cursor>,
    #[deserr(default)]
    dry_run: bool,
}

/// Where an org goes on: after which customer.
#[derive(Clone, Serialize, Deserialize)]
struct ScoringPosition {
    #[serde(deserialize_with = "Option::deserialize")]
    after: Option<String>,
}

/// One call, its part of a run.
struct Run<'a> {
    sweep: Sweep<'a>,
    claude: Option<Claude>,
    /// This customer alone, also if scored already.
    only: Option<CustomerId>,
}

pub(crate) async fn handle(context: &Context, call: Call) -> Result<Reply, Failure> {
    let operation = call.operation.name;
    let PredictionRequest { org_id, customer_id, cursor, dry_run } = call.read_with(check_single_customer)?;
    let config = &context.config;
    let (claude, none) = match secrets::resolve(config.claude.key.as_ref(), config.secrets_endpoint.as_deref()).await {
        // Asking costs money, and nothing of the answer would be kept.
        _ if dry_run => (None, Some("dry_run")),
        Ok(Some(key)) => (Some(Claude::new(&config.claude, key, context.sleeper.clone())), None),
        Ok(None) => (None, Some("not_configured")),
        Err(failure) => {
            tracing::error!(error = chain(&failure), "the key can't be read, the call goes without Claude");
            (None, Some("key_unreadable"))
        }
    };
    let dry_run_name = dry_run.then(|| "dryRun".to_owned());
    let sweep = Sweep::new(context, operation, ANSWER_RESERVE).only(org_id.as_ref()).dry_run(dry_run_name);
    let run = Run { sweep, claude, only: customer_id };
    let swept = run.sweep.run(cursor, |visit| run.org(visit)).await?;
    let without_claude = none.or_else(|| run.claude.as_ref()?.is_off().map(SwitchOffReason::code));
    // One that can't be read is set. A single customer says nothing of a run.
    let has_key = none != Some("not_configured") && run.only.is_none();
    Ok(reply(context, &swept, ClaudeUsage { without_claude, has_key, is_dry: dry_run }))
}

/// One customer alone is scored at once, and in an org.
fn check_single_customer(fields: &Fields) -> Vec<FieldError> {
    if !fields.is_set("customerId") {
        return Vec::new();
    }
    let without_org = (!fields.is_set("orgId")).then(|| FieldError::new("customerId", "goes with an orgId"));
    let with_cursor = fields.is_set("cursor").then(|| FieldError::new("cursor", "does not go with a customerId"));
    without_org.into_iter().chain(with_cursor).collect()
}

/// Customers to be scored together, those beside them who can't be read, and how far that reaches.
#[derive(Default)]
struct Gathered {
    candidates: Vec<Candidate>,
    unreadable: Vec<(CustomerId, Failure)>,
    reached: Option<String>,
}

/// How far a lot of customers got.
enum BatchEnd {
    /// All of them are done, or left for good.
    Done,
    /// Some are for the next call: there was no time to ask Claude about them, or the store takes no write.
    ForLater,
}

impl Run<'_> {
    async fn org(
        &self,
        visit: OrgVisit<ScoringPosition>,
    ) -> Result<Option<VisitOutcome<ScoringFigures, ScoringPosition>>, Failure> {
        let OrgVisit { org, began, from } = visit;
        let Ok(loyalty) = org.loyalty_in_force() else { return Ok(None) };
        let horizon_days = loyalty.settings.active_days.get();
        let mut figures = ScoringFigures::default();
        // Looking back and fitting come first, and once; a single customer is not worth either.
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
                scorer.one(customer).await?;
                None
            }
            None => scorer.all(from.and_then(|position| position.after)).await?,
        };
        let BatchScorer { figures, errors, .. } = scorer;
        Ok(Some(VisitOutcome { figures, errors, stopped_at }))
    }

    /// How many are asked about together.
    fn at_once(&self) -> usize {
        let asks = self.claude.as_ref().filter(|claude| claude.is_off().is_none());
        asks.map_or(AT_ONCE, Claude::at_once)
    }
}

/// What was predicted of somebody, and at which level they were before.
type Written = (Scored, Option<RiskLevel>);

/// The customers of one org, lot by lot.
struct BatchScorer<'a> {
    run: &'a Run<'a>,
    scorer: Scorer<'a>,
    figures: ScoringFigures,
    errors: u64,
}

impl BatchScorer<'_> {
    async fn one(&mut self, id: &CustomerId) -> Result<(), Failure> {
        let customer =
            self.run.sweep.store.customer(&self.scorer.org.id, id).await?.ok_or(Rejection::UnknownCustomer)?;
        let Scorer { horizon_days, now, .. } = self.scorer;
        let active = customer.value.orders.as_ref().is_some_and(|orders| is_active(orders, horizon_days, now));
        let candidate = Some(customer).filter(|_| active).and_then(|customer| self.scorer.candidate(customer));
        self.batch(candidate.into_iter().collect()).await.map(drop)
    }

    /// Scores all that are active, as far as there is time; answers where to go on if that was not enough.
    async fn all(&mut self, mut after: Option<String>) -> Result<Option<ScoringPosition>, Failure> {
        let Scorer { org, horizon_days, now, .. } = self.scorer;
        let since = Some(active_since(horizon_days, now));
        loop {
            if self.run.sweep.should_stop() {
                return Ok(Some(ScoringPosition { after }));
            }
            let page = self.run.sweep.store.customers_since(&org.id, since, after.as_deref(), PAGE).await;
            let Some(page) = self.run.sweep.stop_if_transient(page)? else {
                return Ok(Some(ScoringPosition { after }));
            };
            let mut rows = page.rows.into_iter().peekable();
            while rows.peek().is_some() {
                if self.run.sweep.should_stop() {
                    return Ok(Some(ScoringPosition { after }));
                }
                let Gathered { candidates, unreadable, reached } = self.gather(&mut rows);
                if let BatchEnd::ForLater = self.batch(candidates).await? {
                    return Ok(Some(ScoringPosition { after }));
                }
                for (id, failure) in &unreadable {
                    self.fail(id, failure);
                }
                after = reached.or(after);
            }
            self.run.sweep.mark_progress();
            if page.next.is_none() {
                return Ok(None);
            }
            // A run may take long, and the programme may be off by now.
            let Some(still) = self.run.sweep.stop_if_transient(self.run.sweep.org_if_active(&org.id).await)? else {
                return Ok(Some(ScoringPosition { after }));
            };
            if still.is_none_or(|org| org.loyalty_in_force().is_err()) {
                return Ok(None);
            }
        }
    }

    /// The next lot of those who are not scored yet.
    fn gather(&self, rows: &mut impl Iterator<Item = Row<ListedCustomer>>) -> Gathered {
        let mut gathered = Gathered::default();
        let at_once = self.run.at_once();
        for Row { value: Listed { id, image }, position } in rows {
            gathered.reached = Some(position);
            match image {
                Ok(image) if self.is_scored(&image.value) => {}
                Ok(image) => gathered.candidates.extend(self.scorer.candidate(image)),
                Err(error) => gathered.unreadable.push((id, Failure::Internal(error))),
            }
            if gathered.candidates.len() == at_once {
                break;
            }
        }
        gathered
    }

    /// Whether somebody was scored since the run began.
    fn is_scored(&self, customer: &Customer) -> bool {
        customer.churn.as_ref().is_some_and(|churn| churn.at >= self.scorer.now)
    }

    async fn batch(&mut self, batch: Vec<Candidate>) -> Result<BatchEnd, Failure> {
        let sweep = &self.run.sweep;
        let verdicts = self.scorer.ask(&batch).await;
        // Those are left to the next call, unless this one would come to nothing.
        let out_of_time = self.scorer.claude.is_some_and(Claude::is_out_of_time) && sweep.has_progressed();
        let cut_off = out_of_time && verdicts.iter().any(Option::is_none);
        let batch = batch.into_iter().zip(verdicts).filter(|(_, verdict)| !cut_off || verdict.is_some());
        let scored: Vec<_> =
            batch.map(|(candidate, verdict)| (self.scorer.score(&candidate, verdict), candidate.image)).collect();
        let writes: Vec<_> = scored.into_iter().map(|(scored, image)| self.write(scored, image)).collect();
        let Some(written) = sweep.stop_if_transient(fail_if_store_unavailable(join_all(writes).await))? else {
            return Ok(BatchEnd::ForLater);
        };
        for (id, outcome) in written {
            match outcome {
                Ok(Some((scored, before))) => self.figures.count_prediction(&scored, before),
                // Somebody else scored them meanwhile.
                Ok(None) => {}
                Err(failure) => self.fail(&id, &failure),
            }
        }
        self.run.sweep.mark_progress();
        Ok(if cut_off { BatchEnd::ForLater } else { BatchEnd::Done })
    }

    fn fail(&mut self, customer: &CustomerId, failure: &Failure) {
        tracing::error!(org = %self.scorer.org.id, %customer, error = chain(failure), "a customer was not scored");
        self.errors += 1;
    }

    /// Writes a prediction, unless the customer was scored since the run began: the index may lag behind that.
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
        let mut transaction = self.run.sweep.store.transaction(self.scorer.org);
        transaction.record_prediction(&current, &scored.prediction, self.scorer.horizon_days)?;
        transaction.commit().await?;
        Ok(Some(written))
    }
}
