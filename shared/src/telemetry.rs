//! What a process tells about itself: JSON log lines on standard error, and one metrics record a call in CloudWatch's embedded metric
//! format (EMF): a log line from which CloudWatch makes metrics, at no request and no wait.

use std::{borrow::Cow, io, sync::Arc, time::Duration};

use serde_json::{Map, Value, json};
use tracing_subscriber::{
    Layer,
    filter::{FilterExt, LevelFilter, Targets},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// Where metrics records go: standard output in a function, a collector in a test.
pub type Sink = Arc<dyn Fn(&str) + Send + Sync>;

/// Writes to standard output, where Lambda and Cloud Run pick lines up.
#[must_use]
pub fn stdout() -> Sink {
    Arc::new(|line| {
        use std::io::Write;
        // A record that can't be written is lost, a call that was made is not undone.
        let _ = writeln!(io::stdout().lock(), "{line}");
    })
}

/// The project's own crates, as the targets of their log lines.
const OWN: [&str; 10] = [
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
    let own = OWN.map(|target| (target, LevelFilter::TRACE));
    let levels = levels.and(Targets::new().with_default(LevelFilter::INFO).with_targets(own));
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(|| Bounded(io::stderr()));
    let lines = lines.with_current_span(false).with_span_list(false).with_filter(levels);
    let _ = tracing_subscriber::registry().with(lines).try_init();
}

/// How long a log line may be, in bytes.
pub const LINE_MAX: usize = 8 * 1024;

/// How long one value of a line may be that is too long, in bytes.
const VALUE_MAX: usize = 512;

/// Writes lines, each no longer than [`LINE_MAX`]. The formatter hands a line over in one piece.
struct Bounded<W>(W);

impl<W: io::Write> io::Write for Bounded<W> {
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

/// A log line, which is a JSON object, no longer than [`LINE_MAX`]: its long texts are cut, and `cutFrom` says from how many
/// bytes.
#[must_use]
pub fn bounded(line: &str) -> Cow<'_, str> {
    if line.len() <= LINE_MAX {
        return Cow::Borrowed(line);
    }
    let members: Map<String, Value> = serde_json::from_str(line).unwrap_or_default();
    let mut kept = Map::new();
    kept.insert("cutFrom".into(), line.len().into());
    let mut length = 64;
    for (name, value) in members {
        let value = match value {
            Value::String(text) => Value::String(cut(&text)),
            value => value,
        };
        let size = name.len() + value.to_string().len() + 8;
        if size <= VALUE_MAX + 64 && length + size <= LINE_MAX {
            length += size;
            kept.insert(name, value);
        }
    }
    Cow::Owned(format!("{}\n", Value::Object(kept)))
}

/// As much of a text as is [`VALUE_MAX`] long at most when it is written as JSON.
fn cut(text: &str) -> String {
    let mut length = 0;
    let written = |char: char| if char.is_control() || matches!(char, '"' | '\\') { 6 } else { char.len_utf8() };
    let fits = |char: &char| {
        length += written(*char);
        length <= VALUE_MAX
    };
    text.chars().take_while(fits).collect()
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It did what was asked.
    Succeeded,
    /// A rule said no.
    Refused,
    /// It may succeed later, or the fault is ours.
    Failed,
}

/// One figure of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// The metric's name.
    pub name: &'static str,
    /// What it is.
    pub figure: Figure,
}

/// What a figure can be.
#[derive(Debug, Clone, PartialEq)]
pub enum Figure {
    /// How many.
    Count(i64),
    /// How good, by some measure without a unit: as many values as were worked out.
    Scores(Vec<f64>),
    /// How long ago, in hours.
    Hours(f64),
}

impl Measure {
    /// As `CloudWatch` is told of it.
    fn definition(&self) -> Value {
        let unit = match self.figure {
            Figure::Count(_) => "Count",
            // There is no unit for hours.
            Figure::Scores(_) | Figure::Hours(_) => "None",
        };
        json!({"Name": self.name, "Unit": unit})
    }

    fn value(&self) -> Value {
        match &self.figure {
            Figure::Count(count) => (*count).into(),
            Figure::Scores(scores) => json!(scores),
            Figure::Hours(hours) => json!(hours),
        }
    }
}

/// One call, as recorded. The one dimension is the function: each metric costs money for each value of a dimension. All else
/// that tells calls apart is a property, which can be searched for and costs none.
#[derive(Debug)]
pub struct CallRecord<'a> {
    /// The namespace of the deployment's metrics: two of them may share an account.
    pub namespace: &'a str,
    /// The function.
    pub function: &'a str,
    /// The operation, or a word for none.
    pub operation: &'a str,
    /// The org it was about, if it said so.
    pub org: Option<&'a str>,
    /// How it ended.
    pub ending: Ending,
    /// The code it was refused or failed with.
    pub code: Option<&'a str>,
    /// How long it took.
    pub took: Duration,
    /// What it did.
    pub measures: &'a [Measure],
}

impl CallRecord<'_> {
    /// The record as one line of EMF; `timestamp` in milliseconds since 1970.
    #[must_use]
    pub fn to_emf(&self, timestamp: i64) -> String {
        let count = |name: &str| json!({"Name": name, "Unit": "Count"});
        let mut metrics = Vec::from(["Succeeded", "Refused", "Failed"].map(count));
        metrics.extend(self.measures.iter().map(Measure::definition));

        let ended = |ending| i32::from(self.ending == ending);
        let mut record = Map::new();
        record.insert(
            "_aws".into(),
            json!({"Timestamp": timestamp, "CloudWatchMetrics": [{
                "Namespace": self.namespace, "Dimensions": [["Function"]], "Metrics": metrics,
            }]}),
        );
        record.insert("Function".into(), self.function.into());
        record.insert("Operation".into(), self.operation.into());
        record.insert("Duration".into(), Value::from(self.took.as_secs_f64() * 1000.0));
        record.insert("Succeeded".into(), ended(Ending::Succeeded).into());
        record.insert("Refused".into(), ended(Ending::Refused).into());
        record.insert("Failed".into(), ended(Ending::Failed).into());
        record.extend(self.measures.iter().map(|measure| (measure.name.into(), measure.value())));
        record.extend(self.org.map(|org| ("OrgId".into(), org.into())));
        record.extend(self.code.map(|code| ("Code".into(), code.into())));
        Value::Object(record).to_string()
    }
}
