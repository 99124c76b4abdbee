//! A stand-in for CloudWatch: the template's alarms, as they are written, over data points that a test hands in.
//!
//! Of an alarm it does what the service documents: the window slides with each minute; it goes off where so many of the last
//! periods breach. A period without data points has no value. For those the service looks further back, how far it does not
//! say: where there are values enough, the newest of them count, else a period without one counts as `TreatMissingData`
//! says. What is newer than two minutes has not come yet.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use regex_lite::Regex;
use serde_json::{Value, json};

use crate::{expression::Expression, roles};

/// The stack's name.
const STACK: &str = "regulars";

/// So many periods more than an alarm is about are looked at.
const FURTHER_BACK: i32 = 3;

/// For how long what is recorded does not show.
const LATE: TimeDelta = TimeDelta::minutes(2);

/// A metric, by all that tells it from others.
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
    /// The metrics of a record, with their values.
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

    fn of_aws(namespace: &str, name: &str, dimensions: &[(&str, String)]) -> Self {
        let dimensions = dimensions.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Self { namespace: namespace.into(), name: name.into(), dimensions }
    }
}

/// An alarm of the template.
#[derive(Debug)]
pub struct Alarm {
    /// Its name, without the stack's.
    pub name: String,
    /// What it says it means.
    pub description: String,
    /// What it watches, by the ids of its expressions.
    pub metrics: BTreeMap<String, (Metric, String)>,
    expressions: BTreeMap<String, Expression>,
    watched: String,
    period: TimeDelta,
    periods: i32,
    breaching: usize,
    comparison: String,
    threshold: f64,
    missing: Missing,
}

/// What a period without a value counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    Good,
    Bad,
    /// Nothing: where there are only such, nobody knows.
    Nothing,
}

/// What an alarm says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// All is well.
    Ok,
    /// It is not.
    Alarm,
    /// Nobody knows.
    InsufficientData,
}

/// The stand-in.
pub struct CloudWatch {
    alarms: BTreeMap<String, Alarm>,
    points: Vec<(DateTime<Utc>, Metric, f64)>,
}

/// A filter of the template that makes a metric of a log's lines.
struct Filter {
    log: String,
    pattern: Regex,
    metric: Metric,
    value: f64,
    otherwise: f64,
}

/// Every filter of the template.
fn filters() -> Vec<Filter> {
    let template = roles::template();
    let resources = template["Resources"].as_object().unwrap();
    let filters = resources.values().filter(|resource| resource["Type"] == "AWS::Logs::MetricFilter");
    filters.map(|filter| Filter::read(&resolved(&template, &filter["Properties"]))).collect()
}

/// The metrics that filters make of the lines of logs.
pub fn filtered() -> BTreeSet<Metric> {
    filters().into_iter().map(|filter| filter.metric).collect()
}

impl Filter {
    fn read(properties: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let pattern = text(&properties["FilterPattern"]);
        let pattern = pattern.strip_prefix('%').and_then(|pattern| pattern.strip_suffix('%')).expect("a regex");
        // What the service takes in one: no groups, and of the signs just some.
        let is_taken = |char: char| char.is_ascii_alphanumeric() || ":_#=@/;,-^$?[]{}|\\*+.".contains(char);
        assert!(pattern.chars().all(is_taken), "{pattern}");
        let [made] = properties["MetricTransformations"].as_array().unwrap().as_slice() else { panic!("{properties}") };
        Self {
            log: text(&properties["LogGroupName"]),
            pattern: Regex::new(pattern).unwrap(),
            metric: Metric::of_aws(&text(&made["MetricNamespace"]), &text(&made["MetricName"]), &[]),
            value: text(&made["MetricValue"]).parse().unwrap(),
            otherwise: made["DefaultValue"].as_f64().unwrap(),
        }
    }
}

/// Every alarm of the template.
pub fn alarms() -> Vec<Alarm> {
    let template = roles::template();
    let resources = template["Resources"].as_object().unwrap();
    let alarms = resources.values().filter(|resource| resource["Type"] == "AWS::CloudWatch::Alarm");
    alarms.map(|alarm| Alarm::read(&resolved(&template, &alarm["Properties"]))).collect()
}

/// What a value of the template is in a stack: names of functions, logs and queues, and texts that have them in them.
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
    fn read(properties: &Value) -> Self {
        let text = |name: &str| properties[name].as_str().unwrap_or_else(|| panic!("{name}: {properties}")).to_owned();
        let name = text("AlarmName").strip_prefix("regulars-").unwrap().to_owned();
        let (mut metrics, mut expressions, mut watched, mut periods) =
            (BTreeMap::new(), BTreeMap::new(), vec![], vec![]);
        for query in properties["Metrics"].as_array().unwrap() {
            let id = query["Id"].as_str().unwrap().to_owned();
            if query.get("ReturnData") != Some(&json!(false)) {
                watched.push(id.clone());
            }
            if let Some(expression) = query["Expression"].as_str() {
                expressions.insert(id, Expression::read(expression));
                continue;
            }
            let (stat, metric) = (&query["MetricStat"], &query["MetricStat"]["Metric"]);
            let dimensions = metric["Dimensions"].as_array().into_iter().flatten();
            let dimensions: Vec<(&str, String)> = dimensions
                .map(|one| (one["Name"].as_str().unwrap(), one["Value"].as_str().unwrap().to_owned()))
                .collect();
            let of = |name: &str| metric[name].as_str().unwrap().to_owned();
            let metric = Metric::of_aws(&of("Namespace"), &of("MetricName"), &dimensions);
            metrics.insert(id, (metric, stat["Stat"].as_str().unwrap().to_owned()));
            periods.push(stat["Period"].as_i64().unwrap());
        }
        periods.dedup();
        let number = |name: &str| properties[name].as_i64().unwrap();
        let missing = match text("TreatMissingData").as_str() {
            "breaching" => Missing::Bad,
            "notBreaching" => Missing::Good,
            "missing" => Missing::Nothing,
            other => panic!("{name}: {other} is not known here"),
        };
        let alarm = Self {
            description: text("AlarmDescription"),
            metrics,
            expressions,
            watched: watched.pop().unwrap(),
            period: TimeDelta::seconds(periods[0]),
            periods: i32::try_from(number("EvaluationPeriods")).unwrap(),
            breaching: usize::try_from(number("DatapointsToAlarm")).unwrap(),
            comparison: text("ComparisonOperator"),
            threshold: properties["Threshold"].as_f64().unwrap(),
            missing,
            name,
        };
        assert!(watched.is_empty() && periods.len() == 1, "{}: one thing is watched, in one period", alarm.name);
        alarm.is_within_the_limits();
        alarm
    }

    /// Those of the service.
    fn is_within_the_limits(&self) {
        let longest = if self.period < TimeDelta::hours(1) { TimeDelta::days(1) } else { TimeDelta::days(7) };
        assert!(self.period * self.periods <= longest, "{}: looks too far back", self.name);
        assert!(self.metrics.len() <= 10, "{}: watches too many metrics", self.name);
        assert!(self.breaching <= usize::try_from(self.periods).unwrap(), "{}", self.name);
        assert!(self.description.len() <= 1024, "{}: says too much", self.name);
    }

    fn breaches(&self, value: Option<f64>) -> bool {
        let Some(value) = value else { return self.missing == Missing::Bad };
        match self.comparison.as_str() {
            "GreaterThanThreshold" => value > self.threshold,
            "GreaterThanOrEqualToThreshold" => value >= self.threshold,
            "LessThanThreshold" => value < self.threshold,
            other => panic!("{}: {other} is not known here", self.name),
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
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.alarms.keys().map(String::as_str)
    }

    /// Functions wrote these records then.
    pub fn record(&mut self, at: DateTime<Utc>, records: &[Value]) {
        for (metric, values) in records.iter().flat_map(Metric::of_record) {
            self.points.extend(values.into_iter().map(|value| (at, metric.clone(), value)));
        }
    }

    /// An invocation of a function failed then, or came to no end: Lambda's own metric.
    pub fn error(&mut self, at: DateTime<Utc>, function: &str) {
        self.lambda(at, "Errors", function);
    }

    /// A call of a function was turned away then, for too many were running: Lambda's own metric.
    pub fn throttle(&mut self, at: DateTime<Utc>, function: &str) {
        self.lambda(at, "Throttles", function);
    }

    fn lambda(&mut self, at: DateTime<Utc>, metric: &str, function: &str) {
        let name = format!("{STACK}-{function}");
        let live = format!("{name}:live");
        let metric = Metric::of_aws("AWS/Lambda", metric, &[("FunctionName", name), ("Resource", live)]);
        self.points.push((at, metric, 1.0));
    }

    /// Lambda wrote a line to a function's log then, of which the filters of that log make metrics.
    pub fn line(&mut self, at: DateTime<Utc>, function: &str, line: &str) {
        let of_log = filters().into_iter().filter(|filter| filter.log == format!("/aws/lambda/{STACK}-{function}"));
        self.points.extend(of_log.map(|filter| {
            let value = if filter.pattern.is_match(line) { filter.value } else { filter.otherwise };
            (at, filter.metric, value)
        }));
    }

    /// So many messages were in a queue then: SQS's own metric.
    pub fn queue(&mut self, at: DateTime<Utc>, queue: &str, messages: u32) {
        let dimensions = [("QueueName", format!("{STACK}-{queue}-failures"))];
        let metric = Metric::of_aws("AWS/SQS", "ApproximateNumberOfMessagesVisible", &dimensions);
        self.points.push((at, metric, messages.into()));
    }

    /// What an alarm says at a minute.
    pub fn state(&self, alarm: &str, now: DateTime<Utc>) -> State {
        let alarm = self.alarms.get(alarm).unwrap_or_else(|| panic!("there is no alarm {alarm}"));
        let come: Vec<_> = self.points.iter().filter(|(at, ..)| *at <= now - LATE).collect();
        let values = (0..alarm.periods + FURTHER_BACK).map(|back| {
            let until = now - alarm.period * back;
            let of = |metric: &Metric, stat: &str| {
                let within =
                    come.iter().filter(|(at, of, _)| of == metric && (until - alarm.period..until).contains(at));
                statistic(stat, &within.map(|(.., value)| *value).collect::<Vec<_>>())
            };
            value(alarm, &alarm.watched, &of)
        });
        let values: Vec<Option<f64>> = values.collect();
        if alarm.missing == Missing::Nothing && values.iter().all(Option::is_none) {
            return State::InsufficientData;
        }
        let periods = usize::try_from(alarm.periods).unwrap();
        let there: Vec<Option<f64>> = values.iter().flatten().map(|value| Some(*value)).collect();
        let judged = if there.len() >= periods { there } else { values };
        let breaching = judged.into_iter().take(periods).filter(|value| alarm.breaches(*value)).count();
        if breaching >= alarm.breaching { State::Alarm } else { State::Ok }
    }
}

/// What an id of an alarm comes to in a period.
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
        other => panic!("the statistic {other} is not known here"),
    }
}
