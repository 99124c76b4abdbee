//! The week of a report: Monday to Sunday in the org's time zone.

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};

use crate::domain::zone::Zone;

/// The number of days in a week.
pub const DAYS_PER_WEEK: u64 = 7;

/// Seven whole days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Week {
    /// The first day.
    pub first: NaiveDate,
    /// The last day.
    pub last: NaiveDate,
    /// The start of the first day.
    pub from: DateTime<Utc>,
    /// The end of the last day.
    pub until: DateTime<Utc>,
}

impl Week {
    /// The last week that is over at `now` in a time zone. The result is the same on every day of the following week.
    #[must_use]
    pub fn before(now: DateTime<Utc>, zone: Zone) -> Option<Self> {
        let today = now.with_timezone(&zone).date_naive();
        let since_monday = today.weekday().num_days_from_monday();
        Self::ending_before(today.checked_sub_days(Days::new(since_monday.into()))?, zone)
    }

    /// The week that starts the given number of days earlier.
    #[must_use]
    pub fn earlier(&self, days: u64, zone: Zone) -> Option<Self> {
        Self::ending_before(self.last.checked_add_days(Days::new(1))?.checked_sub_days(Days::new(days))?, zone)
    }

    fn ending_before(monday: NaiveDate, zone: Zone) -> Option<Self> {
        let first = monday.checked_sub_days(Days::new(DAYS_PER_WEEK))?;
        let (from, until) = (zone.start_of_day(first), zone.start_of_day(monday));
        Some(Self { first, last: monday.pred_opt()?, from, until })
    }

    /// Whether an instant is in the week.
    #[must_use]
    pub fn contains(&self, at: DateTime<Utc>) -> bool {
        self.from <= at && at < self.until
    }

    /// The UTC days that overlap the week.
    pub fn utc_days(&self) -> impl Iterator<Item = NaiveDate> + use<> {
        let last = self.until.date_naive();
        self.from.date_naive().iter_days().take_while(move |day| *day <= last)
    }
}
