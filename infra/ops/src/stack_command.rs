//! What is done to a deployed stack: its jobs, its versions, what it gave up, its logs. Every name follows from the
//! stack's, as the template gives it; the account, its region and credentials are those that the SDK finds.

use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use ctl::addresses::FUNCTIONS;

use crate::{deploy, deployed_stack::DeployedStack, jobs, logs, redrive, rollback};

/// One of the commands that operate a deployed stack.
#[derive(Subcommand)]
pub(crate) enum StackCommand {
    /// List the jobs that the clock starts, run one now, pause or resume them
    Jobs(JobsOptions),
    /// Set functions back to the version before the one that is called
    Rollback(RollbackOptions),
    /// Replay the calls that a function failed, and remove those that succeed from its queue
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
    /// Which function; all of them if it is left out
    #[arg(value_parser = parse_function)]
    function: Option<&'static str>,
    /// Set it to this version instead of the one before
    #[arg(long, value_name = "VERSION", requires = "function")]
    to: Option<u64>,
    #[command(flatten)]
    stack: StackName,
}

#[derive(Args)]
pub(crate) struct RedriveOptions {
    /// Which function
    #[arg(value_parser = parse_function)]
    function: &'static str,
    /// Try so many messages at most
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
    /// Which function, or pre-traffic-check, which tries the new version of a job before it takes over
    #[arg(value_parser = parse_log_source)]
    function: &'static str,
    /// How far back, as 90s, 10m, 2h or 7d
    #[arg(long, default_value = "10m", value_parser = logs::parse_period)]
    since: chrono::TimeDelta,
    /// A filter pattern of CloudWatch Logs (what begins with one of {["?-%), or a text that the lines contain
    #[arg(long, allow_hyphen_values = true)]
    filter: Option<String>,
    /// Go on with the lines as they come
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    stack: StackName,
}

#[derive(Args)]
pub(crate) struct DeployOptions {
    /// Which environment
    #[arg(value_parser = ["staging", "production"])]
    environment: String,
    /// Publish a new version of every function, changed or not: for one that was refused or taken back, and is to be tried again
    #[arg(long)]
    anew: bool,
    /// What compiles for the functions' architecture: cargo alone does for this machine's own
    #[arg(long, env = "CARGO_LAMBDA_COMPILER", default_value = "cargo")]
    compiler: String,
}

impl StackCommand {
    /// Does it. Exit code 0 says that all of it succeeded.
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

/// What has a log: each function, and the check that a deployment makes.
fn parse_log_source(name: &str) -> anyhow::Result<&'static str> {
    const PRE_TRAFFIC_CHECK: &str = "pre-traffic-check";
    if name == PRE_TRAFFIC_CHECK { Ok(PRE_TRAFFIC_CHECK) } else { parse_function(name) }
}

fn parse_function(name: &str) -> anyhow::Result<&'static str> {
    let known = FUNCTIONS.into_iter().find(|function| *function == name);
    known.with_context(|| format!("there is no such function, only {}", FUNCTIONS.join(", ")))
}
