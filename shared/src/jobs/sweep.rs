//! A sweep: one job done for every org, page by page. What sweeps do alike is here; what each does in an org is its own.
//!
//! A call does what it can in its time, stops and answers a cursor; called with that, the next goes on. Whoever calls
//! until there is no cursor any more has swept everything, however much that is: the state machine of the template,
//! which sweeps org by org, the local stack, or a caller. Who can't hand a cursor on says `latest` instead: where the last
//! sweep over all orgs had to stop is kept.
//!
//! Each call gets somewhere, or fails: it does not stop before it has, neither for want of time nor because the store
//! does not answer. So nobody calls for ever.

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

/// Orgs in a page.
const ORGS_PER_PAGE: usize = 100;

/// Orgs that one answer tells of, at most: it has a largest size.
const RESULTS_MAX: usize = 5_000;

/// One call, its part of a sweep.
pub struct Sweep<'a> {
    /// Where everything is.
    pub store: &'a Store,
    /// The time of this call.
    pub now: DateTime<Utc>,
    /// By when it has to be answered.
    pub deadline: Deadline,
    /// What the last steps in an org, and the answer, may take.
    pub reserve: Duration,
    /// The operation, to which its cursors are bound.
    pub operation: &'static str,
    /// This org alone.
    pub only: Option<&'a OrgId>,
    /// A name for dry runs of its kind, if it is one and writes nothing: its cursors are bound to that, because what it
    /// passes by is not done.
    pub dry_run: Option<String>,
    /// Whether it has got anywhere.
    pub progressed: Progressed,
}

/// Whether a call has got anywhere.
#[derive(Default)]
pub struct Progressed(AtomicBool);

/// An org that has its turn.
pub struct OrgVisit<P> {
    /// The org, as it is when its turn comes.
    pub org: Arc<Org>,
    /// When the sweep began, whichever call this is.
    pub began: DateTime<Utc>,
    /// Where an earlier call stopped in it.
    pub from: Option<P>,
}

/// What a visit came to.
pub struct VisitOutcome<F, P> {
    /// What was done.
    pub figures: F,
    /// What failed, and was left.
    pub errors: u64,
    /// Where the next call goes on in this org, if it is not done.
    pub stopped_at: Option<P>,
}

/// How far a sweep is. Each field has to be there, also where it is null: what is left out would be half understood.
#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "P: Deserialize<'de>"))]
struct SweepProgress<P> {
    #[serde(serialize_with = "time::serialize")]
    began: DateTime<Utc>,
    /// The last org that had its turn.
    #[serde(deserialize_with = "Option::deserialize")]
    org: Option<OrgId>,
    /// Where it goes on in that org; if nowhere, in the next.
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

    /// The same over one org alone, if one is named.
    #[must_use]
    pub fn only(self, org: Option<&'a OrgId>) -> Self {
        Self { only: org, ..self }
    }

    /// The same as a dry run, if it has a name.
    #[must_use]
    pub fn dry_run(self, name: Option<String>) -> Self {
        Self { dry_run: name, ..self }
    }
}

impl Sweep<'_> {
    /// Whether it is time to stop. It never is before the call has got anywhere.
    #[must_use]
    pub fn should_stop(&self) -> bool {
        self.has_progressed() && self.is_near_deadline()
    }

    /// Whether there is no time left for what can be left out.
    #[must_use]
    pub fn is_near_deadline(&self) -> bool {
        self.deadline.remaining() < self.reserve
    }

    /// Notes that the call has got somewhere.
    pub fn mark_progress(&self) {
        self.progressed.0.store(true, Ordering::Relaxed);
    }

    /// Whether the call has got anywhere.
    #[must_use]
    pub fn has_progressed(&self) -> bool {
        self.progressed.0.load(Ordering::Relaxed)
    }

    /// What a step came to; `None` if it may succeed later, and the call has got somewhere and so stops here.
    pub fn stop_if_transient<T>(&self, step: Result<T, impl Into<Failure>>) -> Result<Option<T>, Failure> {
        match step.map_err(Into::into) {
            Ok(done) => Ok(Some(done)),
            Err(Failure::Retry(why)) if self.has_progressed() => {
                tracing::warn!(operation = self.operation, why = chain(&why), "the sweep stops here for now");
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }

    /// An org that is being visited, at most a minute old; `None` if it is gone, or going.
    pub async fn org_if_active(&self, id: &OrgId) -> Result<Option<Arc<Org>>, Failure> {
        Ok(self.store.org(id, monotonic()).await?.filter(|org| !org.deleting))
    }

    /// Commits a change of a customer that a list returned, which may lag behind the stored customer. `None` where nothing
    /// was to change, or the customer is gone.
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
        let load = || async { Ok(self.store.customer(org, &id).await?) };
        let outcome = commit_listed(self.deadline, Some(listed), load, commit).await;
        (id, outcome)
    }

    /// Does its part of a sweep: what is left since `cursor`, or all from the beginning. `visit` does one org, or passes
    /// it over.
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

    /// Where to begin; `None` if what is to go on has ended.
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
        let is_meant = self.only.is_none_or(|only| progress.org.as_ref().is_none_or(|org| org == only));
        // It began before now: what is yet to come can't be judged.
        if is_of_org && is_meant && progress.began <= self.now {
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
            // First the org in which an earlier call stopped, then those after it.
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
                    OrgOutcome::NotReached => return Ok(Some(SweepProgress { began, org: last_org, within: from })),
                }
            }
            if !has_more {
                return Ok(None);
            }
        }
    }

    /// One org of many: what can't be read or done of it is told, and holds up no other.
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
                // It is gone, or going.
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
        let Some(within) = self.stop_if_transient(result)? else { return Ok(OrgOutcome::NotReached) };
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

    /// What can't be kept is done once more: that is no reason to fail what was done.
    async fn save_position(&self, began: DateTime<Utc>, position: Option<&str>) {
        if let Err(error) = self.store.save_sweep_position(self.operation, began, position).await {
            tracing::warn!(operation = self.operation, error = chain(&error), "how far the sweep is could not be kept");
        }
    }

    /// Nor is that the end can't be: if the next one's can't either, somebody is told.
    async fn record_end(&self) {
        if let Err(error) = self.store.record_sweep_end(self.operation, self.now).await {
            tracing::warn!(
                operation = self.operation,
                error = chain(&error),
                "that the sweep has ended could not be kept"
            );
        }
    }
}

/// What an org's turn came to.
enum OrgOutcome<P> {
    /// It is done, or passed over.
    Done,
    /// It goes on there.
    Stopped(P),
    /// It is still to come.
    NotReached,
}
