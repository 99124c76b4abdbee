//! Decodes the profiles of customers and of orgs.

use std::borrow::Cow;

use deserr::{DeserializeError, Deserr, IntoValue, Value, ValuePointerRef};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use super::fields::{FieldErrors, invalid_value};
use crate::domain::{
    contact::{COUNTRY_RULE, Country},
    customer::CustomerProfile,
    rejection::FieldError,
    text::{EMAIL_RULE, PHONE_RULE, SingleLine},
};

/// An e-mail address.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Email(pub SingleLine);

/// A telephone number.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Phone(pub SingleLine);

/// A line of text without hidden characters, if the value is one.
fn line<V: IntoValue>(value: Value<V>) -> Option<SingleLine> {
    match value {
        Value::String(text) => SingleLine::try_from(text).and_then(SingleLine::reject_hidden).ok(),
        _ => None,
    }
}

impl<E: DeserializeError> Deserr<E> for Email {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, at: ValuePointerRef<'_>) -> Result<Self, E> {
        let address = line(value).and_then(|text| text.validate_email().ok());
        address.map(Self).ok_or_else(|| invalid_value(EMAIL_RULE, at))
    }
}

impl<E: DeserializeError> Deserr<E> for Phone {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, at: ValuePointerRef<'_>) -> Result<Self, E> {
        let number = line(value).and_then(|text| text.validate_phone().ok());
        number.map(Self).ok_or_else(|| invalid_value(PHONE_RULE, at))
    }
}

/// The rule for the numbers of loyalty cards, as an error message.
pub const CARD_RULE: &str = "must be 1 to 64 characters without control or invisible characters";

/// The number of a loyalty card.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct CardNumber(pub SingleLine);

impl<E: DeserializeError> Deserr<E> for CardNumber {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, at: ValuePointerRef<'_>) -> Result<Self, E> {
        const LENGTH_MAX: usize = 64;
        let card = line(value).filter(|text| text.as_str().chars().count() <= LENGTH_MAX);
        card.map(Self).ok_or_else(|| invalid_value(CARD_RULE, at))
    }
}

impl<E: DeserializeError> Deserr<E> for Country {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, at: ValuePointerRef<'_>) -> Result<Self, E> {
        let read = match value {
            Value::String(code) => Self::try_from(code),
            _ => Err(COUNTRY_RULE),
        };
        read.map_err(|rule| invalid_value(rule, at))
    }
}

/// The profile of a customer whom an order enrols. A field of an event that breaks its rule is left out. In a request it is
/// refused. Unknown fields are ignored.
#[derive(Debug, Clone, Default, Deserr, Serialize, JsonSchema)]
#[deserr(rename_all = camelCase)]
#[serde(rename_all = "camelCase")]
pub struct NewCustomer {
    /// The first name. Absent: none.
    #[deserr(default)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<Lenient<SingleLine>>,
    /// The last name. Absent: none.
    #[deserr(default)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<Lenient<SingleLine>>,
    /// The e-mail address. Absent: none.
    #[deserr(default)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Lenient<Email>>,
    /// The telephone number. Absent: none.
    #[deserr(default)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<Lenient<Phone>>,
}

impl NewCustomer {
    /// The faults of fields that break their rules.
    #[must_use]
    pub fn faults(&self) -> Vec<FieldError> {
        let faults = [
            ("firstName", self.first_name.as_ref().and_then(Lenient::fault)),
            ("lastName", self.last_name.as_ref().and_then(Lenient::fault)),
            ("email", self.email.as_ref().and_then(Lenient::fault)),
            ("phone", self.phone.as_ref().and_then(Lenient::fault)),
        ];
        let error = |(name, fault): (&str, Option<&str>)| Some(FieldError::new(format!("customer.{name}"), fault?));
        faults.into_iter().filter_map(error).collect()
    }

    /// The profile of the fields that keep their rules.
    #[must_use]
    pub fn profile(&self) -> CustomerProfile {
        CustomerProfile {
            first_name: self.first_name.clone().and_then(Lenient::valid),
            last_name: self.last_name.clone().and_then(Lenient::valid),
            email: self.email.clone().and_then(Lenient::valid).map(|Email(email)| email),
            phone: self.phone.clone().and_then(Lenient::valid).map(|Phone(phone)| phone),
            ..CustomerProfile::default()
        }
    }
}

/// A value that may break its rule without a fault of the request.
#[derive(Debug, Clone)]
pub enum Lenient<T> {
    /// The value.
    Valid(T),
    /// The rule that it breaks.
    Invalid(String),
}

impl<T> Lenient<T> {
    fn fault(&self) -> Option<&str> {
        match self {
            Self::Valid(_) => None,
            Self::Invalid(rule) => Some(rule),
        }
    }

    fn valid(self) -> Option<T> {
        match self {
            Self::Valid(value) => Some(value),
            Self::Invalid(_) => None,
        }
    }
}

impl<T: Deserr<FieldErrors>, E: DeserializeError> Deserr<E> for Lenient<T> {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, at: ValuePointerRef<'_>) -> Result<Self, E> {
        Ok(match T::deserialize_from_value(value, at) {
            Ok(value) => Self::Valid(value),
            Err(errors) => Self::Invalid(errors.first_message()),
        })
    }
}

impl<T: Serialize> Serialize for Lenient<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Valid(value) => value.serialize(serializer),
            Self::Invalid(_) => serializer.serialize_none(),
        }
    }
}

impl<T: JsonSchema> JsonSchema for Lenient<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Lenient{}", T::schema_name()).into()
    }

    /// Any text, because an event with a value that breaks its rule is accepted.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let strict = T::json_schema(generator);
        let mut schema = json_schema!({"type": "string"});
        if let Some(examples) = strict.get("examples") {
            schema.insert("examples".to_owned(), examples.clone());
        }
        schema
    }
}

/// A field of a merge patch (RFC 7396).
#[derive(Debug, Clone, Default)]
pub enum Patch<T> {
    /// The field is absent: its value stays.
    #[default]
    Keep,
    /// The field is null: its value is removed.
    Remove,
    /// The field has this value from now on.
    Set(T),
}

impl<T> Patch<T> {
    /// Whether the value stays.
    pub const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// The value after the patch.
    pub fn apply<U: Clone>(self, before: &Option<U>, read: impl FnOnce(T) -> U) -> Option<U> {
        match self {
            Self::Keep => before.clone(),
            Self::Remove => None,
            Self::Set(value) => Some(read(value)),
        }
    }
}

impl<T: Deserr<E>, E: DeserializeError> Deserr<E> for Patch<T> {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, at: ValuePointerRef<'_>) -> Result<Self, E> {
        match value {
            Value::Null => Ok(Self::Remove),
            value => T::deserialize_from_value(value, at).map(Self::Set),
        }
    }
}

impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Keep | Self::Remove => serializer.serialize_none(),
            Self::Set(value) => value.serialize(serializer),
        }
    }
}

impl<T: JsonSchema> JsonSchema for Patch<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Option::<T>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Option::<T>::json_schema(generator)
    }
}
