//! `ctl logs`: prints and follows the log lines of a function.

use std::{collections::BTreeMap, process::ExitCode, time::Duration};

use anyhow::Context;
use aws_sdk_cloudwatchlogs::Client;
use chrono::{DateTime, TimeDelta, Utc};
use shared::{clock, domain::time, host::stop_signal};

use crate::deployed_stack::DeployedStack;
use ctl::output::try_print_line;

/// Pause between two requests for new lines.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// How late a line may arrive. Each request covers this time again.
const LATE_LINE_WINDOW: TimeDelta = TimeDelta::seconds(30);

/// Parses a period: `90s`, `10m`, `2h` or `7d`.
pub(crate) fn parse_period(text: &str) -> Result<TimeDelta, &'static str> {
    const RULE: &str = "must be a number of seconds, minutes, hours or days, as 90s, 10m, 2h or 7d";
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or(RULE)?;
    let number: u32 = number.parse().map_err(|_| RULE)?;
    let period = match unit {
        "s" => TimeDelta::try_seconds(number.into()),
        "m" => TimeDelta::try_minutes(number.into()),
        "h" => TimeDelta::try_hours(number.into()),
        "d" => TimeDelta::try_days(number.into()),
        _ => None,
    };
    period.ok_or(RULE)
}

/// Prints the lines of the last period. With `follow` it goes on with new lines until a signal.
pub(crate) async fn run(
    stack: &DeployedStack,
    function: &str,
    since: TimeDelta,
    filter: Option<&str>,
    follow: bool,
) -> anyhow::Result<ExitCode> {
    let from = clock::now().checked_sub_signed(since).context("the period is too long")?;
    let group = format!("/aws/lambda/{}", stack.resource_name(function));
    let filter = filter.map(filter_pattern);
    let mut lines = LogReader { stack, client: Client::new(&stack.config), group, filter, printed: BTreeMap::new() };
    let stop = stop_signal();
    tokio::select! {
        outcome = lines.print(from, follow) => outcome?,
        // A signal is the regular end of following.
        () = stop => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// The filter pattern for a filter. A filter in the syntax of patterns stays as it is. Any other text becomes one
/// phrase.
fn filter_pattern(filter: &str) -> String {
    if filter.starts_with(['{', '[', '"', '?', '-', '%']) {
        return filter.to_owned();
    }
    format!("\"{}\"", filter.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Whether the output is still open.
#[derive(PartialEq, Eq)]
enum OutputState {
    Open,
    Closed,
}

struct LogReader<'a> {
    stack: &'a DeployedStack,
    client: Client,
    group: String,
    filter: Option<String>,
    /// The time of each printed line that the next request returns again, by the line's id.
    printed: BTreeMap<String, DateTime<Utc>>,
}

impl LogReader<'_> {
    async fn print(&mut self, mut from: DateTime<Utc>, follow: bool) -> anyhow::Result<()> {
        loop {
            let asked_at = clock::now();
            let next = from.max(asked_at - LATE_LINE_WINDOW);
            let output = self.print_since(from, next).await?;
            if output == OutputState::Closed || !follow {
                return Ok(());
            }
            from = next;
            self.printed.retain(|_, at| *at >= from);
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Prints the lines since `from` that were not printed yet. The next request returns the lines from `next` on
    /// again.
    async fn print_since(&mut self, from: DateTime<Utc>, next: DateTime<Utc>) -> anyhow::Result<OutputState> {
        let request = self.client.filter_log_events().log_group_name(&self.group).start_time(from.timestamp_millis());
        let mut pages = request.set_filter_pattern(self.filter.clone()).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| {
                let not_found = || self.stack.not_found(&format!("log group {}", self.group));
                self.stack.service_error("CloudWatch Logs", &error).with_not_found(not_found)
            })?;
            let mut events = page.events.unwrap_or_default();
            // A page lists the lines of one stream after the lines of another.
            events.sort_by_key(|event| event.timestamp);
            for event in events {
                let at = event.timestamp.and_then(DateTime::from_timestamp_millis).unwrap_or(from);
                if at < next || self.printed.insert(event.event_id.unwrap_or_default(), at).is_none() {
                    let line = format!("{} {}", time::text(at), event.message.unwrap_or_default().trim_end());
                    if !try_print_line(&line) {
                        return Ok(OutputState::Closed);
                    }
                }
            }
        }
        Ok(OutputState::Open)
    }
}
