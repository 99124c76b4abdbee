//! The failed call in a message of a function's failure queue.

use anyhow::{Context, bail};
use serde_json::{Value, json};

/// A failed call, to be replayed.
pub(crate) struct FailedCall {
    /// The payload of the call.
    pub(crate) payload: Value,
}

impl FailedCall {
    /// Parses a message. Lambda wraps a failed event in a record. An event rule, a schedule and a state machine queue
    /// the call itself. Fails if the message contains no call.
    pub(crate) fn parse(body: &str) -> anyhow::Result<Self> {
        let mut message: Value = serde_json::from_str(body).context("is no JSON")?;
        let is_record = message.pointer("/requestContext/functionArn").is_some();
        let inner = message.get_mut("requestPayload").filter(|_| is_record).map(Value::take);
        let payload = inner.unwrap_or(message);
        if payload.is_object() { Ok(Self { payload }) } else { bail!("is no call") }
    }

    /// Whether the call is an event. An event that a rule rejects is never retried.
    pub(crate) fn is_event(&self) -> bool {
        self.payload.get("detail-type").is_some()
    }

    /// A short description of the call.
    pub(crate) fn describe(&self) -> String {
        // The sender controls these texts, so control characters must not reach the terminal.
        let text = |pointer: &str| self.payload.pointer(pointer)?.as_str().map(|text| text.escape_debug().to_string());
        let org_suffix = |org: Option<String>| org.map(|org| format!(" of {org}")).unwrap_or_default();
        if let Some(kind) = text("/detail-type") {
            let order = text("/detail/orderId").map(|order| format!(" {order}")).unwrap_or_default();
            return format!("{kind}{order}{}", org_suffix(text("/detail/orgId")));
        }
        let cursor = if text("/cursor").is_some() { ", from a cursor on" } else { "" };
        let orgs = text("/orgId").unwrap_or_else(|| "every org".into());
        format!("the call for {orgs}{cursor}")
    }

    /// The call that continues from the cursor of an answer.
    pub(crate) fn continued_from(&self, cursor: &Value) -> Value {
        let mut next = if self.is_event() { json!({}) } else { self.payload.clone() };
        if let Some(fields) = next.as_object_mut() {
            fields.insert("cursor".into(), cursor.clone());
        }
        next
    }
}
