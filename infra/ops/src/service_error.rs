//! Errors of requests to AWS services, each on one line.

use std::error::Error;

use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};

/// A failed request to a service.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct ServiceError {
    pub(crate) kind: ServiceErrorKind,
    message: String,
}

/// The consequence of a failed request for other requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServiceErrorKind {
    /// The requested resource does not exist.
    NotFound,
    /// Only this request is rejected, or it may succeed later.
    RequestFailed,
    /// Every other request would fail too.
    AccountUnusable,
}

impl ServiceError {
    /// Converts the error of a request to a service in this region.
    pub(crate) fn of<E>(service: &str, region: &str, error: &SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        match error {
            SdkError::ServiceError(answer) => {
                let service_error = answer.err();
                let message =
                    service_error.message().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
                let status = answer.raw().status();
                classify(service, service_error.code().unwrap_or_default(), status.as_u16(), &message)
            }
            SdkError::TimeoutError(_) => ServiceError {
                kind: ServiceErrorKind::RequestFailed,
                message: format!("{service} in {region} did not answer in time"),
            },
            error => ServiceError {
                kind: ServiceErrorKind::AccountUnusable,
                message: format!("{service} in {region} can't be reached: {}", root_cause(error)),
            },
        }
    }

    /// Replaces the message if the resource does not exist.
    pub(crate) fn with_not_found(self, not_found: impl FnOnce() -> String) -> Self {
        if self.kind == ServiceErrorKind::NotFound { Self { message: not_found(), ..self } } else { self }
    }
}

impl From<String> for ServiceError {
    /// An error that concerns one request only.
    fn from(message: String) -> Self {
        Self { kind: ServiceErrorKind::RequestFailed, message }
    }
}

/// Classifies the error answer of a service by its code.
fn classify(service: &str, code: &str, status: u16, message: &str) -> ServiceError {
    let (kind, message) = match code {
        // SQS has an older and a newer code for a missing queue.
        "ResourceNotFoundException"
        | "StateMachineDoesNotExist"
        | "QueueDoesNotExist"
        | "AWS.SimpleQueueService.NonExistentQueue" => (ServiceErrorKind::NotFound, format!("{service}: {message}")),
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => (
            ServiceErrorKind::AccountUnusable,
            format!("the credentials have expired: sign in again ({service}: {message})"),
        ),
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "InvalidAccessKeyId"
        | "MissingAuthenticationToken" => {
            (ServiceErrorKind::AccountUnusable, format!("the credentials are not valid ({service}: {message})"))
        }
        _ if code.starts_with("AccessDenied") => (ServiceErrorKind::AccountUnusable, format!("not allowed: {message}")),
        "" => (ServiceErrorKind::RequestFailed, format!("{service} answered {status} {message}").trim_end().to_owned()),
        _ => (ServiceErrorKind::RequestFailed, format!("{service} answered {status} {code}: {message}")),
    };
    ServiceError { kind, message }
}

/// The first line of an error's deepest cause. The outer errors of the SDK only report that a request failed.
pub(crate) fn root_cause(error: &(dyn Error + 'static)) -> String {
    let cause = anyhow::Chain::new(error).last().map(ToString::to_string).unwrap_or_default();
    cause.lines().next().unwrap_or_default().trim_end_matches(['.', ' ']).to_owned()
}
