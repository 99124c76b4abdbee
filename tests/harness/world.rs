//! The system of a test: every function of the template, on a DynamoDB of its own.
//!
//! The engine is embedded, one for each world, so tests run side by side. With `AWS_ENDPOINT_URL_DYNAMODB` set it is
//! the DynamoDB there, on which each world makes a table and removes it in the end. Either way the functions reach it
//! over a [`Wire`].

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use chrono::{DateTime, Utc};
use http::StatusCode;
use local::{engine::Engine, stack::Stack, table, template::Template};
use serde::Serialize;
use serde_json::{
    Value, json,
    value::{RawValue, to_raw_value},
};
use shared::{clock::Sleeper, host::InvocationFailed, store, telemetry::Sink};

use crate::{faults::Wire, instant, root};

/// The secret of every world.
pub const SECRET: &str = "a-secret-of-the-tests";

/// The org that every world begins with.
pub const ORG: &str = "shop";

/// What time it is, unless a test says otherwise.
pub fn noon() -> DateTime<Utc> {
    instant("2026-06-01T12:00:00Z")
}

/// The system of a test.
pub struct World {
    /// Its functions.
    pub stack: Stack,
    /// What lies between them and the engine.
    pub wire: Wire,
    /// Reaches the engine past the wire.
    pub client: Client,
    /// The table's name.
    pub table: String,
    template: Template,
    sleeper: Sleeper,
    records: Arc<Mutex<Vec<Value>>>,
    engine: Option<Engine>,
}

/// What a world may have of its own.
#[derive(Default)]
pub struct Setup {
    /// How long its functions may take, if not as the template says.
    pub timeout: Option<Duration>,
    /// What is in their environment beside what the template says.
    pub environment: Vec<(&'static str, String)>,
    /// What they ask their waits of, if not of the time itself.
    pub sleeper: Sleeper,
}

/// An HTTP request to a function's URL.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: &'static str,
    /// The function.
    pub function: &'static str,
    /// The path, with a query if any.
    pub path: String,
    /// The body, as it is sent.
    pub body: Vec<u8>,
    /// The headers, in lower case.
    pub headers: HashMap<&'static str, String>,
}

/// What a function answered to an HTTP request.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers, in lower case.
    pub headers: HashMap<String, String>,
    /// The body.
    pub body: Value,
}

/// An event as Lambda hands it to a function: a text.
///
/// # Panics
///
/// If it can't be written as JSON.
pub fn raw(event: impl Serialize) -> Box<RawValue> {
    to_raw_value(&event).expect("JSON")
}

impl Request {
    /// A request that shows the world's secret.
    pub fn new(method: &'static str, function: &'static str, path: impl Into<String>) -> Self {
        let headers = HashMap::from([("authorization", format!("Bearer {SECRET}"))]);
        Self { method, function, path: path.into(), body: Vec::new(), headers }
    }

    /// With a JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        Self { body: body.to_string().into_bytes(), ..self }
    }

    /// With another header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, value.to_owned());
        self
    }

    /// Without credentials.
    #[must_use]
    pub fn anonymous(mut self) -> Self {
        self.headers.remove("authorization");
        self
    }

    /// The event that a function URL would make of it.
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

    /// Whether something was made: by this call, or by one that was answered 503 though its transaction had committed, of
    /// which this one is the replay. How fast the machine is decides which.
    pub fn has_landed(&self) -> bool {
        self.status == StatusCode::CREATED || self.body["replayed"] == true
    }

    /// The code of a problem, or nothing.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// The fields that a problem complains of, in its order.
    pub fn fields(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().into_iter().flatten();
        errors.map(|error| error["field"].as_str().unwrap()).collect()
    }
}

impl World {
    /// A world as the template says, with functions that may take as long as it says.
    pub async fn new() -> Self {
        Self::with_timeout(None).await
    }

    /// A world whose functions give up after a while of the test's choosing.
    pub async fn with_timeout(timeout: Option<Duration>) -> Self {
        Self::with(Setup { timeout, ..Setup::default() }).await
    }

    /// A world with something of its own.
    pub async fn with(setup: Setup) -> Self {
        let Setup { timeout, environment, sleeper } = setup;
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
        let wire = Wire::to(&endpoint).await;
        let records: Arc<Mutex<Vec<Value>>> = Arc::default();
        let written = Arc::clone(&records);
        let metrics: Sink = Arc::new(move |line| written.lock().unwrap().push(serde_json::from_str(line).unwrap()));
        let clients = |function: &str| store::local_client(&wire.endpoint_of(function));
        table::ensure(&store::local_client(&endpoint), &template.table).await.unwrap();
        let stack = Stack::new(&template, clients, &metrics, &sleeper).unwrap();
        let client = store::local_client(&endpoint);
        let table = template.table.name.clone();
        let world = Self { stack, wire, client, table, template, sleeper, records, engine };
        world.put_org(ORG, &json!({"name": "Shop"})).await;
        world.put_loyalty(ORG, &json!({})).await;
        world.wire.take_seen();
        world
    }

    /// Calls a function's URL at noon.
    pub async fn send(&self, request: &Request) -> Response {
        self.send_at(request, noon()).await
    }

    /// Calls a function's URL at some time.
    pub async fn send_at(&self, request: &Request, now: DateTime<Utc>) -> Response {
        Self::send_to(&self.stack, request, now).await
    }

    /// Calls a function's URL in some process.
    pub async fn send_to(process: &Stack, request: &Request, now: DateTime<Utc>) -> Response {
        let answer = process.call(request.function, request.to_event(), Some(now)).await.expect("the function");
        Response::read(&answer.expect("a request always has an answer"))
    }

    /// Calls a function's URL, with so much time to answer.
    pub async fn send_within(&self, request: &Request, now: DateTime<Utc>, limit: Duration) -> Response {
        let answer = self.stack.call_within(request.function, request.to_event(), Some(now), limit).await;
        Response::read(&answer.expect("the function").expect("a request always has an answer"))
    }

    /// Calls a function's URL at some time, and again while it says to try again.
    pub async fn send_until_settled(&self, request: &Request, now: DateTime<Utc>) -> Response {
        for _ in 0..200 {
            let response = self.send_at(request, now).await;
            if response.status != StatusCode::SERVICE_UNAVAILABLE {
                return response;
            }
        }
        panic!("{} {} never settles", request.method, request.path);
    }

    /// Hands a function a raw event at noon.
    pub async fn invoke(&self, function: &str, event: Value) -> Result<Value, InvocationFailed> {
        self.stack.call(function, event, Some(noon())).await.expect("the function")
    }

    /// Creates or replaces an org.
    pub async fn put_org(&self, org: &str, body: &Value) -> Response {
        self.send(&Request::new("PUT", "back-office", format!("/orgs/{org}")).json(body)).await
    }

    /// Sets an org's loyalty settings.
    pub async fn put_loyalty(&self, org: &str, body: &Value) -> Response {
        self.send(&Request::new("PUT", "back-office", format!("/orgs/{org}/loyalty")).json(body)).await
    }

    /// Creates or replaces a customer.
    pub async fn put_customer(&self, org: &str, customer: &str, body: &Value) -> Response {
        self.send(&Request::new("PUT", "back-office", format!("/orgs/{org}/customers/{customer}")).json(body)).await
    }

    /// Reads something of the back office.
    pub async fn get(&self, path: &str) -> Response {
        self.send(&Request::new("GET", "back-office", path)).await
    }

    /// The same functions on the same table as another process, which has read nothing yet and shares no cache.
    pub fn another_process(&self) -> Stack {
        let metrics: Sink = Arc::new(|_| ());
        let clients = |function: &str| store::local_client(&self.wire.endpoint_of(function));
        Stack::new(&self.template, clients, &metrics, &self.sleeper).unwrap()
    }

    /// Makes an item unreadable, by hand: one of its attributes becomes a text that it can't be.
    pub async fn spoil(&self, pk: &str, sk: &str, attribute: &str) {
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let spoil = self.client.update_item().table_name(&self.table).key("pk", text(pk)).key("sk", text(sk));
        let spoil = spoil.update_expression("SET #a = :a").expression_attribute_names("#a", attribute);
        spoil.expression_attribute_values(":a", text("spoiled")).send().await.unwrap();
    }

    /// The metrics records written since this was last asked.
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
            eprintln!("a test's table was left behind: {error:?}");
        }
    }
}
