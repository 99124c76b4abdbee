//! The `OpenAPI` document of a function, and of all functions.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use shared::{
    domain::{org_key::KeyScope, rejection::RefusalCode},
    host::Tag,
};
use strum::VariantArray;

use crate::{
    address::{LOCAL_STACK, prefix},
    contract::{Contract, FunctionContract, OperationContract, VERSION},
    responses, samples, schemas,
};

/// The document of one function. Its paths are those of the function's own URL.
#[must_use]
pub fn of_function(function: &FunctionContract) -> Value {
    let title = format!("Regulars: {}", function.name);
    let server = json!({"url": "/", "description": "The URL of the function."});
    document(&title, &server, &[function], None)
}

/// The document of all functions. Its paths are those of the local stack.
#[must_use]
pub fn of_all(contract: &Contract) -> Value {
    let server = json!({"url": LOCAL_STACK, "description": "The local stack (`make run`)."});
    let functions: Vec<&FunctionContract> = contract.functions.iter().collect();
    document("Regulars", &server, &functions, Some(prefix))
}

/// The document of some functions. `prefix` gives the path of each on the local stack, on which the samples work.
fn document(title: &str, server: &Value, functions: &[&FunctionContract], prefix: Option<fn(&str) -> String>) -> Value {
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    let mut components: BTreeMap<String, Value> = BTreeMap::new();
    for function in functions {
        let path_prefix = prefix.map(|prefix| prefix(function.name)).unwrap_or_default();
        let routed = || function.operations.iter().filter(|operation| !operation.operation.method.is_empty());
        for operation in routed() {
            let methods = paths.entry(format!("{path_prefix}{}", operation.operation.path)).or_default();
            methods.insert(operation.operation.method.to_lowercase(), of_operation(operation, prefix.is_some()));
        }
        for (path, item) in open_paths(function.name) {
            paths.insert(format!("{path_prefix}{path}"), item);
        }
        // An operation without a route, which only an event or a direct invocation calls, may have others.
        let roots = routed().flat_map(|operation| [&operation.request, &operation.answer]);
        components.extend(schemas::reachable(roots, &function.schemas));
    }
    components.insert("Problem".to_owned(), responses::problem_schema());
    components.insert("FieldError".to_owned(), responses::field_error_schema());
    let responses = share_responses(paths.values_mut().flat_map(|item| item.values_mut()));
    let used = |tag: &Tag| functions.iter().flat_map(|function| &function.operations).any(|one| one.tag == *tag);
    let tags: Vec<Value> = Tag::VARIANTS.iter().filter(|tag| used(tag)).copied().map(tag).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": VERSION,
            "summary": "The back office of a retail loyalty programme.",
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [server],
        "tags": tags,
        "security": [{"deploymentSecret": []}, {"orgKey": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": responses,
            "securitySchemes": {
                "deploymentSecret": {
                    "type": "http", "scheme": "bearer",
                    "description": "The secret of the deployment, which may act for every org.",
                },
                "orgKey": {
                    "type": "http", "scheme": "bearer",
                    "description": "A key of one org. Its scope limits the operations: `manage`, `read` or `till`.",
                },
            },
        },
    })
}

/// Moves each response that several operations have to the components. Returns the moved responses by name.
fn share_responses<'a>(operations: impl Iterator<Item = &'a mut Value>) -> BTreeMap<String, Value> {
    let mut users: BTreeMap<(String, String), Vec<&mut Value>> = BTreeMap::new();
    for operation in operations {
        let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
        for (status, response) in responses.into_iter().flatten() {
            users.entry((status.clone(), response.to_string())).or_default().push(response);
        }
    }
    let mut shared: BTreeMap<String, Value> = BTreeMap::new();
    for ((status, _), users) in users.into_iter().filter(|(_, users)| users.len() > 1) {
        let taken = shared.keys().filter(|name| name.starts_with(&format!("Response{status}"))).count();
        let name = if taken == 0 { format!("Response{status}") } else { format!("Response{status}_{}", taken + 1) };
        for response in users {
            let reference = json!({"$ref": format!("#/components/responses/{name}")});
            shared.insert(name.clone(), std::mem::replace(response, reference));
        }
    }
    shared
}

const DESCRIPTION: &str = "All requests and answers are JSON in camelCase. Money is an amount in the currency of the org, \
    with at most two decimals, as a number or a text in requests and as a number in answers. Instants are RFC 3339. A \
    repeated request returns the first answer with `replayed` and changes nothing. Every refusal is an \
    `application/problem+json` object with a stable `code`. New fields and codes may be added at any time: ignore what \
    you do not know.";

fn tag(tag: Tag) -> Value {
    let description = match tag {
        Tag::Checkout => "Calls of a checkout, while the customer waits.",
        Tag::Orders => "Orders, refunds and cancellations of the shop platform.",
        Tag::BackOffice => "Orgs, settings, keys, bundles and customers.",
        Tag::Jobs => "Scheduled jobs. Each continues where its cursor says.",
    };
    json!({"name": <&str>::from(tag), "description": description})
}

/// The paths that need no credentials.
fn open_paths(function: &str) -> [(&'static str, Map<String, Value>); 2] {
    let get = |name: &str, summary: &str, schema: Value| {
        let id = format!("{function}.{name}");
        let content = json!({"application/json": {"schema": schema}});
        let get = json!({
            "operationId": id, "summary": summary, "security": [], "tags": [<&str>::from(Tag::BackOffice)],
            "description": "Needs no credentials.",
            "responses": {"200": {"description": "The result.", "content": content}},
        });
        Map::from_iter([("get".to_owned(), get)])
    };
    let health = json!({
        "type": "object",
        "properties": {
            "status": {"type": "string", "const": "ok", "description": "The function answers."},
            "version": {"type": "string", "description": "The version of the program."},
            "zoneData": {"type": "string", "description": "The release of the time zone database."},
        },
        "required": ["status", "version", "zoneData"],
    });
    [
        ("/health", get("health", "Check that the function answers", health)),
        ("/openapi.json", get("document", "Get the OpenAPI document of the function", json!({"type": "object"}))),
    ]
}

fn of_operation(contract: &OperationContract, with_samples: bool) -> Value {
    let path_fields = contract.path_fields();
    let is_in_path = |field: &str| path_fields.contains(&field);
    let parameters = contract.fields().filter(|(field, _)| is_in_path(field) || !contract.has_body());
    let mut parameters: Vec<Value> =
        parameters.map(|(field, schema)| parameter(contract, field, schema, is_in_path(field))).collect();
    if contract.refusals.contains(&RefusalCode::AlreadyExists) {
        parameters.push(json!({
            "name": "If-None-Match", "in": "header", "schema": {"type": "string", "examples": ["*"]},
            "description": "With `*` the request only creates, and does not replace. Other values change nothing.",
        }));
    }
    let mut operation = json!({
        "operationId": contract.id(),
        "summary": contract.summary,
        "description": description(contract),
        "tags": [<&str>::from(contract.tag)],
        "responses": responses::of_operation(contract),
    });
    let Some(members) = operation.as_object_mut() else { return operation };
    if with_samples {
        let curl = json!({"lang": "Shell", "label": "curl", "source": samples::curl(contract)});
        members.insert("x-codeSamples".to_owned(), json!([curl]));
    }
    if !parameters.is_empty() {
        members.insert("parameters".to_owned(), parameters.into());
    }
    if contract.operation.callers.is_deployment_only() {
        members.insert("security".to_owned(), json!([{"deploymentSecret": []}]));
    }
    if contract.has_body() {
        members.insert("requestBody".to_owned(), request_body(contract, &path_fields));
    }
    operation
}

/// The description of an operation, with its callers, its events and its direct invocation.
fn description(contract: &OperationContract) -> String {
    let operation = contract.operation;
    let scopes: Vec<String> = operation.callers.scopes().iter().map(|scope| format!("`{}`", scope.name())).collect();
    let callers = match scopes.as_slice() {
        [] => "Only the deployment's secret may call it.".to_owned(),
        all if all.len() == KeyScope::ALL.len() => "Org keys of every scope may call it.".to_owned(),
        [only] => format!("Org keys with the scope {only} may call it."),
        [first, second, ..] => format!("Org keys with the scope {first} or {second} may call it."),
    };
    let direct = format!("A direct invocation names it `{}`.", operation.name);
    let event = operation.event.map(|event| format!("The event `{event}` calls it too."));
    let schedule = operation.scheduled.then(|| "A schedule calls it too.".to_owned());
    let sentences = [Some(contract.description.to_owned()), Some(callers), Some(direct), event, schedule];
    sentences.into_iter().flatten().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
}

fn parameter(contract: &OperationContract, field: &str, schema: &Value, is_in_path: bool) -> Value {
    let mut schema = schema.clone();
    schemas::without_null(&mut schema);
    let description = schema.as_object_mut().and_then(|members| members.remove("description"));
    let place = if is_in_path { "path" } else { "query" };
    let mut parameter =
        json!({"name": field, "in": place, "required": is_in_path || contract.requires(field), "schema": schema});
    if let (Some(description), Some(members)) = (description, parameter.as_object_mut()) {
        members.insert("description".to_owned(), description);
    }
    parameter
}

fn request_body(contract: &OperationContract, path_fields: &[&str]) -> Value {
    let mut schema = contract.request.clone();
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.retain(|name, _| !path_fields.contains(&name.as_str()));
    }
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| !path_fields.iter().any(|field| name == field));
    }
    let is_required = schema.get("required").and_then(Value::as_array).is_some_and(|required| !required.is_empty());
    json!({"required": is_required, "content": {"application/json": {"schema": schema, "example": samples::body(contract)}}})
}
