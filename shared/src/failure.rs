//! Why a call did not succeed: a rule said no, it may succeed later, or the fault is ours.

use std::time::Duration;

use crate::{clock::Deadline, domain::rejection::Rejection, store::StoreError};

/// Every way not to succeed.
#[derive(Debug, Clone)]
pub enum Failure {
    /// A rule said no. Nothing was changed; asking again changes nothing.
    Rejected(Rejection),
    /// The store is contended, throttled or out of reach, or something else that is needed is: try again later.
    Retry(Retry),
    /// Ours to mend. The text is for the log, not for the caller.
    Internal(String),
    /// Ours to mend too: there is no secret by which anybody could be let in. The text is for the log.
    NotConfigured(String),
}

/// Why later may be better.
#[derive(Debug, Clone)]
pub enum Retry {
    /// Somebody else wrote first: load again and decide again.
    Contended,
    /// The store, or something else that is needed, does not answer, or says to wait.
    Unavailable(String),
}

impl Failure {
    /// The stable code, for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Rejected(rejection) => rejection.code(),
            Self::Retry(_) => "try_again",
            Self::Internal(_) => "internal",
            Self::NotConfigured(_) => "not_configured",
        }
    }
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Contended => Self::Retry(Retry::Contended),
            StoreError::Unavailable(why) => Self::Retry(Retry::Unavailable(why)),
            StoreError::Position => Self::Rejected(Rejection::InvalidCursor),
            StoreError::Broken(why) => Self::Internal(why),
        }
    }
}

/// Loads, decides and commits again for as long as others write first, with jittered pauses, until the deadline is
/// near; then it is for the caller to try again.
pub async fn retry_conflicts<T, F>(deadline: Deadline, mut attempt: impl FnMut() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    const PAUSE_MAX_MS: u64 = 400;
    /// What another attempt may take.
    const ATTEMPT_RESERVE: Duration = Duration::from_millis(500);

    let mut ceiling: u64 = 5;
    loop {
        match attempt().await {
            Err(Failure::Retry(Retry::Contended)) => {
                ceiling = ceiling.saturating_mul(2).min(PAUSE_MAX_MS);
                let pause = Duration::from_millis(fastrand::u64(0..=ceiling));
                if deadline.left() < pause + ATTEMPT_RESERVE {
                    return Err(Failure::Retry(Retry::Contended));
                }
                tokio::time::sleep(pause).await;
            }
            settled => return settled,
        }
    }
}

/// The same for one of many: it may not hold up the others that are worked on with it, and is given up in time.
pub async fn retry_conflicts_within<T, F>(deadline: Deadline, attempt: impl FnMut() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    /// Longer than the client waits for an answer before it asks again.
    const ITEM_TIME_MAX: Duration = Duration::from_secs(4);

    let deadline = deadline.at_most(ITEM_TIME_MAX);
    let settled = tokio::time::timeout(deadline.left(), retry_conflicts(deadline, attempt)).await;
    settled.unwrap_or_else(|_| Err(Failure::Retry(Retry::Unavailable("out of time for one of many".into()))))
}
