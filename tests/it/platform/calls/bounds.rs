//! The largest requests of a caller with a key: answers, log lines and memory stay small.

use std::time::Duration;

use harness::{
    Request, World,
    log::CapturedLog,
    programs::{FunctionServer, WAIT_MAX, http},
    world::{SECRET, noon, raw_event},
};
use local::FUNCTIONS;
use serde_json::Value;
use shared::telemetry::log::{LINE_BYTES_MAX, bounded};

/// The largest accepted body, in bytes.
const BODY: usize = 256 * 1024;

/// The largest answer, in bytes. It lists a hundred faults, each with a path and a sentence.
const ANSWER: usize = 64 * 1024;

/// The names of lists in the API.
const LISTS: [&str; 6] = ["products", "tiers", "daysOfWeek", "bundleIds", "bundles", "redemptionOptions"];

/// Repeats `element` until the body is full.
fn filled(before: &str, element: &str, after: &str) -> String {
    let room = BODY - before.len() - after.len();
    let mut text = before.to_owned();
    text.push_str(&format!("{element},").repeat(room / (element.len() + 1)));
    text.truncate(text.len() - 1);
    text + after
}

fn worst_bodies() -> Vec<String> {
    let mut bodies = Vec::new();
    for list in LISTS {
        for element in ["{}", "7", "[]", "\"\"", "{\"a\":1}"] {
            bodies.push(filled(&format!("{{\"{list}\":["), element, "]}"));
        }
    }
    bodies.push(filled("{\"loyalty\":{\"tiers\":[", "{}", "]}}"));
    bodies.push(filled("[", "{}", "]"));
    bodies.push("[".repeat(BODY));
    bodies.push(format!("{{\"name\":\"{}\"}}", "\\u0001".repeat(BODY / 6 - 4)));
    bodies.push(format!("{{\"orgId\":\"{}\"}}", "x".repeat(BODY - 12)));
    bodies.push(format!("{{\"{}\":1}}", "x".repeat(BODY - 6)));
    bodies.push(format!("{{\"orderTotal\":{}}}", "9".repeat(BODY - 16)));
    bodies.push(format!("{{\"orderTotal\":0.{}1}}", "0".repeat(BODY - 19)));
    let many: Vec<String> = (0..BODY / 12).map(|number| format!("\"f{number:05}\":1")).collect();
    bodies.push(format!("{{{}}}", many.join(",")));
    bodies
}

/// A path of an operation, with a value for each parameter.
fn path(pattern: &str) -> String {
    pattern.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn the_worst_body_of_each_route_gets_a_short_answer_and_a_short_log_line() {
    let world = World::new().await;
    let (log, _guard) = CapturedLog::start_json(tracing::Level::INFO);
    let bodies = worst_bodies();
    assert!(bodies.iter().all(|body| body.len() <= BODY && body.len() > BODY - 64 * 1024));
    let long_query = (0..1_000).map(|number| format!("f{number}=1")).collect::<Vec<_>>().join("&");
    let mut routes = 0;
    for function in FUNCTIONS {
        for operation in function.operations().filter(|operation| !operation.method.is_empty()) {
            let takes_body = operation.takes_body();
            let path = path(operation.path);
            let requests: Vec<Request> = if takes_body {
                let request = |body: &String| Request {
                    body: body.clone().into_bytes(),
                    ..Request::new(operation.method, function.name, &*path)
                };
                bodies.iter().map(request).collect()
            } else {
                vec![Request::new(operation.method, function.name, format!("{path}?{long_query}"))]
            };
            for request in requests {
                let call = world.stack.call(function.name, raw_event(request.to_event()), Some(noon()));
                let answer = tokio::time::timeout(WAIT_MAX, call).await.expect("in time").unwrap().unwrap();
                let (status, body) = (&answer["statusCode"], answer["body"].as_str().unwrap());
                assert!(status == 422 || status == 400, "{} {path}: {status} {body:.500}", function.name);
                assert!(body.len() <= ANSWER, "{} {path} answers {} bytes", function.name, body.len());
                let problem: Value = serde_json::from_str(body).unwrap();
                let errors = problem["errors"].as_array().map_or(0, Vec::len);
                assert!(errors <= 100 && (errors == 100 || problem.get("moreErrors").is_none()), "{body:.500}");
            }
            routes += 1;
        }
    }
    assert!(routes > 30, "{routes}");
    for record in world.take_records() {
        assert!(record.to_string().len() <= LINE_BYTES_MAX);
    }
    for line in log.text().lines() {
        assert!(line.len() <= LINE_BYTES_MAX, "{} bytes: {line:.300}", line.len());
        assert_eq!(bounded(line), line);
    }
}

#[tokio::test]
async fn unlisted_faults_are_counted_and_a_long_list_is_rejected_only_for_its_length() {
    let world = World::new().await;
    let put =
        |text: String| Request { body: text.into_bytes(), ..Request::new("PUT", "back-office", "/orgs/x/bundles/b") };
    let long = world.send(&put(filled("{\"products\":[", "{}", "]}"))).await;
    assert_eq!(long.fields().iter().filter(|field| field.starts_with("products")).count(), 1, "{}", long.body);
    let hundred = world.send(&put(format!("{{\"products\":[{}]}}", ["{}"; 100].join(",")))).await;
    assert_eq!(hundred.fields().len(), 100);
    // Each product lacks four fields, and the bundle itself four more.
    let all = hundred.body["moreErrors"].as_u64().unwrap() + 100;
    assert!((400..=410).contains(&all), "{all}");
}

#[tokio::test]
async fn a_function_of_256_mb_survives_concurrent_worst_case_bodies() {
    let settings = [("CRON_SECRET", SECRET), ("AWS_REGION", "eu-central-1"), ("LOG_LEVEL", "error")];
    let function = FunctionServer::start_with_memory_limit(256 * 1024, "back-office", &settings).await;
    let (http, url) = (http(), format!("{}/orgs/x/bundles/b", function.url));
    for body in worst_bodies() {
        let send = || async {
            let request = http.put(&url).bearer_auth(SECRET).timeout(Duration::from_mins(1)).body(body.clone());
            request.send().await.unwrap().status().as_u16()
        };
        let (one, two, three) = tokio::join!(send(), send(), send());
        for status in [one, two, three] {
            assert!(matches!(status, 400 | 422), "{status} {body:.100}");
        }
    }
    function.signal("TERM").await;
    let ended = function.wait_exit().await;
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
}
