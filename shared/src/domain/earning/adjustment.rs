//! Points given or taken by hand: goodwill, corrections.

use chrono::{DateTime, Utc};

use crate::domain::{
    customer::Customer,
    ids::AdjustmentId,
    ledger::{Entry, EntryKind},
    points::Points,
    rejection::Rejection,
    text::SingleLine,
};

/// A change of points other than 0, up to a billion either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PointsChange(Points);

impl PointsChange {
    /// Why a number is not a change.
    pub const RULE: &'static str = "must be a whole number from -1000000000 to 1000000000, not 0";

    /// The change.
    #[must_use]
    pub const fn get(self) -> Points {
        self.0
    }
}

impl TryFrom<i64> for PointsChange {
    type Error = &'static str;

    fn try_from(points: i64) -> Result<Self, Self::Error> {
        let fits = points != 0 && (-1_000_000_000..=1_000_000_000).contains(&points);
        if fits { Ok(Self(Points(points))) } else { Err(Self::RULE) }
    }
}

/// What is kept about an adjustment, for ever: what was asked, and what was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    /// Its id, within its customer.
    pub id: AdjustmentId,
    /// The change.
    pub points: Points,
    /// The balance after it.
    pub balance: Points,
}

/// All that an adjustment changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjusted {
    /// The customer after it.
    pub customer: Customer,
    /// The record of it.
    pub adjustment: Adjustment,
    /// The ledger entry of it.
    pub entry: Entry,
}

/// Gives or takes points by hand; the balance may go below zero. Lifetime value and tier stay as they are.
pub fn adjust(
    customer: &Customer,
    id: AdjustmentId,
    change: PointsChange,
    reason: SingleLine,
    now: DateTime<Utc>,
) -> Result<Adjusted, Rejection> {
    let points = change.get();
    let mut customer = customer.clone();
    customer.add_points(points)?;
    let kind = EntryKind::PointsAdjusted { adjustment_id: id.clone(), reason };
    let entry = Entry::new(&customer, points, kind, now);
    let adjustment = Adjustment { id, points, balance: customer.points };
    Ok(Adjusted { customer, adjustment, entry })
}
