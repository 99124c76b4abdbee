//! Schedule or event, function URL, direct invocation, HTTP on a port: the same award by each, and the answer of each
//! to a rejected call.

use std::time::Duration;

use harness::{
    Request, Response, World, contract,
    faults::{Fault, FaultDuration},
    programs::{self, FunctionServer, LocalStack},
    runtime_api::{DEADLINE_FAR_MS, RuntimeApi},
    scenario::{award, event},
    test_operation,
    world::{ORG, SECRET, noon, raw_event},
};
use serde_json::{Value, json};
use shared::{
    config::Config,
    host::{Entry, Function, Host, Invocation, Reply},
    inbound::operation::Operation,
};

fn order(id: &str) -> Value {
    json!({"orgId": ORG, "customerId": "ada", "orderId": id, "orderTotal": "250.00"})
}

async fn world_with_ada() -> World {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world
}

/// The entry and the customer after an award, without the date and the order id.
async fn outcome(world: &World) -> (Value, Vec<String>) {
    let ada = world.get(&format!("/orgs/{ORG}/customers/ada")).await.body;
    let entries = harness::audit::ledger(world, ORG, "ada", noon()).await;
    let kept = ["points", "lifetimeValue", "orderCount", "tier"].map(|name| (name, ada[name].clone()));
    (kept.into_iter().collect(), entries.iter().map(|entry| format!("{} {}", entry["kind"], entry["points"])).collect())
}

#[tokio::test]
async fn an_award_has_the_same_outcome_by_every_entry_point() {
    let by_url = world_with_ada().await;
    let url_answer = by_url.send(&award("ada", "o1", "250.00", &json!({}))).await.body;

    let directly = world_with_ada().await;
    let mut fields = order("o1");
    fields["operation"] = "award".into();
    let direct_answer = directly.invoke("points-award", fields).await.unwrap();
    assert_eq!(direct_answer, url_answer);

    let by_event = world_with_ada().await;
    let mut detail = order("o1");
    detail["channel"] = "web".into();
    detail["bundleIds"] = json!(["b1"]);
    // A field that would be another org's cursor if events had cursors.
    detail["cursor"] = "WyJ4Iiwib3RoZXIiLCIiLCJ5Il0".into();
    by_event.invoke("points-award", event("OrderFulfilled", detail)).await.unwrap();

    let expected = outcome(&by_url).await;
    assert_eq!(expected.0, json!({"points": 250, "lifetimeValue": 250, "orderCount": 1, "tier": "Silver"}));
    assert_eq!(outcome(&directly).await, expected);
    assert_eq!(outcome(&by_event).await, expected);
}

#[tokio::test]
async fn a_function_on_a_port_answers_like_its_url_and_finishes_on_a_stop_signal() {
    let engine = LocalStack::start(&["--dynamodb-port", "0"]).await;
    let settings = [("CRON_SECRET", "local-secret"), ("AWS_ENDPOINT_URL_DYNAMODB", engine.dynamodb.as_str())];
    let function = FunctionServer::start("points-award", &settings).await;

    let http = programs::http();
    let back_office = format!("{}/lambda-url/back-office", engine.url);
    for (path, body) in [
        ("/orgs/shop", json!({"name": "Shop"})),
        ("/orgs/shop/loyalty", json!({})),
        ("/orgs/shop/customers/ada", json!({})),
    ] {
        let put = http.put(format!("{back_office}{path}")).bearer_auth("local-secret").json(&body);
        assert!(put.send().await.unwrap().status().is_success());
    }
    let url = &function.url;
    let post = http.post(format!("{url}/awards")).bearer_auth("local-secret").json(&order("o1"));
    let answer = post.send().await.unwrap();
    assert_eq!(answer.status(), 201);
    let in_process = world_with_ada().await.send(&award("ada", "o1", "250.00", &json!({}))).await.body;
    assert_eq!(answer.json::<Value>().await.unwrap(), in_process);
    let again = format!("{}/lambda-url/points-award/awards", engine.url);
    let replay = http.post(again).bearer_auth("local-secret").json(&order("o1")).send().await.unwrap();
    assert_eq!(replay.json::<Value>().await.unwrap()["replayed"], true, "the same table behind both");

    // Only the local stack may set the clock.
    let ahead = json!({"orgId": "shop", "customerId": "ada", "orderId": "o2", "orderTotal": 1, "fulfilledAt": "2090-01-01T00:00:00Z"});
    let post =
        http.post(format!("{url}/awards")).bearer_auth("local-secret").header("x-regulars-now", "2090-01-01T00:00:00Z");
    assert_eq!(post.json(&ahead).send().await.unwrap().status(), 422);

    function.signal("TERM").await;
    let ended = function.wait_exit().await;
    assert_eq!(ended.code, Some(0));
    let lines = |text: String| -> Vec<Value> {
        assert!(!text.contains("local-secret"), "{text}");
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"))).collect()
    };
    let logged = lines(ended.err);
    assert_eq!(logged.len(), 2, "one line for the start, and one for the one refusal: {logged:?}");
    let started = ["message", "function", "zone_data"].map(|name| logged[0][name].clone());
    assert_eq!(started, ["started", "points-award", shared::domain::zone::data_version()]);
    let reported =
        ["level", "message", "function", "operation", "org", "code", "fields"].map(|name| logged[1][name].clone());
    assert_eq!(reported, ["INFO", "refused", "points-award", "award", "shop", "invalid_fields", "fulfilledAt"]);
    let records = lines(ended.out);
    assert_eq!(records.iter().map(|record| record["Succeeded"].clone()).collect::<Vec<_>>(), [1, 0]);
}

#[tokio::test]
async fn a_direct_invocation_returns_a_rejection_and_fails_on_a_retryable_error() {
    let world = World::with_timeout(Some(Duration::from_secs(2))).await;
    let mut fields = order("o1");
    fields["operation"] = "award".into();
    let refused = world.invoke("points-award", fields.clone()).await.unwrap();
    assert_eq!((&refused["code"], &refused["status"]), (&json!("unknown_customer"), &json!(404)));

    let unknown = world.invoke("points-award", json!({"operation": "steal"})).await.unwrap();
    assert_eq!(
        unknown["errors"],
        json!([{"field": "operation", "message": "must be one of award, amend, getAward, refund, voidRefund"}])
    );
    let unnamed = world.invoke("points-award", order("o1")).await.unwrap();
    assert_eq!(unnamed["errors"][0]["field"], "operation");

    world.proxy.fail(0, Fault::Throttle, FaultDuration::UntilHealed);
    assert_eq!(world.invoke("points-award", fields).await.unwrap_err().code, "try_again");
}

#[tokio::test]
async fn an_event_rejected_by_a_rule_succeeds_without_a_retry() {
    let world = world_with_ada().await;
    world.invoke("points-award", event("OrderFulfilled", order("o1"))).await.unwrap();
    let mut other = order("o1");
    other["orderTotal"] = 1.into();
    world.invoke("points-award", event("OrderFulfilled", other)).await.unwrap();
    world.put_loyalty(ORG, &json!({"enabled": false})).await;
    world.invoke("points-award", event("OrderFulfilled", order("o2"))).await.unwrap();
    let codes: Vec<Value> = world.take_records().iter().filter_map(|record| record.get("Code").cloned()).collect();
    assert_eq!(codes, ["idempotency_mismatch", "loyalty_disabled"]);
    assert_eq!(outcome(&world).await.0["points"], 250);
}

#[tokio::test]
async fn an_event_that_may_succeed_later_fails_the_invocation() {
    let world = World::with_timeout(Some(Duration::from_secs(2))).await;
    let fulfilled = event("OrderFulfilled", order("o1"));
    assert_eq!(world.invoke("points-award", fulfilled.clone()).await.unwrap_err().code, "unknown_customer");
    world.put_customer(ORG, "ada", &json!({})).await;

    let mut detail = order("o1");
    detail.as_object_mut().unwrap().remove("orderTotal");
    detail["refundId"] = "r1".into();
    let refunded = event("OrderRefunded", detail);
    assert_eq!(world.invoke("points-award", refunded.clone()).await.unwrap_err().code, "unknown_order");

    world.proxy.fail(0, Fault::DropRequest, FaultDuration::UntilHealed);
    assert_eq!(world.invoke("points-award", fulfilled.clone()).await.unwrap_err().code, "try_again");
    world.proxy.heal();
    world.invoke("points-award", fulfilled).await.unwrap();
    world.invoke("points-award", refunded).await.unwrap();
    assert_eq!(outcome(&world).await.0["points"], 0);
}

#[tokio::test]
async fn an_event_for_another_function_fails_the_invocation() {
    let world = World::new().await;
    assert_eq!(world.invoke("points-award", event("OrderShipped", order("o1"))).await.unwrap_err().code, "internal");
    assert_eq!(world.invoke("points-award", event("Scheduled Event", json!({}))).await.unwrap_err().code, "internal");
    assert_eq!(world.invoke("points-award", json!([1, 2])).await.unwrap_err().code, "internal");
}

#[tokio::test]
async fn a_base64_body_is_decoded_to_the_same_body() {
    let world = world_with_ada().await;
    let mut raw = award("ada", "o1", "250.00", &json!({})).to_event();
    // {"orgId":"shop","customerId":"ada","orderId":"o1","orderTotal":"250.00"}
    raw["body"] =
        "eyJvcmdJZCI6InNob3AiLCJjdXN0b21lcklkIjoiYWRhIiwib3JkZXJJZCI6Im8xIiwib3JkZXJUb3RhbCI6IjI1MC4wMCJ9".into();
    raw["isBase64Encoded"] = true.into();
    let answer = world.invoke("points-award", raw).await.unwrap();
    assert_eq!((&answer["statusCode"], &answer["cookies"]), (&json!(201), &json!([])));
}

test_operation!(Run, Operation::new("run", "POST", "/").on_schedule(), |context| {
    Ok(Reply::done(json!({"ran": context.call.operation, "at": shared::domain::time::text(context.now)})))
});

/// A function with one scheduled operation.
const SWEEP: Function = Function { name: "sweep", entries: &[Entry::plain::<Run>()], document: "{}" };

fn config(secret: Option<&str>) -> Config {
    let settings = [("TABLE_NAME", Some("none")), ("CRON_SECRET", secret)];
    let set = |name: &str| settings.iter().find(|(setting, _)| *setting == name).and_then(|(_, value)| *value);
    Config::from_lookup(|name| set(name).map(str::to_owned)).unwrap()
}

#[tokio::test]
async fn a_schedule_runs_the_same_job_as_a_request_and_an_invocation() {
    let store = shared::store::Store::new(shared::store::local_client("http://127.0.0.1:1"), "none");
    let host = Host::new(SWEEP, store, config(Some(SECRET)), std::sync::Arc::new(|_| ()));
    let invocation = Invocation::new(Some(noon()), shared::clock::Deadline::after(Duration::from_secs(5)));
    let scheduled = json!({
        "version": "0", "id": "1", "detail-type": "Scheduled Event", "source": "aws.scheduler", "detail": "{}",
        "account": "111122223333", "time": "2026-06-01T12:00:00Z", "region": "us-east-1", "resources": [],
    });
    let ran = json!({"ran": "run", "at": "2026-06-01T12:00:00.000Z"});
    assert_eq!(host.answer(&raw_event(scheduled), invocation).await.unwrap(), ran);
    assert_eq!(
        host.answer(&raw_event(json!({})), invocation).await.unwrap(),
        ran,
        "a function with one operation needs no name"
    );
    assert_eq!(host.answer(&raw_event(json!({"operation": "run"})), invocation).await.unwrap(), ran);
    let request = Request::new("POST", "sweep", "/");
    let answer = host.answer(&raw_event(request.to_event()), invocation).await.unwrap();
    assert_eq!(answer["body"], ran.to_string());
}

#[tokio::test]
async fn health_needs_no_credentials_and_reports_only_availability() {
    let world = World::new().await;
    for function in ["points-award", "back-office"] {
        let answer: Response = world.send(&Request::new("GET", function, "/health").anonymous()).await;
        let says = json!({"status": "ok", "version": env!("CARGO_PKG_VERSION"), "zoneData": shared::domain::zone::data_version()});
        assert_eq!((answer.status.as_u16(), answer.body), (200, says));
    }
}

#[tokio::test]
async fn every_function_serves_its_document_without_credentials() {
    let world = World::new().await;
    for function in local::FUNCTIONS {
        let request = |method| Request::new(method, function.name, "/openapi.json").anonymous();
        let document: Value = serde_json::from_str(function.document).unwrap();
        let answer = world.send(&request("GET")).await;
        assert_eq!((answer.status.as_u16(), &answer.body), (200, &document), "{}", function.name);
        let head = world.send(&request("HEAD")).await;
        assert_eq!((head.status.as_u16(), &head.body), (200, &Value::Null), "{}", function.name);
        let post = world.send(&request("POST")).await;
        assert_eq!((post.status.as_u16(), post.headers["allow"].as_str()), (405, "GET, HEAD"), "{}", function.name);
    }
}

#[tokio::test]
async fn a_function_without_a_secret_rejects_every_request() {
    let world = World::new().await;
    let store = shared::store::Store::new(world.client.clone(), &world.table);
    let host = Host::new(points_award::FUNCTION, store, config(None), std::sync::Arc::new(|_| ()));
    let invocation = Invocation::new(None, shared::clock::Deadline::after(Duration::from_secs(5)));
    let health = Request::new("GET", "points-award", "/health").to_event();
    assert_eq!(host.answer(&raw_event(health), invocation).await.unwrap()["statusCode"], 200, "that needs no secret");
    let document = Request::new("GET", "points-award", "/openapi.json").to_event();
    assert_eq!(host.answer(&raw_event(document), invocation).await.unwrap()["statusCode"], 200, "nor does this");
    for request in [award("ada", "o1", "1", &json!({})), Request::new("GET", "points-award", "/nowhere")] {
        let answer = host.answer(&raw_event(request.to_event()), invocation).await;
        contract::check("points-award", &request.to_event(), &answer);
        let answer = answer.unwrap();
        assert_eq!(answer["statusCode"], 500);
        assert!(answer["body"].as_str().unwrap().contains("not_configured"));
    }
}

#[tokio::test]
async fn a_deployed_function_answers_calls_and_ignores_a_deadline_in_the_past() {
    let engine = LocalStack::start(&[]).await;
    // cargo-lambda's stand-in for Lambda gives a deadline in 1970.
    for deadline in [DEADLINE_FAR_MS, 600_000] {
        let calls = vec![json!({"operation": "listOrgs"}), json!([])];
        let mut runtime = RuntimeApi::start(calls, deadline).await;
        let mut function = runtime.command(&programs::binary("back-office"), "regulars");
        let _running = function.env("AWS_ENDPOINT_URL_DYNAMODB", &engine.dynamodb).spawn().unwrap();
        runtime.expect_request("/next").await;
        assert_eq!(runtime.expect_request("/response").await, json!({"orgs": []}), "{deadline}");
        runtime.expect_request("/next").await;
        assert_eq!(runtime.expect_request("/error").await["errorType"], "internal");
    }
}
