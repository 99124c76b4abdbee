//! A deployed stack in its AWS account: the names of its resources, the configuration of the clients, and the errors.

use std::{error::Error, time::Duration};

use anyhow::{Context, anyhow, bail};
use aws_config::{SdkConfig, timeout::TimeoutConfig};
use aws_credential_types::provider::{ProvideCredentials, error::CredentialsError};
use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};
use shared::{aws, error::chain, failure::Failure, secrets::Secrets};

use crate::service_error::{ServiceError, root_cause};
use ctl::addresses::{FUNCTIONS, FunctionAddresses};

/// The alias by which every caller calls a function.
pub(crate) const LIVE_ALIAS: &str = "live";

/// Time limit of each lookup of region and credentials. Outside of EC2 the metadata service does not answer.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);

/// Time limit of a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Time limit of one attempt of a request; a search in logs takes a while.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

const NO_REGION: &str = "no region: set AWS_REGION, or AWS_PROFILE to a profile that has one";

const NO_CREDENTIALS: &str =
    "no credentials: sign in, and hand them over by eval \"$(aws configure export-credentials --format env)\"";

/// A stack with the configuration of its account.
pub(crate) struct DeployedStack {
    name: String,
    pub(crate) config: SdkConfig,
    region: String,
}

impl DeployedStack {
    /// Finds region and credentials as the SDK does. Fails if either is missing or the credentials cannot be loaded.
    pub(crate) async fn connect(name: &str) -> anyhow::Result<Self> {
        let config = tokio::time::timeout(LOOKUP_TIMEOUT, aws::config(None)).await;
        let config = config.map_err(|_| anyhow!(NO_REGION))??;
        let region = config.region().map(ToString::to_string).filter(|region| !region.is_empty());
        let region = region.context(NO_REGION)?;
        let provider = config.credentials_provider().context(NO_CREDENTIALS)?;
        match tokio::time::timeout(LOOKUP_TIMEOUT, provider.provide_credentials()).await {
            Ok(Ok(_)) => {
                let timeouts =
                    TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(ANSWER_TIMEOUT);
                let config = config.into_builder().timeout_config(timeouts.build()).build();
                Ok(Self { name: name.to_owned(), config, region })
            }
            Ok(Err(CredentialsError::CredentialsNotLoaded(_))) | Err(_) => bail!(NO_CREDENTIALS),
            Ok(Err(error)) => bail!("{NO_CREDENTIALS} ({})", root_cause(&error)),
        }
    }

    /// The full name of a resource of the stack.
    pub(crate) fn resource_name(&self, name: &str) -> String {
        format!("{}-{name}", self.name)
    }

    /// The name of the queue with a function's failed calls.
    pub(crate) fn failure_queue_name(&self, function: &str) -> String {
        self.resource_name(&format!("{function}-failures"))
    }

    /// The message for a missing resource of the stack.
    pub(crate) fn not_found(&self, resource: &str) -> String {
        format!("there is no {resource} in {}: is {} the stack's name?", self.region, self.name)
    }

    /// The message for a missing function or alias.
    pub(crate) fn function_not_found(&self, function: &str) -> String {
        self.not_found(&format!("function {} with the alias {LIVE_ALIAS}", self.resource_name(function)))
    }

    /// Converts the error of a request to a service.
    pub(crate) fn service_error<E>(&self, service: &str, error: &SdkError<E>) -> ServiceError
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        ServiceError::of(service, &self.region, error)
    }

    /// Reads the URL of each function.
    pub(crate) async fn addresses(&self) -> anyhow::Result<FunctionAddresses> {
        let lambda = aws_sdk_lambda::Client::new(&self.config);
        let mut urls = Vec::new();
        for function in FUNCTIONS {
            let request =
                lambda.get_function_url_config().function_name(self.resource_name(function)).qualifier(LIVE_ALIAS);
            let answer = request.send().await.map_err(|error| {
                let url = format!("URL of the function {} with the alias {LIVE_ALIAS}", self.resource_name(function));
                self.service_error("Lambda", &error).with_not_found(|| self.not_found(&url))
            })?;
            urls.push(format!("{function}={}", answer.function_url()));
        }
        FunctionAddresses::parse(&urls)
    }

    /// Reads the deployment's secret.
    pub(crate) async fn secret(&self) -> anyhow::Result<String> {
        let secret = Secrets::from_config(&self.config).current(&self.resource_name("cron-secret")).await;
        let secret = secret.map_err(|failure| match failure {
            Failure::Internal(_) | Failure::Retry(_) => anyhow!("{} (in {})", chain(&failure), self.region),
            other => anyhow!(other.code()),
        })?;
        Ok(secret.text.expose().to_owned())
    }
}

/// Finds the addresses of a stack's functions. Reads the deployment's secret unless it is given.
pub(crate) async fn find(stack: &str, secret: Option<&str>) -> anyhow::Result<(FunctionAddresses, String)> {
    let stack = DeployedStack::connect(stack).await?;
    let addresses = stack.addresses().await?;
    let secret = match secret {
        Some(secret) => secret.to_owned(),
        None => stack.secret().await?,
    };
    Ok((addresses, secret))
}
