//! The answers and the problems of an operation, by HTTP status.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use shared::{
    domain::rejection::RefusalCode,
    host::{Success, http_status},
    schema::schemars::{JsonSchema, generate::SchemaSettings},
};

use crate::contract::OperationContract;

/// The codes of failures that are not refusals, with their status and their meaning.
const FAILURES: [(&str, u16, &str); 3] = [
    ("try_again", 503, "The store is busy or contended. Send the same request again."),
    ("internal", 500, "An internal error occurred and has been logged."),
    ("not_configured", 500, "The function has no secret to authorize requests with."),
];

/// The problem object of RFC 9457.
#[must_use]
pub fn problem_schema() -> Value {
    json!({
        "type": "object",
        "title": "Problem",
        "description": "Why a request failed, as RFC 9457 defines it.",
        "properties": {
            "type": {
                "type": "string", "format": "uri", "description": "`urn:regulars:problem:` with the code.",
                "examples": ["urn:regulars:problem:unknown_customer"],
            },
            "title": {"type": "string", "description": "The code in words.", "examples": ["unknown customer"]},
            "status": {"type": "integer", "description": "The HTTP status.", "examples": [404]},
            "detail": {"type": "string", "description": "What happened and what to do, for people."},
            "code": {"type": "string", "description": "The stable code, for programs.", "examples": ["unknown_customer"]},
        },
        "required": ["type", "title", "status", "detail", "code"],
    })
}

/// One invalid field of a request.
#[must_use]
pub fn field_error_schema() -> Value {
    json!({
        "type": "object",
        "title": "FieldError",
        "description": "An invalid field.",
        "properties": {
            "field": {
                "type": "string", "description": "The path of the field. Empty for the body itself.",
                "examples": ["tiers[2].threshold"],
            },
            "message": {"type": "string", "description": "The rule that the field breaks."},
        },
        "required": ["field", "message"],
    })
}

/// Every response of an operation, by status.
#[must_use]
pub fn of_operation(operation: &OperationContract) -> Map<String, Value> {
    let mut by_status: BTreeMap<u16, Value> = BTreeMap::new();
    for status in [200, 201] {
        let outcomes: Vec<Success> =
            operation.success.iter().copied().filter(|success| success.http_status() == status).collect();
        if !outcomes.is_empty() {
            by_status.insert(status, success(operation, &outcomes));
        }
    }
    let mut codes: BTreeMap<u16, Vec<(&str, &str)>> = BTreeMap::new();
    for refusal in operation.all_refusals() {
        codes.entry(http_status(refusal.kind())).or_default().push((refusal.name(), refusal.meaning()));
    }
    for (code, status, meaning) in FAILURES {
        codes.entry(status).or_default().push((code, meaning));
    }
    by_status.extend(codes.into_iter().map(|(status, codes)| (status, problem(status, &codes))));
    by_status.into_iter().map(|(status, response)| (status.to_string(), response)).collect()
}

fn success(operation: &OperationContract, outcomes: &[Success]) -> Value {
    let mut schema = operation.answer.clone();
    if outcomes.contains(&Success::Replayed)
        && let Some(members) = schema.as_object_mut()
    {
        let replayed = json!({
            "type": "boolean", "const": true,
            "description": "The request was made before. This is the first answer, and nothing has changed.",
        });
        let member = |name: &str, empty: Value| (name.to_owned(), empty);
        let (name, empty) = member("properties", json!({}));
        if let Some(properties) = members.entry(name).or_insert(empty).as_object_mut() {
            properties.insert("replayed".to_owned(), replayed);
        }
        let (name, empty) = member("required", json!([]));
        if outcomes == [Success::Replayed]
            && let Some(required) = members.entry(name).or_insert(empty).as_array_mut()
        {
            required.push("replayed".into());
        }
    }
    let description = match outcomes {
        [Success::Created] => "The request created something.",
        [Success::Replayed] => "The request was made before. This is the first answer.",
        [Success::Done] => "The result.",
        _ => "The result, or the first answer to a repeated request.",
    };
    json!({"description": description, "content": {"application/json": {"schema": schema}}})
}

fn problem(status: u16, codes: &[(&str, &str)]) -> Value {
    let names: Vec<&str> = codes.iter().map(|(code, _)| *code).collect();
    let lines: Vec<String> = codes.iter().map(|(code, meaning)| format!("- `{code}`: {meaning}")).collect();
    let mut properties = json!({"status": {"const": status}, "code": {"enum": names}});
    if let Some(properties) = properties.as_object_mut() {
        if names.contains(&RefusalCode::Invalid.name()) {
            let errors = json!({
                "type": "array", "items": {"$ref": "#/components/schemas/FieldError"},
                "description": "The invalid fields, at most 100, with the code `invalid_fields`.",
            });
            properties.insert("errors".to_owned(), errors);
            let more = json!({"type": "integer", "minimum": 1, "description": "How many more fields are invalid."});
            properties.insert("moreErrors".to_owned(), more);
        }
        if names.contains(&RefusalCode::BundleNotActive.name()) {
            let mut generator = SchemaSettings::draft2020_12().into_generator();
            let mut status = shared::domain::bundle::status::BundleStatus::json_schema(&mut generator).to_value();
            if let Some(members) = status.as_object_mut() {
                let description = "The status of the bundle at that time, with the code `bundle_not_active`.";
                members.insert("description".to_owned(), description.into());
            }
            properties.insert("bundleStatus".to_owned(), status);
        }
    }
    let schema = json!({
        "allOf": [{"$ref": "#/components/schemas/Problem"}], "type": "object", "properties": properties,
    });
    let mut response = json!({
        "description": lines.join("\n"), "content": {"application/problem+json": {"schema": schema}},
    });
    let header = match status {
        401 => Some(("www-authenticate", "The scheme of the credentials.", "Bearer")),
        503 => Some(("retry-after", "The seconds to wait before the next attempt.", "1")),
        _ => None,
    };
    if let (Some((name, description, example)), Some(members)) = (header, response.as_object_mut()) {
        let header = json!({(name): {"description": description, "schema": {"type": "string", "examples": [example]}}});
        members.insert("headers".to_owned(), header);
    }
    response
}
