//! Redeems bundles for orders within their limits, voids redemptions, and answers queries about both.
//!
//! The rules for redemptions and voids are in `shared::domain::bundle::redemption`.

mod orders;
mod read;
mod redeem;
mod void;

use shared::{
    host::Function,
    inbound::operation::{Callers, Operation},
};

/// The function.
pub const FUNCTION: Function = Function {
    name: "bundle-redemption",
    operations: &[
        (Operation::new("redeem", "POST", "/redemptions").callers(Callers::TILL), |context, call| {
            Box::pin(redeem::handle(context, call))
        }),
        (Operation::new("void", "DELETE", "/redemptions/{orderId}").callers(Callers::TILL), |context, call| {
            Box::pin(void::handle(context, call))
        }),
        (Operation::new("list", "GET", "/redemptions").callers(Callers::READ), |context, call| {
            Box::pin(read::list(context, call))
        }),
        (Operation::new("eligibility", "GET", "/eligibility").callers(Callers::READ_AND_TILL), |context, call| {
            Box::pin(read::eligibility(context, call))
        }),
        (Operation::new("stats", "GET", "/stats").callers(Callers::READ), |context, call| {
            Box::pin(read::stats(context, call))
        }),
        (Operation::event_only("redeemOrder", "OrderFulfilled"), |context, call| {
            Box::pin(orders::redeem(context, call))
        }),
        (Operation::event_only("voidOrder", "OrderCancelled"), |context, call| Box::pin(orders::void(context, call))),
    ],
};
