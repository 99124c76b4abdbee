//! Reports the figures of each shop's last week beside their targets: Mondays at 09:00, and on request.
//!
//! `shared::domain::report` defines the figures, their computation and their text.

mod answer;
mod count;
mod run;
mod slack;
mod view;

use shared::{host::Function, inbound::operation::Operation};

/// The function.
pub const FUNCTION: Function = Function {
    name: "weekly-report",
    operations: &[(Operation::new("report", "POST", "/").on_schedule(), |context, call| {
        Box::pin(run::handle(context, call))
    })],
};
