//! Reconciles the recorded status of bundles with the clock, for one bundle or for all bundles of an org whose time
//! zone changed.
//!
//! No decision depends on the recorded status. A redemption evaluates the schedule itself.

use std::{borrow::Cow, ops::ControlFlow, time::Duration};

use chrono::{DateTime, Utc};
use futures::future::join_all;

use super::fresh::commit_listed;
use crate::{
    clock::Deadline,
    domain::{
        bundle::{
            state::Bundle,
            transition::{Transition, bring_up_to_date},
        },
        ids::{BundleId, OrgId},
        org::Org,
        rejection::Rejection,
    },
    failure::Failure,
    store::{Listed, ListedBundle, Store, Versioned},
};

/// The number of bundles that are reconciled concurrently.
pub const BUNDLES_AT_ONCE: usize = 8;

/// The transitions that were recorded for a bundle, or why the bundle could not be reconciled.
pub type ReconcileOutcome = Result<Vec<Transition>, Failure>;

/// Brings the recorded status of bundles up to date.
#[derive(Clone, Copy)]
pub struct Reconciler<'a> {
    /// The table.
    pub store: &'a Store,
    /// The instant up to which transitions are recorded.
    pub now: DateTime<Utc>,
    /// The instant by which the work must stop.
    pub deadline: Deadline,
    /// Compute the transitions without writing them.
    pub dry_run: bool,
}

/// A bundle with the org whose time zone applies.
struct Candidate<'a> {
    org: Cow<'a, Org>,
    bundle: Versioned<Bundle>,
    /// Whether a list returned the bundle.
    is_listed: bool,
}

impl Reconciler<'_> {
    /// Records the transitions of a listed bundle. The list may lag behind the stored bundle.
    pub async fn reconcile(&self, org: &Org, listed: Versioned<Bundle>) -> ReconcileOutcome {
        let id = listed.value.id.clone();
        // A bundle that was evaluated in another zone may be newer than the org in the cache.
        let is_usable = listed.value.recorded.zone == org.profile.timezone;
        let listed = is_usable.then_some(Candidate { org: Cow::Borrowed(org), bundle: listed, is_listed: true });
        let load = || self.load(&org.id, &id);
        let recorded = commit_listed(self.deadline, listed, load, |candidate| self.commit(candidate)).await?;
        // A bundle that was deleted in the meantime has nothing to record.
        Ok(recorded.unwrap_or_default())
    }

    async fn load<'a>(&self, org: &OrgId, id: &BundleId) -> Result<Option<Candidate<'a>>, Failure> {
        let (org, bundle) = self.store.org_and_bundle(org, id).await?;
        let org = org.map(|org| org.value).filter(|org| !org.deleting).ok_or(Rejection::UnknownOrg)?;
        Ok(bundle.map(|bundle| Candidate { org: Cow::Owned(org), bundle, is_listed: false }))
    }

    async fn commit(&self, candidate: Candidate<'_>) -> Result<Option<Vec<Transition>>, Failure> {
        let Candidate { org, bundle, is_listed } = candidate;
        let update = bring_up_to_date(&bundle.value, org.zone(), self.now);
        // A listed bundle is written even if nothing changes, so that the due index shows its next change.
        if !self.dry_run && (is_listed || !update.is_idle(&bundle.value)) {
            let mut transaction = self.store.transaction(&org);
            transaction.record_status(&update, &bundle)?;
            transaction.commit().await?;
        }
        Ok(Some(update.transitions))
    }

    /// Reconciles the bundles of an org that were evaluated in another time zone or by older zone rules.
    ///
    /// `is_selected` limits the bundles. `report` receives each outcome and may stop the work. Returns whether all
    /// bundles are done. Near the deadline it returns `false`.
    pub async fn apply_time_zone(
        &self,
        org: &Org,
        is_selected: impl Fn(&BundleId) -> bool,
        mut report: impl FnMut(BundleId, ReconcileOutcome) -> ControlFlow<()>,
    ) -> Result<bool, Failure> {
        const PAGE_SIZE: usize = 100;
        /// The time that the last bundles, and the answer, may take.
        const ANSWER_RESERVE: Duration = Duration::from_secs(5);

        let mut after: Option<String> = None;
        loop {
            let page = self.store.bundles(&org.id, after.as_deref(), PAGE_SIZE).await?;
            let outdated = page.rows.into_iter().map(|row| row.value).filter(|listed| {
                let is_outdated = |bundle: &Versioned<Bundle>| {
                    let recorded = bundle.value.recorded;
                    recorded.zone != org.profile.timezone || recorded.is_outdated
                };
                listed.image.as_ref().map_or(true, |bundle| is_outdated(bundle)) && is_selected(&listed.id)
            });
            let mut outdated = outdated.peekable();
            while outdated.peek().is_some() {
                if self.deadline.remaining() < ANSWER_RESERVE {
                    return Ok(false);
                }
                let outcomes =
                    join_all(outdated.by_ref().take(BUNDLES_AT_ONCE).map(|listed| self.reconcile_listed(org, listed)))
                        .await;
                for (bundle, outcome) in outcomes {
                    if report(bundle, outcome).is_break() {
                        return Ok(false);
                    }
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(true);
            }
        }
    }

    async fn reconcile_listed(&self, org: &Org, Listed { id, image }: ListedBundle) -> (BundleId, ReconcileOutcome) {
        match image {
            Ok(image) => (id, self.reconcile(org, *image).await),
            Err(error) => (id, Err(Failure::Internal(error))),
        }
    }
}
