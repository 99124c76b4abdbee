//! Keys that act for one org. A till or a shop's own server uses such a key instead of the deployment's secret.

use chrono::{DateTime, Utc};

use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

use crate::domain::{
    ids::{KeyId, OrgId},
    names::named,
    text::SingleLine,
};

/// What the holder of a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, EnumString, IntoStaticStr, VariantArray, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum KeyScope {
    /// Every operation that org keys may call.
    #[default]
    Manage,
    /// Operations that change nothing.
    Read,
    /// The operations of a checkout: quotes, options, eligibility, redemptions and their voids.
    Till,
}

named!(KeyScope);

/// A key as it is stored. The stored digest verifies a key but does not reveal it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgKey {
    /// The id, unique within its org.
    pub id: KeyId,
    /// The name for people.
    pub name: SingleLine,
    /// When the key was created.
    pub created_at: DateTime<Utc>,
    /// The digest of the key's text.
    pub digest: KeyDigest,
}

/// The SHA-256 digest of a key's text. The text contains 256 random bits, so a digest without salt is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyDigest(pub [u8; 32]);

/// The separator of the parts of a key's text. No id contains it.
const KEY_SEPARATOR: char = '~';

/// The prefix of a key's text, which identifies a leaked key.
const KEY_PREFIX: &str = "rgl";

/// The text of a key: the org, the id of the key and its secret.
#[must_use]
pub fn format_key(org: &OrgId, id: &KeyId, secret: &str) -> String {
    format!("{KEY_PREFIX}{KEY_SEPARATOR}{org}{KEY_SEPARATOR}{id}{KEY_SEPARATOR}{secret}")
}

/// The org and the key id that a text claims. The claim is not verified.
#[must_use]
pub fn parse_key(text: &str) -> Option<(OrgId, KeyId)> {
    let mut parts = text.split(KEY_SEPARATOR);
    let (prefix, org, id, secret) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if prefix != KEY_PREFIX || secret.is_empty() || parts.next().is_some() {
        return None;
    }
    Some((org.to_owned().try_into().ok()?, id.to_owned().try_into().ok()?))
}
