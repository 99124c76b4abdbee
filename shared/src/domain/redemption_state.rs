//! What an order has to do with something that it can redeem once, a bundle or points.

/// It has redeemed it, or never will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedemptionState<R> {
    /// It has redeemed it, and perhaps given it back.
    Redeemed(R),
    /// It was voided before it redeemed, and can't any more.
    VoidedBefore,
}
