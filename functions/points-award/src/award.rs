//! An order was fulfilled: load, replay, decide, commit.

use deserr::Deserr;
use serde::Serialize;
use shared::{
    domain::{
        award::{self, Award, Order},
        ids::{CustomerId, OrderId, OrgId},
        money::Money,
        org::Org,
        points::Points,
        rate::EquityMultiplier,
        recalculation::{Direction, direction},
        rejection::Rejection,
        time,
    },
    event::{Call, fields::Instant},
    failure::Failure,
    host::{Context, Reply, settle},
};

use crate::StandsAt;

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct Request {
    org_id: OrgId,
    customer_id: CustomerId,
    order_id: OrderId,
    order_total: Money,
    #[deserr(default)]
    equity_status: Option<bool>,
    #[deserr(default)]
    fulfilled_at: Option<Instant>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    points_awarded: Points,
    #[serde(flatten)]
    stands_at: StandsAt<'a>,
}

pub(crate) async fn handle(context: &Context, call: Call) -> Result<Reply, Failure> {
    let request: Request = call.read()?;
    let fulfilled_at = time::fulfilled_at(request.fulfilled_at.map(|Instant(at)| at), context.now)?;
    let org = context.org(&request.org_id).await?;
    let order = Order {
        id: request.order_id,
        customer: request.customer_id,
        total: request.order_total,
        equity_status: request.equity_status.unwrap_or(false),
        fulfilled_at,
    };
    settle(context.deadline, || attempt(context, &org, &order)).await
}

async fn attempt(context: &Context, org: &Org, order: &Order) -> Result<Reply, Failure> {
    let story = context.store.award_story(&org.id, &order.customer, &order.id).await?;
    let customer = story.customer.ok_or(Rejection::UnknownCustomer)?;

    if let Some(award) = story.award {
        if award::repeats(order, &award) {
            return Ok(Reply::replayed(&answer(&award)));
        }
        return Err(Rejection::IdempotencyMismatch.into());
    }
    if story.owner.as_ref().is_some_and(|owner| *owner != order.customer) {
        return Err(Rejection::IdempotencyMismatch.into());
    }

    let loyalty = org.loyalty_in_force()?;
    let decided = award::award(&customer.value, loyalty, order.clone(), context.now)?;

    let mut transaction = context.store.transaction(org);
    transaction.replace_customer(&decided.customer, &customer, &decided.entries)?;
    transaction.record_award(&decided.award)?;
    match story.owner {
        None => transaction.claim_order(&order.id, &order.customer)?,
        Some(_) => transaction.relist_order(&order.id)?,
    }
    transaction.commit().await?;
    let Award { points, terms, outcome, .. } = &decided.award;
    let mut reply = Reply::created(&answer(&decided.award)).measuring("PointsAwarded", points.0);
    if terms.equity != EquityMultiplier::NONE {
        reply = reply.measuring("PointsAwardedWithEquity", points.0);
    }
    let is_promotion = |change| direction(&loyalty.settings, change) == Direction::Promotion;
    Ok(if outcome.tier_change.as_ref().is_some_and(is_promotion) { reply.measuring("Promotions", 1) } else { reply })
}

fn answer(award: &Award) -> Answer<'_> {
    Answer { points_awarded: award.points, stands_at: (&award.outcome).into() }
}
