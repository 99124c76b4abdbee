//! The only room that knows `DynamoDB`: one table, one index, one client.
//!
//! | to find | look in |
//! |---|---|
//! | which item lives under which key | [`keys`] |
//! | how a value is written as an item | [`items`] |
//! | all-or-nothing writes, and what a cancelled one means | [`transact`] |
//! | how the client is built: trust store, time-outs, retries | [`connect`] |
//! | what is read once a minute | [`cache`] |
//! | a page of a list, and a row of it that can't be read | [`pages`] |
//! | what can go wrong | [`error`] |
//! | one kind of item | [`orgs`], [`customers`], [`orders`], [`bundles`], [`redemptions`], [`points`], [`claims`], [`churn`], [`history`], [`org_keys`], [`sweeps`] |
//!
//! There is no store trait and no in-memory fake: a fake is kinder than the service. The seam is the wire. The same
//! client talks to an embedded engine, to `DynamoDB` Local or to `DynamoDB`, and tests put their faults in between.

mod bundle_redemptions;
mod bundles;
mod cache;
mod churn;
mod connect;
mod customers;
mod error;
mod history;
mod items;
mod keys;
mod orders;
mod org_keys;
mod orgs;
mod pages;
mod points_redemptions;
mod redemption_states;
mod sweeps;
mod transact;

pub use bundle_redemptions::BundleRedemptionContext;
pub use bundles::{Due, DueItem, ListedBundle, TimeZoneChange};
pub use connect::{client, local_client};
pub use customers::ListedCustomer;
pub use error::StoreError;
pub use keys::DUE_SHARDS;
pub use orders::{AwardContext, OrderHeader, RefundContext};
pub use pages::{HistoryRow, Listed, Page, Row, Unread};
pub use points_redemptions::PointsRedemptionContext;
pub use sweeps::Marking;
pub use transact::Transaction;

use std::{borrow::Borrow, collections::HashMap, sync::Arc, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, KeysAndAttributes},
};

use cache::Cache;
use items::Image;
use keys::Key;

use crate::domain::{
    ids::{KeyId, OrgId},
    org::Org,
    org_key::KeyDigest,
};
use crate::error::Unavailable;

/// The index of everything that is ever listed in order.
const BY_TIME: &str = "by_time";

type Item = HashMap<String, AttributeValue>;

/// The table. Cheap to clone; clones share the connection and what is cached of orgs.
#[derive(Clone)]
pub struct Store {
    client: Client,
    table: Arc<str>,
    orgs: Arc<Cache<OrgId, Arc<Org>>>,
    keys: Arc<Cache<(OrgId, KeyId), KeyDigest>>,
    no_keys: Arc<Cache<(OrgId, KeyId), ()>>,
}

/// A value with the version under which it was read; written back only if that still holds, and with everything that the
/// item holds beside it.
#[derive(Debug, Clone)]
pub struct Versioned<T> {
    /// The value.
    pub value: T,
    /// Grows by one with every write.
    pub version: u64,
    image: Image,
}

impl<T> Versioned<T> {
    /// The version with which it is written back.
    const fn next_version(&self) -> u64 {
        self.version.saturating_add(1)
    }
}

/// How often what came back unprocessed is asked for again: it comes back when the table is throttled.
#[derive(Default)]
struct BatchRetry(u32);

impl BatchRetry {
    /// One try more, after a jittered pause that doubles; none before the first.
    async fn next_attempt(&mut self) -> Result<(), StoreError> {
        const TRIES: u32 = 6;
        if self.0 >= TRIES {
            return Err(StoreError::Unavailable(Unavailable::new("DynamoDB leaves a batch unprocessed")));
        }
        if self.0 > 0 {
            tokio::time::sleep(Duration::from_millis(fastrand::u64(0..=10 << self.0))).await;
        }
        self.0 += 1;
        Ok(())
    }
}

impl Store {
    /// A table reached through a client.
    #[must_use]
    pub fn new(client: Client, table: &str) -> Self {
        let (orgs, keys, no_keys) = (Arc::default(), Arc::default(), Arc::default());
        Self { client, table: table.into(), orgs, keys, no_keys }
    }

    /// The same table and the same cache, through another client.
    #[must_use]
    pub fn through(&self, client: Client) -> Self {
        Self { client, ..self.clone() }
    }

    /// Reads some items in one request, consistently; what came back unprocessed is asked for again.
    async fn get<const N: usize>(&self, keys: [&Key; N]) -> Result<[Option<Item>; N], StoreError> {
        let mut found = self.get_all(&keys).await?;
        Ok(keys.map(|key| found.iter().position(|item| key.is_of(item)).map(|at| found.swap_remove(at))))
    }

    /// Reads those of some items that are there, a hundred in a request, consistently.
    async fn get_all<K: Borrow<Key>>(&self, keys: &[K]) -> Result<Vec<Item>, StoreError> {
        const AT_ONCE: usize = 100;
        let mut found: Vec<Item> = Vec::with_capacity(keys.len());
        for some in keys.chunks(AT_ONCE) {
            let mut wanted: Vec<Item> = some.iter().map(|key| key.borrow().to_item()).collect();
            let mut retry = BatchRetry::default();
            while !wanted.is_empty() {
                retry.next_attempt().await?;
                let request = KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(true).build()?;
                let answer = self.client.batch_get_item().request_items(self.table.as_ref(), request).send().await?;
                found.extend(answer.responses.into_iter().flatten().flat_map(|(_, items)| items));
                let left = answer.unprocessed_keys.and_then(|mut left| left.remove(self.table.as_ref()));
                wanted = left.map(|left| left.keys).unwrap_or_default();
            }
        }
        Ok(found)
    }
}
