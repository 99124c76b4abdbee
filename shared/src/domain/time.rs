//! Instants in UTC with whole milliseconds. Their text sorts in time order.

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, SubsecRound, TimeDelta, Utc};
use serde::Serializer;

/// How far in the future the `fulfilledAt` of an order may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FutureTolerance {
    /// 24 hours, for orders that earn points: clocks and time zones differ by hours, not by months.
    Day,
    /// 5 minutes, for orders that redeem a bundle: an order cannot redeem a bundle that starts tomorrow.
    FiveMinutes,
}

impl FutureTolerance {
    /// The tolerance, and the error message for an order beyond it.
    #[must_use]
    pub const fn bound(self) -> (TimeDelta, &'static str) {
        match self {
            Self::Day => (TimeDelta::hours(24), "must be at most 24 hours ahead"),
            Self::FiveMinutes => (TimeDelta::minutes(5), "must be at most 5 minutes ahead"),
        }
    }
}

/// The rule for instants in requests, as an error message.
pub const INSTANT_RULE: &str = "must be an RFC 3339 date and time with an offset, from 1970 to 9999";

/// Reads an instant of a request, truncated to milliseconds. Fails with [`INSTANT_RULE`].
pub fn parse(text: &str) -> Result<DateTime<Utc>, &'static str> {
    DateTime::parse_from_rfc3339(text)
        .map(|at| to_millis(at.to_utc()))
        .ok()
        .filter(|at| (1970..=9999).contains(&at.year()))
        .ok_or(INSTANT_RULE)
}

/// The last instant whose text sorts in time order: the end of the year 9999.
pub const INSTANT_MAX: DateTime<Utc> = match DateTime::from_timestamp_millis(253_402_300_799_999) {
    Some(last) => last,
    None => DateTime::<Utc>::MAX_UTC,
};

/// The rule for days in requests, as an error message.
pub const DAY_RULE: &str = "must be a date from 1970 to 9999, in the form 2026-12-24";

/// Reads a day of a request in the exact form `2026-12-24`. Fails with [`DAY_RULE`].
pub fn parse_day(text: &str) -> Result<NaiveDate, &'static str> {
    let day = text.parse::<NaiveDate>().ok().filter(|day| day.to_string() == text);
    day.filter(|day| (1970..=9999).contains(&day.year())).ok_or(DAY_RULE)
}

/// The instant as RFC 3339 in UTC with exactly three decimals. The texts sort in time order.
#[must_use]
pub fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The instant truncated to milliseconds, as it is stored.
#[must_use]
pub fn to_millis(at: DateTime<Utc>) -> DateTime<Utc> {
    at.trunc_subsecs(3)
}

/// The whole 24-hour periods from `since` to `now`. Returns 0 if `since` is after `now`.
#[must_use]
pub fn days_between(since: DateTime<Utc>, now: DateTime<Utc>) -> u32 {
    u32::try_from((now - since).num_days()).unwrap_or(0)
}

/// For `#[serde(serialize_with)]`.
pub fn serialize<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&text(*at))
}

/// For `#[serde(serialize_with)]`.
pub fn serialize_option<S: Serializer>(at: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serialize(at, serializer),
        None => serializer.serialize_none(),
    }
}

/// For `#[serde(serialize_with)]`.
pub fn serialize_all<S: Serializer>(all: &[DateTime<Utc>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(all.iter().map(|at| text(*at)))
}
