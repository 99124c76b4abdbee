//! Customers and their ledgers.

use chrono::{DateTime, Utc};

use super::{
    HistoryRow, Item, Listed, Page, Row, Store, StoreError, Versioned,
    items::{self, AdjustmentForm, CustomerForm, EntryForm},
    keys::{self, text},
    pages::{page, part, start_after},
};
use crate::domain::{
    customer::Customer,
    earning::adjustment::Adjustment,
    ids::{AdjustmentId, CustomerId, OrgId},
    ledger::Entry,
    time,
};

/// A customer in a list, which may lag.
pub type ListedCustomer = Listed<CustomerId, Versioned<Customer>>;

impl Store {
    /// A customer as they are now.
    pub async fn customer(
        &self,
        org: &OrgId,
        customer: &CustomerId,
    ) -> Result<Option<Versioned<Customer>>, StoreError> {
        let [item] = self.get([&keys::customer(org, customer)]).await?;
        item.map(read_customer).transpose()
    }

    /// A customer, and the record of an adjustment if it was made.
    pub async fn adjustment(
        &self,
        org: &OrgId,
        customer: &CustomerId,
        id: &AdjustmentId,
    ) -> Result<(Option<Versioned<Customer>>, Option<Adjustment>), StoreError> {
        let [person, record] = self.get([&keys::customer(org, customer), &keys::adjustment(org, customer, id)]).await?;
        let record = record.map(|item| items::read::<AdjustmentForm, _>("an adjustment", item));
        Ok((person.map(read_customer).transpose()?, record.transpose()?))
    }

    /// A page of an org's customers, by last order, newest first; those without orders come last.
    pub async fn customers(
        &self,
        org: &OrgId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<ListedCustomer>, StoreError> {
        let query = self.query_index(&keys::customers_index_pk(org), limit).scan_index_forward(false);
        page(query.set_exclusive_start_key(start(org, after)?), |item| read_listed(org, item)).await
    }

    /// A page of an org's customers for a sweep: by last order, oldest first, those without orders before all others;
    /// with `since`, only those who have ordered then or later. Who orders meanwhile moves on, and is met again.
    pub async fn customers_since(
        &self,
        org: &OrgId,
        since: Option<DateTime<Utc>>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<ListedCustomer>, StoreError> {
        let mut query = self.query_index(&keys::customers_index_pk(org), limit);
        if let Some(since) = since {
            query = query
                .key_condition_expression("#list = :list AND #at >= :since")
                .expression_attribute_names("#at", "at")
                .expression_attribute_values(":since", text(&time::text(since)));
        }
        // Who stood there when the sweep was there may be out of its bounds by now; everybody before was too.
        let after = after.filter(|after| since.is_none_or(|since| **after >= *time::text(since)));
        page(query.set_exclusive_start_key(start(org, after)?), |item| read_listed(org, item)).await
    }

    /// A page of a customer's ledger, newest first.
    pub async fn ledger(
        &self,
        org: &OrgId,
        customer: &CustomerId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<HistoryRow<Entry>>, StoreError> {
        let pk = keys::customer_partition(org, customer);
        let start = after.map(|sk| {
            let key = keys::Key { pk: pk.clone(), sk: sk.to_owned() };
            let is_entry = sk.starts_with(keys::ENTRY_PREFIX) && sk.len() <= keys::LONGEST_SORT_KEY;
            if is_entry { Ok(key.to_item()) } else { Err(StoreError::InvalidPosition) }
        });
        let query = self.query_partition(&pk, keys::ENTRY_PREFIX, limit).scan_index_forward(false);
        page(query.consistent_read(true).set_exclusive_start_key(start.transpose()?), |item| {
            let position = part(&item, "sk").to_owned();
            let read = items::read::<EntryForm, _>("a ledger entry", item.clone());
            Ok(Row { value: HistoryRow::of(read, || items::unread_entry(&item)), position })
        })
        .await
    }
}

/// The start key for a position among an org's customers.
fn start(org: &OrgId, after: Option<&str>) -> Result<Option<Item>, StoreError> {
    let start = after.map(|position| {
        let (at, id) = position.split_once('#').ok_or(StoreError::InvalidPosition)?;
        let id = CustomerId::try_from(id.to_owned()).map_err(|_| StoreError::InvalidPosition)?;
        let index_key = keys::customer_index_key_at(org, at).ok_or(StoreError::InvalidPosition)?;
        Ok(start_after(&keys::customer(org, &id), &index_key))
    });
    start.transpose()
}

fn read_listed(org: &OrgId, item: Item) -> Result<Row<ListedCustomer>, StoreError> {
    let pk = part(&item, "pk");
    let id = keys::customer_of(org, pk).ok_or_else(|| StoreError::unreadable("a key", pk))?;
    let position = format!("{}#{id}", part(&item, "at"));
    Ok(Row { value: Listed::new(id, read_customer(item)), position })
}

pub(super) fn read_customer(item: Item) -> Result<Versioned<Customer>, StoreError> {
    items::read_versioned::<CustomerForm, _>("a customer", item)
}
