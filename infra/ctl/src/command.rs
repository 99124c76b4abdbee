//! The commands that call the functions only, with their options.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};
use shared::domain::ids::OrgId;

use crate::{
    addresses::FunctionAddresses,
    demo, load,
    migrate::ContactMigration,
    target::{StackOptions, TargetOptions},
    verify, weekly_report,
};

/// The commands that call the functions only.
#[derive(Subcommand)]
pub enum FunctionsCommand {
    /// Load past orders from a CSV file: `order_id`, `customer_id`, `date` or `fulfilled_at`, `amount`
    Load(LoadOptions),
    /// Create a demo org, load past orders, score churn, recalculate tiers, play a promotion week, redeem points, void a refund, and print the results
    Demo(DemoOptions),
    /// Bring stored data up to what this release makes of new data
    #[command(subcommand)]
    Migrate(MigrateCommand),
    /// Print an org's last week in figures, beside their targets
    Report(ReportOptions),
    /// Check every system of a stack, end to end, in an org that is created for it and removed afterwards
    Verify(VerifyOptions),
}

/// Options of `load`.
#[derive(Args)]
pub struct LoadOptions {
    /// The CSV file; other columns are ignored
    orders: PathBuf,
    /// The org to load into; its loyalty settings must be set
    #[arg(long, value_parser = org_id)]
    org: OrgId,
    #[command(flatten)]
    target: TargetOptions,
    #[command(flatten)]
    pace: PaceOptions,
}

/// What `migrate` brings up to date.
#[derive(Subcommand)]
pub enum MigrateCommand {
    /// Make customers from before there were look-ups found by their telephone numbers, addresses, cards and names
    Contacts(ContactsOptions),
}

/// Options of `migrate contacts`.
#[derive(Args)]
pub struct ContactsOptions {
    /// The org
    #[arg(long, value_parser = org_id)]
    org: OrgId,
    /// Only print what would be made
    #[arg(long)]
    dry_run: bool,
    /// Where to continue: a position that an earlier run printed
    #[arg(long)]
    from: Option<String>,
    #[command(flatten)]
    stack: StackOptions,
    #[command(flatten)]
    pace: PaceOptions,
}

/// Options of `demo`.
#[derive(Args)]
pub struct DemoOptions {
    /// The CSV file of past orders
    orders: PathBuf,
    #[command(flatten)]
    target: TargetOptions,
    #[command(flatten)]
    pace: PaceOptions,
}

/// Options of `verify`.
#[derive(Args)]
pub struct VerifyOptions {
    /// First print an overview of this org; nothing is written to it
    #[arg(long, value_parser = org_id)]
    org: Option<OrgId>,
    #[command(flatten)]
    stack: StackOptions,
}

/// Options of `report`.
#[derive(Args)]
pub struct ReportOptions {
    /// The org to report
    #[arg(long, value_parser = org_id)]
    org: OrgId,
    #[command(flatten)]
    stack: StackOptions,
}

#[derive(Args)]
struct PaceOptions {
    /// Number of requests in flight
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1000))]
    in_flight: u16,
}

fn org_id(text: &str) -> Result<OrgId, &'static str> {
    OrgId::try_from(text.to_owned())
}

impl FunctionsCommand {
    /// Runs the command. `find_stack` returns the addresses and the secret of a deployed stack, given its name and the
    /// secret if one was given. Exit code 0 means that everything succeeded.
    pub async fn run(
        &self,
        find_stack: impl AsyncFnOnce(&str, Option<&str>) -> anyhow::Result<(FunctionAddresses, String)>,
    ) -> anyhow::Result<ExitCode> {
        match self {
            Self::Load(LoadOptions { orders, org, target, pace }) => {
                load::run(orders, org, target, pace.in_flight).await
            }
            Self::Demo(demo) => demo.run().await,
            Self::Migrate(MigrateCommand::Contacts(ContactsOptions { org, dry_run, from, stack, pace })) => {
                let (api, dry_run, in_flight) = (&stack.api(find_stack).await?, *dry_run, pace.in_flight);
                ContactMigration { api, org, dry_run, in_flight }.run(from.as_deref()).await
            }
            Self::Report(ReportOptions { org, stack }) => weekly_report::run(org, &stack.api(find_stack).await?).await,
            Self::Verify(VerifyOptions { org, stack }) => verify::run(org.as_ref(), stack.api(find_stack).await?).await,
        }
    }
}

impl DemoOptions {
    /// Runs the demonstration. Exit code 0 means that everything succeeded.
    pub async fn run(&self) -> anyhow::Result<ExitCode> {
        demo::run(&self.orders, &self.target, self.pace.in_flight).await
    }
}
