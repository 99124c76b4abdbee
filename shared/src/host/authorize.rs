//! The deployment's secret, from where it is kept: at hand, or read when a request first needs it and again from time to
//! time, because it may have been rotated. What is accepted at an instant, and when to read again, `auth` decides.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use super::invocation::Invocation;
use crate::{
    auth::{DeploymentSecret, PresentedSecret, Rotation},
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
pub(super) enum Secret {
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
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct SecretState {
    rotation: Rotation,
    /// Why the last read brought nothing, or that it was never finished.
    failing: Option<Failure>,
}

impl Secret {
    /// As the settings say, if they say it.
    pub(super) fn of(config: &Config) -> Option<Self> {
        Some(match config.secret.clone()? {
            SecretSource::Inline(secret) => Self::Inline(secret),
            SecretSource::Managed(name) => Self::Managed(Box::new(ManagedSecret {
                name,
                endpoint: config.secrets_endpoint.clone(),
                state: Mutex::default(),
                turn: tokio::sync::Mutex::default(),
            })),
        })
    }

    /// Lets in who shows it.
    pub(super) async fn check(
        &self,
        presented: &PresentedSecret,
        invocation: Invocation,
        sleeper: &Sleeper,
    ) -> Result<(), Failure> {
        match self {
            Self::Inline(secret) if secret.is(presented) => Ok(()),
            Self::Inline(_) => Err(Rejection::Unauthorized.into()),
            Self::Managed(managed) => managed.check(presented, invocation, sleeper).await,
        }
    }
}

impl ManagedSecret {
    fn with<T>(&self, look: impl FnOnce(&mut SecretState) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn check(
        &self,
        presented: &PresentedSecret,
        invocation: Invocation,
        sleeper: &Sleeper,
    ) -> Result<(), Failure> {
        let look = || self.with(|state| state.rotation.look(presented, invocation.started));
        let first = look();
        let turn = if !first.is_known {
            self.turn.lock().await
        } else if first.is_due
            && let Ok(turn) = self.turn.try_lock()
        {
            turn
        } else {
            // It is fresh, or another request reads, and this one does not need to wait.
            return Ok(());
        };
        // Who held the turn before may have read what was missing here.
        let look_again = look();
        if look_again.is_due {
            self.with(|state| {
                state.rotation.ask(look_again, invocation.started);
                state.failing = Some(unavailable("the secret was not read to the end"));
            });
            let limit = if look_again.is_known { OPTIONAL_READ_TIMEOUT } else { REQUIRED_READ_TIMEOUT };
            let read = tokio::select! {
                biased;
                read = Box::pin(self.read(invocation)) => read,
                () = sleeper.sleep(limit) => Err(unavailable("Secrets Manager does not answer")),
            };
            let failing = read.err();
            if let Some(failure) = failing.as_ref().filter(|_| look_again.is_known) {
                tracing::warn!(
                    error = chain(failure),
                    "the deployment's secret could not be read again; what is known of it holds"
                );
            }
            self.with(|state| state.failing = failing);
        }
        drop(turn);
        if look().is_known {
            return Ok(());
        }
        // What is not known is not wrong while nobody can tell.
        Err(self.with(|state| state.failing.clone()).unwrap_or_else(|| Rejection::Unauthorized.into()))
    }

    async fn read(&self, invocation: Invocation) -> Result<(), Failure> {
        let mend = |failure| match failure {
            Failure::Internal(error) => Failure::NotConfigured(error),
            passing => passing,
        };
        let secrets = Secrets::at(self.endpoint.as_deref()).await.map_err(mend)?;
        let read = secrets.current(&self.name).await.map_err(mend)?;
        let current = DeploymentSecret::new(read.text.expose())
            .map_err(|why| Failure::NotConfigured(InternalError::new(format!("the secret {} {why}", self.name))))?;
        // Made in the future, by a clock that is ahead, is made just now.
        let age = read.made_at.map(|made_at| (invocation.time() - made_at).to_std().unwrap_or_default());
        let previous = if self.with(|state| state.rotation.wants_previous(&current, age)) {
            let previous = secrets.previous(&self.name).await.map_err(mend)?;
            previous.and_then(|text| DeploymentSecret::new(text.expose()).ok())
        } else {
            None
        };
        self.with(|state| state.rotation.learn(current, age, previous, invocation.started));
        Ok(())
    }
}

fn unavailable(why: &'static str) -> Failure {
    Failure::unavailable(why)
}
