//! One request over HTTP, and what its answer means. How often it is sent, and when, is not decided here.

use std::{sync::OnceLock, time::Duration};

use reqwest::{
    Client, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
};
use serde::Deserialize;
use shared::{config::SecretText, error::chain, http_client};

use super::{limits, switch_off::SwitchOffReason};

/// The version of the API that is spoken.
const VERSION: &str = "2023-06-01";

/// The largest answer that is read, in bytes: some hundred times what a batch takes.
const RESPONSE_BYTES_MAX: usize = 1024 * 1024;

/// The longest that is logged of what an error says, in characters.
const ERROR_TEXT_MAX: usize = 300;

/// By which words an error says that what may be spent is spent, whatever its status: the limit of the account's tier, one
/// that the account or a workspace has set itself, and a balance used up.
const SPEND_LIMIT_PHRASES: [&str; 3] =
    ["enforced_spend_limit_reached", "You have reached your specified", "credit balance is too low"];

/// What a request came to.
pub(super) enum Outcome {
    /// It was answered, with this body.
    Answered(Vec<u8>),
    /// Not in time.
    TimedOut,
    /// Not this time: the API is busy, or out of reach.
    Passing(String),
    /// It never will be: the request is wrong.
    Refused(String),
    /// None will be, for a reason that lasts.
    Ended(SwitchOffReason, String),
}

/// What was heard.
pub(super) struct ApiResponse {
    pub(super) outcome: Outcome,
    /// How long nothing more may be sent.
    pub(super) wait: Option<Duration>,
}

/// What an error says of itself.
#[derive(Deserialize)]
struct ApiErrorBody {
    error: ApiErrorDetail,
}

#[derive(Deserialize)]
struct ApiErrorDetail {
    r#type: String,
    message: String,
}

/// The way to the API.
pub(super) struct ApiClient {
    url: String,
    key: SecretText,
    client: OnceLock<Result<Client, reqwest::Error>>,
}

impl ApiClient {
    pub(super) fn new(base_url: &str, key: SecretText) -> Self {
        Self { url: format!("{base_url}/v1/messages"), key, client: OnceLock::new() }
    }

    /// Sends a request, once, and waits so long for its answer.
    pub(super) async fn send(&self, request: &[u8], timeout_for: Duration) -> ApiResponse {
        let heard = tokio::time::timeout(timeout_for, self.ask(request)).await;
        heard.unwrap_or(ApiResponse { outcome: Outcome::TimedOut, wait: None })
    }

    async fn ask(&self, request: &[u8]) -> ApiResponse {
        let client = match self.client.get_or_init(http_client::client) {
            Ok(client) => client,
            Err(error) => return ApiResponse { outcome: Outcome::Refused(chain(error)), wait: None },
        };
        let Ok(mut key) = HeaderValue::from_str(self.key.expose()) else {
            let error = "the key holds what no header may".to_owned();
            return ApiResponse { outcome: Outcome::Ended(SwitchOffReason::Unauthorized, error), wait: None };
        };
        key.set_sensitive(true);
        let request = client.post(&self.url).header(CONTENT_TYPE, "application/json").body(request.to_vec());
        let request = request.header("x-api-key", key).header("anthropic-version", VERSION);
        match request.send().await {
            Ok(response) => self.read_response(response).await,
            Err(error) => ApiResponse { outcome: transport_outcome(&error), wait: None },
        }
    }

    async fn read_response(&self, mut response: Response) -> ApiResponse {
        let (status, wait) = (response.status(), limits::wait(response.headers()));
        let mut body = Vec::new();
        let outcome = loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= RESPONSE_BYTES_MAX => body.extend_from_slice(&chunk),
                Ok(Some(_)) => break Outcome::Refused(format!("{status}, with more than {RESPONSE_BYTES_MAX} bytes")),
                Ok(None) => break self.classify(status, body),
                Err(error) => break transport_outcome(&error),
            }
        };
        ApiResponse { outcome, wait }
    }

    fn classify(&self, status: StatusCode, body: Vec<u8>) -> Outcome {
        if status.is_success() {
            return Outcome::Answered(body);
        }
        let text = String::from_utf8_lossy(&body);
        let error = self.describe_error(status, &text);
        if SPEND_LIMIT_PHRASES.iter().any(|words| text.contains(words)) {
            return Outcome::Ended(SwitchOffReason::SpendLimitReached, error);
        }
        match status {
            StatusCode::UNAUTHORIZED => Outcome::Ended(SwitchOffReason::Unauthorized, error),
            StatusCode::PAYMENT_REQUIRED => Outcome::Ended(SwitchOffReason::PaymentRequired, error),
            StatusCode::FORBIDDEN => Outcome::Ended(SwitchOffReason::Forbidden, error),
            StatusCode::REQUEST_TIMEOUT | StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS => {
                Outcome::Passing(error)
            }
            status if status.is_server_error() => Outcome::Passing(error),
            _ => Outcome::Refused(error),
        }
    }

    /// What an error says, for the log: bounded, and without the key, should somebody on the way repeat it.
    fn describe_error(&self, status: StatusCode, text: &str) -> String {
        let said = match serde_json::from_str(text) {
            Ok(ApiErrorBody { error: ApiErrorDetail { r#type, message } }) => format!("{status}, {type}: {message}"),
            Err(_) => status.to_string(),
        };
        said.replace(self.key.expose(), "…").chars().take(ERROR_TEXT_MAX).collect()
    }
}

fn transport_outcome(error: &reqwest::Error) -> Outcome {
    if error.is_timeout() { Outcome::TimedOut } else { Outcome::Passing(chain(error)) }
}
