//! Orgs: read through a cache, listed, written under a version, and deleted whole if disposable.

use std::{sync::Arc, time::Instant};

use aws_sdk_dynamodb::{
    operation::query::builders::QueryFluentBuilder,
    types::{DeleteRequest, WriteRequest},
};
use chrono::{DateTime, Utc};
use tokio::task::JoinSet;

use super::{
    BatchRetry, Item, Listed, Page, Row, Store, StoreError, Versioned,
    items::{self, OrgForm},
    keys,
    pages::{ask, page, part, start_after},
};
use crate::{
    domain::{ids::OrgId, org::Org},
    error::InternalError,
};

/// Items deleted in one request, at most: what the service takes.
const DELETES_PER_REQUEST: usize = 25;

impl Store {
    /// An org and its settings, at most a minute older than `now`.
    pub async fn org(&self, org: &OrgId, now: Instant) -> Result<Option<Arc<Org>>, StoreError> {
        match self.orgs.get(org, now) {
            (Some(cached), _) => Ok(Some(cached)),
            (None, writes) => self.read_org(org, writes, now).await,
        }
    }

    /// An org and its settings as they are now, known from here on for a minute.
    pub async fn org_uncached(&self, org: &OrgId, now: Instant) -> Result<Option<Arc<Org>>, StoreError> {
        let (_, writes) = self.orgs.get(org, now);
        self.read_org(org, writes, now).await
    }

    async fn read_org(&self, org: &OrgId, writes: u64, now: Instant) -> Result<Option<Arc<Org>>, StoreError> {
        let found = self.org_versioned(org).await?.map(|found| Arc::new(found.value));
        if let Some(found) = &found {
            self.orgs.keep(org.clone(), Arc::clone(found), writes, now);
        }
        Ok(found)
    }

    /// An org as it is now, to be changed.
    pub async fn org_versioned(&self, org: &OrgId) -> Result<Option<Versioned<Org>>, StoreError> {
        let [item] = self.get([&keys::org(org)]).await?;
        item.map(|item| items::read_versioned::<OrgForm, _>("an org", item)).transpose()
    }

    /// Writes an org: in the place of one that was read, or a new one.
    pub async fn put_org(&self, org: &Org, before: Option<&Versioned<Org>>) -> Result<(), StoreError> {
        let _forgotten = self.orgs.forget_after(|known| *known == org.id);
        let mut transaction = self.transaction(org);
        transaction.put_org(before)?;
        transaction.commit().await
    }

    /// The same, where the org's time zone changes at `now`: marks that its bundles are to be judged by the new one.
    pub async fn put_org_with_time_zone_change(
        &self,
        org: &Org,
        before: &Versioned<Org>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let _forgotten = self.orgs.forget_after(|known| *known == org.id);
        let mut transaction = self.transaction(org);
        transaction.put_org(Some(before))?;
        transaction.record_time_zone_change(org.profile.timezone, now)?;
        transaction.commit().await
    }

    /// Orgs as they are now, each by itself: one that can't be read keeps no other from being read.
    pub async fn orgs_versioned(
        &self,
        orgs: &[OrgId],
    ) -> Result<Vec<(OrgId, Result<Option<Versioned<Org>>, StoreError>)>, StoreError> {
        let keys: Vec<_> = orgs.iter().map(keys::org).collect();
        let items = self.get_all(&keys).await?;
        let read = |(id, key): (&OrgId, &keys::Key)| {
            let item = items.iter().find(|item| key.is_of(item)).cloned();
            (id.clone(), item.map(|item| items::read_versioned::<OrgForm, _>("an org", item)).transpose())
        };
        Ok(orgs.iter().zip(&keys).map(read).collect())
    }

    /// A page of the ids of all orgs, in order, for a sweep: what of one can't be read is not looked at.
    pub async fn org_ids(&self, after: Option<&OrgId>, limit: usize) -> Result<Page<OrgId>, StoreError> {
        let start = after.map(|id| start_after(&keys::org(id), &keys::org_index_key(id)));
        let query = self.query_index(keys::ORGS, limit).set_exclusive_start_key(start);
        let query = query.projection_expression("#at").expression_attribute_names("#at", "at");
        page(query, |item| {
            let value = id_of(&item)?;
            Ok(Row { position: value.to_string(), value })
        })
        .await
    }

    /// A page of all orgs, by id.
    pub async fn orgs(&self, after: Option<&str>, limit: usize) -> Result<Page<Listed<OrgId, Org>>, StoreError> {
        let start = after.map(|id| {
            let id = OrgId::try_from(id.to_owned()).map_err(|_| StoreError::InvalidPosition)?;
            Ok::<_, StoreError>(start_after(&keys::org(&id), &keys::org_index_key(&id)))
        });
        let query = self.query_index(keys::ORGS, limit).set_exclusive_start_key(start.transpose()?);
        page(query, |item| {
            let (id, org) = (id_of(&item)?, items::read::<OrgForm, (Org, u64)>("an org", item));
            Ok(Row { position: id.to_string(), value: Listed::new(id, org.map(|(org, _)| org)) })
        })
        .await
    }

    /// Deletes some of an org that is marked as being deleted: up to `partitions` of its customers, bundles and orders
    /// with all they hold, and the org itself once none is left. Answers how many items went, and whether that was all.
    ///
    /// The org's own item goes last, and after each partition the item that lists it: a deletion that was interrupted is
    /// found again, and goes on. Customers and bundles go before orders: without them no order is awarded or redeems
    /// anything any more, so that the orders come to an end also while a shop goes on sending them.
    pub async fn delete_some_of(&self, org: &OrgId, partitions: usize) -> Result<(u64, bool), StoreError> {
        let bundles = self.query_partition(&keys::org_partition(org), keys::BUNDLE_PREFIX, partitions);
        let roots = [
            self.query_index(&keys::customers_index_pk(org), partitions),
            bundles.consistent_read(true),
            self.query_index(&keys::orders_index_pk(org), partitions),
        ];
        for query in roots {
            let found = ask(query.projection_expression("pk, sk")).await?.items.unwrap_or_default();
            if found.is_empty() {
                continue;
            }
            let mut deleted: u64 = 0;
            let mut erasing: JoinSet<Result<u64, StoreError>> = JoinSet::new();
            for root in found {
                let store = self.clone();
                let pk = keys::partition_listed_by(&root).ok_or_else(|| StoreError::broken("an item without a key"))?;
                erasing.spawn(async move { store.erase_partition(&pk, &root).await });
            }
            while let Some(erased) = erasing.join_next().await {
                let erased = erased.map_err(|error| InternalError::caused_by("a deletion did not finish", error))?;
                deleted = deleted.saturating_add(erased?);
            }
            return Ok((deleted, false));
        }
        let _forgotten = (self.orgs.forget_after(|known| known == org), self.keys.forget_after(|(of, _)| of == org));
        // No second look: an org of this id that is made from here on is another one.
        let deleted = self.erase(&keys::org_partition(org), &keys::org(org).to_item()).await?;
        Ok((deleted, true))
    }

    /// Deletes every item of a partition, and then the one that lists it, which may be in it or elsewhere. Answers how
    /// many items went.
    ///
    /// Orders of a process that still knows the org as it was arrive meanwhile. Whatever they write into a partition is
    /// written together with what lists it. So what is written before the listing item goes is found by one more look
    /// afterwards, and what is written later is listed anew, and found by the next round.
    async fn erase_partition(&self, pk: &str, root: &Item) -> Result<u64, StoreError> {
        let mut deleted: u64 = 0;
        loop {
            deleted = deleted.saturating_add(self.erase(pk, root).await?);
            let look = ask(self.query_whole(pk, 1)).await?;
            if look.items.unwrap_or_default().is_empty() {
                return Ok(deleted);
            }
        }
    }

    /// Deletes the items of a partition once, and then the one that lists it. Answers how many items went.
    async fn erase(&self, pk: &str, root: &Item) -> Result<u64, StoreError> {
        let mut deleted: u64 = 1;
        let mut start = None;
        loop {
            let answer = ask(self.query_whole(pk, DELETES_PER_REQUEST).set_exclusive_start_key(start)).await?;
            let found = answer.items.unwrap_or_default().into_iter();
            let batch: Vec<Item> = found.filter(|key| root != key).collect();
            deleted = deleted.saturating_add(u64::try_from(batch.len()).unwrap_or(u64::MAX));
            self.delete_all(batch).await?;
            start = answer.last_evaluated_key;
            if start.is_none() {
                self.delete_all(vec![root.clone()]).await?;
                return Ok(deleted);
            }
        }
    }

    /// The keys of a partition as it is now.
    fn query_whole(&self, pk: &str, limit: usize) -> QueryFluentBuilder {
        let all = self.query(limit).consistent_read(true).projection_expression("pk, sk");
        all.key_condition_expression("pk = :pk").expression_attribute_values(":pk", keys::text(pk))
    }

    pub(super) async fn delete_all(&self, keys: Vec<Item>) -> Result<(), StoreError> {
        let request = |key| {
            let delete = DeleteRequest::builder().set_key(Some(key)).build()?;
            Ok(WriteRequest::builder().delete_request(delete).build())
        };
        let mut left: Vec<WriteRequest> = keys.into_iter().map(request).collect::<Result<_, StoreError>>()?;
        let mut retry = BatchRetry::default();
        while !left.is_empty() {
            retry.next_attempt().await?;
            let answer = self.client.batch_write_item().request_items(self.table.as_ref(), left).send().await?;
            left = answer.unprocessed_items.and_then(|mut left| left.remove(self.table.as_ref())).unwrap_or_default();
        }
        Ok(())
    }
}

/// In the list of orgs an org stands at its id.
fn id_of(item: &Item) -> Result<OrgId, StoreError> {
    OrgId::try_from(part(item, "at").to_owned()).map_err(|rule| StoreError::unreadable("an org's id", rule))
}
