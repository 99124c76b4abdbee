//! The settings of a process: read once, from a lookup function, into types.

use std::{borrow::Cow, fmt, ops::RangeInclusive, str::FromStr, time::Duration};

use crate::auth::DeploymentSecret;

/// What a function needs to know before its first call.
#[derive(Clone)]
pub struct Config {
    /// The `DynamoDB` table (`TABLE_NAME`).
    pub table: String,
    /// Another `DynamoDB` than the region's own (`AWS_ENDPOINT_URL_DYNAMODB`).
    pub endpoint: Option<String>,
    /// Another Secrets Manager than the region's own (`AWS_ENDPOINT_URL_SECRETS_MANAGER`).
    pub secrets_endpoint: Option<String>,
    /// Where the deployment's secret is; without one every HTTP request is refused.
    pub secret: Option<SecretSource<DeploymentSecret>>,
    /// Outside Lambda: the port to answer HTTP on (`PORT`).
    pub port: Option<u16>,
    /// How long a request on a port may take, in whole seconds (`REQUEST_TIMEOUT_SECONDS`, up to an hour).
    pub request_timeout: Duration,
    /// Which log lines are written (`LOG_LEVEL`, as `info` or `warn,shared=debug`).
    pub log_level: String,
    /// Under which namespace `CloudWatch` keeps the metrics (`METRICS_NAMESPACE`).
    pub metrics_namespace: String,
    /// Where the webhook of the Slack channel is that is told of the week; without one none is.
    pub slack_webhook: Option<SecretSource<SecretText>>,
    /// How Claude is asked.
    pub claude: ClaudeConfig,
}

/// Where a secret is kept.
#[derive(Debug, Clone)]
pub enum SecretSource<T> {
    /// In the environment, for one machine. It takes precedence over `Managed`.
    Inline(T),
    /// In Secrets Manager, under this name or ARN.
    Managed(String),
}

/// How Claude is asked, and how gently.
#[derive(Debug, Clone)]
pub struct ClaudeConfig {
    /// Where the API key is; without one nothing is asked.
    pub key: Option<SecretSource<SecretText>>,
    /// Where the API is (`ANTHROPIC_BASE_URL`), without a slash at the end.
    pub base_url: String,
    /// Which model is asked (`CHURN_MODEL`).
    pub model: String,
    /// Customers in a request (`CHURN_BATCH_SIZE`, 1 to 50).
    pub batch_size: usize,
    /// Between two requests (`CHURN_PAUSE_MS`, up to a minute).
    pub pause: Duration,
    /// Requests at once (`CHURN_CONCURRENCY`, 1 to 16).
    pub concurrency: usize,
    /// How long an answer may take (`CHURN_TIMEOUT_MS`, 100 ms to 10 minutes).
    pub timeout: Duration,
}

impl SecretSource<SecretText> {
    fn from_lookup(get: impl Fn(&str) -> Option<String>, inline: &str, managed: &str) -> Option<Self> {
        get(inline).map(|text| Self::Inline(SecretText::new(&text))).or_else(|| get(managed).map(Self::Managed))
    }
}

/// A text that is used and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(String);

impl SecretText {
    /// Without what copying and pasting leaves at its ends.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// The text itself, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}

/// Why the settings of a process cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A setting without a default is missing.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// A setting has a value that it cannot have.
    #[error("{name} {why}")]
    Invalid {
        /// The environment variable.
        name: &'static str,
        /// The fault, as the rest of a sentence.
        why: Cow<'static, str>,
    },
}

impl ConfigError {
    fn invalid(name: &'static str, why: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid { name, why: why.into() }
    }
}

impl Config {
    /// Reads the settings, or says which is missing or can't be read; `lookup` is the environment, or what a test says
    /// it is.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let get = |name: &str| lookup(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let inline = get("CRON_SECRET").map(|secret| DeploymentSecret::new(&secret));
        let inline = inline.transpose().map_err(|why| ConfigError::invalid("CRON_SECRET", why))?;
        let port = get("PORT")
            .map(|port| port.parse().map_err(|_| ConfigError::invalid("PORT", format!("is not a port: {port}"))));
        let request_timeout = parse_number("REQUEST_TIMEOUT_SECONDS", get("REQUEST_TIMEOUT_SECONDS"), 60, 1..=3_600)?;
        Ok(Self {
            table: get("TABLE_NAME").ok_or(ConfigError::Missing("TABLE_NAME"))?,
            endpoint: get("AWS_ENDPOINT_URL_DYNAMODB"),
            secrets_endpoint: get("AWS_ENDPOINT_URL_SECRETS_MANAGER"),
            secret: inline.map(SecretSource::Inline).or_else(|| get("CRON_SECRET_NAME").map(SecretSource::Managed)),
            port: port.transpose()?,
            request_timeout: Duration::from_secs(request_timeout),
            log_level: get("LOG_LEVEL").unwrap_or_else(|| "info".into()),
            metrics_namespace: get("METRICS_NAMESPACE").unwrap_or_else(|| "Regulars".into()),
            slack_webhook: SecretSource::from_lookup(get, "SLACK_WEBHOOK_URL", "SLACK_WEBHOOK_SECRET"),
            claude: ClaudeConfig::from_lookup(get)?,
        })
    }
}

impl ClaudeConfig {
    fn from_lookup(get: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let base_url = get("ANTHROPIC_BASE_URL").unwrap_or_else(|| "https://api.anthropic.com".into());
        if !base_url.starts_with("https://") && !base_url.starts_with("http://") {
            let why = format!("must begin with http:// or https://: {base_url}");
            return Err(ConfigError::invalid("ANTHROPIC_BASE_URL", why));
        }
        let pause = parse_number("CHURN_PAUSE_MS", get("CHURN_PAUSE_MS"), 1_000, 0..=60_000)?;
        let timeout = parse_number("CHURN_TIMEOUT_MS", get("CHURN_TIMEOUT_MS"), 60_000, 100..=600_000)?;
        Ok(Self {
            key: SecretSource::from_lookup(&get, "ANTHROPIC_API_KEY", "ANTHROPIC_SECRET"),
            base_url: base_url.trim_end_matches('/').to_owned(),
            // The cheapest of the current models; that it is good enough, the predictions are held against what happened.
            model: get("CHURN_MODEL").unwrap_or_else(|| "claude-haiku-5-5".into()),
            batch_size: parse_number("CHURN_BATCH_SIZE", get("CHURN_BATCH_SIZE"), 10, 1..=50)?,
            pause: Duration::from_millis(pause),
            concurrency: parse_number("CHURN_CONCURRENCY", get("CHURN_CONCURRENCY"), 1, 1..=16)?,
            timeout: Duration::from_millis(timeout),
        })
    }
}

/// A whole number within bounds, or what it is where nothing is set.
fn parse_number<N>(
    name: &'static str,
    text: Option<String>,
    default: N,
    bounds: RangeInclusive<N>,
) -> Result<N, ConfigError>
where
    N: FromStr + PartialOrd + fmt::Display,
{
    let Some(text) = text else { return Ok(default) };
    let number = text.parse().ok().filter(|number| bounds.contains(number));
    number.ok_or_else(|| {
        let (min, max) = (bounds.start(), bounds.end());
        ConfigError::invalid(name, format!("must be a whole number from {min} to {max}: {text}"))
    })
}
