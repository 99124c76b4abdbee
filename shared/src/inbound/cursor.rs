//! Cursors: the position at which a list continues.
//!
//! A cursor is opaque, safe in a URL, and bound to its list and its org.
//!
//! Cursors are not signed. The route chooses the list, and the cursor is only a position in the list. A forged cursor
//! therefore returns only rows that its caller may list anyway. The cursor of a sweep also holds the start time of the
//! sweep, but only the deployment may call sweeps.
//!
//! Versions of this program run side by side, so a cursor holds the version of its form. An unknown field is ignored. A
//! field that readers must understand raises [`CURSOR_VERSION`]. A program rejects a cursor of a version that it does
//! not know.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use deserr::{DeserializeError, Deserr, IntoValue, Value, ValuePointerRef};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::fields::invalid_value;
use crate::domain::rejection::Rejection;

/// A cursor as a request presents it.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Cursor(String);

/// The text that a request sends instead of a cursor to continue the latest sweep.
const LATEST_SWEEP: &str = "latest";

impl From<String> for Cursor {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Cursor {
    /// The rule for cursors, as an error message.
    pub const RULE: &'static str = "must be a cursor that this operation returned";

    /// Whether the request continues the latest sweep from its saved position.
    #[must_use]
    pub fn is_latest(&self) -> bool {
        self.0 == LATEST_SWEEP
    }
}

/// The list that a cursor is bound to.
#[derive(Debug, Clone, Copy)]
pub struct CursorScope<'a> {
    /// The operation that returns the list.
    pub operation: &'a str,
    /// The org. Empty for a list without an org.
    pub org: &'a str,
    /// The value that distinguishes the list from other lists of the operation and the org, such as a customer or a
    /// filter. May be empty.
    pub qualifier: &'a str,
}

impl<E: DeserializeError> Deserr<E> for Cursor {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, at: ValuePointerRef<'_>) -> Result<Self, E> {
        if let Value::String(text) = value { Ok(Self(text)) } else { Err(invalid_value(Self::RULE, at)) }
    }
}

impl CursorScope<'_> {
    fn cursor(&self, position: &str) -> String {
        let Self { operation, org, qualifier } = *self;
        let content = CursorContent { v: CURSOR_VERSION, operation, org, qualifier, position };
        BASE64_URL_SAFE_NO_PAD.encode(serde_json::json!(content).to_string())
    }

    /// The cursor for the rest of the list, or `None` at its end.
    #[must_use]
    pub fn next(&self, position: Option<String>) -> Option<String> {
        position.map(|position| self.cursor(&position))
    }

    /// The position that a cursor holds. Fails with `InvalidCursor` if the cursor belongs to another list.
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

/// A short digest of a long qualifier.
///
/// The digest is the same in every build, so a run that began before a deployment continues after the deployment.
#[must_use]
pub fn scope_digest(text: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(text).iter().copied().take(9).collect::<Vec<u8>>())
}

/// The org that a cursor was issued for.
pub(super) fn decode_org(cursor: &str) -> Option<String> {
    decode(cursor).map(|content| content.org)
}

/// The version of the form of a cursor.
const CURSOR_VERSION: u32 = 1;

/// The content of a cursor.
#[derive(Serialize, Deserialize)]
struct CursorContent<T> {
    v: u32,
    operation: T,
    org: T,
    #[serde(rename = "of")]
    qualifier: T,
    position: T,
}

/// The content of a cursor, or `None` if its form is not known. The previous release issued cursors as an array of four
/// texts without a version.
fn decode(cursor: &str) -> Option<CursorContent<String>> {
    let json = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
    if let Ok([operation, org, qualifier, position]) = serde_json::from_slice::<[String; 4]>(&json) {
        return Some(CursorContent { v: CURSOR_VERSION, operation, org, qualifier, position });
    }
    serde_json::from_slice(&json).ok().filter(|content: &CursorContent<String>| content.v == CURSOR_VERSION)
}
