//! The template's schedules: `rate(…)` and `cron(…)` expressions in their time zones, as EventBridge Scheduler reads
//! them.

use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use chrono::{DateTime, TimeDelta, Utc};
use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};
use futures::future::join_all;
use serde_json::{Value, json};
use shared::domain::{time, zone::Zone};

/// A schedule expression in its time zone.
#[derive(Debug, Clone)]
pub struct Schedule {
    recurrence: Recurrence,
    zone: Zone,
}

/// A function with the schedule that calls it.
#[derive(Debug, Clone)]
pub struct ScheduledCall {
    /// The name of the function.
    pub function: String,
    /// The schedule.
    pub schedule: Schedule,
    /// Whether each run calls the function again with its cursor until it returns none. Otherwise a run is one call.
    pub until_done: bool,
}

#[derive(Debug, Clone)]
enum Recurrence {
    /// At a fixed period, counted from the start of the stack.
    Rate(TimeDelta),
    /// At these times of the calendar in the schedule's time zone.
    Calendar(Box<Cron>),
}

impl Schedule {
    /// Parses an expression. The default of `zone` is UTC. Fails for an expression that EventBridge Scheduler
    /// rejects.
    pub fn read(expression: &str, zone: Option<&str>) -> anyhow::Result<Self> {
        let zone = zone.unwrap_or("UTC");
        let zone = zone.parse().map_err(|_| anyhow!("unknown time zone: {zone}"))?;
        let arguments_of = |word: &str| expression.strip_prefix(word)?.strip_prefix('(')?.strip_suffix(')');
        let recurrence = match (arguments_of("rate"), arguments_of("cron")) {
            (Some(rate), _) => parse_rate(rate),
            (None, Some(cron)) => parse_cron(cron),
            (None, None) => Err(anyhow!("must be rate(…) or cron(…)")),
        };
        Ok(Self { recurrence: recurrence.with_context(|| expression.to_owned())?, zone })
    }

    /// The first time after `now`, or `None` if there is none. A rate counts from `started_at`.
    #[must_use]
    pub fn next(&self, started_at: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match &self.recurrence {
            Recurrence::Rate(period) => {
                let passed = (now - started_at).num_seconds().max(0) / period.num_seconds();
                Some(started_at + *period * i32::try_from(passed + 1).ok()?)
            }
            Recurrence::Calendar(cron) => {
                cron.find_next_occurrence(&now.with_timezone(&self.zone), false).ok().map(|at| at.to_utc())
            }
        }
    }
}

fn parse_rate(rate: &str) -> anyhow::Result<Recurrence> {
    let (number, unit) = rate.split_once(' ').context("must be a number and a unit")?;
    let number: u32 = number.parse().ok().filter(|number| *number > 0).context("must be a number from 1")?;
    let unit = match (unit, number) {
        ("minute", 1) | ("minutes", 2..) => TimeDelta::minutes(1),
        ("hour", 1) | ("hours", 2..) => TimeDelta::hours(1),
        ("day", 1) | ("days", 2..) => TimeDelta::days(1),
        _ => bail!("the unit must be minute, hour or day, with an s for more than one"),
    };
    let period = i32::try_from(number).ok().and_then(|number| unit.checked_mul(number));
    period.map(Recurrence::Rate).context("the period is too long")
}

/// Parses AWS's six fields, minutes to years. Days of the week count from 1, which is Sunday.
fn parse_cron(cron: &str) -> anyhow::Result<Recurrence> {
    let fields: Vec<&str> = cron.split_whitespace().collect();
    let [_, _, day, _, weekday, _] = fields.as_slice() else {
        bail!("must have six fields: minutes, hours, day, month, day of the week, year");
    };
    if (*day == "?") == (*weekday == "?") {
        bail!("exactly one of day and day of the week must be ?");
    }
    let parser =
        CronParser::builder().seconds(Seconds::Required).year(Year::Required).alternative_weekdays(true).build();
    let cron = parser.parse(&format!("0 {}", fields.join(" ")))?;
    Ok(Recurrence::Calendar(Box::new(cron)))
}

/// Makes each scheduled call at its times, until no schedule has another time.
///
/// The calls of one schedule run one after another. A slow call delays the next one, and the times that it misses are
/// skipped.
pub async fn run<F: Future<Output = ()>>(
    calls: &[ScheduledCall],
    clock: impl Fn() -> DateTime<Utc>,
    call: impl Fn(ScheduledCall, Value) -> F,
) {
    let started_at = clock();
    let (clock, call) = (&clock, &call);
    join_all(calls.iter().map(|scheduled| async move {
        while let Some(at) = scheduled.schedule.next(started_at, clock()) {
            let wait = (at - clock()).to_std().unwrap_or(Duration::ZERO);
            tokio::time::sleep(wait).await;
            if clock() >= at {
                call(scheduled.clone(), schedule_event(at)).await;
            }
        }
    }))
    .await;
}

/// The event that EventBridge Scheduler sends if a schedule has no input.
fn schedule_event(at: DateTime<Utc>) -> Value {
    json!({
        "version": "0", "id": "local", "detail-type": "Scheduled Event", "source": "aws.scheduler",
        "account": "000000000000", "time": time::text(at), "region": "local", "resources": [], "detail": "{}",
    })
}
