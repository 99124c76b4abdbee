//! The client of the table. The client retries throttled and failed requests itself, after short pauses. It does not
//! retry a conflict between transactions: the caller loads again and decides again.

use aws_sdk_dynamodb::{
    Client,
    config::{Builder, retry::RetryPartition},
};

use super::error::StoreError;
use crate::aws;

/// A client of `DynamoDB` in the configured region, or of the service at `endpoint`.
pub async fn client(endpoint: Option<&str>) -> Result<Client, StoreError> {
    match endpoint {
        Some(endpoint) if endpoint.starts_with("http://") => Ok(local_client(endpoint)),
        endpoint => {
            let shared = aws::config(endpoint).await?;
            let mut config = Builder::from(&shared);
            config.set_endpoint_url(endpoint.map(str::to_owned));
            Ok(Client::from_conf(config.build()))
        }
    }
}

/// A client of an engine on this machine, which accepts any credentials.
#[must_use]
pub fn local_client(endpoint: &str) -> Client {
    // Otherwise the clients of all engines would share one retry budget.
    let partition = RetryPartition::new(endpoint.to_owned());
    Client::from_conf(Builder::from(&aws::local_config(endpoint)).retry_partition(partition).build())
}
