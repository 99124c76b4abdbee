//! A function as a list of operations, and the context that an operation works with.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use chrono::{DateTime, Utc};

use super::{answer::Reply, invocation::Invocation};
use crate::{
    clock::{Deadline, Sleeper},
    config::Config,
    domain::{ids::OrgId, org::Org, rejection::Rejection},
    failure::Failure,
    inbound::{Call, operation::Operation},
    store::{Store, Versioned},
    telemetry::metric::{Metric, MetricValue, Metrics},
};

/// The future outcome of an operation.
pub type Pending<'a> = Pin<Box<dyn Future<Output = Result<Reply, Failure>> + Send + 'a>>;

/// The code of an operation.
pub type Handler = for<'a> fn(&'a Context, Call) -> Pending<'a>;

/// One function: its name (folder, package, binary and `CodeUri`), and its operations.
#[derive(Clone, Copy)]
pub struct Function {
    /// The name.
    pub name: &'static str,
    /// Each operation with its code.
    pub operations: &'static [(Operation, Handler)],
}

impl Function {
    /// Every operation.
    pub fn operations(&self) -> impl Iterator<Item = &'static Operation> {
        self.operations.iter().map(|(operation, _)| operation)
    }
}

/// Everything that an operation works with.
pub struct Context {
    /// The table.
    pub store: Store,
    /// The time of the call.
    pub now: DateTime<Utc>,
    /// The start of the call, by a clock that only goes forward. The age of cached values counts from here.
    pub started: Instant,
    /// The instant by which the call has to be answered.
    pub deadline: Deadline,
    /// The settings of the process.
    pub config: Arc<Config>,
    /// Waits whose length is part of a promise go through this sleeper.
    pub sleeper: Sleeper,
    metrics: Mutex<Metrics>,
}

impl Context {
    pub(super) fn new(store: Store, invocation: Invocation, config: Arc<Config>, sleeper: Sleeper) -> Self {
        let Invocation { started, deadline, .. } = invocation;
        Self { store, now: invocation.time(), started, deadline, config, sleeper, metrics: Mutex::default() }
    }

    /// Adds a value to the metrics record of the call. The record is written however the call ends.
    pub fn metric(&self, metric: Metric, value: impl Into<MetricValue>) {
        self.metrics.lock().unwrap_or_else(PoisonError::into_inner).add(metric, value);
    }

    /// The metrics that the call has added.
    pub(super) fn into_metrics(self) -> Metrics {
        self.metrics.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// An org with its settings, at most a minute old.
    pub async fn org(&self, id: &OrgId) -> Result<Arc<Org>, Failure> {
        let org = self.store.org(id, self.started).await?;
        Ok(org.filter(|org| !org.deleting).ok_or(Rejection::UnknownOrg)?)
    }

    /// An org as it is now, with its version.
    pub async fn org_versioned(&self, id: &OrgId) -> Result<Versioned<Org>, Failure> {
        let org = self.store.org_versioned(id).await?;
        Ok(org.filter(|org| !org.value.deleting).ok_or(Rejection::UnknownOrg)?)
    }
}
