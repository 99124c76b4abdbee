//! Keys of orgs: made, listed, revoked, and read through a cache when somebody shows one.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use super::{
    Page, Row, Store, StoreError, Versioned,
    items::{self, KeyForm},
    keys,
    orgs::{CACHED_AT_MOST, FRESH},
    pages::page,
    transact::{Change, Condition},
};
use crate::domain::{
    ids::{KeyId, OrgId},
    key::{KeyDigest, OrgKey},
    org::Org,
};

/// Digests read lately, also that there is none: asking for what is not there costs no request each time.
#[derive(Default)]
pub(super) struct KeyCache(Mutex<Cached>);

/// What was read of each key, and when.
type Cached = HashMap<(OrgId, KeyId), (Instant, Option<KeyDigest>)>;

impl KeyCache {
    fn with<T>(&self, look: impl FnOnce(&mut Cached) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Store {
    /// The digest of a key, at most a minute older than `now`; `None`: there is no such key.
    pub async fn key_digest(&self, org: &OrgId, key: &KeyId, now: Instant) -> Result<Option<KeyDigest>, StoreError> {
        let at = (org.clone(), key.clone());
        let known = self.keys.with(|cached| cached.get(&at).copied());
        if let Some((_, digest)) = known.filter(|(read_at, _)| now.saturating_duration_since(*read_at) < FRESH) {
            return Ok(digest);
        }
        let [item] = self.get([&keys::org_key(org, key)]).await?;
        let digest = item.map(|item| items::read::<KeyForm, OrgKey>("a key", item)).transpose()?.map(|key| key.digest);
        self.keys.with(|cached| {
            if cached.len() >= CACHED_AT_MOST {
                cached.clear();
            }
            cached.insert(at, (now, digest));
        });
        Ok(digest)
    }

    /// Adds a key to an org that must still be at the version read.
    pub async fn add_key(&self, org: &Versioned<Org>, key: &OrgKey) -> Result<(), StoreError> {
        let mut transaction = self.transaction(&org.value);
        transaction.put(&keys::org_key(&org.value.id, &key.id), None, &KeyForm::from(key), Condition::Absent)?;
        transaction.require_org(org.version)?;
        transaction.commit().await
    }

    /// Revokes a key; whether there was one. This process forgets it at once, others within a minute.
    pub async fn revoke_key(&self, org: &Org, key: &KeyId) -> Result<bool, StoreError> {
        let at = keys::org_key(&org.id, key);
        let [item] = self.get([&at]).await?;
        if item.is_some() {
            let mut transaction = self.transaction(org);
            transaction.delete(&at, Change::default().require_present("pk"))?;
            transaction.commit().await?;
        }
        self.keys.with(|cached| cached.remove(&(org.id.clone(), key.clone())));
        Ok(item.is_some())
    }

    /// A page of an org's keys, by id.
    pub async fn org_keys(&self, org: &OrgId, after: Option<&str>, limit: usize) -> Result<Page<OrgKey>, StoreError> {
        let start = after.map(|id| {
            let id = KeyId::try_from(id.to_owned()).map_err(|_| StoreError::Position)?;
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
