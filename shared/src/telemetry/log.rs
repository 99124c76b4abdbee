//! Log lines: JSON on standard error, each bounded in length.

use std::{borrow::Cow, io};

use serde_json::{Map, Value};
use tracing_subscriber::{
    Layer,
    filter::{FilterExt, LevelFilter, Targets},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// The project's own crates, as the targets of their log lines.
const OWN_CRATES: [&str; 10] = [
    "shared",
    "local",
    "back_office",
    "bundle_redemption",
    "bundle_transitions",
    "churn_prediction",
    "points_award",
    "points_redemption",
    "tier_recalculation",
    "weekly_report",
];

/// Starts JSON logging on standard error at these levels, once a process.
///
/// Below `info` libraries log whole requests and answers, with names and addresses in them. So those levels are for the
/// project's own crates, whatever `levels` says.
pub fn start_logging(levels: &str) {
    let levels: Targets = levels.parse().unwrap_or_else(|_| Targets::new().with_default(LevelFilter::INFO));
    let own = OWN_CRATES.map(|target| (target, LevelFilter::TRACE));
    let levels = levels.and(Targets::new().with_default(LevelFilter::INFO).with_targets(own));
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(|| BoundedWriter(io::stderr()));
    let lines = lines.with_current_span(false).with_span_list(false).with_filter(levels);
    let _ = tracing_subscriber::registry().with(lines).try_init();
}

/// How long a log line may be, in bytes.
pub const LINE_BYTES_MAX: usize = 8 * 1024;

/// How long one value of a line may be that is too long, in bytes.
const VALUE_BYTES_MAX: usize = 512;

/// Writes lines, each no longer than [`LINE_BYTES_MAX`]. The formatter hands a line over in one piece.
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

/// A log line, which is a JSON object, no longer than [`LINE_BYTES_MAX`]: its long texts are cut, and `cutFrom` says from how many
/// bytes.
#[must_use]
pub fn bounded(line: &str) -> Cow<'_, str> {
    if line.len() <= LINE_BYTES_MAX {
        return Cow::Borrowed(line);
    }
    let members: Map<String, Value> = serde_json::from_str(line).unwrap_or_default();
    let mut kept = Map::new();
    kept.insert("cutFrom".into(), line.len().into());
    let mut length = 64;
    for (name, value) in members {
        let value = match value {
            Value::String(text) => Value::String(truncated(&text)),
            value => value,
        };
        let size = name.len() + value.to_string().len() + 8;
        if size <= VALUE_BYTES_MAX + 64 && length + size <= LINE_BYTES_MAX {
            length += size;
            kept.insert(name, value);
        }
    }
    Cow::Owned(format!("{}\n", Value::Object(kept)))
}

/// As much of a text as is [`VALUE_BYTES_MAX`] long at most when it is written as JSON.
fn truncated(text: &str) -> String {
    let mut length = 0;
    let json_len = |char: char| if char.is_control() || matches!(char, '"' | '\\') { 6 } else { char.len_utf8() };
    let fits = |char: &char| {
        length += json_len(*char);
        length <= VALUE_BYTES_MAX
    };
    text.chars().take_while(fits).collect()
}
