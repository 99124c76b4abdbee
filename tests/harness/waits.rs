//! A sleeper that records waits and returns at once, so that tests of waits take no time.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use shared::clock::Sleeper;

/// The recorded waits.
#[derive(Clone, Default)]
pub struct RecordedWaits(Arc<Mutex<Vec<Duration>>>);

impl RecordedWaits {
    /// A sleeper that records here.
    pub fn sleeper(&self) -> Sleeper {
        let waits = Arc::clone(&self.0);
        Sleeper::new(move |duration| {
            waits.lock().unwrap().push(duration);
            // Other tasks run during a wait.
            tokio::task::yield_now()
        })
    }

    /// Takes the waits since the last call, in order.
    pub fn take(&self) -> Vec<Duration> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}
