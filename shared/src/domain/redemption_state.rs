//! Whether an order has redeemed something that it can redeem once: a bundle or points.

/// The recorded state of one possible redemption of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedemptionState<R> {
    /// The order redeemed it. The redemption may have been voided since.
    Redeemed(R),
    /// A void arrived before the redemption, so a redemption is rejected.
    VoidedBefore,
}
