//! Retries with exponential backoff and jitter. This is the only retry policy of the project.

use std::time::Duration;

pub use backon::Retryable;
use backon::{BackoffBuilder, ExponentialBuilder};

/// A policy whose pauses double from `first` to `longest`. The caller limits the number of attempts or the time.
///
/// Each pause is random, between half and all of its length. Callers that failed together therefore do not retry
/// together.
#[must_use]
pub fn backoff(first: Duration, longest: Duration) -> ExponentialBuilder {
    // The builder adds up to the whole delay as jitter, so its delays are half of the pauses.
    ExponentialBuilder::new().with_min_delay(first / 2).with_max_delay(longest / 2).without_max_times().with_jitter()
}

/// The pauses of the policy, as an endless iterator.
pub fn pauses(first: Duration, longest: Duration) -> impl Iterator<Item = Duration> {
    backoff(first, longest).build()
}
