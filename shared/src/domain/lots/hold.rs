//! Points that a checkout has set aside.

use chrono::{DateTime, Utc};

use super::lot::{self, Lot};
use crate::domain::{ids::OrderId, money::Money, points::Points};

/// The largest number of holds of a customer.
pub const HOLDS_MAX: usize = 20;

/// Points set aside for an order. No other operation takes them before the hold ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The order.
    pub order: OrderId,
    /// What the points take off the order, as promised.
    pub value: Money,
    /// The instant at which the hold lapses by itself.
    pub until: DateTime<Utc>,
    /// The points, with their dates.
    pub lots: Vec<Lot>,
}

impl Hold {
    /// The number of points.
    #[must_use]
    pub fn points(&self) -> Points {
        lot::sum(&self.lots)
    }
}
