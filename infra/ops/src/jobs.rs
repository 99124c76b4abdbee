//! `ctl jobs`: what the clock starts, by its schedules in EventBridge Scheduler.

use std::process::ExitCode;

use anyhow::{Context, bail};
use aws_sdk_scheduler::{Client, operation::get_schedule::GetScheduleOutput, types::ScheduleState};
use clap::Subcommand;
use serde_json::{Value, json};
use shared::{clock, domain::time};

use crate::{
    cloud::Cloud,
    invoke::{Invoker, Outcome, is_unsuccessful, summary},
    service_error::{Kind, Trouble},
};
use ctl::{
    complaint,
    report::{complain, say},
};

/// Every job that there is. Its schedule has its name, after the stack's.
const JOBS: [&str; 4] = ["bundle-transitions", "tier-recalculation", "churn-prediction", "weekly-report"];

/// The group that schedules are in that are put into none.
const GROUP: &str = "default";

/// What can be done to jobs.
#[derive(Subcommand)]
pub(crate) enum Act {
    /// Each job, whether it is on, and when it runs
    List,
    /// Start what the schedule would start, now, paused or not
    Run {
        /// Which job
        #[arg(value_parser = JOBS)]
        job: String,
    },
    /// Let the clock start a job, or all of them, no more
    Pause {
        /// Which job; all of them if it is left out
        #[arg(value_parser = JOBS)]
        job: Option<String>,
    },
    /// Let the clock start a job, or all of them, again
    Resume {
        /// Which job; all of them if it is left out
        #[arg(value_parser = JOBS)]
        job: Option<String>,
    },
}

pub(crate) async fn command(cloud: &Cloud, act: &Act) -> anyhow::Result<ExitCode> {
    let schedules = Schedules { cloud, client: Client::new(&cloud.config) };
    match act {
        Act::List => schedules.each(None, async |job, schedule| Ok(row(job, schedule))).await,
        Act::Run { job } => run(cloud, job, &schedules.one(job).await?).await.map(|()| ExitCode::SUCCESS),
        Act::Pause { job } => schedules.set_all(job.as_deref(), &ScheduleState::Disabled).await,
        Act::Resume { job } => schedules.set_all(job.as_deref(), &ScheduleState::Enabled).await,
    }
}

struct Schedules<'a> {
    cloud: &'a Cloud,
    client: Client,
}

impl Schedules<'_> {
    /// A job's schedule, if it is there.
    async fn find(&self, job: &str) -> Result<Option<GetScheduleOutput>, Trouble> {
        match self.client.get_schedule().group_name(GROUP).name(self.cloud.named(job)).send().await {
            Ok(schedule) => Ok(Some(schedule)),
            Err(error) => match self.cloud.trouble("EventBridge Scheduler", &error) {
                trouble if trouble.kind == Kind::NotThere => Ok(None),
                trouble => Err(trouble),
            },
        }
    }

    async fn one(&self, job: &str) -> anyhow::Result<GetScheduleOutput> {
        let missing = || self.cloud.missing(&format!("schedule {}", self.cloud.named(job)));
        self.find(job).await?.with_context(missing)
    }

    /// Does something with the schedule of one job or of each, and prints what it says. That one of all is not there is
    /// told, and that one is refused holds up no other; that none is there means another stack.
    async fn each(
        &self,
        only: Option<&str>,
        act: impl AsyncFn(&str, &GetScheduleOutput) -> Result<String, Trouble>,
    ) -> anyhow::Result<ExitCode> {
        if let Some(job) = only {
            say(&act(job, &self.one(job).await?).await?);
            return Ok(ExitCode::SUCCESS);
        }
        let (mut missing, mut failed) = (Vec::new(), false);
        for job in JOBS {
            let done = match self.find(job).await {
                Ok(Some(schedule)) => act(job, &schedule).await,
                Ok(None) => {
                    missing.push(job);
                    continue;
                }
                Err(trouble) => Err(trouble),
            };
            match done {
                Ok(line) => say(&line),
                Err(trouble) if trouble.kind == Kind::OfAll => return Err(trouble.into()),
                Err(trouble) => {
                    failed = true;
                    complain(&format!("ctl: {job}: {trouble}"));
                }
            }
        }
        if missing.len() == JOBS.len() {
            bail!(self.cloud.missing(&format!("schedule {}", self.cloud.named(JOBS[0]))));
        }
        for job in missing {
            say(&format!("{job:<20} there is no schedule {}", self.cloud.named(job)));
        }
        Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    async fn set_all(&self, only: Option<&str>, state: &ScheduleState) -> anyhow::Result<ExitCode> {
        self.each(only, async |job, schedule| self.set(job, schedule, state).await).await
    }

    /// An update replaces everything that a schedule is, so all of it is sent back.
    async fn set(&self, job: &str, schedule: &GetScheduleOutput, state: &ScheduleState) -> Result<String, Trouble> {
        if schedule.state() == Some(state) {
            return Ok(format!("{job:<20} is {} already", word(Some(state))));
        }
        let schedule = schedule.clone();
        let update = self.client.update_schedule().state(state.clone());
        let update = update
            .set_name(schedule.name)
            .set_group_name(schedule.group_name)
            .set_description(schedule.description)
            .set_schedule_expression(schedule.schedule_expression)
            .set_schedule_expression_timezone(schedule.schedule_expression_timezone)
            .set_start_date(schedule.start_date)
            .set_end_date(schedule.end_date)
            .set_flexible_time_window(schedule.flexible_time_window)
            .set_target(schedule.target)
            .set_kms_key_arn(schedule.kms_key_arn)
            .set_action_after_completion(schedule.action_after_completion);
        let missing = || self.cloud.missing(&format!("schedule {}", self.cloud.named(job)));
        update.send().await.map_err(|error| self.cloud.trouble("EventBridge Scheduler", &error).about(missing))?;
        Ok(format!("{job:<20} is {} now", word(Some(state))))
    }
}

const fn word(state: Option<&ScheduleState>) -> &'static str {
    match state {
        Some(ScheduleState::Enabled) => "on",
        Some(ScheduleState::Disabled) => "paused",
        _ => "?",
    }
}

fn row(job: &str, schedule: &GetScheduleOutput) -> String {
    let expression = schedule.schedule_expression().unwrap_or_default();
    let zone = schedule.schedule_expression_timezone().unwrap_or("UTC");
    format!("{job:<20} {:<8} {expression:<22} {zone}", word(schedule.state()))
}

/// Starts a schedule's target with the schedule's input.
async fn run(cloud: &Cloud, job: &str, schedule: &GetScheduleOutput) -> anyhow::Result<()> {
    let target = schedule.target().context("the schedule has no target")?;
    let (arn, input) = (target.arn(), target.input());
    match arn.split(':').nth(2) {
        Some("lambda") => {
            let payload = match input {
                Some(input) => serde_json::from_str(input).context("the schedule's input")?,
                None => default_event(schedule),
            };
            let called = Invoker::of(cloud).call(arn, None, &payload).await;
            match called.map_err(|trouble| trouble.about(|| cloud.missing(&format!("function {arn}"))))? {
                Outcome::Done(answer) => {
                    let more = match answer.get("cursor") {
                        Some(_) => "; its time was over before it was through",
                        None => "",
                    };
                    let told = format!("{}{more}", summary(&answer));
                    if is_unsuccessful(&answer) {
                        bail!("{job} did not succeed with all: {told}");
                    }
                    say(&format!("{job}: {told}"));
                    Ok(())
                }
                Outcome::Refused(problem) => bail!("{job} was refused: {}", complaint(&problem)),
                Outcome::Failed(why) => bail!("{job} failed: {why}"),
            }
        }
        Some("states") => {
            let started = aws_sdk_sfn::Client::new(&cloud.config).start_execution().state_machine_arn(arn);
            // By its name, so that a request that is repeated starts no second one.
            let started = started.name(format!("by-hand-{}", clock::now().timestamp_millis()));
            let started = started.set_input(input.map(str::to_owned)).send().await;
            let started = started.map_err(|error| {
                cloud.trouble("Step Functions", &error).about(|| cloud.missing(&format!("state machine {arn}")))
            })?;
            say(&format!("{job} is started: {}", started.execution_arn()));
            Ok(())
        }
        _ => bail!("{job} starts {arn}, which is neither a function nor a state machine"),
    }
}

/// What EventBridge Scheduler hands a function that it is told nothing else for.
fn default_event(schedule: &GetScheduleOutput) -> Value {
    let arn = schedule.arn().unwrap_or_default();
    let part = |place| arn.split(':').nth(place).unwrap_or_default();
    json!({
        "version": "0", "id": "by-hand", "detail-type": "Scheduled Event", "source": "aws.scheduler",
        "account": part(4), "time": time::text(clock::now()), "region": part(3), "resources": [arn], "detail": "{}",
    })
}
