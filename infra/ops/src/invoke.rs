//! Functions called directly, as Lambda's Invoke API has it, and what their answers mean.

use std::time::Duration;

use aws_sdk_lambda::{
    Client,
    config::{Builder, retry::RetryConfig, timeout::TimeoutConfig},
    primitives::Blob,
};
use serde_json::Value;

use crate::{deployed_stack::DeployedStack, service_error::ServiceError};

/// More than the longest that a function may take, which is a quarter of an hour.
pub(crate) const INVOKE_TIMEOUT: Duration = Duration::from_mins(16);

/// What a call came to.
pub(crate) enum InvokeOutcome {
    /// What it asked for was done; this is the answer.
    Succeeded(Value),
    /// A rule says no; this is the problem object.
    Rejected(Value),
    /// It failed, and may do later.
    Failed(String),
}

/// The figures of an answer that has a summary, else as much of it as fits on a line.
pub(crate) fn answer_summary(answer: &Value) -> String {
    let figures = answer.get("summary").and_then(Value::as_object);
    figures.map_or_else(
        || answer.to_string().chars().take(300).collect(),
        |figures| figures.iter().map(|(name, figure)| format!("{name} {figure}")).collect::<Vec<_>>().join(", "),
    )
}

/// Whether an answer says that not all of it was done.
pub(crate) fn is_incomplete(answer: &Value) -> bool {
    answer.get("success") == Some(&Value::Bool(false))
}

/// Calls functions.
pub(crate) struct Invoker<'a> {
    stack: &'a DeployedStack,
    client: Client,
}

impl<'a> Invoker<'a> {
    /// A call is waited for as long as it may take, and made once: whoever called decides about another.
    pub(crate) fn new(stack: &'a DeployedStack) -> Self {
        let timeouts =
            TimeoutConfig::builder().connect_timeout(Duration::from_secs(2)).operation_timeout(INVOKE_TIMEOUT);
        let timeouts = timeouts.operation_attempt_timeout(INVOKE_TIMEOUT).build();
        let config = Builder::from(&stack.config).timeout_config(timeouts).retry_config(RetryConfig::disabled());
        Self { stack, client: Client::from_conf(config.build()) }
    }

    /// Calls a function, by its name and alias or by an ARN that has both, and waits for what comes of it.
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
        // Whatever answers otherwise is none of ours, and has done nothing.
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
            return Ok(InvokeOutcome::Rejected(body));
        }
        Ok(InvokeOutcome::Succeeded(body))
    }
}
