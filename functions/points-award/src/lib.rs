//! Awards points for orders, takes them back for refunds, and moves the tier with both.
//!
//! What an order earns is in `shared::domain::award`, what a refund takes back in `shared::domain::refund`.

mod award;
mod refund;

use serde::Serialize;
use shared::{
    domain::{award::Outcome, points::Points, text::Line, tier::TierChange},
    event::operation::Operation,
    host::Function,
};

/// The function.
pub const FUNCTION: Function = Function {
    name: "points-award",
    operations: &[
        (Operation::new("award", "POST", "/awards").on_event("OrderFulfilled"), |context, call| {
            Box::pin(award::handle(context, call))
        }),
        (Operation::new("refund", "POST", "/refunds").on_event("OrderRefunded"), |context, call| {
            Box::pin(refund::handle(context, call))
        }),
    ],
};

/// How the customer stands after it, as every answer of this function says.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StandsAt<'a> {
    balance: Points,
    tier: &'a Line,
    #[serde(skip_serializing_if = "Option::is_none")]
    tier_change: Option<&'a TierChange>,
}

impl<'a> From<&'a Outcome> for StandsAt<'a> {
    fn from(Outcome { balance, tier, tier_change }: &'a Outcome) -> Self {
        Self { balance: *balance, tier, tier_change: tier_change.as_ref() }
    }
}
