//! A stand-in for CloudWatch: evaluates the template's alarms over data points that a test records.
//!
//! It follows the service's documentation:
//!
//! - The evaluation window slides minute by minute. An alarm goes off when enough of the last periods breach.
//! - A period without data points has no value. The service then looks at earlier periods, and does not document how many.
//!   With enough values, the newest values count. Otherwise a period without a value counts as `TreatMissingData` says.
//! - Data points become visible after two minutes.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use regex_lite::Regex;
use serde_json::{Value, json};

use crate::{expression::Expression, roles};

/// The name of the stack.
const STACK: &str = "regulars";

/// The number of earlier periods that are looked at when values are missing.
const EXTRA_PERIODS: i32 = 3;

/// The time until a data point is visible.
const PUBLISH_DELAY: TimeDelta = TimeDelta::minutes(2);

/// The identity of a metric.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Metric {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its dimensions.
    pub dimensions: BTreeMap<String, String>,
}

impl Metric {
    /// The metrics of an embedded metric format record, with their values.
    pub fn of_record(record: &Value) -> Vec<(Self, Vec<f64>)> {
        let mut found = Vec::new();
        for directive in record["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
            for metric in directive["Metrics"].as_array().unwrap() {
                let name = metric["Name"].as_str().unwrap().to_owned();
                let value = &record[&name];
                let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
                let values: Vec<f64> = values.iter().map(|value| value.as_f64().expect("a number")).collect();
                for set in directive["Dimensions"].as_array().unwrap() {
                    let names = set.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned());
                    let dimensions = names.map(|name| (name.clone(), record[&name].as_str().unwrap().to_owned()));
                    let namespace = directive["Namespace"].as_str().unwrap().to_owned();
                    found.push((
                        Self { namespace, name: name.clone(), dimensions: dimensions.collect() },
                        values.clone(),
                    ));
                }
            }
        }
        found
    }

    fn new(namespace: &str, name: &str, dimensions: &[(&str, String)]) -> Self {
        let dimensions = dimensions.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Self { namespace: namespace.into(), name: name.into(), dimensions }
    }
}

/// An alarm of the template.
#[derive(Debug)]
pub struct Alarm {
    /// The name, without the name of the stack.
    pub name: String,
    /// The description.
    pub description: String,
    /// The metrics it reads, each with its statistic, by the id in expressions.
    pub metrics: BTreeMap<String, (Metric, String)>,
    expressions: BTreeMap<String, Expression>,
    returned_id: String,
    period: TimeDelta,
    periods: i32,
    breaching_min: usize,
    comparison: String,
    threshold: f64,
    missing_data: MissingData,
}

/// `TreatMissingData`: how a period without a value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MissingData {
    NotBreaching,
    Breaching,
    /// The period does not count. Without any value the alarm has insufficient data.
    Ignored,
}

/// The state of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The threshold is not breached.
    Ok,
    /// The threshold is breached.
    Alarm,
    /// There are no values.
    InsufficientData,
}

/// The stand-in.
pub struct CloudWatch {
    alarms: BTreeMap<String, Alarm>,
    points: Vec<(DateTime<Utc>, Metric, f64)>,
}

/// A metric filter of the template, which turns log lines into a metric.
struct MetricFilter {
    log_group: String,
    pattern: Regex,
    metric: Metric,
    value: f64,
    default_value: f64,
}

/// Every metric filter of the template.
fn metric_filters() -> Vec<MetricFilter> {
    let template = roles::template();
    let resources = template["Resources"].as_object().unwrap();
    let filters = resources.values().filter(|resource| resource["Type"] == "AWS::Logs::MetricFilter");
    filters.map(|filter| MetricFilter::parse(&resolved(&template, &filter["Properties"]))).collect()
}

/// The metrics that metric filters make.
pub fn metric_filter_metrics() -> BTreeSet<Metric> {
    metric_filters().into_iter().map(|filter| filter.metric).collect()
}

impl MetricFilter {
    fn parse(properties: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let pattern = text(&properties["FilterPattern"]);
        let pattern = pattern.strip_prefix('%').and_then(|pattern| pattern.strip_suffix('%')).expect("a regex");
        // The service's regular expressions have no groups and few special characters.
        let is_allowed = |char: char| char.is_ascii_alphanumeric() || ":_#=@/;,-^$?[]{}|\\*+.".contains(char);
        assert!(pattern.chars().all(is_allowed), "{pattern}");
        let [transformation] = properties["MetricTransformations"].as_array().unwrap().as_slice() else {
            panic!("{properties}")
        };
        Self {
            log_group: text(&properties["LogGroupName"]),
            pattern: Regex::new(pattern).unwrap(),
            metric: Metric::new(&text(&transformation["MetricNamespace"]), &text(&transformation["MetricName"]), &[]),
            value: text(&transformation["MetricValue"]).parse().unwrap(),
            default_value: transformation["DefaultValue"].as_f64().unwrap(),
        }
    }
}

/// Every alarm of the template.
pub fn alarms() -> Vec<Alarm> {
    let template = roles::template();
    let resources = template["Resources"].as_object().unwrap();
    let alarms = resources.values().filter(|resource| resource["Type"] == "AWS::CloudWatch::Alarm");
    alarms.map(|alarm| Alarm::parse(&resolved(&template, &alarm["Properties"]))).collect()
}

/// Resolves `Ref`, `Fn::GetAtt` and `Fn::Sub` in a value of the template to the names of functions, log groups and queues.
pub fn resolved(template: &Value, value: &Value) -> Value {
    let name = |resource: &str| -> String {
        let properties = &template["Resources"][resource]["Properties"];
        let named = ["FunctionName", "LogGroupName", "QueueName"].into_iter().find_map(|name| properties.get(name));
        named.map_or_else(|| resource.to_owned(), |named| resolved(template, named).as_str().unwrap().to_owned())
    };
    match value {
        Value::Array(items) => items.iter().map(|item| resolved(template, item)).collect(),
        Value::Object(fields) => match fields.iter().next().map(|(name, value)| (name.as_str(), value)) {
            Some(("Ref", resource)) => name(resource.as_str().unwrap()).into(),
            Some(("Fn::GetAtt", path)) => name(path[0].as_str().unwrap()).into(),
            Some(("Fn::Sub", text)) => {
                let mut parts = text.as_str().unwrap().split("${");
                let mut filled = parts.next().unwrap().to_owned();
                for part in parts {
                    let (variable, rest) = part.split_once('}').unwrap();
                    filled += &if variable == "AWS::StackName" { STACK.to_owned() } else { name(variable) };
                    filled += rest;
                }
                filled.into()
            }
            _ => fields.iter().map(|(name, value)| (name.clone(), resolved(template, value))).collect(),
        },
        plain => plain.clone(),
    }
}

impl Alarm {
    fn parse(properties: &Value) -> Self {
        let text = |name: &str| properties[name].as_str().unwrap_or_else(|| panic!("{name}: {properties}")).to_owned();
        let name = text("AlarmName").strip_prefix("regulars-").unwrap().to_owned();
        let (mut metrics, mut expressions, mut returned_ids, mut periods) =
            (BTreeMap::new(), BTreeMap::new(), vec![], vec![]);
        for query in properties["Metrics"].as_array().unwrap() {
            let id = query["Id"].as_str().unwrap().to_owned();
            if query.get("ReturnData") != Some(&json!(false)) {
                returned_ids.push(id.clone());
            }
            if let Some(expression) = query["Expression"].as_str() {
                expressions.insert(id, Expression::parse(expression));
                continue;
            }
            let (stat, metric) = (&query["MetricStat"], &query["MetricStat"]["Metric"]);
            let dimensions = metric["Dimensions"].as_array().into_iter().flatten();
            let dimensions: Vec<(&str, String)> = dimensions
                .map(|one| (one["Name"].as_str().unwrap(), one["Value"].as_str().unwrap().to_owned()))
                .collect();
            let of = |name: &str| metric[name].as_str().unwrap().to_owned();
            let metric = Metric::new(&of("Namespace"), &of("MetricName"), &dimensions);
            metrics.insert(id, (metric, stat["Stat"].as_str().unwrap().to_owned()));
            periods.push(stat["Period"].as_i64().unwrap());
        }
        periods.dedup();
        let number = |name: &str| properties[name].as_i64().unwrap();
        let missing_data = match text("TreatMissingData").as_str() {
            "breaching" => MissingData::Breaching,
            "notBreaching" => MissingData::NotBreaching,
            "missing" => MissingData::Ignored,
            other => panic!("{name}: {other} is not implemented here"),
        };
        let alarm = Self {
            description: text("AlarmDescription"),
            metrics,
            expressions,
            returned_id: returned_ids.pop().unwrap(),
            period: TimeDelta::seconds(periods[0]),
            periods: i32::try_from(number("EvaluationPeriods")).unwrap(),
            breaching_min: usize::try_from(number("DatapointsToAlarm")).unwrap(),
            comparison: text("ComparisonOperator"),
            threshold: properties["Threshold"].as_f64().unwrap(),
            missing_data,
            name,
        };
        assert!(returned_ids.is_empty() && periods.len() == 1, "{}: one id is returned, in one period", alarm.name);
        alarm.check_service_limits();
        alarm
    }

    /// Checks the limits that `CloudWatch` documents.
    fn check_service_limits(&self) {
        let window_max = if self.period < TimeDelta::hours(1) { TimeDelta::days(1) } else { TimeDelta::days(7) };
        assert!(self.period * self.periods <= window_max, "{}: the window is too long", self.name);
        assert!(self.metrics.len() <= 10, "{}: too many metrics", self.name);
        assert!(self.breaching_min <= usize::try_from(self.periods).unwrap(), "{}", self.name);
        assert!(self.description.len() <= 1024, "{}: the description is too long", self.name);
    }

    fn breaches(&self, value: Option<f64>) -> bool {
        let Some(value) = value else { return self.missing_data == MissingData::Breaching };
        match self.comparison.as_str() {
            "GreaterThanThreshold" => value > self.threshold,
            "GreaterThanOrEqualToThreshold" => value >= self.threshold,
            "LessThanThreshold" => value < self.threshold,
            other => panic!("{}: {other} is not implemented here", self.name),
        }
    }
}

impl Default for CloudWatch {
    fn default() -> Self {
        let alarms = alarms().into_iter().map(|alarm| (alarm.name.clone(), alarm)).collect();
        Self { alarms, points: Vec::new() }
    }
}

impl CloudWatch {
    /// The names of the alarms.
    pub fn alarm_names(&self) -> impl Iterator<Item = &str> {
        self.alarms.keys().map(String::as_str)
    }

    /// Records the metrics of embedded metric format records.
    pub fn record_metrics(&mut self, at: DateTime<Utc>, records: &[Value]) {
        for (metric, values) in records.iter().flat_map(Metric::of_record) {
            self.points.extend(values.into_iter().map(|value| (at, metric.clone(), value)));
        }
    }

    /// Records a failed invocation in Lambda's metric `Errors`.
    pub fn record_error(&mut self, at: DateTime<Utc>, function: &str) {
        self.record_lambda(at, "Errors", function);
    }

    /// Records a throttled invocation in Lambda's metric `Throttles`.
    pub fn record_throttle(&mut self, at: DateTime<Utc>, function: &str) {
        self.record_lambda(at, "Throttles", function);
    }

    fn record_lambda(&mut self, at: DateTime<Utc>, metric: &str, function: &str) {
        let name = format!("{STACK}-{function}");
        let live = format!("{name}:live");
        let metric = Metric::new("AWS/Lambda", metric, &[("FunctionName", name), ("Resource", live)]);
        self.points.push((at, metric, 1.0));
    }

    /// Records a line in a function's log, through the metric filters of that log.
    pub fn record_log_line(&mut self, at: DateTime<Utc>, function: &str, line: &str) {
        let of_log =
            metric_filters().into_iter().filter(|filter| filter.log_group == format!("/aws/lambda/{STACK}-{function}"));
        self.points.extend(of_log.map(|filter| {
            let value = if filter.pattern.is_match(line) { filter.value } else { filter.default_value };
            (at, filter.metric, value)
        }));
    }

    /// Records the number of visible messages of a queue in SQS's metric.
    pub fn record_queue_depth(&mut self, at: DateTime<Utc>, queue: &str, messages: u32) {
        let dimensions = [("QueueName", format!("{STACK}-{queue}-failures"))];
        let metric = Metric::new("AWS/SQS", "ApproximateNumberOfMessagesVisible", &dimensions);
        self.points.push((at, metric, messages.into()));
    }

    /// The state of an alarm at `now`.
    pub fn state(&self, alarm: &str, now: DateTime<Utc>) -> State {
        let alarm = self.alarms.get(alarm).unwrap_or_else(|| panic!("there is no alarm {alarm}"));
        let visible: Vec<_> = self.points.iter().filter(|(at, ..)| *at <= now - PUBLISH_DELAY).collect();
        let values = (0..alarm.periods + EXTRA_PERIODS).map(|back| {
            let until = now - alarm.period * back;
            let of = |metric: &Metric, stat: &str| {
                let within =
                    visible.iter().filter(|(at, of, _)| of == metric && (until - alarm.period..until).contains(at));
                statistic(stat, &within.map(|(.., value)| *value).collect::<Vec<_>>())
            };
            value(alarm, &alarm.returned_id, &of)
        });
        let values: Vec<Option<f64>> = values.collect();
        if alarm.missing_data == MissingData::Ignored && values.iter().all(Option::is_none) {
            return State::InsufficientData;
        }
        let periods = usize::try_from(alarm.periods).unwrap();
        let present: Vec<Option<f64>> = values.iter().flatten().map(|value| Some(*value)).collect();
        let evaluated = if present.len() >= periods { present } else { values };
        let breaching = evaluated.into_iter().take(periods).filter(|value| alarm.breaches(*value)).count();
        if breaching >= alarm.breaching_min { State::Alarm } else { State::Ok }
    }
}

/// The value of an alarm's id in one period.
fn value(alarm: &Alarm, id: &str, of: &dyn Fn(&Metric, &str) -> Option<f64>) -> Option<f64> {
    if let Some((metric, stat)) = alarm.metrics.get(id) {
        return of(metric, stat);
    }
    let expression = alarm.expressions.get(id).unwrap_or_else(|| panic!("{}: there is no {id}", alarm.name));
    expression.evaluate(&|id| value(alarm, id, of))
}

fn statistic(stat: &str, values: &[f64]) -> Option<f64> {
    match stat {
        _ if values.is_empty() => None,
        "Sum" => Some(values.iter().sum()),
        "Maximum" => values.iter().copied().reduce(f64::max),
        other => panic!("the statistic {other} is not implemented here"),
    }
}
