//! Changes of generated schemas.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use shared::schema::RULE;

/// Calls `change` with each object in a JSON value, the innermost first.
fn each_object(value: &mut Value, change: &impl Fn(&mut Map<String, Value>)) {
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(|element| each_object(element, change)),
        Value::Object(members) => {
            members.values_mut().for_each(|member| each_object(member, change));
            change(members);
        }
        _ => {}
    }
}

/// Makes what the generator writes fit for readers: one line a description, and only formats that `OpenAPI` knows.
pub fn tidy(schema: &mut Value) {
    each_object(schema, &|members| {
        if let Some(Value::String(description)) = members.get_mut("description") {
            let paragraphs = description.split("\n\n").map(|paragraph| paragraph.replace('\n', " "));
            *description = paragraphs.collect::<Vec<_>>().join("\n\n");
        }
        if members.get("format").and_then(Value::as_str).is_some_and(|format| format.starts_with("uint")) {
            members.remove("format");
        }
    });
}

/// Moves the rule of each value into its description.
pub fn fold_rules(schema: &mut Value) {
    each_object(schema, &|members| {
        let Some(Value::String(rule)) = members.remove(RULE) else { return };
        let rule = format!("It {rule}.");
        let description = match members.get("description").and_then(Value::as_str) {
            Some(description) => format!("{description} {rule}"),
            None => rule,
        };
        members.insert("description".to_owned(), description.into());
    });
}

/// Removes null from the types of a schema: an answer leaves out what is absent.
pub fn without_null(schema: &mut Value) {
    each_object(schema, &|members| {
        members.remove(RULE);
        if let Some(Value::Array(types)) = members.get_mut("type") {
            types.retain(|name| name != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                members.insert("type".to_owned(), only);
            }
        }
        if let Some(Value::Array(choices)) = members.get_mut("anyOf") {
            choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
            if let [Value::Object(only)] = choices.as_slice() {
                let only = only.clone();
                members.remove("anyOf");
                members.extend(only);
            }
        }
        if let Some(Value::Array(values)) = members.get_mut("enum") {
            values.retain(|value| !value.is_null());
        }
    });
}

/// The definitions that some schemas refer to, directly or through other definitions.
#[must_use]
pub fn reachable<'a>(
    roots: impl Iterator<Item = &'a Value>,
    definitions: &BTreeMap<String, Value>,
) -> BTreeMap<String, Value> {
    let mut found: BTreeMap<String, Value> = BTreeMap::new();
    let mut open: Vec<String> = roots.flat_map(references).collect();
    while let Some(name) = open.pop() {
        if let Some(definition) = definitions.get(&name).filter(|_| !found.contains_key(&name)) {
            open.extend(references(definition));
            found.insert(name, definition.clone());
        }
    }
    found
}

/// The names of the definitions that a schema refers to.
fn references(schema: &Value) -> Vec<String> {
    match schema {
        Value::Array(elements) => elements.iter().flat_map(references).collect(),
        Value::Object(members) => {
            let own = members.get("$ref").and_then(Value::as_str);
            let own = own.and_then(|path| path.strip_prefix("#/components/schemas/")).map(str::to_owned);
            own.into_iter().chain(members.values().flat_map(references)).collect()
        }
        _ => Vec::new(),
    }
}
