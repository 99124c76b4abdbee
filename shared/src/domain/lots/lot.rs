//! Points with dates.

use chrono::{DateTime, Utc};

use crate::domain::{points::Points, time::INSTANT_MAX};

/// When points can be spent, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LotDates {
    /// The instant from which the points can be spent. `None` if they always could.
    pub available_at: Option<DateTime<Utc>>,
    /// The instant at which the points expire. `None` if they never do.
    pub expires_at: Option<DateTime<Utc>>,
}

impl LotDates {
    /// The points can be spent from now on and never expire.
    pub const NONE: Self = Self { available_at: None, expires_at: None };

    /// Whether the points can be spent at `now`, as far as they are available.
    #[must_use]
    pub fn is_available(&self, now: DateTime<Utc>) -> bool {
        self.available_at.is_none_or(|at| at <= now)
    }

    /// Whether the points have expired at `now`.
    #[must_use]
    pub fn is_expired(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// The dates without an availability that is past, which no longer distinguishes points.
    #[must_use]
    pub(super) fn as_of(self, now: DateTime<Utc>) -> Self {
        Self { available_at: self.available_at.filter(|at| *at > now), ..self }
    }

    /// Sorts the soonest expiry first. Points that never expire come last.
    fn by_expiry(&self) -> DateTime<Utc> {
        self.expires_at.unwrap_or(INSTANT_MAX)
    }

    /// Sorts available points by their expiry, then pending points by their availability.
    fn by_availability(&self, now: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
        (self.as_of(now).available_at.unwrap_or(DateTime::UNIX_EPOCH), self.by_expiry())
    }
}

/// Points with the same dates, more than 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lot {
    /// The number of points.
    pub points: Points,
    /// The dates.
    pub dates: LotDates,
}

impl Lot {
    /// A lot, or `None` without points.
    #[must_use]
    pub fn new(points: Points, dates: LotDates) -> Option<Self> {
        (points > Points::ZERO).then_some(Self { points, dates })
    }
}

/// The sum of the points of some lots.
pub(super) fn sum<'a>(lots: impl IntoIterator<Item = &'a Lot>) -> Points {
    Points(lots.into_iter().map(|lot| lot.points.0).fold(0, i64::saturating_add))
}

/// Sorts lots by the order in which a checkout takes them: soonest expiry first, never-expiring last.
pub(super) fn sort_by_expiry(lots: &mut [Lot]) {
    lots.sort_by_key(|lot| (lot.dates.by_expiry(), lot.dates.available_at));
}

/// Sorts lots by the order in which a reduction takes them: available points by their expiry, then pending points by
/// their availability.
pub(super) fn sort_by_availability(lots: &mut [Lot], now: DateTime<Utc>) {
    lots.sort_by_key(|lot| lot.dates.by_availability(now));
}

/// Splits lots: the first `points` that `may_take` allows, in the order of the lots, and the rest. The first part may
/// have fewer points.
pub(super) fn split(lots: Vec<Lot>, points: Points, may_take: impl Fn(&LotDates) -> bool) -> (Vec<Lot>, Vec<Lot>) {
    let (mut taken, mut rest) = (Vec::new(), Vec::new());
    let mut missing = points.0;
    for Lot { points, dates } in lots {
        let take = if may_take(&dates) { points.0.min(missing).max(0) } else { 0 };
        missing -= take;
        taken.extend(Lot::new(Points(take), dates));
        rest.extend(Lot::new(Points(points.0 - take), dates));
    }
    (taken, rest)
}
