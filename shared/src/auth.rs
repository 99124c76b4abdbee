//! Who is calling: pure, from what is configured, what is kept and what a request shows.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::domain::{
    ids::{KeyId, OrgId},
    key::{self, KeyDigest},
    rejection::Rejection,
};

/// The deployment's secret, kept as a digest: it can be compared with, not read, and its length does not show in the
/// time that a comparison takes.
#[derive(Clone)]
pub struct DeploymentSecret([u8; 32]);

impl DeploymentSecret {
    /// From the text callers send.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self(digest(secret))
    }
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// The digest by which a key is kept.
#[must_use]
pub fn key_digest(text: &str) -> KeyDigest {
    KeyDigest(digest(text))
}

/// Who may do what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Holds the deployment's secret: may act for every org.
    Deployment,
    /// Was let in by IAM, as a direct invocation, a schedule or an event: may act for every org.
    Iam,
    /// Holds a key of this org: may act for it alone, and not on what is the deployment's.
    Org(OrgId),
}

/// What a request shows.
#[derive(Debug)]
pub enum Shown {
    /// The deployment's secret.
    Deployment,
    /// Something that names a key; whether it is that key is still to be seen.
    Key(ShownKey),
}

/// Something that names a key.
#[derive(Debug)]
pub struct ShownKey {
    /// Whose key it says it is.
    pub org: OrgId,
    /// Which key it says it is.
    pub id: KeyId,
    digest: [u8; 32],
}

/// What a request shows by its `Authorization` header.
pub fn shown(secret: &DeploymentSecret, authorization: Option<&str>) -> Result<Shown, Rejection> {
    let (scheme, text) = authorization.and_then(|header| header.split_once(' ')).ok_or(Rejection::Unauthorized)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Rejection::Unauthorized);
    }
    let (text, digest) = (text.trim(), digest(text.trim()));
    if bool::from(secret.0.ct_eq(&digest)) {
        return Ok(Shown::Deployment);
    }
    let (org, id) = key::parts(text).ok_or(Rejection::Unauthorized)?;
    Ok(Shown::Key(ShownKey { org, id, digest }))
}

impl ShownKey {
    /// Who shows it, if it is the key that is `kept`. One that is wrong and one that nobody made are compared alike.
    pub fn caller(self, kept: Option<KeyDigest>) -> Result<Caller, Rejection> {
        let is_kept = kept.is_some();
        let KeyDigest(kept) = kept.unwrap_or(KeyDigest([0; 32]));
        let is_same = bool::from(kept.ct_eq(&self.digest));
        if is_kept && is_same { Ok(Caller::Org(self.org)) } else { Err(Rejection::Unauthorized) }
    }
}
