//! The deletion of a disposable org with all its items.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use tokio::task::JoinSet;

use super::{
    attributes::{Item, text},
    error::StoreError,
    keys, lookup_keys,
    pages::query_until_found,
    table::{DELETES_PER_REQUEST_MAX, Store},
};
use crate::{domain::ids::OrgId, error::InternalError};

/// The result of one step of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrgDeletion {
    /// The number of items that this step deleted.
    pub items_deleted: u64,
    /// Whether the org and all its items are deleted.
    pub is_complete: bool,
}

impl Store {
    /// Deletes a part of an org that is marked for deletion: up to `partitions_max` of its customers, bundles or orders
    /// with all their items. Once no partition is left, deletes the org itself.
    ///
    /// An interrupted deletion can be continued. The item that lists a partition is deleted after the partition, and
    /// the item of the org last. Customers and bundles are deleted before orders. Without them, no new order earns or
    /// redeems anything. The number of orders therefore stays bounded, even while the shop keeps sending orders.
    pub async fn delete_org_step(&self, org: &OrgId, partitions_max: usize) -> Result<OrgDeletion, StoreError> {
        let bundles = self.query_partition(&keys::org_partition(org), keys::BUNDLE_PREFIX, partitions_max);
        let roots = [
            self.query_index(&keys::customers_index_pk(org), partitions_max),
            bundles.consistent_read(true),
            self.query_index(&lookup_keys::contacts_index_pk(org), partitions_max),
            self.query_index(&keys::orders_index_pk(org), partitions_max),
        ];
        for query in roots {
            let found = query_until_found(query.projection_expression("pk, sk")).await?.items.unwrap_or_default();
            if found.is_empty() {
                continue;
            }
            return Ok(OrgDeletion { items_deleted: self.delete_partitions(found).await?, is_complete: false });
        }
        let _removed_from_cache =
            (self.orgs.remove_after(|cached| cached == org), self.org_keys.remove_after(|key| key.org == *org));
        // The partition is queried only once, because an org created with this id from now on is another org.
        let items_deleted = self.delete_partition_once(&keys::org_partition(org), &keys::org(org).to_item()).await?;
        Ok(OrgDeletion { items_deleted, is_complete: true })
    }

    /// Deletes the partitions that some items list, concurrently. Returns the number of deleted items.
    async fn delete_partitions(&self, roots: Vec<Item>) -> Result<u64, StoreError> {
        let mut items_deleted: u64 = 0;
        let mut deletions: JoinSet<Result<u64, StoreError>> = JoinSet::new();
        for root in roots {
            let store = self.clone();
            let pk = keys::partition_listed_by(&root).ok_or_else(|| StoreError::broken("an item has no key"))?;
            deletions.spawn(async move { store.delete_partition(&pk, &root).await });
        }
        while let Some(deleted) = deletions.join_next().await {
            let deleted = deleted.map_err(|error| InternalError::caused_by("a deletion did not finish", error))?;
            items_deleted = items_deleted.saturating_add(deleted?);
        }
        Ok(items_deleted)
    }

    /// Deletes every item of a partition, and then `root`, the item that lists the partition. Returns the number of
    /// deleted items.
    ///
    /// A process that still caches the org may write to the partition during the deletion. Each of these writes also
    /// writes the item that lists the partition. The query after the deletion of `root` finds every earlier write. A
    /// later write lists the partition again, and the next step finds the partition.
    async fn delete_partition(&self, pk: &str, root: &Item) -> Result<u64, StoreError> {
        let mut items_deleted: u64 = 0;
        loop {
            items_deleted = items_deleted.saturating_add(self.delete_partition_once(pk, root).await?);
            let remaining = query_until_found(self.query_partition_keys(pk, 1)).await?;
            if remaining.items.unwrap_or_default().is_empty() {
                return Ok(items_deleted);
            }
        }
    }

    /// Deletes the items that a partition has now, and then `root`. Returns the number of deleted items.
    async fn delete_partition_once(&self, pk: &str, root: &Item) -> Result<u64, StoreError> {
        let mut items_deleted: u64 = 1;
        let mut start = None;
        loop {
            let query = self.query_partition_keys(pk, DELETES_PER_REQUEST_MAX).set_exclusive_start_key(start);
            let response = query_until_found(query).await?;
            let found = response.items.unwrap_or_default().into_iter();
            let batch: Vec<Item> = found.filter(|key| root != key).collect();
            items_deleted = items_deleted.saturating_add(u64::try_from(batch.len()).unwrap_or(u64::MAX));
            self.delete_batch(batch).await?;
            start = response.last_evaluated_key;
            if start.is_none() {
                self.delete_batch(vec![root.clone()]).await?;
                return Ok(items_deleted);
            }
        }
    }

    /// A consistent query for the keys of a partition.
    fn query_partition_keys(&self, pk: &str, limit: usize) -> QueryFluentBuilder {
        let query = self.query(limit).consistent_read(true).projection_expression("pk, sk");
        query.key_condition_expression("pk = :pk").expression_attribute_values(":pk", text(pk))
    }
}
