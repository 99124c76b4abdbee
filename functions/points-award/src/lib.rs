//! Awards points for orders, reverses points for refunds, and restores points when a refund is voided. Each operation
//! updates the tier of the customer.
//!
//! The rules are in `shared::domain::earning`.

mod account;
mod award;
mod refund;
mod refund_void;

use shared::{host::Function, inbound::operation::Operation};

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
        (Operation::new("voidRefund", "DELETE", "/refunds/{refundId}").on_event("RefundCancelled"), |context, call| {
            Box::pin(refund_void::handle(context, call))
        }),
    ],
};
