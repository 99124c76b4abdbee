//! What can go wrong between here and the table, and what it means to a caller.

use std::{borrow::Cow, error::Error, fmt::Display};

use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::{BuildError, ProvideErrorMetadata, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
    types::CancellationReason,
};

use crate::error::{InternalError, Unavailable};

/// Why an operation on the store did not succeed. Nothing was written, unless the answer itself was lost. Then a retry finds
/// the record of the write.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Another writer was first, or is writing now. The caller loads and decides again.
    #[error("another writer was first")]
    Contended,
    /// `DynamoDB` is throttled, unreachable or failing beyond the client's own retries. A later attempt may succeed.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// A position that no page of this list returned.
    #[error("the position is not one of this list")]
    InvalidPosition,
    /// A request that `DynamoDB` rejects, or an item that cannot be read.
    #[error(transparent)]
    Broken(#[from] InternalError),
}

impl StoreError {
    /// An item, or a part of one, that does not have its form.
    #[track_caller]
    pub(super) fn unreadable(what: &str, why: impl Display) -> Self {
        Self::Broken(InternalError::new(format!("{what} cannot be read: {why}")))
    }

    /// A fault of the store's own code or data.
    #[track_caller]
    pub(super) fn broken(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Broken(InternalError::new(message))
    }

    /// The fault that an item cannot be read for.
    pub(super) fn into_internal(self) -> InternalError {
        match self {
            Self::Broken(error) => error,
            error => InternalError::caused_by("the item was not read", error),
        }
    }
}

impl From<BuildError> for StoreError {
    fn from(error: BuildError) -> Self {
        Self::Broken(InternalError::caused_by("a request lacks a part", error))
    }
}

impl From<serde_dynamo::Error> for StoreError {
    fn from(error: serde_dynamo::Error) -> Self {
        Self::Broken(InternalError::caused_by("a value cannot be written as an item", error))
    }
}

/// Codes by which the service says that the same request may do later, beside every 5xx.
const PASSING: [&str; 4] =
    ["LimitExceededException", "ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"];

impl<E> From<SdkError<E, HttpResponse>> for StoreError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        let passes = match &error {
            SdkError::ServiceError(service) => match service.err().code() {
                Some("TransactionConflictException") => return Self::Contended,
                Some(code) if PASSING.contains(&code) => true,
                _ => service.raw().status().is_server_error(),
            },
            SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => true,
            _ => false,
        };
        if passes {
            Self::Unavailable(Unavailable::caused_by("DynamoDB is unavailable", error))
        } else {
            Self::Broken(InternalError::caused_by("DynamoDB rejected a request", error))
        }
    }
}

/// Reads a failed transaction reason by reason. A condition that failed is an answer (a duplicate, a stale version); a
/// conflict or throttling passes; anything else is a failure.
pub(super) fn of_transaction(error: SdkError<TransactWriteItemsError, HttpResponse>) -> StoreError {
    let cancelled = match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionInProgressException(_)) => return StoreError::Contended,
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => cancelled,
        _ => return error.into(),
    };
    let codes = cancelled.cancellation_reasons().iter().filter_map(CancellationReason::code);
    let causes: Vec<_> = codes.filter(|code| *code != "None").collect();
    let passes = |code: &str| {
        matches!(
            code,
            "ConditionalCheckFailed" | "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded"
        )
    };
    if !causes.is_empty() && causes.iter().all(|code| passes(code)) {
        return StoreError::Contended;
    }
    error.into()
}
