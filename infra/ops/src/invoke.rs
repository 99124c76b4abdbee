//! Calls functions through Lambda's Invoke API and interprets their answers.

use std::time::Duration;

use aws_sdk_lambda::{
    Client,
    config::{Builder, retry::RetryConfig, timeout::TimeoutConfig},
    primitives::Blob,
};
use client::Problem;
use serde_json::Value;

use crate::{deployed_stack::DeployedStack, service_error::ServiceError};

/// Time limit of a call, longer than the 15 minutes that Lambda allows.
pub(crate) const INVOKE_TIMEOUT: Duration = Duration::from_mins(16);

/// The outcome of a call.
pub(crate) enum InvokeOutcome {
    /// The call succeeded with this answer.
    Succeeded(Value),
    /// A rule rejected the call with this problem object.
    Rejected(Problem),
    /// The call failed for this reason and may succeed later.
    Failed(String),
}

/// The figures of an answer's summary. For an answer without one, the beginning of the answer.
pub(crate) fn answer_summary(answer: &Value) -> String {
    let figures = answer.get("summary").and_then(Value::as_object);
    figures.map_or_else(
        || answer.to_string().chars().take(300).collect(),
        |figures| figures.iter().map(|(name, figure)| format!("{name} {figure}")).collect::<Vec<_>>().join(", "),
    )
}

/// Whether an answer reports that a part of the work failed.
pub(crate) fn is_incomplete(answer: &Value) -> bool {
    answer.get("success") == Some(&Value::Bool(false))
}

/// A client that calls functions.
pub(crate) struct Invoker<'a> {
    stack: &'a DeployedStack,
    client: Client,
}

impl<'a> Invoker<'a> {
    /// A client with the time limit of the longest call. It does not retry, because its caller decides about another
    /// call.
    pub(crate) fn new(stack: &'a DeployedStack) -> Self {
        let timeouts =
            TimeoutConfig::builder().connect_timeout(Duration::from_secs(2)).operation_timeout(INVOKE_TIMEOUT);
        let timeouts = timeouts.operation_attempt_timeout(INVOKE_TIMEOUT).build();
        let config = Builder::from(&stack.config).timeout_config(timeouts).retry_config(RetryConfig::disabled());
        Self { stack, client: Client::from_conf(config.build()) }
    }

    /// Calls a function and waits for the outcome. `function` is a name with the alias in `alias`, or an ARN with an
    /// alias.
    pub(crate) async fn call(
        &self,
        function: &str,
        alias: Option<&str>,
        payload: &Value,
    ) -> Result<InvokeOutcome, ServiceError> {
        let payload = Blob::new(payload.to_string());
        let call = self.client.invoke().function_name(function).set_qualifier(alias.map(str::to_owned));
        let answer = call.payload(payload).send().await.map_err(|error| self.stack.service_error("Lambda", &error))?;
        let body = answer.payload().map_or(&[][..], Blob::as_ref);
        // Every function of Regulars answers with an object.
        let Some(body) = serde_json::from_slice(body).ok().filter(Value::is_object) else {
            return Ok(InvokeOutcome::Failed("what answered is no function of Regulars".into()));
        };
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        if answer.function_error().is_some() {
            return Ok(InvokeOutcome::Failed(format!("{}: {}", text("errorType"), text("errorMessage"))));
        }
        let is_problem =
            body.get("code").is_some_and(Value::is_string) && body.get("status").is_some_and(Value::is_u64);
        if is_problem {
            return Ok(InvokeOutcome::Rejected(Problem::read(&body)));
        }
        Ok(InvokeOutcome::Succeeded(body))
    }
}
