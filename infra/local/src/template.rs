//! What the template declares, as far as it matters on one machine.
//!
//! A property that is neither used here nor listed as the cloud's own business is refused: otherwise the template could
//! say one thing and this stack do another. What is the cloud's business is named in `properties`.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use anyhow::{Context, bail};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{
    properties::{CLOUD_ONLY, Document, EventSource, FunctionProperties, StateMachineProperties, TableProperties},
    resolve::{merge, resolve},
    schedules::{Planned, Schedule},
    specs::{FunctionSpec, TableSpec},
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

impl Template {
    /// Reads a template; `parameters` are those that have no default, or another value here.
    pub fn read(text: &str, parameters: &HashMap<&str, String>) -> anyhow::Result<Self> {
        let document: Document = typed("the template", yaml::to_json(text)?)?;
        let tables = document.resources.iter().filter(|(_, resource)| resource.r#type == "AWS::DynamoDB::Table");
        let tables: Vec<&String> = tables.map(|(name, _)| name).collect();
        let [table_name] = tables.as_slice() else {
            bail!("must have exactly one AWS::DynamoDB::Table");
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
                    let properties = resolve(&Value::Object(resource.properties.clone()), &known);
                    let properties: TableProperties = typed(name, properties)?;
                    table = Some(TableSpec {
                        name: properties.table_name,
                        attributes: properties.attribute_definitions,
                        key: properties.key_schema,
                        indexes: properties.global_secondary_indexes,
                        expiry: properties.time_to_live_specification,
                    });
                }
                FUNCTION | STATE_MACHINE => {}
                other if CLOUD_ONLY.contains(&other) => {}
                // There is no vault here: what is secret comes by the environment of the stack itself.
                "AWS::SecretsManager::Secret" => drop(known.insert(name.clone(), String::new())),
                other => bail!("{name}: the local stack does not know the resource type {other}"),
            }
        }
        let table = table.context("must have a table")?;
        known.insert((*table_name).clone(), table.name.clone());
        let functions = document.functions(&known)?;
        Ok(Self { table, functions })
    }

    /// Gives those functions a secret itself that the template tells by which variable to find it.
    pub fn give(&mut self, found_by: &str, variable: &str, secret: &str) {
        for spec in self.functions.values_mut().filter(|spec| spec.environment.contains_key(found_by)) {
            spec.environment.insert(variable.to_owned(), secret.to_owned());
        }
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

    fn functions(&self, known: &HashMap<String, String>) -> anyhow::Result<BTreeMap<String, FunctionSpec>> {
        let mut functions = BTreeMap::new();
        let mut names = HashMap::new();
        for (resource, properties) in self.of_type(FUNCTION) {
            let (name, spec) = function(resource, &merge(&self.globals.function, properties), known)?;
            names.insert(resource, name.clone());
            functions.insert(name, spec);
        }
        for (resource, properties) in self.of_type(STATE_MACHINE) {
            let properties = resolve(&Value::Object(properties.clone()), known);
            let properties: StateMachineProperties = typed(resource, properties)?;
            let alias = properties.definition_substitutions.function.name;
            let called = alias.strip_suffix(".Alias").unwrap_or(&alias).to_owned();
            let spec = names.get(&called).and_then(|name| functions.get_mut(name));
            let spec = spec.with_context(|| format!("{resource} calls {called}, which is no function"))?;
            let (events, schedules) = sources(resource, properties.events)?;
            if let Some(event) = events.first() {
                bail!("{resource}: the local stack starts no state machine for {event}");
            }
            spec.sweeps.extend(schedules);
        }
        Ok(functions)
    }
}

fn function(name: &str, properties: &Value, known: &HashMap<String, String>) -> anyhow::Result<(String, FunctionSpec)> {
    let properties: FunctionProperties = typed(name, resolve(properties, known))?;
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
fn sources(name: &str, sources: BTreeMap<String, EventSource>) -> anyhow::Result<(Vec<String>, Vec<Schedule>)> {
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

fn typed<T: DeserializeOwned>(what: &str, value: Value) -> anyhow::Result<T> {
    serde_json::from_value(value).with_context(|| what.to_owned())
}
