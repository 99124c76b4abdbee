//! Asks Claude about customers, batch by batch, and switches Claude off after repeated failures.

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

/// The maximum number of attempts of one request.
pub const TRIES: u32 = 5;

/// The maximum number of attempts of one request that end in a timeout, because each timeout is a long wait.
pub const TIMEOUTS: u32 = 2;

/// The pause before the first retry if the API asks for no wait. Pauses double.
///
/// Each pause is shortened at random by up to half.
pub const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause before a retry.
const PAUSE_MAX: Duration = Duration::from_mins(1);

/// Claude is switched off after this number of consecutive batches without a usable verdict.
pub const DOWN_AFTER: u32 = 3;

/// Claude is switched off after this number of consecutive requests that timed out.
pub const SILENT_AFTER: u32 = 3;

/// The divisor of the call's remaining time that gives the longest timeout of one request.
const TIMEOUT_DIVISOR: u32 = 4;

/// The maximum number of requests that ask about the same customer.
const ROUNDS_MAX: usize = 2;

/// Why a request was not answered.
enum ExchangeFailure {
    /// Claude is switched off.
    Off,
    /// The deadline is too near for an answer.
    OutOfTime,
    /// All attempts failed, or the API rejected the request. Repeated failures switch Claude off for this reason.
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
    /// The longest timeout of a request, fixed by the first request.
    timeout_max: OnceLock<Duration>,
    consecutive_timeouts: AtomicU32,
    /// Consecutive batches without a usable verdict.
    failed_batches: AtomicU32,
    out_of_time: AtomicBool,
}

impl Claude {
    /// A client with these settings and this key. The first request creates the HTTP client and connects.
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
            timeout_max: OnceLock::new(),
            consecutive_timeouts: AtomicU32::new(0),
            failed_batches: AtomicU32::new(0),
            out_of_time: AtomicBool::new(false),
        }
    }

    /// The reason for switching Claude off. Returns `None` while Claude is in use.
    #[must_use]
    pub fn is_off(&self) -> Option<SwitchOffReason> {
        self.off.get().copied()
    }

    /// Whether the deadline left customers without a verdict.
    #[must_use]
    pub fn is_out_of_time(&self) -> bool {
        self.out_of_time.load(Ordering::Relaxed)
    }

    /// The number of customers that concurrent requests can cover. With fewer customers, a call of [`Self::score`]
    /// leaves requests unused. With more customers, the call takes longer.
    #[must_use]
    pub const fn at_once(&self) -> usize {
        self.batch_size.saturating_mul(self.concurrency)
    }

    /// Asks Claude about these customers and returns the verdicts in the order of the rows.
    ///
    /// A customer without a usable verdict has `None`. No wait begins that would outlast the deadline. Requests still
    /// open at the deadline are abandoned.
    pub async fn score(&self, horizon_days: u32, rows: &[ClaudeInput], deadline: Deadline) -> Vec<Option<Verdict>> {
        let batches = rows.chunks(self.batch_size).map(|batch| self.batch(horizon_days, batch, deadline));
        // The lazy iterator must not be held across an await, or this future would not be `Send`.
        let batches: Vec<_> = batches.collect();
        let scored: Vec<_> = stream::iter(batches).buffered(self.concurrency).collect().await;
        scored.into_iter().flatten().collect()
    }

    async fn batch(&self, horizon_days: u32, rows: &[ClaudeInput], deadline: Deadline) -> Vec<Option<Verdict>> {
        let mut verdicts = vec![None; rows.len()];
        let mut reason = SwitchOffReason::UnusableAnswers;
        for _ in 0..ROUNDS_MAX {
            let (asked, missing): (Vec<_>, Vec<_>) =
                rows.iter().zip(&mut verdicts).filter(|(_, verdict)| verdict.is_none()).unzip();
            if asked.is_empty() {
                break;
            }
            match self.exchange(&prompt::request(&self.model, horizon_days, &asked), deadline).await {
                Ok(body) => {
                    let found = answer::read(&body, asked.len());
                    missing.into_iter().zip(found).for_each(|(missing, found)| *missing = found);
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
            self.failed_batches.store(0, Ordering::Relaxed);
        } else if self.failed_batches.fetch_add(1, Ordering::Relaxed) + 1 >= DOWN_AFTER {
            self.switch_off(reason, "too many consecutive batches failed");
        }
        verdicts
    }

    /// Sends a request until the API answers it, the attempts run out, or Claude is switched off.
    async fn exchange(&self, request: &[u8], deadline: Deadline) -> Result<Vec<u8>, ExchangeFailure> {
        // The check is repeated after each wait, because a concurrent request may switch Claude off.
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
            self.count_timeouts(&outcome);
            let error = match outcome {
                Outcome::Answered(body) => return Ok(body),
                Outcome::Ended(reason, error) => {
                    self.switch_off(reason, &error);
                    return Err(ExchangeFailure::Off);
                }
                Outcome::Refused(error) => {
                    tracing::error!(error, "the API rejected a request, so its customers are scored without Claude");
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
                tracing::warn!(error, tries = number, "a request failed, so its customers are scored without Claude");
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
                self.switch_off(
                    SwitchOffReason::RateLimited,
                    "the API asks for a wait longer than the rest of the call",
                );
                ExchangeFailure::Off
            }
        }
    }

    /// The timeout of a request: the configured one, but at most a fraction of the time left at the first request.
    ///
    /// The fraction lets the call switch off an API that never answers before the call's own deadline.
    fn timeout_for(&self, deadline: Deadline) -> Duration {
        let timeout_max = *self.timeout_max.get_or_init(|| deadline.remaining() / TIMEOUT_DIVISOR);
        self.timeout.min(timeout_max).min(deadline.remaining())
    }

    /// Counts consecutive requests that timed out.
    fn count_timeouts(&self, outcome: &Outcome) {
        if !matches!(outcome, Outcome::TimedOut) {
            self.consecutive_timeouts.store(0, Ordering::Relaxed);
        } else if self.consecutive_timeouts.fetch_add(1, Ordering::Relaxed) + 1 >= SILENT_AFTER {
            self.switch_off(SwitchOffReason::Unavailable, "too many consecutive requests timed out");
        }
    }

    fn switch_off(&self, reason: SwitchOffReason, error: &str) {
        if self.off.set(reason).is_ok() {
            tracing::error!(reason = reason.code(), error, "Claude is switched off for the rest of the call");
        }
    }
}
