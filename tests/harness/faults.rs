//! The proxy between the functions and DynamoDB. It counts requests and injects faults. It rejects every action that the
//! role of the calling function does not allow.

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

/// A fault that a request can meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The request is lost: a crash or a broken connection before the commit.
    DropRequest,
    /// The request is executed and its response is lost: a crash or a broken connection after the commit.
    DropResponse,
    /// The request gets no response, and its connection stays open.
    Hang,
    /// `TransactionConflict` on one item. Only transactions meet this fault.
    Conflict,
    /// `ThrottlingError` on one item. Only transactions meet this fault.
    ThrottledItem,
    /// The whole batch comes back unprocessed. Only batches meet this fault.
    Unprocessed,
    /// `ProvisionedThroughputExceededException`.
    Throttle,
    /// `InternalServerError`.
    ServerError,
}

impl Fault {
    /// Every fault.
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

    /// Whether a request of this operation can meet the fault.
    pub fn meets(self, operation: &str) -> bool {
        match self {
            Self::Conflict | Self::ThrottledItem => operation == "TransactWriteItems",
            Self::Unprocessed => operation.starts_with("Batch"),
            Self::DropRequest | Self::DropResponse | Self::Hang | Self::Throttle | Self::ServerError => true,
        }
    }
}

/// How many requests meet a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultDuration {
    /// One request.
    Once,
    /// One request and all later ones, until [`FaultProxy::heal`].
    UntilHealed,
}

#[derive(Default)]
struct State {
    requests: Vec<String>,
    /// The actions of each function.
    actions: BTreeMap<String, Actions>,
    planned_fault: Option<(usize, Fault, FaultDuration)>,
    random_faults: Option<(fastrand::Rng, usize)>,
    empty_pages: usize,
    query_delay: Option<Duration>,
    /// The first response to each query, while the index is frozen.
    frozen_index: Option<HashMap<String, Bytes>>,
    torn_read: Option<TornRead>,
}

/// A batch read that is not one snapshot: some keys are read first, and the others after a signal.
#[derive(Clone)]
struct TornRead {
    first_partitions: &'static str,
    first_half_read: Arc<Notify>,
    read_rest: Arc<Notify>,
}

/// The proxy, as a test controls it.
#[derive(Clone)]
pub struct FaultProxy {
    state: Arc<Mutex<State>>,
    endpoint: String,
}

type Forward = Client<HttpConnector, Full<Bytes>>;

impl FaultProxy {
    /// Starts a proxy in front of the engine at `engine`.
    pub async fn start(engine: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let proxy = Self { state: Arc::default(), endpoint };
        let (state, engine) = (Arc::clone(&proxy.state), engine.trim_end_matches('/').to_owned());
        let roles = Arc::new(roles::table_actions());
        let forward: Forward = Client::builder(TokioExecutor::new()).build_http();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (state, engine, forward) = (Arc::clone(&state), engine.clone(), forward.clone());
                let roles = Arc::clone(&roles);
                let service = service_fn(move |request| {
                    let (state, roles) = (Arc::clone(&state), Arc::clone(&roles));
                    forward_request(state, roles, forward.clone(), engine.clone(), request)
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(connection), service));
            }
        });
        proxy
    }

    /// The endpoint that allows every action.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The endpoint that allows the actions of a function's role.
    pub fn endpoint_of(&self, function: &str) -> String {
        format!("{}/{function}", self.endpoint)
    }

    /// Takes the actions that each function has taken since the last call.
    pub fn take_actions(&self) -> BTreeMap<String, Actions> {
        std::mem::take(&mut self.state.lock().unwrap().actions)
    }

    /// Makes request `number` from now on meet a fault, counted from 0.
    pub fn fail(&self, number: usize, fault: Fault, duration: FaultDuration) {
        let mut state = self.state.lock().unwrap();
        state.requests.clear();
        state.planned_fault = Some((number, fault, duration));
    }

    /// Makes one in `one_in` requests meet a random fault.
    pub fn fail_at_random(&self, seed: u64, one_in: usize) {
        self.state.lock().unwrap().random_faults = Some((fastrand::Rng::with_seed(seed), one_in));
    }

    /// Makes the next queries of the index return an empty page with a key to continue from, this many times.
    pub fn answer_empty_pages(&self, pages: usize) {
        self.state.lock().unwrap().empty_pages = pages;
    }

    /// Delays every query from now on.
    pub fn delay_queries(&self, delay: Option<Duration>) {
        self.state.lock().unwrap().query_delay = delay;
    }

    /// Freezes the index: from now on a repeated query gets its first response again.
    pub fn freeze_index(&self) {
        self.state.lock().unwrap().frozen_index = Some(HashMap::new());
    }

    /// Ends [`FaultProxy::freeze_index`].
    pub fn thaw_index(&self) {
        self.state.lock().unwrap().frozen_index = None;
    }

    /// Tears the next batch read in two. First the keys are read whose partitions begin with `first_partitions`, and the
    /// others come back unprocessed. Returns two signals: the first half is read, and the response may be sent.
    pub fn tear_next_read(&self, first_partitions: &'static str) -> (Arc<Notify>, Arc<Notify>) {
        let torn_read = TornRead { first_partitions, first_half_read: Arc::default(), read_rest: Arc::default() };
        let signals = (Arc::clone(&torn_read.first_half_read), Arc::clone(&torn_read.read_rest));
        self.state.lock().unwrap().torn_read = Some(torn_read);
        signals
    }

    /// Whether no request will meet a fault.
    pub fn is_fault_free(&self) -> bool {
        let state = self.state.lock().unwrap();
        state.planned_fault.is_none() && state.random_faults.is_none()
    }

    /// Ends all faults.
    pub fn heal(&self) {
        let mut state = self.state.lock().unwrap();
        state.planned_fault = None;
        state.random_faults = None;
    }

    /// Takes the operations requested since the last call, as `BatchGetItem`.
    pub fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().requests)
    }
}

impl State {
    fn next_fault(&mut self, operation: &str) -> Option<Fault> {
        let number = self.requests.len();
        self.requests.push(operation.to_owned());
        let planned = self.planned_fault.filter(|(at, _, duration)| match duration {
            FaultDuration::Once => number == *at,
            FaultDuration::UntilHealed => number >= *at,
        });
        let random = self.random_faults.as_mut().and_then(|(rng, one_in)| {
            let hit = rng.usize(0..*one_in) == 0;
            // A hang would slow every test down.
            let quick: Vec<Fault> = Fault::ALL.into_iter().filter(|fault| *fault != Fault::Hang).collect();
            hit.then(|| quick[rng.usize(0..quick.len())])
        });
        let fault = planned.map(|(_, fault, _)| fault).or(random);
        fault.filter(|fault| fault.meets(operation))
    }
}

/// The connection closes without a response: the request or the response is lost.
#[derive(Debug)]
struct ConnectionLost;

impl std::fmt::Display for ConnectionLost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("connection lost")
    }
}

impl std::error::Error for ConnectionLost {}

async fn forward_request(
    state: Arc<Mutex<State>>,
    roles: Arc<BTreeMap<String, Actions>>,
    forward: Forward,
    engine: String,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, ConnectionLost> {
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
    let (mut parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| ConnectionLost)?.to_bytes();
    let function = parts.uri.path().trim_matches('/');
    if !function.is_empty() {
        let actions = roles::required_actions(&operation, &body);
        if let Some(action) = actions.iter().find(|action| !roles[function].contains(*action)) {
            eprintln!("the role of {function} does not allow {action}");
            return Ok(error(StatusCode::BAD_REQUEST, "AccessDeniedException", &json!({})));
        }
        state.lock().unwrap().actions.entry(function.to_owned()).or_default().extend(actions);
    }
    let torn_read = if operation == "BatchGetItem" { state.lock().unwrap().torn_read.take() } else { None };
    if let Some(torn_read) = torn_read {
        return torn_read.forward(parts, &body, &forward, &engine).await;
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
    let delay = state.lock().unwrap().query_delay.filter(|_| operation == "Query");
    if let Some(delay) = delay {
        tokio::time::sleep(delay).await;
    }
    match fault {
        Some(Fault::DropRequest) => return Err(ConnectionLost),
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
    // The fields of equal requests come in a different order each time. A parsed request has one order.
    let query = (operation == "Query" && is_of_index(&body))
        .then(|| serde_json::from_slice::<Value>(&body).unwrap().to_string());
    parts.uri = engine.parse().unwrap();
    let response = forward.request(Request::from_parts(parts, Full::new(body))).await.map_err(|_| ConnectionLost)?;
    let (mut parts, body) = response.into_parts();
    let mut body = body.collect().await.map_err(|_| ConnectionLost)?.to_bytes();
    if let (Some(query), Some(first_responses)) = (query, &mut state.lock().unwrap().frozen_index) {
        body = first_responses.entry(query).or_insert(body).clone();
        // These headers describe the replaced body.
        for header in ["content-length", "x-amz-crc32"] {
            parts.headers.remove(header);
        }
    }
    if fault == Some(Fault::DropResponse) {
        Err(ConnectionLost)
    } else {
        Ok(Response::from_parts(parts, Full::new(body)))
    }
}

impl TornRead {
    async fn forward(
        self,
        mut parts: Parts,
        body: &[u8],
        forward: &Forward,
        engine: &str,
    ) -> Result<Response<Full<Bytes>>, ConnectionLost> {
        let mut request: Value = serde_json::from_slice(body).unwrap();
        let items = request["RequestItems"].as_object_mut().unwrap();
        let (table, wanted) = items.iter_mut().next().unwrap();
        let (table, mut rest) = (table.clone(), wanted.clone());
        let is_first = |key: &Value| key["pk"]["S"].as_str().unwrap().starts_with(self.first_partitions);
        wanted["Keys"].as_array_mut().unwrap().retain(is_first);
        rest["Keys"].as_array_mut().unwrap().retain(|key| !is_first(key));
        parts.uri = engine.parse().unwrap();
        parts.headers.remove("content-length");
        let half = Full::new(Bytes::from(request.to_string()));
        let half = forward.request(Request::from_parts(parts, half)).await.map_err(|_| ConnectionLost)?;
        let half = half.into_body().collect().await.map_err(|_| ConnectionLost)?.to_bytes();
        let mut read: Value = serde_json::from_slice(&half).unwrap();
        read["UnprocessedKeys"] = json!({ table: rest });
        self.first_half_read.notify_one();
        self.read_rest.notified().await;
        Ok(respond(StatusCode::OK, &read))
    }
}

/// A cancelled transaction. The reason is that of the first item.
fn cancelled(body: &[u8], reason: &str) -> Response<Full<Bytes>> {
    let request: Value = serde_json::from_slice(body).unwrap();
    let items = request["TransactItems"].as_array().map_or(1, Vec::len);
    let reasons: Vec<Value> = (0..items).map(|item| json!({"Code": if item == 0 { reason } else { "None" }})).collect();
    error(StatusCode::BAD_REQUEST, "TransactionCanceledException", &json!({ "CancellationReasons": reasons }))
}

/// A batch that comes back unprocessed.
fn unprocessed(operation: &str, body: &[u8]) -> Response<Full<Bytes>> {
    let request: Value = serde_json::from_slice(body).unwrap();
    let left = if operation == "BatchGetItem" { "UnprocessedKeys" } else { "UnprocessedItems" };
    respond(StatusCode::OK, &json!({ left: request["RequestItems"], "Responses": {} }))
}

/// An empty page whose key to continue from lies before the first item.
fn empty_page(body: &[u8]) -> Response<Full<Bytes>> {
    let request: Value = serde_json::from_slice(body).unwrap();
    let first = if request["ScanIndexForward"] == false { "9999" } else { "0" };
    let list = &request["ExpressionAttributeValues"][":list"];
    let position = json!({"pk": {"S": "-"}, "sk": {"S": "-"}, "list": list, "at": {"S": first}});
    respond(StatusCode::OK, &json!({"Count": 0, "ScannedCount": 0, "Items": [], "LastEvaluatedKey": position}))
}

fn error(status: StatusCode, code: &str, fields: &Value) -> Response<Full<Bytes>> {
    let mut body = fields.clone();
    body["__type"] = format!("com.amazonaws.dynamodb.v20120810#{code}").into();
    body["message"] = format!("injected {code}").into();
    respond(status, &body)
}

fn respond(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let response = Response::builder().status(status).header("content-type", "application/x-amz-json-1.0");
    response.body(Full::from(body.to_string())).unwrap()
}
