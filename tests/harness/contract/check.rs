//! The check of a call.

use api::{asyncapi, contract::OperationContract, responses};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};
use shared::{
    host::{InvocationError, Success},
    outbound::ChangeEventName,
};
use strum::VariantArray;

use super::{
    seen,
    validators::{resolve, the_contract, validate},
};

/// Checks a call of a function against its document, and records what it has shown.
///
/// # Panics
///
/// If the document does not allow the answer, or does not allow a request that succeeded.
pub fn check(function: &str, event: &Value, answer: &Result<Value, InvocationError>) {
    let operations = || the_contract().operations().filter(|operation| operation.function == function);
    if event["requestContext"]["http"].is_object() {
        let answer = answer.as_ref().expect("a request has an answer");
        let (path, method) = (event["rawPath"].as_str().unwrap(), event["requestContext"]["http"]["method"].as_str());
        let method = method.map(|method| if method == "HEAD" { "GET" } else { method }).unwrap();
        let found = operations().find_map(|operation| {
            let fields = Some(operation).filter(|operation| operation.operation.method == method)?;
            Some((operation, match_path(fields.operation.path, path)?))
        });
        match found {
            Some((operation, path_fields)) => check_http(operation, &path_fields, event, answer),
            None => seen_code(&body_of(answer)),
        }
        return;
    }
    let operation = match event["detail-type"].as_str() {
        Some("Scheduled Event") => operations().find(|operation| operation.operation.scheduled),
        Some(name) => operations().find(|operation| operation.operation.event == Some(name)),
        None if operations().count() == 1 && event["operation"].is_null() => operations().next(),
        None => operations().find(|operation| event["operation"] == operation.operation.name),
    };
    let Some(operation) = operation else { return };
    match answer {
        Err(error) => {
            let known = operation.all_refusals().iter().any(|refusal| refusal.name() == error.code);
            assert!(known || seen::GENERAL_CODES.contains(&error.code), "{} fails with {}", operation.id(), error.code);
            seen_refusal(operation, error.code);
        }
        Ok(body) if is_problem(body) => check_problem(operation, body),
        Ok(body) => {
            let is_event = event["detail-type"].is_string();
            let mut fields = if is_event { event["detail"].clone() } else { event.clone() };
            if let Some(fields) = fields.as_object_mut() {
                fields.remove("operation");
                if is_event {
                    // An event may have fields for other consumers.
                    fields.retain(|name, _| operation.fields().any(|(field, _)| field == name));
                }
                check_fields(operation, "request", || operation.request.clone(), fields);
            }
            let success = operation.success.iter().find(|success| is_answer(operation, **success, body).is_ok());
            let success = success.unwrap_or_else(|| {
                panic!("{}: {body}: {:?}", operation.id(), is_answer(operation, operation.success[0], body))
            });
            seen_success(operation, *success, body);
        }
    }
}

/// Checks the `detail` of a change event against the document of events.
///
/// # Panics
///
/// If the document does not allow the event.
pub fn check_event(name: &str, detail: &Value) {
    let event = ChangeEventName::VARIANTS.iter().find(|event| event.name() == name);
    let schema = asyncapi::emitted_detail(*event.unwrap_or_else(|| panic!("{name} is not a change event")));
    let validator = jsonschema::draft202012::options().build(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(detail).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{name} {detail}: {errors:?}");
    seen::record(seen::event(name));
}

fn match_path<'a>(pattern: &'a str, path: &str) -> Option<Map<String, Value>> {
    let (pattern, actual): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
    if pattern.len() != actual.len() {
        return None;
    }
    let mut fields = Map::new();
    for (pattern, actual) in pattern.into_iter().zip(actual) {
        let name: Option<&'a str> = pattern.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
        match name {
            Some(_) if actual.is_empty() => return None,
            Some(name) => {
                let text = percent_decode(actual);
                fields.insert(name.to_owned(), text.into());
            }
            None if pattern == actual => {}
            None => return None,
        }
    }
    Some(fields)
}

fn percent_decode(text: &str) -> String {
    // In a query a plus is a space. In a path it stands for itself.
    let query = format!("x={}", text.replace('+', "%2B"));
    reqwest::Url::parse(&format!("http://x/?{query}")).unwrap().query_pairs().next().unwrap().1.into_owned()
}

fn body_of(answer: &Value) -> Value {
    let text = answer["body"].as_str().unwrap();
    if text.is_empty() { Value::Null } else { serde_json::from_str(text).unwrap() }
}

fn is_problem(body: &Value) -> bool {
    body["type"].as_str().is_some_and(|kind| kind.starts_with("urn:regulars:problem:"))
}

fn check_http(operation: &OperationContract, path_fields: &Map<String, Value>, event: &Value, answer: &Value) {
    let (status, body) = (answer["statusCode"].as_u64().unwrap(), body_of(answer));
    let responses = responses::of_operation(operation);
    let id = operation.id();
    let response =
        responses.get(&status.to_string()).unwrap_or_else(|| panic!("{id} does not document {status}: {body}"));
    let content_type = answer["headers"]["content-type"].as_str().unwrap();
    assert!(response["content"][content_type].is_object(), "{id} {status} does not document {content_type}");
    if event["requestContext"]["http"]["method"] == "HEAD" {
        return;
    }
    if is_problem(&body) {
        check_problem(operation, &body);
        // A request that the state refuses was decoded, so it is one that the document allows.
        if matches!(status, 404 | 409 | 412) {
            check_request(operation, path_fields, event);
        }
        return;
    }
    let success = match status {
        201 => Success::Created,
        _ if body["replayed"] == true => Success::Replayed,
        _ => Success::Done,
    };
    let answers = is_answer(operation, success, &body);
    assert!(answers.is_ok(), "{id} answers what its document does not allow: {body}: {answers:?}");
    seen_success(operation, success, &body);
    check_request(operation, path_fields, event);
}

/// A request that succeeded is one that the document allows.
fn check_request(operation: &OperationContract, path_fields: &Map<String, Value>, event: &Value) {
    let mut fields = path_fields.clone();
    if operation.has_body() {
        let text = event["body"].as_str().unwrap_or_default();
        let bytes = if event["isBase64Encoded"] == true { BASE64_STANDARD.decode(text).unwrap() } else { text.into() };
        if !bytes.is_empty() {
            let body: Value = serde_json::from_slice(&bytes).unwrap();
            fields.extend(body.as_object().unwrap().clone());
        }
    } else {
        let query = event["rawQueryString"].as_str().unwrap_or_default();
        let url = reqwest::Url::parse(&format!("http://x/?{query}")).unwrap();
        for (name, text) in url.query_pairs().filter(|(name, _)| !name.is_empty()) {
            let schema = operation.fields().find(|(field, _)| *field == name).map(|(_, schema)| schema);
            let is_whole = schema.is_some_and(|schema| schema["type"] == "integer");
            let whole = text.parse::<i64>().ok().filter(|_| is_whole);
            fields
                .insert(name.clone().into_owned(), whole.map_or_else(|| text.clone().into_owned().into(), Value::from));
        }
    }
    check_fields(operation, "request", || operation.request.clone(), &fields);
}

fn check_fields(operation: &OperationContract, key: &str, schema: impl FnOnce() -> Value, fields: &Map<String, Value>) {
    let valid = validate(operation, key, schema, &json!(fields));
    assert!(valid.is_ok(), "{} accepts what its document does not allow: {fields:?}: {valid:?}", operation.id());
    for (field, _) in fields.iter().filter(|(_, value)| !value.is_null()) {
        seen::record(seen::request_field(&operation.id(), field));
    }
    seen_fields(operation, &operation.request, &json!(fields));
}

/// Whether a body is an answer of an operation that succeeds in this way.
fn is_answer(operation: &OperationContract, success: Success, body: &Value) -> Result<(), String> {
    if !operation.success.contains(&success) {
        return Err(format!("{success:?} is not declared"));
    }
    let mut body = body.clone();
    let replayed = body.as_object_mut().and_then(|members| members.remove("replayed"));
    if replayed.is_some() != (success == Success::Replayed) {
        return Err(format!("replayed: {replayed:?}"));
    }
    validate(operation, "answer", || operation.answer.clone(), &body)
}

fn check_problem(operation: &OperationContract, problem: &Value) {
    let (id, status) = (operation.id(), &problem["status"]);
    let responses = responses::of_operation(operation);
    let response = responses.get(&status.to_string()).unwrap_or_else(|| panic!("{id}: {problem}"));
    let schema = || response["content"]["application/problem+json"]["schema"].clone();
    let valid = validate(operation, &status.to_string(), schema, problem);
    assert!(valid.is_ok(), "{id} refuses with what its document does not allow: {problem}: {valid:?}");
    for member in seen::PROBLEM_MEMBERS.into_iter().filter(|member| !problem[member].is_null()) {
        seen::record(seen::answer_field("Problem", member));
    }
    seen_refusal(operation, problem["code"].as_str().unwrap());
}

fn seen_refusal(operation: &OperationContract, code: &str) {
    seen::record(seen::refusal(&operation.id(), code));
    seen::record(seen::code(code));
}

fn seen_code(problem: &Value) {
    if let Some(code) = problem["code"].as_str() {
        seen::record(seen::code(code));
    }
}

fn seen_success(operation: &OperationContract, success: Success, body: &Value) {
    seen::record(seen::outcome(&operation.id(), success));
    seen_fields(operation, &operation.answer, body);
}

/// Records the fields of an answer under the names of their schemas.
fn seen_fields(operation: &OperationContract, schema: &Value, value: &Value) {
    let (schema, reference) = resolve(operation.function, schema);
    match value {
        Value::Array(elements) => elements.iter().for_each(|one| seen_fields(operation, &schema["items"], one)),
        Value::Object(members) => {
            for (name, member) in members {
                let property = &schema["properties"][name.as_str()];
                if property.is_object() {
                    seen::record(seen::answer_field(seen::title_of(schema, reference), name));
                    seen_fields(operation, property, member);
                }
            }
            for choice in ["anyOf", "oneOf"].into_iter().filter_map(|word| schema[word].as_array()).flatten() {
                let (part, _) = resolve(operation.function, choice);
                let has_required = part["required"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .all(|name| members.contains_key(name.as_str().unwrap()));
                if has_required {
                    seen_fields(operation, choice, value);
                }
            }
        }
        _ => {}
    }
}
