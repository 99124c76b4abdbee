//! Who is calling: pure, from what is configured and what a request shows.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::domain::rejection::Rejection;

/// The deployment's secret, kept as a digest: it can be compared with, not read, and its length does not show in the
/// time that a comparison takes.
#[derive(Clone)]
pub struct DeploymentSecret([u8; 32]);

impl DeploymentSecret {
    /// From the text callers send.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self(Sha256::digest(secret).into())
    }

    fn is(&self, shown: &str) -> bool {
        let shown: [u8; 32] = Sha256::digest(shown).into();
        self.0.ct_eq(&shown).into()
    }
}

/// Who may do what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Holds the deployment's secret: may act for every org.
    Deployment,
    /// Was let in by IAM, as a direct invocation, a schedule or an event: may act for every org.
    Iam,
}

/// The caller of an HTTP request, by its `Authorization` header.
pub fn caller(secret: &DeploymentSecret, authorization: Option<&str>) -> Result<Caller, Rejection> {
    let (scheme, shown) = authorization.and_then(|header| header.split_once(' ')).ok_or(Rejection::Unauthorized)?;
    if scheme.eq_ignore_ascii_case("bearer") && secret.is(shown.trim()) {
        return Ok(Caller::Deployment);
    }
    Err(Rejection::Unauthorized)
}
