//! A run: the customers of each org, page by page; of those whose tier changes, some at once.

use std::time::Duration;

use chrono::{DateTime, Utc};
use deserr::Deserr;
use futures::future::join_all;
use serde::{Deserialize, Serialize};
use shared::{
    domain::{
        customer::Customer,
        ids::{CustomerId, OrgId},
        loyalty::{Loyalty, LoyaltySettings},
        org::Org,
        recalculation::{TierDirection, recalculate},
        rejection::FieldError,
        tier,
    },
    error::chain,
    failure::{Failure, retry_conflicts_within},
    host::{Context, Reply},
    inbound::{
        Call, Fields,
        cursor::{self, Cursor},
        fields::single_field,
    },
    jobs::{
        report::fail_if_store_unavailable,
        sweep::{OrgVisit, Sweep, VisitOutcome},
    },
    store::{Listed, ListedCustomer, Page, Row, StoreError, Versioned},
    views::LoyaltyView,
};

use crate::answer::{RecalculationFigures, reply};

/// Customers in a page: half of what one answer of the index holds.
const PAGE: usize = 1_000;

/// Changes written at once.
const AT_ONCE: usize = 16;

/// What one lot of changes, and the answer, may take.
const ANSWER_RESERVE: Duration = Duration::from_secs(5);

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct RecalculationRequest {
    #[deserr(default)]
    org_id: Option<OrgId>,
    #[deserr(default)]
    cursor: Option<Cursor>,
    #[deserr(default)]
    dry_run: bool,
    #[deserr(default)]
    loyalty: Option<LoyaltySettings>,
}

/// Where an org goes on.
#[derive(Clone, Serialize, Deserialize)]
struct RecalculationPosition {
    /// After which customer.
    #[serde(deserialize_with = "Option::deserialize")]
    after: Option<String>,
    /// The tier rules by which every customer up to there was judged; none, if one could not be.
    #[serde(deserialize_with = "Option::deserialize")]
    judged_by: Option<u64>,
}

/// One call, its part of a run.
struct Run<'a> {
    sweep: Sweep<'a>,
    /// Settings to evaluate with, instead of those of each org.
    trial_settings: Option<LoyaltySettings>,
}

pub(crate) async fn handle(context: &Context, call: Call) -> Result<Reply, Failure> {
    let operation = call.operation.name;
    let RecalculationRequest { org_id, cursor, dry_run, loyalty } = call.read_with(check_trial_settings)?;
    let dry_run_name = dry_run.then(|| dry_run_name(loyalty.as_ref()));
    let sweep = Sweep::new(context, operation, ANSWER_RESERVE).only(org_id.as_ref()).dry_run(dry_run_name);
    let run = Run { sweep, trial_settings: loyalty };
    let swept = run.sweep.run(cursor, |visit| run.org(visit)).await?;
    Ok(reply(context, &swept, dry_run))
}

/// Other settings than those stored are for a dry run of one org.
fn check_trial_settings(fields: &Fields) -> Vec<FieldError> {
    let is_dry = single_field::<bool>(fields, "dryRun") == Some(true) && fields.is_set("orgId");
    let fault = fields.is_set("loyalty") && !is_dry;
    fault.then(|| FieldError::new("loyalty", "goes with an orgId and dryRun: true")).into_iter().collect()
}

/// The name of the dry runs with these settings. A cursor of one dry run is rejected by a dry run with other settings.
///
/// The digest is that of the settings as JSON, because two versions of the function must agree on it during a rollout.
fn dry_run_name(trial_settings: Option<&LoyaltySettings>) -> String {
    let settings = trial_settings.map(LoyaltyView::from);
    format!("dryRun {}", cursor::scope_digest(&serde_json::json!(settings).to_string()))
}

impl Run<'_> {
    /// The settings to evaluate an org's customers with, if its programme is enabled.
    fn loyalty(&self, org: &Org) -> Option<Loyalty> {
        let loyalty = match &self.trial_settings {
            Some(settings) => Some(Loyalty::replaced(org.loyalty.as_ref(), settings.clone())),
            None => org.loyalty.clone(),
        };
        loyalty.filter(|loyalty| loyalty.settings.enabled)
    }

    async fn org(
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
            let goes_on = page.next.is_some();
            let reached = evaluator.page(page.rows, &mut figures).await?;
            after = reached.last.or(after);
            errors += reached.errors;
            judged_by = judged_by.filter(|_| errors == 0);
            if !reached.is_all {
                break;
            }
            if !goes_on {
                is_done = true;
                if let Some(rules) = judged_by.filter(|_| self.sweep.dry_run.is_none()) {
                    evaluator.with_applied_rules(rules).await;
                }
                break;
            }
            // A run may take long, and the settings that it began by may not hold any more.
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

/// What the customers of one org are judged by.
struct TierEvaluator<'a> {
    sweep: &'a Sweep<'a>,
    org: &'a Org,
    loyalty: &'a Loyalty,
    now: DateTime<Utc>,
}

/// How far into a page a call got.
struct Reached {
    last: Option<String>,
    is_all: bool,
    /// Customers who could not be judged.
    errors: u64,
}

/// Customers whose changes are written together, and those met on the way to them.
#[derive(Default)]
struct Batch {
    /// At which height those stand who stay there.
    staying: Vec<usize>,
    changing: Vec<Versioned<Customer>>,
    unreadable: Vec<(CustomerId, Failure)>,
    met: u64,
    last: Option<String>,
}

/// Which way somebody's tier went, and where it stands now.
struct TierMove {
    direction: TierDirection,
    rank: Option<usize>,
}

impl TierEvaluator<'_> {
    async fn next_page(&self, after: Option<&str>) -> Result<Page<ListedCustomer>, StoreError> {
        self.sweep.store.customers_since(&self.org.id, None, after, PAGE).await
    }

    /// Judges a page, as far as there is time and the store answers.
    async fn page(
        &self,
        rows: Vec<Row<ListedCustomer>>,
        figures: &mut RecalculationFigures,
    ) -> Result<Reached, Failure> {
        let (mut last, mut errors) = (None, 0);
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            if self.sweep.should_stop() {
                return Ok(Reached { last, is_all: false, errors });
            }
            let Batch { staying, changing, unreadable, met, last: reached } = self.gather(&mut rows);
            let writes: Vec<_> = changing.into_iter().map(|image| self.customer(image)).collect();
            let outcomes = join_all(writes).await;
            let Some(outcomes) = self.sweep.stop_if_transient(fail_if_store_unavailable(outcomes))? else {
                return Ok(Reached { last, is_all: false, errors });
            };
            figures.count_customers(met);
            for rank in staying {
                figures.count_holder(rank);
            }
            for (id, failure) in unreadable {
                errors += self.failed(&id, &failure);
            }
            for (id, outcome) in outcomes {
                match outcome {
                    Ok(Some(TierMove { direction, rank })) => {
                        figures.count_change(direction);
                        if let Some(rank) = rank {
                            figures.count_holder(rank);
                        }
                    }
                    // Somebody else has decided meanwhile, or they are gone.
                    Ok(None) => {}
                    Err(failure) => errors += self.failed(&id, &failure),
                }
            }
            last = reached;
            self.sweep.mark_progress();
        }
        self.sweep.mark_progress();
        Ok(Reached { last, is_all: true, errors })
    }

    /// The next customers, up to so many changes.
    fn gather(&self, rows: &mut impl Iterator<Item = Row<ListedCustomer>>) -> Batch {
        let mut batch = Batch::default();
        for Row { value: Listed { id, image }, position } in rows {
            batch.met += 1;
            batch.last = Some(position);
            match image {
                Ok(image) if recalculate(&image.value, self.loyalty, self.now).is_some() => batch.changing.push(image),
                Ok(image) => batch.staying.extend(self.rank(&image.value)),
                Err(error) => batch.unreadable.push((id, Failure::Internal(error))),
            }
            if batch.changing.len() == AT_ONCE {
                break;
            }
        }
        batch
    }

    /// Where the tier that somebody holds stands on the ladder, if it is listed.
    fn rank(&self, customer: &Customer) -> Option<usize> {
        let settings = &self.loyalty.settings;
        settings.tiers.rank_of(tier::held_tier(customer, settings))
    }

    fn failed(&self, customer: &CustomerId, failure: &Failure) -> u64 {
        tracing::error!(org = %self.org.id, %customer, error = chain(failure), "a tier was not recalculated");
        1
    }

    /// Judges a customer, and writes what changes.
    async fn customer(&self, image: Versioned<Customer>) -> (CustomerId, Result<Option<TierMove>, Failure>) {
        self.sweep.commit_customer(&self.org.id, image, |current| self.commit(current)).await
    }

    async fn commit(&self, current: Versioned<Customer>) -> Result<Option<TierMove>, Failure> {
        let Some(recalculated) = recalculate(&current.value, self.loyalty, self.now) else { return Ok(None) };
        let moved = TierMove { direction: recalculated.direction, rank: self.rank(&recalculated.customer) };
        if self.sweep.dry_run.is_none() {
            let mut transaction = self.sweep.store.transaction(self.org);
            transaction.replace_customer(&recalculated.customer, &current, &[recalculated.entry])?;
            transaction.commit().await?;
        }
        Ok(Some(moved))
    }

    /// Puts on record that every customer was judged by these rules, where that is new: what changes a tier later is not
    /// the settings any more. What can't be recorded is, after the next run.
    async fn with_applied_rules(&self, rules: u64) {
        if self.loyalty.with_applied_rules(rules).is_none() {
            return;
        }
        let store = self.sweep.store;
        let settled = retry_conflicts_within(self.sweep.deadline, || async {
            let Some(current) = store.org_versioned(&self.org.id).await?.filter(|org| !org.value.deleting) else {
                return Ok(());
            };
            if let Some(loyalty) = current.value.loyalty.as_ref().and_then(|loyalty| loyalty.with_applied_rules(rules))
            {
                store.put_org(&Org { loyalty: Some(loyalty), ..current.value.clone() }, Some(&current)).await?;
            }
            Ok(())
        });
        if let Err(failure) = settled.await {
            tracing::warn!(org = %self.org.id, error = chain(&failure), "that all were judged by the new settings is not on record");
        }
    }
}
