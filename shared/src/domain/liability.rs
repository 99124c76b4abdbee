//! What an org owes its customers in points: the changes of a day, and what is outstanding at its end.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};

use crate::domain::{
    ledger::{Entry, EntryKind},
    lots::account::PointsAccount,
    money::Money,
    points::Points,
};

/// The sums of the ledger entries of a day in UTC, by their kind. Points that were taken are negative, as in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DayChanges {
    /// Points that orders earned.
    pub earned: Points,
    /// Points that paid for orders.
    pub redeemed: Points,
    /// Points that expired.
    pub expired: Points,
    /// Points that refunds took back.
    pub reversed: Points,
    /// Points that voids of redemptions gave back.
    pub returned: Points,
    /// Points that voids of refunds gave back.
    pub restored: Points,
    /// Points that operators gave or took.
    pub adjusted: Points,
}

impl DayChanges {
    /// Adds an entry.
    pub const fn count(&mut self, entry: &Entry) {
        let sum = match entry.kind {
            EntryKind::PointsEarned { .. } | EntryKind::EarnedByAmendment { .. } => &mut self.earned,
            EntryKind::PointsRedeemed { .. } => &mut self.redeemed,
            EntryKind::PointsExpired { .. } => &mut self.expired,
            EntryKind::PointsReversed { .. } | EntryKind::ReversedByAmendment { .. } => &mut self.reversed,
            EntryKind::PointsReturned { .. } => &mut self.returned,
            EntryKind::PointsRestored { .. } => &mut self.restored,
            EntryKind::PointsAdjusted { .. } => &mut self.adjusted,
            EntryKind::TierChanged { .. } => return,
        };
        sum.0 = sum.0.saturating_add(entry.points.0);
    }

    /// The sum of all entries.
    #[must_use]
    pub fn net(&self) -> Points {
        let Self { earned, redeemed, expired, reversed, returned, restored, adjusted } = *self;
        total([earned, redeemed, expired, reversed, returned, restored, adjusted])
    }
}

/// What a run found in the accounts of an org's customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AccountTotals {
    /// Points that customers can spend later.
    pub pending: Points,
    /// Points that checkouts have set aside.
    pub held: Points,
    /// Points that expire within 30 days. Points on hold are left out.
    pub expiring_within_30_days: Points,
}

impl AccountTotals {
    /// The days within which points count as expiring.
    const EXPIRING_WITHIN: TimeDelta = TimeDelta::days(30);

    /// Adds an account as of `now`.
    pub fn count(&mut self, account: &PointsAccount, now: DateTime<Utc>) {
        let mut account = account.clone();
        account.advance(now);
        let figures = account.figures(now);
        let soon: BTreeMap<_, _> = account.expiring();
        let soon = soon.range(..=now + Self::EXPIRING_WITHIN).map(|(_, points)| *points);
        self.pending = total([self.pending, figures.pending]);
        self.held = total([self.held, figures.held]);
        self.expiring_within_30_days = total(soon.chain([self.expiring_within_30_days]));
    }
}

/// The record of a closed day of an org.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedDay {
    /// The day in UTC.
    pub date: NaiveDate,
    /// The sums of the day's entries.
    pub changes: DayChanges,
    /// The points of entries of earlier closed days that were recorded after those days were closed.
    pub late: Points,
    /// The points of all customers at the end of the day: those at the end of the day before, plus `changes` and `late`.
    pub outstanding: Points,
    /// What the run that closed the day found. `None` for a day that was closed later than on the next day.
    pub found: Option<AccountTotals>,
    /// The value of `outstanding` at the best listed rate.
    pub value: Money,
    /// The points of the day's entries that this record or the `late` of a later one counts.
    pub counted: Points,
    /// When the run that closed the day began.
    pub closed_at: DateTime<Utc>,
}

/// A closed day whose entries no longer add up to what is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateDay {
    /// The day.
    pub date: NaiveDate,
    /// The points that were counted before.
    pub counted: Points,
    /// The points that are counted now.
    pub found: Points,
}

impl LateDay {
    /// The day, if its entries have changed since they were counted.
    #[must_use]
    pub fn of(day: &ClosedDay, changes: &DayChanges) -> Option<Self> {
        let (date, counted, found) = (day.date, day.counted, changes.net());
        (found != counted).then_some(Self { date, counted, found })
    }

    /// The points of the late entries.
    #[must_use]
    pub const fn points(&self) -> Points {
        Points(self.found.0.saturating_sub(self.counted.0))
    }
}

/// The days that a run which began at `began` closes: those that are over and have no record. Without an earlier record,
/// the day before alone.
#[must_use]
pub fn days_to_close(last_closed: Option<NaiveDate>, began: DateTime<Utc>) -> Vec<NaiveDate> {
    let Some(last) = began.date_naive().pred_opt() else { return Vec::new() };
    let Some(first) = last_closed.map_or(Some(last), |closed| closed.succ_opt()) else { return Vec::new() };
    first.iter_days().take_while(|day| *day <= last).take(DAYS_PER_RUN_MAX).collect()
}

/// The largest number of days that a run closes.
pub const DAYS_PER_RUN_MAX: usize = 31;

/// The first instant after a day in UTC.
#[must_use]
pub fn end_of(day: NaiveDate) -> DateTime<Utc> {
    let next = day.checked_add_days(Days::new(1)).unwrap_or(day);
    next.and_time(chrono::NaiveTime::MIN).and_utc()
}

/// The sum of some points.
#[must_use]
pub fn total(points: impl IntoIterator<Item = Points>) -> Points {
    Points(points.into_iter().map(|points| points.0).fold(0, i64::saturating_add))
}
