//! Points: whole, and as a balance also below zero (after a refund of points already spent).

use serde::{Deserialize, Serialize};

/// A number of points: a balance, or a change of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Points(pub i64);

impl Points {
    /// None at all.
    pub const ZERO: Self = Self(0);

    /// The largest balance, either way: a JSON number holds it exactly in every language.
    const BALANCE_MAX: i64 = 1_000_000_000_000_000;

    /// The sum; `None` beyond what a balance can be.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self).filter(|sum| (-Self::BALANCE_MAX..=Self::BALANCE_MAX).contains(&sum.0))
    }

    /// The difference; `None` beyond what a balance can be.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.plus(other.negated())
    }

    /// The same number the other way.
    #[must_use]
    pub const fn negated(self) -> Self {
        Self(self.0.saturating_neg())
    }
}
