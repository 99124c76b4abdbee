//! Who is calling: pure, from what is configured, what is kept and what a request shows.

use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::domain::{
    ids::{KeyId, OrgId},
    org_key::{self, KeyDigest},
    rejection::Rejection,
};

/// The deployment's secret, kept as a digest: it can be compared with, not read, and its length does not show in the
/// time that a comparison takes.
#[derive(Clone)]
pub struct DeploymentSecret([u8; 32]);

impl DeploymentSecret {
    /// From the text callers send, or why there can be no such secret, as the end of a sentence: nobody would be let in
    /// by what is taken for an org's key, and everybody by nothing.
    pub fn new(secret: &str) -> Result<Self, &'static str> {
        match org_key::parse_key(secret) {
            _ if secret.is_empty() => Err("is empty"),
            Some(_) => Err("has the form of an org's key"),
            None => Ok(Self(digest(secret))),
        }
    }

    /// Whether it is what a request shows.
    #[must_use]
    pub fn matches(&self, presented: &PresentedSecret) -> bool {
        self.0.ct_eq(&presented.0).into()
    }
}

/// How long the secret before the current one is accepted.
pub const PREVIOUS_SECRET_TTL: Duration = Duration::from_mins(10);

/// How long a process does without looking whether there is another secret.
pub const SECRET_MAX_AGE: Duration = Duration::from_mins(5);

/// Between two reads, so that nobody can have a process ask without end, by what they show or because it gets no answer.
pub const READ_INTERVAL_MIN: Duration = Duration::from_secs(5);

/// The deployment's secret where it may be rotated while a process runs: what the process knows of it, and when it is to
/// be read again. Instants are by a clock that only goes forward.
#[derive(Default)]
pub struct SecretRotation {
    current: Option<DeploymentSecret>,
    /// The one before, and until when it is accepted.
    previous: Option<(DeploymentSecret, Instant)>,
    last_read: Option<Instant>,
    last_attempt: Option<Instant>,
    /// Apart, so that what is new is taken up at once, however lately it was read for another reason.
    last_attempt_for_unknown: Option<Instant>,
}

/// What a process makes of a secret that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretCheck {
    /// It is accepted.
    pub is_accepted: bool,
    /// The process should read what there is before it answers.
    pub is_read_due: bool,
}

impl SecretRotation {
    /// What to make of what is shown now.
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

    /// It is being read now, because of such a look.
    pub fn begin_read(&mut self, check: SecretCheck, now: Instant) {
        self.last_attempt = Some(now);
        if self.current.is_some() && !check.is_accepted {
            self.last_attempt_for_unknown = Some(now);
        }
    }

    /// Whether the one before is to be read too, when this one turns out to be current, and made so long ago.
    #[must_use]
    pub fn needs_previous(&self, current: &DeploymentSecret, age: Option<Duration>) -> bool {
        self.previous_ttl(current, age).is_some()
    }

    /// How long the one before is accepted from now on, if that is news. A process that knew another counts from now; one
    /// that knew none, from when the current one was made, which has to be told.
    fn previous_ttl(&self, current: &DeploymentSecret, age: Option<Duration>) -> Option<Duration> {
        match &self.current {
            Some(known) if bool::from(known.0.ct_eq(&current.0)) => None,
            Some(_) => Some(PREVIOUS_SECRET_TTL),
            None => PREVIOUS_SECRET_TTL.checked_sub(age?).filter(|left| !left.is_zero()),
        }
    }

    /// This is what was read: the current one, how long ago it was made, and the one before it, if it was wanted and there
    /// is one. Whatever else was accepted is not any more, so that two rotations shut a secret out.
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

impl Caller {
    /// Whether an operation is this caller's to ask for: a key does not do what is the deployment's.
    pub const fn authorize_operation(&self, deployment_only: bool) -> Result<(), Rejection> {
        match self {
            Self::Org(_) if deployment_only => Err(Rejection::OtherOrg),
            Self::Deployment | Self::Iam | Self::Org(_) => Ok(()),
        }
    }

    /// Whether the orgs that a call names, wherever it does, and the org that its cursor was given for, are this caller's, and
    /// the cursor that of the org.
    pub fn authorize_orgs<'a>(
        &self,
        mut named: impl Iterator<Item = &'a str> + Clone,
        cursor_org: Option<&str>,
    ) -> Result<(), Rejection> {
        let names_other = |own: &str| named.clone().any(|org| org != own);
        let is_other_org = match self {
            Self::Deployment | Self::Iam => false,
            Self::Org(own) => names_other(own.as_str()),
        };
        let is_other_cursor = cursor_org.is_some_and(|cursor_org| named.any(|org| org != cursor_org));
        if is_other_org || is_other_cursor { Err(Rejection::OtherOrg) } else { Ok(()) }
    }
}

/// What a request shows; whether it is right is still to be seen.
pub enum PresentedCredential {
    /// Something that may be the deployment's secret.
    Secret(PresentedSecret),
    /// Something that names a key.
    Key(PresentedKey),
}

/// Something that may be the deployment's secret.
pub struct PresentedSecret([u8; 32]);

/// Something that names a key.
pub struct PresentedKey {
    /// Whose key it says it is.
    pub org: OrgId,
    /// Which key it says it is.
    pub id: KeyId,
    digest: [u8; 32],
}

/// What a request shows by its `Authorization` header.
pub fn parse_authorization(authorization: Option<&str>) -> Result<PresentedCredential, Rejection> {
    let (scheme, text) = authorization.and_then(|header| header.split_once(' ')).ok_or(Rejection::Unauthorized)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Rejection::Unauthorized);
    }
    let (text, digest) = (text.trim(), digest(text.trim()));
    Ok(match org_key::parse_key(text) {
        Some((org, id)) => PresentedCredential::Key(PresentedKey { org, id, digest }),
        None => PresentedCredential::Secret(PresentedSecret(digest)),
    })
}

impl PresentedKey {
    /// Who shows it, if it is the key that is `kept`. One that is wrong and one that nobody made are compared alike.
    pub fn verify(self, stored: Option<KeyDigest>) -> Result<Caller, Rejection> {
        let exists = stored.is_some();
        let KeyDigest(stored) = stored.unwrap_or(KeyDigest([0; 32]));
        let is_equal = bool::from(stored.ct_eq(&self.digest));
        if exists && is_equal { Ok(Caller::Org(self.org)) } else { Err(Rejection::Unauthorized) }
    }
}
