//! Whether an order has redeemed a bundle, or points. An order can redeem each bundle once, and points once.

/// The recorded state of one possible redemption of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedemptionState<R> {
    /// The order made the redemption. The redemption may have been voided since.
    Redeemed(R),
    /// A void arrived before the redemption, so a redemption is rejected.
    VoidedBefore,
}
