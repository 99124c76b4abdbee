//! A proxy in front of a local stack's function URLs. It records calls and breaks one function on purpose.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex},
};

use http::{Method, Response, StatusCode};
use serde_json::{Value, json};
use shared::host::{Body, Bytes, HttpLimits, Listener, serve};

use crate::programs;

/// A call on its way to a function.
#[derive(Debug, Clone)]
pub struct ProxiedCall {
    /// The method.
    pub method: Method,
    /// The function.
    pub function: String,
    /// The path of the function's URL, with the query if any.
    pub path: String,
    /// The body, or null.
    pub body: Value,
}

/// The answer to a call.
#[derive(Debug, Clone)]
pub struct ProxiedAnswer {
    /// The status.
    pub status: StatusCode,
    /// The body, or null.
    pub body: Value,
}

/// How the stack is broken.
#[derive(Clone, Copy)]
pub enum Breakage {
    /// Not at all.
    Nothing,
    /// This function answers 500 to every call.
    Down(&'static str),
    /// The proxy changes calls.
    ChangedRequest(fn(&mut ProxiedCall)),
    /// The proxy changes answers.
    ChangedAnswer(fn(&ProxiedCall, &mut ProxiedAnswer)),
}

/// The proxy.
pub struct StackProxy {
    /// Its URL.
    pub url: String,
    calls: Arc<Mutex<Vec<ProxiedCall>>>,
}

impl StackProxy {
    /// Starts a proxy in front of the stack at this URL.
    pub async fn start(stack: &str, breakage: Breakage) -> Self {
        let listening = Listener::bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
        let url = format!("http://{}", listening.address);
        let calls: Arc<Mutex<Vec<ProxiedCall>>> = Arc::default();
        let (recorded, stack, http) = (Arc::clone(&calls), stack.to_owned(), programs::http());
        let respond = move |parts: http::request::Parts, body: Bytes| {
            let path = parts.uri.path_and_query().unwrap().as_str();
            let (function, path) = path.strip_prefix("/lambda-url/").unwrap().split_once('/').unwrap();
            let call = ProxiedCall {
                method: parts.method.clone(),
                function: function.to_owned(),
                path: format!("/{path}"),
                body: serde_json::from_slice(&body).unwrap_or_default(),
            };
            recorded.lock().unwrap().push(call.clone());
            let (stack, http) = (stack.clone(), http.clone());
            async move {
                let answer = forward(&http, &stack, &parts.headers, call, breakage).await;
                let response = Response::builder().status(answer.status);
                response.body(Body::from(answer.body.to_string())).unwrap()
            }
        };
        tokio::spawn(serve(listening, HttpLimits::default(), respond, std::future::pending()));
        Self { url, calls }
    }

    /// The calls so far, before any change.
    pub fn calls(&self) -> Vec<ProxiedCall> {
        self.calls.lock().unwrap().clone()
    }
}

async fn forward(
    http: &reqwest::Client,
    stack: &str,
    headers: &http::HeaderMap,
    mut call: ProxiedCall,
    breakage: Breakage,
) -> ProxiedAnswer {
    match breakage {
        Breakage::Down(function) if function == call.function => {
            let body = json!({"code": "internal", "detail": "Broken on purpose."});
            return ProxiedAnswer { status: StatusCode::INTERNAL_SERVER_ERROR, body };
        }
        Breakage::ChangedRequest(change) => change(&mut call),
        Breakage::Nothing | Breakage::Down(_) | Breakage::ChangedAnswer(_) => {}
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
    let mut answer = ProxiedAnswer { status: answer.status(), body: answer.json().await.unwrap_or_default() };
    if let Breakage::ChangedAnswer(change) = breakage {
        change(&call, &mut answer);
    }
    answer
}
