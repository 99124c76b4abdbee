//! The operator's command line. It has the commands that call the functions (`infra/ctl`), and the commands that
//! operate a deployed stack through the services of its AWS account.

mod deploy;
mod deployed_stack;
mod failed_call;
mod failure_queue;
mod invoke;
mod jobs;
mod logs;
mod redrive;
mod rollback;
mod service_error;
mod stack_command;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use stack_command::StackCommand;

/// Operate Regulars
#[derive(Parser)]
#[command(name = "ctl", version)]
struct CtlCommandLine {
    #[command(subcommand)]
    command: CtlCommand,
}

#[derive(Subcommand)]
enum CtlCommand {
    #[command(flatten)]
    Functions(ctl::FunctionsCommand),
    #[command(flatten)]
    Stack(StackCommand),
}

#[tokio::main]
async fn main() -> ExitCode {
    ctl::exit_code(match CtlCommandLine::parse().command {
        CtlCommand::Functions(command) => Box::pin(command.run(deployed_stack::find)).await,
        CtlCommand::Stack(command) => Box::pin(command.run()).await,
    })
}
