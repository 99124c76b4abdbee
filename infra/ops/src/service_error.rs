//! Why a request to a service failed, on one line.

use std::error::Error;

use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};

/// Why a request came to nothing.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct ServiceError {
    pub(crate) kind: ServiceErrorKind,
    message: String,
}

/// What that means for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServiceErrorKind {
    /// What it asked for is not there.
    NotFound,
    /// It is this request that is refused, or the same one may do later.
    RequestFailed,
    /// Every other would come to the same.
    AccountUnusable,
}

impl ServiceError {
    /// What went wrong with a request to a service in this region.
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

    /// The same, with a line of its own where something is not there.
    pub(crate) fn with_not_found(self, not_found: impl FnOnce() -> String) -> Self {
        if self.kind == ServiceErrorKind::NotFound { Self { message: not_found(), ..self } } else { self }
    }
}

impl From<String> for ServiceError {
    /// What is wrong with one thing alone.
    fn from(message: String) -> Self {
        Self { kind: ServiceErrorKind::RequestFailed, message }
    }
}

/// What a service answered that did not do what it was asked.
fn classify(service: &str, code: &str, status: u16, message: &str) -> ServiceError {
    let (kind, message) = match code {
        // SQS has two names for it, an older one and a newer one.
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

/// What is at the bottom of an error: what wraps it says no more than that something failed.
pub(crate) fn root_cause(error: &(dyn Error + 'static)) -> String {
    let cause = anyhow::Chain::new(error).last().map(ToString::to_string).unwrap_or_default();
    cause.lines().next().unwrap_or_default().trim_end_matches(['.', ' ']).to_owned()
}
