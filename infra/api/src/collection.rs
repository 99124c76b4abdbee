//! The collection of example requests, in the format 2.1 of Postman, which Bruno imports too.

use serde_json::{Value, json};

use crate::{
    address::{LOCAL_STACK, prefix},
    contract::{Contract, OperationContract},
    samples,
};

/// The collection: one folder for each function.
#[must_use]
pub fn postman(contract: &Contract) -> Value {
    let folders = contract.functions.iter().map(|function| {
        let operations = function.operations.iter().filter(|operation| !operation.operation.method.is_empty());
        json!({"name": function.name, "item": operations.map(item).collect::<Vec<_>>()})
    });
    json!({
        "info": {
            "name": "Regulars",
            "description": "An example request for each operation. They work on the local stack after `make run`.",
            "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
        },
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{secret}}", "type": "string"}]},
        "variable": [{"key": "url", "value": LOCAL_STACK}, {"key": "secret", "value": "local-secret"}],
        "item": folders.collect::<Vec<_>>(),
    })
}

fn item(contract: &OperationContract) -> Value {
    let url = format!("{{{{url}}}}{}{}", prefix(contract.function), samples::path(contract));
    let mut request = json!({"method": contract.operation.method, "url": url, "description": contract.description});
    if let (true, Some(members)) = (contract.has_body(), request.as_object_mut()) {
        let raw = format!("{:#}", samples::body(contract));
        let body = json!({"mode": "raw", "raw": raw, "options": {"raw": {"language": "json"}}});
        members.insert("body".to_owned(), body);
    }
    json!({"name": format!("{}: {}", contract.operation.name, contract.summary), "request": request})
}
