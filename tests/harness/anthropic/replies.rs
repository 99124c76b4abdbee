//! The replies of the stand-in.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderValue, Response};
use hyper::body::{Bytes, Frame};
use serde_json::{Value, json};
use tokio::sync::Barrier;

use super::received_request::ReceivedRequest;

/// A reply of the stand-in.
#[derive(Debug, Clone)]
pub enum ApiReply {
    /// A verdict on every customer: the statistical probability, and the days since the last order.
    Verdicts,
    /// [`Self::Verdicts`] after a delay.
    Delayed(Duration),
    /// [`Self::Verdicts`] once as many requests wait as the barrier is for.
    AfterBarrier(Arc<Barrier>),
    /// [`Self::Verdicts`] with rate limits that are used up and reset in this many seconds.
    LimitExhausted(i64),
    /// No verdicts on the first customers, this many.
    OmitFirst(usize),
    /// Verdicts on customers that are not in the request, too.
    UnknownCustomers,
    /// A second, different verdict on the first customer.
    DuplicateVerdict,
    /// This value as the first probability.
    Probability(Value),
    /// This value as the first reasoning.
    Reasoning(Value),
    /// Half a reply, with the stop reason `max_tokens`.
    Truncated,
    /// The stop reason `refusal`.
    Refusal,
    /// A sentence instead of JSON.
    Prose,
    /// Bytes that are not JSON.
    Garbage,
    /// A body above the client's size limit.
    Oversized,
    /// 429 with this `retry-after`, in seconds.
    RateLimited(&'static str),
    /// [`Self::RateLimited`] once as many requests wait as the barrier is for.
    RateLimitedAfterBarrier(Arc<Barrier>, &'static str),
    /// 429 with a date as `retry-after`, this many seconds ahead.
    RateLimitedUntil(i64),
    /// 429, because the spend limit of the account's tier is reached.
    SpendLimit,
    /// 400, because the spend limit of the workspace is reached.
    WorkspaceSpendLimit,
    /// 400, because the credit balance is too low.
    NoCredit,
    /// 529.
    Overloaded,
    /// An error with this status, whose message repeats the API key.
    Status(u16),
    /// A redirect to another base URL.
    Redirect(String),
    /// No reply, ever.
    Hang,
    /// A body that begins at once and goes on byte by byte without end.
    Trickle,
    /// A connection that closes without a reply.
    Close,
    /// A connection that closes within a body.
    CutOff,
}

impl ApiReply {
    /// The faults that a retry overcomes.
    pub fn transient_faults() -> Vec<Self> {
        vec![
            Self::LimitExhausted(1),
            Self::OmitFirst(1),
            Self::UnknownCustomers,
            Self::DuplicateVerdict,
            Self::Probability(json!(100.01)),
            Self::Reasoning(json!("")),
            Self::Truncated,
            Self::Refusal,
            Self::Prose,
            Self::Garbage,
            Self::RateLimited("1"),
            Self::Overloaded,
            Self::Status(500),
            Self::Close,
            Self::CutOff,
        ]
    }
}

/// The connection closes without a complete reply.
#[derive(Debug)]
pub(super) struct Closed;

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("closed")
    }
}

impl std::error::Error for Closed {}

type Chunks = Vec<Result<Frame<Bytes>, Closed>>;

/// The response with a reply to a request.
pub(super) fn respond(reply: &ApiReply, request: &ReceivedRequest) -> Response<Chunks> {
    failure(reply, request).unwrap_or_else(|| success(reply, request))
}

/// The response of a reply with another status than 200.
fn failure(reply: &ApiReply, request: &ReceivedRequest) -> Option<Response<Chunks>> {
    let response = match reply {
        ApiReply::RateLimited(after) | ApiReply::RateLimitedAfterBarrier(_, after) => {
            let mut response = error(429, "rate_limit_error", "This request would exceed a rate limit.", &Value::Null);
            response.headers_mut().insert("retry-after", after.parse().unwrap());
            response
        }
        ApiReply::RateLimitedUntil(seconds) => {
            let mut response = error(429, "rate_limit_error", "This request would exceed a rate limit.", &Value::Null);
            let now = server_clock();
            response.headers_mut().insert("date", http_date(now));
            response.headers_mut().insert("retry-after", http_date(now + TimeDelta::seconds(*seconds)));
            response
        }
        ApiReply::Redirect(url) => {
            let mut response = response(307, Vec::new());
            response.headers_mut().insert("location", format!("{url}/v1/messages").parse().unwrap());
            response
        }
        ApiReply::SpendLimit => {
            let details = json!({"error_code": "enforced_spend_limit_reached"});
            error(429, "rate_limit_error", "Usage is paused until next month.", &details)
        }
        ApiReply::WorkspaceSpendLimit => {
            let message = "You have reached your specified workspace API usage limits.";
            error(400, "invalid_request_error", message, &Value::Null)
        }
        ApiReply::NoCredit => {
            let message = "Your credit balance is too low to access the Anthropic API.";
            error(400, "invalid_request_error", message, &Value::Null)
        }
        ApiReply::Overloaded => error(529, "overloaded_error", "Overloaded", &Value::Null),
        ApiReply::Status(status) => {
            let message = format!("This came with the key {}", request.headers["x-api-key"]);
            error(*status, "api_error", &message, &Value::Null)
        }
        _ => return None,
    };
    Some(response)
}

/// The response of a reply with status 200.
fn success(reply: &ApiReply, request: &ReceivedRequest) -> Response<Chunks> {
    let mut verdicts: Vec<Value> = request.customers().iter().map(verdict).collect();
    match reply {
        ApiReply::Garbage => return response(200, b"\x00\xff<html>".to_vec()),
        ApiReply::Oversized => return response(200, vec![b' '; 2 * 1024 * 1024]),
        ApiReply::Truncated => {
            let whole = json!({ "verdicts": verdicts }).to_string();
            return message("max_tokens", &whole[..whole.len() / 2]);
        }
        ApiReply::Refusal => return message("refusal", ""),
        ApiReply::Prose => return message("end_turn", "All of these customers are likely to stay."),
        ApiReply::OmitFirst(first) => drop(verdicts.drain(..*first)),
        ApiReply::UnknownCustomers => {
            let numbers = [json!(0), json!(verdicts.len() + 1), json!(-1), json!("1")];
            verdicts.extend(numbers.map(
                |customer| json!({"customer": customer, "reasoning": "This customer is unknown.", "churnProbability": 50}),
            ));
        }
        ApiReply::DuplicateVerdict => {
            let mut other = verdicts[0].clone();
            other["churnProbability"] = json!(0.5);
            verdicts.push(other);
        }
        ApiReply::Probability(probability) => verdicts[0]["churnProbability"] = probability.clone(),
        ApiReply::Reasoning(reasoning) => verdicts[0]["reasoning"] = reasoning.clone(),
        ApiReply::Trickle => return response(200, b"{".to_vec()),
        _ => {}
    }
    let mut response = message("end_turn", &json!({ "verdicts": verdicts }).to_string());
    match reply {
        ApiReply::LimitExhausted(seconds) => add_exhausted_limits(&mut response, *seconds),
        ApiReply::CutOff => response.body_mut().push(Err(Closed)),
        _ => {}
    }
    response
}

fn verdict(customer: &Value) -> Value {
    let reasoning = format!("Has not ordered for {} days.", customer["daysSinceLastOrder"]);
    let probability = &customer["statisticalProbability"];
    json!({"customer": customer["customer"], "reasoning": reasoning, "churnProbability": probability})
}

/// A message of the model, with a thinking block before the text.
fn message(stop_reason: &str, text: &str) -> Response<Chunks> {
    let content =
        [json!({"type": "thinking", "thinking": "", "signature": "s"}), json!({"type": "text", "text": text})];
    let body = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "a-model", "content": content,
        "stop_reason": stop_reason, "stop_sequence": null, "usage": {"input_tokens": 1000, "output_tokens": 500},
    });
    response(200, body.to_string().into_bytes())
}

fn error(status: u16, kind: &str, message: &str, details: &Value) -> Response<Chunks> {
    let error = json!({"type": kind, "message": message, "details": details});
    response(status, json!({"type": "error", "error": error, "request_id": "req_1"}).to_string().into_bytes())
}

fn response(status: u16, body: Vec<u8>) -> Response<Chunks> {
    let chunks = vec![Ok(Frame::data(body.into()))];
    Response::builder().status(status).header("content-type", "application/json").body(chunks).unwrap()
}

/// The time of the stand-in's clock, which differs from the client's.
fn server_clock() -> DateTime<Utc> {
    crate::instant("2031-05-06T07:08:09Z")
}

fn http_date(instant: DateTime<Utc>) -> HeaderValue {
    instant.format("%a, %d %b %Y %H:%M:%S GMT").to_string().parse().unwrap()
}

fn add_exhausted_limits(response: &mut Response<Chunks>, seconds: i64) {
    let now = server_clock();
    let reset = now + TimeDelta::seconds(seconds);
    let headers = response.headers_mut();
    headers.insert("date", http_date(now));
    for (limit, remaining, reset) in [("requests", "0", reset), ("tokens", "17", now + TimeDelta::hours(1))] {
        let name = |field: &str| http::HeaderName::try_from(format!("anthropic-ratelimit-{limit}-{field}")).unwrap();
        headers.insert(name("remaining"), remaining.parse().unwrap());
        headers.insert(name("reset"), shared::domain::time::text(reset).parse().unwrap());
    }
}
