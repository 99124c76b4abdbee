//! Scores each active customer's risk of leaving: weekly, and on request.
//!
//! - `shared::domain::churn` defines the features, the statistical model and the risk levels.
//! - `shared::jobs::sweep` splits a run of any size into calls.

mod answer;
pub mod claude;
mod look_back;
mod model;
mod run;
mod score;

use shared::{host::Function, inbound::operation::Operation};

/// The function.
pub const FUNCTION: Function = Function {
    name: "churn-prediction",
    operations: &[(Operation::new("predict", "POST", "/").on_schedule(), |context, call| {
        Box::pin(run::handle(context, call))
    })],
};
