//! A stand-in for Lambda's runtime API: what hands a deployed function its calls.

use std::{
    net::Ipv4Addr,
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use shared::host::{HttpLimits, Listener, response, serve};
use tokio::{process::Command, sync::mpsc};

use crate::programs::PATIENCE;

/// A deadline that no call meets.
pub const FAR_AHEAD: u64 = 9_999_999_999_999;

/// A stand-in for Lambda's runtime API, with some calls to hand out.
pub struct RuntimeApi {
    address: String,
    seen: mpsc::UnboundedReceiver<(String, Value)>,
}

impl RuntimeApi {
    /// Starts one that hands these calls out, to be answered by a deadline in milliseconds since 1970.
    pub async fn start(calls: Vec<Value>, deadline: u64) -> Self {
        let listening = Listener::bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
        let address = listening.address.to_string();
        let (see, seen) = mpsc::unbounded_channel();
        let ended = see.clone();
        let calls = Arc::new(Mutex::new(calls.into_iter()));
        let serving = serve(
            listening,
            HttpLimits::default(),
            move |parts, body| {
                let path = parts.uri.path().to_owned();
                let call = path.ends_with("/next").then(|| calls.lock().unwrap().next());
                // Nobody looks any more when the start has been measured.
                let _ = see.send((path, serde_json::from_slice(&body).unwrap_or_default()));
                async move {
                    match call {
                        Some(Some(call)) => response(&handed_out(&call, deadline)),
                        // Lambda, too, leaves the request open until there is something to do.
                        Some(None) => std::future::pending().await,
                        None => response(&json!({"statusCode": 202})),
                    }
                }
            },
            async move { ended.closed().await },
        );
        tokio::spawn(serving);
        Self { address, seen }
    }

    /// A command to run a function's binary as Lambda would: with what Lambda sets, and nothing of whoever runs the tests.
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

    /// Waits for the function's next request, which has to be this one, and gives its body.
    pub async fn sees(&mut self, step: &str) -> Value {
        let (path, body) =
            tokio::time::timeout(PATIENCE, self.seen.recv()).await.expect("the function is silent").unwrap();
        assert!(path.ends_with(step), "the function sent {body} to {path}");
        body
    }
}

fn handed_out(call: &Value, deadline: u64) -> Value {
    let headers = json!({
        "lambda-runtime-aws-request-id": "00000000-0000-0000-0000-000000000000",
        "lambda-runtime-deadline-ms": deadline.to_string(),
        "lambda-runtime-invoked-function-arn": "arn:aws:lambda:us-east-1:000000000000:function:regulars",
    });
    json!({"statusCode": 200, "headers": headers, "body": call.to_string()})
}
