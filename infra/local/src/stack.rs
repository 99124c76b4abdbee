//! Hosts every function of the template on one table.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use aws_sdk_dynamodb::Client;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json, value::to_raw_value};
use shared::{
    clock::{Deadline, Sleeper},
    config::Config,
    host::{Cors, Host, Invocation, InvocationError},
    retry,
    store::Store,
    telemetry::record::Sink,
};

use crate::{functions::FUNCTIONS, specs::FunctionSpec, template::Template};

/// How often Lambda retries an asynchronous invocation.
const RETRIES: usize = 2;

/// First pause before a retry. Lambda waits a minute.
const RETRY_PAUSE_MIN: Duration = Duration::from_secs(1);

/// Longest pause before a retry. Lambda waits two minutes.
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(2);

/// The hosted functions.
pub struct Stack {
    hosts: BTreeMap<String, (Host, Duration)>,
    cors: BTreeMap<String, Cors>,
}

impl Stack {
    /// Hosts every function on the template's table, which must exist. `client` returns the client of a function.
    ///
    /// The functions share one cache, so that all of them see a change of settings at once. A function that paces its
    /// work waits through `sleeper`.
    ///
    /// Fails if the template and the functions disagree: about their names, the events and schedules that they take, or
    /// their settings.
    pub fn new(
        template: &Template,
        client: impl Fn(&str) -> Client,
        metrics: &Sink,
        sleeper: &Sleeper,
    ) -> anyhow::Result<Self> {
        let mut hosts = BTreeMap::new();
        let mut store: Option<Store> = None;
        for (name, spec) in &template.functions {
            let function = FUNCTIONS.into_iter().find(|function| function.name == name);
            let function =
                function.with_context(|| format!("the template's function {name} is not in the local stack"))?;
            let takes_event = |event: &String| function.operations().any(|operation| operation.event == Some(event));
            if let Some(event) = spec.events.iter().find(|event| !takes_event(event)) {
                bail!("the template sends {event} to {name}, which does not take it");
            }
            let takes_schedules = function.operations().any(|operation| operation.scheduled);
            if spec.is_scheduled() && !takes_schedules {
                bail!("the template has a schedule for {name}, which takes none");
            }
            let config = Config::from_lookup(|variable| spec.environment.get(variable).cloned());
            let config = config?;
            if config.table != template.table.name {
                bail!("the template gives {name} the table {}, and declares {}", config.table, template.table.name);
            }
            let function_store = match &store {
                Some(store) => store.with_client(client(name)),
                None => Store::new(client(name), &template.table.name),
            };
            let host =
                Host::new(function, function_store.clone(), config, Arc::clone(metrics)).with_sleeper(sleeper.clone());
            store = Some(function_store);
            hosts.insert(name.clone(), (host, spec.timeout));
        }
        if let Some(missing) = FUNCTIONS.iter().find(|function| !hosts.contains_key(function.name)) {
            bail!("the function {} is not in the template", missing.name);
        }
        let cors = |(name, spec): (&String, &FunctionSpec)| Some((name.clone(), spec.cors.clone()?));
        Ok(Self { hosts, cors: template.functions.iter().filter_map(cors).collect() })
    }

    /// The web pages that may call a function's URL. `None` if no page may.
    #[must_use]
    pub fn cors(&self, function: &str) -> Option<&Cors> {
        self.cors.get(function)
    }

    /// The names of the functions.
    pub fn functions(&self) -> impl Iterator<Item = &str> {
        self.hosts.keys().map(String::as_str)
    }

    /// Calls a function with a raw event, as Lambda does, within the template's time limit. `now` sets the clock of the
    /// call. Returns `None` for an unknown function.
    pub async fn call(
        &self,
        function: &str,
        event: impl Serialize,
        now: Option<DateTime<Utc>>,
    ) -> Option<Result<Value, InvocationError>> {
        let (_, timeout) = self.hosts.get(function)?;
        self.call_within(function, event, now, *timeout).await
    }

    /// As [`Self::call`], with this time limit instead of the template's.
    pub async fn call_within(
        &self,
        function: &str,
        event: impl Serialize,
        now: Option<DateTime<Utc>>,
        limit: Duration,
    ) -> Option<Result<Value, InvocationError>> {
        let (host, _) = self.hosts.get(function)?;
        // Every JSON value serializes.
        let event = to_raw_value(&event).unwrap_or_default();
        Some(host.answer(&event, Invocation::new(now, Deadline::after(limit))).await)
    }

    /// Invokes a function asynchronously. As in Lambda a failed call is retried twice, here after shorter pauses. If
    /// the last attempt fails too, the event is logged and dropped. Returns the answer of the attempt that succeeded.
    pub async fn call_until_done(
        &self,
        function: &str,
        event: impl Serialize,
        now: Option<DateTime<Utc>>,
    ) -> Option<Value> {
        let mut pauses = retry::pauses(RETRY_PAUSE_MIN, RETRY_PAUSE_MAX).take(RETRIES);
        loop {
            match (self.call(function, &event, now).await?, pauses.next()) {
                (Ok(answer), _) => return Some(answer),
                (Err(_), Some(pause)) => tokio::time::sleep(pause).await,
                (Err(failed), None) => {
                    tracing::error!(function, code = failed.code, "an event was dropped after its last attempt");
                    return None;
                }
            }
        }
    }

    /// Calls a function again with its cursor until it returns none, as the template's state machines do.
    pub async fn sweep(&self, function: &str, mut event: Value, now: Option<DateTime<Utc>>) {
        while let Some(answer) = self.call_until_done(function, event, now).await {
            if let Some(code) = answer.get("code") {
                tracing::error!(function, %code, "a sweep was rejected");
            }
            let Some(cursor) = answer.get("cursor") else { return };
            event = json!({ "cursor": cursor });
        }
    }
}
