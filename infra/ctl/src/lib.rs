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
mod progress;
mod promotion;
pub mod report;
mod target;
mod tiers;
mod verify;
mod week;

pub use api::complaint;
pub use command::{Command, Demo};
pub use report::ended;
