//! The functions as seen from outside: HTTP with a bearer token. What may succeed later is tried again here.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use reqwest::{Client, Method, StatusCode, header};
use serde_json::Value;
use shared::domain::time;

use crate::addresses::FunctionAddresses;

/// How often a request that may succeed later is tried, unless told otherwise, how long an answer may take, and the
/// longest pause between.
const ATTEMPTS_MAX: u32 = 8;
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(4);

/// The functions, as the holder of a secret sees them.
#[derive(Clone)]
pub(crate) struct Api {
    client: Client,
    addresses: Arc<FunctionAddresses>,
    secret: Arc<str>,
    attempts_max: u32,
    answer_timeout: Duration,
}

/// What a function answered.
#[derive(Debug)]
pub(crate) struct ApiAnswer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

/// One request, still to be sent.
pub(crate) struct ApiRequest<'a> {
    pub(crate) method: Method,
    pub(crate) function: &'a str,
    pub(crate) path: &'a str,
    pub(crate) body: Option<Value>,
    /// The clock of a local stack; a deployed function ignores it.
    pub(crate) now: Option<DateTime<Utc>>,
    pub(crate) create_only: bool,
}

impl<'a> ApiRequest<'a> {
    pub(crate) const fn get(function: &'a str, path: &'a str) -> Self {
        Self { method: Method::GET, function, path, body: None, now: None, create_only: false }
    }

    pub(crate) const fn put(function: &'a str, path: &'a str, body: Value) -> Self {
        Self { method: Method::PUT, function, path, body: Some(body), now: None, create_only: false }
    }

    pub(crate) const fn delete(function: &'a str, path: &'a str) -> Self {
        Self { method: Method::DELETE, function, path, body: None, now: None, create_only: false }
    }

    pub(crate) const fn post(function: &'a str, path: &'a str, body: Value) -> Self {
        Self { method: Method::POST, function, path, body: Some(body), now: None, create_only: false }
    }
}

impl ApiAnswer {
    /// What a refusal says, on one line.
    pub(crate) fn problem_summary(&self) -> String {
        format!("{} {}", self.status.as_u16(), problem_summary(&self.body))
    }

    /// The body of an answer that is not a refusal.
    pub(crate) fn into_accepted_body(self) -> anyhow::Result<Value> {
        if self.status.is_success() { Ok(self.body) } else { bail!(self.problem_summary()) }
    }
}

impl Api {
    pub(crate) fn new(addresses: FunctionAddresses, secret: &str) -> anyhow::Result<Self> {
        // Already installed is installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().build()?;
        Ok(Self {
            client,
            addresses: addresses.into(),
            secret: secret.into(),
            attempts_max: ATTEMPTS_MAX,
            answer_timeout: ANSWER_TIMEOUT,
        })
    }

    /// Refuses addresses that leave out a function.
    pub(crate) fn require_every_function(&self) -> anyhow::Result<()> {
        self.addresses.require_every_function()
    }

    /// The same, tried so often, each time so long.
    pub(crate) fn with_limits(self, attempts_max: u32, answer_timeout: Duration) -> Self {
        Self { attempts_max, answer_timeout, ..self }
    }

    /// The same, with another secret.
    pub(crate) fn with_secret(self, secret: &str) -> Self {
        Self { secret: secret.into(), ..self }
    }

    /// Sends a request until it is answered for good: 503 and a broken connection are tried again, with pauses.
    pub(crate) async fn send(&self, request: &ApiRequest<'_>) -> anyhow::Result<ApiAnswer> {
        let address = self.addresses.address_of(request.function)?;
        let mut pause = Duration::from_millis(100);
        for _ in 1..self.attempts_max {
            match self.send_once(&address, request).await {
                Ok(answer) if answer.status != StatusCode::SERVICE_UNAVAILABLE => return Ok(answer),
                Err(error) if error.is_builder() => return Err(error.into()),
                Ok(_) | Err(_) => tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await,
            }
            pause = (pause * 2).min(RETRY_PAUSE_MAX);
        }
        let answer = self.send_once(&address, request).await.map_err(reqwest::Error::without_url);
        answer.with_context(|| format!("{address} does not answer"))
    }

    async fn send_once(&self, address: &str, request: &ApiRequest<'_>) -> Result<ApiAnswer, reqwest::Error> {
        // In a query a plus is a space, and ids have pluses.
        let url = format!("{address}{}", request.path.replace('+', "%2B"));
        let mut outgoing =
            self.client.request(request.method.clone(), url).bearer_auth(&self.secret).timeout(self.answer_timeout);
        if let Some(body) = &request.body {
            outgoing = outgoing.json(body);
        }
        if let Some(now) = request.now {
            outgoing = outgoing.header("x-regulars-now", time::text(now));
        }
        if request.create_only {
            outgoing = outgoing.header(header::IF_NONE_MATCH, "*");
        }
        let answer = outgoing.send().await?;
        Ok(ApiAnswer { status: answer.status(), body: answer.json().await.unwrap_or_default() })
    }
}

/// What a problem object says, on one line: its code, and each wrong field or else the sentence.
pub fn problem_summary(problem: &Value) -> String {
    let text = |name: &str| problem.get(name).and_then(Value::as_str).unwrap_or_default();
    let errors = problem.get("errors").and_then(Value::as_array).into_iter().flatten();
    let errors: Vec<String> = errors
        .map(|error| {
            let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
            format!("{} {}", text("field"), text("message"))
        })
        .collect();
    let detail = if errors.is_empty() { text("detail").to_owned() } else { errors.join("; ") };
    format!("{}: {detail}", text("code"))
}
