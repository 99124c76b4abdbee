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

use crate::{
    resolve::{merge, resolve},
    schedules::{Planned, Schedule},
    yaml,
};

/// The local stack's name, where the template says `AWS::StackName`.
const STACK_NAME: &str = "regulars";

const FUNCTION: &str = "AWS::Serverless::Function";
const STATE_MACHINE: &str = "AWS::Serverless::StateMachine";

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
    /// When it is called by the clock, once.
    pub schedules: Vec<Schedule>,
    /// When a state machine is started by the clock that calls it until it is done.
    pub sweeps: Vec<Schedule>,
}

impl FunctionSpec {
    /// Whether the clock calls it, once or until it is done.
    #[must_use]
    pub const fn is_scheduled(&self) -> bool {
        !(self.schedules.is_empty() && self.sweeps.is_empty())
    }
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

/// Of a state machine it matters which function it calls, and when it is started: how it goes about it is the cloud's
/// business, and that of the stack to do alike.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct StateMachineProperties {
    definition_substitutions: Substitutions,
    #[serde(default)]
    events: BTreeMap<String, EventSource>,
    #[serde(rename = "DefinitionUri")]
    _definition_uri: CloudOnly,
    #[serde(rename = "Name")]
    _name: CloudOnly,
    #[serde(rename = "Policies")]
    _policies: CloudOnly,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Substitutions {
    function: Attributed,
}

/// `!GetAtt Resource.Attribute`.
#[derive(Deserialize)]
struct Attributed {
    #[serde(rename = "Fn::GetAtt")]
    parts: (String, String),
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
                // What could not be delivered is kept in the cloud; here it is logged.
                FUNCTION | STATE_MACHINE | "AWS::SQS::Queue" => {}
                other => return Err(format!("{name}: the local stack does not know the resource type {other}")),
            }
        }
        let table = table.ok_or("must have a table")?;
        known.insert((*table_name).clone(), table.name.clone());
        let functions = document.functions(&known)?;
        Ok(Self { table, functions })
    }

    /// Every schedule, with the function that it calls.
    pub fn schedules(&self) -> impl Iterator<Item = Planned> {
        self.functions.iter().flat_map(|(name, spec)| {
            let planned = move |to_the_end: bool| {
                move |schedule: &Schedule| Planned { function: name.clone(), schedule: schedule.clone(), to_the_end }
            };
            spec.schedules.iter().map(planned(false)).chain(spec.sweeps.iter().map(planned(true)))
        })
    }
}

impl Document {
    fn of_type(&self, kind: &str) -> impl Iterator<Item = (&String, &Map<String, Value>)> {
        let of_type = self.resources.iter().filter(move |(_, resource)| resource.r#type == kind);
        of_type.map(|(name, resource)| (name, &resource.properties))
    }

    fn functions(&self, known: &HashMap<String, String>) -> Result<BTreeMap<String, FunctionSpec>, String> {
        let mut functions = BTreeMap::new();
        let mut names = HashMap::new();
        for (resource, properties) in self.of_type(FUNCTION) {
            let (name, spec) = function(resource, &merge(&self.globals.function, properties), known)?;
            names.insert(resource, name.clone());
            functions.insert(name, spec);
        }
        for (resource, properties) in self.of_type(STATE_MACHINE) {
            let properties = resolve(&Value::Object(properties.clone()), known)?;
            let properties: StateMachineProperties = typed(resource, properties)?;
            let Attributed { parts: (called, _) } = properties.definition_substitutions.function;
            let spec = names.get(&called).and_then(|name| functions.get_mut(name));
            let spec = spec.ok_or_else(|| format!("{resource} calls {called}, which is no function"))?;
            let (events, schedules) = sources(resource, properties.events)?;
            if let Some(event) = events.first() {
                return Err(format!("{resource}: the local stack starts no state machine for {event}"));
            }
            spec.sweeps.extend(schedules);
        }
        Ok(functions)
    }
}

fn function(name: &str, properties: &Value, known: &HashMap<String, String>) -> Result<(String, FunctionSpec), String> {
    let properties: FunctionProperties = typed(name, resolve(properties, known)?)?;
    let folder = properties.code_uri.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
    let (events, schedules) = sources(name, properties.events)?;
    let spec = FunctionSpec {
        timeout: Duration::from_secs(properties.timeout),
        environment: properties.environment.variables,
        events,
        schedules,
        sweeps: Vec::new(),
    };
    Ok((folder, spec))
}

/// The `detail-type`s of the events, and the schedules.
fn sources(name: &str, sources: BTreeMap<String, EventSource>) -> Result<(Vec<String>, Vec<Schedule>), String> {
    let (mut events, mut schedules) = (Vec::new(), Vec::new());
    for source in sources.into_values() {
        match source {
            EventSource::EventBridgeRule(rule) => events.extend(rule.pattern.detail_type),
            EventSource::ScheduleV2(schedule) => {
                let zone = schedule.schedule_expression_timezone.as_deref();
                let read = Schedule::read(&schedule.schedule_expression, zone);
                schedules.push(read.map_err(|why| format!("{name}: {why}"))?);
            }
        }
    }
    Ok((events, schedules))
}

fn typed<T: DeserializeOwned>(what: &str, value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| format!("{what}: {error}"))
}
