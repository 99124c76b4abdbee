//! The wire between SDK and engine: a proxy that counts requests and, told so, makes one fail or all from one on. It lets
//! each function do what its role in the template allows, and nothing else.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
    time::Duration,
};

use http::{Request, Response, StatusCode, request::Parts};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Notify};

use crate::roles::{self, Actions};

/// What can happen to a request on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It never arrives: a crash, or a broken connection, before the commit.
    DropRequest,
    /// It is carried out and its answer is lost: a crash, or a broken connection, after the commit.
    DropResponse,
    /// It hangs, and its connection with it.
    Hang,
    /// Another transaction holds one of its items. Only transactions meet this; others are let through.
    Conflict,
    /// One of a transaction's items is throttled. Only transactions meet this; others are let through.
    ThrottledItem,
    /// Nothing of a batch was done. Only batches meet this; others are let through.
    Unprocessed,
    /// The table is throttled.
    Throttle,
    /// The service has an error of its own.
    ServerError,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::DropRequest,
        Self::DropResponse,
        Self::Hang,
        Self::Conflict,
        Self::ThrottledItem,
        Self::Unprocessed,
        Self::Throttle,
        Self::ServerError,
    ];

    /// Whether a request of this operation can meet it.
    pub fn meets(self, operation: &str) -> bool {
        match self {
            Self::Conflict | Self::ThrottledItem => operation == "TransactWriteItems",
            Self::Unprocessed => operation.starts_with("Batch"),
            Self::DropRequest | Self::DropResponse | Self::Hang | Self::Throttle | Self::ServerError => true,
        }
    }
}

/// How long a fault lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasting {
    /// The one request.
    Once,
    /// That request and all after it, until [`Wire::heal`].
    UntilHealed,
}

#[derive(Default)]
struct State {
    seen: Vec<String>,
    /// What each function has done.
    taken: BTreeMap<String, Actions>,
    plan: Option<(usize, Fault, Lasting)>,
    at_random: Option<(fastrand::Rng, usize)>,
    empty_pages: usize,
    slow: Option<Duration>,
    /// What queries were answered while the index lags.
    lagging: Option<HashMap<String, Bytes>>,
    torn: Option<Torn>,
}

/// A batch read that is not one moment: part of it is answered, and the rest only after something else has happened.
#[derive(Clone)]
struct Torn {
    first: &'static str,
    half_read: Arc<Notify>,
    go_on: Arc<Notify>,
}

/// The proxy, seen from the test.
#[derive(Clone)]
pub struct Wire {
    state: Arc<Mutex<State>>,
    endpoint: String,
}

type Forward = Client<HttpConnector, Full<Bytes>>;

impl Wire {
    /// A wire to the engine at `engine`.
    pub async fn to(engine: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let wire = Self { state: Arc::default(), endpoint };
        let (state, engine) = (Arc::clone(&wire.state), engine.trim_end_matches('/').to_owned());
        let roles = Arc::new(roles::on_the_table());
        let forward: Forward = Client::builder(TokioExecutor::new()).build_http();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (state, engine, forward) = (Arc::clone(&state), engine.clone(), forward.clone());
                let roles = Arc::clone(&roles);
                let service = service_fn(move |request| {
                    let (state, roles) = (Arc::clone(&state), Arc::clone(&roles));
                    carry(state, roles, forward.clone(), engine.clone(), request)
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(connection), service));
            }
        });
        wire
    }

    /// Where the SDK is to connect to, with every right.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Where a function is to connect to, with the rights of its role.
    pub fn endpoint_of(&self, function: &str) -> String {
        format!("{}/{function}", self.endpoint)
    }

    /// What each function has done since this was last asked.
    pub fn take_taken(&self) -> BTreeMap<String, Actions> {
        std::mem::take(&mut self.state.lock().unwrap().taken)
    }

    /// From now on: the request with this number, counted from 0, meets a fault.
    pub fn fail(&self, number: usize, fault: Fault, lasting: Lasting) {
        let mut state = self.state.lock().unwrap();
        state.seen.clear();
        state.plan = Some((number, fault, lasting));
    }

    /// From now on: every request meets some fault with a chance of one in `one_in`.
    pub fn fail_at_random(&self, seed: u64, one_in: usize) {
        self.state.lock().unwrap().at_random = Some((fastrand::Rng::with_seed(seed), one_in));
    }

    /// From now on: so many queries of the index answer an empty page that is not the last.
    pub fn answer_empty_pages(&self, pages: usize) {
        self.state.lock().unwrap().empty_pages = pages;
    }

    /// From now on: every query takes so long.
    pub fn slow_queries(&self, by: Option<Duration>) {
        self.state.lock().unwrap().slow = by;
    }

    /// From now on the index lags: a query is answered as it was the first time.
    pub fn let_the_index_lag(&self) {
        self.state.lock().unwrap().lagging = Some(HashMap::new());
    }

    /// The next batch read answers only those keys at first whose partitions begin so, and leaves the rest unprocessed.
    /// Answers two signals: that it has read half, and that it may go on.
    pub fn tear_next_read(&self, first: &'static str) -> (Arc<Notify>, Arc<Notify>) {
        let torn = Torn { first, half_read: Arc::default(), go_on: Arc::default() };
        let signals = (Arc::clone(&torn.half_read), Arc::clone(&torn.go_on));
        self.state.lock().unwrap().torn = Some(torn);
        signals
    }

    /// Whether no request is to meet a fault.
    pub fn is_whole(&self) -> bool {
        let state = self.state.lock().unwrap();
        state.plan.is_none() && state.at_random.is_none()
    }

    /// No more faults.
    pub fn heal(&self) {
        let mut state = self.state.lock().unwrap();
        state.plan = None;
        state.at_random = None;
    }

    /// The operations requested since this was last asked, as `BatchGetItem`.
    pub fn take_seen(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().seen)
    }
}

impl State {
    fn next_fault(&mut self, operation: &str) -> Option<Fault> {
        let number = self.seen.len();
        self.seen.push(operation.to_owned());
        let planned = self.plan.filter(|(at, _, lasting)| match lasting {
            Lasting::Once => number == *at,
            Lasting::UntilHealed => number >= *at,
        });
        let random = self.at_random.as_mut().and_then(|(rng, one_in)| {
            let hit = rng.usize(0..*one_in) == 0;
            // Hanging is left to those who wait for it.
            let quick: Vec<Fault> = Fault::ALL.into_iter().filter(|fault| *fault != Fault::Hang).collect();
            hit.then(|| quick[rng.usize(0..quick.len())])
        });
        let fault = planned.map(|(_, fault, _)| fault).or(random);
        fault.filter(|fault| fault.meets(operation))
    }
}

/// A request lost, or its answer: the connection ends without one.
#[derive(Debug)]
struct Lost;

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("lost")
    }
}

impl std::error::Error for Lost {}

async fn carry(
    state: Arc<Mutex<State>>,
    roles: Arc<BTreeMap<String, Actions>>,
    forward: Forward,
    engine: String,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Lost> {
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
    let (mut parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Lost)?.to_bytes();
    let function = parts.uri.path().trim_matches('/');
    if !function.is_empty() {
        let taken = roles::taken(&operation, &body);
        if let Some(action) = taken.iter().find(|action| !roles[function].contains(*action)) {
            eprintln!("the role of {function} does not allow {action}");
            return Ok(error(StatusCode::BAD_REQUEST, "AccessDeniedException", &json!({})));
        }
        state.lock().unwrap().taken.entry(function.to_owned()).or_default().extend(taken);
    }
    let torn = if operation == "BatchGetItem" { state.lock().unwrap().torn.take() } else { None };
    if let Some(torn) = torn {
        return torn.carry(parts, &body, &forward, &engine).await;
    }
    let fault = {
        let mut state = state.lock().unwrap();
        let fault = state.next_fault(&operation);
        if operation == "Query" && state.empty_pages > 0 {
            state.empty_pages -= 1;
            return Ok(empty_page(&body));
        }
        fault
    };
    let slow = state.lock().unwrap().slow.filter(|_| operation == "Query");
    if let Some(by) = slow {
        tokio::time::sleep(by).await;
    }
    match fault {
        Some(Fault::DropRequest) => return Err(Lost),
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Conflict) => return Ok(cancelled(&body, "TransactionConflict")),
        Some(Fault::ThrottledItem) => return Ok(cancelled(&body, "ThrottlingError")),
        Some(Fault::Unprocessed) => return Ok(unprocessed(&operation, &body)),
        Some(Fault::Throttle) => {
            return Ok(error(StatusCode::BAD_REQUEST, "ProvisionedThroughputExceededException", &json!({})));
        }
        Some(Fault::ServerError) => {
            return Ok(error(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", &json!({})));
        }
        Some(Fault::DropResponse) | None => {}
    }
    let is_of_index = |body: &Bytes| body.windows(9).any(|window| window == b"IndexName");
    // Read, because the same request is written in another order each time.
    let query = (operation == "Query" && is_of_index(&body))
        .then(|| serde_json::from_slice::<Value>(&body).unwrap().to_string());
    parts.uri = engine.parse().unwrap();
    let answer = forward.request(Request::from_parts(parts, Full::new(body))).await.map_err(|_| Lost)?;
    let (mut parts, body) = answer.into_parts();
    let mut body = body.collect().await.map_err(|_| Lost)?.to_bytes();
    if let (Some(query), Some(lagging)) = (query, &mut state.lock().unwrap().lagging) {
        body = lagging.entry(query).or_insert(body).clone();
        // It counts the bytes of the other answer.
        for of_the_other in ["content-length", "x-amz-crc32"] {
            parts.headers.remove(of_the_other);
        }
    }
    if fault == Some(Fault::DropResponse) { Err(Lost) } else { Ok(Response::from_parts(parts, Full::new(body))) }
}

impl Torn {
    async fn carry(
        self,
        mut parts: Parts,
        body: &[u8],
        forward: &Forward,
        engine: &str,
    ) -> Result<Response<Full<Bytes>>, Lost> {
        let mut request: Value = serde_json::from_slice(body).unwrap();
        let items = request["RequestItems"].as_object_mut().unwrap();
        let (table, wanted) = items.iter_mut().next().unwrap();
        let (table, mut rest) = (table.clone(), wanted.clone());
        let is_first = |key: &Value| key["pk"]["S"].as_str().unwrap().starts_with(self.first);
        wanted["Keys"].as_array_mut().unwrap().retain(is_first);
        rest["Keys"].as_array_mut().unwrap().retain(|key| !is_first(key));
        parts.uri = engine.parse().unwrap();
        parts.headers.remove("content-length");
        let half = Full::new(Bytes::from(request.to_string()));
        let half = forward.request(Request::from_parts(parts, half)).await.map_err(|_| Lost)?;
        let half = half.into_body().collect().await.map_err(|_| Lost)?.to_bytes();
        let mut read: Value = serde_json::from_slice(&half).unwrap();
        read["UnprocessedKeys"] = json!({ table: rest });
        self.half_read.notify_one();
        self.go_on.notified().await;
        Ok(answer(StatusCode::OK, &read))
    }
}

/// A cancelled transaction, for a reason that its first item has.
fn cancelled(body: &[u8], reason: &str) -> Response<Full<Bytes>> {
    let request: Value = serde_json::from_slice(body).unwrap();
    let items = request["TransactItems"].as_array().map_or(1, Vec::len);
    let reasons: Vec<Value> = (0..items).map(|item| json!({"Code": if item == 0 { reason } else { "None" }})).collect();
    error(StatusCode::BAD_REQUEST, "TransactionCanceledException", &json!({ "CancellationReasons": reasons }))
}

/// A batch of which nothing was done.
fn unprocessed(operation: &str, body: &[u8]) -> Response<Full<Bytes>> {
    let request: Value = serde_json::from_slice(body).unwrap();
    let left = if operation == "BatchGetItem" { "UnprocessedKeys" } else { "UnprocessedItems" };
    answer(StatusCode::OK, &json!({ left: request["RequestItems"], "Responses": {} }))
}

/// An empty page that is not the last: the list begins just after the position it names.
fn empty_page(body: &[u8]) -> Response<Full<Bytes>> {
    let request: Value = serde_json::from_slice(body).unwrap();
    let first = if request["ScanIndexForward"] == false { "9999" } else { "0" };
    let list = &request["ExpressionAttributeValues"][":list"];
    let position = json!({"pk": {"S": "-"}, "sk": {"S": "-"}, "list": list, "at": {"S": first}});
    answer(StatusCode::OK, &json!({"Count": 0, "ScannedCount": 0, "Items": [], "LastEvaluatedKey": position}))
}

fn error(status: StatusCode, code: &str, fields: &Value) -> Response<Full<Bytes>> {
    let mut body = fields.clone();
    body["__type"] = format!("com.amazonaws.dynamodb.v20120810#{code}").into();
    body["message"] = format!("injected {code}").into();
    answer(status, &body)
}

fn answer(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let response = Response::builder().status(status).header("content-type", "application/x-amz-json-1.0");
    response.body(Full::from(body.to_string())).unwrap()
}
