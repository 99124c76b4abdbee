//! An order was refunded, in part or whole: load, replay, decide, commit.

use deserr::Deserr;
use serde::Serialize;
use shared::{
    domain::{
        ids::{CustomerId, OrderId, OrgId, RefundId},
        money::Money,
        org::Org,
        points::Points,
        refund::{self, Refund},
        rejection::Rejection,
    },
    event::Call,
    failure::{Failure, Retry},
    host::{Context, Reply, settle},
};

use crate::StandsAt;

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct Request {
    org_id: OrgId,
    customer_id: CustomerId,
    order_id: OrderId,
    refund_id: RefundId,
    #[deserr(default)]
    refund_total: Option<Money>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    points_reversed: Points,
    #[serde(flatten)]
    stands_at: StandsAt<'a>,
}

pub(crate) async fn handle(context: &Context, call: Call) -> Result<Reply, Failure> {
    let request: Request = call.read()?;
    let org = context.org(&request.org_id).await?;
    settle(context.deadline, || attempt(context, &org, &request)).await
}

async fn attempt(context: &Context, org: &Org, request: &Request) -> Result<Reply, Failure> {
    let Request { customer_id, order_id, refund_id, refund_total, .. } = request;
    let story = context.store.refund_story(&org.id, customer_id, order_id, refund_id).await?;
    let customer = story.customer.ok_or(Rejection::UnknownCustomer)?;
    let award = story.award.ok_or(Rejection::UnknownOrder)?;
    if award.value.order.customer != *customer_id {
        return Err(Rejection::IdempotencyMismatch.into());
    }

    if let Some(refund) = story.refund {
        if refund.asked == *refund_total {
            return Ok(Reply::replayed(&answer(&refund)));
        }
        return Err(Rejection::IdempotencyMismatch.into());
    }

    // Refunds go on while the programme is off; that something was awarded means there are settings.
    let loyalty = org.loyalty.as_ref().ok_or(Rejection::LoyaltyNotSet)?;
    let decided = refund::refund(&customer.value, loyalty, &award.value, refund_id.clone(), *refund_total, context.now);
    if decided.is_err() {
        // What was read together is not of one moment: the refusal stands if what it rests on does. Else it may be this
        // very refund, sent before, that left too little.
        let again = context.store.refund_story(&org.id, customer_id, order_id, refund_id).await?;
        let same = again.refund.is_none()
            && again.customer.is_some_and(|again| again.version == customer.version)
            && again.award.is_some_and(|again| again.version == award.version);
        if !same {
            return Err(Failure::Retry(Retry::Contended));
        }
    }
    let decided = decided?;

    let mut transaction = context.store.transaction(org);
    transaction.replace_customer(&decided.customer, &customer, &decided.entries)?;
    transaction.record_refund(&decided.refund, &decided.award, &award)?;
    transaction.commit().await?;
    Ok(Reply::created(&answer(&decided.refund)).measuring("PointsReversed", decided.refund.points.0))
}

fn answer(refund: &Refund) -> Answer<'_> {
    Answer { points_reversed: refund.points, stands_at: (&refund.outcome).into() }
}
