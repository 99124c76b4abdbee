//! Retries with exponential backoff and jitter: the one policy of the project.

use std::time::Duration;

pub use backon::Retryable;
use backon::{BackoffBuilder, ExponentialBuilder};

/// A policy whose pauses double from `first` to `longest`. Each pause is random, from half of its length to all of it, so
/// that callers which failed together do not return together. The caller limits the number of attempts, or the time.
#[must_use]
pub fn backoff(first: Duration, longest: Duration) -> ExponentialBuilder {
    // The builder adds up to a whole pause as jitter.
    ExponentialBuilder::new().with_min_delay(first / 2).with_max_delay(longest / 2).without_max_times().with_jitter()
}

/// The pauses of the policy, without end.
pub fn pauses(first: Duration, longest: Duration) -> impl Iterator<Item = Duration> {
    backoff(first, longest).build()
}
