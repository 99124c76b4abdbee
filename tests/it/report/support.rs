//! Requests for a report.

use chrono::{DateTime, Utc};
use harness::{Request, Response, World, instant, world::ORG};
use serde_json::{Value, json};

/// Monday, 09:00 in New York.
pub(super) const MONDAY: &str = "2026-06-15T13:00:00Z";

pub(super) fn report(body: &Value) -> Request {
    Request::new("POST", "weekly-report", "/").json(body)
}

pub(super) async fn reported(world: &World, body: &Value) -> Response {
    let answer = world.send_at(&report(body), instant(MONDAY)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer
}

pub(super) async fn figures(world: &World) -> Value {
    reported(world, &json!({"orgId": ORG})).await.body["orgs"][0]["figures"].clone()
}

pub(super) async fn accepted(world: &World, request: &Request, at: DateTime<Utc>) {
    let answer = world.send_at(request, at).await;
    assert!(answer.status.is_success(), "{}: {}", request.path, answer.body);
}
