//! A sleeper that writes down what is asked of it and lets no time pass: the waits are tested, not the clock.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use shared::clock::Sleeper;

/// The waits that were asked for.
#[derive(Clone, Default)]
pub struct Waits(Arc<Mutex<Vec<Duration>>>);

impl Waits {
    /// The sleeper that writes here.
    pub fn sleeper(&self) -> Sleeper {
        let asked = Arc::clone(&self.0);
        Sleeper::new(move |long| {
            asked.lock().unwrap().push(long);
            // Whoever waits lets others go first, however short it is.
            tokio::task::yield_now()
        })
    }

    /// What was asked for since this was last called, in order.
    pub fn take(&self) -> Vec<Duration> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}
