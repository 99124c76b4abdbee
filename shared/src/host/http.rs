//! HTTP outside Lambda: a request becomes the function-URL event it would be in Lambda, and the answer a response.

use std::{net::SocketAddr, time::Duration};

use aws_lambda_events::lambda_function_urls::LambdaFunctionUrlRequest;
use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    response::Response,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderName, HeaderValue, StatusCode, request::Parts};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Value, value::RawValue};
use tokio::net::TcpListener;

use super::answer;
use crate::domain::rejection::Rejection;

/// A server that answers until it is told to stop.
pub struct Listening {
    listener: TcpListener,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Listening {
    /// Takes an address; port 0 is any free one.
    pub async fn on(address: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }
}

/// Answers every request by `answer` until `stop`; requests in flight are finished then, within [`GRACE`].
pub async fn serve<A, F>(
    listening: Listening,
    answer: A,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()>
where
    A: Fn(Parts, Bytes) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    let app = Router::new().fallback(move |request: Request| {
        let answer = answer.clone();
        async move {
            let (parts, body) = request.into_parts();
            match Limited::new(body, MAX_PAYLOAD).collect().await {
                Ok(body) => answer(parts, body.to_bytes()).await,
                Err(error) if error.is::<LengthLimitError>() => {
                    response(&answer::http(&Err(Rejection::BodyTooLarge.into())))
                }
                // It broke off: there is hardly anybody left to tell.
                Err(_) => status_only(StatusCode::BAD_REQUEST),
            }
        }
    });
    let (stopping, mut stopped) = tokio::sync::mpsc::channel::<()>(1);
    let stop = async move {
        stop.await;
        drop(stopping);
    };
    let overdue = async {
        let _ = stopped.recv().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = axum::serve(listening.listener, app).with_graceful_shutdown(stop) => ended,
        () = overdue => Ok(()),
    }
}

/// How long requests in flight may take to finish once the server is told to stop. Cloud Run ends a process ten seconds
/// after it has asked it to.
const GRACE: Duration = Duration::from_secs(8);

/// The largest body that is taken off the wire, in bytes: what Lambda itself takes. The host refuses far smaller ones,
/// in its turn; a client that is cut off while it sends may never see a refusal.
const MAX_PAYLOAD: usize = 6 * 1024 * 1024;

/// The function-URL event for a request to `path` of a function.
#[must_use]
pub fn url_event(parts: &Parts, path: &str, body: &[u8]) -> Box<RawValue> {
    let mut event = LambdaFunctionUrlRequest::default();
    event.version = Some("2.0".into());
    event.raw_path = Some(path.to_owned());
    event.raw_query_string = Some(parts.uri.query().unwrap_or_default().to_owned());
    // A header that is not text is nobody's here, and can't be written as JSON.
    for name in parts.headers.keys() {
        let given: Vec<&str> = parts.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
        // Those of one name come as one, as in Lambda: so two that say who asks are one that nobody has.
        if let (false, Ok(joined)) = (given.is_empty(), HeaderValue::from_str(&given.join(","))) {
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

fn status_only(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Listens from now on for the process being asked to end; resolves when it is.
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
