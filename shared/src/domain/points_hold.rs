//! Holds: points that a checkout sets aside for an order until it is paid.

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{
    customer::Customer,
    ids::OrderId,
    ledger::Entry,
    lots::{
        due::apply_due,
        hold::{HOLDS_MAX, Hold},
    },
    loyalty::PointsCost,
    money::Money,
    points_redemption::{PointsValuation, quote},
    rejection::Rejection,
};

/// The number of minutes after which a hold lapses: 1 to 1440.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct HoldMinutes(u32);

impl HoldMinutes {
    /// The rule for this number of minutes, as an error message.
    pub const RULE: &'static str = "must be a whole number from 1 to 1440";

    /// The smallest and the largest number of minutes.
    pub const BOUNDS: (i64, i64) = (1, 1_440);
}

impl TryFrom<i64> for HoldMinutes {
    type Error = &'static str;

    fn try_from(minutes: i64) -> Result<Self, Self::Error> {
        let minutes = Some(minutes).filter(|minutes| (Self::BOUNDS.0..=Self::BOUNDS.1).contains(minutes));
        minutes.and_then(|minutes| u32::try_from(minutes).ok()).map(Self).ok_or(Self::RULE)
    }
}

impl Default for HoldMinutes {
    fn default() -> Self {
        Self(15)
    }
}

/// What a checkout asks to set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldRequest {
    /// The order.
    pub order: OrderId,
    /// The points.
    pub points: PointsCost,
    /// The total of the order before the points.
    pub order_total: Money,
    /// When the hold lapses.
    pub minutes: HoldMinutes,
}

/// The changes of a hold, or of its release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldChange {
    /// The customer after the change.
    pub customer: Customer,
    /// The new ledger entries.
    pub entries: Vec<Entry>,
    /// The hold that was made or released.
    pub hold: Option<Hold>,
    /// Whether the order had a hold before.
    pub replaced: bool,
}

/// Sets points aside for an order, as if its earlier hold had been released first. Fails with the rejection of
/// [`quote`], and the earlier hold then stays.
pub fn hold(
    customer: &Customer,
    valuation: PointsValuation<'_>,
    request: HoldRequest,
    now: DateTime<Utc>,
) -> Result<HoldChange, Rejection> {
    let HoldRequest { order, points, order_total, minutes } = request;
    let mut customer = customer.clone();
    let mut entries = apply_due(&mut customer, now);
    let released = customer.account.release(&order, now);
    let replaced = released.is_some();
    if !replaced && customer.account.holds().len() >= HOLDS_MAX {
        return Err(Rejection::TooManyHolds);
    }
    entries.extend(released.and_then(|(_, expired)| expired).map(Entry::from));
    let value = quote(valuation, customer.account.available(now), points, Some(order_total))?;
    let until = now + TimeDelta::minutes(minutes.0.into());
    let hold = customer.account.hold(order, points.get(), value, until, now).cloned();
    Ok(HoldChange { customer, entries, hold, replaced })
}

/// Ends the hold of an order before it lapses. Its points return.
#[must_use]
pub fn release(customer: &Customer, order: &OrderId, now: DateTime<Utc>) -> HoldChange {
    let mut customer = customer.clone();
    let mut entries = apply_due(&mut customer, now);
    let released = customer.account.release(order, now);
    let replaced = released.is_some();
    let (hold, expired) = released.map_or((None, None), |(hold, expired)| (Some(hold), expired));
    entries.extend(expired.map(Entry::from));
    HoldChange { customer, entries, hold, replaced }
}
