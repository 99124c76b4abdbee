//! Verifies the deployment's secret.
//!
//! An inline secret is configured. A managed secret is read when a request first needs it, and again later, because it
//! may have been rotated. [`SecretRotation`] decides which secrets are accepted and when to read again.

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

/// How long a request waits for a secret that it needs. Longer than one attempt of the client, so that the client can
/// retry.
const REQUIRED_READ_TIMEOUT: Duration = Duration::from_secs(4);

/// How long a request waits for a read that it does not need.
const OPTIONAL_READ_TIMEOUT: Duration = Duration::from_secs(1);

/// Verifies presented secrets against the deployment's secret.
pub(super) enum SecretVerifier {
    /// The secret is configured.
    Inline(DeploymentSecret),
    /// The secret is in Secrets Manager.
    Managed(Box<ManagedSecret>),
}

/// A secret in Secrets Manager. Concurrent requests share one read.
pub(super) struct ManagedSecret {
    name: String,
    endpoint: Option<String>,
    state: Mutex<SecretState>,
    /// The request that reads holds the lock.
    read_lock: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct SecretState {
    rotation: SecretRotation,
    /// Why the last read failed. Set while a read is in progress, because a cancelled request never completes it.
    last_failure: Option<Failure>,
}

impl SecretVerifier {
    /// The verifier for the configured source, `None` without a source.
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

    /// Accepts or rejects a presented secret.
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
            // The secret is fresh, or another request reads it already. This request does not need to wait.
            return Ok(());
        };
        // The previous holder of the lock may have read the secret in the meantime.
        let second = check();
        if second.is_read_due {
            self.with_state(|state| {
                state.rotation.begin_read(second, invocation.started);
                state.last_failure = Some(Failure::unavailable("the secret was not read completely"));
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
                    "the deployment's secret cannot be read again; the known secret stays valid"
                );
            }
            self.with_state(|state| state.last_failure = failure);
        }
        drop(read_guard);
        if check().is_accepted {
            return Ok(());
        }
        // An unknown secret cannot be rejected as wrong while the current secret cannot be read.
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
            .map_err(|error| Failure::NotConfigured(InternalError::new(format!("the secret {} {error}", self.name))))?;
        // A creation time in the future comes from a clock that is ahead. It counts as now.
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
