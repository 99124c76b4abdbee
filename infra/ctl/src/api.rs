//! Calls the functions from outside, over HTTP with a bearer token. Retries requests that may succeed later.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use client::{Accepted, Call, HttpAnswer, HttpCall, Outcome};
use reqwest::{Client, Method, StatusCode};
use shared::{host::InFunction, retry};

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

    /// Calls an operation. Fails with the problem of a refusal.
    pub(crate) async fn call<O: InFunction>(&self, call: &Call<O>) -> anyhow::Result<Accepted<O::Answer>> {
        Ok(self.outcome(call).await??)
    }

    /// Calls an operation that may refuse.
    pub(crate) async fn outcome<O: InFunction>(&self, call: &Call<O>) -> anyhow::Result<Outcome<O::Answer>> {
        Ok(self.send(call.http()).await?.read::<O>()?)
    }

    /// Sends a request. An answer of 503 and a broken connection are retried after a pause. Fails if no attempt is
    /// answered.
    pub(crate) async fn send(&self, call: &HttpCall) -> anyhow::Result<HttpAnswer> {
        let address = self.addresses.address_of(call.function)?;
        let method = Method::from_bytes(call.method.as_bytes())?;
        for pause in retry::pauses(RETRY_PAUSE_MIN, RETRY_PAUSE_MAX).take(self.attempts_max.saturating_sub(1)) {
            match self.send_once(&address, &method, call).await {
                Ok(answer) if answer.status != StatusCode::SERVICE_UNAVAILABLE => return Ok(answer),
                Err(error) if error.is_builder() => return Err(error.into()),
                Ok(_) | Err(_) => tokio::time::sleep(pause).await,
            }
        }
        let answer = self.send_once(&address, &method, call).await.map_err(reqwest::Error::without_url);
        answer.with_context(|| format!("{address} does not answer"))
    }

    async fn send_once(&self, address: &str, method: &Method, call: &HttpCall) -> Result<HttpAnswer, reqwest::Error> {
        let url = format!("{address}{}", call.path);
        let mut outgoing =
            self.client.request(method.clone(), url).bearer_auth(&self.secret).timeout(self.answer_timeout);
        for (name, value) in &call.headers {
            outgoing = outgoing.header(*name, value);
        }
        if let Some(body) = &call.body {
            outgoing = outgoing.json(body);
        }
        let answer = outgoing.send().await?;
        Ok(HttpAnswer { status: answer.status().as_u16(), body: answer.json().await.unwrap_or_default() })
    }
}
