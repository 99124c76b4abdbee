//! What a template's value is once its references are followed and its globals applied.

use std::collections::HashMap;

use serde_json::{Map, Value};

/// A function's properties over the globals', maps merged, as SAM does.
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

/// Replaces what refers to something known by its value. What refers to something else stays as it is, which only a
/// property of the cloud's own business may.
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

/// Fills `${Name}` where every name is known.
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
