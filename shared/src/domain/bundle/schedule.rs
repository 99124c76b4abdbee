//! The schedule of a bundle: its dates, its days of the week and its windows, in the time zone of the org.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

use crate::domain::{time, zone::Zone};

/// When a bundle is to be on; without any of these, always.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schedule {
    /// Not before; a day from its beginning.
    pub start: Option<ScheduleDate>,
    /// Not from here on; a day from its end.
    pub end: Option<ScheduleDate>,
    /// On these days, in the org's time zone.
    pub days: Option<DaysOfWeek>,
    /// From this time of day; 00:00 without.
    pub time_start: Option<TimeOfDay>,
    /// Up to but not including this time of day; 24:00 without. At or before the start it is on the next day.
    pub time_end: Option<TimeOfDay>,
}

/// When a schedule begins or ends: at an instant, or with a day of the org's time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScheduleDate {
    /// An instant, whatever the time zone.
    At(DateTime<Utc>),
    /// A day, which a change of time zone takes along.
    Day(NaiveDate),
}

/// Why a text is not when a schedule begins or ends.
pub const SCHEDULE_DATE_RULE: &str = "must be an RFC 3339 date and time with an offset, or a date, from 1970 to 9999";

impl TryFrom<String> for ScheduleDate {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let read = time::parse_day(&text).map(Self::Day).or_else(|_| time::parse(&text).map(Self::At));
        read.map_err(|_| SCHEDULE_DATE_RULE)
    }
}

impl ScheduleDate {
    /// The instant, where it begins something.
    #[must_use]
    pub fn start_instant(self, zone: Zone) -> DateTime<Utc> {
        match self {
            Self::At(at) => at,
            Self::Day(day) => zone.start_of_day(day),
        }
    }

    /// The instant, where it ends something; at most the last that can be written.
    #[must_use]
    pub fn end_instant(self, zone: Zone) -> DateTime<Utc> {
        match self {
            Self::At(at) => at,
            Self::Day(day) => zone.end_of_day(day).min(time::INSTANT_MAX),
        }
    }

    /// As it was given.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::At(at) => time::text(at),
            Self::Day(day) => day.to_string(),
        }
    }
}

impl Schedule {
    /// When it begins, in a time zone.
    #[must_use]
    pub fn starts_at(&self, zone: Zone) -> Option<DateTime<Utc>> {
        self.start.map(|start| start.start_instant(zone))
    }

    /// When it ends, in a time zone.
    #[must_use]
    pub fn ends_at(&self, zone: Zone) -> Option<DateTime<Utc>> {
        self.end.map(|end| end.end_instant(zone))
    }

    /// Whether it may end after it begins: without the time zone, an instant and a day can't always be told apart.
    #[must_use]
    pub fn can_start_before_end(&self) -> bool {
        use self::ScheduleDate::{At, Day};

        /// No local day begins further than this from the day of UTC.
        const WIDEST: TimeDelta = TimeDelta::hours(16);

        let begins = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        match self.start.zip(self.end) {
            Some((At(start), At(end))) => start < end,
            Some((Day(start), Day(end))) => start <= end,
            Some((At(start), Day(end))) => start < begins(end) + TimeDelta::days(1) + WIDEST,
            Some((Day(start), At(end))) => begins(start) - WIDEST < end,
            None => true,
        }
    }

    /// Whether it ends after it begins, as far as it says both.
    #[must_use]
    pub fn starts_before_end(&self, zone: Zone) -> bool {
        self.starts_at(zone).zip(self.ends_at(zone)).is_none_or(|(starts, ends)| starts < ends)
    }
}

/// Why a schedule is none: it would end before it begins.
pub const END_AFTER_START_RULE: &str = "must be after startDate";

/// A set of days of the week, never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DaysOfWeek(u8);

/// Why a list is not a set of days.
pub const DAYS_OF_WEEK_RULE: &str = "must be a list of at least one day, 0 (Sunday) to 6 (Saturday)";

impl TryFrom<Vec<i64>> for DaysOfWeek {
    type Error = &'static str;

    fn try_from(days: Vec<i64>) -> Result<Self, Self::Error> {
        let bit = |day: i64| u32::try_from(day).ok().filter(|day| *day < 7).map(|day| 1_u8 << day);
        let set = days.into_iter().try_fold(0, |set, day| bit(day).map(|bit| set | bit));
        set.filter(|set| *set != 0).map(Self).ok_or(DAYS_OF_WEEK_RULE)
    }
}

impl DaysOfWeek {
    /// The days, Sunday first.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0..7).filter(move |day| self.0 & (1 << day) != 0)
    }

    fn contains(self, date: NaiveDate) -> bool {
        self.0 & (1 << date.weekday().num_days_from_sunday()) != 0
    }
}

/// A time of day, in minutes since midnight, 24:00 included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay(u16);

/// Why a text is not a time of day.
pub const TIME_OF_DAY_RULE: &str = "must be a time of day from 00:00 to 24:00, as HH:MM";

impl TryFrom<String> for TimeOfDay {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let two_digits = |part: &str| {
            let is_number = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| part.parse::<u16>().ok()).flatten()
        };
        let (hours, minutes) = text.split_once(':').ok_or(TIME_OF_DAY_RULE)?;
        let (hours, minutes) = two_digits(hours).zip(two_digits(minutes)).ok_or(TIME_OF_DAY_RULE)?;
        let time = hours * 60 + minutes;
        if minutes < 60 && time <= Self::END_OF_DAY.0 { Ok(Self(time)) } else { Err(TIME_OF_DAY_RULE) }
    }
}

impl TimeOfDay {
    const START_OF_DAY: Self = Self(0);
    /// 24:00, which only an end can be.
    pub const END_OF_DAY: Self = Self(24 * 60);

    /// As it is written.
    #[must_use]
    pub fn text(self) -> String {
        format!("{:02}:{:02}", self.0 / 60, self.0 % 60)
    }

    /// The local time, on a day.
    fn on(self, date: NaiveDate) -> Option<NaiveDateTime> {
        date.and_time(NaiveTime::MIN).checked_add_signed(TimeDelta::minutes(self.0.into()))
    }
}

/// Whether `now` lies in a window of the schedule.
pub(super) fn in_window(schedule: &Schedule, zone: Zone, now: DateTime<Utc>) -> bool {
    let today = now.with_timezone(&zone).date_naive();
    // A window that runs past midnight belongs to the day it began on. Tomorrow's has begun already where the clocks go back
    // over midnight.
    let (yesterday, tomorrow) = (today.pred_opt(), today.succ_opt());
    let days = yesterday.into_iter().chain([today]).chain(tomorrow);
    let windows = days.filter_map(|date| window_of(schedule, zone, date));
    windows.into_iter().any(|(from, to)| from <= now && now < to)
}

/// The windows of the days from yesterday on, for long enough that a change by the windows is among their edges: the
/// pattern repeats every week, and a change of clocks can swallow the window of one.
pub(super) fn windows_around(
    schedule: &Schedule,
    zone: Zone,
    now: DateTime<Utc>,
) -> impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)> {
    const DAYS: usize = 3 * 7 + 2;
    let today = now.with_timezone(&zone).date_naive();
    let dates = today.pred_opt().unwrap_or(today).iter_days().take(DAYS);
    dates.filter_map(move |date| window_of(schedule, zone, date))
}

/// The window that begins on a day, if the day is listed.
fn window_of(schedule: &Schedule, zone: Zone, date: NaiveDate) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    if schedule.days.is_some_and(|days| !days.contains(date)) {
        return None;
    }
    let from = schedule.time_start.unwrap_or(TimeOfDay::START_OF_DAY);
    let to = schedule.time_end.unwrap_or(TimeOfDay::END_OF_DAY);
    let last_day = if to <= from { date.checked_add_days(Days::new(1))? } else { date };
    // A window that ends with its day ends when the next one begins; another end that occurs twice is the last.
    let ends = if to == TimeOfDay::END_OF_DAY { zone.end_of_day(last_day) } else { zone.latest(to.on(last_day)?) };
    Some((zone.earliest(from.on(date)?), ends))
}
