//! The schemas of requests and answers, compiled.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock},
};

use api::contract::{Contract, OperationContract};
use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// The contract that the declarations make.
pub fn the_contract() -> &'static Contract {
    static CONTRACT: OnceLock<Contract> = OnceLock::new();
    CONTRACT.get_or_init(Contract::collect)
}

/// A schema without a reference at its top, and the name that it referred to.
pub fn resolve<'a>(function: &str, schema: &'a Value) -> (&'a Value, Option<&'a str>) {
    let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/components/schemas/")) else {
        return (schema, None);
    };
    let functions = &the_contract().functions;
    let function = functions.iter().find(|one| one.name == function).expect("a function");
    (&function.schemas[name], Some(name))
}

/// Validates a value against a schema of an operation. `key` names the schema. Fails with every error. The schema of a
/// request says itself where it is open.
pub(super) fn validate(
    operation: &OperationContract,
    key: &str,
    schema: impl FnOnce() -> Value,
    value: &Value,
) -> Result<(), String> {
    static COMPILED: OnceLock<Mutex<HashMap<String, Arc<Validator>>>> = OnceLock::new();
    let is_request = key == "request";
    let key = format!("{} {key}", operation.id());
    let mut compiled = COMPILED.get_or_init(Mutex::default).lock().unwrap();
    let validator = compiled.entry(key).or_insert_with(|| Arc::new(compile(operation, schema(), !is_request)));
    let validator = Arc::clone(validator);
    drop(compiled);
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    if errors.is_empty() { Ok(()) } else { Err(errors.join("; ")) }
}

fn compile(operation: &OperationContract, mut schema: Value, is_closed: bool) -> Validator {
    let function = the_contract().functions.iter().find(|one| one.name == operation.function).expect("a function");
    let mut schemas: Map<String, Value> =
        function.schemas.iter().map(|(name, schema)| (name.clone(), schema.clone())).collect();
    schemas.insert("Problem".to_owned(), api::responses::problem_schema());
    schemas.insert("FieldError".to_owned(), api::responses::field_error_schema());
    if is_closed {
        schemas.iter_mut().filter(|(name, _)| *name != "Problem").for_each(|(_, schema)| close(schema));
        close(&mut schema);
    }
    schema.as_object_mut().unwrap().insert("components".to_owned(), json!({"schemas": schemas}));
    jsonschema::draft202012::options().build(&schema).unwrap_or_else(|error| panic!("{}: {error}", operation.id()))
}

/// Rejects members that the schema does not mention, at every level.
fn close(schema: &mut Value) {
    match schema {
        Value::Array(elements) => elements.iter_mut().for_each(close),
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                // The members of `properties` are schemas, and a property may be called like a keyword.
                if name == "properties" {
                    member.as_object_mut().into_iter().flatten().for_each(|(_, schema)| close(schema));
                } else {
                    close(member);
                }
            }
            if members.get("properties").is_some_and(Value::is_object) {
                members.entry("unevaluatedProperties").or_insert(Value::Bool(false));
            }
        }
        _ => {}
    }
}
