//! An order is paid in part with points: load, replay, decide, commit.

use deserr::Deserr;
use serde::Serialize;
use shared::{
    domain::{
        ids::{CustomerId, OrderId, OrgId},
        loyalty::PointsCost,
        money::Money,
        org::Org,
        points::Points,
        redemption::{self, Redemption, Spending},
        rejection::Rejection,
    },
    event::Call,
    failure::Failure,
    host::{Context, Reply, settle},
};

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct Request {
    org_id: OrgId,
    customer_id: CustomerId,
    order_id: OrderId,
    points: PointsCost,
    order_total: Money,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    points_redeemed: Points,
    value: Money,
    balance: Points,
}

pub(crate) async fn handle(context: &Context, call: Call) -> Result<Reply, Failure> {
    let request: Request = call.read()?;
    let org = context.org(&request.org_id).await?;
    settle(context.deadline, || attempt(context, &org, &request)).await
}

async fn attempt(context: &Context, org: &Org, request: &Request) -> Result<Reply, Failure> {
    let Request { customer_id, order_id, points, order_total, .. } = request;
    let story = context.store.spending_story(&org.id, customer_id, order_id).await?;
    let customer = story.customer.ok_or(Rejection::UnknownCustomer)?;
    let owner = story.order.and_then(|order| order.owner);

    if owner.as_ref().is_some_and(|owner| owner != customer_id) {
        return Err(Rejection::IdempotencyMismatch.into());
    }
    match story.spending.map(|spending| spending.value) {
        Some(Spending::Redeemed(Redemption { voided: Some(_), .. }) | Spending::VoidedBefore) => {
            return Err(Rejection::AlreadyVoided.into());
        }
        Some(Spending::Redeemed(known)) if redemption::repeats(&known, *points, *order_total) => {
            return Ok(Reply::replayed(&answer(&known)));
        }
        Some(Spending::Redeemed(_)) => return Err(Rejection::IdempotencyMismatch.into()),
        None => {}
    }

    let settings = &org.loyalty_in_force()?.settings;
    let decided = redemption::redeem(&customer.value, settings, order_id.clone(), *points, *order_total, context.now)?;

    let mut transaction = context.store.transaction(org);
    transaction.replace_customer(&decided.customer, customer.version, &[decided.entry])?;
    transaction.record_spending(&decided.redemption, None)?;
    if owner.is_none() {
        transaction.claim_order(order_id, customer_id)?;
    }
    transaction.commit().await?;
    Ok(Reply::created(&answer(&decided.redemption)).measuring("PointsRedeemed", points.get().0))
}

const fn answer(redemption: &Redemption) -> Answer {
    Answer { points_redeemed: redemption.points, value: redemption.value, balance: redemption.balance }
}
