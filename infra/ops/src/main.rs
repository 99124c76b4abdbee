//! The operator's command line, whole: what it does through the functions as any caller does (`infra/ctl`), and what it
//! does to a deployed stack through the services of its account.

mod cloud;
mod deploy;
mod invoke;
mod jobs;
mod logs;
mod message;
mod operation;
mod queue;
mod redrive;
mod rollback;
mod service_error;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use operation::Operation;

/// Operates Regulars.
#[derive(Parser)]
#[command(name = "ctl", version)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    Functions(ctl::Command),
    #[command(flatten)]
    Operation(Operation),
}

#[tokio::main]
async fn main() -> ExitCode {
    ctl::ended(match Options::parse().command {
        Command::Functions(command) => Box::pin(command.run(cloud::found)).await,
        Command::Operation(operation) => Box::pin(operation.run()).await,
    })
}
