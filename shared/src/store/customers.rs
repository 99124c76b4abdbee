//! Customers.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::{
    attributes::Item,
    error::StoreError,
    items::customer::CustomerForm,
    keys::{self, IndexKey, Key},
    lookup_keys,
    pages::{fetch_page, index_position, parse_index_position, start_after},
    rows::{Listed, Page, Row, skip_unreadable},
    table::{Store, Versioned},
    transact::{Change, Transaction},
};
use crate::domain::{
    customer::Customer,
    ids::{CustomerId, OrgId},
    ledger::Entry,
    lots::due::apply_first_due,
    org::Org,
    time,
};

/// A customer in a list. The list may lag behind the customer.
pub type ListedCustomer = Listed<CustomerId, Versioned<Customer>>;

impl Store {
    /// The current customer.
    pub async fn customer(
        &self,
        org: &OrgId,
        customer: &CustomerId,
    ) -> Result<Option<Versioned<Customer>>, StoreError> {
        let [item] = self.get([&keys::customer(org, customer)]).await?;
        item.map(read_customer).transpose()
    }

    /// Records what is due of a customer by `now`, if it is more than a write has room for beside its own changes. Then
    /// fails with [`StoreError::Contended`], so that the caller starts again.
    pub async fn make_room_for_due(
        &self,
        org: &Org,
        customer: &Versioned<Customer>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let Some((advanced, entries)) = apply_first_due(&customer.value, now) else { return Ok(()) };
        let mut transaction = self.transaction(org);
        transaction.replace_customer(&advanced, customer, &entries)?;
        transaction.commit().await?;
        Err(StoreError::Contended)
    }

    /// The current customers with some ids, by id. Absent, erased and unreadable customers are left out.
    pub async fn customers_by_id(
        &self,
        org: &OrgId,
        customers: &[CustomerId],
    ) -> Result<HashMap<CustomerId, Customer>, StoreError> {
        let keys: Vec<_> = customers.iter().map(|customer| keys::customer(org, customer)).collect();
        let items = self.get_all(&keys).await?.into_iter();
        let found = items.filter_map(|item| skip_unreadable(read_customer(item)));
        let found = found.filter(|customer| !customer.value.is_erased());
        Ok(found.map(|customer| (customer.value.id.clone(), customer.value)).collect())
    }

    /// A page of an org's customers by their last order, newest first. Customers without orders come last.
    pub async fn customers(
        &self,
        org: &OrgId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<ListedCustomer>, StoreError> {
        let query = self.query_index(&keys::customers_index_pk(org), limit).scan_index_forward(false);
        let start = after.map(|position| start_key(org, position)).transpose()?;
        fetch_page(query.set_exclusive_start_key(start), |item| read_listed(org, item)).await
    }

    /// A page of an org's customers for a sweep: by their last order, oldest first. Customers without orders come
    /// first. With `since`, only the customers whose last order is not before that instant.
    ///
    /// A customer who orders during the sweep moves to the end of the list, so the sweep meets the customer again.
    pub async fn customers_since(
        &self,
        org: &OrgId,
        since: Option<DateTime<Utc>>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<ListedCustomer>, StoreError> {
        let (index_pk, since) = (keys::customers_index_pk(org), since.map(time::text));
        let query = match &since {
            Some(since) => self.query_index_from(&index_pk, since, limit),
            None => self.query_index(&index_pk, limit),
        };
        // `since` may be later in this page than in the page before. A position before `since` is then out of the
        // query's bounds, and so are all customers before that position.
        let after = after.filter(|after| since.as_deref().is_none_or(|since| *after >= since));
        let start = after.map(|position| start_key(org, position)).transpose()?;
        fetch_page(query.set_exclusive_start_key(start), |item| read_listed(org, item)).await
    }
}

/// The start key of a page after a position among an org's customers.
fn start_key(org: &OrgId, position: &str) -> Result<Item, StoreError> {
    let (index_sk, id) = parse_index_position::<CustomerId>(position)?;
    let index_key = keys::customer_index_key_at(org, index_sk).ok_or(StoreError::InvalidPosition)?;
    Ok(start_after(&keys::customer(org, &id), &index_key))
}

fn read_listed(org: &OrgId, item: Item) -> Result<Row<ListedCustomer>, StoreError> {
    let id = keys::customer_of(org, &item)?;
    let position = index_position(&item, &id);
    Ok(Row { value: Listed::new(id, read_customer(item)), position })
}

pub(super) fn read_customer(item: Item) -> Result<Versioned<Customer>, StoreError> {
    Versioned::read::<CustomerForm>("a customer", item)
}

impl Transaction<'_> {
    /// Adds a customer, who must not exist yet.
    pub fn create_customer(&mut self, customer: &Customer) -> Result<(), StoreError> {
        let (key, index_key) = self.customer_keys(customer);
        self.create(&key, Some(&index_key), &CustomerForm::new(customer, 1))
    }

    /// Adds a customer, who must not exist yet, with their first ledger entries.
    pub fn enrol_customer(&mut self, customer: &Customer, entries: &[Entry]) -> Result<(), StoreError> {
        self.create_customer(customer)?;
        self.append_entries(&customer.id, 1, entries)
    }

    /// Replaces the customer that was read as `before`, and appends ledger entries.
    pub fn replace_customer(
        &mut self,
        customer: &Customer,
        before: &Versioned<Customer>,
        entries: &[Entry],
    ) -> Result<(), StoreError> {
        let (key, index_key) = self.customer_keys(customer);
        let version = before.next_version();
        // Lists do not show an erased customer. The deletion of a disposable org finds the customer in a list of its own.
        let index_key = match (customer.is_erased(), self.org.disposable) {
            (false, _) => Some(index_key),
            (true, true) => Some(lookup_keys::erased_index_key(&self.org.id)),
            (true, false) => None,
        };
        self.replace(&key, index_key.as_ref(), &CustomerForm::new(customer, version), before)?;
        self.append_entries(&customer.id, version, entries)
    }

    /// Removes a customer from the list of a risk level.
    pub fn delete_risk_level(&mut self, customer: &CustomerId) -> Result<(), StoreError> {
        self.delete(&keys::risk_level(&self.org.id, customer), Change::default())
    }

    fn customer_keys(&self, customer: &Customer) -> (Key, IndexKey) {
        let org = &self.org.id;
        (keys::customer(org, &customer.id), keys::customer_index_key(org, customer.last_order_at()))
    }
}
