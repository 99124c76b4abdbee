//! The states of an order, as the shop reports them one after another, and not always in order.

use chrono::{DateTime, Utc};

use super::change::AccountSnapshot;
use crate::domain::{money::Money, points::Points};

/// What the shop says of an order as of an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderState {
    /// What the order came to in all, in money. 0 for a cancelled order.
    pub total: Money,
    /// Whether the order was cancelled. It then does not count as an order.
    pub cancelled: bool,
    /// The instant of the state.
    pub as_of: DateTime<Utc>,
}

impl OrderState {
    /// The state of an order that came to a total.
    #[must_use]
    pub const fn placed(total: Money, as_of: DateTime<Utc>) -> Self {
        Self { total, cancelled: false, as_of }
    }

    /// The state of a cancelled order.
    #[must_use]
    pub const fn cancelled(as_of: DateTime<Utc>) -> Self {
        Self { total: Money::ZERO, cancelled: true, as_of }
    }

    /// Whether this state replaces another. The newer one does. Of two states of one instant, the one with the greater
    /// total does, so that the outcome does not depend on their order.
    #[must_use]
    pub fn supersedes(&self, other: &Self) -> bool {
        let rank = |state: &Self| (state.as_of, state.total, state.cancelled);
        rank(self) > rank(other)
    }
}

/// The record of the last amendment of an order: its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amendment {
    /// The change of points. Negative if the order earns fewer than before.
    pub points: Points,
    /// The account after the amendment, as answered.
    pub outcome: AccountSnapshot,
}
