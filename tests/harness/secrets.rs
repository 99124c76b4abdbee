//! A stand-in for Secrets Manager, with one secret in it.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex},
};

use axum::{
    body::Body,
    http::{Response, StatusCode},
};
use serde_json::{Value, json};
use shared::host::{Listening, serve};

/// What it answers, and how often it was asked.
struct State {
    name: &'static str,
    status: u16,
    body: Value,
    asked: usize,
}

/// The stand-in.
#[derive(Clone)]
pub struct SecretsManager {
    state: Arc<Mutex<State>>,
    url: String,
}

impl SecretsManager {
    /// Starts one on any free port, with this secret.
    pub async fn start(name: &'static str, text: &str) -> Self {
        let listening = Listening::on((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
        let url = format!("http://{}", listening.address);
        let state = Arc::new(Mutex::new(State { name, status: 200, body: holding(text), asked: 0 }));
        let answering = Arc::clone(&state);
        let serving = serve(
            listening,
            move |parts, body| {
                assert_eq!(parts.headers["x-amz-target"], "secretsmanager.GetSecretValue");
                let mut state = answering.lock().unwrap();
                state.asked += 1;
                let request: Value = serde_json::from_slice(&body).unwrap();
                let (status, body) = if request["SecretId"] == state.name {
                    (state.status, state.body.clone())
                } else {
                    (400, json!({"__type": "ResourceNotFoundException", "Message": "There is no such secret."}))
                };
                let answer = Response::builder().status(StatusCode::from_u16(status).unwrap());
                std::future::ready(answer.body(Body::from(body.to_string())).unwrap())
            },
            std::future::pending(),
        );
        tokio::spawn(serving);
        Self { state, url }
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// From now on the secret is another.
    pub fn rotate(&self, text: &str) {
        self.answer(200, holding(text));
    }

    /// From now on it answers so.
    pub fn answer(&self, status: u16, body: Value) {
        let mut state = self.state.lock().unwrap();
        (state.status, state.body) = (status, body);
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.state.lock().unwrap().asked
    }
}

fn holding(text: &str) -> Value {
    json!({"ARN": "arn:aws:secretsmanager:us-east-1:000000000000:secret:a", "Name": "a", "SecretString": text})
}
