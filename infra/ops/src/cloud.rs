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

use crate::service_error::{Trouble, deepest};
use ctl::addresses::{Addresses, FUNCTIONS};

/// The alias that everything calls a function by.
pub(crate) const LIVE: &str = "live";

/// How long region and credentials are looked for, each: outside of EC2, nobody answers for its metadata.
const LOOKUP: Duration = Duration::from_secs(5);

/// How long a service may take: some look through logs meanwhile.
const CONNECT: Duration = Duration::from_secs(2);
const ANSWER: Duration = Duration::from_secs(30);

const NO_REGION: &str = "no region: set AWS_REGION, or AWS_PROFILE to a profile that has one";

const NO_CREDENTIALS: &str =
    "no credentials: sign in, and hand them over by eval \"$(aws configure export-credentials --format env)\"";

/// The account, as far as it is the stack's.
pub(crate) struct Cloud {
    pub(crate) stack: String,
    pub(crate) config: SdkConfig,
    region: String,
}

impl Cloud {
    /// The account that the SDK finds settings for.
    pub(crate) async fn of(stack: &str) -> anyhow::Result<Self> {
        let config = tokio::time::timeout(LOOKUP, aws::config(None)).await;
        let config = config.map_err(|_| anyhow!(NO_REGION))?.map_err(anyhow::Error::msg)?;
        let region = config.region().map(ToString::to_string).filter(|region| !region.is_empty());
        let region = region.context(NO_REGION)?;
        let provider = config.credentials_provider().context(NO_CREDENTIALS)?;
        match tokio::time::timeout(LOOKUP, provider.provide_credentials()).await {
            Ok(Ok(_)) => {
                let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ANSWER);
                let config = config.into_builder().timeout_config(timeouts.build()).build();
                Ok(Self { stack: stack.to_owned(), config, region })
            }
            Ok(Err(CredentialsError::CredentialsNotLoaded(_))) | Err(_) => bail!(NO_CREDENTIALS),
            Ok(Err(error)) => bail!("{NO_CREDENTIALS} ({})", deepest(&error)),
        }
    }

    /// What belongs to the stack and has this name in it.
    pub(crate) fn named(&self, name: &str) -> String {
        format!("{}-{name}", self.stack)
    }

    /// The queue of what a function failed.
    pub(crate) fn queue_of(&self, function: &str) -> String {
        self.named(&format!("{function}-failures"))
    }

    /// That something of the stack is not there.
    pub(crate) fn missing(&self, what: &str) -> String {
        format!("there is no {what} in {}: is {} the stack's name?", self.region, self.stack)
    }

    /// A function by the name and alias it is called by.
    pub(crate) fn missing_function(&self, function: &str) -> String {
        self.missing(&format!("function {} with the alias {LIVE}", self.named(function)))
    }

    /// What went wrong with a request to a service.
    pub(crate) fn trouble<E>(&self, service: &str, error: &SdkError<E>) -> Trouble
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        Trouble::of(service, &self.region, error)
    }

    /// The URL of each function.
    pub(crate) async fn addresses(&self) -> anyhow::Result<Addresses> {
        let lambda = aws_sdk_lambda::Client::new(&self.config);
        let mut given = Vec::new();
        for function in FUNCTIONS {
            let asked = lambda.get_function_url_config().function_name(self.named(function)).qualifier(LIVE);
            let answer = asked.send().await.map_err(|error| {
                let what = format!("URL of the function {} with the alias {LIVE}", self.named(function));
                self.trouble("Lambda", &error).about(|| self.missing(&what))
            })?;
            given.push(format!("{function}={}", answer.function_url()));
        }
        Addresses::read(&given)
    }

    /// The deployment's secret.
    pub(crate) async fn secret(&self) -> anyhow::Result<String> {
        let secret = Secrets::of(&self.config).current(&self.named("cron-secret")).await;
        let secret = secret.map_err(|failure| match failure {
            Failure::Internal(why) | Failure::Retry(Retry::Unavailable(why)) => anyhow!("{why} (in {})", self.region),
            other => anyhow!(other.code()),
        })?;
        Ok(secret.text.expose().to_owned())
    }
}

/// Where the functions of a deployed stack are, and the deployment's secret unless it is given.
pub(crate) async fn found(stack: &str, secret: Option<&str>) -> anyhow::Result<(Addresses, String)> {
    let cloud = Cloud::of(stack).await?;
    let addresses = cloud.addresses().await?;
    let secret = match secret {
        Some(secret) => secret.to_owned(),
        None => cloud.secret().await?,
    };
    Ok((addresses, secret))
}
