//! The JSON of a call. Numbers keep their digits, duplicate members are rejected, and nesting is limited.
//!
//! `serde_json` parses a number into a float, which loses digits, and keeps the last of two members with one name. So
//! this module takes the text of each value from `serde_json` and parses the text itself.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use deserr::{IntoValue, Value, ValueKind};
use rust_decimal::Decimal;
use serde::{
    Deserialize,
    de::{Deserializer, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::domain::rejection::Rejection;

/// The deepest nesting of lists and objects. No documented request is nested deeper than four.
const NESTING_DEPTH_MAX: usize = 32;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// Null.
    Null,
    /// True or false.
    Boolean(bool),
    /// A number, as its digits.
    Number(String),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// An object.
    Object(Fields),
}

/// The fields of a call, by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fields(BTreeMap<String, Json>);

impl Fields {
    /// The value of a field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.0.get(name)
    }

    /// Whether a field is present and not null.
    #[must_use]
    pub fn is_set(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| *value != Json::Null)
    }

    pub(super) fn insert(&mut self, name: String, value: Json) -> Option<Json> {
        self.0.insert(name, value)
    }

    pub(super) fn remove(&mut self, name: &str) -> Option<Json> {
        self.0.remove(name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &Json)> {
        self.0.iter()
    }
}

impl IntoIterator for Fields {
    type Item = (String, Json);
    type IntoIter = std::collections::btree_map::IntoIter<String, Json>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Extend<(String, Json)> for Fields {
    fn extend<I: IntoIterator<Item = (String, Json)>>(&mut self, fields: I) {
        self.0.extend(fields);
    }
}

impl FromIterator<(String, Json)> for Fields {
    fn from_iter<I: IntoIterator<Item = (String, Json)>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

impl Json {
    /// Parses a text. Rejects a text that is not JSON, is nested too deep or has an object with duplicate members.
    pub fn parse(text: &[u8]) -> Result<Self, Rejection> {
        let text = std::str::from_utf8(text).map_err(unreadable)?;
        Self::parse_value(serde_json::from_str(text).map_err(unreadable)?, NESTING_DEPTH_MAX)
    }

    /// Parses a text that is known to be JSON. Rejects nesting that is too deep, and duplicate members.
    pub(super) fn from_raw(raw: &RawValue) -> Result<Self, Rejection> {
        Self::parse_value(raw, NESTING_DEPTH_MAX)
    }

    /// The text, if the value is a text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    fn parse_value(raw: &RawValue, depth: usize) -> Result<Self, Rejection> {
        let text = raw.get();
        Ok(match text.bytes().next() {
            Some(b'{' | b'[') if depth == 0 => {
                return Err(unreadable(format!("nested deeper than {NESTING_DEPTH_MAX} levels")));
            }
            Some(b'{') => {
                let Members(members) = serde_json::from_str(text).map_err(unreadable)?;
                let mut fields = Fields::default();
                for (name, raw) in members {
                    let value = Self::parse_value(raw, depth - 1)?;
                    if fields.insert(name.clone().into_owned(), value).is_some() {
                        return Err(Rejection::duplicate_field(&name));
                    }
                }
                Self::Object(fields)
            }
            Some(b'[') => {
                let elements: Vec<&RawValue> = serde_json::from_str(text).map_err(unreadable)?;
                Self::List(elements.into_iter().map(|raw| Self::parse_value(raw, depth - 1)).collect::<Result<_, _>>()?)
            }
            Some(b'"') => Self::Text(serde_json::from_str(text).map_err(unreadable)?),
            Some(b't') => Self::Boolean(true),
            Some(b'f') => Self::Boolean(false),
            Some(b'n') => Self::Null,
            _ => Self::Number(text.to_owned()),
        })
    }
}

fn unreadable(error: impl fmt::Display) -> Rejection {
    Rejection::UnreadableJson { detail: error.to_string() }
}

/// The members of an object in their order, each with the text of its value.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

/// The number with these digits, if a float represents it exactly.
///
/// Every number that a rule accepts has at most fifteen digits, which a float represents. So a number that a float does
/// not represent breaks every rule.
fn exact_float(digits: &str) -> Option<f64> {
    let decimal = |text: &str| Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text)).ok();
    // Trailing zeros have no meaning, but many of them would exceed the digits of a decimal.
    let is_plain = digits.contains('.') && !digits.contains(['e', 'E']);
    let digits = if is_plain { digits.trim_end_matches('0').trim_end_matches('.') } else { digits };
    let float: f64 = digits.parse().ok()?;
    let (decimal_value, float_value) = (decimal(digits)?, decimal(&float.to_string())?);
    (decimal_value == float_value).then_some(float)
}

impl IntoValue for Json {
    type Sequence = Vec<Self>;
    type Map = Fields;

    fn kind(&self) -> ValueKind {
        match self {
            Self::Null => ValueKind::Null,
            Self::Boolean(_) => ValueKind::Boolean,
            Self::Number(digits) if digits.parse::<u64>().is_ok() => ValueKind::Integer,
            Self::Number(digits) if digits.parse::<i64>().is_ok() => ValueKind::NegativeInteger,
            Self::Number(_) => ValueKind::Float,
            Self::Text(_) => ValueKind::String,
            Self::List(_) => ValueKind::Sequence,
            Self::Object(_) => ValueKind::Map,
        }
    }

    fn into_value(self) -> Value<Self> {
        match self {
            Self::Null => Value::Null,
            Self::Boolean(value) => Value::Boolean(value),
            Self::Number(digits) => match (digits.parse(), digits.parse()) {
                (Ok(whole), _) => Value::Integer(whole),
                (Err(_), Ok(negative)) => Value::NegativeInteger(negative),
                _ => Value::Float(exact_float(&digits).unwrap_or(f64::NAN)),
            },
            Self::Text(text) => Value::String(text),
            Self::List(list) => Value::Sequence(list),
            Self::Object(fields) => Value::Map(fields),
        }
    }
}

impl deserr::Map for Fields {
    type Value = Json;
    type Iter = <Self as IntoIterator>::IntoIter;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn remove(&mut self, key: &str) -> Option<Self::Value> {
        Self::remove(self, key)
    }

    fn into_iter(self) -> Self::Iter {
        IntoIterator::into_iter(self)
    }
}
