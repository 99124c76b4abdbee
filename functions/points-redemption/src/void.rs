//! An order is cancelled, and its points go back: load, replay, decide, commit.

use deserr::Deserr;
use serde::Serialize;
use shared::{
    domain::{
        claim::Claim,
        ids::{CustomerId, OrderId, OrgId},
        org::Org,
        points::Points,
        redemption::{self, Redemption, Void},
        rejection::Rejection,
    },
    event::Call,
    failure::Failure,
    host::{Context, Reply, settle},
    store::Versioned,
};

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct Request {
    org_id: OrgId,
    customer_id: CustomerId,
    order_id: OrderId,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    voided: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    points_returned: Option<Points>,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance: Option<Points>,
}

impl Answer {
    /// There was nothing to give back.
    const NOTHING: Self = Self { voided: false, points_returned: None, balance: None };

    const fn of(redemption: &Redemption, void: &Void) -> Self {
        Self { voided: true, points_returned: Some(redemption.points), balance: Some(void.balance) }
    }
}

pub(crate) async fn handle(context: &Context, call: Call) -> Result<Reply, Failure> {
    let request: Request = call.read()?;
    let org = context.org(&request.org_id).await?;
    settle(context.deadline, || attempt(context, &org, &request)).await
}

async fn attempt(context: &Context, org: &Org, request: &Request) -> Result<Reply, Failure> {
    let Request { customer_id, order_id, .. } = request;
    let story = context.store.spending_story(&org.id, customer_id, order_id).await?;
    let customer = story.customer.ok_or(Rejection::UnknownCustomer)?;
    let owner = story.order.and_then(|order| order.owner);
    if owner.as_ref().is_some_and(|owner| owner != customer_id) {
        return Err(Rejection::IdempotencyMismatch.into());
    }

    let mut transaction = context.store.transaction(org);
    let (redemption, spending) = match &story.spending {
        Some(Versioned { value: Claim::VoidedBefore, .. }) => return Ok(Reply::replayed(&Answer::NOTHING)),
        Some(spending @ Versioned { value: Claim::Redeemed(redemption), .. }) => match &redemption.voided {
            Some(void) => return Ok(Reply::replayed(&Answer::of(redemption, void))),
            None => (redemption.clone(), spending),
        },
        None => {
            transaction.mark_unspendable(order_id)?;
            match owner {
                None => transaction.claim_order(order_id, customer_id)?,
                Some(_) => transaction.relist_order(order_id)?,
            }
            transaction.commit().await?;
            return Ok(Reply::ok(&Answer::NOTHING));
        }
    };

    let decided = redemption::void(&customer.value, redemption, context.now)?;
    transaction.replace_customer(&decided.customer, &customer, &[decided.entry])?;
    transaction.record_spending(&decided.redemption, Some(spending))?;
    transaction.commit().await?;
    let Some(void) = &decided.redemption.voided else {
        return Err(Failure::Bug("a void that voids nothing".into()));
    };
    let returned = decided.redemption.points.0;
    Ok(Reply::ok(&Answer::of(&decided.redemption, void)).measuring("PointsReturned", returned))
}
