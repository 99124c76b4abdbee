//! Who may send when: a pause between the beginnings of two batches, and nothing at all while the API says to wait.
//!
//! Time is counted here in what was waited, not read from a clock: a wait that one request was told of and another has
//! meanwhile waited out is not waited out twice, and what is asked of the sleeper is exact.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use shared::clock::{Deadline, Sleeper};
use tokio::sync;

/// How long had been waited, in all, when a request was sent.
#[derive(Clone, Copy)]
pub(super) struct SentAt(Duration);

/// The turn would come after the deadline: nothing was waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TooLate {
    /// Because of the pace itself, or of a wait that is soon over.
    Soon,
    /// Because the API says to wait for so long that there is no point in coming back for it.
    Long,
}

pub(super) struct Pace {
    pause: Duration,
    /// What the API says to wait beyond it is long.
    long: Duration,
    sleeper: Sleeper,
    /// Whether there was a batch. Locked while somebody waits: who comes meanwhile is behind.
    begun: sync::Mutex<bool>,
    /// Open to who is told to wait while others do already.
    waits: Mutex<Waits>,
}

#[derive(Default)]
struct Waits {
    waited: Duration,
    /// Nothing is sent before so much has been waited.
    held_until: Duration,
}

impl Pace {
    pub(super) fn new(pause: Duration, long: Duration, sleeper: Sleeper) -> Self {
        Self { pause, long, sleeper, begun: sync::Mutex::default(), waits: Mutex::default() }
    }

    /// Waits for a batch's turn.
    pub(super) async fn batch(&self, deadline: Deadline) -> Result<SentAt, TooLate> {
        let mut begun = self.begun.lock().await;
        let pause = if *begun { self.pause } else { Duration::ZERO };
        let sent_at = self.pass(pause, deadline).await?;
        *begun = true;
        Ok(sent_at)
    }

    /// Waits so long, apart from the others, and then for the turn of a request that is sent again.
    pub(super) async fn again(&self, pause: Duration, deadline: Deadline) -> Result<SentAt, TooLate> {
        if pause >= deadline.remaining() {
            return Err(TooLate::Soon);
        }
        if !pause.is_zero() {
            self.sleeper.sleep(pause).await;
        }
        let _turn = self.begun.lock().await;
        self.pass(Duration::ZERO, deadline).await
    }

    /// The API says, in answer to a request, to send nothing for so long.
    pub(super) fn hold(&self, sent_at: SentAt, long: Duration) {
        self.look(|waits| waits.held_until = waits.held_until.max(sent_at.0.saturating_add(long)));
    }

    async fn pass(&self, mut pause: Duration, deadline: Deadline) -> Result<SentAt, TooLate> {
        loop {
            let (waited, held) = self.look(|waits| (waits.waited, waits.held_until.saturating_sub(waits.waited)));
            let wait = held.max(pause);
            if wait.is_zero() {
                return Ok(SentAt(waited));
            }
            if wait >= deadline.remaining() {
                return Err(if held > self.long { TooLate::Long } else { TooLate::Soon });
            }
            self.sleeper.sleep(wait).await;
            // Meanwhile another may have been told to wait longer.
            self.look(|waits| waits.waited += wait);
            pause = Duration::ZERO;
        }
    }

    fn look<T>(&self, look: impl FnOnce(&mut Waits) -> T) -> T {
        look(&mut self.waits.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
