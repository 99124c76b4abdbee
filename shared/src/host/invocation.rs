//! One invocation: its clock, its deadline and its error.

use std::time::Instant;

use chrono::{DateTime, Utc};

use crate::clock::{self, Deadline};

/// The clock and the deadline of one call.
#[derive(Debug, Clone, Copy)]
pub struct Invocation {
    /// A time that replaces the clock. Only the local stack sets this time, from `x-regulars-now`. A deployed function
    /// never sets it.
    pub now: Option<DateTime<Utc>>,
    /// The start of the call, by a monotonic clock. The age of cached values counts from here.
    pub started: Instant,
    /// The instant by which the call must be answered.
    pub deadline: Deadline,
}

impl Invocation {
    /// An invocation that begins now.
    #[must_use]
    pub fn new(now: Option<DateTime<Utc>>, deadline: Deadline) -> Self {
        Self { now, started: clock::monotonic(), deadline }
    }

    /// The time of the call.
    pub(super) fn time(&self) -> DateTime<Utc> {
        self.now.unwrap_or_else(clock::now)
    }
}

/// A failed invocation. Lambda may retry it.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {message}")]
pub struct InvocationError {
    /// The stable code.
    pub code: &'static str,
    /// A sentence that shows nothing internal.
    pub message: &'static str,
}
