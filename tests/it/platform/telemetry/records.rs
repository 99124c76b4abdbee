//! One metrics record per call, in CloudWatch's embedded metric format, and the length of log lines.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use harness::{
    Request, World, bundles,
    scenario::{award, event},
    test_operation,
    world::{ORG, SECRET, noon, raw_event},
};
use serde_json::{Value, json};
use shared::{
    clock::Deadline,
    config::Config,
    domain::{bundle::status::BundleStatus, money::Money, org_key::KeyScope, rejection::Rejection},
    error::InternalError,
    failure::{Failure, Retry},
    host::{Entry, Function, Host, Invocation, Reply},
    inbound::operation::Operation,
    store::{self, Store},
    telemetry::{
        log::{LINE_BYTES_MAX, bounded},
        metric,
    },
};

#[tokio::test]
async fn a_call_writes_one_record_with_its_outcome() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.take_records();
    world.send(&award("ada", "o1", "49.99", &json!({}))).await;
    world.send(&award("ada", "o1", "50", &json!({}))).await;
    world.send(&award("ada", "o1", "49.99", &json!({})).anonymous()).await;
    let records = world.take_records();
    assert_eq!(records.iter().map(ended).collect::<Vec<_>>(), [[1, 0, 0], [0, 1, 0], [0, 1, 0]]);
    let codes: Vec<Option<&str>> = records.iter().map(|record| record["Code"].as_str()).collect();
    assert_eq!(codes, [None, Some("idempotency_mismatch"), Some("unauthorized")]);
    let operations: Vec<&str> = records.iter().map(|record| record["Operation"].as_str().unwrap()).collect();
    assert_eq!(operations, ["award", "award", "none"]);
    assert_eq!((&records[0]["PointsAwarded"], &records[0]["OrgId"]), (&json!(49), &json!(ORG)));
    assert!(records[0]["Duration"].is_f64());
}

fn ended(record: &Value) -> [i64; 3] {
    ["Succeeded", "Refused", "Failed"].map(|name| record[name].as_i64().unwrap())
}

#[tokio::test]
async fn health_checks_are_not_counted_as_calls() {
    let world = World::new().await;
    world.take_records();
    world.send(&Request::new("GET", "back-office", "/health").anonymous()).await;
    assert!(world.take_records().is_empty());
}

/// The failure of the next call of [`FAILING`].
static FAILURE: Mutex<Option<Failure>> = Mutex::new(None);

test_operation!(Fail, Operation::new("fail", "POST", "/").on_schedule().on_event("Rang"), |context| {
    context.metric(metric::Metric::Runs, 1_i64);
    context.metric(metric::Metric::Runs, 1_i64);
    let failure = FAILURE.lock().unwrap().clone();
    failure.map_or_else(|| Ok(Reply::done(json!({}))), Err)
});

/// A function that records a metric and then fails.
const FAILING: Function = Function { name: "failing", entries: &[Entry::plain::<Fail>()], document: "{}" };

/// Every kind of failure and of rejection.
fn failures() -> Vec<Failure> {
    let rejections = [
        Rejection::Unauthorized,
        Rejection::BodyTooLarge,
        Rejection::UnreadableJson { detail: String::new() },
        Rejection::OtherOrg,
        Rejection::ScopeNotAllowed { scope: KeyScope::Till, allowed: &[KeyScope::Manage] },
        Rejection::invalid("points", "must be another"),
        Rejection::UnknownCustomer,
        Rejection::MethodNotAllowed { allow: "GET".into() },
        Rejection::AlreadyExists,
        Rejection::LimitReached,
        Rejection::BundleNotActive { status: BundleStatus::Paused },
        Rejection::ExceedsOrderTotal { value: Money::ZERO },
    ];
    let faults = [
        Failure::Retry(Retry::Contended),
        Failure::unavailable("the store"),
        Failure::internal("a bug"),
        Failure::NotConfigured(InternalError::new("a secret")),
    ];
    rejections.map(Failure::Rejected).into_iter().chain(faults).collect()
}

#[tokio::test]
async fn every_entry_point_counts_rejections_and_failures_separately() {
    let settings = BTreeMap::from([("TABLE_NAME", "none"), ("CRON_SECRET", SECRET)]);
    let config = Config::from_lookup(|name| settings.get(name).map(|value| (*value).to_owned())).unwrap();
    let records: Arc<Mutex<Vec<Value>>> = Arc::default();
    let written = Arc::clone(&records);
    let sink = Arc::new(move |line: &str| written.lock().unwrap().push(serde_json::from_str(line).unwrap()));
    let host = Host::new(FAILING, Store::new(store::local_client("http://127.0.0.1:1"), "none"), config, sink);
    let schedule = json!({
        "version": "0", "id": "1", "detail-type": "Scheduled Event", "source": "aws.scheduler", "account": "1",
        "time": "2026-06-01T12:00:00Z", "region": "r", "resources": [], "detail": "{}",
    });
    let by_url = Request::new("POST", "failing", "/").to_event();
    let calls = [by_url, json!({"operation": "fail"}), json!({}), event("Rang", json!({})), schedule];
    for failure in failures() {
        let expected = match &failure {
            Failure::Rejected(_) => [0, 1, 0],
            Failure::Retry(_) | Failure::Internal(_) | Failure::NotConfigured(_) => [0, 0, 1],
        };
        *FAILURE.lock().unwrap() = Some(failure.clone());
        for call in &calls {
            let invocation = Invocation::new(Some(noon()), Deadline::after(Duration::from_mins(1)));
            let _ = host.answer(&raw_event(call), invocation).await;
            let record = records.lock().unwrap().pop().unwrap();
            assert_eq!(ended(&record), expected, "{failure:?} {call}");
            assert_eq!(record["Code"], failure.code());
            assert_eq!(record["Runs"], 2, "what was done by then is counted");
        }
    }
}

#[tokio::test]
async fn an_order_fails_if_one_bundle_fails_internally_though_another_is_unknown() {
    let world = World::with_timeout(Some(Duration::from_secs(2))).await;
    for bundle in ["before", "b"] {
        world.send(&bundles::put(bundle, &json!({}))).await;
    }
    world.corrupt("ORG#shop", "BUNDLE#b", "terms").await;
    world.take_records();
    let detail = json!({
        "orgId": ORG, "customerId": "ada", "orderId": "o", "orderTotal": 40, "bundleIds": ["unheard-of", "before", "b"],
    });
    assert_eq!(world.invoke("bundle-redemption", event("OrderFulfilled", detail)).await.unwrap_err().code, "internal");
    let record = &world.take_records()[0];
    assert_eq!((ended(record), &record["Redemptions"]), ([0, 0, 1], &json!(1)), "{record}");
    assert_eq!(record["RedemptionsRefused"], 1, "the one that is not known");
}

#[tokio::test]
async fn redemptions_and_rejections_are_counted_alike_by_request_and_by_event() {
    let world = World::new().await;
    world.send(&bundles::put("one", &json!({"maxRedemptions": 1}))).await;
    world.take_records();
    let by_event = |order: &str| {
        event(
            "OrderFulfilled",
            json!({"orgId": ORG, "customerId": "a", "orderId": order, "orderTotal": 1, "bundleIds": ["one"]}),
        )
    };
    world.invoke("bundle-redemption", by_event("o1")).await.unwrap();
    world.invoke("bundle-redemption", by_event("o2")).await.unwrap();
    world.send(&bundles::void("one", "o1")).await;
    world.send(&bundles::redeem("one", "a", "o3", &json!({}))).await;
    world.send(&bundles::redeem("one", "a", "o4", &json!({}))).await;
    let reported: Vec<_> = world.take_records();
    let of = |name: &str| reported.iter().map(|record| record[name].as_i64().unwrap_or(0)).collect::<Vec<_>>();
    assert_eq!(of("Redemptions"), [1, 0, 0, 1, 0]);
    assert_eq!(of("RedemptionsRefused"), [0, 1, 0, 0, 1]);
}

#[test]
fn a_log_line_is_at_most_8_kilobytes_and_still_json_when_truncated() {
    let short = json!({"level": "INFO", "message": "refused"}).to_string();
    assert_eq!(bounded(&short), short);
    let long = "\u{1}\"\\ü漢".repeat(10_000);
    let mut line = json!({"timestamp": "2026-06-01T12:00:00Z", "level": "ERROR", "message": &long, "errors": [&long]});
    for nth in 0..100 {
        line[format!("{nth} field")] = json!(&long);
    }
    let line = format!("{line}\n");
    let cut = bounded(&line);
    assert!(cut.len() <= LINE_BYTES_MAX, "{}", cut.len());
    assert!(cut.ends_with("}\n") && !cut[..cut.len() - 1].contains('\n'));
    let cut: Value = serde_json::from_str(&cut).unwrap();
    assert_eq!(cut["cutFrom"], line.len());
    let one = json!({"level": "ERROR", "message": &long}).to_string();
    let cut: Value = serde_json::from_str(&bounded(&one)).unwrap();
    assert_eq!(cut["level"], "ERROR");
    assert!(long.starts_with(cut["message"].as_str().unwrap()) && cut["message"].as_str().unwrap().len() > 50);
}
