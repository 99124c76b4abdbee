//! The client of the table. What the client retries itself it retries soon; conflicts it does not, those are retried from
//! the load on.

use aws_sdk_dynamodb::{
    Client,
    config::{Builder, retry::RetryPartition},
};

use super::StoreError;
use crate::aws;

/// A client for the region's own `DynamoDB`, or for the one at `endpoint`.
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

/// A client for an engine on this machine, which takes any credentials.
#[must_use]
pub fn local_client(endpoint: &str) -> Client {
    // Clients of different engines share no budget of retries.
    let partition = RetryPartition::new(endpoint.to_owned());
    Client::from_conf(Builder::from(&aws::local_config(endpoint)).retry_partition(partition).build())
}
