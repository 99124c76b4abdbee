//! A stand-in for an incoming webhook of Slack.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex},
};

use http::{Method, Response, StatusCode, request::Parts};
use serde_json::Value;
use shared::host::{Body, Bytes, HttpLimits, Listener, serve};

/// The path of the webhook, which is its secret.
const PATH: &str = "/services/T0/B0/of-the-tests";

/// The reply to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlackReply {
    /// 200.
    Accepted,
    /// An error with this status, whose body repeats the path.
    Error(u16),
    /// No reply, ever.
    Hang,
}

/// The stand-in.
#[derive(Clone)]
pub struct Slack {
    messages: Arc<Mutex<Vec<String>>>,
    url: String,
}

impl Slack {
    /// Starts a webhook with this reply to every message.
    pub async fn start(reply: SlackReply) -> Self {
        let listening = Listener::bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
        let url = format!("http://{}{PATH}", listening.address);
        let messages: Arc<Mutex<Vec<String>>> = Arc::default();
        let received = Arc::clone(&messages);
        let respond = move |parts: Parts, body: Bytes| {
            assert_eq!((&parts.method, parts.uri.path()), (&Method::POST, PATH));
            let message: Value = serde_json::from_slice(&body).unwrap();
            received.lock().unwrap().push(message["text"].as_str().unwrap().to_owned());
            async move {
                let (status, body) = match reply {
                    SlackReply::Accepted => (StatusCode::OK, "ok".to_owned()),
                    SlackReply::Error(status) => (StatusCode::from_u16(status).unwrap(), parts.uri.to_string()),
                    SlackReply::Hang => std::future::pending().await,
                };
                Response::builder().status(status).body(Body::from(body)).unwrap()
            }
        };
        tokio::spawn(serve(listening, HttpLimits::default(), respond, std::future::pending()));
        Self { messages, url }
    }

    /// The URL of the webhook.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The messages so far.
    pub fn messages(&self) -> Vec<String> {
        self.messages.lock().unwrap().clone()
    }
}
