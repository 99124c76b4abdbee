//! Why a request to a service failed, on one line.

use std::error::Error;

use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};

/// Why a request came to nothing.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub(crate) struct Trouble {
    pub(crate) kind: Kind,
    text: String,
}

/// What that means for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What it asked for is not there.
    NotThere,
    /// It is this request that is refused, or the same one may do later.
    OfThis,
    /// Every other would come to the same.
    OfAll,
}

impl Trouble {
    /// What went wrong with a request to a service in this region.
    pub(crate) fn of<E>(service: &str, region: &str, error: &SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        match error {
            SdkError::ServiceError(answer) => {
                let said = answer.err();
                let message = said.message().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
                let status = answer.raw().status();
                refused(service, said.code().unwrap_or_default(), status.as_u16(), &message)
            }
            SdkError::TimeoutError(_) => {
                Trouble { kind: Kind::OfThis, text: format!("{service} in {region} did not answer in time") }
            }
            error => Trouble {
                kind: Kind::OfAll,
                text: format!("{service} in {region} can't be reached: {}", deepest(error)),
            },
        }
    }

    /// The same, with a line of its own where something is not there.
    pub(crate) fn about(self, missing: impl FnOnce() -> String) -> Self {
        if self.kind == Kind::NotThere { Self { text: missing(), ..self } } else { self }
    }
}

impl From<String> for Trouble {
    /// What is wrong with one thing alone.
    fn from(text: String) -> Self {
        Self { kind: Kind::OfThis, text }
    }
}

/// What a service answered that did not do what it was asked.
fn refused(service: &str, code: &str, status: u16, message: &str) -> Trouble {
    let (kind, text) = match code {
        // SQS has two names for it, an older one and a newer one.
        "ResourceNotFoundException"
        | "StateMachineDoesNotExist"
        | "QueueDoesNotExist"
        | "AWS.SimpleQueueService.NonExistentQueue" => (Kind::NotThere, format!("{service}: {message}")),
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => {
            (Kind::OfAll, format!("the credentials have expired: sign in again ({service}: {message})"))
        }
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "InvalidAccessKeyId"
        | "MissingAuthenticationToken" => {
            (Kind::OfAll, format!("the credentials are not valid ({service}: {message})"))
        }
        _ if code.starts_with("AccessDenied") => (Kind::OfAll, format!("not allowed: {message}")),
        "" => (Kind::OfThis, format!("{service} answered {status} {message}").trim_end().to_owned()),
        _ => (Kind::OfThis, format!("{service} answered {status} {code}: {message}")),
    };
    Trouble { kind, text }
}

/// What is at the bottom of an error: what wraps it says no more than that something failed.
pub(crate) fn deepest(error: &(dyn Error + 'static)) -> String {
    let said = anyhow::Chain::new(error).last().map(ToString::to_string).unwrap_or_default();
    said.lines().next().unwrap_or_default().trim_end_matches(['.', ' ']).to_owned()
}
