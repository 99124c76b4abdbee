//! Spaces the requests of a call: a pause between the starts of two batches, and no request while the API asks to wait.
//!
//! The module measures time as the sum of its own waits and reads no clock. Waits that several responses ask for at the
//! same time are therefore waited once, and the durations passed to the sleeper are exact.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use shared::clock::{Deadline, Sleeper};
use tokio::sync;

/// The sum of all waits before a request was sent.
#[derive(Clone, Copy)]
pub(super) struct SentAt(Duration);

/// The request's turn would come after the deadline. The method waits no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TooLate {
    /// The cause is the pause between batches or a short wait.
    Soon,
    /// The API asks for a wait longer than the reset of a rate limit.
    Long,
}

pub(super) struct Pace {
    pause: Duration,
    /// The longest wait that counts as short.
    short_wait_max: Duration,
    sleeper: Sleeper,
    /// Whether a batch has begun. A waiting request holds the lock, so that requests queue in order.
    begun: sync::Mutex<bool>,
    /// A separate lock, so that a response can extend the wait while a request waits.
    waits: Mutex<Waits>,
}

#[derive(Default)]
struct Waits {
    waited: Duration,
    /// The sum of waits that is required before the next request.
    held_until: Duration,
}

impl Pace {
    pub(super) fn new(pause: Duration, short_wait_max: Duration, sleeper: Sleeper) -> Self {
        Self { pause, short_wait_max, sleeper, begun: sync::Mutex::default(), waits: Mutex::default() }
    }

    /// Waits for a batch's turn.
    pub(super) async fn batch(&self, deadline: Deadline) -> Result<SentAt, TooLate> {
        let mut begun = self.begun.lock().await;
        let pause = if *begun { self.pause } else { Duration::ZERO };
        let sent_at = self.wait_for_turn(pause, deadline).await?;
        *begun = true;
        Ok(sent_at)
    }

    /// Waits for the turn of a retry. The pause does not delay other requests.
    pub(super) async fn again(&self, pause: Duration, deadline: Deadline) -> Result<SentAt, TooLate> {
        if pause >= deadline.remaining() {
            return Err(TooLate::Soon);
        }
        if !pause.is_zero() {
            self.sleeper.sleep(pause).await;
        }
        let _turn = self.begun.lock().await;
        self.wait_for_turn(Duration::ZERO, deadline).await
    }

    /// Holds back all requests for the wait that a response asks for, counted from its request.
    pub(super) fn hold(&self, sent_at: SentAt, wait: Duration) {
        self.with_waits(|waits| waits.held_until = waits.held_until.max(sent_at.0.saturating_add(wait)));
    }

    /// Waits for the pause and for the waits that the API asks for. The caller holds the lock of the queue.
    async fn wait_for_turn(&self, mut pause: Duration, deadline: Deadline) -> Result<SentAt, TooLate> {
        loop {
            let (waited, held) = self.with_waits(|waits| (waits.waited, waits.held_until.saturating_sub(waits.waited)));
            let wait = held.max(pause);
            if wait.is_zero() {
                return Ok(SentAt(waited));
            }
            if wait >= deadline.remaining() {
                return Err(if held > self.short_wait_max { TooLate::Long } else { TooLate::Soon });
            }
            self.sleeper.sleep(wait).await;
            // The loop checks again, because another response may have extended the wait.
            self.with_waits(|waits| waits.waited += wait);
            pause = Duration::ZERO;
        }
    }

    fn with_waits<T>(&self, access: impl FnOnce(&mut Waits) -> T) -> T {
        access(&mut self.waits.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
