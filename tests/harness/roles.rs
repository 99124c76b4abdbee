//! What the template lets each function do with the table: the wire holds every function of every test to it.

use std::collections::{BTreeMap, BTreeSet};

use local::yaml;
use serde_json::{Value, json};

use crate::root;

/// Actions of DynamoDB, as `PutItem`; those on the index with its name, as `Query by_time`.
pub type Actions = BTreeSet<String>;

/// The template, read.
pub fn template() -> Value {
    yaml::to_json(&std::fs::read_to_string(root().join("infra/template.yaml")).unwrap()).unwrap()
}

/// The functions of the template: each with the name of its resource and its properties.
pub fn functions(template: &Value) -> BTreeMap<String, (String, Value)> {
    let resources = template["Resources"].as_object().unwrap().iter();
    let functions = resources.filter(|(_, resource)| resource["Type"] == "AWS::Serverless::Function");
    let named = functions.map(|(name, resource)| {
        let folder = resource["Properties"]["CodeUri"].as_str().unwrap().rsplit('/').next().unwrap();
        (folder.to_owned(), (name.clone(), resource["Properties"].clone()))
    });
    named.collect()
}

/// What a function's role allows: each action with what it is allowed on.
pub fn allowed(template: &Value, properties: &Value) -> Vec<(String, Value)> {
    let role = properties["Role"]["Fn::GetAtt"][0].as_str().expect("a role of its own");
    let policies = template["Resources"][role]["Properties"]["Policies"].as_array().unwrap().iter();
    let statements = policies.flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().unwrap());
    let mut allowed = Vec::new();
    for statement in statements {
        assert_eq!(statement["Effect"], "Allow");
        let resources =
            statement["Resource"].as_array().cloned().unwrap_or_else(|| vec![statement["Resource"].clone()]);
        for action in statement["Action"].as_array().unwrap() {
            allowed.extend(resources.iter().map(|on| (action.as_str().unwrap().to_owned(), on.clone())));
        }
    }
    allowed
}

/// What each function may do with the table.
pub fn on_the_table() -> BTreeMap<String, Actions> {
    let template = template();
    let functions = functions(&template).into_iter();
    let of = |properties: &Value| {
        let allowed = allowed(&template, properties).into_iter();
        let ours = allowed.filter_map(|(action, on)| Some((action.strip_prefix("dynamodb:")?.to_owned(), on)));
        ours.map(|(action, on)| {
            if on == json!({"Fn::GetAtt": ["Table", "Arn"]}) {
                return action;
            }
            let index = on["Fn::Sub"].as_str().and_then(|arn| arn.strip_prefix("${Table.Arn}/index/"));
            format!("{action} {}", index.unwrap_or_else(|| panic!("{action} on what is no table: {on}")))
        })
        .collect()
    };
    functions.map(|(name, (_, properties))| (name, of(&properties))).collect()
}

/// The actions that a request takes, by its operation and its body.
pub fn taken(operation: &str, body: &[u8]) -> Actions {
    match operation {
        "TransactWriteItems" => {
            let request: Value = serde_json::from_slice(body).unwrap();
            let writes = request["TransactItems"].as_array().unwrap().iter();
            let kinds = writes.flat_map(|write| write.as_object().unwrap().keys().cloned().collect::<Vec<_>>());
            kinds.map(|kind| format!("{kind}Item")).collect()
        }
        "Query" => {
            let request: Value = serde_json::from_slice(body).unwrap();
            let index = request["IndexName"].as_str().map(|index| format!("Query {index}"));
            [index.unwrap_or_else(|| operation.to_owned())].into()
        }
        _ => [operation.to_owned()].into(),
    }
}
