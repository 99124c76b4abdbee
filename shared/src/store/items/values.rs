//! Conversions of single attributes that several forms share.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, de::IgnoredAny};

use crate::domain::money::Money;

/// Reads an attribute to which a newer release may give a value that this release does not know. An unknown value reads
/// as `None`, and stays in the item when the item is written back.
pub(super) fn if_known<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
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

/// A money amount from minor units.
pub(super) fn money(minor: i64) -> Result<Money, &'static str> {
    Money::from_minor(minor).ok_or("a money amount below zero")
}

/// A decimal from its text.
pub(super) fn decimal<T: TryFrom<Decimal, Error = &'static str>>(text: &str) -> Result<T, &'static str> {
    text.parse::<Decimal>().map_err(|_| "not a decimal").and_then(T::try_from)
}
