//! What the operator's command line does through the functions, as any caller: load, demo, report, verify.
//!
//! What it does to a deployed stack through the services of its account is in `infra/ops`, so that the demonstration is
//! built without their clients.

pub mod addresses;
mod api;
mod checkout;
mod churn;
mod demo;
mod load;
mod orders;
mod progress;
mod promotion;
pub mod report;
mod tiers;
mod verify;
mod week;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};
use shared::domain::ids::OrgId;

use addresses::Addresses;
use api::Api;
pub use api::complaint;

/// Where a local stack is that was told nothing else.
const DEFAULT_URL: &str = "http://127.0.0.1:9000";

/// The secret of a local stack that was given none.
const DEFAULT_SECRET: &str = "local-secret";

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

/// A deployed stack, by its name or by its addresses, or a local one. What is said goes before what is in the environment.
#[derive(Args)]
struct Place {
    /// The name of a deployed stack, whose URLs and secret are found by it; `STACK` has the usual one
    #[arg(long, conflicts_with = "url")]
    stack: Option<String>,
    #[arg(long, env = "STACK", hide = true)]
    usual_stack: Option<String>,
    #[command(flatten)]
    target: Target,
}

#[derive(Args)]
struct Target {
    /// Where the functions are: below /lambda-url/<function>/ of this address, or, as FUNCTION=URL and once for each, at one of its own; `REGULARS_URL` has the usual ones, else it is a local stack on port 9000
    #[arg(long, value_delimiter = ',')]
    url: Vec<String>,
    #[arg(long, env = "REGULARS_URL", value_delimiter = ',', hide = true)]
    usual_url: Vec<String>,
    /// The deployment's secret; a local stack's is local-secret unless it was given another
    #[arg(long, env = "CRON_SECRET", hide_env_values = true)]
    secret: Option<String>,
}

#[derive(Args)]
struct Pace {
    /// How many requests are in flight
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1000))]
    in_flight: u16,
}

impl Target {
    fn addresses(&self) -> Result<Addresses, String> {
        let default = [DEFAULT_URL.to_owned()];
        let given = [&self.url[..], &self.usual_url[..]].into_iter().find(|given| !given.is_empty());
        Addresses::read(given.unwrap_or(&default))
    }

    fn api(&self) -> Result<Api, String> {
        Api::new(self.addresses()?, self.secret.as_deref().unwrap_or(DEFAULT_SECRET))
    }
}

impl Place {
    /// Its functions, all of them.
    async fn api(
        &self,
        found: impl AsyncFnOnce(&str, Option<&str>) -> Result<(Addresses, String), String>,
    ) -> Result<Api, String> {
        let is_addressed = !(self.target.url.is_empty() && self.target.usual_url.is_empty());
        let usual = self.usual_stack.as_ref().filter(|stack| !is_addressed && !stack.is_empty());
        let Some(stack) = self.stack.as_ref().or(usual) else { return self.target.api() };
        let (addresses, secret) = found(stack, self.target.secret.as_deref()).await?;
        Api::new(addresses, &secret)
    }
}

fn org_id(text: &str) -> Result<OrgId, &'static str> {
    OrgId::try_from(text.to_owned())
}

impl Command {
    /// Does it; `found` gives the addresses and the secret of a deployed stack by its name, unless the secret is given.
    /// Exit code 0 says that all of it succeeded.
    pub async fn run(
        &self,
        found: impl AsyncFnOnce(&str, Option<&str>) -> Result<(Addresses, String), String>,
    ) -> Result<ExitCode, String> {
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
    pub async fn run(&self) -> Result<ExitCode, String> {
        demo::command(&self.orders, &self.target, self.pace.in_flight).await
    }
}

/// What a command came to, as a process's exit code; why it failed goes to standard error.
#[must_use]
pub fn ended(outcome: Result<ExitCode, String>) -> ExitCode {
    outcome.unwrap_or_else(|why| {
        report::complain(&format!("ctl: {why}"));
        ExitCode::FAILURE
    })
}
