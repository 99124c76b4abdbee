//! Everything that an operation needs besides its request.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use chrono::{DateTime, Utc};

use super::invocation::Invocation;
use crate::{
    clock::{Deadline, Sleeper},
    config::Config,
    domain::{ids::OrgId, org::Org, rejection::Rejection},
    failure::Failure,
    inbound::CallInfo,
    store::{Store, Versioned},
    telemetry::metric::{Metric, MetricValue, Metrics},
};

/// Everything that an operation needs besides its request.
pub struct Context {
    /// The table.
    pub store: Store,
    /// The properties of the call besides its fields.
    pub call: CallInfo,
    /// The time of the call.
    pub now: DateTime<Utc>,
    /// The start of the call, by a monotonic clock. The age of cached values counts from here.
    pub started: Instant,
    /// The instant by which the call must be answered.
    pub deadline: Deadline,
    /// The settings of the process.
    pub config: Arc<Config>,
    /// Waits on behalf of code whose pauses are part of its contract.
    pub sleeper: Sleeper,
    metrics: Mutex<Metrics>,
}

impl Context {
    pub(super) fn new(
        store: Store,
        call: CallInfo,
        invocation: Invocation,
        config: Arc<Config>,
        sleeper: Sleeper,
    ) -> Self {
        let Invocation { started, deadline, .. } = invocation;
        Self { store, call, now: invocation.time(), started, deadline, config, sleeper, metrics: Mutex::default() }
    }

    /// Adds a value to the metrics record of the call. The record is written whether or not the call succeeds.
    pub fn metric(&self, metric: Metric, value: impl Into<MetricValue>) {
        self.metrics.lock().unwrap_or_else(PoisonError::into_inner).add(metric, value);
    }

    /// The metrics that the call added.
    pub(super) fn into_metrics(self) -> Metrics {
        self.metrics.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// An org with its settings, from a cache of at most one minute. Fails with `UnknownOrg` while the org is being
    /// deleted.
    pub async fn org(&self, id: &OrgId) -> Result<Arc<Org>, Failure> {
        let org = self.store.org(id, self.started).await?;
        Ok(org.filter(|org| !org.deleting).ok_or(Rejection::UnknownOrg)?)
    }

    /// The stored org with its version. Fails with `UnknownOrg` while the org is being deleted.
    pub async fn org_versioned(&self, id: &OrgId) -> Result<Versioned<Org>, Failure> {
        let org = self.store.org_versioned(id).await?;
        Ok(org.filter(|org| !org.value.deleting).ok_or(Rejection::UnknownOrg)?)
    }
}
