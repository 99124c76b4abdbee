//! Items and their attributes. All other modules of the store build on these.

use std::{collections::HashMap, fmt::Display};

use aws_sdk_dynamodb::types::AttributeValue;

/// An item: its attributes by name.
pub(super) type Item = HashMap<String, AttributeValue>;

/// A string attribute.
pub(super) fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

/// A number attribute.
pub(super) fn number(value: impl Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The value of a string attribute. Empty if the attribute is missing or has another type.
pub(super) fn text_attribute<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}
