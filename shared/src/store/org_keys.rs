//! The keys of orgs.

use std::time::Instant;

use super::{
    error::StoreError,
    items::{form, org_key::OrgKeyForm},
    keys,
    pages::PartitionList,
    rows::Page,
    table::{Store, Versioned},
    transact::Change,
};
use crate::domain::{
    ids::{KeyId, OrgId},
    org::Org,
    org_key::{KeyDigest, OrgKey},
};

impl Store {
    /// The digest of a key as it was at most a minute before `now`. Returns `None` if the org has no such key.
    pub async fn key_digest(&self, org: &OrgId, key: &KeyId, now: Instant) -> Result<Option<KeyDigest>, StoreError> {
        let cache_key = (org.clone(), key.clone());
        let (cached, writes) = self.org_keys.get(&cache_key, now);
        // Absent keys have a separate cache, so that requests with invented keys evict no digest.
        let (absent, _) = self.absent_org_keys.get(&cache_key, now);
        if cached.is_some() || absent.is_some() {
            return Ok(cached);
        }
        let [item] = self.get([&keys::org_key(org, key)]).await?;
        let read = |item| form::read::<OrgKeyForm, OrgKey>("an org key", item);
        let found = item.map(read).transpose()?.map(|key| key.digest);
        match found {
            Some(digest) => self.org_keys.insert(cache_key, digest, writes, now),
            // Key ids are random, so an absent key is not created later under the same id.
            None => self.absent_org_keys.insert(cache_key, (), 0, now),
        }
        Ok(found)
    }

    /// A page of an org's keys, in the order of their ids.
    pub async fn org_keys(&self, org: &OrgId, after: Option<&str>, limit: usize) -> Result<Page<OrgKey>, StoreError> {
        let list = PartitionList::by_id::<KeyId>(keys::org_partition(org), keys::KEY_PREFIX);
        self.partition_page(&list, after, limit, |item| form::read::<OrgKeyForm, _>("an org key", item)).await
    }

    /// Adds a key to an org, which must have the version under which it was read.
    pub async fn add_key(&self, org: &Versioned<Org>, key: &OrgKey) -> Result<(), StoreError> {
        let mut transaction = self.transaction(&org.value);
        transaction.create(&keys::org_key(&org.value.id, &key.id), None, &OrgKeyForm::from(key))?;
        transaction.require_org_version(org.version)?;
        transaction.commit().await
    }

    /// Revokes a key. Returns whether the org had the key. This process rejects the key at once, other processes within
    /// a minute.
    pub async fn revoke_key(&self, org: &Org, key: &KeyId) -> Result<bool, StoreError> {
        let _removed_from_cache = self.org_keys.remove_after(|(of, cached)| *of == org.id && cached == key);
        let item_key = keys::org_key(&org.id, key);
        let [item] = self.get([&item_key]).await?;
        if item.is_some() {
            let mut transaction = self.transaction(org);
            transaction.delete(&item_key, Change::default().require_present("pk"))?;
            transaction.commit().await?;
        }
        Ok(item.is_some())
    }
}
