//! Retries of the part of a batch that `DynamoDB` leaves unprocessed.

use std::time::Duration;

use super::error::StoreError;
use crate::{error::Unavailable, retry};

/// The pauses between the attempts at one batch. `DynamoDB` returns keys or writes unprocessed while the table is
/// throttled.
pub(super) struct BatchRetry<P> {
    pauses: P,
    is_first: bool,
}

impl BatchRetry<std::iter::Empty<Duration>> {
    /// Up to six attempts.
    pub(super) fn begin() -> BatchRetry<impl Iterator<Item = Duration>> {
        const RETRIES_MAX: usize = 5;
        const FIRST_PAUSE: Duration = Duration::from_millis(20);
        const PAUSE_MAX: Duration = Duration::from_millis(320);

        BatchRetry { pauses: retry::pauses(FIRST_PAUSE, PAUSE_MAX).take(RETRIES_MAX), is_first: true }
    }
}

impl<P: Iterator<Item = Duration>> BatchRetry<P> {
    /// Starts the next attempt, after a pause before each attempt but the first.
    pub(super) async fn next_attempt(&mut self) -> Result<(), StoreError> {
        if !std::mem::take(&mut self.is_first) {
            let pause = self.pauses.next();
            let pause = pause.ok_or_else(|| Unavailable::new("DynamoDB leaves a batch unprocessed"))?;
            tokio::time::sleep(pause).await;
        }
        Ok(())
    }
}
