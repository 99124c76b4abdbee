//! Errors that carry their source, and the chain of causes that a log line shows.

use std::{borrow::Cow, error::Error, fmt, panic::Location, sync::Arc};

/// The cause of an error.
pub type Cause = Arc<dyn Error + Send + Sync>;

/// A fault of this program, of its configuration or of its stored data. The text is logged and never returned to a
/// caller.
#[derive(Clone, thiserror::Error)]
#[error("{message}")]
pub struct InternalError {
    message: Cow<'static, str>,
    location: &'static Location<'static>,
    source: Option<Cause>,
}

impl InternalError {
    /// A fault that is detected at the place of this call.
    #[must_use]
    #[track_caller]
    pub fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), location: Location::caller(), source: None }
    }

    /// A fault with the error that caused it.
    #[must_use]
    #[track_caller]
    pub fn caused_by(message: impl Into<Cow<'static, str>>, cause: impl Error + Send + Sync + 'static) -> Self {
        Self { message: message.into(), location: Location::caller(), source: Some(Arc::new(cause)) }
    }

    /// The place in the code that detected the fault.
    #[must_use]
    pub const fn location(&self) -> &'static Location<'static> {
        self.location
    }
}

/// A required service does not respond, or asks the program to wait. A later attempt may succeed.
#[derive(Clone, thiserror::Error)]
#[error("{message}")]
pub struct Unavailable {
    message: Cow<'static, str>,
    source: Option<Cause>,
}

impl Unavailable {
    /// A service that does not answer.
    #[must_use]
    pub fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), source: None }
    }

    /// A service that does not answer, with the error that the service or its client returned.
    #[must_use]
    pub fn caused_by(message: impl Into<Cow<'static, str>>, cause: impl Error + Send + Sync + 'static) -> Self {
        Self { message: message.into(), source: Some(Arc::new(cause)) }
    }
}

/// `Debug` shows the chain of causes. A derived `Debug` would show the whole answer of a service, which may hold a
/// secret.
impl fmt::Debug for InternalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {}", chain(self), self.location)
    }
}

/// Shows the chain of causes, for the same reason as [`InternalError`].
impl fmt::Debug for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", chain(self))
    }
}

/// The text of an error and of all its causes, on one line.
///
/// The text uses only `Display`, because `Debug` may show a secret.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    for cause in std::iter::successors(error.source(), |cause| (*cause).source()) {
        let cause = cause.to_string();
        // Some errors repeat the text of their cause.
        if !text.ends_with(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}
