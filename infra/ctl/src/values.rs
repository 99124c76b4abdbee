//! Formats and parses amounts, numbers and instants.

use anyhow::Context;
use chrono::{DateTime, Utc};
use shared::domain::time;

/// Formats a number with separators, as `239,444`.
pub(crate) fn group_digits(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let groups: Vec<String> =
        digits.chars().rev().collect::<Vec<_>>().chunks(3).map(|group| group.iter().rev().collect()).collect();
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", groups.into_iter().rev().collect::<Vec<_>>().join(","))
}

/// Formats an amount in minor units, as `244,091.94`.
pub(crate) fn format_amount(minor_units: i64) -> String {
    format!("{}.{:02}", group_digits(minor_units / 100), minor_units.unsigned_abs() % 100)
}

/// Parses an instant in RFC 3339.
pub(crate) fn parse_instant(text: &str) -> anyhow::Result<DateTime<Utc>> {
    time::parse(text).map_err(anyhow::Error::msg).with_context(|| text.to_owned())
}
