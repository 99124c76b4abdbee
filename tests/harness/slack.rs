//! A stand-in for a Slack channel's incoming webhook.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex},
};

use http::{Method, Response, StatusCode, request::Parts};
use serde_json::Value;
use shared::host::{Body, Bytes, HttpLimits, Listener, serve};

/// Where it takes messages.
const PATH: &str = "/services/T0/B0/of-the-tests";

/// How it takes a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// It is shown.
    Well,
    /// An error of this status, which repeats the address.
    Ill(u16),
    /// No answer, ever.
    Never,
}

/// The stand-in.
#[derive(Clone)]
pub struct Slack {
    told: Arc<Mutex<Vec<String>>>,
    url: String,
}

impl Slack {
    /// One that takes messages so.
    pub async fn start(takes: Takes) -> Self {
        let listening = Listener::bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
        let url = format!("http://{}{PATH}", listening.address);
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&told);
        let take = move |parts: Parts, body: Bytes| {
            assert_eq!((&parts.method, parts.uri.path()), (&Method::POST, PATH));
            let message: Value = serde_json::from_slice(&body).unwrap();
            kept.lock().unwrap().push(message["text"].as_str().unwrap().to_owned());
            async move {
                let (status, body) = match takes {
                    Takes::Well => (StatusCode::OK, "ok".to_owned()),
                    Takes::Ill(status) => (StatusCode::from_u16(status).unwrap(), parts.uri.to_string()),
                    Takes::Never => std::future::pending().await,
                };
                Response::builder().status(status).body(Body::from(body)).unwrap()
            }
        };
        tokio::spawn(serve(listening, HttpLimits::default(), take, std::future::pending()));
        Self { told, url }
    }

    /// The webhook.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The messages so far.
    pub fn told(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }
}
