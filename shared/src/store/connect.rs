//! How the client is built. Cold start is a feature: the trust store holds the five roots that AWS services chain to,
//! not the system's hundred and more, because parsing those is the largest single cost of a start (tests/bench).

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::{
    Client,
    config::{Credentials, retry::RetryPartition},
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};

use super::StoreError;

/// Amazon Trust Services' roots: Amazon Root CA 1 to 4 and Starfield Services Root G2, as published in the Mozilla
/// root programme.
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon-roots.pem");

/// A client for the region's own `DynamoDB`, or for the one at `endpoint`.
pub async fn client(endpoint: Option<&str>) -> Result<Client, StoreError> {
    match endpoint {
        Some(endpoint) if endpoint.starts_with("http://") => Ok(local_client(endpoint)),
        endpoint => {
            // A named endpoint may be a proxy of the user's own, so it is checked by the system's roots.
            let trust = if endpoint.is_some() {
                TrustStore::default().with_native_roots(true)
            } else {
                TrustStore::empty().with_pem_certificate(AMAZON_ROOTS)
            };
            let tls = TlsContext::builder().with_trust_store(trust).build();
            let tls = tls.map_err(|error| StoreError::Broken(error.to_string()))?;
            let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(tls).build_https();
            let shared = aws_config::defaults(behaviour()).http_client(http).load().await;
            let mut config = tuned(aws_sdk_dynamodb::config::Builder::from(&shared));
            config.set_endpoint_url(endpoint.map(str::to_owned));
            Ok(Client::from_conf(config.build()))
        }
    }
}

/// A client for an engine on this machine, which takes any credentials.
#[must_use]
pub fn local_client(endpoint: &str) -> Client {
    let config = tuned(aws_sdk_dynamodb::Config::builder())
        .behavior_version(behaviour())
        .http_client(Builder::new().build_http())
        // Clients of different engines share no budget of retries.
        .retry_partition(RetryPartition::new(endpoint.to_owned()))
        .credentials_provider(Credentials::new("local", "local", None, None, "the local stack"))
        .region(Region::from_static("us-east-1"))
        .endpoint_url(endpoint);
    Client::from_conf(config.build())
}

fn behaviour() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// Time-outs and retries for calls that somebody waits for. What the client retries itself (throttling, 5xx, a broken
/// connection) it retries soon; conflicts it does not, those are retried from the load on.
fn tuned(config: aws_sdk_dynamodb::config::Builder) -> aws_sdk_dynamodb::config::Builder {
    let retries = RetryConfig::standard()
        .with_max_attempts(4)
        .with_initial_backoff(Duration::from_millis(25))
        .with_max_backoff(Duration::from_millis(500));
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(3))
        .build();
    config.retry_config(retries).timeout_config(timeouts)
}
