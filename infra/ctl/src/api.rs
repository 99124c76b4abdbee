//! The functions as seen from outside: HTTP with a bearer token. What may succeed later is tried again here.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use reqwest::{Client, Method, StatusCode, header};
use serde_json::Value;
use shared::domain::time;

/// How often a request that may succeed later is tried, and the longest pause between.
const TRIES: u32 = 8;
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// The functions at one address.
#[derive(Clone)]
pub(crate) struct Api {
    client: Client,
    url: Arc<str>,
    secret: Arc<str>,
}

/// What a function answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

/// One request, still to be sent.
pub(crate) struct Request<'a> {
    pub(crate) method: Method,
    pub(crate) function: &'a str,
    pub(crate) path: &'a str,
    pub(crate) body: Option<Value>,
    /// The clock of a local stack; a deployed function ignores it.
    pub(crate) now: Option<DateTime<Utc>>,
    pub(crate) only_create: bool,
}

impl<'a> Request<'a> {
    pub(crate) const fn get(function: &'a str, path: &'a str) -> Self {
        Self { method: Method::GET, function, path, body: None, now: None, only_create: false }
    }

    pub(crate) const fn put(function: &'a str, path: &'a str, body: Value) -> Self {
        Self { method: Method::PUT, function, path, body: Some(body), now: None, only_create: false }
    }

    pub(crate) const fn post(function: &'a str, path: &'a str, body: Value) -> Self {
        Self { method: Method::POST, function, path, body: Some(body), now: None, only_create: false }
    }
}

impl Answer {
    /// What a refusal says, on one line.
    pub(crate) fn complaint(&self) -> String {
        let text = |name: &str| self.body.get(name).and_then(Value::as_str).unwrap_or_default();
        let errors = self.body.get("errors").and_then(Value::as_array).into_iter().flatten();
        let errors: Vec<String> = errors
            .map(|error| {
                let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
                format!("{} {}", text("field"), text("message"))
            })
            .collect();
        let detail = if errors.is_empty() { text("detail").to_owned() } else { errors.join("; ") };
        format!("{} {}: {detail}", self.status.as_u16(), text("code"))
    }

    /// The body of an answer that is not a refusal.
    pub(crate) fn accepted(self) -> Result<Value, String> {
        if self.status.is_success() { Ok(self.body) } else { Err(self.complaint()) }
    }
}

impl Api {
    pub(crate) fn new(url: &str, secret: &str) -> Result<Self, String> {
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(format!("the address {url:?} must begin with http:// or https://"));
        }
        // Already installed is installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().timeout(Duration::from_secs(30)).build().map_err(|error| error.to_string())?;
        Ok(Self { client, url: url.trim_end_matches('/').into(), secret: secret.into() })
    }

    /// Sends a request until it is answered for good: 503 and a broken connection are tried again, with pauses.
    pub(crate) async fn send(&self, request: &Request<'_>) -> Result<Answer, String> {
        let mut pause = Duration::from_millis(100);
        for _ in 1..TRIES {
            match self.send_once(request).await {
                Ok(answer) if answer.status != StatusCode::SERVICE_UNAVAILABLE => return Ok(answer),
                Err(error) if error.is_builder() => return Err(error.to_string()),
                Ok(_) | Err(_) => tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        self.send_once(request).await.map_err(|error| format!("{} does not answer: {error}", self.url))
    }

    async fn send_once(&self, request: &Request<'_>) -> Result<Answer, reqwest::Error> {
        let url = format!("{}/lambda-url/{}{}", self.url, request.function, request.path);
        let mut sent = self.client.request(request.method.clone(), url).bearer_auth(&self.secret);
        if let Some(body) = &request.body {
            sent = sent.json(body);
        }
        if let Some(now) = request.now {
            sent = sent.header("x-regulars-now", time::text(now));
        }
        if request.only_create {
            sent = sent.header(header::IF_NONE_MATCH, "*");
        }
        let answer = sent.send().await?;
        Ok(Answer { status: answer.status(), body: answer.json().await.unwrap_or_default() })
    }
}
