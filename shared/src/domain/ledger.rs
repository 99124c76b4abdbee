//! The ledger: every change of points with the balance after it, and every change of tier.

use chrono::{DateTime, Utc};
use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

use crate::domain::{
    customer::Customer,
    ids::{AdjustmentId, OrderId, RefundId},
    lots::account::Expiry,
    money::Money,
    names::named,
    points::Points,
    text::SingleLine,
    tier::TierChange,
};

/// One entry of a customer's ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When the entry was written.
    pub at: DateTime<Utc>,
    /// The change of the balance. It is 0 for a change of tier.
    pub points: Points,
    /// The balance after the change.
    pub balance: Points,
    /// The kind of the change, and its details.
    pub kind: EntryKind,
}

impl From<Expiry> for Entry {
    fn from(Expiry { at, points, order, balance }: Expiry) -> Self {
        Self { at, points: points.negated(), balance, kind: EntryKind::PointsExpired { order_id: order } }
    }
}

impl Entry {
    /// The entry of a change that is already applied to `customer`.
    pub(super) fn new(customer: &Customer, points: Points, kind: EntryKind, now: DateTime<Utc>) -> Self {
        Self { at: now, points, balance: customer.points(), kind }
    }
}

/// What happened to an order that was awarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum AmendmentKind {
    /// It came to another total.
    Amended,
    /// It was cancelled.
    Cancelled,
}

named!(AmendmentKind);

/// The kind of an entry, and its details.
#[derive(Debug, Clone, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum EntryKind {
    /// An order earned points.
    PointsEarned {
        /// The order.
        order_id: OrderId,
        /// The total paid in money.
        order_total: Money,
    },
    /// An order came to as much as before or more, or was cancelled before it was awarded.
    #[strum(serialize = "points_earned")]
    EarnedByAmendment {
        /// The order.
        order_id: OrderId,
        /// What the order came to in all.
        order_total: Money,
        /// What happened to the order.
        amendment: AmendmentKind,
    },
    /// An order came to less than before, or was cancelled.
    #[strum(serialize = "points_reversed")]
    ReversedByAmendment {
        /// The order.
        order_id: OrderId,
        /// What the order came to in all.
        order_total: Money,
        /// What happened to the order.
        amendment: AmendmentKind,
    },
    /// A refund took points back.
    PointsReversed {
        /// The order.
        order_id: OrderId,
        /// The refund.
        refund_id: RefundId,
        /// The amount refunded.
        refund_total: Money,
    },
    /// A refund was voided, and its points were given back.
    PointsRestored {
        /// The order.
        order_id: OrderId,
        /// The refund.
        refund_id: RefundId,
        /// The amount of the voided refund.
        refund_total: Money,
    },
    /// An order was paid in part with points.
    PointsRedeemed {
        /// The order.
        order_id: OrderId,
        /// The total of the order before the points.
        order_total: Money,
        /// The amount that the points took off the total.
        value: Money,
    },
    /// An order that was paid in part with points was cancelled.
    PointsReturned {
        /// The order.
        order_id: OrderId,
    },
    /// Points expired.
    PointsExpired {
        /// The order whose points they were, if the points expired when its hold or its award came to an end.
        order_id: Option<OrderId>,
    },
    /// An operator gave or took points.
    PointsAdjusted {
        /// The adjustment.
        adjustment_id: AdjustmentId,
        /// The reason in the operator's words.
        reason: SingleLine,
    },
    /// The tier changed.
    TierChanged {
        /// The tiers and the cause.
        change: TierChange,
        /// The order that caused the change, if there is one.
        order_id: Option<OrderId>,
    },
}

impl EntryKind {
    /// The name of the kind in stored items and answers.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.into()
    }

    /// The id of the order, refund or adjustment of the entry. It is empty if time caused the
    /// entry.
    #[must_use]
    pub fn reference(&self) -> &str {
        match self {
            Self::PointsEarned { order_id, .. }
            | Self::EarnedByAmendment { order_id, .. }
            | Self::ReversedByAmendment { order_id, .. }
            | Self::PointsRedeemed { order_id, .. }
            | Self::PointsReturned { order_id } => order_id.as_str(),
            Self::PointsReversed { refund_id, .. } | Self::PointsRestored { refund_id, .. } => refund_id.as_str(),
            Self::PointsAdjusted { adjustment_id, .. } => adjustment_id.as_str(),
            Self::PointsExpired { order_id } | Self::TierChanged { order_id, .. } => {
                order_id.as_ref().map_or("", OrderId::as_str)
            }
        }
    }
}
