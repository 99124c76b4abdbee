//! The only reader of time.
//!
//! Rules take `now` as an argument. Code with a time limit takes a [`Deadline`]. Code that paces itself waits through a
//! [`Sleeper`].

use std::{
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use chrono::{DateTime, Utc};

use crate::domain::time::to_millis;

/// The current time, in whole milliseconds.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn now() -> DateTime<Utc> {
    to_millis(Utc::now())
}

/// The current instant of a monotonic clock, for measuring ages and durations.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn monotonic() -> Instant {
    Instant::now()
}

/// The instant by which a call must be answered. A change of the system clock does not move the deadline.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// A deadline `limit` from now.
    #[must_use]
    pub fn after(limit: Duration) -> Self {
        Self(monotonic() + limit)
    }

    /// A deadline at a wall-clock instant, as Lambda passes it.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    pub fn at(instant: SystemTime) -> Self {
        Self::after(instant.duration_since(SystemTime::now()).unwrap_or_default())
    }

    /// This deadline, or a deadline `limit` from now if that is earlier.
    #[must_use]
    pub fn capped(self, limit: Duration) -> Self {
        Self(self.0.min(monotonic() + limit))
    }

    /// The time until the deadline. Zero once it has passed.
    #[must_use]
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(monotonic())
    }
}

/// Measures elapsed time.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// A stopwatch that starts now.
    #[must_use]
    pub fn start() -> Self {
        Self(monotonic())
    }

    /// The time since the start.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Waits on behalf of code whose pauses are part of its contract. A test replaces the sleeper and records the pauses.
#[derive(Clone)]
pub struct Sleeper(Arc<dyn Fn(Duration) -> Wait + Send + Sync>);

type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Sleeper {
    /// A sleeper that waits through `wait`.
    pub fn new<W>(wait: impl Fn(Duration) -> W + Send + Sync + 'static) -> Self
    where
        W: Future<Output = ()> + Send + 'static,
    {
        Self(Arc::new(move |length| Box::pin(wait(length))))
    }

    /// Waits for a length of time.
    pub async fn sleep(&self, length: Duration) {
        (self.0)(length).await;
    }
}

#[cfg(feature = "aws")]
impl Default for Sleeper {
    /// A sleeper that waits in real time.
    fn default() -> Self {
        Self::new(tokio::time::sleep)
    }
}
