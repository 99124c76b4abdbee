//! How a form is written as an item, and how an item is read back into a value.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Serialize, de::DeserializeOwned};

use crate::store::{
    attributes::{Item, text},
    error::StoreError,
    keys::{IndexKey, Key},
};

/// The item of a form under its key. The index lists the item under `index_key`.
pub(in crate::store) fn write(
    key: &Key,
    index_key: Option<&IndexKey>,
    form: &impl Serialize,
) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::to_item(form)?;
    item.extend(key.to_item());
    if let Some(index_key) = index_key {
        item.extend([("list".into(), text(&index_key.index_pk)), ("at".into(), text(&index_key.index_sk))]);
    }
    Ok(item)
}

/// Reads an item in the form `F` and converts the form. `record` names the item in the error.
pub(in crate::store) fn read<F, T>(record: &str, item: Item) -> Result<T, StoreError>
where
    F: DeserializeOwned + TryInto<T, Error = &'static str>,
{
    let form: F = serde_dynamo::from_item(item).map_err(|error| StoreError::unreadable(record, error))?;
    form.try_into().map_err(|rule| StoreError::unreadable(record, rule))
}

/// The attribute of a form.
pub(in crate::store) fn attribute(form: &impl Serialize) -> Result<AttributeValue, StoreError> {
    Ok(serde_dynamo::to_attribute_value(form)?)
}
