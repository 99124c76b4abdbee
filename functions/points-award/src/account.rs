//! The account of a customer after an award, a refund or a void.

use std::borrow::Cow;

use shared::{
    domain::{
        earning::change::AccountSnapshot,
        ids::{CustomerId, OrderId},
        loyalty::Loyalty,
        org::Org,
        points::Points,
        rejection::Rejection,
        text::SingleLine,
    },
    failure::Failure,
    host::Context,
    views::TierChangeView,
};

/// The customer of an order, if the record names one.
pub(crate) async fn owner_of(context: &Context, org: &Org, order: &OrderId) -> Result<Option<CustomerId>, Failure> {
    Ok(context.store.order_header(&org.id, order).await?.and_then(|order| order.owner))
}

/// The loyalty settings of an org with awards.
///
/// The cached org may be older than its settings, so the org is read once more before the operation is refused.
pub(crate) async fn loyalty_of<'a>(context: &Context, org: &'a Org) -> Result<Cow<'a, Loyalty>, Failure> {
    if let Some(loyalty) = &org.loyalty {
        return Ok(Cow::Borrowed(loyalty));
    }
    let stored = context.org_versioned(&org.id).await?.value.loyalty;
    Ok(Cow::Owned(stored.ok_or(Rejection::LoyaltyNotSet)?))
}

/// The account of the customer after the operation.
#[declare::answer]
pub struct AccountSummary {
    /// The balance in points. It is negative after a refund of points that were already spent.
    pub balance: Points,
    /// The tier.
    pub tier: SingleLine,
    /// The whole change of tier, with the cause of its last step. Absent if the tier is as before.
    pub tier_change: Option<TierChangeView>,
}

impl From<&AccountSnapshot> for AccountSummary {
    fn from(account: &AccountSnapshot) -> Self {
        let AccountSnapshot { balance, tier, tier_change } = account.clone();
        Self { balance, tier, tier_change: tier_change.map(TierChangeView::from) }
    }
}
