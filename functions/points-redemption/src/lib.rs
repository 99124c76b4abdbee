//! Quotes, redeems and voids points against an order at checkout.
//!
//! `shared::domain::points_redemption` defines the value of points and the rules of a redemption.

mod read;
mod redeem;
mod void;

use shared::{
    host::Function,
    inbound::operation::{Callers, Operation},
};

/// The function.
pub const FUNCTION: Function = Function {
    name: "points-redemption",
    operations: &[
        (Operation::new("quote", "POST", "/quotes").callers(Callers::READ_AND_TILL), |context, call| {
            Box::pin(read::quote(context, call))
        }),
        (Operation::new("redeem", "POST", "/redemptions").callers(Callers::TILL), |context, call| {
            Box::pin(redeem::handle(context, call))
        }),
        (
            Operation::new("void", "DELETE", "/redemptions/{orderId}")
                .callers(Callers::TILL)
                .on_event("OrderCancelled"),
            |context, call| Box::pin(void::handle(context, call)),
        ),
        (Operation::new("options", "GET", "/options").callers(Callers::READ_AND_TILL), |context, call| {
            Box::pin(read::options(context, call))
        }),
        (Operation::new("list", "GET", "/redemptions").callers(Callers::READ), |context, call| {
            Box::pin(read::list(context, call))
        }),
    ],
};
