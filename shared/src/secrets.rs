//! The secrets that are kept outside the process: one is read when it is needed, as it is then, so that rotating it needs
//! no deployment.

use std::error::Error;

use aws_sdk_secretsmanager::{
    Client,
    config::Builder,
    error::{ProvideErrorMetadata, SdkError},
};

use crate::{
    aws,
    config::SecretText,
    failure::{Failure, Retry},
};

/// Codes by which the service says that the same request may do later, beside every 5xx.
const PASSING: [&str; 3] = ["LimitExceededException", "RequestLimitExceeded", "ThrottlingException"];

/// The current text of the secret with this name or ARN, from the region's own Secrets Manager or the one at `endpoint`.
/// That it is not there, or not to be read by this process, is ours to mend.
pub async fn read(endpoint: Option<&str>, secret: &str) -> Result<SecretText, Failure> {
    let shared = aws::config(endpoint).await.map_err(Failure::Bug)?;
    let mut config = Builder::from(&shared);
    config.set_endpoint_url(endpoint.map(str::to_owned));
    let client = Client::from_conf(config.build());
    let answer = client.get_secret_value().secret_id(secret).send().await.map_err(|error| {
        let text = format!("the secret {secret} can't be read: {}", told(&error));
        let may_pass = match &error {
            SdkError::ServiceError(service) => {
                service.raw().status().is_server_error()
                    || service.err().code().is_some_and(|code| PASSING.contains(&code))
            }
            SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => true,
            _ => false,
        };
        if may_pass { Failure::Retry(Retry::Unavailable(text)) } else { Failure::Bug(text) }
    })?;
    answer
        .secret_string()
        .map(SecretText::new)
        .ok_or_else(|| Failure::Bug(format!("the secret {secret} holds no text")))
}

/// An error with what caused it, by what each says of itself: as it would be debugged, it shows the answer, and that may
/// hold the secret.
fn told(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error: &&(dyn Error + 'static)| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
