//! A stand-in for Secrets Manager with one secret that a test can rotate.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex},
};

use chrono::{DateTime, Utc};
use http::{Response, StatusCode};
use serde_json::{Value, json};
use shared::host::{Body, HttpLimits, Listener, serve};

use crate::instant;

struct State {
    name: &'static str,
    /// The reply to every request, instead of the secret.
    reply: Option<(u16, Value)>,
    /// Requests get no reply.
    hangs: bool,
    current: Value,
    previous: Option<Value>,
    requested_stages: Vec<String>,
}

/// The stand-in.
#[derive(Clone)]
pub struct SecretsManager {
    state: Arc<Mutex<State>>,
    url: String,
}

impl State {
    fn answer(&mut self, request: &Value) -> (u16, Value) {
        let stage = request["VersionStage"].as_str().unwrap_or("AWSCURRENT");
        self.requested_stages.push(stage.to_owned());
        let secret = match stage {
            "AWSCURRENT" => Some(&self.current),
            "AWSPREVIOUS" => self.previous.as_ref(),
            other => panic!("there is no stage {other}"),
        };
        match secret.filter(|_| request["SecretId"] == self.name) {
            Some(secret) => self.reply.clone().unwrap_or_else(|| (200, secret.clone())),
            None => (400, json!({"__type": "ResourceNotFoundException", "Message": "There is no such secret."})),
        }
    }
}

impl SecretsManager {
    /// Starts the stand-in on a free port. The secret was created long ago.
    pub async fn start(name: &'static str, text: &str) -> Self {
        let listening = Listener::bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
        let url = format!("http://{}", listening.address);
        let current = secret_value(text, instant("2020-01-01T00:00:00Z"));
        let state = State { name, reply: None, hangs: false, current, previous: None, requested_stages: Vec::new() };
        let state = Arc::new(Mutex::new(state));
        let served = Arc::clone(&state);
        let serving = serve(
            listening,
            HttpLimits::default(),
            move |parts, body| {
                assert_eq!(parts.headers["x-amz-target"], "secretsmanager.GetSecretValue");
                let mut state = served.lock().unwrap();
                let (status, body) = state.answer(&serde_json::from_slice(&body).unwrap());
                let answer = Response::builder().status(StatusCode::from_u16(status).unwrap());
                let answer = answer.body(Body::from(body.to_string())).unwrap();
                let hangs = state.hangs;
                async move { if hangs { std::future::pending().await } else { answer } }
            },
            std::future::pending(),
        );
        tokio::spawn(serving);
        Self { state, url }
    }

    fn with_state<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap())
    }

    /// The URL.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Rotates the secret to a value that was created long ago.
    pub fn rotate(&self, text: &str) {
        self.rotate_at(text, instant("2020-01-01T00:00:00Z"));
    }

    /// Rotates the secret to a value created at `created_at`, and ends all failures. The old value becomes the previous
    /// one.
    pub fn rotate_at(&self, text: &str, created_at: DateTime<Utc>) {
        self.heal();
        self.with_state(|state| {
            state.previous = Some(std::mem::replace(&mut state.current, secret_value(text, created_at)));
        });
    }

    /// Sets the reply to every request.
    pub fn reply_with(&self, status: u16, body: Value) {
        self.with_state(|state| state.reply = Some((status, body)));
    }

    /// Fails every request with `InternalServiceError`.
    pub fn fail(&self) {
        self.reply_with(500, json!({"__type": "InternalServiceError", "Message": "later"}));
    }

    /// Leaves every request without a reply.
    pub fn hang(&self) {
        self.with_state(|state| state.hangs = true);
    }

    /// Ends all failures.
    pub fn heal(&self) {
        self.with_state(|state| (state.reply, state.hangs) = (None, false));
    }

    /// The number of requests since the last call of [`Self::take_requested_stages`].
    pub fn request_count(&self) -> usize {
        self.with_state(|state| state.requested_stages.len())
    }

    /// Takes the stages that were requested since the last call, in order.
    pub fn take_requested_stages(&self) -> Vec<String> {
        self.with_state(|state| std::mem::take(&mut state.requested_stages))
    }
}

fn secret_value(text: &str, created_at: DateTime<Utc>) -> Value {
    json!({
        "ARN": "arn:aws:secretsmanager:us-east-1:000000000000:secret:a", "Name": "a", "SecretString": text,
        "CreatedDate": created_at.timestamp(),
    })
}
