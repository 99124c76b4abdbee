//! The commands that work through the functions alone, with their options.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};
use shared::domain::ids::OrgId;

use crate::{
    addresses::FunctionAddresses,
    demo, load,
    target::{StackOptions, TargetOptions},
    verify, weekly_report,
};

/// The commands that work through the functions alone, at whatever addresses they are.
#[derive(Subcommand)]
pub enum FunctionsCommand {
    /// Load past orders from a CSV file: `order_id`, `customer_id`, `date` or `fulfilled_at`, `amount`
    Load(LoadOptions),
    /// Create a demo org, load past orders into it, score churn, recalculate tiers, play a promotion week, redeem points, and show what came out
    Demo(DemoOptions),
    /// Print an org's last week: its figures beside their targets
    Report(ReportOptions),
    /// Check every system of a stack, end to end, in an org of its own that is removed afterwards
    Verify(VerifyOptions),
}

/// What `load` is told.
#[derive(Args)]
pub struct LoadOptions {
    /// The file; other columns are ignored
    orders: PathBuf,
    /// The org to load into, with its loyalty settings set
    #[arg(long, value_parser = org_id)]
    org: OrgId,
    #[command(flatten)]
    target: TargetOptions,
    #[command(flatten)]
    pace: PaceOptions,
}

/// What `demo` is told.
#[derive(Args)]
pub struct DemoOptions {
    /// The file of past orders
    orders: PathBuf,
    #[command(flatten)]
    target: TargetOptions,
    #[command(flatten)]
    pace: PaceOptions,
}

/// What `verify` is told.
#[derive(Args)]
pub struct VerifyOptions {
    /// Look at this org too, reading only
    #[arg(long, value_parser = org_id)]
    org: Option<OrgId>,
    #[command(flatten)]
    stack: StackOptions,
}

/// What `report` is told.
#[derive(Args)]
pub struct ReportOptions {
    /// The org
    #[arg(long, value_parser = org_id)]
    org: OrgId,
    #[command(flatten)]
    stack: StackOptions,
}

#[derive(Args)]
struct PaceOptions {
    /// How many requests are in flight
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1000))]
    in_flight: u16,
}

fn org_id(text: &str) -> Result<OrgId, &'static str> {
    OrgId::try_from(text.to_owned())
}

impl FunctionsCommand {
    /// Does it; `found` gives the addresses and the secret of a deployed stack by its name, unless the secret is given.
    /// Exit code 0 says that all of it succeeded.
    pub async fn run(
        &self,
        find_stack: impl AsyncFnOnce(&str, Option<&str>) -> anyhow::Result<(FunctionAddresses, String)>,
    ) -> anyhow::Result<ExitCode> {
        match self {
            Self::Load(LoadOptions { orders, org, target, pace }) => {
                load::run(orders, org, target, pace.in_flight).await
            }
            Self::Demo(demo) => demo.run().await,
            Self::Report(ReportOptions { org, stack }) => weekly_report::run(org, &stack.api(find_stack).await?).await,
            Self::Verify(VerifyOptions { org, stack }) => verify::run(org.as_ref(), stack.api(find_stack).await?).await,
        }
    }
}

impl DemoOptions {
    /// Does it. Exit code 0 says that all of it succeeded.
    pub async fn run(&self) -> anyhow::Result<ExitCode> {
        demo::run(&self.orders, &self.target, self.pace.in_flight).await
    }
}
