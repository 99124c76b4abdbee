//! Why a call did not succeed: a rule said no, it may succeed later, or the fault is ours.

use crate::{domain::rejection::Rejection, store::StoreError};

/// Every way not to succeed.
#[derive(Debug)]
pub enum Failure {
    /// A rule said no. Nothing was changed; asking again changes nothing.
    Rejected(Rejection),
    /// The store is contended, throttled or out of reach: try again later.
    Retry(Retry),
    /// Ours to mend. The text is for the log, not for the caller.
    Bug(String),
}

/// Why later may be better.
#[derive(Debug)]
pub enum Retry {
    /// Somebody else wrote first: load again and decide again.
    Contended,
    /// The store does not answer, or says to wait.
    Unavailable(String),
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
            StoreError::Broken(why) => Self::Bug(why),
        }
    }
}
