//! The demonstration alone, as `make run` plays it: `ctl demo`, without what operates a deployed stack.

use std::process::ExitCode;

use clap::Parser;
use ctl::DemoOptions;

/// Create a demo org, load past orders into it, score churn, recalculate tiers, play a promotion week, redeem points, and show what came out
#[derive(Parser)]
#[command(name = "demo", version)]
struct DemoCommandLine {
    #[command(flatten)]
    demo: DemoOptions,
}

#[tokio::main]
async fn main() -> ExitCode {
    ctl::exit_code(DemoCommandLine::parse().demo.run().await)
}
