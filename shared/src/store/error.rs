//! What can go wrong between here and the table, and what it means to a caller.

use std::fmt::Display;

use aws_sdk_dynamodb::{
    config::http::HttpResponse,
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

/// Codes by which the service says that the same request may do later, beside every 5xx.
const PASSING: [&str; 4] =
    ["LimitExceededException", "ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"];

impl<E> From<SdkError<E, HttpResponse>> for StoreError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        let text = DisplayErrorContext(&error).to_string();
        match &error {
            SdkError::ServiceError(service) => match service.err().code() {
                Some("TransactionConflictException") => Self::Contended,
                Some(code) if PASSING.contains(&code) => Self::Unavailable(text),
                _ if service.raw().status().is_server_error() => Self::Unavailable(text),
                _ => Self::Broken(text),
            },
            SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
                Self::Unavailable(text)
            }
            _ => Self::Broken(text),
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
