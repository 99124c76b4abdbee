//! All-or-nothing writes: an operation's balance, counters, ledger entries and idempotency record in one transaction.
//!
//! The SDK gives each transaction a request token, so its own retries after a lost answer can't apply it twice within
//! ten minutes; after that the idempotency record's `attribute_not_exists` says so.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem, Update, builders::PutBuilder,
};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Item, Store, StoreError, Versioned, error,
    items::{
        self, AdjustmentForm, AwardForm, CustomerForm, EVENT_ATTRIBUTE, EntryForm, EventForm, OrgForm, RefundForm,
    },
    keys::{self, IndexKey, Key, text},
};
use crate::domain::{
    customer::Customer,
    earning::{
        adjustment::Adjustment,
        award::Award,
        refund::{Refund, RefundRecord},
    },
    ids::{CustomerId, OrderId, OrgId, RefundId},
    ledger::Entry,
    org::Org,
};

/// Writes that happen together or not at all.
#[must_use = "nothing is written before commit"]
pub struct Transaction<'a> {
    pub(super) store: &'a Store,
    pub(super) org: &'a Org,
    writes: Vec<TransactWriteItem>,
}

/// A change of some attributes of an item, and what has to hold for it to be made.
#[derive(Default)]
pub(super) struct Change {
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
    sets: Vec<String>,
    removes: Vec<String>,
    conditions: Vec<String>,
}

impl Change {
    /// The attribute becomes this.
    pub(super) fn set(mut self, name: &str, value: AttributeValue) -> Self {
        let (name, value) = (self.name(name), self.value(value));
        self.sets.push(format!("{name} = {value}"));
        self
    }

    /// The attribute, a number, changes by so much.
    pub(super) fn add(mut self, name: &str, change: i64) -> Self {
        let (name, value) = (self.name(name), self.value(number(change)));
        self.sets.push(format!("{name} = {name} + {value}"));
        self
    }

    /// The item is listed there, or nowhere.
    pub(super) fn index_key(mut self, index_key: Option<&IndexKey>) -> Self {
        if let Some(index_key) = index_key {
            return self.set("list", text(&index_key.index_pk)).set("at", text(&index_key.index_sk));
        }
        let names = ["list", "at"].map(|name| self.name(name));
        self.removes.extend(names);
        self
    }

    /// The attribute has to compare so: `=`, `<`, `>=` …
    pub(super) fn require(mut self, name: &str, comparison: &str, value: AttributeValue) -> Self {
        let (name, value) = (self.name(name), self.value(value));
        self.conditions.push(format!("{name} {comparison} {value}"));
        self
    }

    /// The attribute must not be there, or have this value.
    pub(super) fn require_absent_or(mut self, name: &str, value: AttributeValue) -> Self {
        let (name, value) = (self.name(name), self.value(value));
        self.conditions.push(format!("(attribute_not_exists({name}) OR {name} = {value})"));
        self
    }

    /// The attribute must be there.
    pub(super) fn require_present(mut self, name: &str) -> Self {
        let name = self.name(name);
        self.conditions.push(format!("attribute_exists({name})"));
        self
    }

    /// The attribute must not be there.
    pub(super) fn require_absent(mut self, name: &str) -> Self {
        let name = self.name(name);
        self.conditions.push(format!("attribute_not_exists({name})"));
        self
    }

    fn name(&mut self, name: &str) -> String {
        let alias = format!("#{name}");
        self.names.insert(alias.clone(), name.to_owned());
        alias
    }

    fn value(&mut self, value: AttributeValue) -> String {
        let alias = format!(":v{}", self.values.len());
        self.values.insert(alias.clone(), value);
        alias
    }

    fn expression(&self) -> String {
        let part = |word: &str, parts: &[String]| {
            if parts.is_empty() { String::new() } else { format!("{word} {} ", parts.join(", ")) }
        };
        part("SET", &self.sets) + &part("REMOVE", &self.removes)
    }

    /// The condition, where there is one: the service takes no empty one.
    fn condition(&self) -> Option<String> {
        (!self.conditions.is_empty()).then(|| self.conditions.join(" AND "))
    }

    /// The values, where there are any: the service takes no empty map.
    fn values(self) -> Option<HashMap<String, AttributeValue>> {
        (!self.values.is_empty()).then_some(self.values)
    }
}

/// A whole number.
pub(super) fn number(number: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

impl Store {
    /// Begins a transaction for an org.
    pub const fn transaction<'a>(&'a self, org: &'a Org) -> Transaction<'a> {
        Transaction { store: self, org, writes: Vec::new() }
    }
}

impl Transaction<'_> {
    /// Writes the org itself: in the place of one that was read, or a new one.
    pub(super) fn put_org(&mut self, before: Option<&Versioned<Org>>) -> Result<(), StoreError> {
        let org = self.org;
        let (key, index_key) = (keys::org(&org.id), keys::org_index_key(&org.id));
        match before {
            Some(before) => self.replace(&key, Some(&index_key), &OrgForm::new(org, before.next_version()), before),
            None => self.create(&key, Some(&index_key), &OrgForm::new(org, 1)),
        }
    }

    /// Adds a customer who must not exist yet.
    pub fn create_customer(&mut self, customer: &Customer) -> Result<(), StoreError> {
        let (key, index_key) = self.customer_keys(customer);
        self.create(&key, Some(&index_key), &CustomerForm::new(customer, 1))
    }

    /// Replaces a customer as it was read, and appends the ledger entries of the change.
    pub fn replace_customer(
        &mut self,
        customer: &Customer,
        before: &Versioned<Customer>,
        entries: &[Entry],
    ) -> Result<(), StoreError> {
        let (key, index_key) = self.customer_keys(customer);
        let next = before.next_version();
        self.replace(&key, Some(&index_key), &CustomerForm::new(customer, next), before)?;
        for (nth, entry) in entries.iter().enumerate() {
            let key = keys::entry(&self.org.id, &customer.id, next, nth, entry);
            let index_key = keys::entry_index_key(&self.org.id, entry.at);
            let told = EventForm::of_entry(&self.org.id, &customer.id, entry);
            self.create_with_event(&key, Some(&index_key), &EntryForm::from(entry), Some(&told))?;
        }
        Ok(())
    }

    /// Records that an order is this customer's, where nothing was done about it before that said whose it is.
    pub fn record_order_owner(&mut self, order: &OrderId, customer: &CustomerId) -> Result<(), StoreError> {
        let change = self.order_change(order).set("customerId", text(customer.as_str())).require_absent("customerId");
        self.update(&keys::order(&self.org.id, order), change)
    }

    /// Lists an order of a disposable org, to be found when the org is deleted; of an order of another org it writes nothing.
    /// One that is known is listed again: the deletion may just have removed what listed it. Whose it is stays as it is.
    pub fn list_order(&mut self, order: &OrderId, known: bool) -> Result<(), StoreError> {
        if !self.org.disposable {
            return Ok(());
        }
        let listed = self.order_change(order);
        let listed = if known { listed } else { listed.require_absent("pk") };
        self.update(&keys::order(&self.org.id, order), listed)
    }

    /// A change of what holds for all of an order. The orders of a disposable org are listed, to be found when it is
    /// deleted.
    pub(super) fn order_change(&self, order: &OrderId) -> Change {
        let index_key = IndexKey { index_pk: keys::orders_index_pk(&self.org.id), index_sk: order.to_string() };
        if self.org.disposable { Change::default().index_key(Some(&index_key)) } else { Change::default() }
    }

    /// Records an award, once.
    pub fn record_award(&mut self, award: &Award) -> Result<(), StoreError> {
        let key = keys::award(&self.org.id, &award.order.id);
        self.create(&key, None, &AwardForm::new(award, 1))
    }

    /// Records a refund, once, and what it leaves of its award as that was read.
    pub fn record_refund(
        &mut self,
        refund: &Refund,
        award: &Award,
        before: &Versioned<Award>,
    ) -> Result<(), StoreError> {
        let (org, order) = (&self.org.id, &award.order.id);
        self.replace(&keys::award(org, order), None, &AwardForm::new(award, before.next_version()), before)?;
        self.create(&keys::refund(org, order, &refund.id), None, &RefundForm::made(refund, 1))
    }

    /// Records the void of a refund as that was read, and what its award holds again.
    pub fn record_refund_void(
        &mut self,
        refund: &Refund,
        before: &Versioned<RefundRecord>,
        award: &Award,
        award_before: &Versioned<Award>,
    ) -> Result<(), StoreError> {
        let (org, order) = (&self.org.id, &award.order.id);
        let form = AwardForm::new(award, award_before.next_version());
        self.replace(&keys::award(org, order), None, &form, award_before)?;
        let form = RefundForm::made(refund, before.next_version());
        self.replace(&keys::refund(org, order, &refund.id), None, &form, before)
    }

    /// Marks that a refund can't be made any more that was not yet; `known`: something was done about the order before.
    pub fn block_refund(&mut self, order: &OrderId, refund: &RefundId, known: bool) -> Result<(), StoreError> {
        let key = keys::refund(&self.org.id, order, refund);
        self.create(&key, None, &RefundForm::voided_before(refund))?;
        self.list_order(order, known)
    }

    /// Records an adjustment, once.
    pub fn record_adjustment(&mut self, customer: &CustomerId, adjustment: &Adjustment) -> Result<(), StoreError> {
        let key = keys::adjustment(&self.org.id, customer, &adjustment.id);
        self.create(&key, None, &AdjustmentForm::from(adjustment))
    }

    /// Writes everything, or nothing.
    pub async fn commit(self) -> Result<(), StoreError> {
        let request = self.store.client.transact_write_items().set_transact_items(Some(self.writes));
        request.send().await.map(drop).map_err(error::of_transaction)
    }

    fn customer_keys(&self, customer: &Customer) -> (Key, IndexKey) {
        let org: &OrgId = &self.org.id;
        (keys::customer(org, &customer.id), keys::customer_index_key(org, customer.last_order_at()))
    }

    /// Changes parts of an item.
    pub(super) fn update(&mut self, key: &Key, change: Change) -> Result<(), StoreError> {
        let update = Update::builder()
            .table_name(self.store.table.as_ref())
            .set_key(Some(key.to_item()))
            .update_expression(change.expression())
            .set_condition_expression(change.condition())
            .set_expression_attribute_names(Some(change.names.clone()))
            .set_expression_attribute_values(change.values());
        self.writes.push(TransactWriteItem::builder().update(update.build()?).build());
        Ok(())
    }

    /// Changes nothing of an item, and requires what `change` requires.
    pub(super) fn check(&mut self, key: &Key, change: Change) -> Result<(), StoreError> {
        let check = ConditionCheck::builder()
            .table_name(self.store.table.as_ref())
            .set_key(Some(key.to_item()))
            .set_condition_expression(change.condition())
            .set_expression_attribute_names(Some(change.names.clone()))
            .set_expression_attribute_values(change.values());
        self.writes.push(TransactWriteItem::builder().condition_check(check.build()?).build());
        Ok(())
    }

    /// Removes an item, if what `change` requires holds.
    pub(super) fn delete(&mut self, key: &Key, change: Change) -> Result<(), StoreError> {
        let delete = Delete::builder()
            .table_name(self.store.table.as_ref())
            .set_key(Some(key.to_item()))
            .set_condition_expression(change.condition())
            .set_expression_attribute_names(Some(change.names.clone()))
            .set_expression_attribute_values(change.values());
        self.writes.push(TransactWriteItem::builder().delete(delete.build()?).build());
        Ok(())
    }

    /// Adds an item that must not be there yet.
    pub(super) fn create(
        &mut self,
        key: &Key,
        index_key: Option<&IndexKey>,
        form: &impl Serialize,
    ) -> Result<(), StoreError> {
        self.create_with_event(key, index_key, form, None)
    }

    /// Adds an item that must not be there yet, and that emits an event. Disposable orgs emit none: no message is to reach
    /// their customers.
    pub(super) fn create_with_event(
        &mut self,
        key: &Key,
        index_key: Option<&IndexKey>,
        form: &impl Serialize,
        told: Option<&EventForm>,
    ) -> Result<(), StoreError> {
        let mut item = items::write(key, index_key, form)?;
        if let Some(told) = told.filter(|_| !self.org.disposable) {
            item.insert(EVENT_ATTRIBUTE.to_owned(), items::attribute(told)?);
        }
        self.put(Put::builder().set_item(Some(item)).condition_expression("attribute_not_exists(pk)"))
    }

    /// Puts an item in the place of one that was read and must still have its version: what was loaded together need not be
    /// of one moment, so each item is guarded by its own. What the form does not know of the item before is kept.
    pub(super) fn replace<F: Serialize + DeserializeOwned, T>(
        &mut self,
        key: &Key,
        index_key: Option<&IndexKey>,
        form: &F,
        before: &Versioned<T>,
    ) -> Result<(), StoreError> {
        let item = items::rewrite(key, index_key, form, &before.image)?;
        let put = Put::builder().set_item(Some(item));
        self.put(if before.image.has("version") {
            let put = put.condition_expression("version = :version");
            put.expression_attribute_values(":version", number(before.version))
        } else {
            // It was written before items of its kind had one.
            put.condition_expression("attribute_exists(pk) AND attribute_not_exists(version)")
        })
    }

    /// Writes an item whether it is there or not. It is changed, not put: attributes that the form does not know stay.
    pub(super) fn upsert(
        &mut self,
        key: &Key,
        index_key: Option<&IndexKey>,
        form: &impl Serialize,
        told: Option<&EventForm>,
    ) -> Result<(), StoreError> {
        let mut item: Item = items::write(key, index_key, form)?;
        item.retain(|name, _| !matches!(name.as_str(), "pk" | "sk"));
        if let Some(told) = told.filter(|_| !self.org.disposable) {
            item.insert(EVENT_ATTRIBUTE.to_owned(), items::attribute(told)?);
        }
        let change = item.into_iter().fold(Change::default(), |change, (name, value)| change.set(&name, value));
        self.update(key, change)
    }

    fn put(&mut self, put: PutBuilder) -> Result<(), StoreError> {
        let put = put.table_name(self.store.table.as_ref()).build()?;
        self.writes.push(TransactWriteItem::builder().put(put).build());
        Ok(())
    }
}
