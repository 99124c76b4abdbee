//! What happened in an org in some days, whomever it was about.

use chrono::{DateTime, NaiveDate, Utc};

use super::{
    Page, Store, StoreError,
    items::{self, EntryForm, TransitionForm},
    keys,
    pages::part,
    redemption_states::read_redemption_state,
};
use crate::domain::{
    bundle::{redemption::BundleRedemption, transition::Transition},
    ids::{BundleId, CustomerId, OrgId},
    ledger::Entry,
    redemption_state::RedemptionState,
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
        self.listed(&keys::entries_index_pk(org, day), None, after, limit, |item| {
            let pk = part(&item, "pk");
            let customer = keys::customer_of(org, pk).ok_or_else(|| StoreError::unreadable("a key", pk))?;
            Ok((customer, items::read::<EntryForm, _>("a ledger entry", item)?))
        })
        .await
    }

    /// A page of what orders have redeemed of a bundle since then, given back or not, oldest first.
    pub async fn bundle_redemptions_since(
        &self,
        org: &OrgId,
        bundle: &BundleId,
        since: DateTime<Utc>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Option<BundleRedemption>>, StoreError> {
        let (list, since) = (keys::bundle_redemptions_index_pk(org, bundle), time::text(since));
        self.listed(&list, Some(&since), after, limit, |item| {
            match read_redemption_state::<BundleRedemption>(item)?.value {
                RedemptionState::Redeemed(redemption) => Ok(redemption),
                RedemptionState::VoidedBefore => {
                    Err(StoreError::unreadable("a redemption", "the mark of a void is listed"))
                }
            }
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
        self.listed(&keys::transitions_index_pk(org, day), None, after, limit, |item| {
            let recorded_at = time::parse(part(&item, "at")).map_err(|why| StoreError::unreadable("a place", why))?;
            Ok((items::read::<TransitionForm, _>("a transition", item)?, recorded_at))
        })
        .await
    }
}
