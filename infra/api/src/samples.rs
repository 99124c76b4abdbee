//! Example requests, which work on the local stack after `make run`.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use crate::{
    address::{LOCAL_STACK, prefix},
    contract::OperationContract,
};

/// The value of a field in the example request of an operation, where the schema's own example does not do.
fn chosen(contract: &OperationContract, field: &str) -> Option<Value> {
    let value = match (contract.operation.name, field) {
        ("putOrg" | "getOrg" | "deleteOrg", "orgId") => json!("my-shop"),
        ("putOrg", "name") => json!("My shop"),
        ("putOrg", "disposable") => json!(true),
        ("putCustomer", "firstName") => json!("Ada"),
        ("searchCustomers", "namePrefix") => json!("Ki"),
        ("patchCustomer", "lastName") => json!("King"),
        ("postKey", "name") => json!("till 1"),
        ("putBundle", "name") => json!("Breakfast"),
        ("putBundle", "originalTotal") => json!("9.00"),
        ("putBundle", "bundlePrice") => json!("7.50"),
        ("putBundle", "products") => json!([
            {"productId": "coffee", "name": "Coffee", "requiredQty": 1, "originalPrice": "4.00"},
            {"productId": "croissant", "name": "Croissant", "requiredQty": 2, "originalPrice": "2.50"},
        ]),
        ("putBundle", "desiredState") | ("transitionBundle", "to") => json!("published"),
        ("transitionBundle", "reason") => json!("back in stock"),
        ("adjust", "adjustmentId") => json!("goodwill-1"),
        ("adjust", "points") => json!(500),
        ("adjust", "reason") => json!("goodwill"),
        (_, "orgId") => json!("demo"),
        ("putCustomer" | "patchCustomer" | "eraseCustomer", "customerId") => json!("ada"),
        ("amend", "customerId") => return None,
        // An order of the purchase log.
        ("amend" | "getAward", "orderId") => json!("cdnow-00001"),
        ("amend", "orderTotal") => json!(59.99),
        (_, "customerId") => json!("c0001"),
        (_, "bundleId") => json!("breakfast"),
        ("redeem" | "void", "orderId") => json!("my-second"),
        (_, "orderId") => json!("my-first"),
        _ => return None,
    };
    Some(value)
}

/// The example request: every required field, and the optional fields that the example is about.
#[must_use]
pub fn request(contract: &OperationContract) -> Map<String, Value> {
    let fields = contract.fields().filter_map(|(field, schema)| {
        let is_shown = contract.requires(field)
            || matches!(
                (contract.operation.name, field),
                ("putOrg", "disposable")
                    | ("putCustomer", "firstName")
                    | ("searchCustomers", "namePrefix")
                    | ("patchCustomer", "lastName")
                    | ("putBundle", "desiredState")
                    | ("transition" | "recalculate" | "predict" | "report", "orgId")
            );
        is_shown.then(|| (field.to_owned(), chosen(contract, field).unwrap_or_else(|| example(schema))))
    });
    fields.collect()
}

/// The first example of a schema, or its first value.
fn example(schema: &Value) -> Value {
    let first = |name: &str| schema.get(name).and_then(Value::as_array).and_then(|values| values.first()).cloned();
    first("examples").or_else(|| first("enum")).or_else(|| schema.get("default").cloned()).unwrap_or_default()
}

/// The body of the example request. Without path fields.
#[must_use]
pub fn body(contract: &OperationContract) -> Value {
    let path_fields = contract.path_fields();
    let mut fields = request(contract);
    fields.retain(|name, _| !path_fields.contains(&name.as_str()));
    fields.into()
}

/// The path and the query of the example request, below the URL of the function.
#[must_use]
pub fn path(contract: &OperationContract) -> String {
    let fields = request(contract);
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut path = contract.operation.path.to_owned();
    let mut query = String::new();
    for (name, value) in &fields {
        let placeholder = format!("{{{name}}}");
        if path.contains(&placeholder) {
            path = path.replace(&placeholder, &text(value));
        } else if !contract.has_body() {
            let separator = if query.is_empty() { '?' } else { '&' };
            // Writing to a text cannot fail.
            let _ = write!(query, "{separator}{name}={}", text(value));
        }
    }
    format!("{path}{query}")
}

/// A `curl` line that works against `make run`.
#[must_use]
pub fn curl(contract: &OperationContract) -> String {
    let url = format!("{LOCAL_STACK}{}{}", prefix(contract.function), path(contract));
    let method = match contract.operation.method {
        "GET" | "POST" => String::new(),
        other => format!(" -X {other}"),
    };
    let data = if contract.has_body() { format!(" \\\n  -d '{}'", body(contract)) } else { String::new() };
    format!("curl -s{method} '{url}' -H 'Authorization: Bearer local-secret'{data}")
}
