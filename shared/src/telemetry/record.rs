//! One metrics record for each call, in `CloudWatch`'s embedded metric format (EMF).
//!
//! EMF is a log line from which `CloudWatch` makes metrics. It costs no request and no wait.

use std::{io, sync::Arc, time::Duration};

use serde_json::{Map, Value, json};

use super::metric::Metrics;

/// The destination of metrics records: standard output in a function, a collector in a test.
pub type Sink = Arc<dyn Fn(&str) + Send + Sync>;

/// Writes to standard output, which Lambda and Cloud Run collect.
#[must_use]
pub fn stdout() -> Sink {
    Arc::new(|line| {
        use std::io::Write;
        // A record that cannot be written is lost. The call has succeeded or failed already.
        let _ = writeln!(io::stdout().lock(), "{line}");
    })
}

/// The result of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallResult {
    /// The call succeeded.
    Succeeded,
    /// A rule rejected the call.
    Refused,
    /// The call may succeed later, or the fault is internal.
    Failed,
}

/// The metrics record of one call.
///
/// The function is the only dimension, because each value of a dimension costs money for each metric. Everything else
/// that distinguishes calls is a property. Properties can be searched and cost nothing.
#[derive(Debug)]
pub struct CallRecord<'a> {
    /// The namespace of the metrics. It separates deployments that share an account.
    pub namespace: &'a str,
    /// The function.
    pub function: &'a str,
    /// The operation, or `none`.
    pub operation: &'a str,
    /// The org that the call names, if any.
    pub org: Option<&'a str>,
    /// The result.
    pub result: CallResult,
    /// The code of the rejection or failure.
    pub code: Option<&'a str>,
    /// The duration of the call.
    pub duration: Duration,
    /// The metrics that the operation recorded.
    pub metrics: &'a Metrics,
}

impl CallRecord<'_> {
    /// The record as one line of EMF. `timestamp` is in milliseconds since 1970.
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
