//! Instants: UTC, whole milliseconds, written so that text order is time order.

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, SubsecRound, TimeDelta, Utc};
use serde::Serializer;

/// How far ahead of now an order may claim to have been fulfilled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FutureTolerance {
    /// 24 hours, where it earns points: clocks and time zones differ, months don't.
    Day,
    /// 5 minutes, where it redeems a bundle: a deal of tomorrow is not sold today.
    FiveMinutes,
}

impl FutureTolerance {
    /// The bound, and why an order beyond it is refused.
    #[must_use]
    pub const fn bound(self) -> (TimeDelta, &'static str) {
        match self {
            Self::Day => (TimeDelta::hours(24), "must be at most 24 hours ahead"),
            Self::FiveMinutes => (TimeDelta::minutes(5), "must be at most 5 minutes ahead"),
        }
    }
}

/// Why a text is not an instant that a request may name.
pub const INSTANT_RULE: &str = "must be an RFC 3339 date and time with an offset, from 1970 to 9999";

/// Reads an instant as a request writes it.
pub fn parse(text: &str) -> Result<DateTime<Utc>, &'static str> {
    DateTime::parse_from_rfc3339(text)
        .map(|at| to_millis(at.to_utc()))
        .ok()
        .filter(|at| (1970..=9999).contains(&at.year()))
        .ok_or(INSTANT_RULE)
}

/// The last instant that can be written so that text order is time order.
pub const INSTANT_MAX: DateTime<Utc> = match DateTime::from_timestamp_millis(253_402_300_799_999) {
    Some(last) => last,
    None => DateTime::<Utc>::MAX_UTC,
};

/// Why a text is not a day.
pub const DAY_RULE: &str = "must be a date, as 2026-12-24, from 1970 to 9999";

/// Reads a day as a request writes it: `2026-12-24`, and in no shorter way.
pub fn parse_day(text: &str) -> Result<NaiveDate, &'static str> {
    let day = text.parse::<NaiveDate>().ok().filter(|day| day.to_string() == text);
    day.filter(|day| (1970..=9999).contains(&day.year())).ok_or(DAY_RULE)
}

/// RFC 3339 in UTC with exactly three decimals; sorts as text.
#[must_use]
pub fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The instant without what is below a millisecond, as it is stored.
#[must_use]
pub fn to_millis(at: DateTime<Utc>) -> DateTime<Utc> {
    at.trunc_subsecs(3)
}

/// Whole 24-hour periods elapsed from `since` to `now`; 0 when `since` is yet to come.
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
