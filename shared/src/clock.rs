//! The only reader of time. Rules take `now` as an argument; what runs against a limit takes a [`Deadline`], and what
//! keeps a pace asks its waits of a [`Sleeper`].

use std::{
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use chrono::{DateTime, Utc};

use crate::domain::time::to_millis;

/// Now, in whole milliseconds.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn now() -> DateTime<Utc> {
    to_millis(Utc::now())
}

/// Now, by a clock that only goes forward: for how old something is, not for what time it is.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn monotonic() -> Instant {
    Instant::now()
}

/// The instant by which a call has to be answered, whatever the calendar says meanwhile.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// So long from now.
    #[must_use]
    pub fn after(limit: Duration) -> Self {
        Self(monotonic() + limit)
    }

    /// At a wall-clock instant, as Lambda tells it.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    pub fn at(instant: SystemTime) -> Self {
        Self::after(instant.duration_since(SystemTime::now()).unwrap_or_default())
    }

    /// The same, or so long from now if that is sooner.
    #[must_use]
    pub fn capped(self, limit: Duration) -> Self {
        Self(self.0.min(monotonic() + limit))
    }

    /// How long is left.
    #[must_use]
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(monotonic())
    }
}

/// Measures how long something takes.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[must_use]
    pub fn start() -> Self {
        Self(monotonic())
    }

    /// Since it was started.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// What waits are asked of, where how long they are is part of what is promised.
#[derive(Clone)]
pub struct Sleeper(Arc<dyn Fn(Duration) -> Wait + Send + Sync>);

type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Sleeper {
    /// One that waits in its own way: a test's writes down what is asked of it.
    pub fn new<W>(wait: impl Fn(Duration) -> W + Send + Sync + 'static) -> Self
    where
        W: Future<Output = ()> + Send + 'static,
    {
        Self(Arc::new(move |length| Box::pin(wait(length))))
    }

    /// Waits so long.
    pub async fn sleep(&self, length: Duration) {
        (self.0)(length).await;
    }
}

#[cfg(feature = "aws")]
impl Default for Sleeper {
    /// One that lets the time pass.
    fn default() -> Self {
        Self::new(tokio::time::sleep)
    }
}
