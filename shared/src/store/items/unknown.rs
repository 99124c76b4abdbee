//! Attributes that a newer release wrote survive every write by this release.
//!
//! A value keeps the item from which it was read, as an [`Image`]. A write of the value also writes every attribute
//! that the form does not know, at the top and in every nested map.
//!
//! An attribute is unknown if it is missing after the form is read from the image and written again. A form therefore
//! need not list its attributes. A known attribute with a value that the form cannot read is kept in the same way.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    event::EVENT_ATTRIBUTE,
    form::{attribute, write},
};
use crate::store::{
    attributes::Item,
    error::StoreError,
    keys::{IndexKey, Key},
};

/// An item as it was read.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::store) struct Image(Item);

/// Attributes that every write sets or removes itself, independent of the form.
const ENVELOPE: [&str; 5] = ["pk", "sk", "list", "at", EVENT_ATTRIBUTE];

/// Attributes that identify an element of a stored list after another attribute of the element has changed. Each list
/// of maps has one of these attributes, or its elements never change.
const IDENTITY_ATTRIBUTES: [&str; 6] = ["productId", "pointsCost", "name", "orderId", "expiresAt", "customerId"];

impl Image {
    /// Whether the item has an attribute.
    pub(in crate::store) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// An attribute, as it is stored.
    pub(in crate::store) fn get(&self, name: &str) -> Option<&AttributeValue> {
        self.0.get(name)
    }
}

impl From<Item> for Image {
    fn from(item: Item) -> Self {
        Self(item)
    }
}

/// The item that replaces `image`: the form, and the attributes of the image that the form does not know.
pub(in crate::store) fn rewrite<F: Serialize + DeserializeOwned>(
    key: &Key,
    index_key: Option<&IndexKey>,
    form: &F,
    Image(image): &Image,
) -> Result<Item, StoreError> {
    let mut item = write(key, index_key, form)?;
    let known: Item = serde_dynamo::to_item(serde_dynamo::from_item::<_, F>(image.clone())?)?;
    let unknown = image.iter().filter(|(name, _)| !ENVELOPE.contains(&name.as_str()));
    keep_unknown_in_map(unknown, Some(&known), &mut item);
    Ok(item)
}

/// The attribute that replaces the attribute `name` of `image`, including the members that the form does not know.
pub(in crate::store) fn rewrite_attribute<F: Serialize + DeserializeOwned>(
    name: &str,
    form: &F,
    Image(image): &Image,
) -> Result<AttributeValue, StoreError> {
    let mut new = attribute(form)?;
    if let Some(stored) = image.get(name) {
        let known: F = serde_dynamo::from_attribute_value(stored.clone())?;
        keep_unknown(stored, Some(&attribute(&known)?), &mut new);
    }
    Ok(new)
}

/// Adds to `new` the attributes of `stored` that are missing in `known`, the part of `stored` that the form knows.
fn keep_unknown(stored: &AttributeValue, known: Option<&AttributeValue>, new: &mut AttributeValue) {
    match (stored, new) {
        (AttributeValue::M(stored), AttributeValue::M(new)) => {
            keep_unknown_in_map(stored.iter(), known.and_then(|known| known.as_m().ok()), new);
        }
        (AttributeValue::L(stored), AttributeValue::L(new)) => {
            let known = known.and_then(|known| known.as_l().ok()).map_or(&[][..], Vec::as_slice);
            keep_unknown_in_list(stored, known, new);
        }
        _ => {}
    }
}

fn keep_unknown_in_map<'a>(
    stored: impl Iterator<Item = (&'a String, &'a AttributeValue)>,
    known: Option<&HashMap<String, AttributeValue>>,
    new: &mut HashMap<String, AttributeValue>,
) {
    for (name, stored) in stored {
        let known = known.and_then(|known| known.get(name));
        match new.get_mut(name) {
            Some(new) => keep_unknown(stored, known, new),
            None if known.is_none() => drop(new.insert(name.clone(), stored.clone())),
            // The form knows the attribute, and the new value is without it.
            None => {}
        }
    }
}

/// Each new element keeps the unknown attributes of its stored element. This is the equal stored element, or else the
/// stored element with the same identity.
fn keep_unknown_in_list(stored: &[AttributeValue], known: &[AttributeValue], new: &mut [AttributeValue]) {
    let mut remaining: Vec<_> = stored.iter().zip(known).collect();
    let mut take = |is_predecessor: &dyn Fn(&AttributeValue) -> bool| {
        let index = remaining.iter().position(|(_, known)| is_predecessor(known));
        index.map(|index| remaining.remove(index))
    };
    // Unchanged elements are matched first, so that no changed element takes the stored element of an unchanged one.
    let unchanged: Vec<_> = new.iter().map(|element| take(&|known| known == element)).collect();
    for (element, unchanged) in new.iter_mut().zip(unchanged) {
        if let Some((stored, known)) = unchanged.or_else(|| take(&|known| has_same_identity(known, element))) {
            keep_unknown(stored, Some(known), element);
        }
    }
}

fn has_same_identity(one: &AttributeValue, other: &AttributeValue) -> bool {
    let (Ok(one), Ok(other)) = (one.as_m(), other.as_m()) else { return false };
    match IDENTITY_ATTRIBUTES.into_iter().find(|name| one.contains_key(*name)) {
        Some(name) => one.get(name) == other.get(name),
        // A lot that never expires has only its points.
        None => [one, other].iter().all(|element| element.contains_key("points") && !element.contains_key("expiresAt")),
    }
}
