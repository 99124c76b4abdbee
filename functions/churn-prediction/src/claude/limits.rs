//! Reads the wait that a response's headers ask for.
//!
//! Instants are compared with the response's own `date`, so a wrong local clock does not matter.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use shared::clock;

/// The quantities with a rate limit. Each has a header for the remaining amount and one for the instant of the reset.
const LIMITED_QUANTITIES: [&str; 4] = ["requests", "tokens", "input-tokens", "output-tokens"];

/// The longest wait for the reset of a limit. Limits are per minute, so a later reset belongs to another limit.
pub const LONGEST_RESET: Duration = Duration::from_mins(1);

/// How long no request may be sent, by `retry-after` or by the resets of exhausted limits.
///
/// Returns `None` if no wait is needed.
pub(super) fn wait(headers: &HeaderMap) -> Option<Duration> {
    let wait = retry_after(headers).or_else(|| until_reset(headers));
    wait.filter(|wait| !wait.is_zero())
}

/// The wait of the `retry-after` header, which contains seconds or a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = text(headers, RETRY_AFTER.as_str())?;
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.or_else(|| Some(until(headers, DateTime::parse_from_rfc2822(text).ok()?.into())))
}

fn until_reset(headers: &HeaderMap) -> Option<Duration> {
    let exhausted = LIMITED_QUANTITIES.into_iter().filter(|quantity| {
        text(headers, &format!("anthropic-ratelimit-{quantity}-remaining")).is_some_and(|remaining| remaining == "0")
    });
    let waits = exhausted.filter_map(|quantity| {
        let reset = text(headers, &format!("anthropic-ratelimit-{quantity}-reset"))?;
        Some(until(headers, DateTime::parse_from_rfc3339(reset).ok()?.into()))
    });
    waits.max().map(|wait| wait.min(LONGEST_RESET))
}

fn until(headers: &HeaderMap, instant: DateTime<Utc>) -> Duration {
    let date = text(headers, DATE.as_str()).and_then(|date| DateTime::parse_from_rfc2822(date).ok());
    let answered = date.map_or_else(clock::now, Into::into);
    (instant - answered).to_std().unwrap_or_default()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}
