//! The demonstration as a program of its own, for `make run`. It is `ctl demo` without the commands for deployed
//! stacks.

use std::process::ExitCode;

use clap::Parser;
use ctl::DemoOptions;

/// Create a demo org, load past orders, score churn, recalculate tiers, play a promotion week, redeem points, void a refund, and print the results
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
