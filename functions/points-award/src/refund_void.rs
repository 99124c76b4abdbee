//! A refund did not happen after all: load, replay, decide, commit.

use deserr::Deserr;
use serde::Serialize;
use shared::{
    domain::{
        award::Award,
        ids::{CustomerId, OrderId, OrgId, RefundId},
        money::Money,
        org::Org,
        points::Points,
        refund::{self, Refund, RefundRecord, RefundVoid},
        rejection::Rejection,
    },
    event::Call,
    failure::{Failure, Retry},
    host::{Context, Reply, settle},
    store::{RefundStory, Versioned},
};

use crate::{StandsAt, owner_of};

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct Request {
    org_id: OrgId,
    #[deserr(default)]
    customer_id: Option<CustomerId>,
    order_id: OrderId,
    refund_id: RefundId,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    voided: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    points_restored: Option<Points>,
    #[serde(flatten)]
    stands_at: Option<StandsAt<'a>>,
}

impl<'a> Answer<'a> {
    /// There was nothing to give back.
    const NOTHING: Self = Self { voided: false, points_restored: None, stands_at: None };

    fn of(RefundVoid { points, outcome, .. }: &'a RefundVoid) -> Self {
        Self { voided: true, points_restored: Some(*points), stands_at: Some(outcome.into()) }
    }
}

pub(crate) async fn handle(context: &Context, call: Call) -> Result<Reply, Failure> {
    let request: Request = call.read()?;
    let org = context.org(&request.org_id).await?;
    settle(context.deadline, || attempt(context, &org, &request)).await
}

async fn attempt(context: &Context, org: &Org, request: &Request) -> Result<Reply, Failure> {
    let Request { customer_id, order_id, refund_id, .. } = request;
    let customer_id = match customer_id {
        Some(customer_id) => customer_id.clone(),
        None => match owner_of(context, org, order_id).await? {
            Some(owner) => owner,
            // Nothing says whose it is, so there is no refund either.
            None => return mark(context, org, request, false).await,
        },
    };
    let story = context.store.refund_story(&org.id, &customer_id, order_id, refund_id).await?;
    let RefundStory { customer, order, award, refund } = story;
    let customer = customer.ok_or(Rejection::UnknownCustomer)?;
    if order.as_ref().and_then(|order| order.owner.as_ref()).is_some_and(|owner| *owner != customer_id) {
        return Err(Rejection::IdempotencyMismatch.into());
    }
    let (Some(record), Some(award)) = (refund, award) else {
        return mark(context, org, request, order.is_some()).await;
    };
    let refund = match &record.value {
        RefundRecord::VoidedBefore => return Ok(Reply::replayed(&Answer::NOTHING)),
        RefundRecord::Made(refund) => refund,
    };
    if let Some(void) = &refund.voided {
        return Ok(Reply::replayed(&Answer::of(void)));
    }

    // As with refunds, it does not matter whether the programme is on.
    let loyalty = org.loyalty.as_ref().ok_or(Rejection::LoyaltyNotSet)?;
    let total = match refund.total.or(refund.asked) {
        Some(total) => total,
        None => total_of(context, org, refund, &award).await?,
    };
    let decided = refund::void(&customer.value, loyalty, &award.value, refund.as_ref().clone(), total, context.now)?;

    let mut transaction = context.store.transaction(org);
    transaction.replace_customer(&decided.customer, &customer, &decided.entries)?;
    transaction.record_refund_void(&decided.refund, &record, &decided.award, &award)?;
    transaction.commit().await?;
    let Some(void) = &decided.refund.voided else {
        return Err(Failure::Bug("a void that voids nothing".into()));
    };
    Ok(Reply::ok(&Answer::of(void)).measuring("PointsRestored", void.points.0))
}

/// Marks that the refund can't be made any more; whose the order is stays open. A mark that is there already is replayed.
async fn mark(context: &Context, org: &Org, request: &Request, known: bool) -> Result<Reply, Failure> {
    let Request { order_id, refund_id, .. } = request;
    if context.store.refund_record(&org.id, order_id, refund_id).await?.is_some() {
        return Ok(Reply::replayed(&Answer::NOTHING));
    }
    let mut transaction = context.store.transaction(org);
    transaction.mark_refund_void(order_id, refund_id, known)?;
    transaction.commit().await?;
    Ok(Reply::ok(&Answer::NOTHING))
}

/// What a refund came to that was made before its amount was kept, and asked for all that was left.
async fn total_of(context: &Context, org: &Org, refund: &Refund, award: &Versioned<Award>) -> Result<Money, Failure> {
    let order = &award.value.order.id;
    let others = context.store.refunds_of_order(&org.id, order).await?;
    let total = refund::rest_of(&award.value, others.iter().filter(|other| other.id != refund.id));
    // Where the refunds read are of another moment than the award, the commit finds out.
    total.ok_or(Failure::Retry(Retry::Contended))
}
