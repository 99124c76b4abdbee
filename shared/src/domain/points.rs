//! Points: whole numbers. A balance is negative after a refund of an order whose points were already spent.

use serde::{Deserialize, Serialize};

/// A number of points: a balance, or a change of a balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Points(pub i64);

impl Points {
    /// The number 0.
    pub const ZERO: Self = Self(0);

    /// The largest absolute balance. Every language can represent it exactly as a JSON number.
    const BALANCE_MAX: i64 = 1_000_000_000_000_000;

    /// The sum. Returns `None` if the sum is out of the range of a balance.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self).filter(|sum| (-Self::BALANCE_MAX..=Self::BALANCE_MAX).contains(&sum.0))
    }

    /// The difference. Returns `None` if the difference is out of the range of a balance.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.plus(other.negated())
    }

    /// The number with the opposite sign.
    #[must_use]
    pub const fn negated(self) -> Self {
        Self(self.0.saturating_neg())
    }
}
