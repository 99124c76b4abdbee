//! A run over the due index. The shards are processed concurrently, each page by page.

use std::{
    collections::{HashMap, HashSet},
    ops::ControlFlow,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use deserr::Deserr;
use futures::{future::join_all, lock};
use shared::{
    clock::Stopwatch,
    domain::{
        bundle::status::BundleStatus,
        ids::{BundleId, OrgId},
        org::Org,
    },
    error::chain,
    failure::Failure,
    host::{Context, Reply},
    inbound::{
        Call,
        cursor::{Cursor, CursorScope},
    },
    jobs::bundle_status::{BUNDLES_AT_ONCE, ReconcileOutcome, Reconciler},
    store::{Due, DueItem, Listed, Row, TimeZoneChange},
    telemetry::metric::Metric,
};

use crate::{
    answer::{Answer, RunReport},
    progress::RunProgress,
    rules, watch,
};

/// The number of items in a page of the due index.
const PAGE_SIZE: usize = 100;

/// The time that a chunk of a page, and the answer, may take.
const ANSWER_RESERVE: Duration = Duration::from_secs(5);

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct TransitionsRequest {
    #[deserr(default)]
    org_id: Option<OrgId>,
    #[deserr(default)]
    cursor: Option<Cursor>,
    #[deserr(default)]
    dry_run: bool,
}

/// The part of a run that one call processes.
struct Run<'a> {
    reconciler: Reconciler<'a>,
    org_filter: Option<OrgId>,
    /// Whether the answer must report every transition and error. If so, the call stops when the report is full. The
    /// answer to a schedule is not read, so a scheduled call continues without reporting more.
    reports_all: bool,
    /// Locked while orgs are loaded, so that two shards never load the same org.
    orgs: lock::Mutex<HashMap<OrgId, OrgLookup>>,
    report: Mutex<RunReport>,
    /// The bundles that this call has attempted. A bundle that is still due afterwards appears in the index again.
    /// The next run processes it.
    attempted: Mutex<HashSet<(OrgId, BundleId)>>,
    /// Orgs whose time zone has changed. They are processed last, because they may take long.
    changed_zones: Mutex<Vec<(Arc<Org>, TimeZoneChange)>>,
}

/// The result of loading an org.
#[derive(Clone)]
enum OrgLookup {
    Active(Arc<Org>),
    /// The org is deleted or being deleted, so nothing is recorded for it.
    Gone,
    Unreadable,
}

pub(crate) async fn handle(context: &Context, call: Call) -> Result<Reply, Failure> {
    let stopwatch = Stopwatch::start();
    let (operation, reports_all) = (call.operation.name, !call.is_scheduled);
    let TransitionsRequest { org_id, cursor, dry_run } = call.read()?;
    let scope = CursorScope { operation, org: org_id.as_ref().map_or("", OrgId::as_str), qualifier: "" };
    let progress = match scope.resume(cursor)? {
        Some(position) => RunProgress::read(&position, context.now)?,
        None => RunProgress::begin(context.now),
    };
    if let Some(org_id) = &org_id {
        context.org(org_id).await?;
    }

    let reconciler = Reconciler { store: &context.store, now: progress.began(), deadline: context.deadline, dry_run };
    let (orgs, report, changed_zones) =
        (lock::Mutex::default(), Mutex::new(RunReport::new(reports_all)), Mutex::default());
    let (org_filter, attempted) = (org_id.clone(), Mutex::default());
    let run = Run { reconciler, org_filter, reports_all, orgs, report, attempted, changed_zones };
    let shard_results = join_all(progress.shards().map(|(shard, after)| run.shard(shard, after))).await;
    run.apply_time_zone_changes().await;
    // A shard that cannot be read fails the call. The retried call finds the work of the other shards committed.
    let remaining = shard_results.into_iter().collect::<Result<Vec<_>, Failure>>()?.into_iter().flatten().collect();

    let cursor = scope.next(progress.with_remaining(remaining).map(|progress| progress.position()));
    let report = run.report.into_inner().unwrap_or_else(PoisonError::into_inner);
    let ((performed, failed), entered) = (report.totals(), report.entered());
    let is_over = cursor.is_none();
    let reply = Reply::ok(&Answer::new(report, stopwatch.elapsed(), cursor));
    if dry_run {
        return Ok(reply);
    }
    // The work is committed already, so the metrics are recorded even if the call fails below.
    context.metric(Metric::TransitionsPerformed, performed);
    context.metric(Metric::ErrorsEncountered, failed);
    for (status, count) in entered.into_iter().filter(|(_, count)| *count > 0) {
        if let Some(metric) = metric_of(status) {
            context.metric(metric, count);
        }
    }
    // A call for one org does not count as a run.
    if org_id.is_some() {
        return Ok(reply);
    }
    if let Some(marking) = watch::report(context).await? {
        rules::mark_orgs(context, marking).await?;
    }
    if is_over {
        context.metric(Metric::Runs, 1_i64);
    }
    Ok(reply)
}

/// The metric of the transitions into a status.
const fn metric_of(entered: BundleStatus) -> Option<Metric> {
    match entered {
        BundleStatus::Active => Some(Metric::Activated),
        BundleStatus::Paused => Some(Metric::Paused),
        BundleStatus::Expired => Some(Metric::Expired),
        // Only an operator moves a bundle into these states, and that transition is recorded at once.
        BundleStatus::Draft | BundleStatus::Scheduled => None,
    }
}

impl Run<'_> {
    /// Processes a shard. Returns the position at which to continue if the shard is unfinished.
    async fn shard(&self, shard: u8, mut after: Option<String>) -> Result<Option<(u8, Option<String>)>, Failure> {
        let Reconciler { store, now, deadline, .. } = self.reconciler;
        loop {
            let page = store.due(shard, now, after.as_deref(), PAGE_SIZE).await?;
            let wanted = |row: &Row<Due>| self.org_filter.as_ref().is_none_or(|org| row.value.org == *org);
            self.load_orgs(page.rows.iter().filter(|row| wanted(row)).map(|row| &row.value.org)).await?;
            for rows in page.rows.chunks(BUNDLES_AT_ONCE) {
                if deadline.remaining() < ANSWER_RESERVE || self.must_stop() {
                    return Ok(Some((shard, after)));
                }
                join_all(rows.iter().filter(|row| wanted(row)).map(|row| self.process(&row.value))).await;
                after = rows.last().map(|row| row.position.clone());
            }
            if page.next.is_none() {
                return Ok(None);
            }
            after = page.next;
        }
    }

    /// Loads the orgs that this call has not loaded yet.
    async fn load_orgs(&self, orgs: impl Iterator<Item = &OrgId>) -> Result<(), Failure> {
        let mut known = self.orgs.lock().await;
        let mut new: Vec<OrgId> = orgs.filter(|org| !known.contains_key(org)).cloned().collect();
        new.sort();
        new.dedup();
        if new.is_empty() {
            return Ok(());
        }
        for (id, read) in self.reconciler.store.orgs_versioned(&new).await? {
            let org = match read {
                Ok(org) => org.map(|org| org.value).filter(|org| !org.deleting),
                Err(error) => {
                    tracing::error!(org = %id, error = chain(&error), "an org can't be read");
                    known.insert(id, OrgLookup::Unreadable);
                    continue;
                }
            };
            known.insert(id, org.map_or(OrgLookup::Gone, |org| OrgLookup::Active(Arc::new(org))));
        }
        Ok(())
    }

    async fn process(&self, due: &Due) {
        let known = self.orgs.lock().await.get(&due.org).cloned();
        let org = match (known, &due.item) {
            (Some(OrgLookup::Active(org)), _) => org,
            (Some(OrgLookup::Unreadable), DueItem::Bundle(listed)) => {
                with_locked(&self.report, |report| report.add_error(&due.org, Some(listed.id.clone()), "internal"));
                return;
            }
            (Some(OrgLookup::Unreadable), DueItem::TimeZoneChange(_)) | (Some(OrgLookup::Gone) | None, _) => return,
        };
        if let DueItem::Bundle(listed) = &due.item
            && !self.start_attempt(&org.id, &listed.id)
        {
            return;
        }
        match &due.item {
            DueItem::Bundle(Listed { id, image }) => {
                let outcome = match image {
                    Ok(image) => self.reconciler.reconcile(&org, image.as_ref().clone()).await,
                    Err(error) => Err(Failure::Internal(error.clone())),
                };
                self.record_outcome(&org.id, id.clone(), outcome);
            }
            DueItem::TimeZoneChange(mark) => {
                with_locked(&self.changed_zones, |changed_zones| changed_zones.push((org, mark.clone())));
            }
        }
    }

    /// Marks a bundle as attempted. Returns false if this call has attempted the bundle before.
    fn start_attempt(&self, org: &OrgId, bundle: &BundleId) -> bool {
        with_locked(&self.attempted, |attempted| attempted.insert((org.clone(), bundle.clone())))
    }

    /// Evaluates the bundles of orgs whose time zone has changed.
    async fn apply_time_zone_changes(&self) {
        let changed_zones = with_locked(&self.changed_zones, std::mem::take);
        for (org, mark) in changed_zones {
            if let Err(failure) = self.apply_time_zone_to_org(&org, &mark).await {
                // The mark of the change is kept, so the next run continues.
                tracing::warn!(org = %org.id, error = chain(&failure), "not all bundles are evaluated in the new zone");
                with_locked(&self.report, |report| report.add_error(&org.id, None, failure.code()));
            }
        }
    }

    async fn apply_time_zone_to_org(&self, org: &Org, mark: &TimeZoneChange) -> Result<(), Failure> {
        let mut needs_retry = false;
        let record = |bundle, outcome: ReconcileOutcome| {
            // Only transient failures keep the mark. Otherwise every run would report an unreadable bundle.
            needs_retry |= matches!(outcome, Err(Failure::Retry(_)));
            self.record_outcome(&org.id, bundle, outcome);
            if self.must_stop() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let complete =
            self.reconciler.apply_time_zone(org, |bundle| self.start_attempt(&org.id, bundle), record).await?;
        if !complete {
            return Err(Failure::unavailable("not all bundles fit in the time of one run"));
        }
        if !needs_retry && !self.reconciler.dry_run {
            self.reconciler.store.complete_time_zone_change(org, mark).await?;
        }
        Ok(())
    }

    /// Logs the outcome of a bundle, and adds it to the report.
    fn record_outcome(&self, org: &OrgId, bundle: BundleId, outcome: ReconcileOutcome) {
        match outcome {
            Ok(transitions) => {
                let dry_run = self.reconciler.dry_run;
                for change in &transitions {
                    let (from, to) = (change.from.name(), change.to.name());
                    tracing::info!(%org, %bundle, from, to, at = %change.at, dry_run, "transition");
                }
                with_locked(&self.report, |report| report.add_transitions(org, &bundle, transitions));
            }
            Err(failure) => {
                tracing::error!(%org, %bundle, error = chain(&failure), "not brought up to date");
                with_locked(&self.report, |report| report.add_error(org, Some(bundle), failure.code()));
            }
        }
    }

    /// Whether the answer cannot report more, although it must report everything.
    fn must_stop(&self) -> bool {
        self.reports_all && with_locked(&self.report, |report| report.is_full())
    }
}

fn with_locked<T, R>(mutex: &Mutex<T>, apply: impl FnOnce(&mut T) -> R) -> R {
    apply(&mut mutex.lock().unwrap_or_else(PoisonError::into_inner))
}
