//! A message of a queue of what a function failed: the call that it stands for.

use anyhow::{Context, bail};
use serde_json::{Value, json};

/// A call to be made again.
pub(crate) struct FailedCall {
    /// What the function is called with.
    pub(crate) payload: Value,
}

impl FailedCall {
    /// Reads a message. Lambda keeps an event that its function failed in a record of its own, with the event in it;
    /// an event rule, a schedule and a state machine keep the call as it was.
    pub(crate) fn parse(body: &str) -> anyhow::Result<Self> {
        let mut message: Value = serde_json::from_str(body).context("is no JSON")?;
        let is_record = message.pointer("/requestContext/functionArn").is_some();
        let inner = message.get_mut("requestPayload").filter(|_| is_record).map(Value::take);
        let payload = inner.unwrap_or(message);
        if payload.is_object() { Ok(Self { payload }) } else { bail!("is no call") }
    }

    /// Whether it is an event: what a rule refuses of one is done with.
    pub(crate) fn is_event(&self) -> bool {
        self.payload.get("detail-type").is_some()
    }

    /// What it was, in a few words.
    pub(crate) fn describe(&self) -> String {
        // Whoever sent it has written it: nothing in it is to move the cursor of a terminal.
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

    /// The call that goes on where one was over before it was through.
    pub(crate) fn continued_from(&self, cursor: &Value) -> Value {
        let mut next = if self.is_event() { json!({}) } else { self.payload.clone() };
        if let Some(fields) = next.as_object_mut() {
            fields.insert("cursor".into(), cursor.clone());
        }
        next
    }
}
