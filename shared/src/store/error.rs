//! What can go wrong between here and the table, and what it means to a caller.

use std::fmt::Display;

use aws_sdk_dynamodb::{
    error::{BuildError, DisplayErrorContext, ProvideErrorMetadata, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
    types::CancellationReason,
};

/// Why an operation on the store did not succeed. Nothing was written, unless the answer itself was lost: then a retry
/// finds the record of what was.
#[derive(Debug)]
pub enum StoreError {
    /// Somebody else wrote first, or is writing now: load again and decide again.
    Contended,
    /// Throttled, unreachable or failing beyond the client's own retries: later may be better.
    Unavailable(String),
    /// A position that no page of this list gave.
    Position,
    /// Ours to mend: a request that `DynamoDB` refuses, or an item that can't be read.
    Broken(String),
}

impl StoreError {
    /// An item that is not what was written.
    pub(super) fn unreadable(what: &str, why: impl Display) -> Self {
        Self::Broken(format!("{what} can't be read: {why}"))
    }
}

impl From<BuildError> for StoreError {
    fn from(error: BuildError) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<serde_dynamo::Error> for StoreError {
    fn from(error: serde_dynamo::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

/// Codes by which the service says that the same request may do later.
const PASSING: [&str; 8] = [
    "InternalServerError",
    "ItemCollectionSizeLimitExceededException",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ReplicatedWriteConflictException",
    "ServiceUnavailable",
    "ThrottlingException",
];

impl<E, R> From<SdkError<E, R>> for StoreError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    fn from(error: SdkError<E, R>) -> Self {
        let text = DisplayErrorContext(&error).to_string();
        match &error {
            SdkError::ServiceError(service) => {
                let code = service.err().code();
                if code.is_none_or(|code| PASSING.contains(&code)) {
                    Self::Unavailable(text)
                } else {
                    Self::Broken(text)
                }
            }
            SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
                Self::Unavailable(text)
            }
            _ => Self::Broken(text),
        }
    }
}

/// Reads a failed transaction reason by reason. A condition that failed is an answer (a duplicate, a stale version); a
/// conflict or throttling passes; anything else is a failure.
pub(super) fn of_transaction<R>(error: SdkError<TransactWriteItemsError, R>) -> StoreError
where
    R: std::fmt::Debug + Send + Sync + 'static,
{
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
