//! Every function as a service of Cloud Run: calls from Cloud Scheduler, shutdown, time-outs, and AWS credentials by
//! token.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex},
    time::Duration,
};

use harness::programs::{self, FunctionServer, LocalStack};
use http::Response;
use local::FUNCTIONS;
use serde_json::{Value, json};
use shared::{
    config::Config,
    host::{Body, HttpLimits, Listener, serve},
};

const SECRET: &str = "local-secret";

/// A request to each function: method, path, body, and the status of the answer.
const ASKED: [(&str, &str, &str, &str, u16); 9] = [
    ("back-office", "PUT", "/orgs/shop", r#"{"name": "Shop"}"#, 201),
    ("bundle-redemption", "POST", "/redemptions", "{}", 422),
    ("bundle-transitions", "POST", "/", "{}", 200),
    ("churn-prediction", "POST", "/", r#"{"cursor": "latest"}"#, 200),
    ("points-award", "POST", "/awards", "{}", 422),
    ("points-expiry", "POST", "/", r#"{"cursor": "latest"}"#, 200),
    ("points-redemption", "POST", "/quotes", "{}", 422),
    ("tier-recalculation", "POST", "/", r#"{"cursor": "latest"}"#, 200),
    ("weekly-report", "POST", "/", "{}", 200),
];

async fn on_port(function: &str, engine: &LocalStack, more: &[(&str, &str)]) -> FunctionServer {
    let mut settings = vec![("CRON_SECRET", SECRET), ("AWS_ENDPOINT_URL_DYNAMODB", engine.dynamodb.as_str())];
    settings.extend(more);
    FunctionServer::start(function, &settings).await
}

/// Adds the headers that Cloud Scheduler sends.
fn as_scheduled(request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
    let request = request.header("user-agent", "Google-Cloud-Scheduler").header("x-cloudscheduler", "true");
    let request = request.header("x-cloudscheduler-jobname", "regulars-job");
    request.header("x-cloudscheduler-scheduletime", "2026-06-01T07:00:00Z")
}

#[test]
fn every_function_has_a_row_in_the_table_of_requests() {
    let mut functions = FUNCTIONS.map(|function| function.name);
    functions.sort_unstable();
    assert_eq!(ASKED.map(|(function, ..)| function), functions);
}

#[tokio::test]
async fn every_function_on_a_port_requires_the_secret_except_for_health() {
    let engine = LocalStack::start(&[]).await;
    let http = programs::http();
    for (name, method, path, body, status) in ASKED {
        let function = on_port(name, &engine, &[]).await;
        let health = http.get(format!("{}/health", function.url)).send().await.unwrap();
        let says = json!({"status": "ok", "version": env!("CARGO_PKG_VERSION"), "zoneData": shared::domain::zone::data_version()});
        assert_eq!(health.json::<Value>().await.unwrap(), says);

        let ask = || {
            let method = method.parse().unwrap();
            as_scheduled(http.request(method, format!("{}{path}", function.url))).body(body)
        };
        for request in [ask(), ask().bearer_auth("another"), ask().header("x-cloudscheduler", "true")] {
            assert_eq!(request.send().await.unwrap().status(), 401, "{name}");
        }
        let answer = ask().bearer_auth(SECRET).header("content-type", "application/json").send().await.unwrap();
        assert_eq!(answer.status(), status, "{name}: {}", answer.text().await.unwrap());
    }
}

#[tokio::test]
async fn a_job_accepts_any_content_type_and_a_missing_body() {
    let engine = LocalStack::start(&[]).await;
    let http = programs::http();
    for name in ["bundle-transitions", "churn-prediction", "points-expiry", "tier-recalculation"] {
        let function = on_port(name, &engine, &[]).await;
        let post = || as_scheduled(http.post(format!("{}/", function.url))).bearer_auth(SECRET);
        for request in [
            post().header("content-type", "application/json").body("{}"),
            // The content type that Cloud Scheduler sends by default.
            post().header("content-type", "application/octet-stream").body("{}"),
            post().header("content-length", "0"),
        ] {
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 200, "{name}");
            assert_eq!(answer.json::<Value>().await.unwrap()["success"], true, "{name}");
        }
        let unreadable = post().header("content-type", "application/octet-stream").body("latest");
        assert_eq!(unreadable.send().await.unwrap().status(), 400, "{name}");
    }
}

#[tokio::test]
async fn a_stopping_function_answers_open_requests_and_accepts_no_more() {
    let engine = LocalStack::start(&[]).await;
    for (name, method, path, body, status) in ASKED {
        let function = on_port(name, &engine, &[]).await;
        let begun = function.begin_request(method, path, SECRET, body).await;
        function.signal("TERM").await;
        function.wait_closed().await;
        assert_eq!(begun.finish().await, status, "{name}");
        let ended = function.wait_exit().await;
        assert_eq!(ended.code, Some(0), "{name}: {}", ended.err);
    }
}

#[tokio::test]
async fn a_stopping_function_waits_a_bounded_time() {
    let engine = LocalStack::start(&[]).await;
    let function = on_port("tier-recalculation", &engine, &[]).await;
    let _never_finished = function.begin_request("POST", "/", SECRET, "{}").await;
    function.signal("TERM").await;
    assert_eq!(function.wait_exit().await.code, Some(0));
}

#[tokio::test]
async fn a_sweep_stops_at_the_timeout_of_its_service_and_later_calls_complete_it() {
    let engine = LocalStack::start(&[]).await;
    let http = programs::http();
    for org in ["a", "b", "c"] {
        let org = format!("{}/lambda-url/back-office/orgs/{org}", engine.url);
        for (path, body) in [("", json!({"name": "Shop"})), ("/loyalty", json!({})), ("/customers/ada", json!({}))] {
            let put = http.put(format!("{org}{path}")).bearer_auth(SECRET).json(&body).send().await.unwrap();
            assert_eq!(put.status(), 201);
        }
    }
    // The time-out equals the reserve of a sweep, so each call does the minimum.
    let function = on_port("tier-recalculation", &engine, &[("REQUEST_TIMEOUT_SECONDS", "5")]).await;
    let call = async |body: Value| {
        let post = as_scheduled(http.post(format!("{}/", function.url))).bearer_auth(SECRET).json(&body);
        let answer = post.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.json::<Value>().await.unwrap()
    };
    let mut answers = vec![call(json!({})).await];
    while answers.last().unwrap().get("cursor").is_some() {
        answers.push(call(json!({"cursor": "latest"})).await);
    }
    assert!(answers.len() > 1, "it has to stop: {answers:?}");
    let customers = answers.iter().map(|answer| answer["summary"]["totalCustomers"].as_u64().unwrap());
    assert_eq!(customers.sum::<u64>(), 3, "{answers:?}");
    assert_eq!(call(json!({"cursor": "latest"})).await["summary"]["totalOrgs"], 0, "there is nothing to go on with");
}

#[tokio::test]
async fn a_request_is_given_up_at_the_timeout_of_its_service() {
    // This server accepts connections and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", silent.local_addr().unwrap());
    let settings = [("CRON_SECRET", SECRET), ("AWS_ENDPOINT_URL_DYNAMODB", &silent), ("REQUEST_TIMEOUT_SECONDS", "1")];
    let function = FunctionServer::start("back-office", &settings).await;
    let get = programs::http().get(format!("{}/orgs/shop", function.url)).bearer_auth(SECRET);
    let answer = get.send().await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (503, &"1".parse().unwrap()));
    function.signal("TERM").await;
    let ended = function.wait_exit().await;
    assert!(ended.err.contains("out of time"), "{}", ended.err);
}

#[test]
fn the_request_timeout_is_read_from_the_settings() {
    let read = |set: Option<&str>| {
        let set = |name: &str| match name {
            "TABLE_NAME" => Some("none".to_owned()),
            "REQUEST_TIMEOUT_SECONDS" => set.map(str::to_owned),
            _ => None,
        };
        Config::from_lookup(set).map(|config| config.request_timeout.as_secs()).map_err(|error| error.to_string())
    };
    for (set, seconds) in [(None, 60), (Some(""), 60), (Some("1"), 1), (Some(" 1740 "), 1740), (Some("3600"), 3600)] {
        assert_eq!(read(set), Ok(seconds), "{set:?}");
    }
    for wrong in ["0", "3601", "-1", "1.5", "1m"] {
        let why = format!("REQUEST_TIMEOUT_SECONDS must be a whole number from 1 to 3600: {wrong}");
        assert_eq!(read(Some(wrong)), Err(why));
    }
}

/// A stand-in for AWS STS, and the form-encoded requests it received.
async fn token_service() -> (String, Arc<Mutex<Vec<String>>>) {
    let listening = Listener::bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
    let url = format!("http://{}", listening.address);
    let sent = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&sent);
    let serving = serve(
        listening,
        HttpLimits::default(),
        move |_, body| {
            keep.lock().unwrap().push(String::from_utf8(body.to_vec()).unwrap());
            // The credentials expire so soon that the next request fetches new ones.
            let until = shared::domain::time::text(shared::clock::now() + Duration::from_secs(5));
            let answer = format!(
                r#"<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
                <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIATEST</AccessKeyId>
                <SecretAccessKey>none</SecretAccessKey><SessionToken>none</SessionToken>
                <Expiration>{until}</Expiration></Credentials></AssumeRoleWithWebIdentityResult>
                </AssumeRoleWithWebIdentityResponse>"#
            );
            async move { Response::builder().header("content-type", "text/xml").body(Body::from(answer)).unwrap() }
        },
        std::future::pending(),
    );
    tokio::spawn(serving);
    (url, sent)
}

#[tokio::test]
async fn a_service_presents_the_current_token_file_to_aws_and_no_key() {
    let (url, sent) = token_service().await;
    let token = std::env::temp_dir().join(format!("regulars-token-{:016x}", fastrand::u64(..)));
    std::fs::write(&token, "first").unwrap();
    let settings = [
        ("CRON_SECRET", SECRET),
        // An unreachable endpoint that the function takes for AWS.
        ("AWS_ENDPOINT_URL_DYNAMODB", "https://127.0.0.1:1"),
        ("AWS_ENDPOINT_URL_STS", &url),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/regulars"),
        ("AWS_ROLE_SESSION_NAME", "back-office"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token.to_str().unwrap()),
    ];
    let function = FunctionServer::start("back-office", &settings).await;
    let asks = async || {
        let get = programs::http().get(format!("{}/orgs/shop", function.url)).bearer_auth(SECRET);
        assert_eq!(get.send().await.unwrap().status(), 503);
        let mut sent = std::mem::take(&mut *sent.lock().unwrap());
        sent.dedup();
        sent
    };
    let shown = |token: &str| {
        let role = "RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fregulars&RoleSessionName=back-office";
        format!("Action=AssumeRoleWithWebIdentity&Version=2011-06-15&{role}&WebIdentityToken={token}")
    };
    assert_eq!(asks().await, [shown("first")]);
    std::fs::write(&token, "second").unwrap();
    assert_eq!(asks().await, [shown("second")]);
    // Without a token file the answer is 503, because the file may appear.
    std::fs::remove_file(&token).unwrap();
    assert!(asks().await.is_empty());
}
