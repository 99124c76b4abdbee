//! The template's schedules: `rate(…)` and `cron(…)` expressions as EventBridge Scheduler reads them, in their time zones.

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

/// When a function is called.
#[derive(Debug, Clone)]
pub struct Schedule {
    recurrence: Recurrence,
    zone: Zone,
}

/// A function and when it is called.
#[derive(Debug, Clone)]
pub struct ScheduledCall {
    /// The function.
    pub function: String,
    /// When.
    pub schedule: Schedule,
    /// Whether it is called again with its cursor until it is done, or once.
    pub until_done: bool,
}

#[derive(Debug, Clone)]
enum Recurrence {
    /// Every so long, from when the stack began.
    Rate(TimeDelta),
    /// At these times of the zone's calendar.
    Calendar(Box<Cron>),
}

impl Schedule {
    /// Reads an expression and its time zone, UTC where none is named.
    pub fn read(expression: &str, zone: Option<&str>) -> anyhow::Result<Self> {
        let zone = zone.unwrap_or("UTC");
        let zone = zone.parse().map_err(|_| anyhow!("no time zone: {zone}"))?;
        let arguments_of = |word: &str| expression.strip_prefix(word)?.strip_prefix('(')?.strip_suffix(')');
        let recurrence = match (arguments_of("rate"), arguments_of("cron")) {
            (Some(rate), _) => parse_rate(rate),
            (None, Some(cron)) => parse_cron(cron),
            (None, None) => Err(anyhow!("must be rate(…) or cron(…)")),
        };
        Ok(Self { recurrence: recurrence.with_context(|| expression.to_owned())?, zone })
    }

    /// The first time after `now` of a schedule that began at `began`; `None`: never again.
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
    period.map(Recurrence::Rate).context("is too long")
}

/// AWS's six fields, minutes to years; days of the week count from 1, Sunday.
fn parse_cron(cron: &str) -> anyhow::Result<Recurrence> {
    let fields: Vec<&str> = cron.split_whitespace().collect();
    let [_, _, day, _, weekday, _] = fields.as_slice() else {
        bail!("must have six fields: minutes, hours, day, month, day of the week, year");
    };
    if (*day == "?") == (*weekday == "?") {
        bail!("one of day and day of the week must be ?, and not both");
    }
    let parser =
        CronParser::builder().seconds(Seconds::Required).year(Year::Required).alternative_weekdays(true).build();
    let cron = parser.parse(&format!("0 {}", fields.join(" ")))?;
    Ok(Recurrence::Calendar(Box::new(cron)))
}

/// Calls each function at its times, for ever: one call after the other, so that a slow one delays the next and no two
/// of a function run at once.
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

/// What EventBridge Scheduler hands a function that it is told nothing else for.
fn schedule_event(at: DateTime<Utc>) -> Value {
    json!({
        "version": "0", "id": "local", "detail-type": "Scheduled Event", "source": "aws.scheduler",
        "account": "000000000000", "time": time::text(at), "region": "local", "resources": [], "detail": "{}",
    })
}
