//! Awards points for orders, takes them back for refunds, and moves the tier with both.
//!
//! The rules are in `shared::domain::earning`.

mod award;
mod refund;
mod refund_void;

use serde::Serialize;
use shared::{
    domain::{
        earning::change::AccountSnapshot,
        ids::{CustomerId, OrderId},
        org::Org,
        points::Points,
        text::SingleLine,
        tier::{TierCause, TierChange},
    },
    failure::Failure,
    host::{Context, Function},
    inbound::operation::Operation,
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
        (Operation::new("voidRefund", "DELETE", "/refunds/{refundId}").on_event("RefundCancelled"), |context, call| {
            Box::pin(refund_void::handle(context, call))
        }),
    ],
};

/// The customer of an order, if the record names one.
async fn owner_of(context: &Context, org: &Org, order: &OrderId) -> Result<Option<CustomerId>, Failure> {
    Ok(context.store.order_header(&org.id, order).await?.and_then(|order| order.owner))
}

/// The account after the operation, which every answer of this function contains.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AccountSummary<'a> {
    balance: Points,
    tier: &'a SingleLine,
    #[serde(skip_serializing_if = "Option::is_none")]
    tier_change: Option<TierChangeView<'a>>,
}

#[derive(Serialize)]
struct TierChangeView<'a> {
    from: &'a SingleLine,
    to: &'a SingleLine,
    cause: TierCause,
}

impl<'a> From<&'a TierChange> for TierChangeView<'a> {
    fn from(TierChange { from, to, cause }: &'a TierChange) -> Self {
        Self { from, to, cause: *cause }
    }
}

impl<'a> From<&'a AccountSnapshot> for AccountSummary<'a> {
    fn from(AccountSnapshot { balance, tier, tier_change }: &'a AccountSnapshot) -> Self {
        Self { balance: *balance, tier, tier_change: tier_change.as_ref().map(TierChangeView::from) }
    }
}
