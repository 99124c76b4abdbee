//! The demonstration alone, as `make run` plays it: `ctl demo`, without what operates a deployed stack.

use std::process::ExitCode;

use clap::Parser;
use ctl::Demo;

/// Create a demo org, load past orders into it, score churn, recalculate tiers, play a promotion week, redeem points, and show what came out
#[derive(Parser)]
#[command(name = "demo", version)]
struct Options {
    #[command(flatten)]
    demo: Demo,
}

#[tokio::main]
async fn main() -> ExitCode {
    ctl::ended(Options::parse().demo.run().await)
}
