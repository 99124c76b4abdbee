//! Adjusts points manually, in four steps: load, replay, decide, commit.

use deserr::Deserr;
use serde::Serialize;
use shared::{
    domain::{
        earning::adjustment::{self, Adjustment, PointsChange},
        ids::{AdjustmentId, CustomerId, OrgId},
        org::Org,
        points::Points,
        rejection::Rejection,
        text::SingleLine,
    },
    failure::Failure,
    host::{Context, Reply, retry_conflicts},
    inbound::Call,
};

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct AdjustmentRequest {
    org_id: OrgId,
    customer_id: CustomerId,
    adjustment_id: AdjustmentId,
    points: PointsChange,
    reason: SingleLine,
}

#[derive(Serialize)]
struct AdjustmentAnswer {
    points: Points,
    balance: Points,
}

pub(crate) async fn post(context: &Context, call: Call) -> Result<Reply, Failure> {
    let request: AdjustmentRequest = call.read()?;
    let org = context.org(&request.org_id).await?;
    retry_conflicts(context.deadline, || attempt(context, &org, &request)).await
}

async fn attempt(context: &Context, org: &Org, request: &AdjustmentRequest) -> Result<Reply, Failure> {
    let AdjustmentRequest { customer_id, adjustment_id, points, reason, .. } = request;
    let (customer, record) = context.store.customer_and_adjustment(&org.id, customer_id, adjustment_id).await?;
    let customer = customer.ok_or(Rejection::UnknownCustomer)?;

    if let Some(record) = record {
        if record.points == points.get() {
            return Ok(Reply::replayed(&answer(&record)));
        }
        return Err(Rejection::IdempotencyMismatch.into());
    }

    let decided = adjustment::adjust(&customer.value, adjustment_id.clone(), *points, reason.clone(), context.now)?;

    let mut transaction = context.store.transaction(org);
    transaction.replace_customer(&decided.customer, &customer, &[decided.entry])?;
    transaction.record_adjustment(customer_id, &decided.adjustment)?;
    transaction.commit().await?;
    Ok(Reply::created(&answer(&decided.adjustment)))
}

const fn answer(adjustment: &Adjustment) -> AdjustmentAnswer {
    AdjustmentAnswer { points: adjustment.points, balance: adjustment.balance }
}
