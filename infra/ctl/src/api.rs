//! Calls the functions from outside, over HTTP with a bearer token. Retries requests that may succeed later.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use reqwest::{Client, Method, StatusCode, header};
use serde_json::Value;
use shared::{domain::time, retry};

use crate::addresses::FunctionAddresses;

/// Default number of attempts for a request that may succeed later.
const ATTEMPTS_MAX: usize = 8;

/// Default time limit of one attempt.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// First pause between two attempts.
const RETRY_PAUSE_MIN: Duration = Duration::from_millis(100);

/// Longest pause between two attempts.
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(4);

/// The functions, called with one secret.
#[derive(Clone)]
pub(crate) struct Api {
    client: Client,
    addresses: Arc<FunctionAddresses>,
    secret: Arc<str>,
    attempts_max: usize,
    answer_timeout: Duration,
}

/// The answer of a function.
#[derive(Debug)]
pub(crate) struct ApiAnswer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

/// A request to a function.
pub(crate) struct ApiRequest<'a> {
    pub(crate) method: Method,
    pub(crate) function: &'a str,
    pub(crate) path: &'a str,
    pub(crate) body: Option<Value>,
    /// Sets the clock of a local stack for this request. A deployed function ignores it.
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
    /// Status and problem of a rejection, on one line.
    pub(crate) fn problem_summary(&self) -> String {
        format!("{} {}", self.status.as_u16(), problem_summary(&self.body))
    }

    /// The body of a successful answer. Fails with the problem of a rejection.
    pub(crate) fn into_accepted_body(self) -> anyhow::Result<Value> {
        if self.status.is_success() { Ok(self.body) } else { bail!(self.problem_summary()) }
    }
}

impl Api {
    pub(crate) fn new(addresses: FunctionAddresses, secret: &str) -> anyhow::Result<Self> {
        // Fails only if a provider is installed already.
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

    /// Fails unless every function has an address.
    pub(crate) fn require_every_function(&self) -> anyhow::Result<()> {
        self.addresses.require_every_function()
    }

    /// The same functions, with other limits for each request.
    pub(crate) fn with_limits(self, attempts_max: usize, answer_timeout: Duration) -> Self {
        Self { attempts_max, answer_timeout, ..self }
    }

    /// The same functions, called with another secret.
    pub(crate) fn with_secret(self, secret: &str) -> Self {
        Self { secret: secret.into(), ..self }
    }

    /// Sends a request. An answer of 503 and a broken connection are retried after a pause. Fails if no attempt is
    /// answered.
    pub(crate) async fn send(&self, request: &ApiRequest<'_>) -> anyhow::Result<ApiAnswer> {
        let address = self.addresses.address_of(request.function)?;
        for pause in retry::pauses(RETRY_PAUSE_MIN, RETRY_PAUSE_MAX).take(self.attempts_max.saturating_sub(1)) {
            match self.send_once(&address, request).await {
                Ok(answer) if answer.status != StatusCode::SERVICE_UNAVAILABLE => return Ok(answer),
                Err(error) if error.is_builder() => return Err(error.into()),
                Ok(_) | Err(_) => tokio::time::sleep(pause).await,
            }
        }
        let answer = self.send_once(&address, request).await.map_err(reqwest::Error::without_url);
        answer.with_context(|| format!("{address} does not answer"))
    }

    async fn send_once(&self, address: &str, request: &ApiRequest<'_>) -> Result<ApiAnswer, reqwest::Error> {
        // Ids may contain a plus, which means a space in a query.
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

/// A problem object on one line: its code with each invalid field, or with its detail.
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
