//! `ctl jobs`: lists, runs, pauses and resumes the scheduled jobs, by their schedules in EventBridge Scheduler.

use std::process::ExitCode;

use anyhow::{Context, bail};
use aws_sdk_scheduler::{Client, operation::get_schedule::GetScheduleOutput, types::ScheduleState};
use clap::Subcommand;
use serde_json::{Value, json};
use shared::{clock, domain::time};

use crate::{
    deployed_stack::DeployedStack,
    invoke::{InvokeOutcome, Invoker, answer_summary, is_incomplete},
    service_error::{ServiceError, ServiceErrorKind},
};
use ctl::output::{print_error, print_line};

/// All jobs. A job's schedule is named after the stack and the job.
const JOBS: [&str; 5] =
    ["bundle-transitions", "points-expiry", "tier-recalculation", "churn-prediction", "weekly-report"];

/// The group of schedules that name no group.
const SCHEDULE_GROUP: &str = "default";

/// The actions on jobs.
#[derive(Subcommand)]
pub(crate) enum JobAction {
    /// List each job with its state and its schedule
    List,
    /// Start a job now as its schedule would, paused or not
    Run {
        /// The job
        #[arg(value_parser = JOBS)]
        job: String,
    },
    /// Stop the schedule of a job, or of all jobs
    Pause {
        /// The job; all jobs if omitted
        #[arg(value_parser = JOBS)]
        job: Option<String>,
    },
    /// Start the schedule of a job, or of all jobs, again
    Resume {
        /// The job; all jobs if omitted
        #[arg(value_parser = JOBS)]
        job: Option<String>,
    },
}

pub(crate) async fn run(stack: &DeployedStack, action: &JobAction) -> anyhow::Result<ExitCode> {
    let schedules = Schedules { stack, client: Client::new(&stack.config) };
    match action {
        JobAction::List => schedules.for_each(None, async |job, schedule| Ok(schedule_row(job, schedule))).await,
        JobAction::Run { job } => run_now(stack, job, &schedules.require(job).await?).await.map(|()| ExitCode::SUCCESS),
        JobAction::Pause { job } => schedules.set_states(job.as_deref(), &ScheduleState::Disabled).await,
        JobAction::Resume { job } => schedules.set_states(job.as_deref(), &ScheduleState::Enabled).await,
    }
}

struct Schedules<'a> {
    stack: &'a DeployedStack,
    client: Client,
}

impl Schedules<'_> {
    /// Reads a job's schedule. `None` if it does not exist.
    async fn find(&self, job: &str) -> Result<Option<GetScheduleOutput>, ServiceError> {
        match self.client.get_schedule().group_name(SCHEDULE_GROUP).name(self.stack.resource_name(job)).send().await {
            Ok(schedule) => Ok(Some(schedule)),
            Err(error) => match self.stack.service_error("EventBridge Scheduler", &error) {
                error if error.kind == ServiceErrorKind::NotFound => Ok(None),
                error => Err(error),
            },
        }
    }

    /// Reads a job's schedule. Fails if it does not exist.
    async fn require(&self, job: &str) -> anyhow::Result<GetScheduleOutput> {
        let not_found = || self.stack.not_found(&format!("schedule {}", self.stack.resource_name(job)));
        self.find(job).await?.with_context(not_found)
    }

    /// Applies an action to the schedule of one job or of each job, and prints its line.
    ///
    /// With several jobs, a missing schedule is reported, and a failed action does not stop the other jobs. If no
    /// schedule exists, the stack's name is wrong, and the command fails.
    async fn for_each(
        &self,
        job_filter: Option<&str>,
        action: impl AsyncFn(&str, &GetScheduleOutput) -> Result<String, ServiceError>,
    ) -> anyhow::Result<ExitCode> {
        if let Some(job) = job_filter {
            print_line(&action(job, &self.require(job).await?).await?);
            return Ok(ExitCode::SUCCESS);
        }
        let (mut not_found, mut failed) = (Vec::new(), false);
        for job in JOBS {
            let result = match self.find(job).await {
                Ok(Some(schedule)) => action(job, &schedule).await,
                Ok(None) => {
                    not_found.push(job);
                    continue;
                }
                Err(error) => Err(error),
            };
            match result {
                Ok(line) => print_line(&line),
                Err(error) if error.kind == ServiceErrorKind::AccountUnusable => return Err(error.into()),
                Err(error) => {
                    failed = true;
                    print_error(&format!("ctl: {job}: {error}"));
                }
            }
        }
        if not_found.len() == JOBS.len() {
            bail!(self.stack.not_found(&format!("schedule {}", self.stack.resource_name(JOBS[0]))));
        }
        for job in not_found {
            print_line(&format!("{job:<20} there is no schedule {}", self.stack.resource_name(job)));
        }
        Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    async fn set_states(&self, job_filter: Option<&str>, state: &ScheduleState) -> anyhow::Result<ExitCode> {
        self.for_each(job_filter, async |job, schedule| self.set_state(job, schedule, state).await).await
    }

    /// Sets the state of a schedule. An update replaces the whole schedule, so every field is sent back.
    async fn set_state(
        &self,
        job: &str,
        schedule: &GetScheduleOutput,
        state: &ScheduleState,
    ) -> Result<String, ServiceError> {
        if schedule.state() == Some(state) {
            return Ok(format!("{job:<20} is {} already", state_word(Some(state))));
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
        let not_found = || self.stack.not_found(&format!("schedule {}", self.stack.resource_name(job)));
        update
            .send()
            .await
            .map_err(|error| self.stack.service_error("EventBridge Scheduler", &error).with_not_found(not_found))?;
        Ok(format!("{job:<20} is {} now", state_word(Some(state))))
    }
}

const fn state_word(state: Option<&ScheduleState>) -> &'static str {
    match state {
        Some(ScheduleState::Enabled) => "on",
        Some(ScheduleState::Disabled) => "paused",
        _ => "?",
    }
}

fn schedule_row(job: &str, schedule: &GetScheduleOutput) -> String {
    let expression = schedule.schedule_expression().unwrap_or_default();
    let zone = schedule.schedule_expression_timezone().unwrap_or("UTC");
    format!("{job:<20} {:<8} {expression:<22} {zone}", state_word(schedule.state()))
}

/// Starts the target of a schedule with the schedule's input.
async fn run_now(stack: &DeployedStack, job: &str, schedule: &GetScheduleOutput) -> anyhow::Result<()> {
    let target = schedule.target().context("the schedule has no target")?;
    let (arn, input) = (target.arn(), target.input());
    match arn.split(':').nth(2) {
        Some("lambda") => {
            let payload = match input {
                Some(input) => serde_json::from_str(input).context("the schedule's input")?,
                None => default_event(schedule),
            };
            let outcome = Invoker::new(stack).call(arn, None, &payload).await;
            match outcome.map_err(|error| error.with_not_found(|| stack.not_found(&format!("function {arn}"))))? {
                InvokeOutcome::Succeeded(answer) => {
                    let note = match answer.get("cursor") {
                        Some(_) => "; the time limit came before the end",
                        None => "",
                    };
                    let report = format!("{}{note}", answer_summary(&answer));
                    if is_incomplete(&answer) {
                        bail!("{job} did not succeed with all: {report}");
                    }
                    print_line(&format!("{job}: {report}"));
                    Ok(())
                }
                InvokeOutcome::Rejected(problem) => bail!("{job} was refused: {}", problem.summary()),
                InvokeOutcome::Failed(reason) => bail!("{job} failed: {reason}"),
            }
        }
        Some("states") => {
            let execution = aws_sdk_sfn::Client::new(&stack.config).start_execution().state_machine_arn(arn);
            // With a name, a retried request starts no second execution.
            let execution = execution.name(format!("by-hand-{}", clock::now().timestamp_millis()));
            let execution = execution.set_input(input.map(str::to_owned)).send().await;
            let execution = execution.map_err(|error| {
                stack
                    .service_error("Step Functions", &error)
                    .with_not_found(|| stack.not_found(&format!("state machine {arn}")))
            })?;
            print_line(&format!("{job} is started: {}", execution.execution_arn()));
            Ok(())
        }
        _ => bail!("{job} starts {arn}, which is neither a function nor a state machine"),
    }
}

/// The event that EventBridge Scheduler sends if a schedule has no input.
fn default_event(schedule: &GetScheduleOutput) -> Value {
    let arn = schedule.arn().unwrap_or_default();
    let part = |index| arn.split(':').nth(index).unwrap_or_default();
    json!({
        "version": "0", "id": "by-hand", "detail-type": "Scheduled Event", "source": "aws.scheduler",
        "account": part(4), "time": time::text(clock::now()), "region": part(3), "resources": [arn], "detail": "{}",
    })
}
