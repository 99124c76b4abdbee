//! The answer to each outcome: the only table of HTTP statuses, and the problem object of RFC 9457.

use serde::Serialize;
use serde_json::{Value, json};

use super::{declared::Success, invocation::InvocationError};
use crate::{
    domain::{
        rejection::{FieldError, Rejection, RejectionKind},
        zone,
    },
    failure::Failure,
};

/// The answer of a successful call.
#[derive(Debug)]
pub struct Reply<A> {
    success: Success,
    body: A,
}

impl<A> Reply<A> {
    /// 200: the requested result.
    #[must_use]
    pub const fn done(body: A) -> Self {
        Self { success: Success::Done, body }
    }

    /// 201: the call created something.
    #[must_use]
    pub const fn created(body: A) -> Self {
        Self { success: Success::Created, body }
    }

    /// 200: the first answer to a repeated request, with `replayed`.
    #[must_use]
    pub const fn replayed(body: A) -> Self {
        Self { success: Success::Replayed, body }
    }

    /// The same answer in another form.
    pub fn map<B>(self, form: impl FnOnce(A) -> B) -> Reply<B> {
        Reply { success: self.success, body: form(self.body) }
    }
}

/// The answer of a successful call, as JSON.
#[derive(Debug)]
pub(super) struct RawReply {
    pub(super) success: Success,
    body: Value,
}

impl<A: Serialize> From<Reply<A>> for RawReply {
    fn from(Reply { success, body }: Reply<A>) -> Self {
        // Every answer is a plain struct with text keys, so serialization cannot fail.
        let mut body = serde_json::to_value(body).unwrap_or_default();
        if let (Success::Replayed, Value::Object(fields)) = (success, &mut body) {
            fields.insert("replayed".into(), true.into());
        }
        Self { success, body }
    }
}

impl Success {
    /// The HTTP status.
    #[must_use]
    pub const fn http_status(self) -> u16 {
        match self {
            Self::Created => 201,
            Self::Done | Self::Replayed => 200,
        }
    }
}

/// The HTTP status of each kind of rejection.
#[must_use]
pub const fn http_status(kind: RejectionKind) -> u16 {
    match kind {
        RejectionKind::Unauthorized => 401,
        RejectionKind::TooLarge => 413,
        RejectionKind::UnknownRoute | RejectionKind::NotFound => 404,
        RejectionKind::MethodNotAllowed => 405,
        RejectionKind::Forbidden => 403,
        RejectionKind::UnsupportedEncoding => 415,
        RejectionKind::Unreadable => 400,
        RejectionKind::Invalid => 422,
        RejectionKind::PreconditionFailed => 412,
        RejectionKind::Conflict => 409,
    }
}

/// One element of `errors`.
#[derive(Serialize)]
struct FieldErrorView<'a> {
    field: &'a str,
    message: &'a str,
}

impl<'a> From<&'a FieldError> for FieldErrorView<'a> {
    fn from(FieldError { field, message }: &'a FieldError) -> Self {
        Self { field, message }
    }
}

/// The HTTP status and the problem object of a failure.
fn status_and_problem(failure: &Failure) -> (u16, Value) {
    let code = failure.code();
    match failure {
        Failure::Rejected(rejection) => {
            let status = http_status(rejection.kind());
            let mut body = problem_body(status, code, &rejection.to_string());
            let extra_members = match rejection {
                Rejection::Invalid(faults) => {
                    let errors: Vec<_> = faults.listed().iter().map(FieldErrorView::from).collect();
                    let unlisted = Some(("moreErrors", json!(faults.unlisted()))).filter(|_| faults.unlisted() > 0);
                    [Some(("errors", json!(errors))), unlisted]
                }
                // A problem object has a `status` of its own: the HTTP status.
                Rejection::BundleNotActive { status } => [Some(("bundleStatus", json!(status))), None],
                _ => [None, None],
            };
            if let Value::Object(fields) = &mut body {
                fields.extend(extra_members.into_iter().flatten().map(|(name, value)| (name.to_owned(), value)));
            }
            (status, body)
        }
        Failure::Retry(_) => (503, problem_body(503, code, "The store is busy. Try again in a moment.")),
        Failure::Internal(_) => (500, problem_body(500, code, "An internal error occurred and has been logged.")),
        Failure::NotConfigured(_) => (
            500,
            problem_body(
                500,
                code,
                "This function has no secret to authorize requests with. The error has been logged.",
            ),
        ),
    }
}

/// The response for a problem that no operation reports.
pub(super) fn problem_response(status: u16, code: &str, detail: &str) -> Value {
    response(status, "application/problem+json", &problem_body(status, code, detail), None)
}

pub(super) fn problem_body(status: u16, code: &str, detail: &str) -> Value {
    let title = code.replace('_', " ");
    json!({"type": format!("urn:regulars:problem:{code}"), "title": title, "status": status, "detail": detail, "code": code})
}

/// The response to an HTTP request.
pub(super) fn http_answer(outcome: &Result<RawReply, Failure>) -> Value {
    match outcome {
        Ok(reply) => response(reply.success.http_status(), "application/json", &reply.body, None),
        Err(failure) => {
            let (status, body) = status_and_problem(failure);
            let header = match failure {
                Failure::Rejected(Rejection::Unauthorized) => Some(("www-authenticate", "Bearer".to_owned())),
                Failure::Rejected(Rejection::MethodNotAllowed { allow }) => Some(("allow", allow.clone())),
                Failure::Retry(_) => Some(("retry-after", "1".to_owned())),
                Failure::Rejected(_) | Failure::Internal(_) | Failure::NotConfigured(_) => None,
            };
            response(status, "application/problem+json", &body, header)
        }
    }
}

/// The response to a health check.
pub(super) fn health_answer(method: &str) -> Value {
    if !matches!(method, "GET" | "HEAD") {
        return http_answer(&Err(Rejection::MethodNotAllowed { allow: "GET, HEAD".into() }.into()));
    }
    let body = json!({"status": "ok", "version": env!("CARGO_PKG_VERSION"), "zoneData": zone::data_version()});
    response(200, "application/json", &body, None)
}

/// The response to an OPTIONS request: the methods of the path. `rejection` is that of the method, or of the path.
pub(super) fn options_answer(rejection: Option<Rejection>) -> Value {
    match rejection {
        Some(Rejection::MethodNotAllowed { allow }) => {
            json!({"statusCode": 204, "headers": {"allow": format!("{allow}, OPTIONS")}, "body": ""})
        }
        other => http_answer(&Err(other.unwrap_or(Rejection::UnknownRoute).into())),
    }
}

/// The response to a request for the document of the function.
pub(super) fn document_answer(method: &str, document: &str) -> Value {
    if !matches!(method, "GET" | "HEAD") {
        return http_answer(&Err(Rejection::MethodNotAllowed { allow: "GET, HEAD".into() }.into()));
    }
    text_response(200, "application/json", document, None)
}

fn response(status: u16, content_type: &str, body: &Value, header: Option<(&str, String)>) -> Value {
    text_response(status, content_type, &body.to_string(), header)
}

fn text_response(status: u16, content_type: &str, body: &str, header: Option<(&str, String)>) -> Value {
    // An answer may hold a secret, such as a new org key. No cache may store it.
    let mut headers = json!({"content-type": content_type, "cache-control": "no-store"});
    if let (Some((name, value)), Value::Object(headers)) = (header, &mut headers) {
        headers.insert(name.into(), value.into());
    }
    // Lambda does not need `cookies`, but cargo-lambda's stand-in for Lambda does.
    json!({
        "statusCode": status, "headers": headers, "cookies": [], "body": body, "isBase64Encoded": false,
    })
}

/// The answer to a direct invocation: the body or the problem object. The invocation fails only if a retry may succeed
/// or the fault is internal.
pub(super) fn direct_answer(outcome: Result<RawReply, Failure>) -> Result<Value, InvocationError> {
    let failure = match outcome {
        Ok(reply) => return Ok(reply.body),
        Err(failure) => failure,
    };
    let message = match failure {
        Failure::Rejected(_) => return Ok(status_and_problem(&failure).1),
        Failure::Retry(_) => "The store is busy.",
        Failure::Internal(_) | Failure::NotConfigured(_) => "An internal error occurred.",
    };
    Err(InvocationError { code: failure.code(), message })
}

/// The answer to an event. A rejection by a rule completes the event.
///
/// The invocation fails if a later delivery may succeed: the store is busy, or a customer or an order is not known yet.
/// It also fails for a malformed event, which ends in the function's dead-letter queue instead of being lost.
pub(super) fn event_answer(outcome: Result<RawReply, Failure>) -> Result<Value, InvocationError> {
    let rejection = match outcome {
        Err(Failure::Rejected(rejection)) => rejection,
        outcome => return direct_answer(outcome),
    };
    let message = match rejection.kind() {
        RejectionKind::NotFound => "What this event is about is not known yet.",
        kind if is_malformed(kind) => "This event is malformed; the log names its fields.",
        _ => return direct_answer(Err(rejection.into())),
    };
    Err(InvocationError { code: rejection.code(), message })
}

/// Whether only the sender can correct the event. A repeated delivery of the event never succeeds.
pub(super) const fn is_malformed(kind: RejectionKind) -> bool {
    matches!(kind, RejectionKind::Unreadable | RejectionKind::Invalid)
}

/// The answer without its body, for a HEAD request.
pub(super) fn without_body(mut answer: Value) -> Value {
    if let Some(body) = answer.get_mut("body") {
        *body = Value::String(String::new());
    }
    answer
}
