//! HTTP outside Lambda: a request becomes a function-URL event, as in Lambda, and the answer becomes a response.

use aws_lambda_events::lambda_function_urls::LambdaFunctionUrlRequest;
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderName, HeaderValue, StatusCode, request::Parts};
use http_body_util::Full;
use hyper::body::Bytes;
use serde_json::{Value, value::RawValue};

use super::answer;

/// A complete body.
pub type Body = Full<Bytes>;

/// A response with a complete body.
pub type Response = http::Response<Body>;

/// The function-URL event for a request to `path`.
#[must_use]
pub fn url_event(parts: &Parts, path: &str, body: &[u8]) -> Box<RawValue> {
    let mut event = LambdaFunctionUrlRequest::default();
    event.version = Some("2.0".into());
    event.raw_path = Some(path.to_owned());
    event.raw_query_string = Some(parts.uri.query().unwrap_or_default().to_owned());
    // A header value that is not text is left out, because JSON cannot hold it.
    for name in parts.headers.keys() {
        let values: Vec<&str> = parts.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
        // Headers of one name are joined, as in Lambda. Two `Authorization` headers therefore match no credential.
        if let (false, Ok(joined)) = (values.is_empty(), HeaderValue::from_str(&values.join(","))) {
            event.headers.insert(name.clone(), joined);
        }
    }
    event.request_context.http.method = Some(parts.method.to_string());
    event.request_context.http.path = Some(path.to_owned());
    event.body = Some(BASE64_STANDARD.encode(body));
    event.is_base64_encoded = true;
    serde_json::value::to_raw_value(&event).unwrap_or_default()
}

/// The HTTP response for a function-URL answer.
#[must_use]
pub fn response(answer: &Value) -> Response {
    let status = answer.get("statusCode").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
    let status = status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::BAD_GATEWAY);
    let body = answer.get("body").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    for (name, value) in answer.get("headers").and_then(Value::as_object).into_iter().flatten() {
        let value = value.as_str().and_then(|value| HeaderValue::from_str(value).ok());
        if let (Ok(name), Some(value)) = (HeaderName::try_from(name), value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// The response for a problem that no operation reports.
#[must_use]
pub fn problem(status: StatusCode, code: &str, detail: &str) -> Response {
    response(&answer::problem_response(status.as_u16(), code, detail))
}

/// Registers handlers for SIGINT and SIGTERM. The future resolves at the first of them.
pub fn stop_signal() -> impl Future<Output = ()> + Send + 'static {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    async move {
        let (Ok(mut interrupt), Ok(mut terminate)) = signals else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}
