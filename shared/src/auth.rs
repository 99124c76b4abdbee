//! Credentials, and the permissions of their holders.
//!
//! Everything here is pure. The host reads the configured secret, the stored key and the presented credential.

use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::domain::{
    ids::OrgId,
    org_key::{self, KeyDigest, KeyReference, KeyScope, KeyVerifier},
    rejection::Rejection,
};

/// The deployment's secret, as a digest. The secret can be compared but not read, and the time of a comparison does not
/// reveal the secret's length.
#[derive(Clone)]
pub struct DeploymentSecret([u8; 32]);

/// Why a text cannot be the deployment's secret. Each message is the end of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSecret {
    /// The secret is empty, so a request with an empty secret would be accepted.
    #[error("is empty")]
    Empty,
    /// The secret has the form of an org key, so a request that presents it would be checked as an org key.
    #[error("has the form of an org's key")]
    OrgKeyForm,
}

impl DeploymentSecret {
    /// The digest of the text that callers present.
    pub fn new(secret: &str) -> Result<Self, InvalidSecret> {
        match org_key::parse_key(secret) {
            _ if secret.is_empty() => Err(InvalidSecret::Empty),
            Some(_) => Err(InvalidSecret::OrgKeyForm),
            None => Ok(Self(digest(secret))),
        }
    }

    /// Whether a request presents this secret. The comparison takes constant time.
    #[must_use]
    pub fn matches(&self, presented: &PresentedSecret) -> bool {
        self.0.ct_eq(&presented.0).into()
    }
}

/// How long the previous secret is accepted after a rotation.
pub const PREVIOUS_SECRET_TTL: Duration = Duration::from_mins(10);

/// The age at which a process reads the secret again.
pub const SECRET_MAX_AGE: Duration = Duration::from_mins(5);

/// The shortest time between two reads for the same reason. It bounds the reads that wrong secrets or a failing service
/// can cause.
pub const READ_INTERVAL_MIN: Duration = Duration::from_secs(5);

/// A deployment's secret that may be rotated while a process runs. It decides which secrets are accepted, and when the
/// secret is read again. Instants come from a monotonic clock.
#[derive(Default)]
pub struct SecretRotation {
    current: Option<DeploymentSecret>,
    /// The previous secret, and the instant until which it is accepted.
    previous: Option<(DeploymentSecret, Instant)>,
    last_read: Option<Instant>,
    last_attempt: Option<Instant>,
    /// Separate from `last_attempt`, so that a new secret is accepted at once, even right after a read for another
    /// reason.
    last_attempt_for_unknown: Option<Instant>,
}

/// The verdict on a presented secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretCheck {
    /// The secret is accepted.
    pub is_accepted: bool,
    /// The process should read the secret again before it answers.
    pub is_read_due: bool,
}

impl SecretRotation {
    /// Checks a presented secret.
    #[must_use]
    pub fn check(&self, presented: &PresentedSecret, now: Instant) -> SecretCheck {
        let is_current = self.current.as_ref().is_some_and(|current| current.matches(presented));
        let is_previous =
            self.previous.as_ref().is_some_and(|(previous, until)| now < *until && previous.matches(presented));
        let is_accepted = is_current | is_previous;
        let has_passed =
            |since: Option<Instant>, limit| since.is_none_or(|since| now.saturating_duration_since(since) >= limit);
        let is_read_due = match (&self.current, is_accepted) {
            (None, _) => has_passed(self.last_attempt, READ_INTERVAL_MIN),
            (Some(_), false) => has_passed(self.last_attempt_for_unknown, READ_INTERVAL_MIN),
            (Some(_), true) => {
                has_passed(self.last_read, SECRET_MAX_AGE) && has_passed(self.last_attempt, READ_INTERVAL_MIN)
            }
        };
        SecretCheck { is_accepted, is_read_due }
    }

    /// Records that a read begins, and the check that caused the read.
    pub fn begin_read(&mut self, check: SecretCheck, now: Instant) {
        self.last_attempt = Some(now);
        if self.current.is_some() && !check.is_accepted {
            self.last_attempt_for_unknown = Some(now);
        }
    }

    /// Whether the previous secret must be read too. `age` is the time since the current secret was created, `None` if
    /// unknown.
    #[must_use]
    pub fn needs_previous(&self, current: &DeploymentSecret, age: Option<Duration>) -> bool {
        self.previous_ttl(current, age).is_some()
    }

    /// How long the previous secret is accepted from now on, or `None` if this read changes nothing.
    ///
    /// A process that has read another secret before counts from now. A process without an earlier secret counts from
    /// the creation of the current secret, so it needs `age`.
    fn previous_ttl(&self, current: &DeploymentSecret, age: Option<Duration>) -> Option<Duration> {
        match &self.current {
            Some(known) if bool::from(known.0.ct_eq(&current.0)) => None,
            Some(_) => Some(PREVIOUS_SECRET_TTL),
            None => PREVIOUS_SECRET_TTL.checked_sub(age?).filter(|left| !left.is_zero()),
        }
    }

    /// Records a read: the current secret, the time since its creation, and the previous secret if it was needed and
    /// exists.
    ///
    /// No other secret is accepted from now on, so a secret is rejected after two rotations.
    pub fn complete_read(
        &mut self,
        current: DeploymentSecret,
        age: Option<Duration>,
        previous: Option<DeploymentSecret>,
        now: Instant,
    ) {
        if let Some(ttl) = self.previous_ttl(&current, age) {
            let previous = previous.or_else(|| self.current.take());
            self.previous = previous.map(|previous| (previous, now + ttl));
        }
        self.current = Some(current);
        self.last_read = Some(now);
    }
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// The digest of an org key, as it is stored.
#[must_use]
pub fn key_digest(text: &str) -> KeyDigest {
    KeyDigest(digest(text))
}

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// The caller presented the deployment's secret and may act for every org.
    Deployment,
    /// IAM authorized a direct invocation, a schedule or an event. The caller may act for every org.
    Iam,
    /// The caller presented a key of this org and may act for this org only. Operations of the deployment, and
    /// operations that the scope does not include, are rejected.
    Org {
        /// The org of the key.
        org: OrgId,
        /// The scope of the key.
        scope: KeyScope,
    },
}

impl Caller {
    /// The scope of the caller's org key, if the caller presented one.
    #[must_use]
    pub const fn scope(&self) -> Option<KeyScope> {
        match self {
            Self::Org { scope, .. } => Some(*scope),
            Self::Deployment | Self::Iam => None,
        }
    }

    /// Rejects an operation that the caller's org key may not call. `scopes` are the scopes whose keys may call the
    /// operation. If there are none, only the deployment may call the operation.
    pub fn authorize_operation(&self, scopes: &'static [KeyScope]) -> Result<(), Rejection> {
        match self {
            Self::Org { .. } if scopes.is_empty() => Err(Rejection::OtherOrg),
            Self::Org { scope, .. } if !scopes.contains(scope) => {
                Err(Rejection::ScopeNotAllowed { scope: *scope, allowed: scopes })
            }
            Self::Deployment | Self::Iam | Self::Org { .. } => Ok(()),
        }
    }

    /// Rejects a call that names an org for which the caller may not act, or whose cursor belongs to another org.
    ///
    /// `named` yields every org in the path, the query and the body. `cursor_org` is the org that the cursor was issued
    /// for.
    pub fn authorize_orgs<'a>(
        &self,
        mut named: impl Iterator<Item = &'a str> + Clone,
        cursor_org: Option<&str>,
    ) -> Result<(), Rejection> {
        let names_other = |own: &str| named.clone().any(|org| org != own);
        let is_other_org = match self {
            Self::Deployment | Self::Iam => false,
            Self::Org { org, .. } => names_other(org.as_str()),
        };
        let is_other_cursor = cursor_org.is_some_and(|cursor_org| named.any(|org| org != cursor_org));
        if is_other_org || is_other_cursor { Err(Rejection::OtherOrg) } else { Ok(()) }
    }
}

/// A credential that a request presents. It is not verified yet.
pub enum PresentedCredential {
    /// A text that may be the deployment's secret.
    Secret(PresentedSecret),
    /// A text with the form of an org key.
    Key(PresentedKey),
}

/// The digest of a text that may be the deployment's secret.
pub struct PresentedSecret([u8; 32]);

/// A presented org key.
pub struct PresentedKey {
    /// The key that the text claims to be.
    pub reference: KeyReference,
    digest: [u8; 32],
}

/// The credential in an `Authorization` header.
pub fn parse_authorization(authorization: Option<&str>) -> Result<PresentedCredential, Rejection> {
    let (scheme, text) = authorization.and_then(|header| header.split_once(' ')).ok_or(Rejection::Unauthorized)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Rejection::Unauthorized);
    }
    let (text, digest) = (text.trim(), digest(text.trim()));
    Ok(match org_key::parse_key(text) {
        Some(reference) => PresentedCredential::Key(PresentedKey { reference, digest }),
        None => PresentedCredential::Secret(PresentedSecret(digest)),
    })
}

impl PresentedKey {
    /// The caller, if the presented key has the stored digest.
    ///
    /// A wrong key and an unknown key take the same time.
    pub fn verify(self, stored: Option<KeyVerifier>) -> Result<Caller, Rejection> {
        let KeyDigest(digest) = stored.map_or(KeyDigest([0; 32]), |stored| stored.digest);
        let is_equal = bool::from(digest.ct_eq(&self.digest));
        match stored {
            Some(KeyVerifier { scope, .. }) if is_equal => Ok(Caller::Org { org: self.reference.org, scope }),
            _ => Err(Rejection::Unauthorized),
        }
    }
}
