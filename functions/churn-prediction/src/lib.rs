//! Scores each active customer's risk of leaving: weekly, and on request.
//!
//! The features, the statistical model, and what is made of a probability are in `shared::domain::churn`; how a run of any
//! size stops and goes on is in `shared::jobs::sweep`.

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
