//! A stand-in for Lambda's runtime API, from which a deployed function takes its calls.

use std::{
    net::Ipv4Addr,
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use shared::host::{HttpLimits, Listener, response, serve};
use tokio::{process::Command, sync::mpsc};

use crate::programs::WAIT_MAX;

/// A deadline in the far future, in milliseconds since 1970.
pub const DEADLINE_FAR_MS: u64 = 9_999_999_999_999;

/// The stand-in, with a list of calls.
pub struct RuntimeApi {
    address: String,
    requests: mpsc::UnboundedReceiver<(String, Value)>,
}

impl RuntimeApi {
    /// Starts a stand-in that gives a function these calls. The deadline is in milliseconds since 1970.
    pub async fn start(calls: Vec<Value>, deadline: u64) -> Self {
        let listening = Listener::bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
        let address = listening.address.to_string();
        let (sender, requests) = mpsc::unbounded_channel();
        let ended = sender.clone();
        let calls = Arc::new(Mutex::new(calls.into_iter()));
        let serving = serve(
            listening,
            HttpLimits::default(),
            move |parts, body| {
                let path = parts.uri.path().to_owned();
                let call = path.ends_with("/next").then(|| calls.lock().unwrap().next());
                // The receiver is gone once a benchmark has measured the start.
                let _ = sender.send((path, serde_json::from_slice(&body).unwrap_or_default()));
                async move {
                    match call {
                        Some(Some(call)) => response(&next_invocation(&call, deadline)),
                        // Lambda also leaves the request open until there is a call.
                        Some(None) => std::future::pending().await,
                        None => response(&json!({"statusCode": 202})),
                    }
                }
            },
            async move { ended.closed().await },
        );
        tokio::spawn(serving);
        Self { address, requests }
    }

    /// A command that runs a function's binary with the environment that Lambda sets, and no other variables.
    pub fn command(&self, binary: &Path, table: &str) -> Command {
        let mut command = Command::new(binary);
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).envs(
            [
                ("AWS_LAMBDA_RUNTIME_API", self.address.as_str()),
                ("AWS_LAMBDA_FUNCTION_NAME", "regulars"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
                ("AWS_LAMBDA_LOG_GROUP_NAME", "regulars"),
                ("AWS_LAMBDA_LOG_STREAM_NAME", "regulars"),
                ("AWS_REGION", "us-east-1"),
                ("AWS_ACCESS_KEY_ID", "none"),
                ("AWS_SECRET_ACCESS_KEY", "none"),
                ("AWS_SESSION_TOKEN", "none"),
                ("TABLE_NAME", table),
                ("CRON_SECRET", "unused"),
            ],
        );
        command
    }

    /// Waits for the next request of the function. Its path must end with `path_end`. Returns its body.
    pub async fn expect_request(&mut self, path_end: &str) -> Value {
        let (path, body) =
            tokio::time::timeout(WAIT_MAX, self.requests.recv()).await.expect("the function sends a request").unwrap();
        assert!(path.ends_with(path_end), "the function sent {body} to {path}");
        body
    }
}

fn next_invocation(call: &Value, deadline: u64) -> Value {
    let headers = json!({
        "lambda-runtime-aws-request-id": "00000000-0000-0000-0000-000000000000",
        "lambda-runtime-deadline-ms": deadline.to_string(),
        "lambda-runtime-invoked-function-arn": "arn:aws:lambda:us-east-1:000000000000:function:regulars",
    });
    json!({"statusCode": 200, "headers": headers, "body": call.to_string()})
}
