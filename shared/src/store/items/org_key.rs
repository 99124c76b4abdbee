//! The stored form of an org key. Only a digest of the key is stored.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::{
    ids::KeyId,
    org_key::{KeyDigest, OrgKey},
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
}

impl From<&OrgKey> for OrgKeyForm {
    fn from(key: &OrgKey) -> Self {
        let OrgKey { id, name, created_at, digest } = key.clone();
        Self { key_id: id, name, created_at, digest: digest.0 }
    }
}

impl TryFrom<OrgKeyForm> for OrgKey {
    type Error = &'static str;

    fn try_from(form: OrgKeyForm) -> Result<Self, Self::Error> {
        let OrgKeyForm { key_id, name, created_at, digest } = form;
        Ok(Self { id: key_id, name, created_at, digest: KeyDigest(digest) })
    }
}
