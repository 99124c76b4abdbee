//! The commands of the operator's command line that call the functions only: load, demo, report and verify.
//!
//! The commands that use the services of an AWS account are in `infra/ops`, so that the demonstration is built without
//! the clients of these services.

pub mod addresses;
mod api;
mod checkout;
mod churn;
mod command;
mod demo;
mod list;
mod load;
mod migrate;
mod orders;
pub mod output;
mod points_in_time;
mod progress;
mod promotion;
mod refunds;
mod requests;
mod target;
mod tiers;
mod values;
mod verify;
mod weekly_report;

pub use command::{DemoOptions, FunctionsCommand};
pub use output::exit_code;
