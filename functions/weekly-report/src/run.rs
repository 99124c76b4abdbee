//! Counts the week of each org and posts the reports. A call counts an org completely or leaves it to the next call.

use std::{
    collections::HashMap,
    ops::ControlFlow,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use deserr::Deserr;
use shared::{
    clock::Stopwatch,
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
    host::{Context, Reply},
    inbound::{Call, cursor::Cursor},
    jobs::{
        pages::{for_each_row, retry_unavailable},
        sweep::{OrgVisit, Sweep, VisitOutcome},
    },
    store::{DUE_SHARDS, DueItem, StoreError},
    telemetry::metric::Metric,
};
use tokio::sync::OnceCell;

use crate::{
    answer::{MessageOutcome, OrgReport, ReportAnswer, Summary, millis},
    count::Counter,
    slack::{self, WeeklyMessage},
};

/// Bundles in a page.
const PAGE_SIZE: usize = 1_000;

/// The time reserved for the Slack message and the answer.
const NOTIFICATION_RESERVE: Duration = Duration::from_secs(10);

/// The maximum number of orgs in an answer, because Lambda limits the size of an answer. The log contains all orgs.
const REPORTS_MAX: usize = 400;

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct ReportRequest {
    #[deserr(default)]
    org_id: Option<OrgId>,
    #[deserr(default)]
    cursor: Option<Cursor>,
    #[deserr(default)]
    dry_run: bool,
}

/// One call of a report.
struct Run<'a> {
    sweep: Sweep<'a>,
    /// The bundles with an overdue change of status, by their orgs.
    overdue_bundles: OnceCell<HashMap<OrgId, Vec<Bundle>>>,
    reports: Mutex<Vec<OrgReport>>,
}

pub(crate) async fn handle(context: &Context, call: Call) -> Result<Reply, Failure> {
    let watch = Stopwatch::start();
    let operation = call.operation.name;
    let ReportRequest { org_id, cursor, dry_run } = call.read()?;
    let only = org_id.as_ref();
    let sweep =
        Sweep::new(context, operation, NOTIFICATION_RESERVE).only(only).dry_run(dry_run.then(|| "dryRun".to_owned()));
    let run = Run { sweep, overdue_bundles: OnceCell::new(), reports: Mutex::default() };
    let swept = run.sweep.run(cursor, |visit| run.week(visit)).await?;

    let reports = run.reports.into_inner().unwrap_or_else(PoisonError::into_inner);
    let cursor = swept.cursor().map(str::to_owned);
    let (counted, failed): (Vec<_>, Vec<_>) = swept.results.into_iter().partition(|result| result.figures);
    let errors: Vec<OrgId> = failed.into_iter().map(|result| result.org_id).collect();
    let goes_on = cursor.is_some();
    tracing::info!(orgs = counted.len(), errors = errors.len(), goes_on, "a call of the report is over");
    let slack = if only.is_some() || dry_run {
        // The caller of a dry run or of a report on one org reads the answer.
        MessageOutcome::NotAsked
    } else {
        let message = WeeklyMessage { reports: &reports, count: counted.len(), errors: &errors, goes_on };
        slack::notify(&context.config, &message, context.deadline).await
    };
    let answer = ReportAnswer {
        success: errors.is_empty(),
        job_duration: millis(watch.elapsed()),
        orgs: &reports,
        errors: &errors,
        summary: Summary { total_orgs: counted.len() + errors.len(), total_errors: errors.len() },
        slack,
        cursor,
    };
    let reply = Reply::ok(&answer);
    if dry_run {
        return Ok(reply);
    }
    context.metric(Metric::Reports, counted.len());
    context.metric(Metric::ErrorsEncountered, errors.len());
    context.metric(Metric::MessagesFailed, slack == MessageOutcome::Failed);
    Ok(reply)
}

impl Run<'_> {
    /// Reports an org's week. The figures of the outcome state whether the week was counted.
    ///
    /// A disposable org is reported only in a call for that org.
    async fn week(&self, visit: OrgVisit<()>) -> Result<Option<VisitOutcome<bool, ()>>, Failure> {
        let OrgVisit { org, began, .. } = visit;
        if org.disposable && self.sweep.only.is_none() {
            return Ok(None);
        }
        let figures = self.figures(&org, began).await.map_err(|failure| self.skip_org_if_transient(failure))?;
        let report = OrgReport::new(org.id.clone(), org.profile.name.as_str().to_owned(), figures);
        let figures = serde_json::json!(report.figures);
        tracing::info!(org = %org.id, %figures, "a week");
        let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        if reports.len() < REPORTS_MAX {
            reports.push(report);
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
