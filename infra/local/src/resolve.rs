//! Resolves references in the template's values, and merges global properties into a function's.

use std::collections::HashMap;

use serde_json::{Map, Value};

/// Merges a function's properties into the global ones. As in SAM, maps are merged and other values are replaced.
pub(crate) fn merge(globals: &Map<String, Value>, own: &Map<String, Value>) -> Value {
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

/// Replaces each reference to a known name by its value. Other references stay unchanged, and deserialization then
/// accepts them in cloud-only properties alone.
pub(crate) fn resolve(value: &Value, values: &HashMap<String, String>) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| resolve(item, values)).collect(),
        Value::Object(object) => {
            if let (1, Some(Value::String(name))) = (object.len(), object.get("Ref")) {
                return values.get(name).map_or_else(|| value.clone(), |found| found.as_str().into());
            }
            if let (1, Some(Value::String(text))) = (object.len(), object.get("Fn::Sub")) {
                return substitute(text, values).map_or_else(|| value.clone(), Value::String);
            }
            Value::Object(object.iter().map(|(name, value)| (name.clone(), resolve(value, values))).collect())
        }
        scalar => scalar.clone(),
    }
}

/// Fills in each `${Name}`. `None` if a name is unknown.
fn substitute(text: &str, values: &HashMap<String, String>) -> Option<String> {
    let mut parts = text.split("${");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}')?;
        filled.push_str(values.get(name)?);
        filled.push_str(rest);
    }
    Some(filled)
}
