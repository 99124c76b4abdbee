//! Asks Claude about customers, batch by batch, and gives it up where it does not answer.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use futures::{StreamExt, stream};
use shared::{
    clock::{Deadline, Sleeper},
    config::{ClaudeConfig, SecretText},
    retry,
};

use super::{
    answer::{self, Verdict},
    api::{ApiClient, ApiResponse, Outcome},
    input::ClaudeInput,
    limits::LONGEST_RESET,
    pace::{Pace, TooLate},
    prompt,
    switch_off::SwitchOffReason,
};

/// How often one request is sent at most.
pub const TRIES: u32 = 5;

/// How often it is sent at most if no answer comes in time: that is a long wait each.
pub const TIMEOUTS: u32 = 2;

/// The pause before the first retry, where the API names no wait: from half of this to all of it. Pauses double.
pub const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause before a retry.
const PAUSE_MAX: Duration = Duration::from_mins(1);

/// So many batches in a row that came to nothing, and the rest goes without.
pub const DOWN_AFTER: u32 = 3;

/// So many requests in a row that were not answered in time, and the rest goes without.
pub const SILENT_AFTER: u32 = 3;

/// An answer may take one in so many parts of the time there is.
const SHARES: u32 = 4;

/// How often a customer is asked about.
const ASKED: usize = 2;

/// Why a request was not answered.
enum ExchangeFailure {
    /// Nothing more is asked of Claude.
    Off,
    /// It would have been too late.
    OutOfTime,
    /// Not in so many tries, or not this request; what it means if it goes on.
    Failed(SwitchOffReason),
}

/// Claude, for one call of the function.
pub struct Claude {
    model: String,
    batch_size: usize,
    concurrency: usize,
    api: ApiClient,
    pace: Pace,
    off: OnceLock<SwitchOffReason>,
    timeout: Duration,
    share: OnceLock<Duration>,
    silent: AtomicU32,
    /// Batches in a row that came to nothing.
    failed: AtomicU32,
    out_of_time: AtomicBool,
}

impl Claude {
    /// Asks as the settings say, with this key. Nothing is connected to, nor read from the disk, before the first request.
    #[must_use]
    pub fn new(settings: &ClaudeConfig, key: SecretText, sleeper: Sleeper) -> Self {
        Self {
            model: settings.model.clone(),
            batch_size: settings.batch_size,
            concurrency: settings.concurrency,
            api: ApiClient::new(&settings.base_url, key),
            pace: Pace::new(settings.pause, LONGEST_RESET, sleeper),
            off: OnceLock::new(),
            timeout: settings.timeout,
            share: OnceLock::new(),
            silent: AtomicU32::new(0),
            failed: AtomicU32::new(0),
            out_of_time: AtomicBool::new(false),
        }
    }

    /// Why the rest goes without, if it does.
    #[must_use]
    pub fn is_off(&self) -> Option<SwitchOffReason> {
        self.off.get().copied()
    }

    /// Whether there are customers who were not asked about, or not heard of, because the time was over.
    #[must_use]
    pub fn is_out_of_time(&self) -> bool {
        self.out_of_time.load(Ordering::Relaxed)
    }

    /// How many customers are asked about at once: to hand over fewer wastes requests, to hand over more takes longer.
    #[must_use]
    pub const fn at_once(&self) -> usize {
        self.batch_size.saturating_mul(self.concurrency)
    }

    /// How likely each of these customers is not to order within the horizon, in their order; `None` for whom Claude
    /// has no answer. Nothing is begun that could not end by the deadline, and what has not ended then is given up.
    pub async fn score(&self, horizon_days: u32, rows: &[ClaudeInput], deadline: Deadline) -> Vec<Option<Verdict>> {
        let batches = rows.chunks(self.batch_size).map(|batch| self.batch(horizon_days, batch, deadline));
        // All are made before the first is waited for: what makes them is not to be sent from thread to thread.
        let batches: Vec<_> = batches.collect();
        let scored: Vec<_> = stream::iter(batches).buffered(self.concurrency).collect().await;
        scored.into_iter().flatten().collect()
    }

    async fn batch(&self, horizon_days: u32, rows: &[ClaudeInput], deadline: Deadline) -> Vec<Option<Verdict>> {
        let mut verdicts = vec![None; rows.len()];
        let mut reason = SwitchOffReason::UnusableAnswers;
        for _ in 0..ASKED {
            let (asked, open): (Vec<_>, Vec<_>) =
                rows.iter().zip(&mut verdicts).filter(|(_, verdict)| verdict.is_none()).unzip();
            if asked.is_empty() {
                break;
            }
            match self.exchange(&prompt::request(&self.model, horizon_days, &asked), deadline).await {
                Ok(body) => {
                    let found = answer::read(&body, asked.len());
                    open.into_iter().zip(found).for_each(|(open, found)| *open = found);
                }
                Err(ExchangeFailure::Failed(error)) => {
                    reason = error;
                    break;
                }
                Err(ExchangeFailure::Off) => return verdicts,
                Err(ExchangeFailure::OutOfTime) => {
                    self.out_of_time.store(true, Ordering::Relaxed);
                    return verdicts;
                }
            }
        }
        if verdicts.iter().any(Option::is_some) {
            self.failed.store(0, Ordering::Relaxed);
        } else if self.failed.fetch_add(1, Ordering::Relaxed) + 1 >= DOWN_AFTER {
            self.switch_off(reason, "too many batches in a row came to nothing");
        }
        verdicts
    }

    /// Sends a request until it is answered, or there is no point in it any more.
    async fn exchange(&self, request: &[u8], deadline: Deadline) -> Result<Vec<u8>, ExchangeFailure> {
        // Before it waits for its turn, and again when it is sent: meanwhile another may have found out.
        if self.is_off().is_some() {
            return Err(ExchangeFailure::Off);
        }
        let mut timeouts = 0;
        let mut pauses = retry::pauses(FIRST_PAUSE, PAUSE_MAX);
        let mut sent_at = self.pace.batch(deadline).await.map_err(|late| self.too_late(late))?;
        for number in 1.. {
            if self.is_off().is_some() {
                return Err(ExchangeFailure::Off);
            }
            let ApiResponse { outcome, wait } = self.api.send(request, self.timeout_for(deadline)).await;
            if let Some(wait) = wait {
                self.pace.hold(sent_at, wait);
            }
            self.note_silence(&outcome);
            let error = match outcome {
                Outcome::Answered(body) => return Ok(body),
                Outcome::Ended(reason, error) => {
                    self.switch_off(reason, &error);
                    return Err(ExchangeFailure::Off);
                }
                Outcome::Refused(error) => {
                    tracing::error!(error, "a request was refused, its customers go without Claude");
                    return Err(ExchangeFailure::Failed(SwitchOffReason::RequestRefused));
                }
                Outcome::TimedOut => {
                    timeouts += 1;
                    "no answer in time".to_owned()
                }
                Outcome::Passing(error) => error,
            };
            if self.is_off().is_some() {
                return Err(ExchangeFailure::Off);
            }
            if deadline.remaining().is_zero() {
                return Err(ExchangeFailure::OutOfTime);
            }
            if number == TRIES || timeouts == TIMEOUTS {
                tracing::warn!(error, tries = number, "a request failed, its customers go without Claude");
                break;
            }
            let pause = pauses.next().filter(|_| wait.is_none()).unwrap_or_default();
            sent_at = self.pace.again(pause, deadline).await.map_err(|late| self.too_late(late))?;
        }
        Err(ExchangeFailure::Failed(SwitchOffReason::Unavailable))
    }

    fn too_late(&self, late: TooLate) -> ExchangeFailure {
        match late {
            TooLate::Soon => ExchangeFailure::OutOfTime,
            TooLate::Long => {
                self.switch_off(SwitchOffReason::RateLimited, "the API says to wait for longer than this call has");
                ExchangeFailure::Off
            }
        }
    }

    /// How long an answer may take: as the settings say, but no more than a share of what the first request had left, so
    /// that an API that never answers is given up within the call.
    fn timeout_for(&self, deadline: Deadline) -> Duration {
        let share = *self.share.get_or_init(|| deadline.remaining() / SHARES);
        self.timeout.min(share).min(deadline.remaining())
    }

    /// Counts requests in a row that were not answered at all.
    fn note_silence(&self, outcome: &Outcome) {
        if !matches!(outcome, Outcome::TimedOut) {
            self.silent.store(0, Ordering::Relaxed);
        } else if self.silent.fetch_add(1, Ordering::Relaxed) + 1 >= SILENT_AFTER {
            self.switch_off(SwitchOffReason::Unavailable, "too many requests in a row were not answered");
        }
    }

    fn switch_off(&self, reason: SwitchOffReason, error: &str) {
        if self.off.set(reason).is_ok() {
            tracing::error!(
                reason = reason.code(),
                error,
                "Claude is not asked any more, the rest of the call goes without"
            );
        }
    }
}
