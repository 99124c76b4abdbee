//! How values are written as items. Amounts of money are whole minor units, decimals are texts, instants are RFC 3339
//! with three decimals. An item that does not read back into its type is an error, never a default.

mod bundle;
mod churn;
mod customer;
mod order;
mod org;
mod points;
mod redemption_state;
mod told;
mod unknown;

pub(super) use bundle::{
    BundleForm, BundleRedemptionForm, CountForm, DeletedForm, RecordedForm, TermsForm, TimeZoneChangeForm,
    TransitionForm, unread_transition,
};
pub(super) use churn::{ChurnModelForm, PredictionForm, RiskForm};
pub(super) use customer::{AdjustmentForm, CustomerForm, EntryForm, unread_entry};
pub(super) use order::{AwardForm, OrderForm, RefundForm};
pub(super) use org::{KeyForm, OrgForm};
pub(super) use points::PointsRedemptionForm;
pub(super) use redemption_state::{RedemptionStateForm, unread_redemption};
pub(super) use told::{EVENT_ATTRIBUTE, EventForm};
pub(super) use unknown::{Image, rewrite, rewrite_part};

use aws_sdk_dynamodb::types::AttributeValue;
use rust_decimal::Decimal;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, IgnoredAny},
};

use super::{
    Item, StoreError, Unread, Versioned,
    keys::{IndexKey, Key, text},
    pages::part,
};
use crate::domain::money::Money;

/// Puts a value under its key, and in the index if it is listed.
pub(super) fn write(key: &Key, index_key: Option<&IndexKey>, value: &impl Serialize) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::to_item(value)?;
    item.extend(key.to_item());
    if let Some(index_key) = index_key {
        item.extend([("list".into(), text(&index_key.index_pk)), ("at".into(), text(&index_key.index_sk))]);
    }
    Ok(item)
}

/// Reads an item into its form and then into its value; `what` names it where it can't be.
pub(super) fn read<F, T>(what: &str, item: Item) -> Result<T, StoreError>
where
    F: DeserializeOwned + TryInto<T, Error = &'static str>,
{
    let form: F = serde_dynamo::from_item(item).map_err(|error| StoreError::unreadable(what, error))?;
    form.try_into().map_err(|why| StoreError::unreadable(what, why))
}

/// Reads an item that is written back under its version: what the form does not know of it stays with the value.
pub(super) fn read_versioned<F, T>(what: &str, item: Item) -> Result<Versioned<T>, StoreError>
where
    F: DeserializeOwned + TryInto<(T, u64), Error = &'static str>,
{
    let (value, version) = read::<F, _>(what, item.clone())?;
    Ok(Versioned { value, version, image: item.into() })
}

/// What is known of an item that could not be read: `kind`, if it has the form of its sort at all, though of a kind or with
/// values that this version does not know; else its sort, as `damaged`.
fn unread(item: &Item, kind: Option<String>, damaged: &str, at: &str) -> Unread {
    let at = [at, "at"].into_iter().map(|name| part(item, name)).find(|at| !at.is_empty()).unwrap_or_default();
    let is_newer = kind.is_some();
    Unread { kind: kind.unwrap_or_else(|| damaged.to_owned()), at: at.to_owned(), is_newer }
}

/// One attribute of an item.
pub(super) fn attribute(value: &impl Serialize) -> Result<AttributeValue, StoreError> {
    Ok(serde_dynamo::to_attribute_value(value)?)
}

/// An attribute that a newer version may give a value that this one does not know: it is then absent for this one, and is
/// kept when the item is written back.
fn if_known<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Value<T> {
        Known(T),
        Unknown(IgnoredAny),
    }
    Ok(match Value::deserialize(deserializer)? {
        Value::Known(value) => Some(value),
        Value::Unknown(IgnoredAny) => None,
    })
}

fn money(minor: i64) -> Result<Money, &'static str> {
    Money::from_minor(minor).ok_or("an amount below zero")
}

fn decimal<T: TryFrom<Decimal, Error = &'static str>>(text: &str) -> Result<T, &'static str> {
    text.parse::<Decimal>().map_err(|_| "not a decimal").and_then(T::try_from)
}
