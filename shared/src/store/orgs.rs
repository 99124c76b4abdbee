//! Orgs and their settings.

use std::{sync::Arc, time::Instant};

use chrono::{DateTime, Utc};

use super::{
    attributes::{Item, number, text_attribute},
    error::StoreError,
    items::{form, org::OrgForm},
    keys,
    pages::{fetch_page, start_after},
    rows::{Listed, Page, Row},
    table::{Store, Versioned},
    transact::{Change, Transaction},
};
use crate::domain::{ids::OrgId, org::Org};

impl Store {
    /// An org as it was at most a minute before `now`.
    pub async fn org(&self, org: &OrgId, now: Instant) -> Result<Option<Arc<Org>>, StoreError> {
        match self.orgs.get(org, now) {
            (Some(cached), _) => Ok(Some(cached)),
            (None, writes) => self.read_and_cache_org(org, writes, now).await,
        }
    }

    /// The current org. The read also renews the cached org.
    pub async fn org_uncached(&self, org: &OrgId, now: Instant) -> Result<Option<Arc<Org>>, StoreError> {
        let (_, writes) = self.orgs.get(org, now);
        self.read_and_cache_org(org, writes, now).await
    }

    async fn read_and_cache_org(&self, org: &OrgId, writes: u64, now: Instant) -> Result<Option<Arc<Org>>, StoreError> {
        let found = self.org_versioned(org).await?.map(|found| Arc::new(found.value));
        if let Some(found) = &found {
            self.orgs.insert(org.clone(), Arc::clone(found), writes, now);
        }
        Ok(found)
    }

    /// The current org with its version.
    pub async fn org_versioned(&self, org: &OrgId) -> Result<Option<Versioned<Org>>, StoreError> {
        let [item] = self.get([&keys::org(org)]).await?;
        item.map(read_org).transpose()
    }

    /// Some current orgs with their versions. An unreadable org is an error of its own.
    pub async fn orgs_versioned(
        &self,
        orgs: &[OrgId],
    ) -> Result<Vec<(OrgId, Result<Option<Versioned<Org>>, StoreError>)>, StoreError> {
        let keys: Vec<_> = orgs.iter().map(keys::org).collect();
        let items = self.get_all(&keys).await?;
        let read = |(id, key): (&OrgId, &keys::Key)| {
            let item = items.iter().find(|item| key.is_of(item)).cloned();
            (id.clone(), item.map(read_org).transpose())
        };
        Ok(orgs.iter().zip(&keys).map(read).collect())
    }

    /// A page of the ids of all orgs, in order. Unreadable orgs are included.
    pub async fn org_ids(&self, after: Option<&OrgId>, limit: usize) -> Result<Page<OrgId>, StoreError> {
        let start = after.map(|id| start_after(&keys::org(id), &keys::org_index_key(id)));
        let query = self.query_index(keys::ORGS, limit).set_exclusive_start_key(start);
        let query = query.projection_expression("#at").expression_attribute_names("#at", "at");
        fetch_page(query, |item| {
            let value = listed_org_id(&item)?;
            Ok(Row { position: value.to_string(), value })
        })
        .await
    }

    /// A page of all orgs, in the order of their ids.
    pub async fn orgs(&self, after: Option<&str>, limit: usize) -> Result<Page<Listed<OrgId, Org>>, StoreError> {
        let start = after.map(|id| {
            let id = OrgId::try_from(id.to_owned()).map_err(|_| StoreError::InvalidPosition)?;
            Ok::<_, StoreError>(start_after(&keys::org(&id), &keys::org_index_key(&id)))
        });
        let query = self.query_index(keys::ORGS, limit).set_exclusive_start_key(start.transpose()?);
        fetch_page(query, |item| {
            let (id, org) = (listed_org_id(&item)?, form::read::<OrgForm, (Org, u64)>("an org", item));
            Ok(Row { position: id.to_string(), value: Listed::new(id, org.map(|(org, _)| org)) })
        })
        .await
    }

    /// Creates an org, or replaces the org that was read as `before`.
    pub async fn put_org(&self, org: &Org, before: Option<&Versioned<Org>>) -> Result<(), StoreError> {
        let _removed_from_cache = self.orgs.remove_after(|cached| *cached == org.id);
        let mut transaction = self.transaction(org);
        transaction.put_org(before)?;
        transaction.commit().await
    }

    /// Replaces an org whose time zone changes at `now`, and marks the change, so that the org's bundles are evaluated
    /// by the new time zone.
    pub async fn put_org_with_time_zone_change(
        &self,
        org: &Org,
        before: &Versioned<Org>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let _removed_from_cache = self.orgs.remove_after(|cached| *cached == org.id);
        let mut transaction = self.transaction(org);
        transaction.put_org(Some(before))?;
        transaction.record_time_zone_change(org.profile.timezone, now)?;
        transaction.commit().await
    }
}

pub(super) fn read_org(item: Item) -> Result<Versioned<Org>, StoreError> {
    Versioned::read::<OrgForm>("an org", item)
}

/// The id of an org in the list of orgs, where the sort key is the id.
fn listed_org_id(item: &Item) -> Result<OrgId, StoreError> {
    OrgId::try_from(text_attribute(item, "at").to_owned()).map_err(|rule| StoreError::unreadable("an org's id", rule))
}

impl Transaction<'_> {
    fn put_org(&mut self, before: Option<&Versioned<Org>>) -> Result<(), StoreError> {
        let org = self.org;
        let (key, index_key) = (keys::org(&org.id), keys::org_index_key(&org.id));
        match before {
            Some(before) => self.replace(&key, Some(&index_key), &OrgForm::new(org, before.next_version()), before),
            None => self.create(&key, Some(&index_key), &OrgForm::new(org, 1)),
        }
    }

    /// Requires the org to have the version under which it was read. Nothing is therefore added to an org that is being
    /// deleted, or evaluated by a time zone that the org no longer has.
    pub fn require_org_version(&mut self, version: u64) -> Result<(), StoreError> {
        self.check(&keys::org(&self.org.id), Change::default().require("version", "=", number(version)))
    }
}
