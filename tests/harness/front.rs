//! A proxy in front of a local stack's function URLs: writes down what it carries, and breaks one function on purpose.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex},
};

use http::{Method, Response, StatusCode};
use serde_json::{Value, json};
use shared::host::{Body, Bytes, HttpLimits, Listener, serve};

use crate::programs;

/// A request on its way.
#[derive(Debug, Clone)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The function.
    pub function: String,
    /// The path at the function, with the query if any.
    pub path: String,
    /// The body, or null.
    pub body: Value,
}

/// What it is answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The body, or null.
    pub body: Value,
}

/// What is broken.
#[derive(Clone, Copy)]
pub enum Broken {
    /// Nothing.
    Nothing,
    /// This function has an error of its own, whatever it is asked.
    Down(&'static str),
    /// What is asked is not what was meant.
    Asks(fn(&mut Call)),
    /// What is answered is wrong.
    Answers(fn(&Call, &mut Answer)),
}

/// The proxy.
pub struct Front {
    /// Where it answers.
    pub url: String,
    seen: Arc<Mutex<Vec<Call>>>,
}

impl Front {
    /// Starts one in front of the stack at that address.
    pub async fn of(stack: &str, broken: Broken) -> Self {
        let listening = Listener::bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
        let url = format!("http://{}", listening.address);
        let seen: Arc<Mutex<Vec<Call>>> = Arc::default();
        let (written, stack, http) = (Arc::clone(&seen), stack.to_owned(), programs::http());
        let carry = move |parts: http::request::Parts, body: Bytes| {
            let path = parts.uri.path_and_query().unwrap().as_str();
            let (function, path) = path.strip_prefix("/lambda-url/").unwrap().split_once('/').unwrap();
            let call = Call {
                method: parts.method.clone(),
                function: function.to_owned(),
                path: format!("/{path}"),
                body: serde_json::from_slice(&body).unwrap_or_default(),
            };
            written.lock().unwrap().push(call.clone());
            let (stack, http) = (stack.clone(), http.clone());
            async move {
                let answer = carry(&http, &stack, &parts.headers, call, broken).await;
                let response = Response::builder().status(answer.status);
                response.body(Body::from(answer.body.to_string())).unwrap()
            }
        };
        tokio::spawn(serve(listening, HttpLimits::default(), carry, std::future::pending()));
        Self { url, seen }
    }

    /// What was asked so far.
    pub fn seen(&self) -> Vec<Call> {
        self.seen.lock().unwrap().clone()
    }
}

async fn carry(
    http: &reqwest::Client,
    stack: &str,
    headers: &http::HeaderMap,
    mut call: Call,
    broken: Broken,
) -> Answer {
    match broken {
        Broken::Down(function) if function == call.function => {
            let body = json!({"code": "internal", "detail": "Broken on purpose."});
            return Answer { status: StatusCode::INTERNAL_SERVER_ERROR, body };
        }
        Broken::Asks(otherwise) => otherwise(&mut call),
        Broken::Nothing | Broken::Down(_) | Broken::Answers(_) => {}
    }
    let mut request = http.request(call.method.clone(), format!("{stack}/lambda-url/{}{}", call.function, call.path));
    for name in ["authorization", "if-none-match", "x-regulars-now"] {
        if let Some(value) = headers.get(name) {
            request = request.header(name, value);
        }
    }
    if !call.body.is_null() {
        request = request.json(&call.body);
    }
    let answer = request.send().await.unwrap();
    let mut answer = Answer { status: answer.status(), body: answer.json().await.unwrap_or_default() };
    if let Broken::Answers(otherwise) = broken {
        otherwise(&call, &mut answer);
    }
    answer
}
