//! The host of a function: a raw event in, a raw answer out.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, value::RawValue};

use super::{
    answer::{self, RawReply},
    authorize::SecretVerifier,
    context::Context,
    invocation::{Invocation, InvocationError},
    operation::{Entry, Function},
};
use crate::{
    auth::{self, Caller, PresentedCredential},
    clock::{self, Sleeper, Stopwatch},
    config::Config,
    domain::rejection::Rejection,
    error::{InternalError, chain},
    failure::Failure,
    inbound::{self, Call, HttpRequest, Incoming},
    store::Store,
    telemetry::{
        metric::{Metric, Metrics},
        record::{CallRecord, CallResult, Sink},
    },
};

/// The time that an answer takes after the operation itself.
const ANSWER_RESERVE: Duration = Duration::from_millis(250);

/// The longest list of invalid fields in a log line, in characters.
const LOGGED_FIELDS_CHARS_MAX: usize = 2_000;

/// The operation in the metrics record of a call that names no operation.
const NO_OPERATION: &str = "none";

/// A function with everything that it needs to answer calls.
pub struct Host {
    function: Function,
    store: Store,
    config: Arc<Config>,
    secret: Option<SecretVerifier>,
    metrics: Sink,
    sleeper: Sleeper,
}

/// The outcome of a call, and the contents of its metrics record.
struct CompletedCall {
    operation: &'static str,
    org: Option<String>,
    outcome: Result<RawReply, Failure>,
    metrics: Metrics,
}

impl CompletedCall {
    /// A call that failed before its operation began.
    fn not_performed(operation: &'static str, org: Option<String>, failure: Failure) -> Self {
        Self { operation, org, outcome: Err(failure), metrics: Metrics::default() }
    }
}

impl Host {
    /// A function that works on `store`. HTTP requests present the configured secret or an org key.
    #[must_use]
    pub fn new(function: Function, store: Store, config: Config, metrics: Sink) -> Self {
        let secret = SecretVerifier::from_config(&config);
        Self { function, store, config: Arc::new(config), secret, metrics, sleeper: Sleeper::default() }
    }

    /// Replaces the sleeper that waits in real time.
    #[must_use]
    pub fn with_sleeper(self, sleeper: Sleeper) -> Self {
        Self { sleeper, ..self }
    }

    /// Answers one raw event.
    pub async fn answer(&self, raw: &RawValue, invocation: Invocation) -> Result<Value, InvocationError> {
        match inbound::classify(raw) {
            Ok(Incoming::Http(request)) => self.answer_http(request, invocation).await,
            Ok(Incoming::Direct(fields)) => {
                let call = fields.and_then(|fields| Call::from_direct(self.function.entries, fields));
                let completed = async {
                    match call {
                        Ok((entry, call)) => self.authorize_and_perform(Caller::Iam, entry, Ok(call), invocation).await,
                        Err(rejection) => CompletedCall::not_performed(NO_OPERATION, None, rejection.into()),
                    }
                };
                self.complete(completed, answer::direct_answer).await
            }
            Ok(Incoming::Event { name, detail }) => {
                let entry = self.function.entries.iter().find(|entry| entry.operation.event == Some(name.as_str()));
                let call = entry.map(|entry| (entry, detail.map(|detail| Call::from_event(&entry.operation, detail))));
                self.answer_event(call, &name, invocation).await
            }
            Ok(Incoming::Schedule) => {
                let entry = self.function.entries.iter().find(|entry| entry.operation.scheduled);
                let call = entry.map(|entry| (entry, Ok(Call::from_schedule(&entry.operation))));
                self.answer_event(call, "a schedule", invocation).await
            }
            Err(error) => self.reject_unknown(InternalError::caused_by("the event has an unknown form", error)).await,
        }
    }

    async fn answer_event(
        &self,
        call: Option<(&'static Entry, Result<Call, Rejection>)>,
        name: &str,
        invocation: Invocation,
    ) -> Result<Value, InvocationError> {
        let Some((entry, call)) = call else {
            return self.reject_unknown(InternalError::new(format!("{} takes no {name}", self.function.name))).await;
        };
        let completed = async {
            let mut completed = self.authorize_and_perform(Caller::Iam, entry, call, invocation).await;
            if let Err(Failure::Rejected(rejection)) = &completed.outcome
                && answer::is_malformed(rejection.kind())
            {
                completed.metrics.add(Metric::EventsInvalid, 1_i64);
            }
            completed
        };
        self.complete(completed, answer::event_answer).await
    }

    /// Fails for an event that reaches the wrong function, so that an alarm goes off.
    async fn reject_unknown(&self, error: InternalError) -> Result<Value, InvocationError> {
        let completed = CompletedCall::not_performed(NO_OPERATION, None, Failure::Internal(error));
        self.complete(async { completed }, answer::direct_answer).await
    }

    async fn answer_http(&self, request: HttpRequest, invocation: Invocation) -> Result<Value, InvocationError> {
        if request.path == "/health" {
            let health = answer::health_answer(&request.method);
            return Ok(if request.is_head() { answer::without_body(health) } else { health });
        }
        if request.path == "/openapi.json" {
            let document = answer::document_answer(&request.method, self.function.document);
            return Ok(if request.is_head() { answer::without_body(document) } else { document });
        }
        if request.method == "OPTIONS" {
            return Ok(answer::options_answer(request.route(self.function.entries).err()));
        }
        let is_head = request.is_head();
        let answer = self.answer_authorized(request, invocation).await;
        if is_head { answer.map(answer::without_body) } else { answer }
    }

    async fn answer_authorized(&self, request: HttpRequest, invocation: Invocation) -> Result<Value, InvocationError> {
        let Some(secret) = &self.secret else {
            let error = InternalError::new("neither CRON_SECRET nor CRON_SECRET_NAME is set");
            let completed = CompletedCall::not_performed(NO_OPERATION, None, Failure::NotConfigured(error));
            return self.complete(async { completed }, |outcome| Ok(answer::http_answer(&outcome))).await;
        };
        // Boxed, because an inlined future enlarges the future of every caller above it.
        let completed = Box::pin(self.perform_http(secret, request, invocation));
        self.complete(completed, |outcome| Ok(answer::http_answer(&outcome))).await
    }

    async fn perform_http(
        &self,
        secret: &SecretVerifier,
        request: HttpRequest,
        invocation: Invocation,
    ) -> CompletedCall {
        let caller = self.authenticate(secret, request.authorization(), invocation);
        let caller = tokio::time::timeout(invocation.deadline.remaining().saturating_sub(ANSWER_RESERVE), caller).await;
        let routed = caller.unwrap_or_else(|_| Err(out_of_time())).and_then(|caller| {
            request.check_size()?;
            let entry = request.route(self.function.entries)?;
            caller.authorize_operation(entry.operation.callers.scopes())?;
            request.check_encoding()?;
            Ok((caller, entry))
        });
        match routed {
            Ok((caller, entry)) => {
                let call = request.into_call(&entry.operation);
                self.authorize_and_perform(caller, entry, call, invocation).await
            }
            Err(failure) => CompletedCall::not_performed(NO_OPERATION, None, failure),
        }
    }

    /// The caller of a request, by the deployment's secret or by an org key. A stored key may be cached for a minute.
    async fn authenticate(
        &self,
        secret: &SecretVerifier,
        authorization: Option<&str>,
        invocation: Invocation,
    ) -> Result<Caller, Failure> {
        match auth::parse_authorization(authorization)? {
            PresentedCredential::Secret(presented) => {
                secret.verify(&presented, invocation, &self.sleeper).await.map(|()| Caller::Deployment)
            }
            PresentedCredential::Key(key) => {
                let stored = self.store.key_verifier(&key.reference, invocation.started).await?;
                Ok(key.verify(stored)?)
            }
        }
    }

    /// Performs the operation of a call if the caller may act for every org that the call names.
    async fn authorize_and_perform(
        &self,
        caller: Caller,
        entry: &'static Entry,
        call: Result<Call, Rejection>,
        invocation: Invocation,
    ) -> CompletedCall {
        let operation = entry.operation.name;
        let mut call = match call {
            Ok(call) => call,
            Err(rejection) => return CompletedCall::not_performed(operation, None, rejection.into()),
        };
        call.info.scope = caller.scope();
        let org = call.org_id().map(|org| org.to_string());
        if let Err(rejection) = caller.authorize_orgs(call.orgs(), call.cursor_org().as_deref()) {
            return CompletedCall::not_performed(operation, org, rejection.into());
        }
        let (outcome, metrics) = self.perform(entry, call, invocation).await;
        CompletedCall { operation, org, outcome, metrics }
    }

    /// Runs an operation until its deadline. Returns its outcome, and the metrics that it recorded by then.
    async fn perform(
        &self,
        entry: &'static Entry,
        call: Call,
        invocation: Invocation,
    ) -> (Result<RawReply, Failure>, Metrics) {
        let deadline = invocation.deadline;
        let (config, sleeper) = (Arc::clone(&self.config), self.sleeper.clone());
        let context = Context::new(self.store.clone(), call.info, invocation, config, sleeper);
        // Answer 503 before Lambda's own timeout, so that the caller can retry. Replays make the retry safe.
        let limit = deadline.remaining().saturating_sub(ANSWER_RESERVE);
        let result = tokio::time::timeout(limit, (entry.perform)(&context, call)).await;
        let (outcome, metrics) = (result.unwrap_or_else(|_| Err(out_of_time())), context.into_metrics());
        // A debug build, as the tests are, fails for what the API document does not mention.
        if cfg!(debug_assertions)
            && let Some(undeclared) = entry.undeclared(&outcome, metrics.iter().map(|(metric, _)| metric))
        {
            let message = format!("{} does not declare {undeclared}", entry.operation.name);
            return (Err(Failure::internal(message)), metrics);
        }
        (outcome, metrics)
    }

    /// Runs a call, logs a failure once, writes the metrics record and returns the answer.
    async fn complete(
        &self,
        call: impl Future<Output = CompletedCall>,
        answer: fn(Result<RawReply, Failure>) -> Result<Value, InvocationError>,
    ) -> Result<Value, InvocationError> {
        let watch = Stopwatch::start();
        let CompletedCall { operation, org, outcome, metrics } = call.await;
        let function = self.function.name;
        let code = outcome.as_ref().err().map(Failure::code);
        let result = match &outcome {
            Ok(_) => CallResult::Succeeded,
            Err(Failure::Rejected(rejection)) => {
                let fields: String = rejection.fields().join(", ").chars().take(LOGGED_FIELDS_CHARS_MAX).collect();
                tracing::info!(function, operation, org, code, fields, "refused");
                CallResult::Refused
            }
            Err(Failure::Retry(retry)) => {
                let (retry, error) = (retry.name(), chain(retry));
                tracing::warn!(function, operation, org, retry, error, "to be tried again");
                CallResult::Failed
            }
            Err(Failure::Internal(error) | Failure::NotConfigured(error)) => {
                let (error, location) = (chain(error), error.location());
                tracing::error!(function, operation, org, error, %location, "failed");
                CallResult::Failed
            }
        };
        let answer = answer(outcome);
        let namespace = self.config.metrics_namespace.as_str();
        let (org, duration, metrics) = (org.as_deref(), watch.elapsed(), &metrics);
        let record = CallRecord { namespace, function, operation, org, result, code, duration, metrics };
        (self.metrics)(&record.to_emf(clock::now().timestamp_millis()));
        answer
    }
}

fn out_of_time() -> Failure {
    Failure::unavailable("the call ran out of time")
}
