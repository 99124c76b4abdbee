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

impl KeyScope {
    /// Whether the holder may call every operation that org keys may call. A version without scopes knows this scope
    /// only, so a request for it names none.
    #[must_use]
    pub fn is_manage(&self) -> bool {
        *self == Self::Manage
    }
}

/// The kind of a key's text and of its item.
///
/// A version without scopes knows only keys of the kind `Manage`, and lets them do everything. Keys with a narrower
/// scope therefore have another text and another item, so that such a version rejects them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// Keys with the scope `manage`.
    Manage,
    /// Keys with any other scope.
    Scoped,
}

impl KeyKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Manage, Self::Scoped];

    /// The prefix of a key's text, which identifies a leaked key.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Manage => "rgl",
            Self::Scoped => "rgs",
        }
    }
}

impl KeyScope {
    /// The kind of the keys with this scope.
    #[must_use]
    pub const fn kind(self) -> KeyKind {
        match self {
            Self::Manage => KeyKind::Manage,
            Self::Read | Self::Till => KeyKind::Scoped,
        }
    }
}

/// The org, the id and the kind of a key. They identify its item.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyReference {
    /// The org of the key.
    pub org: OrgId,
    /// The id of the key.
    pub id: KeyId,
    /// The kind of the key.
    pub kind: KeyKind,
}

/// A key as it is stored. The stored digest verifies a key but does not reveal it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgKey {
    /// The id, unique within its org.
    pub id: KeyId,
    /// The name for people.
    pub name: SingleLine,
    /// What the holder may do.
    pub scope: KeyScope,
    /// When the key was created.
    pub created_at: DateTime<Utc>,
    /// The digest of the key's text.
    pub digest: KeyDigest,
}

/// The part of a stored key that decides about a request with the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyVerifier {
    /// The digest of the key's text.
    pub digest: KeyDigest,
    /// What the holder may do.
    pub scope: KeyScope,
}

/// The SHA-256 digest of a key's text. The text contains 256 random bits, so a digest without salt is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyDigest(pub [u8; 32]);

/// The separator of the parts of a key's text. No id contains it.
const KEY_SEPARATOR: char = '~';

/// The text of a key: the prefix of its kind, the org, the id of the key and its secret.
#[must_use]
pub fn format_key(KeyReference { org, id, kind }: &KeyReference, secret: &str) -> String {
    format!("{}{KEY_SEPARATOR}{org}{KEY_SEPARATOR}{id}{KEY_SEPARATOR}{secret}", kind.prefix())
}

/// The key that a text claims to be. The claim is not verified.
#[must_use]
pub fn parse_key(text: &str) -> Option<KeyReference> {
    let mut parts = text.split(KEY_SEPARATOR);
    let (prefix, org, id, secret) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if secret.is_empty() || parts.next().is_some() {
        return None;
    }
    let kind = KeyKind::ALL.into_iter().find(|kind| kind.prefix() == prefix)?;
    Some(KeyReference { org: org.to_owned().try_into().ok()?, id: id.to_owned().try_into().ok()?, kind })
}
