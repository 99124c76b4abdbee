//! A run over the due index. The shards are processed concurrently, each page by page.

use std::{
    collections::{HashMap, HashSet},
    ops::ControlFlow,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::{future::join_all, lock};
use shared::{
    domain::{
        ids::{BundleId, OrgId},
        org::Org,
    },
    error::chain,
    failure::Failure,
    jobs::bundle_status::{BUNDLES_AT_ONCE, ReconcileOutcome, Reconciler},
    store::{Due, DueItem, Listed, Row, TimeZoneChange},
};

use crate::answer::RunReport;

/// The number of items in a page of the due index.
const PAGE_SIZE: usize = 100;

/// The time that a chunk of a page, and the answer, may take.
const ANSWER_RESERVE: Duration = Duration::from_secs(5);

/// An unfinished shard, and the position at which to continue. A shard without a position starts at its beginning.
type UnfinishedShard = (u8, Option<String>);

/// The part of a run that one call processes.
pub(crate) struct Run<'a> {
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

impl<'a> Run<'a> {
    /// A run that has processed nothing yet.
    pub(crate) fn new(reconciler: Reconciler<'a>, org_filter: Option<OrgId>, reports_all: bool) -> Self {
        Self {
            reconciler,
            org_filter,
            reports_all,
            orgs: lock::Mutex::default(),
            report: Mutex::new(RunReport::new(reports_all)),
            attempted: Mutex::default(),
            changed_zones: Mutex::default(),
        }
    }
}

impl Run<'_> {
    /// Processes the shards, and then the orgs whose time zone has changed. Returns the shards that are unfinished.
    pub(crate) async fn process_shards(
        &self,
        shards: impl Iterator<Item = UnfinishedShard>,
    ) -> Result<Vec<UnfinishedShard>, Failure> {
        let results = join_all(shards.map(|(shard, after)| self.process_shard(shard, after))).await;
        self.apply_time_zone_changes().await;
        // A shard that cannot be read fails the call. The retried call finds the work of the other shards committed.
        Ok(results.into_iter().collect::<Result<Vec<_>, Failure>>()?.into_iter().flatten().collect())
    }

    /// The report on the processed bundles.
    pub(crate) fn into_report(self) -> RunReport {
        self.report.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Processes a shard. Returns the position at which to continue if the shard is unfinished.
    async fn process_shard(&self, shard: u8, mut after: Option<String>) -> Result<Option<UnfinishedShard>, Failure> {
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
