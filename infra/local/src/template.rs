//! Reads the parts of the template that matter on one machine.
//!
//! A property that is neither used nor listed as cloud-only is rejected, so that the local stack never silently differs
//! from the template. `properties` lists the cloud-only properties.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use anyhow::{Context, bail};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use shared::host::Cors;

use crate::{
    properties::{
        CLOUD_ONLY_TYPES, CorsProperties, EventSource, FunctionProperties, StateMachineProperties, TableProperties,
        TemplateDocument,
    },
    resolve::{merge, resolve},
    schedules::{Schedule, ScheduledCall},
    specs::{FunctionSpec, TableSpec},
    yaml,
};

/// The local stack's value of `AWS::StackName`.
const STACK_NAME: &str = "regulars";

const FUNCTION_TYPE: &str = "AWS::Serverless::Function";
const STATE_MACHINE_TYPE: &str = "AWS::Serverless::StateMachine";

/// The declared table and functions.
#[derive(Debug)]
pub struct Template {
    /// The table; a template has exactly one.
    pub table: TableSpec,
    /// The functions by name. The name is the last part of `CodeUri`.
    pub functions: BTreeMap<String, FunctionSpec>,
}

impl Template {
    /// Reads a template. `parameters` are values for parameters that have no default, or need another value here.
    ///
    /// Fails for a template that is not valid, or that has a resource or a property that the local stack does not know.
    pub fn read(text: &str, parameters: &HashMap<&str, String>) -> anyhow::Result<Self> {
        let document: TemplateDocument = deserialize("the template", yaml::to_json(text)?)?;
        let tables = document.resources.iter().filter(|(_, resource)| resource.r#type == "AWS::DynamoDB::Table");
        let tables: Vec<&String> = tables.map(|(name, _)| name).collect();
        let [table_name] = tables.as_slice() else {
            bail!("must have exactly one AWS::DynamoDB::Table");
        };

        let mut values = HashMap::from([("AWS::StackName".to_owned(), STACK_NAME.to_owned())]);
        for (name, parameter) in &document.parameters {
            let value = parameters.get(name.as_str()).cloned();
            let default =
                parameter.default.as_ref().map(|default| default.as_str().map_or(default.to_string(), str::to_owned));
            values.extend(value.or(default).map(|value| (name.clone(), value)));
        }

        let mut table = None;
        for (name, resource) in &document.resources {
            match resource.r#type.as_str() {
                "AWS::DynamoDB::Table" => {
                    let properties = resolve(&Value::Object(resource.properties.clone()), &values);
                    let properties: TableProperties = deserialize(name, properties)?;
                    table = Some(TableSpec {
                        name: properties.table_name,
                        attributes: properties.attribute_definitions,
                        key: properties.key_schema,
                        indexes: properties.global_secondary_indexes,
                        expiry: properties.time_to_live_specification,
                    });
                }
                FUNCTION_TYPE | STATE_MACHINE_TYPE => {}
                other if CLOUD_ONLY_TYPES.contains(&other) => {}
                // There is no Secrets Manager here. Secrets come from the environment of the stack itself.
                "AWS::SecretsManager::Secret" => drop(values.insert(name.clone(), String::new())),
                other => bail!("{name}: the local stack does not know the resource type {other}"),
            }
        }
        let table = table.context("must have exactly one AWS::DynamoDB::Table")?;
        values.insert((*table_name).clone(), table.name.clone());
        let functions = document.function_specs(&values)?;
        Ok(Self { table, functions })
    }

    /// Sets an environment variable in each function whose environment has the variable `selector`.
    pub fn set_variable(&mut self, selector: &str, variable: &str, value: &str) {
        for spec in self.functions.values_mut().filter(|spec| spec.environment.contains_key(selector)) {
            spec.environment.insert(variable.to_owned(), value.to_owned());
        }
    }

    /// Every schedule with the function that it calls.
    pub fn schedules(&self) -> impl Iterator<Item = ScheduledCall> {
        self.functions.iter().flat_map(|(name, spec)| {
            let scheduled = move |until_done: bool| {
                move |schedule: &Schedule| ScheduledCall {
                    function: name.clone(),
                    schedule: schedule.clone(),
                    until_done,
                }
            };
            spec.schedules.iter().map(scheduled(false)).chain(spec.sweeps.iter().map(scheduled(true)))
        })
    }
}

impl TemplateDocument {
    fn resources_of_type(&self, kind: &str) -> impl Iterator<Item = (&String, &Map<String, Value>)> {
        let resources_of_type = self.resources.iter().filter(move |(_, resource)| resource.r#type == kind);
        resources_of_type.map(|(name, resource)| (name, &resource.properties))
    }

    fn function_specs(&self, values: &HashMap<String, String>) -> anyhow::Result<BTreeMap<String, FunctionSpec>> {
        let mut functions = BTreeMap::new();
        let mut names = HashMap::new();
        for (resource, properties) in self.resources_of_type(FUNCTION_TYPE) {
            let (name, spec) = function_spec(resource, &merge(&self.globals.function, properties), values)?;
            names.insert(resource, name.clone());
            functions.insert(name, spec);
        }
        for (resource, properties) in self.resources_of_type(STATE_MACHINE_TYPE) {
            let properties = resolve(&Value::Object(properties.clone()), values);
            let properties: StateMachineProperties = deserialize(resource, properties)?;
            let alias = properties.definition_substitutions.function.name;
            let function = alias.strip_suffix(".Alias").unwrap_or(&alias).to_owned();
            let spec = names.get(&function).and_then(|name| functions.get_mut(name));
            let spec = spec.with_context(|| format!("{resource} calls {function}, which is no function"))?;
            let (events, schedules) = event_sources(resource, properties.events)?;
            if let Some(event) = events.first() {
                bail!("{resource}: the local stack starts no state machine for {event}");
            }
            spec.sweeps.extend(schedules);
        }
        Ok(functions)
    }
}

fn function_spec(
    name: &str,
    properties: &Value,
    values: &HashMap<String, String>,
) -> anyhow::Result<(String, FunctionSpec)> {
    let properties: FunctionProperties = deserialize(name, resolve(properties, values))?;
    let folder = properties.code_uri.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
    let (events, schedules) = event_sources(name, properties.events)?;
    let spec = FunctionSpec {
        timeout: Duration::from_secs(properties.timeout),
        environment: properties.environment.variables,
        events,
        cors: properties.function_url_config.cors.and_then(|cors| cors_of(cors.options.1)),
        schedules,
        sweeps: Vec::new(),
    };
    Ok((folder, spec))
}

/// The web pages that may call. `None` without origins.
fn cors_of(properties: CorsProperties) -> Option<Cors> {
    let CorsProperties { allow_origins, allow_methods, allow_headers, expose_headers, max_age } = properties;
    let cors = Cors::of_origins(&allow_origins)?;
    Some(Cors { methods: allow_methods, headers: allow_headers, exposed: expose_headers, max_age, ..cors })
}

/// Splits the event sources of a resource into the `detail-type`s of its events and its schedules.
fn event_sources(name: &str, sources: BTreeMap<String, EventSource>) -> anyhow::Result<(Vec<String>, Vec<Schedule>)> {
    let (mut events, mut schedules) = (Vec::new(), Vec::new());
    for source in sources.into_values() {
        match source {
            EventSource::EventBridgeRule(rule) => events.extend(rule.pattern.detail_type),
            EventSource::ScheduleV2(schedule) => {
                let zone = schedule.schedule_expression_timezone.as_deref();
                let read = Schedule::read(&schedule.schedule_expression, zone);
                schedules.push(read.with_context(|| name.to_owned())?);
            }
        }
    }
    Ok((events, schedules))
}

fn deserialize<T: DeserializeOwned>(name: &str, value: Value) -> anyhow::Result<T> {
    serde_json::from_value(value).with_context(|| name.to_owned())
}
