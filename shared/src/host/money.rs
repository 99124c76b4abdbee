//! Operations that change points or counters once for each natural key: load, replay, decide, commit.

use super::{answer::Reply, context::Context, declared::Declared};
use crate::{
    domain::{ids::OrgId, money::Money, org::Org},
    failure::{Failure, retry_conflicts},
};

/// An operation in four steps: load, replay, decide, commit. After a conflict with another writer, the host attempts
/// all four again.
pub trait MoneyOperation: Declared {
    /// The org that the request names.
    fn org(request: &Self::Request) -> &OrgId;

    /// The amounts of the request, by their fields. The host checks that the currency of the org can represent them.
    #[must_use]
    fn amounts(request: &Self::Request) -> Vec<(&'static str, Option<Money>)> {
        let _ = request;
        Vec::new()
    }

    /// Records that a rule rejected the request. Not called for a request that is invalid or names an unknown org.
    fn record_refusal(context: &Context) {
        let _ = context;
    }

    /// Loads, replays, decides and commits once.
    fn attempt(
        context: &Context,
        org: &Org,
        request: &Self::Request,
    ) -> impl Future<Output = Result<Reply<Self::Answer>, Failure>> + Send;
}

/// Performs a money operation.
pub(super) async fn perform<O: MoneyOperation>(
    context: &Context,
    request: O::Request,
) -> Result<Reply<O::Answer>, Failure> {
    let org = context.org(O::org(&request)).await?;
    org.check_amounts(O::amounts(&request))?;
    let reply = retry_conflicts(context.deadline, || O::attempt(context, &org, &request)).await;
    if let Err(Failure::Rejected(_)) = reply {
        O::record_refusal(context);
    }
    reply
}
