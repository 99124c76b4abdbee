//! The ledger: every change of points with the balance after it, and every change of tier.

use chrono::{DateTime, Utc};
use strum::IntoStaticStr;

use crate::domain::{
    customer::Customer,
    ids::{AdjustmentId, OrderId, RefundId},
    money::Money,
    points::Points,
    text::SingleLine,
    tier::TierChange,
};

/// One line of a customer's ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When it was written.
    pub at: DateTime<Utc>,
    /// The change of the balance; 0 for a change of tier.
    pub points: Points,
    /// The balance after it.
    pub balance: Points,
    /// What happened.
    pub kind: EntryKind,
}

impl Entry {
    /// The entry of a change that `customer` already carries.
    pub(super) const fn new(customer: &Customer, points: Points, kind: EntryKind, now: DateTime<Utc>) -> Self {
        Self { at: now, points, balance: customer.points, kind }
    }
}

/// What an entry tells.
#[derive(Debug, Clone, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum EntryKind {
    /// An order earned points.
    PointsEarned {
        /// The order.
        order_id: OrderId,
        /// What was paid for it in money.
        order_total: Money,
    },
    /// A refund took points back.
    PointsReversed {
        /// The order.
        order_id: OrderId,
        /// The refund.
        refund_id: RefundId,
        /// What was paid back.
        refund_total: Money,
    },
    /// A refund did not happen, and what it took was given back.
    PointsRestored {
        /// The order.
        order_id: OrderId,
        /// The refund.
        refund_id: RefundId,
        /// What was not paid back after all.
        refund_total: Money,
    },
    /// An order was paid in part with points.
    PointsRedeemed {
        /// The order.
        order_id: OrderId,
        /// What it came to.
        order_total: Money,
        /// What the points took off it.
        value: Money,
    },
    /// An order that was paid in part with points was cancelled.
    PointsReturned {
        /// The order.
        order_id: OrderId,
    },
    /// Somebody gave or took points by hand.
    PointsAdjusted {
        /// The adjustment.
        adjustment_id: AdjustmentId,
        /// Why, in their words.
        reason: SingleLine,
    },
    /// The tier changed.
    TierChanged {
        /// From where, to where, why.
        change: TierChange,
        /// The order behind it, if one is.
        order_id: Option<OrderId>,
    },
}

impl EntryKind {
    /// The name of the kind, as stored and answered.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.into()
    }

    /// What it is about: the order, refund or adjustment. Empty where nothing but time is behind it.
    #[must_use]
    pub fn reference(&self) -> &str {
        match self {
            Self::PointsEarned { order_id, .. }
            | Self::PointsRedeemed { order_id, .. }
            | Self::PointsReturned { order_id } => order_id.as_str(),
            Self::PointsReversed { refund_id, .. } | Self::PointsRestored { refund_id, .. } => refund_id.as_str(),
            Self::PointsAdjusted { adjustment_id, .. } => adjustment_id.as_str(),
            Self::TierChanged { order_id, .. } => order_id.as_ref().map_or("", OrderId::as_str),
        }
    }
}
