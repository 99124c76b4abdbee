//! The deployment's secret, from where it is kept: at hand, or read when a request first needs it and again from time to
//! time, because it may have been rotated. What is accepted at an instant, and when to read again, `auth` decides.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use super::invocation::Invocation;
use crate::{
    auth::{DeploymentSecret, PresentedSecret, SecretRotation},
    clock::Sleeper,
    config::{Config, SecretSource},
    domain::rejection::Rejection,
    error::{InternalError, chain},
    failure::Failure,
    secrets::Secrets,
};

/// How long a request waits for a secret without which it can't be answered: longer than the client waits for an answer
/// before it asks again.
const REQUIRED_READ_TIMEOUT: Duration = Duration::from_secs(4);

/// How long one waits that could be answered without.
const OPTIONAL_READ_TIMEOUT: Duration = Duration::from_secs(1);

/// The deployment's secret.
pub(super) enum SecretVerifier {
    /// At hand.
    Inline(DeploymentSecret),
    /// In Secrets Manager.
    Managed(Box<ManagedSecret>),
}

/// A secret in Secrets Manager. Requests that come while it is read share the read.
pub(super) struct ManagedSecret {
    name: String,
    endpoint: Option<String>,
    state: Mutex<SecretState>,
    /// Held by the request that reads.
    read_lock: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct SecretState {
    rotation: SecretRotation,
    /// Why the last read brought nothing, or that it was never finished.
    last_failure: Option<Failure>,
}

impl SecretVerifier {
    /// As the settings say, if they say it.
    pub(super) fn from_config(config: &Config) -> Option<Self> {
        Some(match config.secret.clone()? {
            SecretSource::Inline(secret) => Self::Inline(secret),
            SecretSource::Managed(name) => Self::Managed(Box::new(ManagedSecret {
                name,
                endpoint: config.secrets_endpoint.clone(),
                state: Mutex::default(),
                read_lock: tokio::sync::Mutex::default(),
            })),
        })
    }

    /// Lets in who shows it.
    pub(super) async fn verify(
        &self,
        presented: &PresentedSecret,
        invocation: Invocation,
        sleeper: &Sleeper,
    ) -> Result<(), Failure> {
        match self {
            Self::Inline(secret) if secret.matches(presented) => Ok(()),
            Self::Inline(_) => Err(Rejection::Unauthorized.into()),
            Self::Managed(managed) => managed.verify(presented, invocation, sleeper).await,
        }
    }
}

impl ManagedSecret {
    fn with_state<T>(&self, access: impl FnOnce(&mut SecretState) -> T) -> T {
        access(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn verify(
        &self,
        presented: &PresentedSecret,
        invocation: Invocation,
        sleeper: &Sleeper,
    ) -> Result<(), Failure> {
        let check = || self.with_state(|state| state.rotation.check(presented, invocation.started));
        let first = check();
        let read_guard = if !first.is_accepted {
            self.read_lock.lock().await
        } else if first.is_read_due
            && let Ok(guard) = self.read_lock.try_lock()
        {
            guard
        } else {
            // It is fresh, or another request reads, and this one does not need to wait.
            return Ok(());
        };
        // Who held the turn before may have read what was missing here.
        let second = check();
        if second.is_read_due {
            self.with_state(|state| {
                state.rotation.begin_read(second, invocation.started);
                state.last_failure = Some(Failure::unavailable("the secret was not read to the end"));
            });
            let limit = if second.is_accepted { OPTIONAL_READ_TIMEOUT } else { REQUIRED_READ_TIMEOUT };
            let read = tokio::select! {
                biased;
                read = Box::pin(self.read(invocation)) => read,
                () = sleeper.sleep(limit) => Err(Failure::unavailable("Secrets Manager does not answer")),
            };
            let failure = read.err();
            if let Some(failure) = failure.as_ref().filter(|_| second.is_accepted) {
                tracing::warn!(
                    error = chain(failure),
                    "the deployment's secret could not be read again; what is known of it holds"
                );
            }
            self.with_state(|state| state.last_failure = failure);
        }
        drop(read_guard);
        if check().is_accepted {
            return Ok(());
        }
        // What is not known is not wrong while nobody can tell.
        Err(self.with_state(|state| state.last_failure.clone()).unwrap_or_else(|| Rejection::Unauthorized.into()))
    }

    async fn read(&self, invocation: Invocation) -> Result<(), Failure> {
        let as_not_configured = |failure| match failure {
            Failure::Internal(error) => Failure::NotConfigured(error),
            transient => transient,
        };
        let secrets = Secrets::connect(self.endpoint.as_deref()).await.map_err(as_not_configured)?;
        let read = secrets.current(&self.name).await.map_err(as_not_configured)?;
        let current = DeploymentSecret::new(read.text.expose())
            .map_err(|why| Failure::NotConfigured(InternalError::new(format!("the secret {} {why}", self.name))))?;
        // Made in the future, by a clock that is ahead, is made just now.
        let age = read.created_at.map(|created_at| (invocation.time() - created_at).to_std().unwrap_or_default());
        let previous = if self.with_state(|state| state.rotation.needs_previous(&current, age)) {
            let previous = secrets.previous(&self.name).await.map_err(as_not_configured)?;
            previous.and_then(|text| DeploymentSecret::new(text.expose()).ok())
        } else {
            None
        };
        self.with_state(|state| state.rotation.complete_read(current, age, previous, invocation.started));
        Ok(())
    }
}
