//! Retries of the part of a batch that `DynamoDB` leaves unprocessed.

use std::time::Duration;

use super::error::StoreError;
use crate::error::Unavailable;

/// Counts the attempts at one batch. `DynamoDB` returns keys or writes unprocessed while the table is throttled.
#[derive(Default)]
pub(super) struct BatchRetry(u32);

impl BatchRetry {
    /// Starts the next attempt. Before each attempt but the first, waits for a random pause whose maximum doubles.
    pub(super) async fn next_attempt(&mut self) -> Result<(), StoreError> {
        const ATTEMPTS_MAX: u32 = 6;
        if self.0 >= ATTEMPTS_MAX {
            return Err(StoreError::Unavailable(Unavailable::new("DynamoDB leaves a batch unprocessed")));
        }
        if self.0 > 0 {
            tokio::time::sleep(Duration::from_millis(fastrand::u64(0..=10 << self.0))).await;
        }
        self.0 += 1;
        Ok(())
    }
}
