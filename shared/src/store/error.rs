//! The errors of the store, and how the errors of the client become errors of the store.

use std::{borrow::Cow, error::Error, fmt::Display};

use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::{BuildError, ProvideErrorMetadata, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
    types::CancellationReason,
};

use crate::error::{InternalError, Unavailable};

/// Why an operation on the store failed. Nothing was written, unless only the response was lost. In that case, a retry
/// finds the record of the write.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Another writer was first, or is writing now. The caller loads again and decides again.
    #[error("another writer was first")]
    Contended,
    /// `DynamoDB` is throttled, unreachable or failing beyond the client's own retries. A later attempt may succeed.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The position is not a position of this list.
    #[error("the position is not one of this list")]
    InvalidPosition,
    /// `DynamoDB` rejects a request, or an item cannot be read.
    #[error(transparent)]
    Broken(#[from] InternalError),
}

impl StoreError {
    /// An item, or an attribute of an item, cannot be read. `record` names it.
    #[track_caller]
    pub(super) fn unreadable(record: &str, reason: impl Display) -> Self {
        Self::Broken(InternalError::new(format!("{record} cannot be read: {reason}")))
    }

    /// A fault of the store's code or of its stored data.
    #[track_caller]
    pub(super) fn broken(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Broken(InternalError::new(message))
    }

    /// The fault that makes an item unreadable.
    pub(super) fn into_internal(self) -> InternalError {
        match self {
            Self::Broken(error) => error,
            error => InternalError::caused_by("the item was not read", error),
        }
    }
}

impl From<BuildError> for StoreError {
    #[track_caller]
    fn from(error: BuildError) -> Self {
        Self::Broken(InternalError::caused_by("a request lacks a part", error))
    }
}

impl From<serde_dynamo::Error> for StoreError {
    #[track_caller]
    fn from(error: serde_dynamo::Error) -> Self {
        Self::Broken(InternalError::caused_by("a value cannot be written as an item", error))
    }
}

/// The codes with which `DynamoDB` asks for the same request later. Every 5xx is transient too.
const TRANSIENT_CODES: [&str; 4] =
    ["LimitExceededException", "ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"];

impl<E> From<SdkError<E, HttpResponse>> for StoreError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    #[track_caller]
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        let is_transient = match &error {
            SdkError::ServiceError(service) => match service.err().code() {
                Some("TransactionConflictException") => return Self::Contended,
                Some(code) if TRANSIENT_CODES.contains(&code) => true,
                _ => service.raw().status().is_server_error(),
            },
            SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => true,
            _ => false,
        };
        if is_transient {
            Self::Unavailable(Unavailable::caused_by("DynamoDB is unavailable", error))
        } else {
            Self::Broken(InternalError::caused_by("DynamoDB rejected a request", error))
        }
    }
}

/// Converts the error of a transaction by the reasons of its cancellation. A failed condition means a duplicate or a
/// stale version. A conflict or throttling is transient. A cancellation for any other reason is a fault.
pub(super) fn transaction_error(error: SdkError<TransactWriteItemsError, HttpResponse>) -> StoreError {
    let cancelled = match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionInProgressException(_)) => return StoreError::Contended,
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => cancelled,
        _ => return error.into(),
    };
    let codes = cancelled.cancellation_reasons().iter().filter_map(CancellationReason::code);
    let reasons: Vec<_> = codes.filter(|code| *code != "None").collect();
    let is_contention = |code: &str| {
        matches!(
            code,
            "ConditionalCheckFailed" | "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded"
        )
    };
    if !reasons.is_empty() && reasons.iter().all(|code| is_contention(code)) {
        return StoreError::Contended;
    }
    error.into()
}
