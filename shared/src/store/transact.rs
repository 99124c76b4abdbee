//! All-or-nothing writes: an operation's balance, counters, ledger entries and idempotency record in one transaction.
//!
//! The SDK gives each transaction a request token, so its own retries after a lost answer can't apply it twice within
//! ten minutes; after that the idempotency record's `attribute_not_exists` says so.

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use serde::Serialize;

use super::{
    Store, StoreError, error,
    items::{self, AdjustmentForm, AwardForm, CustomerForm, EntryForm, OrderForm, OrgForm, RefundForm},
    keys::{self, Key, Place},
};
use crate::domain::{
    adjustment::Adjustment,
    award::Award,
    customer::Customer,
    ids::{CustomerId, OrderId, OrgId},
    ledger::Entry,
    org::Org,
    refund::Refund,
};

/// Writes that happen together or not at all.
#[must_use = "nothing is written before commit"]
pub struct Transaction<'a> {
    store: &'a Store,
    org: &'a Org,
    writes: Vec<TransactWriteItem>,
}

/// What has to hold for a write to be made. There is no write without: what was loaded together need not be of one
/// moment, so each item that is replaced is guarded by its own version.
#[derive(Clone, Copy)]
enum Condition {
    /// Nothing is there yet.
    Absent,
    /// What is there has this version.
    Version(u64),
}

impl Store {
    /// Begins a transaction for an org.
    pub const fn transaction<'a>(&'a self, org: &'a Org) -> Transaction<'a> {
        Transaction { store: self, org, writes: Vec::new() }
    }
}

impl Transaction<'_> {
    /// Writes the org itself: one that must still be at `version`, or a new one.
    pub(super) fn put_org(&mut self, version: Option<u64>) -> Result<(), StoreError> {
        let org = self.org;
        let form = OrgForm::new(org, version.unwrap_or(0).saturating_add(1));
        let condition = version.map_or(Condition::Absent, Condition::Version);
        self.put(&keys::org(&org.id), Some(&keys::org_place(&org.id)), &form, condition)
    }

    /// Adds a customer who must not exist yet.
    pub fn create_customer(&mut self, customer: &Customer) -> Result<(), StoreError> {
        let (key, place) = self.customer_keys(customer);
        self.put(&key, Some(&place), &CustomerForm::new(customer, 1), Condition::Absent)
    }

    /// Replaces a customer that must still be at `version`, and appends the ledger entries of the change.
    pub fn replace_customer(&mut self, customer: &Customer, version: u64, entries: &[Entry]) -> Result<(), StoreError> {
        let (key, place) = self.customer_keys(customer);
        let next = version.saturating_add(1);
        self.put(&key, Some(&place), &CustomerForm::new(customer, next), Condition::Version(version))?;
        for entry in entries {
            let key = keys::entry(&self.org.id, &customer.id, next, entry);
            let place = keys::entry_place(&self.org.id, entry.at);
            self.put(&key, Some(&place), &EntryForm::from(entry), Condition::Absent)?;
        }
        Ok(())
    }

    /// Records that an order is this customer's, where nothing was done about it before.
    pub fn claim_order(&mut self, order: &OrderId, customer: &CustomerId) -> Result<(), StoreError> {
        let org = &self.org.id;
        let place = Place { list: keys::orders_list(org), at: order.to_string() };
        let place = self.org.disposable.then_some(&place);
        self.put(&keys::order(org, order), place, &OrderForm::from(customer), Condition::Absent)
    }

    /// Records an award, once.
    pub fn record_award(&mut self, award: &Award) -> Result<(), StoreError> {
        let key = keys::award(&self.org.id, &award.order.id);
        self.put(&key, None, &AwardForm::new(award, 1), Condition::Absent)
    }

    /// Records a refund, once, and what it leaves of its award, which must still be at `version`.
    pub fn record_refund(&mut self, refund: &Refund, award: &Award, version: u64) -> Result<(), StoreError> {
        let (org, order) = (&self.org.id, &award.order.id);
        let form = AwardForm::new(award, version.saturating_add(1));
        self.put(&keys::award(org, order), None, &form, Condition::Version(version))?;
        self.put(&keys::refund(org, order, &refund.id), None, &RefundForm::from(refund), Condition::Absent)
    }

    /// Records an adjustment, once.
    pub fn record_adjustment(&mut self, customer: &CustomerId, adjustment: &Adjustment) -> Result<(), StoreError> {
        let key = keys::adjustment(&self.org.id, customer, &adjustment.id);
        self.put(&key, None, &AdjustmentForm::from(adjustment), Condition::Absent)
    }

    /// Writes everything, or nothing.
    pub async fn commit(self) -> Result<(), StoreError> {
        let request = self.store.client.transact_write_items().set_transact_items(Some(self.writes));
        request.send().await.map(drop).map_err(error::of_transaction)
    }

    fn customer_keys(&self, customer: &Customer) -> (Key, Place) {
        let org: &OrgId = &self.org.id;
        (keys::customer(org, &customer.id), keys::customer_place(org, customer.last_order_at()))
    }

    fn put(
        &mut self,
        key: &Key,
        place: Option<&Place>,
        value: &impl Serialize,
        condition: Condition,
    ) -> Result<(), StoreError> {
        let put = Put::builder().table_name(self.store.table.as_ref()).set_item(Some(items::write(key, place, value)?));
        let put = match condition {
            Condition::Absent => put.condition_expression("attribute_not_exists(pk)"),
            Condition::Version(version) => put
                .condition_expression("version = :version")
                .expression_attribute_values(":version", AttributeValue::N(version.to_string())),
        };
        self.writes.push(TransactWriteItem::builder().put(put.build()?).build());
        Ok(())
    }
}
