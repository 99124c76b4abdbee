//! The HTTP server outside Lambda: HTTP/1 only, with time-outs, and a problem for every rejected request.

use std::{future::pending, net::Ipv4Addr, time::Duration};

use harness::programs::{FunctionServer, LocalStack, send_raw};
use http::{Response, StatusCode};
use serde_json::Value;
use shared::host::{Body, HttpLimits, Listener, serve};

const NO_TIME: Duration = Duration::from_millis(1);

/// Starts a server with these limits that answers every request. Returns its address.
async fn server(limits: HttpLimits) -> String {
    let listening = Listener::bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
    let address = listening.address.to_string();
    let answer = |_, _| async { Response::new(Body::from("taken")) };
    tokio::spawn(serve(listening, limits, answer, pending()));
    address
}

/// Checks that the server sent one problem with this status and code and then closed the connection.
fn is_problem(answer: &str, status: u16, code: &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
    assert!(head.contains("\r\ncontent-type: application/problem+json\r\n"), "{head}");
    assert!(head.contains("\r\nconnection: close"), "{head}");
    let problem: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&problem["status"], &problem["code"]), (&Value::from(status), &Value::from(code)));
    assert!(problem["detail"].as_str().unwrap().ends_with('.'), "{problem}");
}

#[tokio::test]
async fn a_late_body_is_a_problem_and_ends_the_connection() {
    let address = server(HttpLimits { body_timeout: NO_TIME, ..HttpLimits::default() }).await;
    let begun = b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 10\r\n\r\nhalf";
    is_problem(&send_raw(&address, begun).await, 408, "request_timeout");
    let in_chunks = b"POST / HTTP/1.1\r\nhost: here\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n";
    is_problem(&send_raw(&address, in_chunks).await, 408, "request_timeout");
}

#[tokio::test]
async fn a_body_and_a_head_may_each_take_half_a_minute() {
    let limits = HttpLimits::default();
    assert_eq!((limits.body_timeout, limits.head_timeout), (Duration::from_secs(30), Duration::from_secs(30)));
}

#[tokio::test]
async fn a_late_head_ends_the_connection() {
    let address = server(HttpLimits { head_timeout: NO_TIME, ..HttpLimits::default() }).await;
    assert_eq!(send_raw(&address, b"GET / HTTP/1.1\r\nhost: he").await, "");
    assert_eq!(send_raw(&address, b"").await, "", "nor is a connection kept on which nothing comes");
}

#[tokio::test]
async fn a_body_that_is_too_large_or_broken_is_a_problem() {
    let address = server(HttpLimits { body_bytes_max: 3, ..HttpLimits::default() }).await;
    let large = b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 4\r\n\r\nfour";
    is_problem(&send_raw(&address, large).await, 413, "body_too_large");
    let broken = b"POST / HTTP/1.1\r\nhost: here\r\ntransfer-encoding: chunked\r\n\r\nno length\r\n";
    is_problem(&send_raw(&address, broken).await, 400, "malformed_request");
}

/// Requests with heads that the HTTP library rejects.
fn bad_heads() -> [(String, u16, &'static str); 5] {
    let long = "a".repeat(70_000);
    let many = "x-more: y\r\n".repeat(100);
    [
        (format!("GET /{long} HTTP/1.1\r\nhost: localhost\r\n\r\n"), 414, "uri_too_long"),
        (format!("GET / HTTP/1.1\r\nhost: localhost\r\n{many}\r\n"), 431, "headers_too_large"),
        ("GET / HTTP/1.1\r\nhost: localhost\r\nno colon\r\n\r\n".to_owned(), 400, "malformed_request"),
        ("GET / HTTP/3.7\r\nhost: localhost\r\n\r\n".to_owned(), 400, "malformed_request"),
        ("\u{1} is no request\r\n\r\n".to_owned(), 400, "malformed_request"),
    ]
}

#[tokio::test]
async fn a_request_rejected_by_the_http_library_is_a_problem_object() {
    let stack = LocalStack::start(&[]).await;
    let settings = [("CRON_SECRET", "local-secret"), ("AWS_ENDPOINT_URL_DYNAMODB", stack.dynamodb.as_str())];
    let function = FunctionServer::start("back-office", &settings).await;
    for url in [&stack.url, &function.url] {
        for (head, status, code) in bad_heads() {
            is_problem(&send_raw(url, head.as_bytes()).await, status, code);
        }
    }
    stack.stop("TERM").await;
}

#[tokio::test]
async fn a_rejection_after_an_answer_on_the_same_connection_is_a_problem() {
    let address = server(HttpLimits::default()).await;
    let answers = send_raw(&address, b"GET / HTTP/1.1\r\nhost: here\r\n\r\nGET / HTTP/9.9\r\n\r\n").await;
    let (first, second) = answers.split_once("taken").unwrap();
    assert!(first.starts_with(&format!("HTTP/1.1 {} ", StatusCode::OK.as_u16())), "{first}");
    is_problem(second, 400, "malformed_request");
}

#[tokio::test]
async fn http_2_is_not_supported() {
    let address = server(HttpLimits::default()).await;
    // The first bytes of an HTTP/2 client with prior knowledge.
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";
    let answer = send_raw(&address, preface).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{answer:?}");
}
