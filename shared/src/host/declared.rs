//! The declaration of an operation: its route, callers, types, refusals and metrics, in one place.
//!
//! Routing, decoding, permission, the checks of a debug build, the client and the API documents all come from the
//! declaration.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    domain::rejection::{FieldError, RefusalCode},
    inbound::{CallInfo, Fields, fields::FromFields, operation::Operation},
    telemetry::metric::Metric,
};

/// The group of an operation in the API document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantArray)]
pub enum Tag {
    /// Calls of a checkout, while the customer waits.
    #[strum(serialize = "checkout")]
    Checkout,
    /// Orders, refunds and cancellations of the shop platform.
    #[strum(serialize = "orders")]
    Orders,
    /// Orgs, keys, bundles and customers.
    #[strum(serialize = "back office")]
    BackOffice,
    /// Scheduled jobs.
    #[strum(serialize = "jobs")]
    Jobs,
}

/// How an operation succeeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Success {
    /// 200: the requested result.
    Done,
    /// 201: the call created something.
    Created,
    /// 200: the first answer to a repeated request, with `replayed`.
    Replayed,
}

/// The declaration of an operation.
pub trait Declared: Send + Sync + 'static {
    /// The name, the route, the event and the callers.
    const OPERATION: Operation;
    /// The group in the API document.
    const TAG: Tag;
    /// What the operation does, in a few words.
    const SUMMARY: &'static str;
    /// What a caller needs to know besides, in sentences.
    const DESCRIPTION: &'static str;
    /// How the operation succeeds.
    const SUCCESS: &'static [Success];
    /// Every code with which the operation itself refuses a request. The host's own refusals are added for every
    /// operation.
    const REFUSALS: &'static [RefusalCode];
    /// Every metric that the operation records.
    const METRICS: &'static [Metric];

    /// The request.
    type Request: FromFields + JsonSchema + Serialize + Send + Sync;
    /// The answer.
    type Answer: Serialize + DeserializeOwned + JsonSchema + Send;

    /// The faults of rules that a single field cannot check, such as rules that involve several fields. They are
    /// reported together with the faults of single fields.
    #[must_use]
    fn check(fields: &Fields, now: DateTime<Utc>, call: CallInfo) -> Vec<FieldError> {
        let _ = (fields, now, call);
        Vec::new()
    }
}

/// Receives the declaration of each operation of a function.
pub trait Visitor {
    /// Receives one declaration.
    fn visit<O: Declared>(&mut self);
}
