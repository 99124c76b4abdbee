//! Operations as the host performs them. An operation is of one of four kinds, which differ in what the host does for
//! them: `MoneyOperation`, `ListOperation`, `JobOperation`, and [`Handler`] for all others.

use std::pin::Pin;

use super::{
    answer::{RawReply, Reply},
    context::Context,
    declared::{Declared, Success},
    job::JobOperation,
    list::{self, ListOperation},
    money::{self, MoneyOperation},
};
use crate::{
    domain::rejection::RefusalCode,
    failure::Failure,
    inbound::{Call, operation::Operation},
    telemetry::metric::Metric,
};

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

    /// An operation that works through every org. It must have a schedule.
    #[must_use]
    pub const fn job<O: JobOperation>() -> Self {
        const { assert!(O::OPERATION.scheduled) };
        Self::new::<O>(|context, call| {
            Box::pin(async {
                let request = read::<O>(context, call)?;
                Ok(RawReply::from(Reply::done(O::run(context, request).await?)))
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
    /// The `OpenAPI` document of the function, generated from the declarations.
    pub document: &'static str,
}

impl Function {
    /// Every operation.
    pub fn operations(&self) -> impl Iterator<Item = &'static Operation> {
        self.entries.iter().map(|entry| &entry.operation)
    }
}

/// An operation that knows its function, so that a caller names the operation only.
pub trait InFunction: Declared {
    /// The name of the function.
    const FUNCTION: &'static str;
}

/// Declares a function by its name and its operations, each with its kind: `money`, `list`, `job` or `plain`.
///
/// The macro defines `FUNCTION`, and `describe`, which shows each declaration to a [`Visitor`]. It implements
/// [`InFunction`] for each operation. The document is the file `openapi.json` of the package.
#[macro_export]
macro_rules! function {
    ($name:literal: $($kind:ident $operation:ty),+ $(,)?) => {
        /// The function.
        pub const FUNCTION: $crate::host::Function = $crate::host::Function {
            name: $name,
            entries: &[$($crate::host::Entry::$kind::<$operation>()),+],
            document: include_str!("../openapi.json"),
        };

        $(impl $crate::host::InFunction for $operation {
            const FUNCTION: &'static str = $name;
        })+

        /// Shows the declaration of each operation to a visitor.
        pub fn describe(visitor: &mut impl $crate::host::Visitor) {
            $(visitor.visit::<$operation>();)+
        }
    };
}
