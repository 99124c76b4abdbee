//! What another version wrote and this one does not know survives every write of this one.
//!
//! A value that is read keeps the item that it was read from ([`Image`]). Where it is written back, every attribute that
//! its form does not know goes along, at the top and in every nested map. The form itself says what it knows: it is read
//! from the image and written again, and what it leaves out is unknown to it. So no form lists its attributes twice, and an
//! attribute that a form can't read (a value that is too new) is kept like one that it has never heard of.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    super::{
        Item, StoreError,
        keys::{IndexKey, Key},
    },
    EVENT_ATTRIBUTE, attribute, write,
};

/// An item as it was read.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::store) struct Image(Item);

/// Attributes that the write itself decides, whatever the form.
const ENVELOPE: [&str; 5] = ["pk", "sk", "list", "at", EVENT_ATTRIBUTE];

/// Attributes by which an element of a stored list is known again when another of its attributes has changed. Each list of
/// maps has one of them, or its elements never change.
const IDENTITIES: [&str; 3] = ["productId", "pointsCost", "name"];

impl Image {
    /// Whether the item has an attribute.
    pub(in crate::store) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

impl From<Item> for Image {
    fn from(item: Item) -> Self {
        Self(item)
    }
}

/// The item that replaces `image`: the value in its form, and what the form does not know of the image.
pub(in crate::store) fn rewrite<F: Serialize + DeserializeOwned>(
    key: &Key,
    index_key: Option<&IndexKey>,
    form: &F,
    Image(image): &Image,
) -> Result<Item, StoreError> {
    let mut item = write(key, index_key, form)?;
    let known: Item = serde_dynamo::to_item(serde_dynamo::from_item::<_, F>(image.clone())?)?;
    let unknown = image.iter().filter(|(name, _)| !ENVELOPE.contains(&name.as_str()));
    carry_map(unknown, Some(&known), &mut item);
    Ok(item)
}

/// The attribute that replaces the one of this name in `image`, likewise.
pub(in crate::store) fn rewrite_part<F: Serialize + DeserializeOwned>(
    name: &str,
    form: &F,
    Image(image): &Image,
) -> Result<AttributeValue, StoreError> {
    let mut new = attribute(form)?;
    if let Some(raw) = image.get(name) {
        let known: F = serde_dynamo::from_attribute_value(raw.clone())?;
        carry(raw, Some(&attribute(&known)?), &mut new);
    }
    Ok(new)
}

/// Adds to `new` what `raw` holds and `known`, its part that was understood, does not.
fn carry(raw: &AttributeValue, known: Option<&AttributeValue>, new: &mut AttributeValue) {
    match (raw, new) {
        (AttributeValue::M(raw), AttributeValue::M(new)) => {
            carry_map(raw.iter(), known.and_then(|known| known.as_m().ok()), new);
        }
        (AttributeValue::L(raw), AttributeValue::L(new)) => {
            let known = known.and_then(|known| known.as_l().ok()).map_or(&[][..], Vec::as_slice);
            carry_list(raw, known, new);
        }
        _ => {}
    }
}

fn carry_map<'a>(
    raw: impl Iterator<Item = (&'a String, &'a AttributeValue)>,
    known: Option<&HashMap<String, AttributeValue>>,
    new: &mut HashMap<String, AttributeValue>,
) {
    for (name, raw) in raw {
        let known = known.and_then(|known| known.get(name));
        match new.get_mut(name) {
            Some(new) => carry(raw, known, new),
            None if known.is_none() => drop(new.insert(name.clone(), raw.clone())),
            // It was known, and is gone.
            None => {}
        }
    }
}

/// An element carries what belongs to the one that it was before: the one that equals it, else the one of its identity.
fn carry_list(raw: &[AttributeValue], known: &[AttributeValue], new: &mut [AttributeValue]) {
    let mut before: Vec<_> = raw.iter().zip(known).collect();
    let mut take = |is_before: &dyn Fn(&AttributeValue) -> bool| {
        let at = before.iter().position(|(_, known)| is_before(known));
        at.map(|at| before.remove(at))
    };
    // Those that are as they were come first, so that none of theirs goes to another.
    let unchanged: Vec<_> = new.iter().map(|element| take(&|known| known == element)).collect();
    for (element, unchanged) in new.iter_mut().zip(unchanged) {
        if let Some((raw, known)) = unchanged.or_else(|| take(&|known| is_same_one(known, element))) {
            carry(raw, Some(known), element);
        }
    }
}

fn is_same_one(one: &AttributeValue, other: &AttributeValue) -> bool {
    let (Ok(one), Ok(other)) = (one.as_m(), other.as_m()) else { return false };
    let identity = IDENTITIES.into_iter().find(|name| one.contains_key(*name));
    identity.is_some_and(|name| one.get(name) == other.get(name))
}
