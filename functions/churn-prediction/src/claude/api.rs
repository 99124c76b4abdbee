//! Sends one HTTP request and classifies the response. The caller decides on retries and pauses.

use std::{sync::OnceLock, time::Duration};

use reqwest::{
    Client, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
};
use serde::Deserialize;
use shared::{config::SecretText, error::chain, http_client};

use super::{limits, switch_off::SwitchOffReason};

/// The version of the API.
const API_VERSION: &str = "2023-06-01";

/// The largest response body that is read, in bytes: about a hundred times the size of a batch's answer.
const RESPONSE_BYTES_MAX: usize = 1024 * 1024;

/// The longest logged text of an error, in characters.
const ERROR_TEXT_MAX: usize = 300;

/// Phrases in an error that mean a spend limit, for any status of the response.
///
/// The phrases cover the limit of the account's tier, a limit set for the account or a workspace, and an empty balance.
const SPEND_LIMIT_PHRASES: [&str; 3] =
    ["enforced_spend_limit_reached", "You have reached your specified", "credit balance is too low"];

/// The outcome of a request.
pub(super) enum Outcome {
    /// The API answered with this body.
    Answered(Vec<u8>),
    /// No response arrived within the timeout.
    TimedOut,
    /// A transient error: the API is busy or unreachable.
    Passing(String),
    /// A permanent error of this request.
    Refused(String),
    /// A permanent error of all requests, so Claude is switched off.
    Ended(SwitchOffReason, String),
}

/// The outcome of a request with the wait that the response asks for.
pub(super) struct ApiResponse {
    pub(super) outcome: Outcome,
    /// How long no request may be sent.
    pub(super) wait: Option<Duration>,
}

/// The body of an error response.
#[derive(Deserialize)]
struct ApiErrorBody {
    error: ApiErrorDetail,
}

#[derive(Deserialize)]
struct ApiErrorDetail {
    r#type: String,
    message: String,
}

/// A client of the API.
pub(super) struct ApiClient {
    url: String,
    key: SecretText,
    client: OnceLock<Result<Client, reqwest::Error>>,
}

impl ApiClient {
    pub(super) fn new(base_url: &str, key: SecretText) -> Self {
        Self { url: format!("{base_url}/v1/messages"), key, client: OnceLock::new() }
    }

    /// Sends a request once and waits for the response until the timeout.
    pub(super) async fn send(&self, request: &[u8], timeout: Duration) -> ApiResponse {
        let response = tokio::time::timeout(timeout, self.request(request)).await;
        response.unwrap_or(ApiResponse { outcome: Outcome::TimedOut, wait: None })
    }

    async fn request(&self, body: &[u8]) -> ApiResponse {
        let client = match self.client.get_or_init(http_client::client) {
            Ok(client) => client,
            Err(error) => return ApiResponse { outcome: Outcome::Refused(chain(error)), wait: None },
        };
        let Ok(mut key) = HeaderValue::from_str(self.key.expose()) else {
            let error = "the API key contains a character that is not allowed in a header".to_owned();
            return ApiResponse { outcome: Outcome::Ended(SwitchOffReason::Unauthorized, error), wait: None };
        };
        key.set_sensitive(true);
        let request = client.post(&self.url).header(CONTENT_TYPE, "application/json").body(body.to_vec());
        let request = request.header("x-api-key", key).header("anthropic-version", API_VERSION);
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
        if SPEND_LIMIT_PHRASES.iter().any(|phrase| text.contains(phrase)) {
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

    /// The text of an error for the log. The text is truncated. The key is masked, because a proxy may echo it.
    fn describe_error(&self, status: StatusCode, text: &str) -> String {
        let description = match serde_json::from_str(text) {
            Ok(ApiErrorBody { error: ApiErrorDetail { r#type, message } }) => format!("{status}, {type}: {message}"),
            Err(_) => status.to_string(),
        };
        description.replace(self.key.expose(), "…").chars().take(ERROR_TEXT_MAX).collect()
    }
}

fn transport_outcome(error: &reqwest::Error) -> Outcome {
    if error.is_timeout() { Outcome::TimedOut } else { Outcome::Passing(chain(error)) }
}
