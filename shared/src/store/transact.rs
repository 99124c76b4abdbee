//! Transactions: an operation's balance, counters, ledger entries and idempotency record are written together or not at
//! all.
//!
//! The SDK sends a token with each transaction. `DynamoDB` does not apply a token twice within ten minutes, so a retry
//! by the SDK after a lost response is safe. After that time, the condition on the idempotency record rejects a second
//! write.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem, Update, builders::PutBuilder,
};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    attributes::{Item, number, text},
    error::{StoreError, transaction_error},
    items::{
        event::{EVENT_ATTRIBUTE, EventForm},
        form,
        unknown::rewrite,
    },
    keys::{IndexKey, Key},
    table::{Store, Versioned},
};
use crate::{domain::org::Org, outbound::ChangeEvent};

/// Writes to the items of an org that are committed together or not at all.
#[must_use = "nothing is written before commit"]
pub struct Transaction<'a> {
    pub(super) store: &'a Store,
    pub(super) org: &'a Org,
    writes: Vec<TransactWriteItem>,
}

/// A change of some attributes of an item, and the conditions of the change. All conditions must hold.
#[derive(Default)]
pub(super) struct Change {
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
    sets: Vec<String>,
    removes: Vec<String>,
    conditions: Vec<String>,
}

impl Change {
    /// Sets an attribute.
    pub(super) fn set(mut self, name: &str, value: AttributeValue) -> Self {
        let (name, value) = (self.name(name), self.value(value));
        self.sets.push(format!("{name} = {value}"));
        self
    }

    /// Adds `change` to a number attribute.
    pub(super) fn add(mut self, name: &str, change: i64) -> Self {
        let (name, value) = (self.name(name), self.value(number(change)));
        self.sets.push(format!("{name} = {name} + {value}"));
        self
    }

    /// Lists the item in the index. `None` removes the item from the index.
    pub(super) fn index_key(mut self, index_key: Option<&IndexKey>) -> Self {
        if let Some(index_key) = index_key {
            return self.set("list", text(&index_key.index_pk)).set("at", text(&index_key.index_sk));
        }
        let names = ["list", "at"].map(|name| self.name(name));
        self.removes.extend(names);
        self
    }

    /// Requires a comparison of an attribute: `=`, `<`, `>=` …
    pub(super) fn require(mut self, name: &str, comparison: &str, value: AttributeValue) -> Self {
        let (name, value) = (self.name(name), self.value(value));
        self.conditions.push(format!("{name} {comparison} {value}"));
        self
    }

    /// Requires an attribute to be absent or to have this value.
    pub(super) fn require_absent_or(mut self, name: &str, value: AttributeValue) -> Self {
        let (name, value) = (self.name(name), self.value(value));
        self.conditions.push(format!("(attribute_not_exists({name}) OR {name} = {value})"));
        self
    }

    /// Requires an attribute to be present.
    pub(super) fn require_present(mut self, name: &str) -> Self {
        let name = self.name(name);
        self.conditions.push(format!("attribute_exists({name})"));
        self
    }

    /// Requires an attribute to be absent.
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
        let clause = |keyword: &str, actions: &[String]| {
            if actions.is_empty() { String::new() } else { format!("{keyword} {} ", actions.join(", ")) }
        };
        clause("SET", &self.sets) + &clause("REMOVE", &self.removes)
    }

    /// Returns `None` if there is no condition, because `DynamoDB` rejects an empty expression.
    fn condition(&self) -> Option<String> {
        (!self.conditions.is_empty()).then(|| self.conditions.join(" AND "))
    }

    /// Returns `None` if there are no values, because `DynamoDB` rejects an empty map.
    fn values(self) -> Option<HashMap<String, AttributeValue>> {
        (!self.values.is_empty()).then_some(self.values)
    }
}

impl Store {
    /// Begins a transaction on the items of an org.
    pub const fn transaction<'a>(&'a self, org: &'a Org) -> Transaction<'a> {
        Transaction { store: self, org, writes: Vec::new() }
    }
}

impl Transaction<'_> {
    /// Commits all writes or none.
    pub async fn commit(self) -> Result<(), StoreError> {
        let request = self.store.client.transact_write_items().set_transact_items(Some(self.writes));
        request.send().await.map(drop).map_err(transaction_error)
    }

    /// Changes attributes of an item. Creates the item if it does not exist and no condition prevents that.
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

    /// Requires the conditions of `change`, and changes nothing.
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

    /// Deletes an item under the conditions of `change`.
    pub(super) fn delete(&mut self, key: &Key, change: Change) -> Result<(), StoreError> {
        let delete = Delete::builder()
            .table_name(self.store.table.as_ref())
            .set_key(Some(key.to_item()))
            .set_condition_expression(change.condition())
            .set_expression_attribute_names(Some(change.names.clone()).filter(|names| !names.is_empty()))
            .set_expression_attribute_values(change.values());
        self.writes.push(TransactWriteItem::builder().delete(delete.build()?).build());
        Ok(())
    }

    /// Adds an item, which must not exist yet.
    pub(super) fn create(
        &mut self,
        key: &Key,
        index_key: Option<&IndexKey>,
        form: &impl Serialize,
    ) -> Result<(), StoreError> {
        self.create_with_event(key, index_key, form, None)
    }

    /// Adds an item, which must not exist yet and which emits an event. In a disposable org the item emits no event, so
    /// that no message reaches a customer.
    pub(super) fn create_with_event(
        &mut self,
        key: &Key,
        index_key: Option<&IndexKey>,
        form: &impl Serialize,
        event: Option<&ChangeEvent>,
    ) -> Result<(), StoreError> {
        let item = self.item_with_event(key, index_key, form, event)?;
        self.put(Put::builder().set_item(Some(item)).condition_expression("attribute_not_exists(pk)"))
    }

    /// Replaces the item that was read as `before`, which must still have its version. Attributes that the form does
    /// not know are kept.
    ///
    /// Every replaced item has its own condition, because items that are loaded by one read may be of different
    /// moments.
    pub(super) fn replace<F: Serialize + DeserializeOwned, T>(
        &mut self,
        key: &Key,
        index_key: Option<&IndexKey>,
        form: &F,
        before: &Versioned<T>,
    ) -> Result<(), StoreError> {
        let item = rewrite(key, index_key, form, &before.image)?;
        let put = Put::builder().set_item(Some(item));
        self.put(if before.image.has("version") {
            let put = put.condition_expression("version = :version");
            put.expression_attribute_values(":version", number(before.version))
        } else {
            // The item was stored before items of its kind had versions.
            put.condition_expression("attribute_exists(pk) AND attribute_not_exists(version)")
        })
    }

    /// Like [`Self::replace`], of an item with a version that begins anew after the item was removed. The attribute `name` must
    /// also still be as it was read.
    pub(super) fn replace_unchanged<F: Serialize + DeserializeOwned, T>(
        &mut self,
        key: &Key,
        index_key: Option<&IndexKey>,
        form: &F,
        before: &Versioned<T>,
        name: &str,
    ) -> Result<(), StoreError> {
        let item = rewrite(key, index_key, form, &before.image)?;
        let put = Put::builder().set_item(Some(item)).condition_expression("version = :version AND #name = :value");
        let put = put.expression_attribute_values(":version", number(before.version));
        let value = before.image.get(name).cloned().unwrap_or(AttributeValue::Null(true));
        self.put(put.expression_attribute_names("#name", name).expression_attribute_values(":value", value))
    }

    /// Writes an item whether or not it exists. An update keeps the attributes that the form does not know. A put would
    /// remove them.
    pub(super) fn upsert(
        &mut self,
        key: &Key,
        index_key: Option<&IndexKey>,
        form: &impl Serialize,
        event: Option<&ChangeEvent>,
    ) -> Result<(), StoreError> {
        let mut item = self.item_with_event(key, index_key, form, event)?;
        item.retain(|name, _| !matches!(name.as_str(), "pk" | "sk"));
        let change = item.into_iter().fold(Change::default(), |change, (name, value)| change.set(&name, value));
        self.update(key, change)
    }

    fn item_with_event(
        &self,
        key: &Key,
        index_key: Option<&IndexKey>,
        form: &impl Serialize,
        event: Option<&ChangeEvent>,
    ) -> Result<Item, StoreError> {
        let mut item = form::write(key, index_key, form)?;
        if let Some(event) = event.filter(|_| !self.org.disposable) {
            item.insert(EVENT_ATTRIBUTE.to_owned(), form::attribute(&EventForm::new(&self.org.id, event))?);
        }
        Ok(item)
    }

    fn put(&mut self, put: PutBuilder) -> Result<(), StoreError> {
        let put = put.table_name(self.store.table.as_ref()).build()?;
        self.writes.push(TransactWriteItem::builder().put(put).build());
        Ok(())
    }
}
