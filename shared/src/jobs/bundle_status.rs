//! Keeping what is stored in step with the clock, where more than one function does it: a bundle's recorded status, and
//! that of all bundles of an org whose time zone has changed.
//!
//! Nothing that decides waits for this: redeeming asks the rule itself.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::join_all;

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
    failure::{Failure, retry_conflicts_within},
    store::{Listed, ListedBundle, Store, Versioned},
};

/// Bundles worked on at once, within one page.
pub const AT_ONCE: usize = 8;

/// What was put on record of a bundle, or why nothing was.
pub type Outcome = Result<Vec<Transition>, Failure>;

/// What a bundle is brought up to date for.
#[derive(Clone, Copy)]
pub struct Reconciler<'a> {
    /// Where it is.
    pub store: &'a Store,
    /// The instant up to which everything goes on record.
    pub now: DateTime<Utc>,
    /// By when to stop.
    pub deadline: Deadline,
    /// Work out what would be recorded, and write nothing.
    pub dry_run: bool,
}

impl Reconciler<'_> {
    /// Brings a bundle up to date that was listed as `image`, which may lag behind what it is.
    pub async fn bundle(&self, org: &Org, image: Versioned<Bundle>) -> Outcome {
        let id = image.value.id.clone();
        // An image that was judged by another zone may be newer than what is known of the org.
        let mut image = Some(image).filter(|image| image.value.recorded.zone == org.profile.timezone);
        let (org_id, id) = (&org.id, &id);
        retry_conflicts_within(self.deadline, || {
            let image = image.take();
            async move {
                match image {
                    // What is due is written even if nothing is to be recorded: it gets another time.
                    Some(image) => self.commit(org, &image, true).await,
                    None => self.reload(org_id, id).await,
                }
            }
        })
        .await
    }

    async fn reload(&self, org: &OrgId, id: &BundleId) -> Outcome {
        let (org, bundle) = self.store.bundle_of_org(org, id).await?;
        let org = org.map(|org| org.value).filter(|org| !org.deleting).ok_or(Rejection::UnknownOrg)?;
        match bundle {
            Some(bundle) => self.commit(&org, &bundle, false).await,
            // It was deleted meanwhile.
            None => Ok(Vec::new()),
        }
    }

    async fn commit(&self, org: &Org, bundle: &Versioned<Bundle>, even_if_idle: bool) -> Outcome {
        let update = bring_up_to_date(&bundle.value, org.zone(), self.now);
        if !self.dry_run && (even_if_idle || !update.is_idle(&bundle.value)) {
            let mut transaction = self.store.transaction(org);
            transaction.record_status(&update, bundle)?;
            transaction.commit().await?;
        }
        Ok(update.transitions)
    }

    /// Judges those bundles of an org by its time zone that are still judged by another, or by older rules, and that are `meant`. Tells what
    /// came of each, and stops when it is told to or its time is over; answers whether that was all.
    pub async fn apply_time_zone(
        &self,
        org: &Org,
        meant: impl Fn(&BundleId) -> bool,
        mut tell: impl FnMut(BundleId, Outcome) -> Going,
    ) -> Result<bool, Failure> {
        const PAGE: usize = 100;
        /// What the last bundles, and the answer, may take.
        const ANSWER_RESERVE: Duration = Duration::from_secs(5);

        let mut after: Option<String> = None;
        loop {
            let page = self.store.bundles(&org.id, after.as_deref(), PAGE).await?;
            let behind = page.rows.into_iter().map(|row| row.value).filter(|listed| {
                let is_behind = |bundle: &Versioned<Bundle>| {
                    let recorded = bundle.value.recorded;
                    recorded.zone != org.profile.timezone || recorded.is_outdated
                };
                listed.image.as_ref().map_or(true, |bundle| is_behind(bundle)) && meant(&listed.id)
            });
            let mut behind = behind.peekable();
            while behind.peek().is_some() {
                if self.deadline.left() < ANSWER_RESERVE {
                    return Ok(false);
                }
                let done = join_all(behind.by_ref().take(AT_ONCE).map(|listed| self.listed(org, listed))).await;
                for (bundle, outcome) in done {
                    if tell(bundle, outcome) == Going::Stop {
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

    async fn listed(&self, org: &Org, Listed { id, image }: ListedBundle) -> (BundleId, Outcome) {
        match image {
            Ok(image) => (id, self.bundle(org, *image).await),
            Err(why) => (id, Err(Failure::Internal(why))),
        }
    }
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Going {
    /// There is room for more.
    On,
    /// That is enough.
    Stop,
}
