//! Points given or taken by an operator, for example as goodwill or as a correction.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::domain::{
    customer::Customer,
    ids::AdjustmentId,
    ledger::{Entry, EntryKind},
    lots::{due::apply_due, lot::LotDates},
    org::Org,
    points::Points,
    rejection::Rejection,
    text::SingleLine,
};

/// A change of points from -1,000,000,000 to 1,000,000,000, other than 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PointsChange(Points);

impl PointsChange {
    /// The largest absolute change.
    pub const MAX: i64 = 1_000_000_000;

    /// The rule for a change of points, as an error message.
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
        let fits = points != 0 && (-Self::MAX..=Self::MAX).contains(&points);
        if fits { Ok(Self(Points(points))) } else { Err(Self::RULE) }
    }
}

/// The permanent record of an adjustment: the request and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    /// The id of the adjustment, unique within its customer.
    pub id: AdjustmentId,
    /// The change of points.
    pub points: Points,
    /// The balance after the adjustment.
    pub balance: Points,
}

/// The changes of an adjustment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjusted {
    /// The customer after the adjustment.
    pub customer: Customer,
    /// The record of the adjustment.
    pub adjustment: Adjustment,
    /// The new ledger entries.
    pub entries: Vec<Entry>,
}

/// Applies an adjustment. The balance may become negative. Lifetime value and tier do not change. Fails with
/// [`Rejection::OutOfRange`].
pub fn adjust(
    customer: &Customer,
    org: &Org,
    id: AdjustmentId,
    change: PointsChange,
    reason: SingleLine,
    now: DateTime<Utc>,
) -> Result<Adjusted, Rejection> {
    let points = change.get();
    let mut customer = customer.clone();
    let mut entries = apply_due(&mut customer, now);
    customer.check_balance(points)?;
    if points > Points::ZERO {
        let settings = org.loyalty.as_ref().map(|loyalty| &loyalty.settings);
        let dates = settings.map(|settings| settings.dates_of_earned(org.profile.timezone, now)).unwrap_or_default();
        // The points can be spent at once, and they do not expire before tomorrow.
        let _expired = customer.account.earn(points, LotDates { available_at: None, ..dates }, now);
    } else {
        customer.account.take_back(points.negated(), None, now);
    }
    let kind = EntryKind::PointsAdjusted { adjustment_id: id.clone(), reason };
    entries.push(Entry::new(&customer, points, kind, now));
    let adjustment = Adjustment { id, points, balance: customer.points() };
    Ok(Adjusted { customer, adjustment, entries })
}
