//! A sweep performs one job for every org, page by page. The work in each org belongs to the job.
//!
//! A call works until its time is over and returns a cursor. The next call continues at the cursor. A sweep is complete
//! when a call returns no cursor. The state machine of the template, the local stack and other callers repeat calls
//! until then. The state machine sweeps org by org.
//!
//! The position of a sweep over all orgs is saved. A caller without the cursor passes `latest` to continue there.
//!
//! A call makes progress or fails. It never returns a cursor before it has made progress, whether its time is over or
//! the store does not respond. Repeated calls therefore end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{fresh::commit_listed, report::SweepReport};
use crate::{
    clock::{Deadline, Stopwatch, monotonic},
    domain::{
        customer::Customer,
        ids::{CustomerId, OrgId},
        org::Org,
        rejection::Rejection,
        time,
    },
    error::chain,
    failure::Failure,
    host::Context,
    inbound::cursor::{Cursor, CursorScope},
    store::{Store, Versioned},
};

/// The number of orgs in a page.
const ORGS_PER_PAGE: usize = 100;

/// The maximum number of orgs in one answer. Lambda limits the size of an answer.
const RESULTS_MAX: usize = 5_000;

/// One call of a sweep.
pub struct Sweep<'a> {
    /// The table.
    pub store: &'a Store,
    /// The time of the call.
    pub now: DateTime<Utc>,
    /// The instant by which the call must be answered.
    pub deadline: Deadline,
    /// The time that the last steps in an org, and the answer, may take.
    pub reserve: Duration,
    /// The operation. Cursors are bound to it.
    pub operation: &'static str,
    /// The only org to sweep, or `None` for all orgs.
    pub only: Option<&'a OrgId>,
    /// The name of a dry run, which writes nothing. Cursors are bound to the name, because a real run must not skip the
    /// orgs that only a dry run visited.
    pub dry_run: Option<String>,
    /// Whether the call has made progress.
    pub progressed: Progressed,
}

/// Whether a call has made progress.
#[derive(Default)]
pub struct Progressed(AtomicBool);

/// A visit of one org.
pub struct OrgVisit<P> {
    /// The org, read at the beginning of the visit.
    pub org: Arc<Org>,
    /// The start of the sweep, which may be in an earlier call.
    pub began: DateTime<Utc>,
    /// The position at which an earlier call stopped in this org.
    pub from: Option<P>,
}

/// The outcome of a visit.
pub struct VisitOutcome<F, P> {
    /// The figures of the job.
    pub figures: F,
    /// The number of items that failed.
    pub errors: u64,
    /// The position at which the next call continues in this org, or `None` if the org is done.
    pub stopped_at: Option<P>,
}

/// The position of a sweep. Every field must be present, even if null. A position with a missing field could be
/// misread.
#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "P: Deserialize<'de>"))]
struct SweepProgress<P> {
    #[serde(serialize_with = "time::serialize")]
    began: DateTime<Utc>,
    /// The last org that was visited.
    #[serde(deserialize_with = "Option::deserialize")]
    org: Option<OrgId>,
    /// The position in this org. Without a position, the sweep continues with the next org.
    #[serde(deserialize_with = "Option::deserialize")]
    within: Option<P>,
}

impl<'a> Sweep<'a> {
    /// A sweep over all orgs. `reserve` is the time that the last steps in an org, and the answer, may take.
    #[must_use]
    pub fn new(context: &'a Context, operation: &'static str, reserve: Duration) -> Self {
        let Context { store, now, deadline, .. } = context;
        let (now, deadline) = (*now, *deadline);
        Self { store, now, deadline, reserve, operation, only: None, dry_run: None, progressed: Progressed::default() }
    }

    /// Limits the sweep to one org, if given.
    #[must_use]
    pub fn only(self, org: Option<&'a OrgId>) -> Self {
        Self { only: org, ..self }
    }

    /// Makes the sweep a dry run, if a name is given.
    #[must_use]
    pub fn dry_run(self, name: Option<String>) -> Self {
        Self { dry_run: name, ..self }
    }
}

impl Sweep<'_> {
    /// Whether the call should stop. It never stops before it has made progress.
    #[must_use]
    pub fn should_stop(&self) -> bool {
        self.has_progressed() && self.is_near_deadline()
    }

    /// Whether only the reserve is left. Optional work is skipped then.
    #[must_use]
    pub fn is_near_deadline(&self) -> bool {
        self.deadline.remaining() < self.reserve
    }

    /// Records that the call has made progress.
    pub fn mark_progress(&self) {
        self.progressed.0.store(true, Ordering::Relaxed);
    }

    /// Whether the call has made progress.
    #[must_use]
    pub fn has_progressed(&self) -> bool {
        self.progressed.0.load(Ordering::Relaxed)
    }

    /// The result of a step. `None` if the step failed transiently after the call made progress. Then the call stops.
    pub fn stop_if_transient<T>(&self, step: Result<T, impl Into<Failure>>) -> Result<Option<T>, Failure> {
        match step.map_err(Into::into) {
            Ok(done) => Ok(Some(done)),
            Err(Failure::Retry(retry)) if self.has_progressed() => {
                tracing::warn!(operation = self.operation, error = chain(&retry), "the sweep stops here for now");
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }

    /// An org during its visit, from a cache of at most one minute. `None` if it is deleted or being deleted.
    pub async fn org_if_active(&self, id: &OrgId) -> Result<Option<Arc<Org>>, Failure> {
        Ok(self.store.org(id, monotonic()).await?.filter(|org| !org.deleting))
    }

    /// Commits a change of a listed customer. The list may lag behind the stored customer. Returns `None` if no change
    /// is needed or the customer no longer exists.
    pub async fn commit_customer<T, F>(
        &self,
        org: &OrgId,
        listed: Versioned<Customer>,
        commit: impl Fn(Versioned<Customer>) -> F,
    ) -> (CustomerId, Result<Option<T>, Failure>)
    where
        F: Future<Output = Result<Option<T>, Failure>>,
    {
        let id = listed.value.id.clone();
        let load = || async {
            let current = self.store.customer(org, &id).await?;
            Ok(current.filter(|customer| !customer.value.is_erased()))
        };
        let outcome = commit_listed(self.deadline, Some(listed), load, commit).await;
        (id, outcome)
    }

    /// Runs one call of a sweep, from the cursor or from the beginning. `visit` performs the job in one org. It returns
    /// `None` to skip the org.
    pub async fn run<F, P, V>(
        &self,
        cursor: Option<Cursor>,
        visit: impl Fn(OrgVisit<P>) -> V,
    ) -> Result<SweepReport<F>, Failure>
    where
        F: Default,
        P: Clone + Serialize + DeserializeOwned,
        V: Future<Output = Result<Option<VisitOutcome<F, P>>, Failure>>,
    {
        let watch = Stopwatch::start();
        let mut report = SweepReport::new();
        let Some(progress) = self.starting_progress(cursor).await? else { return Ok(report) };
        let began = progress.began;
        let rest = match self.only {
            Some(org) => self.sweep_one_org(org, progress, &visit, &mut report).await?,
            None => self.sweep_all_orgs(progress, &visit, &mut report).await?,
        };
        let position = rest.map(|rest| serde_json::json!(rest).to_string());
        if self.only.is_none() && self.dry_run.is_none() {
            self.save_position(began, position.as_deref()).await;
            if position.is_none() {
                self.record_end().await;
            }
        }
        report.cursor = self.scope().next(position);
        report.duration = watch.elapsed();
        Ok(report)
    }

    fn scope(&self) -> CursorScope<'_> {
        let qualifier = self.dry_run.as_deref().unwrap_or("");
        CursorScope { operation: self.operation, org: self.only.map_or("", OrgId::as_str), qualifier }
    }

    /// The position at which the call begins. `None` if the latest sweep is complete.
    async fn starting_progress<P: DeserializeOwned>(
        &self,
        cursor: Option<Cursor>,
    ) -> Result<Option<SweepProgress<P>>, Failure> {
        let position = match cursor {
            None => return Ok(Some(SweepProgress { began: self.now, org: None, within: None })),
            Some(cursor) if cursor.is_latest() => {
                if self.only.is_some() || self.dry_run.is_some() {
                    return Err(Rejection::InvalidCursor.into());
                }
                let Some(position) = self.store.sweep_position(self.operation).await? else { return Ok(None) };
                position
            }
            cursor => self.scope().resume(cursor)?.ok_or(Rejection::InvalidCursor)?,
        };
        let progress: SweepProgress<P> = serde_json::from_str(&position).map_err(|_| Rejection::InvalidCursor)?;
        let is_of_org = progress.org.is_some() || progress.within.is_none();
        let is_same_org = self.only.is_none_or(|only| progress.org.as_ref().is_none_or(|org| org == only));
        // A sweep cannot have begun in the future.
        if is_of_org && is_same_org && progress.began <= self.now {
            Ok(Some(progress))
        } else {
            Err(Rejection::InvalidCursor.into())
        }
    }

    async fn sweep_one_org<F: Default, P, V>(
        &self,
        only: &OrgId,
        progress: SweepProgress<P>,
        visit: &impl Fn(OrgVisit<P>) -> V,
        report: &mut SweepReport<F>,
    ) -> Result<Option<SweepProgress<P>>, Failure>
    where
        V: Future<Output = Result<Option<VisitOutcome<F, P>>, Failure>>,
    {
        let SweepProgress { began, within: from, .. } = progress;
        let org = self.store.org_uncached(only, monotonic()).await?.filter(|org| !org.deleting);
        let org = org.ok_or(Rejection::UnknownOrg)?;
        let within = self.visit_org(OrgVisit { org, began, from }, visit, report).await?;
        Ok(within.map(|within| SweepProgress { began, org: Some(only.clone()), within: Some(within) }))
    }

    async fn sweep_all_orgs<F: Default, P: Clone, V>(
        &self,
        progress: SweepProgress<P>,
        visit: &impl Fn(OrgVisit<P>) -> V,
        report: &mut SweepReport<F>,
    ) -> Result<Option<SweepProgress<P>>, Failure>
    where
        V: Future<Output = Result<Option<VisitOutcome<F, P>>, Failure>>,
    {
        let SweepProgress { began, org: mut last_org, within: mut from } = progress;
        loop {
            // The org in which an earlier call stopped comes first.
            let (ids, has_more) = if let (Some(org), Some(_)) = (&last_org, &from) {
                (vec![org.clone()], true)
            } else {
                let page = self.stop_if_transient(self.store.org_ids(last_org.as_ref(), ORGS_PER_PAGE).await)?;
                let Some(page) = page else { return Ok(Some(SweepProgress { began, org: last_org, within: None })) };
                (page.rows.into_iter().map(|row| row.value).collect(), page.next.is_some())
            };
            for id in ids {
                if self.should_stop() || report.results.len() >= RESULTS_MAX {
                    return Ok(Some(SweepProgress { began, org: last_org, within: from }));
                }
                match self.sweep_org(&id, began, from.clone(), visit, report).await? {
                    OrgOutcome::Done => (last_org, from) = (Some(id), None),
                    OrgOutcome::Stopped(within) => {
                        return Ok(Some(SweepProgress { began, org: Some(id), within: Some(within) }));
                    }
                    OrgOutcome::Deferred => return Ok(Some(SweepProgress { began, org: last_org, within: from })),
                }
            }
            if !has_more {
                return Ok(None);
            }
        }
    }

    /// Sweeps one of many orgs. An internal failure is logged and reported, and does not stop the sweep.
    async fn sweep_org<F: Default, P, V>(
        &self,
        id: &OrgId,
        began: DateTime<Utc>,
        from: Option<P>,
        visit: &impl Fn(OrgVisit<P>) -> V,
        report: &mut SweepReport<F>,
    ) -> Result<OrgOutcome<P>, Failure>
    where
        V: Future<Output = Result<Option<VisitOutcome<F, P>>, Failure>>,
    {
        let watch = Stopwatch::start();
        let visited = async {
            match self.store.org_uncached(id, monotonic()).await?.filter(|org| !org.deleting) {
                Some(org) => self.visit_org(OrgVisit { org, began, from }, visit, report).await,
                // The org is deleted or being deleted.
                None => Ok(None),
            }
        };
        let result = match visited.await {
            Err(Failure::Internal(error)) => {
                tracing::error!(org = %id, error = chain(&error), at = %error.location(), "an org could not be swept");
                report.add_org(id.clone(), F::default(), 1, watch.elapsed());
                Ok(None)
            }
            result => result,
        };
        let Some(within) = self.stop_if_transient(result)? else { return Ok(OrgOutcome::Deferred) };
        self.mark_progress();
        Ok(within.map_or(OrgOutcome::Done, OrgOutcome::Stopped))
    }

    async fn visit_org<F, P, V>(
        &self,
        org_visit: OrgVisit<P>,
        visit: &impl Fn(OrgVisit<P>) -> V,
        report: &mut SweepReport<F>,
    ) -> Result<Option<P>, Failure>
    where
        V: Future<Output = Result<Option<VisitOutcome<F, P>>, Failure>>,
    {
        let (watch, id) = (Stopwatch::start(), org_visit.org.id.clone());
        Ok(visit(org_visit).await?.and_then(|VisitOutcome { figures, errors, stopped_at }| {
            report.add_org(id, figures, errors, watch.elapsed());
            stopped_at
        }))
    }

    /// Saves the position for `latest`. A failure is only logged, because the next call can repeat the work.
    async fn save_position(&self, began: DateTime<Utc>, position: Option<&str>) {
        if let Err(error) = self.store.save_sweep_position(self.operation, began, position).await {
            tracing::warn!(
                operation = self.operation,
                error = chain(&error),
                "the position of the sweep could not be saved"
            );
        }
    }

    /// Records the end of the sweep. A failure is only logged. If the next sweep fails to record its end too, an alarm
    /// goes off.
    async fn record_end(&self) {
        if let Err(error) = self.store.record_sweep_end(self.operation, self.now).await {
            tracing::warn!(
                operation = self.operation,
                error = chain(&error),
                "the end of the sweep could not be recorded"
            );
        }
    }
}

/// The outcome of one of many orgs.
enum OrgOutcome<P> {
    /// The org is done or skipped.
    Done,
    /// The next call continues at this position in the org.
    Stopped(P),
    /// The visit failed transiently. The next call begins with this org.
    Deferred,
}
