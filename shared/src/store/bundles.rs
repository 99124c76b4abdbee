//! Bundles.
//!
//! The terms and the recorded status of a bundle change under its version. The counters change under separate
//! conditions, so that concurrent orders for the same bundle do not conflict. An edit therefore never writes counters,
//! and a redemption never writes terms.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};

use super::{
    attributes::{Item, number, text_attribute},
    error::StoreError,
    items::{
        bundle::{BundleForm, DeletedBundleForm, RecordedForm, TermsForm},
        unknown::rewrite_attribute,
    },
    keys,
    orgs::read_org,
    pages::{PartitionList, query_until_found},
    rows::{Listed, Page},
    table::{DELETES_PER_REQUEST_MAX, Store, Versioned},
    transact::{Change, Transaction},
};
use crate::domain::{
    bundle::{state::Bundle, transition::StatusUpdate},
    ids::{BundleId, OrgId},
    org::Org,
};

/// A bundle in a list.
pub type ListedBundle = Listed<BundleId, Box<Versioned<Bundle>>>;

impl Store {
    /// The current bundle.
    pub async fn bundle(&self, org: &OrgId, bundle: &BundleId) -> Result<Option<Versioned<Bundle>>, StoreError> {
        let [item] = self.get([&keys::bundle(org, bundle)]).await?;
        item.map(read_bundle).transpose()
    }

    /// The current bundle, with its current org.
    pub async fn org_and_bundle(
        &self,
        org: &OrgId,
        bundle: &BundleId,
    ) -> Result<(Option<Versioned<Org>>, Option<Versioned<Bundle>>), StoreError> {
        let [org, bundle] = self.get([&keys::org(org), &keys::bundle(org, bundle)]).await?;
        Ok((org.map(read_org).transpose()?, bundle.map(read_bundle).transpose()?))
    }

    /// A page of an org's bundles, in the order of their ids.
    pub async fn bundles(
        &self,
        org: &OrgId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<ListedBundle>, StoreError> {
        let list = PartitionList::by_id::<BundleId>(keys::org_partition(org), keys::BUNDLE_PREFIX);
        self.partition_page(&list, after, limit, |item| {
            let (pk, sk) = (text_attribute(&item, "pk"), text_attribute(&item, "sk"));
            let id = keys::parse_due_key(pk, sk).and_then(|(_, bundle)| bundle);
            let id = id.ok_or_else(|| StoreError::unreadable("a bundle's key", sk))?;
            Ok(read_listed_bundle(id, item))
        })
        .await
    }

    /// Whether the org has deleted a bundle with this id. A new bundle may have the same id.
    pub async fn bundle_was_deleted(&self, org: &OrgId, bundle: &BundleId) -> Result<bool, StoreError> {
        let [mark] = self.get([&keys::deleted_bundle(org, bundle)]).await?;
        Ok(mark.is_some())
    }

    /// Deletes the transitions of a deleted bundle.
    ///
    /// A new bundle with the same id keeps its own transitions. The transitions are listed first, and deleted only if
    /// the bundle does not exist afterwards. A listed transition therefore never belongs to a later bundle.
    pub async fn delete_transitions(&self, org: &OrgId, bundle: &BundleId) -> Result<(), StoreError> {
        loop {
            let pk = keys::bundle_partition(org, bundle);
            let query = self.query_partition(&pk, keys::TRANSITION_PREFIX, DELETES_PER_REQUEST_MAX);
            let response = query_until_found(query.consistent_read(true).projection_expression("pk, sk")).await?;
            let transitions = response.items.unwrap_or_default();
            if transitions.is_empty() || self.bundle(org, bundle).await?.is_some() {
                return Ok(());
            }
            self.delete_batch(transitions).await?;
        }
    }
}

pub(super) fn read_bundle(item: Item) -> Result<Versioned<Bundle>, StoreError> {
    Versioned::read::<BundleForm>("a bundle", item)
}

pub(super) fn read_listed_bundle(bundle: BundleId, item: Item) -> ListedBundle {
    Listed::new(bundle, read_bundle(item).map(Box::new))
}

impl Transaction<'_> {
    /// Adds a bundle, which must not exist yet, to an org, which must have the version under which it was read.
    pub fn create_bundle(&mut self, created: &StatusUpdate, org_version: u64) -> Result<(), StoreError> {
        let (org, bundle) = (&self.org.id, &created.bundle);
        let index_key = created.due.map(|due| keys::bundle_index_key(org, &bundle.id, due));
        let key = keys::bundle(org, &bundle.id);
        // Versions start at the time of creation, so that they differ from the versions of a deleted bundle with the
        // same id.
        let version = u64::try_from(bundle.recorded.at.timestamp_millis()).unwrap_or_default();
        self.create(&key, index_key.as_ref(), &BundleForm::new(bundle, version))?;
        self.require_org_version(org_version)
    }

    /// Updates the recorded status of the bundle that was read as `before`, and appends its transitions.
    pub fn record_status(&mut self, update: &StatusUpdate, before: &Versioned<Bundle>) -> Result<(), StoreError> {
        let change = self.status_change(update, before)?;
        self.update(&keys::bundle(&self.org.id, &update.bundle.id), change)?;
        self.append_transitions(update, before.next_version())
    }

    /// Updates the terms and the recorded status of the bundle that was read as `before`, and appends its transitions.
    /// Concurrent redemptions are allowed, as long as they neither sell the bundle out nor exceed the limit.
    pub fn edit_bundle(&mut self, update: &StatusUpdate, before: &Versioned<Bundle>) -> Result<(), StoreError> {
        let bundle = &update.bundle;
        let mut change = self.status_change(update, before)?;
        let terms = TermsForm::new(&bundle.terms, bundle.recorded.zone);
        change = change.set("terms", rewrite_attribute("terms", &terms, &before.image)?);
        if let Some(max) = bundle.terms.max_redemptions {
            let comparison = if bundle.is_sold_out() { "=" } else { "<" };
            change = change.require("redemptions", comparison, number(max.get()));
        }
        self.update(&keys::bundle(&self.org.id, &bundle.id), change)?;
        self.append_transitions(update, before.next_version())
    }

    /// Deletes a bundle, and marks that it existed. The bundle must have this version and must never have been
    /// redeemed.
    pub fn delete_bundle(&mut self, bundle: &BundleId, version: u64, now: DateTime<Utc>) -> Result<(), StoreError> {
        let mark = keys::deleted_bundle(&self.org.id, bundle);
        self.upsert(&mark, None, &DeletedBundleForm::new(bundle.clone(), now), None)?;
        let unredeemed = Change::default().require("version", "=", number(version)).require(
            "ever",
            "=",
            AttributeValue::Bool(false),
        );
        self.delete(&keys::bundle(&self.org.id, bundle), unredeemed)
    }

    /// The change of a bundle's recorded status, of its index key among the due items, and of its version.
    pub(super) fn status_change(
        &self,
        update: &StatusUpdate,
        before: &Versioned<Bundle>,
    ) -> Result<Change, StoreError> {
        let StatusUpdate { bundle, due, .. } = update;
        let index_key = due.map(|due| keys::bundle_index_key(&self.org.id, &bundle.id, due));
        let recorded = rewrite_attribute("recorded", &RecordedForm::from(bundle.recorded), &before.image)?;
        Ok(Change::default()
            .set("recorded", recorded)
            .set("version", number(before.next_version()))
            .index_key(index_key.as_ref())
            .require("version", "=", number(before.version)))
    }
}
