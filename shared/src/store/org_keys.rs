//! Keys of orgs: made, listed, revoked, and read through a cache when somebody shows one.

use std::time::Instant;

use super::{
    Page, Row, Store, StoreError, Versioned,
    items::{self, KeyForm},
    keys,
    pages::page,
    transact::Change,
};
use crate::domain::{
    ids::{KeyId, OrgId},
    org::Org,
    org_key::{KeyDigest, OrgKey},
};

impl Store {
    /// The digest of a key, at most a minute older than `now`; `None`: there is no such key.
    pub async fn key_digest(&self, org: &OrgId, key: &KeyId, now: Instant) -> Result<Option<KeyDigest>, StoreError> {
        let at = (org.clone(), key.clone());
        let (known, writes) = self.keys.get(&at, now);
        // Kept apart, so that who makes keys up pushes nobody's out.
        let (unknown, _) = self.no_keys.get(&at, now);
        if known.is_some() || unknown.is_some() {
            return Ok(known);
        }
        let [item] = self.get([&keys::org_key(org, key)]).await?;
        let found = item.map(|item| items::read::<KeyForm, OrgKey>("a key", item)).transpose()?.map(|key| key.digest);
        match found {
            Some(digest) => self.keys.keep(at, digest, writes, now),
            // Nobody makes a key by an id that was asked for before: ids are random.
            None => self.no_keys.keep(at, (), 0, now),
        }
        Ok(found)
    }

    /// Adds a key to an org that must still be at the version read.
    pub async fn add_key(&self, org: &Versioned<Org>, key: &OrgKey) -> Result<(), StoreError> {
        let mut transaction = self.transaction(&org.value);
        transaction.create(&keys::org_key(&org.value.id, &key.id), None, &KeyForm::from(key))?;
        transaction.require_org(org.version)?;
        transaction.commit().await
    }

    /// Revokes a key; whether there was one. This process forgets it at once, others within a minute.
    pub async fn revoke_key(&self, org: &Org, key: &KeyId) -> Result<bool, StoreError> {
        let _forgotten = self.keys.forget_after(|(of, known)| *of == org.id && known == key);
        let at = keys::org_key(&org.id, key);
        let [item] = self.get([&at]).await?;
        if item.is_some() {
            let mut transaction = self.transaction(org);
            transaction.delete(&at, Change::default().require_present("pk"))?;
            transaction.commit().await?;
        }
        Ok(item.is_some())
    }

    /// A page of an org's keys, by id.
    pub async fn org_keys(&self, org: &OrgId, after: Option<&str>, limit: usize) -> Result<Page<OrgKey>, StoreError> {
        let start = after.map(|id| {
            let id = KeyId::try_from(id.to_owned()).map_err(|_| StoreError::InvalidPosition)?;
            Ok::<_, StoreError>(keys::org_key(org, &id).to_item())
        });
        let query = self.query_partition(&keys::org_partition(org), keys::KEY_PREFIX, limit);
        page(query.consistent_read(true).set_exclusive_start_key(start.transpose()?), |item| {
            let value: OrgKey = items::read::<KeyForm, _>("a key", item)?;
            Ok(Row { position: value.id.to_string(), value })
        })
        .await
    }
}
