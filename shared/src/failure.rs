//! The reasons why a call fails: a rule rejected it, a later attempt may succeed, or the fault is internal.

use std::{borrow::Cow, time::Duration};

use crate::{
    clock::Deadline,
    domain::rejection::Rejection,
    error::{InternalError, Unavailable},
    retry::{self, Retryable},
    store::StoreError,
};

/// Every way in which a call can fail.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Failure {
    /// A rule rejected the call. Nothing was changed, and the same call is rejected again.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The store is contended, or a service is throttled or out of reach. A later attempt may succeed.
    #[error(transparent)]
    Retry(#[from] Retry),
    /// A fault of this program or of its data.
    #[error(transparent)]
    Internal(#[from] InternalError),
    /// No secret is configured, so no HTTP request can be authenticated.
    #[error(transparent)]
    NotConfigured(InternalError),
}

/// Why a later attempt may succeed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Retry {
    /// Another writer was first. The next attempt loads and decides again.
    #[error("another writer was first")]
    Contended,
    /// The store or another service does not respond, or asks the program to wait.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Retry {
    /// The name of the reason in log lines.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Contended => "Contended",
            Self::Unavailable(_) => "Unavailable",
        }
    }
}

impl Failure {
    /// A fault of this program that is detected at the place of this call.
    #[must_use]
    #[track_caller]
    pub fn internal(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Internal(InternalError::new(message))
    }

    /// A service that does not answer.
    #[must_use]
    pub fn unavailable(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Retry(Retry::Unavailable(Unavailable::new(message)))
    }

    /// The stable code in answers and metrics records.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Rejected(rejection) => rejection.code(),
            Self::Retry(_) => "try_again",
            Self::Internal(_) => "internal",
            Self::NotConfigured(_) => "not_configured",
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Contended => Self::Retry(Retry::Contended),
            StoreError::Unavailable(error) => Self::Retry(Retry::Unavailable(error)),
            StoreError::InvalidPosition => Self::Rejected(Rejection::InvalidCursor),
            StoreError::Broken(error) => Self::Internal(error),
        }
    }
}

/// Loads, decides and commits again after each conflict with another writer. Near the deadline it fails with
/// [`Retry::Contended`], and the caller retries.
pub async fn retry_conflicts<T, F>(deadline: Deadline, attempt: impl FnMut() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    const FIRST_PAUSE: Duration = Duration::from_millis(10);
    const PAUSE_MAX: Duration = Duration::from_millis(400);
    /// The time that another attempt may take.
    const ATTEMPT_RESERVE: Duration = Duration::from_millis(500);

    attempt
        .retry(retry::backoff(FIRST_PAUSE, PAUSE_MAX))
        .when(|failure| matches!(failure, Failure::Retry(Retry::Contended)))
        .adjust(|_, pause| pause.filter(|pause| deadline.remaining() >= *pause + ATTEMPT_RESERVE))
        .await
}

/// Retries conflicts for one item of a batch. The time limit for each item keeps one slow item from delaying the rest.
pub async fn retry_conflicts_within<T, F>(deadline: Deadline, attempt: impl FnMut() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    /// Longer than one attempt of the store's client, so that the client can retry once.
    const ITEM_TIME_MAX: Duration = Duration::from_secs(4);

    let deadline = deadline.capped(ITEM_TIME_MAX);
    let result = tokio::time::timeout(deadline.remaining(), retry_conflicts(deadline, attempt)).await;
    result.unwrap_or_else(|_| Err(Failure::unavailable("an item of a batch took too long")))
}
