//! How values are written as items. Amounts of money are whole minor units, decimals are texts, instants are RFC 3339
//! with three decimals. An item that does not read back into its type is an error, never a default.

mod bundle;
mod churn;
mod claim;
mod customer;
mod order;
mod org;
mod points;
mod told;

pub(super) use bundle::{
    BundleForm, CountForm, DeletedForm, RecordedForm, RedemptionForm, RezoneForm, TermsForm, TransitionForm,
};
pub(super) use churn::{KeptForm, PredictionForm, RiskForm};
pub(super) use claim::ClaimForm;
pub(super) use customer::{AdjustmentForm, CustomerForm, EntryForm};
pub(super) use order::{AwardForm, OrderForm, RefundForm};
pub(super) use org::{KeyForm, OrgForm};
pub(super) use points::SpendingForm;
pub(super) use told::{TOLD, ToldForm};

use aws_sdk_dynamodb::types::AttributeValue;
use rust_decimal::Decimal;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Item, StoreError,
    keys::{Key, Place, text},
};
use crate::domain::money::Money;

/// Puts a value under its key, and in the index if it is listed.
pub(super) fn write(key: &Key, place: Option<&Place>, value: &impl Serialize) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::to_item(value)?;
    item.extend(key.to_item());
    if let Some(place) = place {
        item.extend([("list".into(), text(&place.list)), ("at".into(), text(&place.at))]);
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

/// One attribute of an item.
pub(super) fn attribute(value: &impl Serialize) -> Result<AttributeValue, StoreError> {
    Ok(serde_dynamo::to_attribute_value(value)?)
}

fn money(minor: i64) -> Result<Money, &'static str> {
    Money::from_minor(minor).ok_or("an amount below zero")
}

fn decimal<T: TryFrom<Decimal, Error = &'static str>>(text: &str) -> Result<T, &'static str> {
    text.parse::<Decimal>().map_err(|_| "not a decimal").and_then(T::try_from)
}
