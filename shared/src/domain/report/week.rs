//! The week that is reported: from Monday to Sunday, in the org's zone.

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};

use crate::domain::zone::Zone;

/// How many days it has.
pub const DAYS_PER_WEEK: u64 = 7;

/// Seven whole days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Week {
    /// Its first day.
    pub first: NaiveDate,
    /// Its last day.
    pub last: NaiveDate,
    /// When it begins.
    pub from: DateTime<Utc>,
    /// When the next one begins.
    pub until: DateTime<Utc>,
}

impl Week {
    /// The last week that is over at `now` in a zone: the same one on every day of the next, and wherever it is Monday when
    /// the report is made.
    #[must_use]
    pub fn before(now: DateTime<Utc>, zone: Zone) -> Option<Self> {
        let today = now.with_timezone(&zone).date_naive();
        let since_monday = today.weekday().num_days_from_monday();
        Self::ending_before(today.checked_sub_days(Days::new(since_monday.into()))?, zone)
    }

    /// The same days so many days earlier.
    #[must_use]
    pub fn earlier(&self, days: u64, zone: Zone) -> Option<Self> {
        Self::ending_before(self.last.checked_add_days(Days::new(1))?.checked_sub_days(Days::new(days))?, zone)
    }

    fn ending_before(monday: NaiveDate, zone: Zone) -> Option<Self> {
        let first = monday.checked_sub_days(Days::new(DAYS_PER_WEEK))?;
        let (from, until) = (zone.start_of_day(first), zone.start_of_day(monday));
        Some(Self { first, last: monday.pred_opt()?, from, until })
    }

    /// Whether an instant is in it.
    #[must_use]
    pub fn contains(&self, at: DateTime<Utc>) -> bool {
        self.from <= at && at < self.until
    }

    /// The days of UTC that it touches.
    pub fn utc_days(&self) -> impl Iterator<Item = NaiveDate> + use<> {
        let last = self.until.date_naive();
        self.from.date_naive().iter_days().take_while(move |day| *day <= last)
    }
}
