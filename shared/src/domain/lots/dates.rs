//! The dates of points that are earned: when they can be spent, and when they expire.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};
use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

use super::lot::LotDates;
use crate::domain::{names::named, zone::Zone};

/// The number of days after which earned points can be spent: 0 to 90.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(into = "i64", try_from = "i64")]
pub struct PendingDays(u32);

impl PendingDays {
    /// The rule for this number of days, as an error message.
    pub const RULE: &'static str = "must be a whole number from 0 to 90";

    /// The smallest and the largest number of days.
    pub const BOUNDS: (i64, i64) = (0, 90);

    /// The number of days.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Whether points are available at once.
    #[must_use]
    pub const fn is_zero(&self) -> bool {
        self.0 == 0
    }
}

impl TryFrom<i64> for PendingDays {
    type Error = &'static str;

    fn try_from(days: i64) -> Result<Self, Self::Error> {
        let days = Some(days).filter(|days| (Self::BOUNDS.0..=Self::BOUNDS.1).contains(days));
        days.and_then(|days| u32::try_from(days).ok()).map(Self).ok_or(Self::RULE)
    }
}

impl From<PendingDays> for i64 {
    fn from(days: PendingDays) -> Self {
        days.0.into()
    }
}

/// The number of months after which points expire: 1 to 60.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(into = "i64", try_from = "i64")]
pub struct ExpiryMonths(u32);

impl ExpiryMonths {
    /// The rule for this number of months, as an error message.
    pub const RULE: &'static str = "must be a whole number from 1 to 60";

    /// The smallest and the largest number of months.
    pub const BOUNDS: (i64, i64) = (1, 60);

    /// The number of months.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<i64> for ExpiryMonths {
    type Error = &'static str;

    fn try_from(months: i64) -> Result<Self, Self::Error> {
        let months = Some(months).filter(|months| (Self::BOUNDS.0..=Self::BOUNDS.1).contains(months));
        months.and_then(|months| u32::try_from(months).ok()).map(Self).ok_or(Self::RULE)
    }
}

impl From<ExpiryMonths> for i64 {
    fn from(months: ExpiryMonths) -> Self {
        months.0.into()
    }
}

/// The end to which an expiry is rounded up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, EnumString, IntoStaticStr, VariantArray, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum ExpiryRounding {
    /// The end of the local day.
    Day,
    /// The end of the calendar month.
    #[default]
    Month,
}

named!(ExpiryRounding);

/// When earned points expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PointsExpiry {
    months: ExpiryMonths,
    round_to: ExpiryRounding,
}

/// The rule for the rounding to days, as an error message.
pub const ROUND_TO_RULE: &str = "must be month if months is above 3";

impl PointsExpiry {
    /// The longest expiry that is rounded to days, in months. It bounds the lots of a customer.
    const DAY_MONTHS_MAX: u32 = 3;

    /// An expiry. Fails with [`ROUND_TO_RULE`].
    pub fn new(months: ExpiryMonths, round_to: ExpiryRounding) -> Result<Self, &'static str> {
        let is_bounded = round_to == ExpiryRounding::Month || months.get() <= Self::DAY_MONTHS_MAX;
        if is_bounded { Ok(Self { months, round_to }) } else { Err(ROUND_TO_RULE) }
    }

    /// The number of months.
    #[must_use]
    pub const fn months(self) -> ExpiryMonths {
        self.months
    }

    /// The end to which the expiry is rounded up.
    #[must_use]
    pub const fn round_to(self) -> ExpiryRounding {
        self.round_to
    }

    /// The instant at which points of a local day expire: the end of the day or month that lies `months` after it.
    fn expires_at(self, day: NaiveDate, zone: Zone) -> Option<DateTime<Utc>> {
        let last = day.checked_add_months(Months::new(self.months.get()))?;
        let next = match self.round_to {
            ExpiryRounding::Day => last.checked_add_days(Days::new(1))?,
            ExpiryRounding::Month => last.with_day(1)?.checked_add_months(Months::new(1))?,
        };
        Some(zone.start_of_day(next))
    }
}

/// The number of days for which points that return past their expiry can be spent.
const LATE_RETURN_DAYS: u64 = 30;

impl LotDates {
    /// The dates of points that an order earns, which was fulfilled at `fulfilled_at`.
    #[must_use]
    pub fn earned(pending: PendingDays, expiry: Option<PointsExpiry>, zone: Zone, fulfilled_at: DateTime<Utc>) -> Self {
        let day = local_day(zone, fulfilled_at);
        let available = day.checked_add_days(Days::new(pending.get().into())).map(|day| zone.start_of_day(day));
        Self {
            // Without pending days, points are available at once, also those of an order of tomorrow.
            available_at: available.filter(|_| pending.get() > 0),
            expires_at: expiry.and_then(|expiry| expiry.expires_at(day, zone)),
        }
    }
}

/// The instant at which points expire that return at `now`, past their expiry: the end of the local day 30 days later.
#[must_use]
pub fn late_return_expiry(zone: Zone, now: DateTime<Utc>) -> DateTime<Utc> {
    let last = local_day(zone, now).checked_add_days(Days::new(LATE_RETURN_DAYS));
    last.map_or(now, |last| zone.end_of_day(last))
}

fn local_day(zone: Zone, at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}
