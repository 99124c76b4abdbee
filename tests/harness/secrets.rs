//! A stand-in for Secrets Manager, with one secret in it that can be rotated.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex},
};

use chrono::{DateTime, Utc};
use http::{Response, StatusCode};
use serde_json::{Value, json};
use shared::host::{Body, HttpLimits, Listener, serve};

use crate::instant;

/// What it holds and answers, and what it was asked for.
struct State {
    name: &'static str,
    /// What it answers whatever it is asked for, instead of what it holds.
    answer: Option<(u16, Value)>,
    /// It takes requests and never answers.
    is_silent: bool,
    current: Value,
    previous: Option<Value>,
    asked: Vec<String>,
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
        self.asked.push(stage.to_owned());
        let held = match stage {
            "AWSCURRENT" => Some(&self.current),
            "AWSPREVIOUS" => self.previous.as_ref(),
            other => panic!("there is no stage {other}"),
        };
        match held.filter(|_| request["SecretId"] == self.name) {
            Some(held) => self.answer.clone().unwrap_or_else(|| (200, held.clone())),
            None => (400, json!({"__type": "ResourceNotFoundException", "Message": "There is no such secret."})),
        }
    }
}

impl SecretsManager {
    /// Starts one on any free port, with this secret, made long ago.
    pub async fn start(name: &'static str, text: &str) -> Self {
        let listening = Listener::bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
        let url = format!("http://{}", listening.address);
        let current = holding(text, instant("2020-01-01T00:00:00Z"));
        let state = State { name, answer: None, is_silent: false, current, previous: None, asked: Vec::new() };
        let state = Arc::new(Mutex::new(state));
        let answering = Arc::clone(&state);
        let serving = serve(
            listening,
            HttpLimits::default(),
            move |parts, body| {
                assert_eq!(parts.headers["x-amz-target"], "secretsmanager.GetSecretValue");
                let mut state = answering.lock().unwrap();
                let (status, body) = state.answer(&serde_json::from_slice(&body).unwrap());
                let answer = Response::builder().status(StatusCode::from_u16(status).unwrap());
                let answer = answer.body(Body::from(body.to_string())).unwrap();
                let is_silent = state.is_silent;
                async move { if is_silent { std::future::pending().await } else { answer } }
            },
            std::future::pending(),
        );
        tokio::spawn(serving);
        Self { state, url }
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap())
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// From now on the secret is another, made long ago.
    pub fn rotate(&self, text: &str) {
        self.rotate_at(text, instant("2020-01-01T00:00:00Z"));
    }

    /// From now on the secret is another, made then; what it was is the previous one. It answers again if it did not.
    pub fn rotate_at(&self, text: &str, made_at: DateTime<Utc>) {
        self.heal();
        self.with(|state| state.previous = Some(std::mem::replace(&mut state.current, holding(text, made_at))));
    }

    /// From now on it answers so.
    pub fn answer(&self, status: u16, body: Value) {
        self.with(|state| state.answer = Some((status, body)));
    }

    /// From now on it says that it is out of order.
    pub fn fail(&self) {
        self.answer(500, json!({"__type": "InternalServiceError", "Message": "later"}));
    }

    /// From now on it does not answer at all.
    pub fn fall_silent(&self) {
        self.with(|state| state.is_silent = true);
    }

    /// From now on it answers as it should.
    pub fn heal(&self) {
        self.with(|state| (state.answer, state.is_silent) = (None, false));
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.with(|state| state.asked.len())
    }

    /// The stages that it was asked for since this was last called, in order.
    pub fn take_asked(&self) -> Vec<String> {
        self.with(|state| std::mem::take(&mut state.asked))
    }
}

fn holding(text: &str, made_at: DateTime<Utc>) -> Value {
    json!({
        "ARN": "arn:aws:secretsmanager:us-east-1:000000000000:secret:a", "Name": "a", "SecretString": text,
        "CreatedDate": made_at.timestamp(),
    })
}
