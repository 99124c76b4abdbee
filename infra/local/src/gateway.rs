//! Function URLs and the Lambda Invoke API on one port, at the paths that `cargo lambda watch` uses.
//!
//! Function URLs are at `/lambda-url/<function>/…`. The Invoke API is at
//! `/2015-03-31/functions/<function>/invocations`.

use std::{
    convert::Infallible,
    io::ErrorKind,
    net::{Ipv4Addr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts};
use serde_json::{Value, json, value::RawValue};
use shared::{
    domain::time,
    host::{self, Body, Bytes, HttpLimits, Listener, Response, response, serve, url_event},
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use crate::{
    guard::{self, AllowedPages},
    stack::Stack,
};

/// Held by each asynchronous invocation until it is finished.
type PendingInvocation = mpsc::Sender<Infallible>;

/// Prefix of a deployed function's name in a stack with the default name.
const STACK_NAME_PREFIX: &str = "regulars-";

/// Header that sets the clock of one request. Deployed functions ignore it.
const CLOCK_HEADER: &str = "x-regulars-now";

/// Listens on a port of the IPv4 and the IPv6 loopback address. `cargo lambda invoke` uses the IPv6 one. Port 0 selects
/// a free port.
pub async fn listen(port: u16) -> std::io::Result<Vec<Listener>> {
    let first = Listener::bind((Ipv4Addr::LOCALHOST, port).into()).await?;
    match Listener::bind((Ipv6Addr::LOCALHOST, first.address.port()).into()).await {
        Ok(second) => Ok(vec![first, second]),
        Err(error) if port != 0 && error.kind() == ErrorKind::AddrInUse => Err(error),
        // A machine may have no IPv6 loopback address.
        Err(_) => Ok(vec![first]),
    }
}

/// Answers requests until `stop`, then finishes the requests in flight and the accepted asynchronous invocations.
pub async fn run(
    listening: Vec<Listener>,
    stack: Arc<Stack>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (pending, mut all_finished) = mpsc::channel::<Infallible>(1);
    let answer = move |parts, body| answer(Arc::clone(&stack), pending.clone(), parts, body);
    let (stopping, stopped) = watch::channel(());
    let mut servers: JoinSet<std::io::Result<()>> = JoinSet::new();
    for listening in listening {
        let mut stopped = stopped.clone();
        let stop = async move { while stopped.changed().await.is_ok() {} };
        servers.spawn(serve(listening, HttpLimits::default(), answer.clone(), stop));
    }
    drop(answer);
    tokio::spawn(async move {
        stop.await;
        drop(stopping);
    });
    while let Some(ended) = servers.join_next().await {
        ended.map_err(std::io::Error::other)??;
    }
    // The channel closes when the last asynchronous invocation drops its sender.
    let _ = tokio::time::timeout(ASYNC_FINISH_MAX, all_finished.recv()).await;
    Ok(())
}

/// How long asynchronous invocations may run on after the stack was asked to stop.
const ASYNC_FINISH_MAX: Duration = Duration::from_secs(8);

async fn answer(stack: Arc<Stack>, pending: PendingInvocation, parts: Parts, body: Bytes) -> Response {
    let url =
        parts.uri.path().strip_prefix("/lambda-url/").map(|rest| rest.split_at(rest.find('/').unwrap_or(rest.len())));
    let cors = url.and_then(|(function, _)| stack.cors(function)).cloned();
    let is_allowed = cors.as_ref().is_some_and(|cors| cors.allowed_origin(&parts.headers).is_some());
    if let Some(rejection) =
        guard::reject(&parts, if is_allowed { AllowedPages::Any } else { AllowedPages::SameOrigin })
    {
        return rejection;
    }
    if let Some(answer) = cors.as_ref().and_then(|cors| cors.preflight(&parts)) {
        return answer;
    }
    let now = match clock_override(&parts.headers) {
        Ok(now) => now,
        Err(rule) => return problem(StatusCode::UNPROCESSABLE_ENTITY, &format!("{CLOCK_HEADER} {rule}")),
    };
    if let Some((function, path)) = url {
        let event = url_event(&parts, if path.is_empty() { "/" } else { path }, &body);
        let Some(answer) = stack.call(function, event, now).await else { return unknown_function(&stack, function) };
        let mut response = response(&answer.unwrap_or_default());
        if let Some(cors) = cors {
            cors.allow(&parts.headers, &mut response);
        }
        return response;
    }
    let path = parts.uri.path();
    let invoked = path.strip_prefix("/2015-03-31/functions/").and_then(|rest| rest.strip_suffix("/invocations"));
    match invoked {
        Some(_) if parts.method != Method::POST => {
            problem(StatusCode::METHOD_NOT_ALLOWED, "The Invoke API accepts POST only.")
        }
        Some(function) => invoke(stack, pending, function_name(function), &parts.headers, &body, now).await,
        None => problem(
            StatusCode::NOT_FOUND,
            "Functions answer at /lambda-url/<function>/… and /2015-03-31/functions/<function>/invocations.",
        ),
    }
}

/// The function's own name in each form that Lambda's API accepts: with the stack's name, with an alias, or as an ARN.
fn function_name(identifier: &str) -> String {
    let identifier = identifier.replace("%3A", ":");
    let name = identifier.rsplit_once(":function:").map_or(identifier.as_str(), |(_, name)| name);
    let name = name.split(':').next().unwrap_or_default();
    name.strip_prefix(STACK_NAME_PREFIX).unwrap_or(name).to_owned()
}

fn clock_override(headers: &HeaderMap) -> Result<Option<DateTime<Utc>>, &'static str> {
    let set =
        headers.get(CLOCK_HEADER).map(|value| value.to_str().map_err(|_| time::INSTANT_RULE).and_then(time::parse));
    set.transpose()
}

/// The Lambda Invoke API. A failed invocation is answered with 200 and marked in a header.
async fn invoke(
    stack: Arc<Stack>,
    pending: PendingInvocation,
    function: String,
    headers: &HeaderMap,
    body: &[u8],
    now: Option<DateTime<Utc>>,
) -> Response {
    let body = if body.is_empty() { b"{}" } else { body };
    let payload = serde_json::from_slice::<Box<RawValue>>(body);
    let payload = match payload {
        Ok(payload) => payload,
        Err(error) => return problem(StatusCode::BAD_REQUEST, &format!("The payload is not JSON: {error}.")),
    };
    if !stack.functions().any(|name| name == function) {
        return unknown_function(&stack, &function);
    }
    match headers.get("x-amz-invocation-type").and_then(|kind| kind.to_str().ok()) {
        Some("DryRun") => json_response(StatusCode::NO_CONTENT, None),
        Some("Event") => {
            tokio::spawn(async move {
                stack.call_until_done(&function, payload, now).await;
                drop(pending);
            });
            json_response(StatusCode::ACCEPTED, None)
        }
        _ => match stack.call(&function, payload, now).await {
            None => unknown_function(&stack, &function),
            Some(Ok(answer)) => json_response(StatusCode::OK, Some(&answer)),
            Some(Err(failure)) => {
                let error = json!({"errorType": failure.code, "errorMessage": failure.message});
                let mut response = json_response(StatusCode::OK, Some(&error));
                response.headers_mut().insert("x-amz-function-error", HeaderValue::from_static("Unhandled"));
                response
            }
        },
    }
}

fn unknown_function(stack: &Stack, function: &str) -> Response {
    let names = stack.functions().collect::<Vec<_>>().join(", ");
    problem(StatusCode::NOT_FOUND, &format!("There is no function {function}; there are {names}."))
}

fn problem(status: StatusCode, detail: &str) -> Response {
    let code = if status == StatusCode::NOT_FOUND { "unknown_route" } else { "invalid_request" };
    host::problem(status, code, detail)
}

fn json_response(status: StatusCode, body: Option<&Value>) -> Response {
    let mut response = Response::new(body.map_or_else(Body::default, |body| Body::from(body.to_string())));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
