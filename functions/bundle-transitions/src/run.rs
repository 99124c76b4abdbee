//! A run: the due index, shard by shard side by side, page by page.

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

/// Bundles in a page.
const PAGE: usize = 100;

/// What a chunk of a page, and the answer, may take.
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

/// One call, its part of a run.
struct Run<'a> {
    reconciler: Reconciler<'a>,
    only: Option<OrgId>,
    /// Whether all of it has to be told: else it stops when there is enough. Nobody reads what a schedule is answered.
    is_read: bool,
    /// Held while they are read, so that no two shards read one.
    orgs: lock::Mutex<HashMap<OrgId, OrgLookup>>,
    report: Mutex<RunReport>,
    /// Bundles that had their turn in this call. One that is still due afterwards is met again, and left to the next run.
    met: Mutex<HashSet<(OrgId, BundleId)>>,
    /// Orgs whose time zone has changed: they come last, because they may take long.
    changed_zones: Mutex<Vec<(Arc<Org>, TimeZoneChange)>>,
}

/// What is known of an org.
#[derive(Clone)]
enum OrgLookup {
    There(Arc<Org>),
    /// It is gone, or going: of it nothing is on record any more.
    Gone,
    Unreadable,
}

pub(crate) async fn handle(context: &Context, call: Call) -> Result<Reply, Failure> {
    let stopwatch = Stopwatch::start();
    let (operation, is_read) = (call.operation.name, !call.is_scheduled);
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
    let (orgs, report, changed_zones) = (lock::Mutex::default(), Mutex::new(RunReport::new(is_read)), Mutex::default());
    let run = Run { reconciler, only: org_id.clone(), is_read, orgs, report, met: Mutex::default(), changed_zones };
    let ends = join_all(progress.shards().map(|(shard, after)| run.shard(shard, after))).await;
    run.apply_time_zone().await;
    // A shard that can't be read fails the call: it is made again, and finds the others done.
    let left = ends.into_iter().collect::<Result<Vec<_>, Failure>>()?.into_iter().flatten().collect();

    let cursor = scope.next(progress.left(left).map(|left| left.position()));
    let report = run.report.into_inner().unwrap_or_else(PoisonError::into_inner);
    let ((performed, failed), entered) = (report.totals(), report.entered());
    let is_over = cursor.is_none();
    let reply = Reply::ok(&Answer::new(report, stopwatch.elapsed(), cursor));
    if dry_run {
        return Ok(reply);
    }
    // The work is committed, whatever becomes of the call.
    context.metric(Metric::TransitionsPerformed, performed);
    context.metric(Metric::ErrorsEncountered, failed);
    for (status, count) in entered.into_iter().filter(|(_, count)| *count > 0) {
        if let Some(metric) = metric_of(status) {
            context.metric(metric, count);
        }
    }
    // A call for one org is not a run.
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
        // No time that passes leads there, only an operator, for whom it goes on record at once.
        BundleStatus::Draft | BundleStatus::Scheduled => None,
    }
}

impl Run<'_> {
    /// Works through a shard; answers where it goes on if it had to stop.
    async fn shard(&self, shard: u8, mut after: Option<String>) -> Result<Option<(u8, Option<String>)>, Failure> {
        let Reconciler { store, now, deadline, .. } = self.reconciler;
        loop {
            let page = store.due(shard, now, after.as_deref(), PAGE).await?;
            let wanted = |row: &Row<Due>| self.only.as_ref().is_none_or(|only| row.value.org == *only);
            self.learn(page.rows.iter().filter(|row| wanted(row)).map(|row| &row.value.org)).await?;
            for rows in page.rows.chunks(BUNDLES_AT_ONCE) {
                if deadline.remaining() < ANSWER_RESERVE || self.is_enough() {
                    return Ok(Some((shard, after)));
                }
                join_all(rows.iter().filter(|row| wanted(row)).map(|row| self.one(&row.value))).await;
                after = rows.last().map(|row| row.position.clone());
            }
            if page.next.is_none() {
                return Ok(None);
            }
            after = page.next;
        }
    }

    /// Loads those orgs that this call has not met yet.
    async fn learn(&self, orgs: impl Iterator<Item = &OrgId>) -> Result<(), Failure> {
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
            known.insert(id, org.map_or(OrgLookup::Gone, |org| OrgLookup::There(Arc::new(org))));
        }
        Ok(())
    }

    async fn one(&self, due: &Due) {
        let known = self.orgs.lock().await.get(&due.org).cloned();
        let org = match (known, &due.item) {
            (Some(OrgLookup::There(org)), _) => org,
            (Some(OrgLookup::Unreadable), DueItem::Bundle(listed)) => {
                with(&self.report, |report| report.add_error(&due.org, Some(listed.id.clone()), "internal"));
                return;
            }
            (Some(OrgLookup::Unreadable), DueItem::TimeZoneChange(_)) | (Some(OrgLookup::Gone) | None, _) => return,
        };
        if let DueItem::Bundle(listed) = &due.item
            && !self.is_first(&org.id, &listed.id)
        {
            return;
        }
        match &due.item {
            DueItem::Bundle(Listed { id, image }) => {
                let outcome = match image {
                    Ok(image) => self.reconciler.reconcile(&org, image.as_ref().clone()).await,
                    Err(error) => Err(Failure::Internal(error.clone())),
                };
                self.note(&org.id, id.clone(), outcome);
            }
            DueItem::TimeZoneChange(mark) => {
                with(&self.changed_zones, |changed_zones| changed_zones.push((org, mark.clone())));
            }
        }
    }

    /// Whether a bundle has its turn now, and had none before.
    fn is_first(&self, org: &OrgId, bundle: &BundleId) -> bool {
        with(&self.met, |met| met.insert((org.clone(), bundle.clone())))
    }

    /// Finishes what changes of time zones have begun.
    async fn apply_time_zone(&self) {
        let changed_zones = with(&self.changed_zones, std::mem::take);
        for (org, mark) in changed_zones {
            if let Err(failure) = self.apply_time_zone_to_org(&org, &mark).await {
                // The mark is still there: the next run goes on.
                tracing::warn!(org = %org.id, error = chain(&failure), "bundles are still to be judged by the new time zone");
                with(&self.report, |report| report.add_error(&org.id, None, failure.code()));
            }
        }
    }

    async fn apply_time_zone_to_org(&self, org: &Org, mark: &TimeZoneChange) -> Result<(), Failure> {
        let mut again = false;
        let told = |bundle, outcome: ReconcileOutcome| {
            // What can't be read can't be judged; it is reported once, not with every run.
            again |= matches!(outcome, Err(Failure::Retry(_)));
            self.note(&org.id, bundle, outcome);
            if self.is_enough() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let complete = self.reconciler.apply_time_zone(org, |bundle| self.is_first(&org.id, bundle), told).await?;
        if !complete {
            return Err(Failure::unavailable("not all bundles fit in the time of one run"));
        }
        if !again && !self.reconciler.dry_run {
            self.reconciler.store.complete_time_zone_change(org, mark).await?;
        }
        Ok(())
    }

    /// Keeps what came of a bundle for the answer, and logs it.
    fn note(&self, org: &OrgId, bundle: BundleId, outcome: ReconcileOutcome) {
        match outcome {
            Ok(transitions) => {
                let dry_run = self.reconciler.dry_run;
                for change in &transitions {
                    let (from, to) = (change.from.name(), change.to.name());
                    tracing::info!(%org, %bundle, from, to, at = %change.at, dry_run, "transition");
                }
                with(&self.report, |report| report.add_transitions(org, &bundle, transitions));
            }
            Err(failure) => {
                tracing::error!(%org, %bundle, error = chain(&failure), "not brought up to date");
                with(&self.report, |report| report.add_error(org, Some(bundle), failure.code()));
            }
        }
    }

    fn is_enough(&self) -> bool {
        self.is_read && with(&self.report, |report| report.is_full())
    }
}

fn with<T, R>(what: &Mutex<T>, look: impl FnOnce(&mut T) -> R) -> R {
    look(&mut what.lock().unwrap_or_else(PoisonError::into_inner))
}
