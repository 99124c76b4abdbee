//! Recalculates every customer's tier: daily, and on request.
//!
//! - `shared::domain::tier` determines the tier that a customer holds at an instant.
//! - `shared::domain::recalculation` determines the changes of a recalculation.
//! - `shared::jobs::sweep` splits a run of any size into calls.

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
