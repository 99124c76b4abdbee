//! The keys of orgs.

use std::time::Instant;

use super::{
    attributes::{Item, text_attribute},
    error::StoreError,
    items::{form, org_key::OrgKeyForm},
    keys,
    pages::fetch_page,
    rows::{Listed, Page, Row},
    table::{Store, Versioned},
    transact::Change,
};
use crate::domain::{
    ids::{KeyId, OrgId},
    org::Org,
    org_key::{KeyKind, KeyReference, KeyVerifier, OrgKey},
};

impl Store {
    /// The verifier of a key as it was at most a minute before `now`. Returns `None` if the org has no such key, and if
    /// this release does not know the scope of the key.
    pub async fn key_verifier(&self, key: &KeyReference, now: Instant) -> Result<Option<KeyVerifier>, StoreError> {
        let (cached, writes) = self.org_keys.get(key, now);
        // Absent keys have a separate cache, so that requests with invented keys evict no verifier.
        let (absent, _) = self.absent_org_keys.get(key, now);
        if cached.is_some() || absent.is_some() {
            return Ok(cached);
        }
        let [item] = self.get([&keys::org_key(key)]).await?;
        let read = |item| form::read::<OrgKeyForm, Option<KeyVerifier>>("an org key", item);
        let found = item.map(read).transpose()?.flatten().filter(|found| found.scope.kind() == key.kind);
        match found {
            Some(verifier) => self.org_keys.insert(key.clone(), verifier, writes, now),
            // Key ids are random, so an absent key is not created later under the same id.
            None => self.absent_org_keys.insert(key.clone(), (), 0, now),
        }
        Ok(found)
    }

    /// A page of an org's keys: the keys with the scope `manage` in the order of their ids, and then all others in the
    /// order of their ids.
    pub async fn org_keys(
        &self,
        org: &OrgId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Listed<KeyId, OrgKey>>, StoreError> {
        let start = after.map(|position| keys::org_key_at(org, position).ok_or(StoreError::InvalidPosition));
        let start = start.transpose()?.map(|key| key.to_item());
        let query = self.query_partition(&keys::org_partition(org), keys::ORG_KEYS_PREFIX, limit).consistent_read(true);
        fetch_page(query.set_exclusive_start_key(start), |item| {
            let sk = text_attribute(&item, "sk");
            let key = keys::parse_org_key(org, sk).ok_or_else(|| StoreError::unreadable("the id of an org key", sk))?;
            Ok(Row { position: keys::org_key_position(&key), value: Listed::new(key.id, read_key(key.kind, item)) })
        })
        .await
    }

    /// Adds a key to an org, which must have the version under which it was read.
    pub async fn add_key(&self, org: &Versioned<Org>, key: &OrgKey) -> Result<(), StoreError> {
        let reference = KeyReference { org: org.value.id.clone(), id: key.id.clone(), kind: key.scope.kind() };
        let mut transaction = self.transaction(&org.value);
        transaction.create(&keys::org_key(&reference), None, &OrgKeyForm::from(key))?;
        transaction.require_org_version(org.version)?;
        transaction.commit().await
    }

    /// Revokes a key of any scope. Returns whether the org had the key. This process rejects the key at once, other
    /// processes within a minute.
    pub async fn revoke_key(&self, org: &Org, key: &KeyId) -> Result<bool, StoreError> {
        let _removed_from_cache = self.org_keys.remove_after(|cached| cached.org == org.id && cached.id == *key);
        let reference = |kind| KeyReference { org: org.id.clone(), id: key.clone(), kind };
        let item_keys = KeyKind::ALL.map(|kind| keys::org_key(&reference(kind)));
        let found = self.get_all(&item_keys).await?;
        if found.is_empty() {
            return Ok(false);
        }
        let mut transaction = self.transaction(org);
        for item_key in item_keys.iter().filter(|item_key| found.iter().any(|item| item_key.is_of(item))) {
            transaction.delete(item_key, Change::default().require_present("pk"))?;
        }
        transaction.commit().await?;
        Ok(true)
    }
}

/// Reads the item of a key. The scope must belong to the kind of the item.
fn read_key(kind: KeyKind, item: Item) -> Result<OrgKey, StoreError> {
    let key = form::read::<OrgKeyForm, OrgKey>("an org key", item)?;
    if key.scope.kind() == kind {
        Ok(key)
    } else {
        Err(StoreError::unreadable("an org key", "the scope belongs to another kind of key"))
    }
}
