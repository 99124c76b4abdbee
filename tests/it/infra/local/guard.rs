//! Web pages in the developer's browser cannot use the local stack or its table.

use harness::programs::{self, LocalStack};
use http::StatusCode;
use serde_json::{Value, json};

/// A write that a web page can send without a preflight request.
fn put_org(stack: &LocalStack, org: &str) -> reqwest::RequestBuilder {
    let body = json!({"operation": "putOrg", "orgId": org, "name": "Shop"}).to_string();
    let url = format!("{}/2015-03-31/functions/back-office/invocations", stack.url);
    programs::http().post(url).header("content-type", "text/plain").body(body)
}

async fn is_refused(request: reqwest::RequestBuilder, code: &str) {
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    assert!(answer.headers().keys().all(|name| !name.as_str().starts_with("access-control-")), "{answer:?}");
    assert_eq!(answer.json::<Value>().await.unwrap()["code"], code);
}

async fn orgs(stack: &LocalStack) -> Value {
    let list = programs::http().get(format!("{}/lambda-url/back-office/orgs", stack.url)).bearer_auth("local-secret");
    list.send().await.unwrap().json::<Value>().await.unwrap()["orgs"].take()
}

#[tokio::test]
async fn a_page_of_another_origin_can_neither_invoke_a_function_nor_call_its_url() {
    let stack = LocalStack::start(&[]).await;
    let health = || programs::http().get(format!("{}/lambda-url/back-office/health", stack.url));
    let another_port = format!("{}1", stack.url);
    for origin in ["https://shop.example", "null", "http://localhost", "https://127.0.0.1", &another_port] {
        is_refused(put_org(&stack, "taken").header("origin", origin), "forbidden_origin").await;
        is_refused(health().header("origin", origin), "forbidden_origin").await;
    }
    for site in ["cross-site", "same-site", "anything"] {
        is_refused(put_org(&stack, "taken").header("sec-fetch-site", site), "forbidden_origin").await;
        is_refused(health().header("sec-fetch-site", site), "forbidden_origin").await;
    }
    let both = put_org(&stack, "taken").header("origin", &stack.url).header("sec-fetch-site", "cross-site");
    is_refused(both, "forbidden_origin").await;
    let twice = put_org(&stack, "taken").header("origin", &stack.url).header("origin", "https://shop.example");
    is_refused(twice, "forbidden_origin").await;
    let preflight =
        programs::http().request(http::Method::OPTIONS, &stack.url).header("origin", "https://shop.example");
    is_refused(preflight, "forbidden_origin").await;
    assert_eq!(orgs(&stack).await, json!([]), "nothing was written");
    stack.stop("TERM").await;
}

#[tokio::test]
async fn requests_of_programs_the_address_bar_and_own_pages_are_accepted() {
    let stack = LocalStack::start(&[]).await;
    let browser = [("origin", stack.url.as_str()), ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "none")];
    assert_eq!(put_org(&stack, "o0").send().await.unwrap().status(), 200);
    for (number, (header, value)) in browser.into_iter().enumerate() {
        let put = put_org(&stack, &format!("o{}", number + 1)).header(header, value);
        assert_eq!(put.send().await.unwrap().status(), 200, "{header}: {value}");
    }
    assert_eq!(orgs(&stack).await.as_array().unwrap().len(), 4);
    stack.stop("TERM").await;
}

#[tokio::test]
async fn the_stack_accepts_only_host_names_of_this_machine() {
    let stack = LocalStack::start(&[]).await;
    let (function, table) = (&stack.url, &stack.dynamodb);
    let ask = |url: &str, host: &str| {
        let path = if url == function.as_str() { "/lambda-url/back-office/health" } else { "/" };
        let request = format!("GET {path} HTTP/1.1\r\n{host}connection: close\r\n\r\n");
        let url = url.to_owned();
        async move { programs::send_raw(&url, request.as_bytes()).await }
    };
    let local = ["localhost", "LocalHost:9000", "127.0.0.1", "127.0.0.1:80", "[::1]", "[::1]:9000", "shop.localhost:1"];
    for host in local {
        let answer = ask(function, &format!("host: {host}\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{host}: {answer}");
    }
    let strange = [
        "shop.example",
        "shop.example:9000",
        "localhost.shop.example",
        "notlocalhost",
        ".localhost",
        "127.0.0.1.shop.example",
        "localhost:shop.example",
        "192.168.1.7:9000",
        "[::2]:9000",
        "",
    ];
    let mut heads: Vec<String> = strange.map(|host| format!("host: {host}\r\n")).into();
    heads.extend([String::new(), "host: localhost\r\nhost: localhost\r\n".to_owned()]);
    for head in heads {
        for url in [function, table] {
            let answer = ask(url, &head).await;
            assert!(answer.starts_with("HTTP/1.1 403 "), "{head}: {answer}");
            assert!(answer.contains(r#""code":"forbidden_host""#), "{head}: {answer}");
        }
    }
    let whole = b"GET http://shop.example/ HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    assert!(programs::send_raw(function, whole).await.contains("forbidden_host"));
    stack.stop("TERM").await;
}

#[tokio::test]
async fn no_page_can_read_the_table_not_even_a_page_of_the_stack() {
    let stack = LocalStack::start(&[]).await;
    assert_eq!(put_org(&stack, "shop").send().await.unwrap().status(), 200);
    let scan = || {
        let scan = programs::http().post(&stack.dynamodb).header("x-amz-target", "DynamoDB_20120810.Scan");
        scan.header("content-type", "application/x-amz-json-1.0").body(r#"{"TableName": "regulars"}"#)
    };
    let read: Value = scan().send().await.unwrap().json().await.unwrap();
    assert_eq!(read["Count"], 1, "a program can: {read}");
    for (header, value) in [
        ("origin", "https://shop.example"),
        ("origin", "null"),
        ("origin", stack.url.as_str()),
        ("origin", stack.dynamodb.as_str()),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "same-origin"),
    ] {
        is_refused(scan().header(header, value), "forbidden_origin").await;
    }
    let preflight = programs::http().request(http::Method::OPTIONS, &stack.dynamodb);
    let preflight = preflight.header("origin", "https://shop.example").header("access-control-request-method", "POST");
    is_refused(preflight, "forbidden_origin").await;
    stack.stop("TERM").await;
}

#[tokio::test]
async fn the_port_of_the_table_is_not_predictable() {
    let (first, second) = (LocalStack::start(&[]).await, LocalStack::start(&[]).await);
    assert_ne!(first.dynamodb, second.dynamodb, "each is a free one");
    first.stop("TERM").await;
    second.stop("TERM").await;
    // `make` passes the port on only if one is given.
    let makefile = std::fs::read_to_string(harness::root().join("Makefile")).unwrap();
    assert!(!makefile.lines().any(|line| line.starts_with("DYNAMODB_PORT")), "no default");
    assert!(makefile.contains("$(addprefix --dynamodb-port ,$(DYNAMODB_PORT))"));
}
