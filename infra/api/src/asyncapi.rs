//! The `AsyncAPI` document of the events that Regulars receives and emits.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use shared::{
    domain::{
        bundle::{status::BundleStatus, transition::TransitionReason},
        churn::{risk::RiskLevel, score::ChurnSource},
        lots::notice::NoticeLead,
        tier::TierCause,
    },
    outbound::{ChangeEventName, EventDetail},
    schema::schemars::{JsonSchema, generate::SchemaSettings},
};
use strum::{EnumMessage, VariantArray};

use crate::contract::{Contract, OperationContract, VERSION};

/// The document.
#[must_use]
pub fn document(contract: &Contract) -> Value {
    let incoming = incoming_events(contract);
    let outgoing = ChangeEventName::VARIANTS;
    let reference = |kind: &str, name: &str| json!({"$ref": format!("#/{kind}/{name}")});
    let of_channel = |channel: &str, names: &[&str]| -> Vec<Value> {
        names.iter().map(|name| reference(&format!("channels/{channel}/messages"), name)).collect()
    };
    let messages_of = |names: &[&str]| -> Map<String, Value> {
        names.iter().map(|name| ((*name).to_owned(), reference("components/messages", name))).collect()
    };
    let names_in: Vec<&str> = incoming.keys().copied().collect();
    let names_out: Vec<&str> = outgoing.iter().map(|event| event.name()).collect();
    let mut messages: Map<String, Value> = incoming
        .iter()
        .map(|(name, event)| ((*name).to_owned(), message(name, &event.summary(), &event.schema)))
        .collect();
    messages.extend(outgoing.iter().map(|event| {
        let summary = event.get_documentation().unwrap_or_default();
        (event.name().to_owned(), message(event.name(), summary, &emitted_detail(*event)))
    }));
    let schemas: BTreeMap<&String, &Value> = contract
        .functions
        .iter()
        .flat_map(|function| &function.schemas)
        .filter(|(name, _)| used_by_events(name, &incoming))
        .collect();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Regulars: events",
            "version": VERSION,
            "description": "Events on an Amazon EventBridge bus. The name of a message is its `detail-type`, and its \
                payload is its `detail`. Bus and sources are parameters of the template.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {
            "orders": {
                "address": "orders", "title": "Orders of the shop platform",
                "description": "The shop platform puts these events on the bus. Unknown fields are ignored.",
                "messages": messages_of(&names_in),
            },
            "changes": {
                "address": "changes", "title": "Changes",
                "description": "Regulars puts these events on the bus when something changes.",
                "messages": messages_of(&names_out),
            },
        },
        "operations": {
            "receiveOrders": {
                "action": "receive", "channel": {"$ref": "#/channels/orders"},
                "summary": "Regulars receives the orders of the shop platform.", "messages": of_channel("orders", &names_in),
            },
            "sendChanges": {
                "action": "send", "channel": {"$ref": "#/channels/changes"},
                "summary": "Regulars emits an event for each change.", "messages": of_channel("changes", &names_out),
            },
        },
        "components": {"messages": messages, "schemas": schemas},
    })
}

fn message(name: &str, summary: &str, payload: &Value) -> Value {
    json!({"name": name, "title": name, "summary": summary, "payload": payload})
}

/// An event of the shop platform: the union of what its consumers decode.
struct IncomingEvent<'a> {
    consumers: Vec<&'a OperationContract>,
    schema: Value,
}

impl IncomingEvent<'_> {
    fn summary(&self) -> String {
        let consumers: Vec<String> =
            self.consumers.iter().map(|consumer| format!("`{}`: {}", consumer.function, consumer.summary)).collect();
        format!("Received by {}.", consumers.join("; "))
    }
}

fn incoming_events(contract: &Contract) -> BTreeMap<&'static str, IncomingEvent<'_>> {
    let mut consumers: BTreeMap<&str, Vec<&OperationContract>> = BTreeMap::new();
    for operation in contract.operations() {
        if let Some(event) = operation.operation.event {
            consumers.entry(event).or_default().push(operation);
        }
    }
    let event =
        |(name, consumers): (&'static str, Vec<_>)| (name, IncomingEvent { schema: union(&consumers), consumers });
    consumers.into_iter().map(event).collect()
}

/// The schema of an event that several operations decode. Each ignores the fields that it does not know.
fn union(consumers: &[&OperationContract]) -> Value {
    let mut properties: Map<String, Value> = Map::new();
    let mut required: Vec<&str> = Vec::new();
    for consumer in consumers {
        for (field, schema) in consumer.fields() {
            match properties.get_mut(field) {
                Some(known) => add_description(known, schema, consumer.function),
                None => drop(properties.insert(field.to_owned(), schema.clone())),
            }
            if consumer.requires(field) && !required.contains(&field) {
                required.push(field);
            }
        }
    }
    json!({"type": "object", "properties": properties, "required": required})
}

/// Adds the description that another consumer gives a field, if it differs.
fn add_description(known: &mut Value, other: &Value, function: &str) {
    let text = |schema: &Value| schema.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
    let (own, other) = (text(known), text(other));
    if let (false, Some(members)) = (own.contains(&other), known.as_object_mut()) {
        members.insert("description".to_owned(), format!("{own} For `{function}`: {other}").into());
    }
}

fn used_by_events(name: &str, incoming: &BTreeMap<&str, IncomingEvent<'_>>) -> bool {
    let reference = format!("\"#/components/schemas/{name}\"");
    incoming.values().any(|event| event.schema.to_string().contains(&reference))
}

/// The schema of the `detail` of a change event: every member is a text, and a member without a value is empty.
#[must_use]
pub fn emitted_detail(event: ChangeEventName) -> Value {
    let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = EventDetail::json_schema(&mut generator).to_value();
    let tier = [Some("customerId"), Some("points"), Some("balance"), Some("from"), Some("to"), Some("cause")];
    let points = |more: &[&'static str]| [&["customerId", "reference", "points", "balance"], more].concat();
    let (filled, names): (Vec<&str>, Vec<(&str, Vec<&str>)>) = match event {
        ChangeEventName::PointsEarned
        | ChangeEventName::PointsReversed
        | ChangeEventName::PointsRestored
        | ChangeEventName::PointsRedeemed
        | ChangeEventName::PointsReturned => (points(&[]), vec![]),
        ChangeEventName::PointsExpired => (vec!["customerId", "points", "balance"], vec![]),
        ChangeEventName::PointsExpiring => {
            (vec!["customerId", "points", "balance", "to"], vec![("cause", NoticeLead::NAMES.to_vec())])
        }
        ChangeEventName::PointsAdjusted => (points(&["cause"]), vec![]),
        ChangeEventName::TierChanged => {
            (tier.into_iter().flatten().collect(), vec![("cause", TierCause::NAMES.to_vec())])
        }
        ChangeEventName::BundleStatusChanged => (
            vec!["bundleId", "from", "to", "cause"],
            vec![
                ("from", BundleStatus::NAMES.to_vec()),
                ("to", BundleStatus::NAMES.to_vec()),
                ("cause", TransitionReason::NAMES.to_vec()),
            ],
        ),
        ChangeEventName::ChurnRiskChanged => (
            vec!["customerId", "to", "cause"],
            vec![
                // Empty for the first prediction of a customer.
                ("from", [&[""], RiskLevel::NAMES].concat()),
                ("to", RiskLevel::NAMES.to_vec()),
                ("cause", ChurnSource::NAMES.to_vec()),
            ],
        ),
    };
    // A change of tier by time has no reference.
    let may_be_empty = |member: &str| {
        matches!(
            (event, member),
            (ChangeEventName::TierChanged | ChangeEventName::PointsExpired, "reference")
                | (ChangeEventName::ChurnRiskChanged, "from")
        )
    };
    let whole = ["points", "balance"];
    for (member, property) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        let Some(property) = property.as_object_mut() else { continue };
        if let Some((_, values)) = names.iter().find(|(name, _)| name == member) {
            property.insert("enum".to_owned(), json!(values));
        } else if filled.contains(&member.as_str()) {
            if (event, member.as_str()) == (ChangeEventName::PointsAdjusted, "cause") {
                property.insert("description".to_owned(), "The reason in the operator's own words.".into());
            }
            let pattern = if whole.contains(&member.as_str()) { "^-?[0-9]+$" } else { "." };
            property.insert("pattern".to_owned(), pattern.into());
        } else if !matches!(member.as_str(), "orgId" | "at") && !may_be_empty(member) {
            property.insert("const".to_owned(), "".into());
        }
    }
    schema
}
