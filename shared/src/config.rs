//! The settings of a process, read once from a lookup function into types.

use std::{borrow::Cow, fmt, ops::RangeInclusive, str::FromStr, time::Duration};

use crate::auth::DeploymentSecret;

/// The settings of a function.
#[derive(Clone)]
pub struct Config {
    /// The `DynamoDB` table (`TABLE_NAME`).
    pub table: String,
    /// The endpoint of a `DynamoDB` other than the region's own (`AWS_ENDPOINT_URL_DYNAMODB`).
    pub endpoint: Option<String>,
    /// The endpoint of a Secrets Manager other than the region's own (`AWS_ENDPOINT_URL_SECRETS_MANAGER`).
    pub secrets_endpoint: Option<String>,
    /// The source of the deployment's secret. Without a source, every HTTP request fails.
    pub secret: Option<SecretSource<DeploymentSecret>>,
    /// The port of the HTTP server outside Lambda (`PORT`).
    pub port: Option<u16>,
    /// The timeout of a request outside Lambda (`REQUEST_TIMEOUT_SECONDS`, 1 to 3,600 whole seconds).
    pub request_timeout: Duration,
    /// The origins of web pages that may call, separated by commas (`ALLOWED_ORIGINS`). Used outside Lambda only.
    pub allowed_origins: String,
    /// The levels of the log lines (`LOG_LEVEL`, such as `info` or `warn,shared=debug`).
    pub log_level: String,
    /// The `CloudWatch` namespace of the metrics (`METRICS_NAMESPACE`).
    pub metrics_namespace: String,
    /// The source of the webhook for the Slack channel of the weekly report. Without a source, no message is sent.
    pub slack_webhook: Option<SecretSource<SecretText>>,
    /// The settings for requests to Claude.
    pub claude: ClaudeConfig,
}

/// The source of a secret.
#[derive(Debug, Clone)]
pub enum SecretSource<T> {
    /// An environment variable, for use on one machine. It takes precedence over `Managed`.
    Inline(T),
    /// Secrets Manager, under this name or ARN.
    Managed(String),
}

/// The settings for requests to Claude, and their pace.
#[derive(Debug, Clone)]
pub struct ClaudeConfig {
    /// The source of the API key. Without a source, no request is sent.
    pub key: Option<SecretSource<SecretText>>,
    /// The base URL of the API (`ANTHROPIC_BASE_URL`), without a trailing slash.
    pub base_url: String,
    /// The model (`CHURN_MODEL`).
    pub model: String,
    /// The number of customers in a request (`CHURN_BATCH_SIZE`, 1 to 50).
    pub batch_size: usize,
    /// The pause between two requests (`CHURN_PAUSE_MS`, 0 ms to 1 minute).
    pub pause: Duration,
    /// The number of concurrent requests (`CHURN_CONCURRENCY`, 1 to 16).
    pub concurrency: usize,
    /// The timeout of a request (`CHURN_TIMEOUT_MS`, 100 ms to 10 minutes).
    pub timeout: Duration,
}

impl SecretSource<SecretText> {
    fn from_lookup(get: impl Fn(&str) -> Option<String>, inline: &str, managed: &str) -> Option<Self> {
        get(inline).map(|text| Self::Inline(SecretText::new(&text))).or_else(|| get(managed).map(Self::Managed))
    }
}

/// A secret text. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(String);

impl SecretText {
    /// A secret text without the white space that copying leaves at its ends.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// The text itself, for sending only.
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
    /// A setting has an invalid value.
    #[error("{name} {rule}")]
    Invalid {
        /// The environment variable.
        name: &'static str,
        /// The fault, as the rest of a sentence.
        rule: Cow<'static, str>,
    },
}

impl ConfigError {
    fn invalid(name: &'static str, rule: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid { name, rule: rule.into() }
    }
}

impl Config {
    /// Reads the settings. `lookup` returns the value of an environment variable. Fails with the first setting that is
    /// missing or invalid.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let get = |name: &str| lookup(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let inline = get("CRON_SECRET").map(|secret| DeploymentSecret::new(&secret));
        let inline = inline.transpose().map_err(|error| ConfigError::invalid("CRON_SECRET", error.to_string()))?;
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
            allowed_origins: get("ALLOWED_ORIGINS").unwrap_or_default(),
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
            let rule = format!("must begin with http:// or https://: {base_url}");
            return Err(ConfigError::invalid("ANTHROPIC_BASE_URL", rule));
        }
        let pause = parse_number("CHURN_PAUSE_MS", get("CHURN_PAUSE_MS"), 1_000, 0..=60_000)?;
        let timeout = parse_number("CHURN_TIMEOUT_MS", get("CHURN_TIMEOUT_MS"), 60_000, 100..=600_000)?;
        Ok(Self {
            key: SecretSource::from_lookup(&get, "ANTHROPIC_API_KEY", "ANTHROPIC_SECRET"),
            base_url: base_url.trim_end_matches('/').to_owned(),
            // The cheapest current model. The evaluation of past predictions shows whether the model is good enough.
            model: get("CHURN_MODEL").unwrap_or_else(|| "claude-haiku-5-5".into()),
            batch_size: parse_number("CHURN_BATCH_SIZE", get("CHURN_BATCH_SIZE"), 10, 1..=50)?,
            pause: Duration::from_millis(pause),
            concurrency: parse_number("CHURN_CONCURRENCY", get("CHURN_CONCURRENCY"), 1, 1..=16)?,
            timeout: Duration::from_millis(timeout),
        })
    }
}

/// A whole number within bounds, or the default if nothing is set.
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
