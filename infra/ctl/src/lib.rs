//! What the operator's command line does through the functions, as any caller: load, demo, report, verify.
//!
//! What it does to a deployed stack through the services of its account is in `infra/ops`, so that the demonstration is
//! built without their clients.

pub mod addresses;
mod api;
mod checkout;
mod churn;
mod command;
mod demo;
mod load;
mod orders;
pub mod output;
mod progress;
mod promotion;
mod target;
mod tiers;
mod values;
mod verify;
mod weekly_report;

pub use api::problem_summary;
pub use command::{DemoOptions, FunctionsCommand};
pub use output::exit_code;
