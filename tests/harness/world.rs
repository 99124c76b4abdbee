//! The system of one test: every function of the template, with its own DynamoDB.
//!
//! Each world has its own embedded engine, so tests run side by side. With `AWS_ENDPOINT_URL_DYNAMODB` set, each world
//! creates its own table in the DynamoDB at that endpoint and deletes it at the end. In both cases the functions reach
//! DynamoDB through a [`FaultProxy`].

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use back_office::customers::{CustomerRequest, GetCustomer, PutCustomer, PutCustomerRequest};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use chrono::{DateTime, Utc};
use client::HttpCall;
use http::StatusCode;
use local::{engine::Engine, stack::Stack, table, template::Template};
use serde::Serialize;
use serde_json::{
    Value, json,
    value::{RawValue, to_raw_value},
};
use shared::{
    clock::Sleeper,
    host::{InFunction, InvocationError},
    store,
    telemetry::record::Sink,
};

use crate::{contract, faults::FaultProxy, instant, root, valid};

/// The secret of every world.
pub const SECRET: &str = "a-secret-of-the-tests";

/// The org of every new world.
pub const ORG: &str = "shop";

/// The time of a call, unless a test sets another.
pub fn noon() -> DateTime<Utc> {
    instant("2026-06-01T12:00:00Z")
}

/// The system of one test.
pub struct World {
    /// The functions.
    pub stack: Stack,
    /// The proxy between the functions and the engine.
    pub proxy: FaultProxy,
    /// A client that bypasses the proxy.
    pub client: Client,
    /// The name of the table.
    pub table: String,
    template: Template,
    time_limit: Mutex<Option<Duration>>,
    sleeper: Sleeper,
    records: Arc<Mutex<Vec<Value>>>,
    engine: Option<Engine>,
}

/// How a world differs from the template.
#[derive(Default)]
pub struct WorldSetup {
    /// The time-out of the functions, instead of the template's.
    pub timeout: Option<Duration>,
    /// Environment variables of the functions, beside the template's.
    pub environment: Vec<(&'static str, String)>,
    /// The sleeper of the functions, instead of real time.
    pub sleeper: Sleeper,
}

/// A request to a function's URL.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: &'static str,
    /// The function.
    pub function: &'static str,
    /// The path, with a query if any.
    pub path: String,
    /// The bytes of the body.
    pub body: Vec<u8>,
    /// The headers, with names in lower case.
    pub headers: HashMap<&'static str, String>,
}

/// The response of a function's URL.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers, with names in lower case.
    pub headers: HashMap<String, String>,
    /// The body.
    pub body: Value,
}

/// The JSON text of an event, as Lambda passes it to a function.
///
/// # Panics
///
/// If the event cannot be serialised.
pub fn raw_event(event: impl Serialize) -> Box<RawValue> {
    to_raw_value(&event).expect("JSON")
}

impl Request {
    /// A request with the world's secret.
    pub fn new(method: &'static str, function: &'static str, path: impl Into<String>) -> Self {
        let headers = HashMap::from([("authorization", format!("Bearer {SECRET}"))]);
        Self { method, function, path: path.into(), body: Vec::new(), headers }
    }

    /// The request of an operation, with the world's secret.
    pub fn of<O: InFunction>(request: &O::Request) -> Self {
        let HttpCall { function, method, path, body, .. } = HttpCall::of::<O>(request).unwrap();
        let request = Self::new(method, function, path);
        if let Some(body) = body { request.json(&body) } else { request }
    }

    /// The request to create or replace a customer without a profile.
    pub fn put_customer(org: &str, customer: &str) -> Self {
        Self::of::<PutCustomer>(&PutCustomerRequest {
            org_id: valid(org),
            customer_id: valid(customer),
            first_name: None,
            last_name: None,
            email: None,
            phone: None,
            card_number: None,
            equity_status: None,
        })
    }

    /// The request to read a customer.
    pub fn get_customer(org: &str, customer: &str) -> Self {
        Self::of::<GetCustomer>(&CustomerRequest { org_id: valid(org), customer_id: valid(customer) })
    }

    /// Adds members to the JSON body, or replaces members. The values may be invalid.
    #[must_use]
    pub fn with(self, more: &Value) -> Self {
        let mut body: Value = serde_json::from_slice(&self.body).unwrap();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.json(&body)
    }

    /// Sets a JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        Self { body: body.to_string().into_bytes(), ..self }
    }

    /// Sets a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, value.to_owned());
        self
    }

    /// Removes the credentials.
    #[must_use]
    pub fn anonymous(mut self) -> Self {
        self.headers.remove("authorization");
        self
    }

    /// The event that a function URL makes of the request.
    pub fn to_event(&self) -> Value {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let text = String::from_utf8(self.body.clone());
        let is_base64 = text.is_err();
        let body = text.unwrap_or_else(|_| BASE64_STANDARD.encode(&self.body));
        json!({
            "version": "2.0", "rawPath": path, "rawQueryString": query, "headers": self.headers,
            "requestContext": {"http": {"method": self.method, "path": path}, "timeEpoch": 0},
            "body": body, "isBase64Encoded": is_base64,
        })
    }
}

impl Response {
    fn read(answer: &Value) -> Self {
        let headers: HashMap<String, String> = serde_json::from_value(answer["headers"].clone()).unwrap();
        let status = u16::try_from(answer["statusCode"].as_u64().unwrap()).unwrap();
        let body = answer["body"].as_str().unwrap();
        let body = if body.is_empty() { Value::Null } else { serde_json::from_str(body).unwrap() };
        Self { status: StatusCode::from_u16(status).unwrap(), headers, body }
    }

    /// Whether the request has taken effect: by this call, or by an earlier call whose answer was 503 although its
    /// transaction had committed. A retry of the latter is a replay.
    pub fn is_applied(&self) -> bool {
        self.status == StatusCode::CREATED || self.body["replayed"] == true
    }

    /// The code of a problem, or an empty text.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// The invalid fields of a problem, in its order.
    pub fn fields(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().into_iter().flatten();
        errors.map(|error| error["field"].as_str().unwrap()).collect()
    }
}

impl World {
    /// A world as in the template.
    pub async fn new() -> Self {
        Self::with_timeout(None).await
    }

    /// A world whose functions have this time-out.
    pub async fn with_timeout(timeout: Option<Duration>) -> Self {
        Self::with(WorldSetup { timeout, ..WorldSetup::default() }).await
    }

    /// A world that differs from the template.
    pub async fn with(setup: WorldSetup) -> Self {
        let WorldSetup { timeout, environment, sleeper } = setup;
        let text = std::fs::read_to_string(root().join("infra/template.yaml")).unwrap();
        let mut template = Template::read(&text, &HashMap::new()).unwrap();
        template.set_variable("CRON_SECRET_NAME", "CRON_SECRET", SECRET);
        for function in template.functions.values_mut() {
            function.timeout = timeout.unwrap_or(function.timeout);
            function.environment.extend(environment.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        }
        let (engine, endpoint) =
            match std::env::var("AWS_ENDPOINT_URL_DYNAMODB").ok().filter(|endpoint| !endpoint.is_empty()) {
                Some(endpoint) => {
                    template.table.name = format!("regulars-test-{:016x}", fastrand::u64(..));
                    for function in template.functions.values_mut() {
                        function.environment.insert("TABLE_NAME".into(), template.table.name.clone());
                    }
                    (None, endpoint)
                }
                None => {
                    let engine = Engine::start(None, 0).unwrap();
                    let endpoint = engine.endpoint();
                    (Some(engine), endpoint)
                }
            };
        let proxy = FaultProxy::start(&endpoint).await;
        let records: Arc<Mutex<Vec<Value>>> = Arc::default();
        let recorded = Arc::clone(&records);
        let metrics: Sink = Arc::new(move |line| recorded.lock().unwrap().push(serde_json::from_str(line).unwrap()));
        let clients = |function: &str| store::local_client(&proxy.endpoint_of(function));
        table::ensure(&store::local_client(&endpoint), &template.table).await.unwrap();
        let stack = Stack::new(&template, clients, &metrics, &sleeper).unwrap();
        let client = store::local_client(&endpoint);
        let table = template.table.name.clone();
        let time_limit = Mutex::default();
        let world = Self { stack, proxy, client, table, template, time_limit, sleeper, records, engine };
        world.put_org(ORG, &json!({"name": "Shop"})).await;
        world.put_loyalty(ORG, &json!({})).await;
        world.proxy.take_requests();
        world
    }

    /// Calls a function's URL at noon.
    pub async fn send(&self, request: &Request) -> Response {
        self.send_at(request, noon()).await
    }

    /// Gives every later call of this world this much time, instead of the time-out of its function.
    pub fn limit_calls(&self, limit: Option<Duration>) {
        *self.time_limit.lock().unwrap() = limit;
    }

    pub(crate) async fn call(
        &self,
        function: &str,
        event: impl Serialize,
        now: DateTime<Utc>,
    ) -> Option<Result<Value, InvocationError>> {
        let limit = *self.time_limit.lock().unwrap();
        let event = serde_json::to_value(event).unwrap();
        let answer = match limit {
            Some(limit) => self.stack.call_within(function, &event, Some(now), limit).await,
            None => self.stack.call(function, &event, Some(now)).await,
        };
        answer.inspect(|answer| contract::check(function, &event, answer))
    }

    /// Calls a function's URL at `now`.
    pub async fn send_at(&self, request: &Request, now: DateTime<Utc>) -> Response {
        let answer = self.call(request.function, request.to_event(), now).await.expect("the function");
        Response::read(&answer.expect("a request has an answer"))
    }

    /// Calls a function's URL in another process.
    pub async fn send_to(process: &Stack, request: &Request, now: DateTime<Utc>) -> Response {
        let event = request.to_event();
        let answer = process.call(request.function, &event, Some(now)).await.expect("the function");
        contract::check(request.function, &event, &answer);
        Response::read(&answer.expect("a request has an answer"))
    }

    /// Calls a function's URL with this much time left.
    pub async fn send_within(&self, request: &Request, now: DateTime<Utc>, limit: Duration) -> Response {
        let event = request.to_event();
        let answer = self.stack.call_within(request.function, &event, Some(now), limit).await.expect("the function");
        contract::check(request.function, &event, &answer);
        Response::read(&answer.expect("a request has an answer"))
    }

    /// Calls a function's URL at `now`, and retries while the answer is 503.
    pub async fn send_with_retries(&self, request: &Request, now: DateTime<Utc>) -> Response {
        for _ in 0..200 {
            let response = self.send_at(request, now).await;
            if response.status != StatusCode::SERVICE_UNAVAILABLE {
                return response;
            }
        }
        panic!("{} {} is always answered 503", request.method, request.path);
    }

    /// Invokes a function with an event at noon.
    pub async fn invoke(&self, function: &str, event: Value) -> Result<Value, InvocationError> {
        self.call(function, event, noon()).await.expect("the function")
    }

    /// Creates or replaces an org.
    pub async fn put_org(&self, org: &str, body: &Value) -> Response {
        self.send(&Request::new("PUT", "back-office", format!("/orgs/{org}")).json(body)).await
    }

    /// Replaces an org's loyalty settings.
    pub async fn put_loyalty(&self, org: &str, body: &Value) -> Response {
        self.send(&Request::new("PUT", "back-office", format!("/orgs/{org}/loyalty")).json(body)).await
    }

    /// Creates or replaces a customer.
    pub async fn put_customer(&self, org: &str, customer: &str, body: &Value) -> Response {
        self.send(&Request::put_customer(org, customer).with(body)).await
    }

    /// Sends a `GET` to the back office.
    pub async fn get(&self, path: &str) -> Response {
        self.send(&Request::new("GET", "back-office", path)).await
    }

    /// The same functions on the same table in another process, with empty caches.
    pub fn another_process(&self) -> Stack {
        let metrics: Sink = Arc::new(|_| ());
        let clients = |function: &str| store::local_client(&self.proxy.endpoint_of(function));
        Stack::new(&self.template, clients, &metrics, &self.sleeper).unwrap()
    }

    /// Makes an item unreadable: one attribute becomes a text of the wrong type.
    pub async fn corrupt(&self, pk: &str, sk: &str, attribute: &str) {
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let update = self.client.update_item().table_name(&self.table).key("pk", text(pk)).key("sk", text(sk));
        let update = update.update_expression("SET #a = :a").expression_attribute_names("#a", attribute);
        update.expression_attribute_values(":a", text("spoiled")).send().await.unwrap();
    }

    /// Takes the metrics records written since the last call.
    pub fn take_records(&self) -> Vec<Value> {
        std::mem::take(&mut self.records.lock().unwrap())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if self.engine.is_some() {
            return;
        }
        let (client, table) = (self.client.clone(), self.table.clone());
        let removal = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(client.delete_table().table_name(table).send()).map(drop)
        });
        if let Ok(Err(error)) = removal.join() {
            eprintln!("the table of a test was not deleted: {error:?}");
        }
    }
}
