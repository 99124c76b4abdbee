//! The schedule of a bundle: its dates, its days of the week and its time window, in the time zone of the org.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use serde::{Serialize, Serializer};

use crate::domain::{time, zone::Zone};

/// When a bundle is active. A schedule without any field is always active.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schedule {
    /// The bundle is not active before this date. A day counts from its start.
    pub start: Option<ScheduleDate>,
    /// The bundle is not active from this date on. A day counts until its end.
    pub end: Option<ScheduleDate>,
    /// The bundle is active on these days only, in the org's time zone.
    pub days: Option<DaysOfWeek>,
    /// The start of the time window on each day. `None` for 00:00.
    pub time_start: Option<TimeOfDay>,
    /// The exclusive end of the time window. `None` for 24:00. An end at or before the start is on the next day.
    pub time_end: Option<TimeOfDay>,
}

/// The start or the end of a schedule: an instant, or a day in the org's time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScheduleDate {
    /// An instant, independent of the time zone.
    At(DateTime<Utc>),
    /// A day. Its instants change with the org's time zone.
    Day(NaiveDate),
}

/// The rule for the dates of a schedule, as an error message.
pub const SCHEDULE_DATE_RULE: &str = "must be an RFC 3339 date and time with an offset, or a date, from 1970 to 9999";

impl TryFrom<String> for ScheduleDate {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let date = time::parse_day(&text).map(Self::Day).or_else(|_| time::parse(&text).map(Self::At));
        date.map_err(|_| SCHEDULE_DATE_RULE)
    }
}

impl Serialize for ScheduleDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl ScheduleDate {
    /// The instant at which a schedule with this start date starts.
    #[must_use]
    pub fn start_instant(self, zone: Zone) -> DateTime<Utc> {
        match self {
            Self::At(at) => at,
            Self::Day(day) => zone.start_of_day(day),
        }
    }

    /// The instant at which a schedule with this end date ends, at most [`time::INSTANT_MAX`].
    #[must_use]
    pub fn end_instant(self, zone: Zone) -> DateTime<Utc> {
        match self {
            Self::At(at) => at,
            Self::Day(day) => zone.end_of_day(day).min(time::INSTANT_MAX),
        }
    }

    /// The date as answers show it.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::At(at) => time::text(at),
            Self::Day(day) => day.to_string(),
        }
    }
}

impl Schedule {
    /// When the schedule starts, in a time zone.
    #[must_use]
    pub fn starts_at(&self, zone: Zone) -> Option<DateTime<Utc>> {
        self.start.map(|start| start.start_instant(zone))
    }

    /// When the schedule ends, in a time zone.
    #[must_use]
    pub fn ends_at(&self, zone: Zone) -> Option<DateTime<Utc>> {
        self.end.map(|end| end.end_instant(zone))
    }

    /// Whether the schedule can start before it ends in some time zone. An instant and a day can be compared only
    /// roughly without the time zone.
    #[must_use]
    pub fn can_start_before_end(&self) -> bool {
        use self::ScheduleDate::{At, Day};

        /// No local day starts further than this from the start of the day in UTC.
        const OFFSET_MAX: TimeDelta = TimeDelta::hours(16);

        let start_in_utc = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        match self.start.zip(self.end) {
            Some((At(start), At(end))) => start < end,
            Some((Day(start), Day(end))) => start <= end,
            Some((At(start), Day(end))) => start < start_in_utc(end) + TimeDelta::days(1) + OFFSET_MAX,
            Some((Day(start), At(end))) => start_in_utc(start) - OFFSET_MAX < end,
            None => true,
        }
    }

    /// Whether the schedule starts before it ends. A schedule with at most one of the two dates does.
    #[must_use]
    pub fn starts_before_end(&self, zone: Zone) -> bool {
        self.starts_at(zone).zip(self.ends_at(zone)).is_none_or(|(starts, ends)| starts < ends)
    }
}

/// The rule for a schedule that would end before it starts, as an error message.
pub const END_AFTER_START_RULE: &str = "must be after startDate";

/// A set of days of the week, never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DaysOfWeek(u8);

/// The rule for the days of the week, as an error message.
pub const DAYS_OF_WEEK_RULE: &str = "must be a list of at least one day, 0 (Sunday) to 6 (Saturday)";

impl TryFrom<Vec<i64>> for DaysOfWeek {
    type Error = &'static str;

    fn try_from(days: Vec<i64>) -> Result<Self, Self::Error> {
        let bit = |day: i64| u32::try_from(day).ok().filter(|day| *day < 7).map(|day| 1_u8 << day);
        let set = days.into_iter().try_fold(0, |set, day| bit(day).map(|bit| set | bit));
        set.filter(|set| *set != 0).map(Self).ok_or(DAYS_OF_WEEK_RULE)
    }
}

impl Serialize for DaysOfWeek {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl DaysOfWeek {
    /// The days from 0 (Sunday) to 6 (Saturday).
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0..7).filter(move |day| self.0 & (1 << day) != 0)
    }

    fn contains(self, date: NaiveDate) -> bool {
        self.0 & (1 << date.weekday().num_days_from_sunday()) != 0
    }
}

/// A time of day in minutes since midnight, from 00:00 to 24:00.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay(u16);

/// The rule for a time of day, as an error message.
pub const TIME_OF_DAY_RULE: &str = "must be a time of day from 00:00 to 24:00, in the form HH:MM";

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

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl TimeOfDay {
    const START_OF_DAY: Self = Self(0);
    /// 24:00. Only the end of a window can have this value.
    pub const END_OF_DAY: Self = Self(24 * 60);

    /// The time in the form `HH:MM`.
    #[must_use]
    pub fn text(self) -> String {
        format!("{:02}:{:02}", self.0 / 60, self.0 % 60)
    }

    /// The local time on a day.
    fn on(self, date: NaiveDate) -> Option<NaiveDateTime> {
        date.and_time(NaiveTime::MIN).checked_add_signed(TimeDelta::minutes(self.0.into()))
    }
}

/// Whether `now` is in a time window of the schedule.
pub(super) fn in_window(schedule: &Schedule, zone: Zone, now: DateTime<Utc>) -> bool {
    let today = now.with_timezone(&zone).date_naive();
    // A window that passes midnight belongs to the day on which it starts. If the clocks go back over midnight,
    // tomorrow's window may have started already.
    let (yesterday, tomorrow) = (today.pred_opt(), today.succ_opt());
    let days = yesterday.into_iter().chain([today]).chain(tomorrow);
    let windows = days.filter_map(|date| window_of(schedule, zone, date));
    windows.into_iter().any(|(from, to)| from <= now && now < to)
}

/// The windows that start on the days from yesterday on, for three weeks. The pattern repeats weekly, and a clock
/// change can remove the window of one week. The next change by a window is therefore at an edge of one of these
/// windows.
pub(super) fn windows_around(
    schedule: &Schedule,
    zone: Zone,
    now: DateTime<Utc>,
) -> impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)> {
    const DAYS_COVERED: usize = 3 * 7 + 2;
    let today = now.with_timezone(&zone).date_naive();
    let dates = today.pred_opt().unwrap_or(today).iter_days().take(DAYS_COVERED);
    dates.filter_map(move |date| window_of(schedule, zone, date))
}

/// The window that starts on a day. Returns `None` if the schedule does not list the day.
fn window_of(schedule: &Schedule, zone: Zone, date: NaiveDate) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    if schedule.days.is_some_and(|days| !days.contains(date)) {
        return None;
    }
    let from = schedule.time_start.unwrap_or(TimeOfDay::START_OF_DAY);
    let to = schedule.time_end.unwrap_or(TimeOfDay::END_OF_DAY);
    let last_day = if to <= from { date.checked_add_days(Days::new(1))? } else { date };
    // A window until 24:00 ends when the next day starts. Any other end that occurs twice means the later one.
    let ends = if to == TimeOfDay::END_OF_DAY { zone.end_of_day(last_day) } else { zone.latest(to.on(last_day)?) };
    Some((zone.earliest(from.on(date)?), ends))
}
