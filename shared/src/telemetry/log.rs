//! JSON log lines on standard error, each limited in length.

use std::{borrow::Cow, io};

use serde_json::{Map, Value};
use tracing_subscriber::{
    Layer,
    filter::{FilterExt, LevelFilter, Targets},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// The project's own crates, as the targets of their log lines.
const OWN_CRATES: [&str; 11] = [
    "shared",
    "local",
    "back_office",
    "bundle_redemption",
    "bundle_transitions",
    "churn_prediction",
    "points_award",
    "points_expiry",
    "points_redemption",
    "tier_recalculation",
    "weekly_report",
];

/// Starts JSON logging on standard error, once for each process.
///
/// Below `info`, libraries log whole requests and answers, which contain names and addresses. Therefore only the
/// project's own crates log below `info`, regardless of `levels`.
pub fn start_logging(levels: &str) {
    let levels: Targets = levels.parse().unwrap_or_else(|_| Targets::new().with_default(LevelFilter::INFO));
    let own = OWN_CRATES.map(|target| (target, LevelFilter::TRACE));
    let levels = levels.and(Targets::new().with_default(LevelFilter::INFO).with_targets(own));
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(|| BoundedWriter(io::stderr()));
    let lines = lines.with_current_span(false).with_span_list(false).with_filter(levels);
    let _ = tracing_subscriber::registry().with(lines).try_init();
}

/// The longest log line, in bytes.
pub const LINE_BYTES_MAX: usize = 8 * 1024;

/// The longest value in a line that is cut, in bytes.
const VALUE_BYTES_MAX: usize = 512;

/// The longest name of a member in a line that is cut, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// The room for the braces, the line break and `cutFrom`, in bytes.
const FRAME_BYTES: usize = 64;

/// The room for the quotes, the colon and the comma of a member, in bytes.
const SEPARATOR_BYTES: usize = 8;

/// Cuts each line to [`LINE_BYTES_MAX`]. The formatter writes each line in one piece.
struct BoundedWriter<W>(W);

impl<W: io::Write> io::Write for BoundedWriter<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match std::str::from_utf8(line) {
            Ok(text) => self.0.write_all(bounded(text).as_bytes())?,
            Err(_) => self.0.write_all(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A log line of at most [`LINE_BYTES_MAX`]. The line is a JSON object.
///
/// In a longer line, long texts are cut, members that do not fit are left out, and `cutFrom` holds the original length
/// in bytes.
#[must_use]
pub fn bounded(line: &str) -> Cow<'_, str> {
    if line.len() <= LINE_BYTES_MAX {
        return Cow::Borrowed(line);
    }
    let members: Map<String, Value> = serde_json::from_str(line).unwrap_or_default();
    let mut shortened = Map::new();
    shortened.insert("cutFrom".into(), line.len().into());
    let mut length = FRAME_BYTES;
    for (name, value) in members {
        let value = match value {
            Value::String(text) => Value::String(truncated(&text)),
            value => value,
        };
        let size = name.len() + value.to_string().len() + SEPARATOR_BYTES;
        if size <= VALUE_BYTES_MAX + NAME_BYTES_MAX && length + size <= LINE_BYTES_MAX {
            length += size;
            shortened.insert(name, value);
        }
    }
    Cow::Owned(format!("{}\n", Value::Object(shortened)))
}

/// The beginning of a text, at most [`VALUE_BYTES_MAX`] long as JSON.
fn truncated(text: &str) -> String {
    let mut length = 0;
    let json_len = |char: char| if char.is_control() || matches!(char, '"' | '\\') { 6 } else { char.len_utf8() };
    let fits = |char: &char| {
        length += json_len(*char);
        length <= VALUE_BYTES_MAX
    };
    text.chars().take_while(fits).collect()
}
