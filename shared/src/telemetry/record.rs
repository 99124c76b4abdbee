//! One metrics record for each call, in `CloudWatch`'s embedded metric format (EMF).
//!
//! EMF is a log line from which `CloudWatch` makes metrics. It costs no request and no wait.

use std::{io, sync::Arc, time::Duration};

use serde_json::{Map, Value, json};

use super::metric::Metrics;

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

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallResult {
    /// It did what was asked.
    Succeeded,
    /// A rule said no.
    Refused,
    /// It may succeed later, or the fault is ours.
    Failed,
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
    pub result: CallResult,
    /// The code it was refused or failed with.
    pub code: Option<&'a str>,
    /// How long it took.
    pub duration: Duration,
    /// Its other metrics.
    pub metrics: &'a Metrics,
}

impl CallRecord<'_> {
    /// The record as one line of EMF; `timestamp` in milliseconds since 1970.
    #[must_use]
    pub fn to_emf(&self, timestamp: i64) -> String {
        let count = |name: &str| json!({"Name": name, "Unit": "Count"});
        let mut metrics = Vec::from(["Succeeded", "Refused", "Failed"].map(count));
        metrics.extend(self.metrics.iter().map(|(metric, value)| json!({"Name": metric.name(), "Unit": value.unit()})));

        let flag = |result| i32::from(self.result == result);
        let mut record = Map::new();
        record.insert(
            "_aws".into(),
            json!({"Timestamp": timestamp, "CloudWatchMetrics": [{
                "Namespace": self.namespace, "Dimensions": [["Function"]], "Metrics": metrics,
            }]}),
        );
        record.insert("Function".into(), self.function.into());
        record.insert("Operation".into(), self.operation.into());
        record.insert("Duration".into(), Value::from(self.duration.as_secs_f64() * 1000.0));
        record.insert("Succeeded".into(), flag(CallResult::Succeeded).into());
        record.insert("Refused".into(), flag(CallResult::Refused).into());
        record.insert("Failed".into(), flag(CallResult::Failed).into());
        record.extend(self.metrics.iter().map(|(metric, value)| (metric.name().into(), value.to_json())));
        record.extend(self.org.map(|org| ("OrgId".into(), org.into())));
        record.extend(self.code.map(|code| ("Code".into(), code.into())));
        Value::Object(record).to_string()
    }
}
