//! Keys of orgs, and a request to every route.

use harness::{Request, World};
use local::FUNCTIONS;
use serde_json::{Value, json};
use shared::inbound::operation::Operation;

/// Creates a key with the default scope. Returns its id and its text.
pub(super) async fn make(world: &World, org: &str) -> (String, String) {
    make_with(world, org, &json!({"name": "till 1"})).await
}

/// Creates a key with a scope. Returns its id and its text.
pub(super) async fn make_scoped(world: &World, org: &str, scope: &str) -> (String, String) {
    make_with(world, org, &json!({"name": "till 1", "scope": scope})).await
}

async fn make_with(world: &World, org: &str, body: &Value) -> (String, String) {
    let made = world.send(&Request::new("POST", "back-office", format!("/orgs/{org}/keys")).json(body)).await;
    let scope = body.get("scope").cloned().unwrap_or_else(|| "manage".into());
    assert_eq!((made.status.as_u16(), &made.body["name"], &made.body["scope"]), (201, &json!("till 1"), &scope));
    (made.body["keyId"].as_str().unwrap().to_owned(), made.body["key"].as_str().unwrap().to_owned())
}

pub(super) fn with(key: &str, request: Request) -> Request {
    let mut request = request;
    request.headers.insert("authorization", format!("Bearer {key}"));
    request
}

/// A request that any key of an org may send.
pub(super) fn customer(org: &str, customer: &str) -> Request {
    Request::new("GET", "back-office", format!("/orgs/{org}/customers/{customer}"))
}

/// A route and a request to it.
pub(super) struct Route {
    pub(super) operation: Operation,
    pub(super) request: Request,
}

/// A request to every route, with the org in the path, in the query or in the body.
pub(super) fn routes(org: &str) -> Vec<Route> {
    let mut routes = Vec::new();
    for function in FUNCTIONS {
        for operation in function.operations().filter(|operation| !operation.method.is_empty()) {
            let path: Vec<String> = operation
                .path
                .split('/')
                .map(|part| match part {
                    "{orgId}" => org.to_owned(),
                    part if part.starts_with('{') => "x".to_owned(),
                    part => part.to_owned(),
                })
                .collect();
            let (mut path, in_path) = (path.join("/"), operation.path.contains("{orgId}"));
            let takes_body = operation.takes_body();
            let mut body = json!({});
            if !in_path && takes_body {
                body["orgId"] = org.into();
            } else if !in_path {
                path = format!("{path}?orgId={org}");
            }
            let request = Request::new(operation.method, function.name, path);
            let request = if takes_body { request.json(&body) } else { request };
            routes.push(Route { operation: *operation, request });
        }
    }
    assert!(routes.len() > 30);
    routes
}
