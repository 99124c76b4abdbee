//! Dates and time zones in requests.

use chrono::NaiveDate;
use deserr::{DeserializeError, Deserr, IntoValue, Value, ValuePointerRef};
use serde::Serialize;

use super::fields::invalid_value;
use crate::domain::{
    time,
    zone::{self, Zone},
};

/// A date, such as 2026-12-24.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(transparent)]
pub struct Date(pub NaiveDate);

impl<E: DeserializeError> Deserr<E> for Date {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, at: ValuePointerRef<'_>) -> Result<Self, E> {
        let day = match value {
            Value::String(text) => time::parse_day(&text),
            _ => Err(time::DAY_RULE),
        };
        day.map(Self).map_err(|rule| invalid_value(rule, at))
    }
}

impl<E: DeserializeError> Deserr<E> for Zone {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, at: ValuePointerRef<'_>) -> Result<Self, E> {
        let read = match value {
            Value::String(text) => Self::from_request(&text),
            _ => Err(zone::ZONE_RULE.to_owned()),
        };
        read.map_err(|rule| invalid_value(&rule, at))
    }
}
