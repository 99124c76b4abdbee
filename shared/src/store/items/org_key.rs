//! The stored form of an org key. Only a digest of the key is stored.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::values::if_known;
use crate::domain::{
    ids::KeyId,
    org_key::{KeyDigest, KeyScope, KeyVerifier, OrgKey},
    text::SingleLine,
    time,
};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct OrgKeyForm {
    key_id: KeyId,
    name: SingleLine,
    #[serde(serialize_with = "time::serialize")]
    created_at: DateTime<Utc>,
    digest: [u8; 32],
    /// `None` if this release does not know the scope. The previous release wrote no scope.
    #[serde(default = "scope_if_absent", deserialize_with = "if_known")]
    scope: Option<KeyScope>,
}

/// The scope of a key of the previous release.
#[expect(clippy::unnecessary_wraps, reason = "the default of a field has the type of the field")]
const fn scope_if_absent() -> Option<KeyScope> {
    Some(KeyScope::Manage)
}

impl From<&OrgKey> for OrgKeyForm {
    fn from(key: &OrgKey) -> Self {
        let OrgKey { id, name, scope, created_at, digest } = key.clone();
        Self { key_id: id, name, created_at, digest: digest.0, scope: Some(scope) }
    }
}

impl TryFrom<OrgKeyForm> for OrgKey {
    type Error = &'static str;

    fn try_from(form: OrgKeyForm) -> Result<Self, Self::Error> {
        let OrgKeyForm { key_id, name, created_at, digest, scope } = form;
        let scope = scope.ok_or("the scope is not known")?;
        Ok(Self { id: key_id, name, scope, created_at, digest: KeyDigest(digest) })
    }
}

/// A key whose scope is not known verifies nothing.
impl TryFrom<OrgKeyForm> for Option<KeyVerifier> {
    type Error = &'static str;

    fn try_from(form: OrgKeyForm) -> Result<Self, Self::Error> {
        let OrgKeyForm { digest, scope, .. } = form;
        Ok(scope.map(|scope| KeyVerifier { digest: KeyDigest(digest), scope }))
    }
}
