//! The account that a stack is in: the names of what belongs to the stack, the clients of its services, and what goes
//! wrong with them, each on one line.

use std::{error::Error, time::Duration};

use aws_config::{SdkConfig, timeout::TimeoutConfig};
use aws_credential_types::provider::{ProvideCredentials, error::CredentialsError};
use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};
use shared::{aws, error::chain, failure::Failure, secrets::Secrets};

use ctl::addresses::{Addresses, FUNCTIONS};

/// The alias that everything calls a function by.
pub(crate) const LIVE: &str = "live";

/// How long region and credentials are looked for, each: outside of EC2, nobody answers for its metadata.
const LOOKUP: Duration = Duration::from_secs(5);

/// How long a service may take: some look through logs meanwhile.
const CONNECT: Duration = Duration::from_secs(2);
const ANSWER: Duration = Duration::from_secs(30);

/// The account, as far as it is the stack's.
pub(crate) struct Cloud {
    pub(crate) stack: String,
    pub(crate) config: SdkConfig,
    region: String,
}

/// Why a request came to nothing.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) kind: Kind,
    text: String,
}

/// What that means for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What it asked for is not there.
    NotThere,
    /// It is this request that is refused, or the same one may do later.
    OfThis,
    /// Every other would come to the same.
    OfAll,
}

impl Cloud {
    /// The account that the SDK finds settings for.
    pub(crate) async fn of(stack: &str) -> Result<Self, String> {
        let config = tokio::time::timeout(LOOKUP, aws::config(None)).await;
        let config = config.map_err(|_| no_region())?.map_err(|error| chain(&error))?;
        let region = config.region().map(ToString::to_string).filter(|region| !region.is_empty());
        let region = region.ok_or_else(no_region)?;
        let provider = config.credentials_provider().ok_or_else(no_credentials)?;
        match tokio::time::timeout(LOOKUP, provider.provide_credentials()).await {
            Ok(Ok(_)) => {
                let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ANSWER);
                let config = config.into_builder().timeout_config(timeouts.build()).build();
                Ok(Self { stack: stack.to_owned(), config, region })
            }
            Ok(Err(CredentialsError::CredentialsNotLoaded(_))) | Err(_) => Err(no_credentials()),
            Ok(Err(error)) => Err(format!("{} ({})", no_credentials(), deepest(&error))),
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
        match error {
            SdkError::ServiceError(answer) => {
                let said = answer.err();
                let message = said.message().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
                let status = answer.raw().status();
                refused(service, said.code().unwrap_or_default(), status.as_u16(), &message)
            }
            SdkError::TimeoutError(_) => {
                Trouble { kind: Kind::OfThis, text: format!("{service} in {} did not answer in time", self.region) }
            }
            error => Trouble {
                kind: Kind::OfAll,
                text: format!("{service} in {} can't be reached: {}", self.region, deepest(error)),
            },
        }
    }

    /// The URL of each function.
    pub(crate) async fn addresses(&self) -> Result<Addresses, String> {
        let lambda = aws_sdk_lambda::Client::new(&self.config);
        let mut given = Vec::new();
        for function in FUNCTIONS {
            let asked = lambda.get_function_url_config().function_name(self.named(function)).qualifier(LIVE);
            let answer = asked.send().await.map_err(|error| {
                let what = format!("URL of the function {} with the alias {LIVE}", self.named(function));
                self.trouble("Lambda", &error).or_missing(|| self.missing(&what))
            })?;
            given.push(format!("{function}={}", answer.function_url()));
        }
        Addresses::read(&given)
    }

    /// The deployment's secret.
    pub(crate) async fn secret(&self) -> Result<String, String> {
        let secret = Secrets::from_config(&self.config).current(&self.named("cron-secret")).await;
        let secret = secret.map_err(|failure| match failure {
            Failure::Internal(_) | Failure::Retry(_) => format!("{} (in {})", chain(&failure), self.region),
            other => other.code().to_owned(),
        })?;
        Ok(secret.text.expose().to_owned())
    }
}

impl Trouble {
    /// The same, with a line of its own where something is not there.
    pub(crate) fn about(self, missing: impl FnOnce() -> String) -> Self {
        if self.kind == Kind::NotThere { Self { text: missing(), ..self } } else { self }
    }

    /// A line that says it, where what is not there needs another.
    pub(crate) fn or_missing(self, missing: impl FnOnce() -> String) -> String {
        self.about(missing).text
    }

    /// A line that says it.
    pub(crate) fn text(self) -> String {
        self.text
    }
}

impl From<String> for Trouble {
    /// What is wrong with one thing alone.
    fn from(text: String) -> Self {
        Self { kind: Kind::OfThis, text }
    }
}

/// What a service answered that did not do what it was asked.
fn refused(service: &str, code: &str, status: u16, message: &str) -> Trouble {
    let (kind, text) = match code {
        // SQS has two names for it, an older one and a newer one.
        "ResourceNotFoundException"
        | "StateMachineDoesNotExist"
        | "QueueDoesNotExist"
        | "AWS.SimpleQueueService.NonExistentQueue" => (Kind::NotThere, format!("{service}: {message}")),
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => {
            (Kind::OfAll, format!("the credentials have expired: sign in again ({service}: {message})"))
        }
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "InvalidAccessKeyId"
        | "MissingAuthenticationToken" => {
            (Kind::OfAll, format!("the credentials are not valid ({service}: {message})"))
        }
        _ if code.starts_with("AccessDenied") => (Kind::OfAll, format!("not allowed: {message}")),
        "" => (Kind::OfThis, format!("{service} answered {status} {message}").trim_end().to_owned()),
        _ => (Kind::OfThis, format!("{service} answered {status} {code}: {message}")),
    };
    Trouble { kind, text }
}

fn no_region() -> String {
    "no region: set AWS_REGION, or AWS_PROFILE to a profile that has one".into()
}

fn no_credentials() -> String {
    "no credentials: sign in, and hand them over by eval \"$(aws configure export-credentials --format env)\"".into()
}

/// What is at the bottom of an error: what wraps it says no more than that something failed.
fn deepest(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error: &&(dyn Error + 'static)| (*error).source());
    let said = causes.last().map(ToString::to_string).unwrap_or_default();
    said.lines().next().unwrap_or_default().trim_end_matches(['.', ' ']).to_owned()
}

/// Where the functions of a deployed stack are, and the deployment's secret unless it is given.
pub(crate) async fn found(stack: &str, secret: Option<&str>) -> Result<(Addresses, String), String> {
    let cloud = Cloud::of(stack).await?;
    let addresses = cloud.addresses().await?;
    let secret = match secret {
        Some(secret) => secret.to_owned(),
        None => cloud.secret().await?,
    };
    Ok((addresses, secret))
}
