//! Cursors: where a list goes on. Opaque, safe in a URL, bound to the list that gave them and to its org.
//!
//! Left out on purpose: a signature. What a list's cursor names is only a position *within* the list that the route itself
//! chooses, so a forged one reaches nothing that its caller could not list anyway. A sweep's also names when the sweep
//! began; sweeps are the deployment's alone to call.
//!
//! Versions of this program run side by side, so a cursor says which version of its form it has. A field that is not known
//! is ignored, which is right for what a reader may do without. What a reader must understand raises [`CURSOR_VERSION`], and is
//! refused by every program that does not know it.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use deserr::{DeserializeError, Deserr, IntoValue, Value, ValuePointerRef};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::fields::invalid_value;
use crate::domain::rejection::Rejection;

/// A cursor as it came.
#[derive(Debug, Clone)]
pub struct Cursor(String);

/// What a request says in the place of a cursor to go on with the sweep that was begun last.
const LATEST_SWEEP: &str = "latest";

impl Cursor {
    /// Whether it means the sweep that was begun last, wherever that stands.
    #[must_use]
    pub fn is_latest(&self) -> bool {
        self.0 == LATEST_SWEEP
    }
}

/// What a list is bound to: its route, its org (empty without one), and what else the path names.
#[derive(Debug, Clone, Copy)]
pub struct CursorScope<'a> {
    /// The operation that lists.
    pub operation: &'a str,
    /// The org, or an empty text.
    pub org: &'a str,
    /// What else the path names, or an empty text.
    pub qualifier: &'a str,
}

impl<E: DeserializeError> Deserr<E> for Cursor {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, at: ValuePointerRef<'_>) -> Result<Self, E> {
        if let Value::String(text) = value {
            Ok(Self(text))
        } else {
            Err(invalid_value("must be a cursor that this list gave", at))
        }
    }
}

impl CursorScope<'_> {
    fn cursor(&self, position: &str) -> String {
        let Self { operation, org, qualifier } = *self;
        let content = CursorContent { v: CURSOR_VERSION, operation, org, qualifier, position };
        BASE64_URL_SAFE_NO_PAD.encode(serde_json::json!(content).to_string())
    }

    /// The cursor for the rest of this list, if there is a rest.
    #[must_use]
    pub fn next(&self, position: Option<String>) -> Option<String> {
        position.map(|position| self.cursor(&position))
    }

    /// The position at which this list goes on, if a cursor says so.
    pub fn resume(&self, cursor: Option<Cursor>) -> Result<Option<String>, Rejection> {
        cursor.map(|cursor| self.position(&cursor)).transpose()
    }

    fn position(&self, cursor: &Cursor) -> Result<String, Rejection> {
        let CursorContent { operation, org, qualifier, position, .. } =
            decode(&cursor.0).ok_or(Rejection::InvalidCursor)?;
        if operation != self.operation || org != self.org || qualifier != self.qualifier {
            return Err(Rejection::InvalidCursor);
        }
        Ok(position)
    }
}

/// A short digest of what a cursor is bound to beside its list. No release of the compiler changes it: a run that began
/// before a deployment goes on after it.
#[must_use]
pub fn scope_digest(text: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(text).iter().copied().take(9).collect::<Vec<u8>>())
}

/// The org that a cursor was given for.
pub(super) fn decode_org(cursor: &str) -> Option<String> {
    decode(cursor).map(|content| content.org)
}

/// The version of a cursor's form.
const CURSOR_VERSION: u32 = 1;

/// What a cursor says.
#[derive(Serialize, Deserialize)]
struct CursorContent<T> {
    v: u32,
    operation: T,
    org: T,
    #[serde(rename = "of")]
    qualifier: T,
    position: T,
}

/// What a cursor says, if it is one that is understood: of this version, or of the release before, which gave the four
/// texts alone.
fn decode(cursor: &str) -> Option<CursorContent<String>> {
    let json = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
    if let Ok([operation, org, qualifier, position]) = serde_json::from_slice::<[String; 4]>(&json) {
        return Some(CursorContent { v: CURSOR_VERSION, operation, org, qualifier, position });
    }
    serde_json::from_slice(&json).ok().filter(|content: &CursorContent<String>| content.v == CURSOR_VERSION)
}
