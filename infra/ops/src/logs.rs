//! `ctl logs`: a function's log lines.

use std::{collections::BTreeMap, process::ExitCode, time::Duration};

use anyhow::Context;
use aws_sdk_cloudwatchlogs::Client;
use chrono::{DateTime, TimeDelta, Utc};
use shared::{clock, domain::time, host::stop_signal};

use crate::cloud::Cloud;
use ctl::report::is_said;

/// How often new lines are asked for.
const PAUSE: Duration = Duration::from_secs(2);

/// How late a line may come: so far back is asked again.
const LATE: TimeDelta = TimeDelta::seconds(30);

/// How far back something lies: `90s`, `10m`, `2h` or `7d`.
pub(crate) fn period(text: &str) -> Result<TimeDelta, &'static str> {
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

/// Prints what was logged since, and what is logged from now on if it is to be followed.
pub(crate) async fn command(
    cloud: &Cloud,
    function: &str,
    since: TimeDelta,
    filter: Option<&str>,
    follow: bool,
) -> anyhow::Result<ExitCode> {
    let began = clock::now().checked_sub_signed(since).context("that is too far back")?;
    let group = format!("/aws/lambda/{}", cloud.named(function));
    let filter = filter.map(pattern);
    let mut lines = Lines { cloud, client: Client::new(&cloud.config), group, filter, told: BTreeMap::new() };
    let stop = stop_signal();
    tokio::select! {
        outcome = lines.tell(began, follow) => outcome?,
        // Whoever follows ends it so.
        () = stop => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// A filter pattern is handed on as it is, any other text as one phrase.
fn pattern(filter: &str) -> String {
    if filter.starts_with(['{', '[', '"', '?', '-', '%']) {
        return filter.to_owned();
    }
    format!("\"{}\"", filter.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Whether somebody reads what is printed.
#[derive(PartialEq, Eq)]
enum Listener {
    There,
    Gone,
}

struct Lines<'a> {
    cloud: &'a Cloud,
    client: Client,
    group: String,
    filter: Option<String>,
    /// When each line was logged that is asked for again, by its id.
    told: BTreeMap<String, DateTime<Utc>>,
}

impl Lines<'_> {
    async fn tell(&mut self, mut from: DateTime<Utc>, follow: bool) -> anyhow::Result<()> {
        loop {
            let asked = clock::now();
            let next = from.max(asked - LATE);
            let listener = self.tell_since(from, next).await?;
            if listener == Listener::Gone || !follow {
                return Ok(());
            }
            from = next;
            self.told.retain(|_, at| *at >= from);
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Prints each line that was logged since and not told yet; from `next` on, they will be asked for again.
    async fn tell_since(&mut self, from: DateTime<Utc>, next: DateTime<Utc>) -> anyhow::Result<Listener> {
        let asking = self.client.filter_log_events().log_group_name(&self.group).start_time(from.timestamp_millis());
        let mut pages = asking.set_filter_pattern(self.filter.clone()).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| {
                let missing = || self.cloud.missing(&format!("log group {}", self.group));
                self.cloud.trouble("CloudWatch Logs", &error).about(missing)
            })?;
            let mut events = page.events.unwrap_or_default();
            // Of several streams they come one stream after the other.
            events.sort_by_key(|event| event.timestamp);
            for event in events {
                let at = event.timestamp.and_then(DateTime::from_timestamp_millis).unwrap_or(from);
                if at < next || self.told.insert(event.event_id.unwrap_or_default(), at).is_none() {
                    let line = format!("{} {}", time::text(at), event.message.unwrap_or_default().trim_end());
                    if !is_said(&line) {
                        return Ok(Listener::Gone);
                    }
                }
            }
        }
        Ok(Listener::There)
    }
}
