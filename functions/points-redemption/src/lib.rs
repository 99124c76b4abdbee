//! Quotes, redeems and voids points against an order at checkout.
//!
//! `shared::domain::points_redemption` defines the value of points and the rules of a redemption.

mod read;
mod redeem;
mod void;

use shared::{host::Function, inbound::operation::Operation};

/// The function.
pub const FUNCTION: Function = Function {
    name: "points-redemption",
    operations: &[
        (Operation::new("quote", "POST", "/quotes"), |context, call| Box::pin(read::quote(context, call))),
        (Operation::new("redeem", "POST", "/redemptions"), |context, call| Box::pin(redeem::handle(context, call))),
        (Operation::new("void", "DELETE", "/redemptions/{orderId}").on_event("OrderCancelled"), |context, call| {
            Box::pin(void::handle(context, call))
        }),
        (Operation::new("options", "GET", "/options"), |context, call| Box::pin(read::options(context, call))),
        (Operation::new("list", "GET", "/redemptions"), |context, call| Box::pin(read::list(context, call))),
    ],
};
