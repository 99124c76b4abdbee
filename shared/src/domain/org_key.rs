//! Keys that act for one org: what a till or a shop's own server holds instead of the deployment's secret.

use chrono::{DateTime, Utc};

use crate::domain::{
    ids::{KeyId, OrgId},
    text::SingleLine,
};

/// A key as it is kept: it can be compared with, not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgKey {
    /// Its id, within its org.
    pub id: KeyId,
    /// What people call it.
    pub name: SingleLine,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// The digest of its text.
    pub digest: KeyDigest,
}

/// The SHA-256 of a key's text. The text holds 256 random bits, so a plain digest does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyDigest(pub [u8; 32]);

/// What no id can hold, between the parts of a key's text.
const KEY_SEPARATOR: char = '~';

/// How a key's text begins, so that one that leaks is recognised.
const KEY_PREFIX: &str = "rgl";

/// The text of a key: whose it is, which, and its secret.
#[must_use]
pub fn format_key(org: &OrgId, id: &KeyId, secret: &str) -> String {
    format!("{KEY_PREFIX}{KEY_SEPARATOR}{org}{KEY_SEPARATOR}{id}{KEY_SEPARATOR}{secret}")
}

/// Whose key a text says it is, and which: nothing of it is believed yet.
#[must_use]
pub fn parse_key(text: &str) -> Option<(OrgId, KeyId)> {
    let mut parts = text.split(KEY_SEPARATOR);
    let (prefix, org, id, secret) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if prefix != KEY_PREFIX || secret.is_empty() || parts.next().is_some() {
        return None;
    }
    Some((org.to_owned().try_into().ok()?, id.to_owned().try_into().ok()?))
}
