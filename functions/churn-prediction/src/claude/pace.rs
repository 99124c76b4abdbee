//! Who may send when: a pause between the beginnings of two batches, and nothing at all while the API says to wait.
//!
//! Time is counted here in what was waited, not read from a clock: a wait that one request was told of and another has
//! meanwhile waited out is not waited out twice, and what is asked of the sleeper is exact.

use std::time::Duration;

use shared::clock::{Deadline, Sleeper};
use tokio::sync::Mutex;

/// How long had been waited, in all, when a request was sent.
#[derive(Clone, Copy)]
pub(super) struct SentAt(Duration);

pub(super) struct Pace {
    pause: Duration,
    sleeper: Sleeper,
    /// Locked while somebody waits: who comes meanwhile is behind.
    gate: Mutex<Gate>,
}

#[derive(Default)]
struct Gate {
    /// Whether there was a batch.
    begun: bool,
    waited: Duration,
    /// Nothing is sent before so much has been waited.
    held_until: Duration,
}

impl Pace {
    pub(super) fn new(pause: Duration, sleeper: Sleeper) -> Self {
        Self { pause, sleeper, gate: Mutex::default() }
    }

    /// Waits for a batch's turn. `None` if it would come after the deadline: then nothing was waited.
    pub(super) async fn batch(&self, deadline: Deadline) -> Option<SentAt> {
        let mut gate = self.gate.lock().await;
        let pause = if gate.begun { self.pause } else { Duration::ZERO };
        let sent_at = self.pass(&mut gate, pause, deadline).await;
        gate.begun |= sent_at.is_some();
        sent_at
    }

    /// Waits so long, apart from the others, and then for the turn of a request that is sent again.
    pub(super) async fn again(&self, pause: Duration, deadline: Deadline) -> Option<SentAt> {
        if pause >= deadline.left() {
            return None;
        }
        if !pause.is_zero() {
            self.sleeper.sleep(pause).await;
        }
        self.pass(&mut *self.gate.lock().await, Duration::ZERO, deadline).await
    }

    /// The API says, in answer to a request, to send nothing for so long.
    pub(super) async fn hold(&self, sent_at: SentAt, long: Duration) {
        let mut gate = self.gate.lock().await;
        gate.held_until = gate.held_until.max(sent_at.0.saturating_add(long));
    }

    async fn pass(&self, gate: &mut Gate, pause: Duration, deadline: Deadline) -> Option<SentAt> {
        let long = gate.held_until.saturating_sub(gate.waited).max(pause);
        if long >= deadline.left() {
            return None;
        }
        if !long.is_zero() {
            self.sleeper.sleep(long).await;
            gate.waited += long;
        }
        Some(SentAt(gate.waited))
    }
}
