//! What an answer's headers say about when to come back, as a length of time. Instants are held against the answer's own
//! `date`, so that it does not matter whose clock is wrong.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use shared::clock;

/// What the API counts. Each has a header with what remains, and one with when there is more.
const COUNTED: [&str; 4] = ["requests", "tokens", "input-tokens", "output-tokens"];

/// The longest wait for a limit to be reset. Limits are per minute; what says longer is not about this one.
pub const LONGEST_RESET: Duration = Duration::from_mins(1);

/// How long nothing more may be sent: `retry-after` if it says so, else until what is used up is reset. `None` if there
/// is no need to wait.
pub(super) fn wait(headers: &HeaderMap) -> Option<Duration> {
    let wait = retry_after(headers).or_else(|| until_reset(headers));
    wait.filter(|wait| !wait.is_zero())
}

/// In seconds, or as a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = text(headers, RETRY_AFTER.as_str())?;
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.or_else(|| Some(until(headers, DateTime::parse_from_rfc2822(text).ok()?.into())))
}

fn until_reset(headers: &HeaderMap) -> Option<Duration> {
    let used_up = COUNTED.into_iter().filter(|counted| {
        text(headers, &format!("anthropic-ratelimit-{counted}-remaining")).is_some_and(|remaining| remaining == "0")
    });
    let resets = used_up.filter_map(|counted| {
        let reset = text(headers, &format!("anthropic-ratelimit-{counted}-reset"))?;
        Some(until(headers, DateTime::parse_from_rfc3339(reset).ok()?.into()))
    });
    resets.max().map(|wait| wait.min(LONGEST_RESET))
}

fn until(headers: &HeaderMap, instant: DateTime<Utc>) -> Duration {
    let date = text(headers, DATE.as_str()).and_then(|date| DateTime::parse_from_rfc2822(date).ok());
    let answered = date.map_or_else(clock::now, Into::into);
    (instant - answered).to_std().unwrap_or_default()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}
