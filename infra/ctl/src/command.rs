//! The commands that work through the functions alone, with their options.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};
use shared::domain::ids::OrgId;

use crate::{
    addresses::Addresses,
    demo, load,
    target::{Place, Target},
    verify, week,
};

/// The commands that work through the functions alone, at whatever addresses they are.
#[derive(Subcommand)]
pub enum Command {
    /// Load past orders from a CSV file: `order_id`, `customer_id`, `date` or `fulfilled_at`, `amount`
    Load(Load),
    /// Create a demo org, load past orders into it, score churn, recalculate tiers, play a promotion week, redeem points, and show what came out
    Demo(Demo),
    /// Print an org's last week: its figures beside their targets
    Report(Report),
    /// Check every system of a stack, end to end, in an org of its own that is removed afterwards
    Verify(Verify),
}

/// What `load` is told.
#[derive(Args)]
pub struct Load {
    /// The file; other columns are ignored
    orders: PathBuf,
    /// The org to load into, with its loyalty settings set
    #[arg(long, value_parser = org_id)]
    org: OrgId,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    pace: Pace,
}

/// What `demo` is told.
#[derive(Args)]
pub struct Demo {
    /// The file of past orders
    orders: PathBuf,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    pace: Pace,
}

/// What `verify` is told.
#[derive(Args)]
pub struct Verify {
    /// Look at this org too, reading only
    #[arg(long, value_parser = org_id)]
    org: Option<OrgId>,
    #[command(flatten)]
    place: Place,
}

/// What `report` is told.
#[derive(Args)]
pub struct Report {
    /// The org
    #[arg(long, value_parser = org_id)]
    org: OrgId,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
struct Pace {
    /// How many requests are in flight
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1000))]
    in_flight: u16,
}

fn org_id(text: &str) -> Result<OrgId, &'static str> {
    OrgId::try_from(text.to_owned())
}

impl Command {
    /// Does it; `found` gives the addresses and the secret of a deployed stack by its name, unless the secret is given.
    /// Exit code 0 says that all of it succeeded.
    pub async fn run(
        &self,
        found: impl AsyncFnOnce(&str, Option<&str>) -> anyhow::Result<(Addresses, String)>,
    ) -> anyhow::Result<ExitCode> {
        match self {
            Self::Load(Load { orders, org, target, pace }) => load::command(orders, org, target, pace.in_flight).await,
            Self::Demo(demo) => demo.run().await,
            Self::Report(Report { org, place }) => week::command(org, &place.api(found).await?).await,
            Self::Verify(Verify { org, place }) => verify::command(org.as_ref(), place.api(found).await?).await,
        }
    }
}

impl Demo {
    /// Does it. Exit code 0 says that all of it succeeded.
    pub async fn run(&self) -> anyhow::Result<ExitCode> {
        demo::command(&self.orders, &self.target, self.pace.in_flight).await
    }
}
