//! What the command line says: results on standard output, complaints on standard error.

use std::{io::Write, process::ExitCode};

use anyhow::anyhow;
use serde_json::Value;

/// Prints a line. Where nobody listens any more there is nobody to tell.
pub fn say(line: &str) {
    let _ = is_said(line);
}

/// The same, for what goes on only as long as somebody listens.
#[must_use]
pub fn is_said(line: &str) -> bool {
    writeln!(std::io::stdout().lock(), "{line}").is_ok()
}

/// Prints a complaint.
pub fn complain(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// What a command came to, as a process's exit code; why it failed goes to standard error.
#[must_use]
pub fn ended(outcome: anyhow::Result<ExitCode>) -> ExitCode {
    outcome.unwrap_or_else(|error| {
        complain(&format!("ctl: {error:#}"));
        ExitCode::FAILURE
    })
}

/// A number with its thousands set apart, as `239,444`.
pub(crate) fn thousands(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let groups: Vec<String> =
        digits.chars().rev().collect::<Vec<_>>().chunks(3).map(|group| group.iter().rev().collect()).collect();
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", groups.into_iter().rev().collect::<Vec<_>>().join(","))
}

/// An amount of minor units, as `244,091.94`.
pub(crate) fn money(minor: i64) -> String {
    format!("{}.{:02}", thousands(minor / 100), minor.unsigned_abs() % 100)
}

/// An amount in an answer, as minor units.
pub(crate) fn minor(amount: Option<&Value>) -> anyhow::Result<i64> {
    let text = amount.map(Value::to_string).unwrap_or_default();
    let (whole, cents) = text.split_once('.').unwrap_or((&text, "0"));
    let parse = |digits: &str| digits.parse::<i64>().map_err(|_| anyhow!("not an amount: {text}"));
    Ok(parse(whole)? * 100 + parse(&format!("{cents:0<2}"))?)
}
