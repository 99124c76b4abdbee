//! A stand-in for Anthropic's Messages API: judges every customer of a request as the statistical model has, records
//! what it is sent, and can be told to fail in every way that the real one can.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use futures::{Stream, StreamExt, stream};
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, StreamBody};
use hyper::{
    body::{Bytes, Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Barrier};

use crate::{World, waits::Waits, world::Setup};

/// What it may answer.
#[derive(Debug, Clone)]
pub enum Say {
    /// A verdict for every customer: the statistical probability, and for how long they have not ordered.
    Verdicts,
    /// The same after a while.
    Slowly(Duration),
    /// The same, once so many requests wait for it.
    Together(Arc<Barrier>),
    /// The same, with what remains of each limit 0 and a reset in so many seconds.
    UsedUp(i64),
    /// Verdicts without those on the first customers, so many.
    Dropping(usize),
    /// Verdicts on more customers than there are.
    Inventing,
    /// The first verdict twice, each time another.
    Doubling,
    /// The first probability is this instead.
    Probability(Value),
    /// The first reasoning is this instead.
    Reasoning(Value),
    /// An answer that was cut off where the model may say no more.
    Truncated,
    /// A refusal.
    Refusal,
    /// A sentence.
    Prose,
    /// Bytes that are nothing.
    Garbage,
    /// More bytes than anybody reads.
    Endless,
    /// 429 with this `retry-after`, in seconds.
    RateLimited(&'static str),
    /// The same, once so many requests wait for it.
    RateLimitedTogether(Arc<Barrier>, &'static str),
    /// 429 with a `retry-after` that is a date, so many seconds ahead.
    RateLimitedUntil(i64),
    /// 429 because the account's tier may spend no more.
    SpendLimit,
    /// 400 because the account or the workspace may spend no more, by a limit of its own.
    OwnSpendLimit,
    /// 400 because there is no balance left.
    NoBalance,
    /// 529.
    Overloaded,
    /// An error of this status that says of itself what the key was.
    Status(u16),
    /// A redirect to another base URL.
    StatusUpdate(String),
    /// No answer, ever.
    Hang,
    /// The answer begins at once, and then comes a byte at a time without end.
    Drip,
    /// The connection ends without an answer.
    Close,
    /// The connection ends in the middle of an answer.
    Break,
}

impl Say {
    /// Every fault that asking again, at once or a little later, gets over.
    pub fn passing() -> Vec<Self> {
        vec![
            Self::UsedUp(1),
            Self::Dropping(1),
            Self::Inventing,
            Self::Doubling,
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
            Self::Break,
        ]
    }
}

/// A request, as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Method and path.
    pub line: String,
    /// The headers, in lower case.
    pub headers: HashMap<String, String>,
    /// The body.
    pub body: Bytes,
}

impl Seen {
    /// The body, read.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// What the model is asked about: the user's message, read.
    pub fn message(&self) -> Value {
        serde_json::from_str(self.json()["messages"][0]["content"].as_str().unwrap()).unwrap()
    }

    /// The customers it is about.
    pub fn customers(&self) -> Vec<Value> {
        self.message()["customers"].as_array().unwrap().clone()
    }
}

#[derive(Default)]
struct State {
    script: VecDeque<Say>,
    always: Option<Say>,
    at_random: Option<(fastrand::Rng, usize)>,
    seen: Vec<Seen>,
    in_flight: usize,
    most_at_once: usize,
}

/// The stand-in.
#[derive(Clone)]
pub struct Anthropic {
    state: Arc<Mutex<State>>,
    url: String,
}

/// A world whose functions ask a stand-in, with these settings, and wait for nothing.
pub async fn asking(settings: &[(&'static str, &str)]) -> (World, Anthropic, Waits) {
    let (anthropic, waits) = (Anthropic::start().await, Waits::default());
    let mut environment =
        vec![("ANTHROPIC_BASE_URL", anthropic.url()), ("ANTHROPIC_API_KEY", "sk-ant-of-the-tests".to_owned())];
    environment.extend(settings.iter().map(|(name, value)| (*name, (*value).to_owned())));
    let world = World::with(Setup { environment, sleeper: waits.sleeper(), ..Setup::default() }).await;
    (world, anthropic, waits)
}

impl Anthropic {
    /// Starts one on any free port; it answers rightly until it is told otherwise.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let anthropic = Self { state: Arc::default(), url };
        let state = Arc::clone(&anthropic.state);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let state = Arc::clone(&state);
                let service = service_fn(move |request| answer(Arc::clone(&state), request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(connection), service));
            }
        });
        anthropic
    }

    /// Where it answers: the base URL.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The next requests are answered so, one by one; those after them rightly, or as [`Self::always`] says.
    pub fn script(&self, says: impl IntoIterator<Item = Say>) {
        self.state.lock().unwrap().script = says.into_iter().collect();
    }

    /// Every request that no script is for is answered so.
    pub fn always(&self, say: Say) {
        self.state.lock().unwrap().always = Some(say);
    }

    /// Every request that no script is for meets a passing fault with a chance of one in `one_in`.
    pub fn at_random(&self, seed: u64, one_in: usize) {
        self.state.lock().unwrap().at_random = Some((fastrand::Rng::with_seed(seed), one_in));
    }

    /// The requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.state.lock().unwrap().seen.clone()
    }

    /// How many requests there were at once, at most.
    pub fn most_at_once(&self) -> usize {
        self.state.lock().unwrap().most_at_once
    }
}

impl State {
    fn next(&mut self) -> Say {
        let random = self.at_random.as_mut().and_then(|(rng, one_in)| {
            let hit = rng.usize(0..*one_in) == 0;
            hit.then(|| rng.choice(Say::passing()).unwrap())
        });
        self.script.pop_front().or(random).or_else(|| self.always.clone()).unwrap_or(Say::Verdicts)
    }
}

/// A request that is counted while it is being answered, even if whoever sent it gives it up.
struct InFlight(Arc<Mutex<State>>);

impl InFlight {
    fn begin(state: &Arc<Mutex<State>>, seen: Seen) -> (Self, Say) {
        let mut locked = state.lock().unwrap();
        locked.seen.push(seen);
        locked.in_flight += 1;
        locked.most_at_once = locked.most_at_once.max(locked.in_flight);
        let say = locked.next();
        drop(locked);
        (Self(Arc::clone(state)), say)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.lock().unwrap().in_flight -= 1;
    }
}

/// The connection ends.
#[derive(Debug)]
struct Closed;

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("closed")
    }
}

impl std::error::Error for Closed {}

type Chunks = Vec<Result<Frame<Bytes>, Closed>>;

async fn answer(
    state: Arc<Mutex<State>>,
    request: Request<Incoming>,
) -> Result<Response<StreamBody<impl Stream<Item = Result<Frame<Bytes>, Closed>>>>, Closed> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Closed)?.to_bytes();
    let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
    let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let seen = Seen { line: format!("{} {}", parts.method, parts.uri.path()), headers, body };
    let (_in_flight, say) = InFlight::begin(&state, seen.clone());
    match &say {
        Say::Slowly(by) => tokio::time::sleep(*by).await,
        Say::Together(all) | Say::RateLimitedTogether(all, _) => {
            all.wait().await;
        }
        Say::Hang => std::future::pending().await,
        Say::Close => return Err(Closed),
        _ => {}
    }
    let drips = if matches!(say, Say::Drip) { usize::MAX } else { 0 };
    let dripping = stream::repeat_with(|| Ok(Frame::data(Bytes::from_static(b" ")))).take(drips).then(|byte| async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        byte
    });
    Ok(said(&say, &seen).map(|chunks| StreamBody::new(stream::iter(chunks).chain(dripping))))
}

fn said(say: &Say, seen: &Seen) -> Response<Chunks> {
    let mut verdicts: Vec<Value> = seen.customers().iter().map(verdict).collect();
    match say {
        Say::RateLimited(after) | Say::RateLimitedTogether(_, after) => {
            let mut response = error(429, "rate_limit_error", "This request would exceed a rate limit.", &Value::Null);
            response.headers_mut().insert("retry-after", after.parse().unwrap());
            return response;
        }
        Say::RateLimitedUntil(seconds) => {
            let mut response = error(429, "rate_limit_error", "This request would exceed a rate limit.", &Value::Null);
            let now = wrong_clock();
            response.headers_mut().insert("date", http_date(now));
            response.headers_mut().insert("retry-after", http_date(now + TimeDelta::seconds(*seconds)));
            return response;
        }
        Say::StatusUpdate(to) => {
            let mut response = response(307, Vec::new());
            response.headers_mut().insert("location", format!("{to}/v1/messages").parse().unwrap());
            return response;
        }
        Say::SpendLimit => {
            let details = json!({"error_code": "enforced_spend_limit_reached"});
            return error(429, "rate_limit_error", "Usage is paused until next month.", &details);
        }
        Say::OwnSpendLimit => {
            let message = "You have reached your specified workspace API usage limits.";
            return error(400, "invalid_request_error", message, &Value::Null);
        }
        Say::NoBalance => {
            let message = "Your credit balance is too low to access the Anthropic API.";
            return error(400, "invalid_request_error", message, &Value::Null);
        }
        Say::Overloaded => return error(529, "overloaded_error", "Overloaded", &Value::Null),
        Say::Status(status) => {
            let message = format!("This came with the key {}", seen.headers["x-api-key"]);
            return error(*status, "api_error", &message, &Value::Null);
        }
        Say::Garbage => return response(200, b"\x00\xff<html>".to_vec()),
        Say::Endless => return response(200, vec![b' '; 2 * 1024 * 1024]),
        Say::Truncated => {
            let whole = json!({ "verdicts": verdicts }).to_string();
            return message("max_tokens", &whole[..whole.len() / 2]);
        }
        Say::Refusal => return message("refusal", ""),
        Say::Prose => return message("end_turn", "All of these customers are likely to stay."),
        Say::Dropping(first) => drop(verdicts.drain(..*first)),
        Say::Inventing => {
            let numbers = [json!(0), json!(verdicts.len() + 1), json!(-1), json!("1")];
            verdicts.extend(numbers.map(
                |customer| json!({"customer": customer, "reasoning": "Nobody knows this one.", "churnProbability": 50}),
            ));
        }
        Say::Doubling => {
            let mut other = verdicts[0].clone();
            other["churnProbability"] = json!(0.5);
            verdicts.push(other);
        }
        Say::Probability(probability) => verdicts[0]["churnProbability"] = probability.clone(),
        Say::Reasoning(reasoning) => verdicts[0]["reasoning"] = reasoning.clone(),
        Say::Drip => return response(200, b"{".to_vec()),
        Say::Verdicts | Say::Slowly(_) | Say::Together(_) | Say::UsedUp(_) | Say::Hang | Say::Close | Say::Break => {}
    }
    let mut response = message("end_turn", &json!({ "verdicts": verdicts }).to_string());
    match say {
        Say::UsedUp(seconds) => use_up(&mut response, *seconds),
        Say::Break => response.body_mut().push(Err(Closed)),
        _ => {}
    }
    response
}

fn verdict(customer: &Value) -> Value {
    let reasoning = format!("Has not ordered for {} days.", customer["daysSinceLastOrder"]);
    let probability = &customer["statisticalProbability"];
    json!({"customer": customer["customer"], "reasoning": reasoning, "churnProbability": probability})
}

/// An answer of the model, with what it thought before.
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

/// The time by a clock of its own.
fn wrong_clock() -> DateTime<Utc> {
    crate::instant("2031-05-06T07:08:09Z")
}

fn http_date(instant: DateTime<Utc>) -> HeaderValue {
    instant.format("%a, %d %b %Y %H:%M:%S GMT").to_string().parse().unwrap()
}

fn use_up(response: &mut Response<Chunks>, seconds: i64) {
    let now = wrong_clock();
    let reset = now + TimeDelta::seconds(seconds);
    let headers = response.headers_mut();
    headers.insert("date", http_date(now));
    for (counted, remaining, reset) in [("requests", "0", reset), ("tokens", "17", now + TimeDelta::hours(1))] {
        let name = |what: &str| http::HeaderName::try_from(format!("anthropic-ratelimit-{counted}-{what}")).unwrap();
        headers.insert(name("remaining"), remaining.parse().unwrap());
        headers.insert(name("reset"), shared::domain::time::text(reset).parse().unwrap());
    }
}
