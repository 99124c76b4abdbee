//! A stand-in for a Slack channel's incoming webhook.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    http::{StatusCode, Uri},
    routing::post,
};
use serde_json::Value;
use tokio::net::TcpListener;

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
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/services/T0/B0/of-the-tests", listener.local_addr().unwrap());
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&told);
        let take = move |uri: Uri, body: String| {
            let told = Arc::clone(&kept);
            async move {
                let message: Value = serde_json::from_str(&body).unwrap();
                told.lock().unwrap().push(message["text"].as_str().unwrap().to_owned());
                match takes {
                    Takes::Well => (StatusCode::OK, "ok".to_owned()),
                    Takes::Ill(status) => (StatusCode::from_u16(status).unwrap(), uri.to_string()),
                    Takes::Never => std::future::pending().await,
                }
            }
        };
        let router = Router::new().route("/services/T0/B0/of-the-tests", post(take));
        tokio::spawn(async move { axum::serve(listener, router).await });
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
