//! Counts the week of each org. A call counts an org completely or leaves it to the next call.

use std::{
    collections::HashMap,
    ops::ControlFlow,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use shared::{
    domain::{
        bundle::{state::Bundle, transition::bring_up_to_date},
        ids::OrgId,
        org::Org,
        report::{
            figures::WeekFigures,
            tally::{RECORDING_DELAY_MAX, Tally, WeekContext},
            week::Week,
        },
    },
    error::{InternalError, chain},
    failure::Failure,
    jobs::{
        pages::{for_each_row, retry_unavailable},
        sweep::{OrgVisit, Sweep, VisitOutcome},
    },
    store::{DUE_SHARDS, DueItem, StoreError},
};
use tokio::sync::OnceCell;

use crate::{answer::OrgWeek, count::Counter};

/// Bundles in a page.
const PAGE_SIZE: usize = 1_000;

/// The maximum number of orgs in an answer, because Lambda limits the size of an answer. The log contains all orgs.
const WEEKS_MAX: usize = 400;

/// One call of a report.
pub(crate) struct Run<'a> {
    pub(crate) sweep: Sweep<'a>,
    /// The bundles with an overdue change of status, by their orgs.
    overdue_bundles: OnceCell<HashMap<OrgId, Vec<Bundle>>>,
    weeks: Mutex<Vec<OrgWeek>>,
}

impl<'a> Run<'a> {
    /// A run that has counted no week yet.
    pub(crate) fn new(sweep: Sweep<'a>) -> Self {
        Self { sweep, overdue_bundles: OnceCell::new(), weeks: Mutex::default() }
    }

    /// The counted weeks.
    pub(crate) fn into_weeks(self) -> Vec<OrgWeek> {
        self.weeks.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Run<'_> {
    /// Reports an org's week. The figures of the outcome state whether the week was counted.
    ///
    /// A disposable org is reported only in a call for that org.
    pub(crate) async fn week(&self, visit: OrgVisit<()>) -> Result<Option<VisitOutcome<bool, ()>>, Failure> {
        let OrgVisit { org, began, .. } = visit;
        if org.disposable && self.sweep.only.is_none() {
            return Ok(None);
        }
        let figures = self.figures(&org, began).await.map_err(|failure| self.skip_org_if_transient(failure))?;
        let week = OrgWeek::new(org.id.clone(), org.profile.name.clone(), figures);
        let figures = serde_json::json!(week.figures);
        tracing::info!(org = %org.id, %figures, "a week");
        let mut weeks = self.weeks.lock().unwrap_or_else(PoisonError::into_inner);
        if weeks.len() < WEEKS_MAX {
            weeks.push(week);
        }
        Ok(Some(VisitOutcome { figures: true, errors: 0, stopped_at: None }))
    }

    /// Turns a transient failure of one org into a permanent one, so that the sweep continues with the next org.
    ///
    /// No call continues a scheduled report that stops early, so one org must not stop the others. If the first org
    /// already fails, the store may be unreachable. The failure then stays transient and the call is retried.
    fn skip_org_if_transient(&self, failure: Failure) -> Failure {
        match failure {
            Failure::Retry(retry) if self.sweep.has_progressed() && !self.sweep.is_near_deadline() => {
                Failure::Internal(InternalError::caused_by("the week of the org cannot be read", retry))
            }
            failure => failure,
        }
    }

    async fn figures(&self, org: &Org, began: DateTime<Utc>) -> Result<WeekFigures, Failure> {
        let week = Week::before(began, org.profile.timezone);
        let week = week.ok_or_else(|| Failure::internal(format!("there is no week before {began}")))?;
        let settings = org.loyalty.as_ref().map(|loyalty| loyalty.settings.clone()).unwrap_or_default();
        let scored_at = self.scored_at(org).await?;
        let has_loyalty = org.loyalty_in_force().is_ok();
        let mut tally = Tally::new(WeekContext { week, settings, has_loyalty, scored_at, now: began });
        let then = began - RECORDING_DELAY_MAX;
        let overdue_bundles = self.overdue_bundles.get_or_try_init(|| overdue_bundles(&self.sweep, then)).await?;
        for bundle in overdue_bundles.get(&org.id).into_iter().flatten() {
            let changes = bring_up_to_date(bundle, org.zone(), then).transitions.len();
            tally.count_overdue_transitions(u64::try_from(changes).unwrap_or(u64::MAX));
        }
        Counter { sweep: &self.sweep, org, week, tally }.figures().await
    }

    /// When the customers of an org were last scored.
    ///
    /// Returns `None` for an unreadable record. The next scoring run replaces the record.
    async fn scored_at(&self, org: &Org) -> Result<Option<DateTime<Utc>>, Failure> {
        match retry_unavailable(&self.sweep, || self.sweep.store.churn_model(&org.id)).await {
            Err(StoreError::Broken(error)) => {
                tracing::error!(org = %org.id, error = chain(&error), "the churn model cannot be read");
                Ok(None)
            }
            stored => Ok(stored?.map(|record| record.looked_back_to)),
        }
    }
}

/// The bundles of each org with a change of status that was due by `then` and is not recorded.
///
/// An unreadable bundle is left out. The `bundle-transitions` job reports it.
async fn overdue_bundles(sweep: &Sweep<'_>, then: DateTime<Utc>) -> Result<HashMap<OrgId, Vec<Bundle>>, Failure> {
    let mut overdue_bundles: HashMap<OrgId, Vec<Bundle>> = HashMap::new();
    for shard in 0..DUE_SHARDS {
        let page =
            |after: Option<String>| async move { sweep.store.due(shard, then, after.as_deref(), PAGE_SIZE).await };
        for_each_row(sweep, page, |due| {
            if let DueItem::Bundle(bundle) = due.item
                && let Ok(bundle) = bundle.image
            {
                overdue_bundles.entry(due.org).or_default().push(bundle.value);
            }
            ControlFlow::Continue(())
        })
        .await?;
    }
    Ok(overdue_bundles)
}
