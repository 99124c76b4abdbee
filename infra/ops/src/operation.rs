//! What is done to a deployed stack: its jobs, its versions, what it gave up, its logs. Every name follows from the
//! stack's, as the template gives it; the account, its region and credentials are those that the SDK finds.

use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use ctl::addresses::FUNCTIONS;

use crate::{cloud::Cloud, deploy, jobs, logs, redrive, rollback};

/// One of the commands that operate a deployed stack.
#[derive(Subcommand)]
pub(crate) enum Operation {
    /// List the jobs that the clock starts, run one now, pause or resume them
    Jobs(Jobs),
    /// Set functions back to the version before the one that is called
    Rollback(Rollback),
    /// Replay the calls that a function failed, and remove those that succeed from its queue
    Redrive(Redrive),
    /// Print a function's log lines, newest last
    Logs(Logs),
    /// Build every function and deploy an environment of samconfig.toml, whose stack is named there
    Deploy(Deploy),
}

#[derive(Args)]
struct Stack {
    /// The stack's name
    #[arg(long, env = "STACK", default_value = "regulars", global = true)]
    stack: String,
}

#[derive(Args)]
pub(crate) struct Jobs {
    #[command(flatten)]
    stack: Stack,
    #[command(subcommand)]
    act: jobs::Act,
}

#[derive(Args)]
pub(crate) struct Rollback {
    /// Which function; all of them if it is left out
    #[arg(value_parser = function)]
    function: Option<&'static str>,
    /// Set it to this version instead of the one before
    #[arg(long, value_name = "VERSION", requires = "function")]
    to: Option<u64>,
    #[command(flatten)]
    stack: Stack,
}

#[derive(Args)]
pub(crate) struct Redrive {
    /// Which function
    #[arg(value_parser = function)]
    function: &'static str,
    /// Try so many messages at most
    #[arg(long)]
    max: Option<usize>,
    /// Only list the messages
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    stack: Stack,
}

#[derive(Args)]
pub(crate) struct Logs {
    /// Which function, or pre-traffic-check, which tries the new version of a job before it takes over
    #[arg(value_parser = logged)]
    function: &'static str,
    /// How far back, as 90s, 10m, 2h or 7d
    #[arg(long, default_value = "10m", value_parser = logs::period)]
    since: chrono::TimeDelta,
    /// A filter pattern of CloudWatch Logs (what begins with one of {["?-%), or a text that the lines contain
    #[arg(long, allow_hyphen_values = true)]
    filter: Option<String>,
    /// Go on with the lines as they come
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    stack: Stack,
}

#[derive(Args)]
pub(crate) struct Deploy {
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

impl Operation {
    /// Does it. Exit code 0 says that all of it succeeded.
    pub(crate) async fn run(&self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Jobs(Jobs { stack: Stack { stack }, act }) => jobs::command(&Cloud::of(stack).await?, act).await,
            Self::Rollback(Rollback { function, to, stack: Stack { stack } }) => {
                rollback::command(&Cloud::of(stack).await?, *function, *to).await
            }
            Self::Redrive(Redrive { function, max, dry_run, stack: Stack { stack } }) => {
                redrive::command(&Cloud::of(stack).await?, function, max.unwrap_or(usize::MAX), *dry_run).await
            }
            Self::Logs(Logs { function, since, filter, follow, stack: Stack { stack } }) => {
                logs::command(&Cloud::of(stack).await?, function, *since, filter.as_deref(), *follow).await
            }
            Self::Deploy(Deploy { environment, anew, compiler }) => deploy::command(environment, *anew, compiler),
        }
    }
}

/// What has a log: each function, and the check that a deployment makes.
fn logged(name: &str) -> anyhow::Result<&'static str> {
    const CHECK: &str = "pre-traffic-check";
    if name == CHECK { Ok(CHECK) } else { function(name) }
}

fn function(name: &str) -> anyhow::Result<&'static str> {
    let known = FUNCTIONS.into_iter().find(|function| *function == name);
    known.with_context(|| format!("there is no such function, only {}", FUNCTIONS.join(", ")))
}
