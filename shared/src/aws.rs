//! How a client of an AWS service is built, whichever service it is. Cold start is a feature: the trust store holds the
//! five roots that AWS services chain to, not the system's hundred and more, because parsing those is the largest single
//! cost of a start (tests/bench).

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};

use crate::error::InternalError;

/// Amazon Trust Services' roots: Amazon Root CA 1 to 4 and Starfield Services Root G2, as published in the Mozilla
/// root programme.
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon-roots.pem");

/// What a client for the region's own service is built from, or for a stand-in at `endpoint`; or why there can be none.
pub async fn config(endpoint: Option<&str>) -> Result<SdkConfig, InternalError> {
    match endpoint {
        Some(endpoint) if endpoint.starts_with("http://") => Ok(local_config(endpoint)),
        endpoint => {
            // A named endpoint may be a proxy of the user's own, so it is checked by the system's roots.
            let trust = if endpoint.is_some() {
                TrustStore::default().with_native_roots(true)
            } else {
                TrustStore::empty().with_pem_certificate(AMAZON_ROOTS)
            };
            let tls = TlsContext::builder().with_trust_store(trust).build();
            let tls = tls.map_err(|error| InternalError::caused_by("the trust store cannot be used", error))?;
            let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(tls).build_https();
            let config = aws_config::defaults(behavior_version()).http_client(http);
            Ok(config.retry_config(retry_config()).timeout_config(timeout_config()).load().await)
        }
    }
}

/// The same for a stand-in on this machine, which takes any credentials.
#[must_use]
pub fn local_config(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("local", "local", None, None, "the local stack");
    SdkConfig::builder()
        .behavior_version(behavior_version())
        .http_client(Builder::new().build_http())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .region(Region::from_static("us-east-1"))
        .endpoint_url(endpoint)
        .retry_config(retry_config())
        .timeout_config(timeout_config())
        .build()
}

fn behavior_version() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// Retries for calls that somebody waits for. What the client retries itself (throttling, 5xx, a broken connection) it
/// retries soon.
fn retry_config() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(4)
        .with_initial_backoff(Duration::from_millis(25))
        .with_max_backoff(Duration::from_millis(500))
}

fn timeout_config() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(3))
        .build()
}
