//! Web pages of allowed origins call the function URLs.

use std::sync::{Arc, OnceLock};

use harness::{
    programs::{self, FunctionServer, LocalStack},
    root,
};
use http::{Method, StatusCode};
use local::template::Template;
use serde_json::{Value, json};
use shared::host::Cors;

const TILL: &str = "https://till.example";

/// The preflight request of a browser.
fn preflight(url: &str, origin: &str) -> reqwest::RequestBuilder {
    programs::http()
        .request(Method::OPTIONS, url)
        .header("origin", origin)
        .header("sec-fetch-site", "cross-site")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type")
}

/// The headers by which a browser decides.
fn allowed(answer: &reqwest::Response) -> [Option<String>; 5] {
    ["allow-origin", "allow-methods", "allow-headers", "expose-headers", "max-age"].map(|name| {
        let value = answer.headers().get(format!("access-control-{name}"))?;
        Some(value.to_str().unwrap().to_owned())
    })
}

fn expected(origin: &str) -> [Option<String>; 5] {
    [origin, "GET,POST,PUT,PATCH,DELETE", "authorization,content-type,if-none-match", "retry-after", "3600"]
        .map(|text| Some(text.to_owned()))
}

#[test]
fn the_template_allows_what_a_port_allows() {
    let text = std::fs::read_to_string(root().join("infra/template.yaml")).unwrap();
    let parameters = [("AllowedOrigins", format!("{TILL},https://app.example"))].into();
    let template = Template::read(&text, &parameters).unwrap();
    for (name, function) in &template.functions {
        let cors = Cors::of_origins(&format!("{TILL}, https://app.example"));
        assert!(cors.is_some() && function.cors == cors, "{name}");
    }
    let by_default = Template::read(&text, &[].into()).unwrap();
    assert!(by_default.functions.values().all(|function| function.cors.is_none()));
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_calls_every_url_and_no_other_page_does() {
    let stack = LocalStack::start(&["--allowed-origins", TILL]).await;
    let url = format!("{}/lambda-url/points-redemption/quotes", stack.url);
    let answer = preflight(&url, TILL).send().await.unwrap();
    assert_eq!((answer.status(), allowed(&answer)), (StatusCode::NO_CONTENT, expected(TILL)));
    assert_eq!(answer.headers()["vary"], "origin");

    let quote = json!({"orgId": "none", "customerId": "ada", "points": 100});
    let post = |origin: &str| programs::http().post(&url).header("origin", origin).bearer_auth("local-secret");
    let answer = post(TILL).json(&quote).send().await.unwrap();
    assert_eq!(allowed(&answer)[0].as_deref(), Some(TILL));
    assert_eq!(answer.json::<Value>().await.unwrap()["code"], "unknown_org");

    for origin in ["https://till.example.evil", "http://till.example", "https://TILL.example", "null"] {
        let refused = preflight(&url, origin).send().await.unwrap();
        assert_eq!((refused.status(), allowed(&refused)), (StatusCode::FORBIDDEN, [const { None }; 5]), "{origin}");
        let refused = post(origin).json(&quote).send().await.unwrap();
        assert_eq!((refused.status(), allowed(&refused)[0].clone()), (StatusCode::FORBIDDEN, None), "{origin}");
    }
    // The Invoke API is for programs alone.
    let invoke = format!("{}/2015-03-31/functions/back-office/invocations", stack.url);
    let refused = programs::http().post(invoke).header("origin", TILL).body("{}").send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    stack.stop("TERM").await;
}

#[tokio::test]
async fn a_function_on_a_port_answers_preflight_requests_itself() {
    let stack = LocalStack::start(&[]).await;
    let settings = [("ALLOWED_ORIGINS", TILL), ("AWS_ENDPOINT_URL_DYNAMODB", stack.dynamodb.as_str())];
    let server = FunctionServer::start("points-redemption", &settings).await;
    let url = format!("{}/quotes", server.url);
    let answer = preflight(&url, TILL).send().await.unwrap();
    assert_eq!((answer.status(), allowed(&answer)), (StatusCode::NO_CONTENT, expected(TILL)));
    let other = preflight(&url, "https://other.example").send().await.unwrap();
    assert_eq!(allowed(&other), [const { None }; 5]);
    let health = programs::http().get(format!("{}/health", server.url)).header("origin", TILL).send().await.unwrap();
    assert_eq!(allowed(&health)[0].as_deref(), Some(TILL));
    server.signal("TERM").await;
    stack.stop("TERM").await;
}

#[tokio::test]
async fn options_needs_no_credentials_and_names_the_methods_of_a_path() {
    let stack = LocalStack::start(&[]).await;
    let ask_of = |function: &str, path: &str| {
        programs::http().request(Method::OPTIONS, format!("{}/lambda-url/{function}{path}", stack.url)).send()
    };
    let ask = |path: &str| ask_of("points-award", path);
    // The path is also that of a customer.
    let search = ask_of("back-office", "/orgs/shop/customers/search").await.unwrap();
    assert_eq!(search.headers()["allow"], "POST, OPTIONS");
    let answer = ask("/awards/o1").await.unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert_eq!(answer.headers()["allow"], "PUT, GET, HEAD, OPTIONS");
    assert_eq!(ask("/nowhere").await.unwrap().status(), StatusCode::NOT_FOUND);
    stack.stop("TERM").await;
}

/// The command of a headless Chromium, if there is one.
fn chromium() -> Option<&'static str> {
    let found = |name: &&str| std::process::Command::new(name).arg("--version").output().is_ok();
    ["chromium", "chromium-browser"].into_iter().find(found)
}

/// A page that quotes and redeems with the key of a till, and writes what came back into its title.
fn page(url: &str, key: &str) -> String {
    let script = r#"
        const send = async (path, body) => {
            const answer = await fetch(URL + path, {
                method: "POST", body: JSON.stringify(body),
                headers: {"authorization": "Bearer " + KEY, "content-type": "application/json"},
            });
            return answer.json();
        };
        const order = {orgId: "shop", customerId: "ada", points: 100, orderTotal: "49.99"};
        (async () => {
            try {
                const quote = await send("/quotes", order);
                const redeemed = await send("/redemptions", {...order, orderId: "o1"});
                document.body.textContent = "quoted " + quote.value + ", left " + redeemed.balance;
            } catch (error) {
                document.body.textContent = "refused";
            }
        })();
    "#;
    let values = format!("const URL = {url:?}; const KEY = {key:?};");
    format!("<!doctype html><body>waiting</body><script>{values}{script}</script>")
}

/// What a page needs to call, which is known by the time of the first request: the URL of the function and a key.
type Called = Arc<OnceLock<(String, String)>>;

/// Serves a page on a port of its own. Returns its origin.
async fn serve(called: &Called) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (origin, called) = (format!("http://{}", listener.local_addr().unwrap()), Arc::clone(called));
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (url, key) = called.get().unwrap();
            let page = page(url, key);
            tokio::spawn(async move {
                let mut head = [0; 4096];
                let _ = stream.read(&mut head).await;
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{page}",
                    page.len()
                );
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    origin
}

/// The text of a page in a browser, once its script has run.
async fn text_in_browser(browser: &str, url: &str) -> String {
    let profile = std::env::temp_dir().join(format!("regulars-browser-{}-{}", std::process::id(), fastrand::u64(..)));
    let mut command = tokio::process::Command::new(browser);
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]);
    command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
    command.arg(format!("--user-data-dir={}", profile.display()));
    command.args(["--virtual-time-budget=10000", "--dump-dom", url]);
    let output = command.kill_on_drop(true).output().await.unwrap();
    let _ = std::fs::remove_dir_all(profile);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_quotes_and_redeems_from_an_allowed_origin_and_from_no_other() {
    let Some(browser) = chromium() else {
        println!("skipped: there is no chromium");
        return;
    };
    let called = Called::default();
    let origins = [serve(&called).await, serve(&called).await];
    let stack = LocalStack::start(&["--allowed-origins", &origins[0]]).await;
    let url = format!("{}/lambda-url", stack.url);
    let secret = |method, path: &str, body: Value| {
        let request = programs::http().request(method, format!("{url}/back-office/orgs/shop{path}"));
        request.bearer_auth("local-secret").json(&body)
    };
    for (method, path, body) in [
        (Method::PUT, "", json!({"name": "Shop"})),
        (Method::PUT, "/loyalty", json!({})),
        (Method::PUT, "/customers/ada", json!({})),
        (Method::POST, "/customers/ada/adjustments", json!({"adjustmentId": "a", "points": 500, "reason": "test"})),
    ] {
        assert!(secret(method, path, body).send().await.unwrap().status().is_success(), "{path}");
    }
    let key = secret(Method::POST, "/keys", json!({"name": "till", "scope": "till"})).send().await.unwrap();
    let key = key.json::<Value>().await.unwrap()["key"].as_str().unwrap().to_owned();
    called.set((format!("{url}/points-redemption"), key)).unwrap();

    let refused = text_in_browser(browser, &origins[1]).await;
    assert!(refused.contains("<body>refused"), "{refused}");
    let called = text_in_browser(browser, &origins[0]).await;
    assert!(called.contains("<body>quoted 5, left 400"), "{called}");
    stack.stop("TERM").await;
}
