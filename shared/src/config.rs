//! The settings of a process: read once, from a lookup function, into types.

use crate::auth::DeploymentSecret;

/// What a function needs to know before its first call.
#[derive(Clone)]
pub struct Config {
    /// The `DynamoDB` table (`TABLE_NAME`).
    pub table: String,
    /// Another `DynamoDB` than the region's own (`AWS_ENDPOINT_URL_DYNAMODB`).
    pub endpoint: Option<String>,
    /// The deployment's secret (`CRON_SECRET`); without one every HTTP request is refused.
    pub secret: Option<DeploymentSecret>,
    /// Outside Lambda: the port to answer HTTP on (`PORT`).
    pub port: Option<u16>,
    /// Which log lines are written (`LOG_LEVEL`, as `info` or `warn,shared=debug`).
    pub log_level: String,
}

impl Config {
    /// Reads the settings, or says which is missing or can't be read; `lookup` is the environment, or what a test says
    /// it is.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let get = |name: &str| lookup(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let port = get("PORT").map(|port| port.parse().map_err(|_| format!("PORT is not a port: {port}")));
        Ok(Self {
            table: get("TABLE_NAME").ok_or_else(|| String::from("TABLE_NAME is not set"))?,
            endpoint: get("AWS_ENDPOINT_URL_DYNAMODB"),
            secret: get("CRON_SECRET").as_deref().map(DeploymentSecret::new),
            port: port.transpose()?,
            log_level: get("LOG_LEVEL").unwrap_or_else(|| "info".into()),
        })
    }
}
