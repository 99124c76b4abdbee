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
    when: When,
    zone: Zone,
}

/// A function and when it is called.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The function.
    pub function: String,
    /// When.
    pub schedule: Schedule,
    /// Whether it is called again with its cursor until it is done, or once.
    pub to_the_end: bool,
}

#[derive(Debug, Clone)]
enum When {
    /// Every so long, from when the stack began.
    Every(TimeDelta),
    /// At these times of the zone's calendar.
    At(Box<Cron>),
}

impl Schedule {
    /// Reads an expression and its time zone, UTC where none is named.
    pub fn read(expression: &str, zone: Option<&str>) -> anyhow::Result<Self> {
        let zone = zone.unwrap_or("UTC");
        let zone = zone.parse().map_err(|_| anyhow!("no time zone: {zone}"))?;
        let within = |word: &str| expression.strip_prefix(word)?.strip_prefix('(')?.strip_suffix(')');
        let when = match (within("rate"), within("cron")) {
            (Some(rate), _) => every(rate),
            (None, Some(cron)) => at(cron),
            (None, None) => Err(anyhow!("must be rate(…) or cron(…)")),
        };
        Ok(Self { when: when.with_context(|| expression.to_owned())?, zone })
    }

    /// The first time after `now` of a schedule that began at `began`; `None`: never again.
    #[must_use]
    pub fn next(&self, began: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match &self.when {
            When::Every(period) => {
                let passed = (now - began).num_seconds().max(0) / period.num_seconds();
                Some(began + *period * i32::try_from(passed + 1).ok()?)
            }
            When::At(cron) => {
                cron.find_next_occurrence(&now.with_timezone(&self.zone), false).ok().map(|at| at.to_utc())
            }
        }
    }
}

fn every(rate: &str) -> anyhow::Result<When> {
    let (number, unit) = rate.split_once(' ').context("must be a number and a unit")?;
    let number: u32 = number.parse().ok().filter(|number| *number > 0).context("must be a number from 1")?;
    let unit = match (unit, number) {
        ("minute", 1) | ("minutes", 2..) => TimeDelta::minutes(1),
        ("hour", 1) | ("hours", 2..) => TimeDelta::hours(1),
        ("day", 1) | ("days", 2..) => TimeDelta::days(1),
        _ => bail!("the unit must be minute, hour or day, with an s for more than one"),
    };
    let period = i32::try_from(number).ok().and_then(|number| unit.checked_mul(number));
    period.map(When::Every).context("is too long")
}

/// AWS's six fields, minutes to years; days of the week count from 1, Sunday.
fn at(cron: &str) -> anyhow::Result<When> {
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
    Ok(When::At(Box::new(cron)))
}

/// Calls each function at its times, for ever: one call after the other, so that a slow one delays the next and no two
/// of a function run at once.
pub async fn run<F: Future<Output = ()>>(
    plan: &[Planned],
    clock: impl Fn() -> DateTime<Utc>,
    call: impl Fn(Planned, Value) -> F,
) {
    let began = clock();
    let (clock, call) = (&clock, &call);
    join_all(plan.iter().map(|planned| async move {
        while let Some(at) = planned.schedule.next(began, clock()) {
            let left = (at - clock()).to_std().unwrap_or(Duration::ZERO);
            tokio::time::sleep(left).await;
            if clock() >= at {
                call(planned.clone(), event(at)).await;
            }
        }
    }))
    .await;
}

/// What EventBridge Scheduler hands a function that it is told nothing else for.
fn event(at: DateTime<Utc>) -> Value {
    json!({
        "version": "0", "id": "local", "detail-type": "Scheduled Event", "source": "aws.scheduler",
        "account": "000000000000", "time": time::text(at), "region": "local", "resources": [], "detail": "{}",
    })
}
