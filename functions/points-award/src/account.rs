//! The account of a customer after an award, a refund or a void.

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
    host::Context,
};

/// The customer of an order, if the record names one.
pub(crate) async fn owner_of(context: &Context, org: &Org, order: &OrderId) -> Result<Option<CustomerId>, Failure> {
    Ok(context.store.order_header(&org.id, order).await?.and_then(|order| order.owner))
}

/// The account of the customer after an operation, as every answer of this function shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccountSummary<'a> {
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
