//! The actions that the template's roles allow on the table. The proxy enforces them in every test.

use std::collections::{BTreeMap, BTreeSet};

use local::yaml;
use serde_json::{Value, json};

use crate::root;

/// Actions of DynamoDB, as `PutItem`. An action on the index carries its name, as `Query by_time`.
pub type Actions = BTreeSet<String>;

/// The template as JSON.
pub fn template() -> Value {
    yaml::to_json(&std::fs::read_to_string(root().join("infra/template.yaml")).unwrap()).unwrap()
}

/// The functions of the template: the logical id and the properties of each.
pub fn functions(template: &Value) -> BTreeMap<String, (String, Value)> {
    let resources = template["Resources"].as_object().unwrap().iter();
    let functions = resources.filter(|(_, resource)| resource["Type"] == "AWS::Serverless::Function");
    let named = functions.map(|(name, resource)| {
        let folder = resource["Properties"]["CodeUri"].as_str().unwrap().rsplit('/').next().unwrap();
        (folder.to_owned(), (name.clone(), resource["Properties"].clone()))
    });
    named.collect()
}

/// The actions that the role of a function allows, each with its resource.
pub fn allowed_actions(template: &Value, properties: &Value) -> Vec<(String, Value)> {
    let role = properties["Role"]["Fn::GetAtt"][0].as_str().expect("its own role");
    let policies = template["Resources"][role]["Properties"]["Policies"].as_array().unwrap().iter();
    let statements = policies.flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().unwrap());
    let mut allowed = Vec::new();
    for statement in statements {
        assert_eq!(statement["Effect"], "Allow");
        let resources =
            statement["Resource"].as_array().cloned().unwrap_or_else(|| vec![statement["Resource"].clone()]);
        for action in statement["Action"].as_array().unwrap() {
            allowed.extend(resources.iter().map(|resource| (action.as_str().unwrap().to_owned(), resource.clone())));
        }
    }
    allowed
}

/// The actions that each function may take on the table.
pub fn table_actions() -> BTreeMap<String, Actions> {
    let template = template();
    let functions = functions(&template).into_iter();
    let of = |properties: &Value| {
        let actions = allowed_actions(&template, properties).into_iter();
        let actions = actions.filter_map(|(action, on)| Some((action.strip_prefix("dynamodb:")?.to_owned(), on)));
        actions
            .map(|(action, resource)| {
                if resource == json!({"Fn::GetAtt": ["Table", "Arn"]}) {
                    return action;
                }
                let index = resource["Fn::Sub"].as_str().and_then(|arn| arn.strip_prefix("${Table.Arn}/index/"));
                format!(
                    "{action} {}",
                    index.unwrap_or_else(|| panic!("{action} on another resource than the table: {resource}"))
                )
            })
            .collect()
    };
    functions.map(|(name, (_, properties))| (name, of(&properties))).collect()
}

/// The actions that a request needs, by its operation and its body.
pub fn required_actions(operation: &str, body: &[u8]) -> Actions {
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
