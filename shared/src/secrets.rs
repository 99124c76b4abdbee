//! Reads secrets from Secrets Manager when they are needed. A rotation therefore needs no deployment.

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::{
    Client,
    config::Builder,
    error::{ProvideErrorMetadata, SdkError},
    operation::get_secret_value::{GetSecretValueError, GetSecretValueOutput},
};
use chrono::{DateTime, Utc};

use crate::{
    aws,
    config::{SecretSource, SecretText},
    error::{InternalError, Unavailable},
    failure::{Failure, Retry},
};

/// Error codes after which a later request may succeed. Every 5xx is transient too.
const TRANSIENT_CODES: [&str; 3] = ["LimitExceededException", "RequestLimitExceeded", "ThrottlingException"];

/// The current text of a secret, or `None` without a source or with an empty text.
///
/// A managed secret is read from the region's own Secrets Manager, or from the service at `endpoint`. A secret that
/// does not exist, or that this process may not read, is an internal failure.
pub async fn resolve(
    source: Option<&SecretSource<SecretText>>,
    endpoint: Option<&str>,
) -> Result<Option<SecretText>, Failure> {
    let text = match source {
        None => None,
        Some(SecretSource::Inline(text)) => Some(text.clone()),
        Some(SecretSource::Managed(secret)) => Some(Secrets::connect(endpoint).await?.current(secret).await?.text),
    };
    Ok(text.filter(|text| !text.expose().is_empty()))
}

/// A client of Secrets Manager.
pub struct Secrets(Client);

/// The current version of a secret.
pub struct CurrentSecret {
    /// The text.
    pub text: SecretText,
    /// The creation time of this version.
    pub created_at: Option<DateTime<Utc>>,
}

impl Secrets {
    /// A client of the region's own Secrets Manager, or of the service at `endpoint`.
    pub async fn connect(endpoint: Option<&str>) -> Result<Self, Failure> {
        let shared = aws::config(endpoint).await?;
        let mut config = Builder::from(&shared);
        config.set_endpoint_url(endpoint.map(str::to_owned));
        Ok(Self(Client::from_conf(config.build())))
    }

    /// A client with the given configuration.
    #[must_use]
    pub fn from_config(config: &SdkConfig) -> Self {
        Self(Client::new(config))
    }

    /// The current version of the secret with this name or ARN. Fails with an internal failure if the secret does not
    /// exist, holds no text or may not be read by this process.
    pub async fn current(&self, secret: &str) -> Result<CurrentSecret, Failure> {
        let answer = self.get_version(secret, "AWSCURRENT").await?;
        let answer = answer.ok_or_else(|| Failure::internal(format!("the secret {secret} does not exist")))?;
        let created_at = answer.created_date().and_then(|date| date.to_millis().ok());
        let text = answer.secret_string().map(SecretText::new);
        Ok(CurrentSecret {
            text: text.ok_or_else(|| Failure::internal(format!("the secret {secret} holds no text")))?,
            created_at: created_at.and_then(DateTime::from_timestamp_millis),
        })
    }

    /// The text before the current one, if there was one.
    pub async fn previous(&self, secret: &str) -> Result<Option<SecretText>, Failure> {
        let answer = self.get_version(secret, "AWSPREVIOUS").await?;
        Ok(answer.and_then(|answer| answer.secret_string().map(SecretText::new)))
    }

    async fn get_version(&self, secret: &str, stage: &str) -> Result<Option<GetSecretValueOutput>, Failure> {
        match self.0.get_secret_value().secret_id(secret).version_stage(stage).send().await {
            Ok(answer) => Ok(Some(answer)),
            Err(SdkError::ServiceError(service)) if service.err().is_resource_not_found_exception() => Ok(None),
            Err(error) => Err(read_failure(secret, error)),
        }
    }
}

fn read_failure(secret: &str, error: SdkError<GetSecretValueError>) -> Failure {
    let message = format!("the secret {secret} cannot be read");
    let is_transient = match &error {
        SdkError::ServiceError(service) => {
            service.raw().status().is_server_error()
                || service.err().code().is_some_and(|code| TRANSIENT_CODES.contains(&code))
        }
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => true,
        _ => false,
    };
    if is_transient {
        Failure::Retry(Retry::Unavailable(Unavailable::caused_by(message, error)))
    } else {
        Failure::Internal(InternalError::caused_by(message, error))
    }
}
