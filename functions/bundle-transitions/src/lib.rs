//! Brings what is recorded of bundles into step with the clock: every 5 minutes, and on request.
//!
//! What a bundle's status is at an instant is in `shared::domain::bundle::schedule`, what goes on record when it changes in
//! `shared::domain::bundle::transition`. Nothing that is sold depends on this function: it is for listings and metrics.
//! Because it is called so often, it also tells since when the rarer jobs have not been done.

mod answer;
mod progress;
mod rules;
mod run;
mod watch;

use shared::{host::Function, inbound::operation::Operation};

/// The function.
pub const FUNCTION: Function = Function {
    name: "bundle-transitions",
    operations: &[(Operation::new("transition", "POST", "/").on_schedule(), |context, call| {
        Box::pin(run::handle(context, call))
    })],
};
