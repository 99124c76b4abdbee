//! The declaration of an operation: its route, callers, types, refusals and metrics, in one place.
//!
//! Routing, decoding, permission, the checks of a debug build and the API documents all come from the declaration. An
//! operation is of one of three kinds, which differ in what the host does for them: [`Handler`], `MoneyOperation` and
//! `ListOperation`.

use std::pin::Pin;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    answer::{RawReply, Reply},
    context::Context,
    list::{self, ListOperation},
    money::{self, MoneyOperation},
};
use crate::{
    domain::rejection::{FieldError, RefusalCode},
    failure::Failure,
    inbound::{Call, CallInfo, Fields, fields::FromFields, operation::Operation},
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

/// An operation that performs a decoded request by itself.
pub trait Handler: Declared {
    /// Performs the request.
    fn handle(
        context: &Context,
        request: Self::Request,
    ) -> impl Future<Output = Result<Reply<Self::Answer>, Failure>> + Send;
}

/// The future outcome of an operation.
pub(super) type Pending<'a> = Pin<Box<dyn Future<Output = Result<RawReply, Failure>> + Send + 'a>>;

/// An operation of a function, as the host performs it.
#[derive(Clone, Copy)]
pub struct Entry {
    /// The name, the route, the event and the callers.
    pub operation: Operation,
    pub(super) perform: for<'a> fn(&'a Context, Call) -> Pending<'a>,
    success: &'static [Success],
    refusals: &'static [RefusalCode],
    metrics: &'static [Metric],
}

impl Entry {
    /// An operation that performs a decoded request by itself.
    #[must_use]
    pub const fn plain<O: Handler>() -> Self {
        Self::new::<O>(|context, call| {
            Box::pin(async {
                let request = read::<O>(context, call)?;
                Ok(RawReply::from(O::handle(context, request).await?))
            })
        })
    }

    /// An operation that loads, replays, decides and commits.
    #[must_use]
    pub const fn money<O: MoneyOperation>() -> Self {
        Self::new::<O>(|context, call| {
            Box::pin(async {
                let request = read::<O>(context, call)?;
                Ok(RawReply::from(money::perform::<O>(context, request).await?))
            })
        })
    }

    /// An operation that returns a page of a list.
    #[must_use]
    pub const fn list<O: ListOperation>() -> Self {
        Self::new::<O>(|context, call| {
            Box::pin(async {
                let request = read::<O>(context, call)?;
                Ok(RawReply::from(list::perform::<O>(context, request).await?))
            })
        })
    }

    const fn new<O: Declared>(perform: for<'a> fn(&'a Context, Call) -> Pending<'a>) -> Self {
        Self { operation: O::OPERATION, perform, success: O::SUCCESS, refusals: O::REFUSALS, metrics: O::METRICS }
    }

    /// What an outcome does that the operation does not declare, if anything. The API document would not mention it.
    pub(super) fn undeclared(
        &self,
        outcome: &Result<RawReply, Failure>,
        recorded: impl Iterator<Item = Metric>,
    ) -> Option<String> {
        let metric = recorded.into_iter().find(|metric| !self.metrics.contains(metric));
        let outcome = match outcome {
            Ok(reply) if !self.success.contains(&reply.success) => Some(format!("{:?}", reply.success)),
            // The host decodes every request, so every operation may refuse invalid fields.
            Err(Failure::Rejected(rejection)) if rejection.refusal() != RefusalCode::Invalid => {
                Some(rejection.code().to_owned()).filter(|_| !self.refusals.contains(&rejection.refusal()))
            }
            Ok(_) | Err(_) => None,
        };
        outcome.or_else(|| metric.map(|metric| format!("{metric:?}")))
    }
}

impl AsRef<Operation> for Entry {
    fn as_ref(&self) -> &Operation {
        &self.operation
    }
}

fn read<O: Declared>(context: &Context, call: Call) -> Result<O::Request, Failure> {
    let (now, info) = (context.now, call.info);
    Ok(call.read_with(|fields| O::check(fields, now, info))?)
}

/// One function: its name, its operations and its document.
#[derive(Clone, Copy)]
pub struct Function {
    /// The name of the function, which is also the name of the folder, the package, the binary and the `CodeUri`.
    pub name: &'static str,
    /// The operations.
    pub entries: &'static [Entry],
    /// The OpenAPI document of the function, generated from the declarations.
    pub document: &'static str,
}

impl Function {
    /// Every operation.
    pub fn operations(&self) -> impl Iterator<Item = &'static Operation> {
        self.entries.iter().map(|entry| &entry.operation)
    }
}

/// Receives the declaration of each operation of a function.
pub trait Visitor {
    /// Receives one declaration.
    fn visit<O: Declared>(&mut self);
}

/// Declares a function by its name and its operations, each with its kind: `plain`, `money` or `list`.
///
/// The macro defines `FUNCTION`, and `describe`, which shows each declaration to a [`Visitor`]. The document is the file
/// `openapi.json` of the package.
#[macro_export]
macro_rules! function {
    ($name:literal: $($kind:ident $operation:ty),+ $(,)?) => {
        /// The function.
        pub const FUNCTION: $crate::host::Function = $crate::host::Function {
            name: $name,
            entries: &[$($crate::host::Entry::$kind::<$operation>()),+],
            document: include_str!("../openapi.json"),
        };

        /// Shows the declaration of each operation to a visitor.
        pub fn describe(visitor: &mut impl $crate::host::Visitor) {
            $(visitor.visit::<$operation>();)+
        }
    };
}
