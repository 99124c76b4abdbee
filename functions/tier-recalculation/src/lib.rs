//! Recalculates every customer's tier: daily, and on request.
//!
//! Which tier somebody holds at an instant is in `shared::domain::tier`, what a recalculation changes in
//! `shared::domain::recalculation`, and how a run of any size stops and goes on in `shared::jobs::sweep`.

mod answer;
mod run;

use shared::{host::Function, inbound::operation::Operation};

/// The function.
pub const FUNCTION: Function = Function {
    name: "tier-recalculation",
    operations: &[(Operation::new("recalculate", "POST", "/").on_schedule(), |context, call| {
        Box::pin(run::handle(context, call))
    })],
};
