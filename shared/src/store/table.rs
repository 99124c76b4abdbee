//! The table: the store's handle, consistent batch reads, batch deletes, and values with their version.

use std::{borrow::Borrow, sync::Arc};

use aws_sdk_dynamodb::{
    Client,
    types::{DeleteRequest, KeysAndAttributes, WriteRequest},
};
use serde::de::DeserializeOwned;

use super::{
    attributes::Item,
    batch::BatchRetry,
    cache::Cache,
    error::StoreError,
    items::{form, unknown::Image},
    keys::Key,
};
use crate::domain::{
    ids::OrgId,
    org::Org,
    org_key::{KeyReference, KeyVerifier},
};

/// The maximum of `DynamoDB` for one batch read.
const READS_PER_REQUEST_MAX: usize = 100;

/// The maximum of `DynamoDB` for one batch write.
pub(super) const DELETES_PER_REQUEST_MAX: usize = 25;

/// The table. A clone is cheap and shares the connection and the caches.
#[derive(Clone)]
pub struct Store {
    pub(super) client: Client,
    pub(super) table: Arc<str>,
    pub(super) orgs: Arc<Cache<OrgId, Arc<Org>>>,
    pub(super) org_keys: Arc<Cache<KeyReference, KeyVerifier>>,
    pub(super) absent_org_keys: Arc<Cache<KeyReference, ()>>,
}

/// A value with the version under which it was read. A write of the value requires that version, and keeps the
/// attributes of the item that this release does not know.
#[derive(Debug, Clone)]
pub struct Versioned<T> {
    /// The value.
    pub value: T,
    /// The version of the item. Every write increments it.
    pub version: u64,
    pub(super) image: Image,
}

impl<T> Versioned<T> {
    /// Reads an item in the form `F`. `record` names the item in the error.
    pub(super) fn read<F>(record: &str, item: Item) -> Result<Self, StoreError>
    where
        F: DeserializeOwned + TryInto<(T, u64), Error = &'static str>,
    {
        let (value, version) = form::read::<F, _>(record, item.clone())?;
        Ok(Self { value, version, image: item.into() })
    }

    /// The version of the next write.
    pub(super) const fn next_version(&self) -> u64 {
        self.version.saturating_add(1)
    }
}

impl Store {
    /// A table that is accessed through `client`.
    #[must_use]
    pub fn new(client: Client, table: &str) -> Self {
        let (orgs, org_keys, absent_org_keys) = (Arc::default(), Arc::default(), Arc::default());
        Self { client, table: table.into(), orgs, org_keys, absent_org_keys }
    }

    /// The same table with the same caches, accessed through another client.
    #[must_use]
    pub fn with_client(&self, client: Client) -> Self {
        Self { client, ..self.clone() }
    }

    /// Reads items consistently in one request. Unprocessed keys are requested again.
    pub(super) async fn get<const N: usize>(&self, keys: [&Key; N]) -> Result<[Option<Item>; N], StoreError> {
        let mut found = self.get_all(&keys).await?;
        Ok(keys.map(|key| found.iter().position(|item| key.is_of(item)).map(|index| found.swap_remove(index))))
    }

    /// Reads items consistently, in no particular order. Items that do not exist are left out.
    pub(super) async fn get_all<K: Borrow<Key>>(&self, keys: &[K]) -> Result<Vec<Item>, StoreError> {
        let mut found: Vec<Item> = Vec::with_capacity(keys.len());
        for batch in keys.chunks(READS_PER_REQUEST_MAX) {
            let mut wanted: Vec<Item> = batch.iter().map(|key| key.borrow().to_item()).collect();
            let mut retry = BatchRetry::begin();
            while !wanted.is_empty() {
                retry.next_attempt().await?;
                let request = KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(true).build()?;
                let response = self.client.batch_get_item().request_items(self.table.as_ref(), request).send().await?;
                found.extend(response.responses.into_iter().flatten().flat_map(|(_, items)| items));
                let unprocessed = response.unprocessed_keys.and_then(|mut keys| keys.remove(self.table.as_ref()));
                wanted = unprocessed.map(|unprocessed| unprocessed.keys).unwrap_or_default();
            }
        }
        Ok(found)
    }

    /// Deletes at most [`DELETES_PER_REQUEST_MAX`] items by their keys. Unprocessed deletes are requested again.
    pub(super) async fn delete_batch(&self, keys: Vec<Item>) -> Result<(), StoreError> {
        let request = |key| {
            let delete = DeleteRequest::builder().set_key(Some(key)).build()?;
            Ok(WriteRequest::builder().delete_request(delete).build())
        };
        let mut pending: Vec<WriteRequest> = keys.into_iter().map(request).collect::<Result<_, StoreError>>()?;
        let mut retry = BatchRetry::begin();
        while !pending.is_empty() {
            retry.next_attempt().await?;
            let response = self.client.batch_write_item().request_items(self.table.as_ref(), pending).send().await?;
            let unprocessed = response.unprocessed_items.and_then(|mut items| items.remove(self.table.as_ref()));
            pending = unprocessed.unwrap_or_default();
        }
        Ok(())
    }
}
