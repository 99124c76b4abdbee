//! What happened in an org in some days, whomever it was about.

use chrono::{DateTime, NaiveDate, Utc};

use super::{
    Page, Store, StoreError,
    claims::read_claim,
    items::{self, EntryForm, TransitionForm},
    keys,
    pages::part,
};
use crate::domain::{
    bundle::{redemption::Redemption, transition::Transition},
    claim::Claim,
    ids::{BundleId, CustomerId, OrgId},
    ledger::Entry,
    time,
};

impl Store {
    /// A page of the ledger entries that were written on a day of UTC, oldest first.
    pub async fn entries_of_day(
        &self,
        org: &OrgId,
        day: NaiveDate,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Option<(CustomerId, Entry)>>, StoreError> {
        self.listed(&keys::entries_list(org, day), None, after, limit, |item| {
            let pk = part(&item, "pk");
            let customer = keys::customer_of(org, pk).ok_or_else(|| StoreError::unreadable("a key", pk))?;
            Ok((customer, items::read::<EntryForm, _>("a ledger entry", item)?))
        })
        .await
    }

    /// A page of what orders have redeemed of a bundle since then, given back or not, oldest first.
    pub async fn redemptions_since(
        &self,
        org: &OrgId,
        bundle: &BundleId,
        since: DateTime<Utc>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Option<Redemption>>, StoreError> {
        let (list, since) = (keys::redemptions_list(org, bundle), time::text(since));
        self.listed(&list, Some(&since), after, limit, |item| match read_claim::<Redemption>(item)?.value {
            Claim::Redeemed(redemption) => Ok(redemption),
            Claim::VoidedBefore => Err(StoreError::unreadable("a redemption", "the mark of a void is listed")),
        })
        .await
    }

    /// A page of the changes of bundles' status that went on record on a day of UTC, oldest first, each with when that was.
    pub async fn transitions_of_day(
        &self,
        org: &OrgId,
        day: NaiveDate,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Option<(Transition, DateTime<Utc>)>>, StoreError> {
        self.listed(&keys::transitions_list(org, day), None, after, limit, |item| {
            let recorded_at = time::parse(part(&item, "at")).map_err(|why| StoreError::unreadable("a place", why))?;
            Ok((items::read::<TransitionForm, _>("a transition", item)?, recorded_at))
        })
        .await
    }
}
