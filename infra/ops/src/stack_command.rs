//! The commands that operate a deployed stack: its jobs, versions, failed calls and logs, and its deployment.
//!
//! Every resource name follows from the stack's name, as in the template. The SDK finds region and credentials.

use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use ctl::addresses::FUNCTIONS;

use crate::{deploy, deployed_stack::DeployedStack, jobs, logs, redrive, rollback};

/// The commands that operate a deployed stack.
#[derive(Subcommand)]
pub(crate) enum StackCommand {
    /// List the scheduled jobs, run one now, pause or resume them
    Jobs(JobsOptions),
    /// Move functions back to the version before the live one
    Rollback(RollbackOptions),
    /// Replay the failed calls of a function, and remove those that succeed from its queue
    Redrive(RedriveOptions),
    /// Print a function's log lines, newest last
    Logs(LogsOptions),
    /// Build every function and deploy an environment of samconfig.toml, whose stack is named there
    Deploy(DeployOptions),
}

#[derive(Args)]
struct StackName {
    /// The stack's name
    #[arg(long, env = "STACK", default_value = "regulars", global = true)]
    stack: String,
}

#[derive(Args)]
pub(crate) struct JobsOptions {
    #[command(flatten)]
    stack: StackName,
    #[command(subcommand)]
    action: jobs::JobAction,
}

#[derive(Args)]
pub(crate) struct RollbackOptions {
    /// The function; all functions if omitted
    #[arg(value_parser = parse_function)]
    function: Option<&'static str>,
    /// Move the function to this version instead of the one before
    #[arg(long, value_name = "VERSION", requires = "function")]
    to: Option<u64>,
    #[command(flatten)]
    stack: StackName,
}

#[derive(Args)]
pub(crate) struct RedriveOptions {
    /// The function
    #[arg(value_parser = parse_function)]
    function: &'static str,
    /// Largest number of messages to replay
    #[arg(long)]
    max: Option<usize>,
    /// Only list the messages
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    stack: StackName,
}

#[derive(Args)]
pub(crate) struct LogsOptions {
    /// The function, or pre-traffic-check, which checks the new version of a job before it takes over
    #[arg(value_parser = parse_log_source)]
    function: &'static str,
    /// Start of the lines, as 90s, 10m, 2h or 7d ago
    #[arg(long, default_value = "10m", value_parser = logs::parse_period)]
    since: chrono::TimeDelta,
    /// Filter pattern of CloudWatch Logs (begins with one of {["?-%), or a text that the lines contain
    #[arg(long, allow_hyphen_values = true)]
    filter: Option<String>,
    /// Go on with new lines as they arrive
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    stack: StackName,
}

#[derive(Args)]
pub(crate) struct DeployOptions {
    /// The environment
    #[arg(value_parser = ["staging", "production"])]
    environment: String,
    /// Publish a new version of every function, changed or not, so that a version that was rejected or rolled back is deployed again
    #[arg(long)]
    anew: bool,
    /// Compiler for the functions' architecture; cargo suffices for this machine's own
    #[arg(long, env = "CARGO_LAMBDA_COMPILER", default_value = "cargo")]
    compiler: String,
}

impl StackCommand {
    /// Runs the command. Exit code 0 means that everything succeeded.
    pub(crate) async fn run(&self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Jobs(JobsOptions { stack: StackName { stack }, action }) => {
                jobs::run(&DeployedStack::connect(stack).await?, action).await
            }
            Self::Rollback(RollbackOptions { function, to, stack: StackName { stack } }) => {
                rollback::run(&DeployedStack::connect(stack).await?, *function, *to).await
            }
            Self::Redrive(RedriveOptions { function, max, dry_run, stack: StackName { stack } }) => {
                redrive::run(&DeployedStack::connect(stack).await?, function, max.unwrap_or(usize::MAX), *dry_run).await
            }
            Self::Logs(LogsOptions { function, since, filter, follow, stack: StackName { stack } }) => {
                logs::run(&DeployedStack::connect(stack).await?, function, *since, filter.as_deref(), *follow).await
            }
            Self::Deploy(DeployOptions { environment, anew, compiler }) => deploy::run(environment, *anew, compiler),
        }
    }
}

/// Parses the source of a log: a function, or the pre-traffic check of deployments.
fn parse_log_source(name: &str) -> anyhow::Result<&'static str> {
    const PRE_TRAFFIC_CHECK: &str = "pre-traffic-check";
    if name == PRE_TRAFFIC_CHECK { Ok(PRE_TRAFFIC_CHECK) } else { parse_function(name) }
}

/// Parses the name of a function.
fn parse_function(name: &str) -> anyhow::Result<&'static str> {
    let known = FUNCTIONS.into_iter().find(|function| *function == name);
    known.with_context(|| format!("there is no such function, only {}", FUNCTIONS.join(", ")))
}
