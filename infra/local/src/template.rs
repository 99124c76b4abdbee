//! What the template declares, as far as it matters on one machine.
//!
//! A property that is neither used here nor listed as the cloud's own business is refused: otherwise the template could
//! say one thing and this stack do another. What is the cloud's business is named in the types below.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{schedules::Schedule, yaml};

/// The local stack's name, where the template says `AWS::StackName`.
const STACK_NAME: &str = "regulars";

/// What the template declares.
#[derive(Debug)]
pub struct Template {
    /// The one table.
    pub table: TableSpec,
    /// The functions, by name: the last part of `CodeUri`.
    pub functions: BTreeMap<String, FunctionSpec>,
}

/// A table, with what its engine needs to know.
#[derive(Debug, Clone)]
pub struct TableSpec {
    /// Its name.
    pub name: String,
    /// Key attributes and their types.
    pub attributes: Vec<Attribute>,
    /// Its primary key.
    pub key: Vec<KeyPart>,
    /// Its indexes.
    pub indexes: Vec<Index>,
}

/// A function, with what its host needs to know.
#[derive(Debug, Clone)]
pub struct FunctionSpec {
    /// How long a call may take.
    pub timeout: Duration,
    /// Its environment.
    pub environment: HashMap<String, String>,
    /// The `detail-type`s of the events it is called with.
    pub events: Vec<String>,
    /// When it is called by the clock.
    pub schedules: Vec<Schedule>,
}

/// An attribute of a key.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Attribute {
    /// Its name.
    pub attribute_name: String,
    /// `S`, `N` or `B`.
    pub attribute_type: String,
}

/// A part of a key.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct KeyPart {
    /// Its attribute.
    pub attribute_name: String,
    /// `HASH` or `RANGE`.
    pub key_type: String,
}

/// An index.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Index {
    /// Its name.
    pub index_name: String,
    /// Its key.
    pub key_schema: Vec<KeyPart>,
    /// What it holds.
    pub projection: Projection,
}

/// What an index holds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Projection {
    /// `ALL` or `KEYS_ONLY`.
    pub projection_type: String,
}

/// The cloud's own business: read, so that it is known, and not used.
type CloudOnly = Option<Value>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(rename = "AWSTemplateFormatVersion")]
    _version: CloudOnly,
    #[serde(rename = "Transform")]
    _transform: CloudOnly,
    #[serde(rename = "Description")]
    _description: CloudOnly,
    #[serde(rename = "Parameters", default)]
    parameters: HashMap<String, Parameter>,
    #[serde(rename = "Globals", default)]
    globals: Globals,
    #[serde(rename = "Resources")]
    resources: BTreeMap<String, Resource>,
    #[serde(rename = "Outputs")]
    _outputs: CloudOnly,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    default: Option<Value>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Globals {
    #[serde(default)]
    function: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Resource {
    r#type: String,
    properties: Map<String, Value>,
    #[serde(rename = "DeletionPolicy")]
    _deletion_policy: CloudOnly,
    #[serde(rename = "UpdateReplacePolicy")]
    _update_replace_policy: CloudOnly,
    #[serde(rename = "Metadata")]
    _metadata: CloudOnly,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct TableProperties {
    table_name: String,
    attribute_definitions: Vec<Attribute>,
    key_schema: Vec<KeyPart>,
    #[serde(default)]
    global_secondary_indexes: Vec<Index>,
    #[serde(rename = "BillingMode")]
    _billing_mode: CloudOnly,
    #[serde(rename = "PointInTimeRecoverySpecification")]
    _point_in_time_recovery: CloudOnly,
    #[serde(rename = "SSESpecification")]
    _encryption: CloudOnly,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct FunctionProperties {
    code_uri: String,
    timeout: u64,
    environment: Environment,
    #[serde(default)]
    events: BTreeMap<String, EventSource>,
    #[serde(rename = "Architectures")]
    _architectures: CloudOnly,
    #[serde(rename = "Description")]
    _description: CloudOnly,
    #[serde(rename = "FunctionName")]
    _function_name: CloudOnly,
    #[serde(rename = "FunctionUrlConfig")]
    _function_url: CloudOnly,
    #[serde(rename = "Handler")]
    _handler: CloudOnly,
    #[serde(rename = "MemorySize")]
    _memory_size: CloudOnly,
    #[serde(rename = "Policies")]
    _policies: CloudOnly,
    #[serde(rename = "Runtime")]
    _runtime: CloudOnly,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Environment {
    variables: HashMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, tag = "Type", content = "Properties")]
enum EventSource {
    EventBridgeRule(RuleProperties),
    ScheduleV2(ScheduleProperties),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct ScheduleProperties {
    schedule_expression: String,
    schedule_expression_timezone: Option<String>,
    #[serde(rename = "Description")]
    _description: CloudOnly,
    #[serde(rename = "Name")]
    _name: CloudOnly,
    #[serde(rename = "RetryPolicy")]
    _retry_policy: CloudOnly,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct RuleProperties {
    pattern: Pattern,
    #[serde(rename = "EventBusName")]
    _event_bus_name: CloudOnly,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Pattern {
    detail_type: Vec<String>,
    #[serde(rename = "source")]
    _source: CloudOnly,
}

impl Template {
    /// Reads a template; `parameters` are those that have no default, or another value here.
    pub fn read(text: &str, parameters: &HashMap<&str, String>) -> Result<Self, String> {
        let document: Document = typed("the template", yaml::to_json(text)?)?;
        let tables = document.resources.iter().filter(|(_, resource)| resource.r#type == "AWS::DynamoDB::Table");
        let tables: Vec<&String> = tables.map(|(name, _)| name).collect();
        let [table_name] = tables.as_slice() else {
            return Err("must have exactly one AWS::DynamoDB::Table".into());
        };

        let mut known = HashMap::from([("AWS::StackName".to_owned(), STACK_NAME.to_owned())]);
        for (name, parameter) in &document.parameters {
            let value = parameters.get(name.as_str()).cloned();
            let default =
                parameter.default.as_ref().map(|default| default.as_str().map_or(default.to_string(), str::to_owned));
            known.extend(value.or(default).map(|value| (name.clone(), value)));
        }

        let mut table = None;
        let mut functions = BTreeMap::new();
        for (name, resource) in &document.resources {
            match resource.r#type.as_str() {
                "AWS::DynamoDB::Table" => {
                    let properties = resolve(&Value::Object(resource.properties.clone()), &known)?;
                    let properties: TableProperties = typed(name, properties)?;
                    table = Some(TableSpec {
                        name: properties.table_name,
                        attributes: properties.attribute_definitions,
                        key: properties.key_schema,
                        indexes: properties.global_secondary_indexes,
                    });
                }
                "AWS::Serverless::Function" => {}
                other => return Err(format!("{name}: the local stack does not know the resource type {other}")),
            }
        }
        let table = table.ok_or("must have a table")?;
        known.insert((*table_name).clone(), table.name.clone());
        for (name, resource) in &document.resources {
            if resource.r#type == "AWS::Serverless::Function" {
                let merged = merge(&document.globals.function, &resource.properties);
                let (name, function) = function(name, &merged, &known)?;
                functions.insert(name, function);
            }
        }
        Ok(Self { table, functions })
    }

    /// Every schedule, with the function that it calls.
    pub fn schedules(&self) -> impl Iterator<Item = (String, Schedule)> {
        let each = |(name, spec): (&String, &FunctionSpec)| {
            let name = name.clone();
            spec.schedules.clone().into_iter().map(move |schedule| (name.clone(), schedule)).collect::<Vec<_>>()
        };
        self.functions.iter().flat_map(each)
    }
}

fn function(name: &str, properties: &Value, known: &HashMap<String, String>) -> Result<(String, FunctionSpec), String> {
    let properties: FunctionProperties = typed(name, resolve(properties, known)?)?;
    let folder = properties.code_uri.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
    let (mut events, mut schedules) = (Vec::new(), Vec::new());
    for source in properties.events.into_values() {
        match source {
            EventSource::EventBridgeRule(rule) => events.extend(rule.pattern.detail_type),
            EventSource::ScheduleV2(schedule) => {
                let zone = schedule.schedule_expression_timezone.as_deref();
                let read = Schedule::read(&schedule.schedule_expression, zone);
                schedules.push(read.map_err(|why| format!("{name}: {why}"))?);
            }
        }
    }
    let spec = FunctionSpec {
        timeout: Duration::from_secs(properties.timeout),
        environment: properties.environment.variables,
        events,
        schedules,
    };
    Ok((folder, spec))
}

fn typed<T: DeserializeOwned>(what: &str, value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| format!("{what}: {error}"))
}

/// A function's properties over the globals', maps merged, as SAM does.
fn merge(globals: &Map<String, Value>, own: &Map<String, Value>) -> Value {
    let mut merged = globals.clone();
    for (name, value) in own {
        let value = match (merged.get(name), value) {
            (Some(Value::Object(global)), Value::Object(own)) => merge(global, own),
            _ => value.clone(),
        };
        merged.insert(name.clone(), value);
    }
    Value::Object(merged)
}

/// Replaces what refers to something known by its value. What refers to something else stays as it is, which only a
/// property of the cloud's own business may.
fn resolve(value: &Value, known: &HashMap<String, String>) -> Result<Value, String> {
    match value {
        Value::Array(items) => items.iter().map(|item| resolve(item, known)).collect(),
        Value::Object(object) => {
            if let (1, Some(Value::String(name))) = (object.len(), object.get("Ref")) {
                return Ok(known.get(name).map_or_else(|| value.clone(), |found| found.as_str().into()));
            }
            if let (1, Some(Value::String(text))) = (object.len(), object.get("Fn::Sub")) {
                return Ok(substitute(text, known).map_or_else(|| value.clone(), Value::String));
            }
            let resolved = object.iter().map(|(name, value)| Ok((name.clone(), resolve(value, known)?)));
            resolved.collect::<Result<Map<_, _>, String>>().map(Value::Object)
        }
        plain => Ok(plain.clone()),
    }
}

/// Fills `${Name}` where every name is known.
fn substitute(text: &str, known: &HashMap<String, String>) -> Option<String> {
    let mut parts = text.split("${");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}')?;
        filled.push_str(known.get(name)?);
        filled.push_str(rest);
    }
    Some(filled)
}
