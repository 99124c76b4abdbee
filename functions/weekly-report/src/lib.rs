//! Last week of each shop in figures, beside their targets: Mondays at 09:00, and on request.
//!
//! What the figures are, how they are counted and how they read is in `shared::domain::report`.

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
