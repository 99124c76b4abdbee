//! The account that a stack is in: the names of what belongs to the stack, the clients of its services, and what goes
//! wrong with them, each on one line.

use std::{error::Error, time::Duration};

use anyhow::{Context, anyhow, bail};
use aws_config::{SdkConfig, timeout::TimeoutConfig};
use aws_credential_types::provider::{ProvideCredentials, error::CredentialsError};
use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};
use shared::{
    aws,
    failure::{Failure, Retry},
    secrets::Secrets,
};

use crate::service_error::{ServiceError, root_cause};
use ctl::addresses::{FUNCTIONS, FunctionAddresses};

/// The alias that everything calls a function by.
pub(crate) const LIVE_ALIAS: &str = "live";

/// How long region and credentials are looked for, each: outside of EC2, nobody answers for its metadata.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a service may take: some look through logs meanwhile.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

const NO_REGION: &str = "no region: set AWS_REGION, or AWS_PROFILE to a profile that has one";

const NO_CREDENTIALS: &str =
    "no credentials: sign in, and hand them over by eval \"$(aws configure export-credentials --format env)\"";

/// The account, as far as it is the stack's.
pub(crate) struct DeployedStack {
    name: String,
    pub(crate) config: SdkConfig,
    region: String,
}

impl DeployedStack {
    /// The account that the SDK finds settings for.
    pub(crate) async fn connect(name: &str) -> anyhow::Result<Self> {
        let config = tokio::time::timeout(LOOKUP_TIMEOUT, aws::config(None)).await;
        let config = config.map_err(|_| anyhow!(NO_REGION))?.map_err(anyhow::Error::msg)?;
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

    /// What belongs to the stack and has this name in it.
    pub(crate) fn resource_name(&self, name: &str) -> String {
        format!("{}-{name}", self.name)
    }

    /// The queue of what a function failed.
    pub(crate) fn failure_queue_name(&self, function: &str) -> String {
        self.resource_name(&format!("{function}-failures"))
    }

    /// That something of the stack is not there.
    pub(crate) fn not_found(&self, resource: &str) -> String {
        format!("there is no {resource} in {}: is {} the stack's name?", self.region, self.name)
    }

    /// A function by the name and alias it is called by.
    pub(crate) fn function_not_found(&self, function: &str) -> String {
        self.not_found(&format!("function {} with the alias {LIVE_ALIAS}", self.resource_name(function)))
    }

    /// What went wrong with a request to a service.
    pub(crate) fn service_error<E>(&self, service: &str, error: &SdkError<E>) -> ServiceError
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        ServiceError::of(service, &self.region, error)
    }

    /// The URL of each function.
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

    /// The deployment's secret.
    pub(crate) async fn secret(&self) -> anyhow::Result<String> {
        let secret = Secrets::of(&self.config).current(&self.resource_name("cron-secret")).await;
        let secret = secret.map_err(|failure| match failure {
            Failure::Internal(why) | Failure::Retry(Retry::Unavailable(why)) => anyhow!("{why} (in {})", self.region),
            other => anyhow!(other.code()),
        })?;
        Ok(secret.text.expose().to_owned())
    }
}

/// Where the functions of a deployed stack are, and the deployment's secret unless it is given.
pub(crate) async fn find(stack: &str, secret: Option<&str>) -> anyhow::Result<(FunctionAddresses, String)> {
    let stack = DeployedStack::connect(stack).await?;
    let addresses = stack.addresses().await?;
    let secret = match secret {
        Some(secret) => secret.to_owned(),
        None => stack.secret().await?,
    };
    Ok((addresses, secret))
}
