//! Voids a cancelled refund, in four steps: load, replay, decide, commit.

use deserr::Deserr;
use serde::Serialize;
use shared::{
    domain::{
        earning::{
            award::Award,
            refund::{self, Refund, RefundRecord, RefundVoid},
        },
        ids::{CustomerId, OrderId, OrgId, RefundId},
        money::Money,
        org::Org,
        points::Points,
        rejection::Rejection,
    },
    failure::{Failure, Retry},
    host::{Context, Reply, retry_conflicts},
    inbound::Call,
    store::{RefundContext, Versioned},
    telemetry::metric::Metric,
};

use crate::account::{AccountSummary, owner_of};

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct RefundVoidRequest {
    org_id: OrgId,
    #[deserr(default)]
    customer_id: Option<CustomerId>,
    order_id: OrderId,
    refund_id: RefundId,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RefundVoidAnswer<'a> {
    voided: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    points_restored: Option<Points>,
    #[serde(flatten)]
    account: Option<AccountSummary<'a>>,
}

impl<'a> RefundVoidAnswer<'a> {
    /// The answer if there is no refund to void.
    const NOTHING: Self = Self { voided: false, points_restored: None, account: None };

    fn of(RefundVoid { points, outcome, .. }: &'a RefundVoid) -> Self {
        Self { voided: true, points_restored: Some(*points), account: Some(outcome.into()) }
    }
}

pub(crate) async fn handle(context: &Context, call: Call) -> Result<Reply, Failure> {
    let request: RefundVoidRequest = call.read()?;
    let org = context.org(&request.org_id).await?;
    retry_conflicts(context.deadline, || attempt(context, &org, &request)).await
}

async fn attempt(context: &Context, org: &Org, request: &RefundVoidRequest) -> Result<Reply, Failure> {
    let RefundVoidRequest { customer_id, order_id, refund_id, .. } = request;
    let customer_id = match customer_id {
        Some(customer_id) => customer_id.clone(),
        None => match owner_of(context, org, order_id).await? {
            Some(owner) => owner,
            // No award or redemption has recorded the customer of the order, so the order has no refund.
            None => return block(context, org, request, false).await,
        },
    };
    let loaded = context.store.refund_context(&org.id, &customer_id, order_id, refund_id).await?;
    let RefundContext { customer, order, award, refund } = loaded;
    let customer = customer.ok_or(Rejection::UnknownCustomer)?;
    if order.as_ref().and_then(|order| order.owner.as_ref()).is_some_and(|owner| *owner != customer_id) {
        return Err(Rejection::IdempotencyMismatch.into());
    }
    let (Some(record), Some(award)) = (refund, award) else {
        return block(context, org, request, order.is_some()).await;
    };
    let refund = match &record.value {
        RefundRecord::VoidedBefore => return Ok(Reply::replayed(&RefundVoidAnswer::NOTHING)),
        RefundRecord::Made(refund) => refund,
    };
    if let Some(void) = &refund.voided {
        return Ok(Reply::replayed(&RefundVoidAnswer::of(void)));
    }

    // Voids are accepted while the programme is off, as refunds are.
    let loyalty = org.loyalty.as_ref().ok_or(Rejection::LoyaltyNotSet)?;
    let total = match refund.total.or(refund.asked) {
        Some(total) => total,
        None => load_refund_total(context, org, refund, &award).await?,
    };
    let decided = refund::void(&customer.value, loyalty, &award.value, refund.as_ref().clone(), total, context.now)?;

    let mut transaction = context.store.transaction(org);
    transaction.replace_customer(&decided.customer, &customer, &decided.entries)?;
    transaction.record_refund_void(&decided.refund, &record, &decided.award, &award)?;
    transaction.commit().await?;
    let Some(void) = &decided.refund.voided else {
        return Err(Failure::internal("a void that voids nothing"));
    };
    context.metric(Metric::PointsRestored, void.points.0);
    Ok(Reply::ok(&RefundVoidAnswer::of(void)))
}

/// Blocks a later refund with this id. The customer of the order stays undetermined. An existing record is replayed.
async fn block(
    context: &Context,
    org: &Org,
    request: &RefundVoidRequest,
    is_known_order: bool,
) -> Result<Reply, Failure> {
    let RefundVoidRequest { order_id, refund_id, .. } = request;
    if context.store.refund_record(&org.id, order_id, refund_id).await?.is_some() {
        return Ok(Reply::replayed(&RefundVoidAnswer::NOTHING));
    }
    let mut transaction = context.store.transaction(org);
    transaction.block_refund(order_id, refund_id, is_known_order)?;
    transaction.commit().await?;
    Ok(Reply::ok(&RefundVoidAnswer::NOTHING))
}

/// Infers the total of a refund of the whole remainder, recorded before refunds stored their total.
async fn load_refund_total(
    context: &Context,
    org: &Org,
    refund: &Refund,
    award: &Versioned<Award>,
) -> Result<Money, Failure> {
    let order = &award.value.order.id;
    let others = context.store.refunds_of_order(&org.id, order).await?;
    let total = refund::infer_total(&award.value, others.iter().filter(|other| other.id != refund.id));
    // If the refunds and the award were read at different versions, the commit fails with a conflict.
    total.ok_or(Failure::Retry(Retry::Contended))
}
