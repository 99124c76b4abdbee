//! Formats and parses amounts, numbers and instants.

use anyhow::{Context, anyhow};
use chrono::{DateTime, Utc};
use serde_json::Value;
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
pub(crate) fn format_amount(parse_minor_units: i64) -> String {
    format!("{}.{:02}", group_digits(parse_minor_units / 100), parse_minor_units.unsigned_abs() % 100)
}

/// Parses an amount of an answer into minor units.
pub(crate) fn parse_minor_units(amount: Option<&Value>) -> anyhow::Result<i64> {
    let text = amount.map(Value::to_string).unwrap_or_default();
    let (whole, cents) = text.split_once('.').unwrap_or((&text, "0"));
    let parse = |digits: &str| digits.parse::<i64>().map_err(|_| anyhow!("not an amount: {text}"));
    Ok(parse(whole)? * 100 + parse(&format!("{cents:0<2}"))?)
}

/// Parses an instant in RFC 3339.
pub(crate) fn parse_instant(text: &str) -> anyhow::Result<DateTime<Utc>> {
    time::parse(text).map_err(anyhow::Error::msg).with_context(|| text.to_owned())
}
