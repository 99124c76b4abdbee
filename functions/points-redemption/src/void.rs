//! Voids the redemption of a cancelled order and returns its points. The steps are load, replay, decide and commit.

use deserr::Deserr;
use serde::Serialize;
use shared::{
    domain::{
        ids::{CustomerId, OrderId, OrgId},
        org::Org,
        points::Points,
        points_redemption::{self, PointsRedemption, PointsVoid},
        redemption_state::RedemptionState,
        rejection::Rejection,
    },
    failure::Failure,
    host::{Context, Reply, retry_conflicts},
    inbound::Call,
    store::Versioned,
    telemetry::metric::Metric,
};

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct PointsVoidRequest {
    org_id: OrgId,
    #[deserr(default)]
    customer_id: Option<CustomerId>,
    order_id: OrderId,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PointsVoidAnswer {
    voided: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    points_returned: Option<Points>,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance: Option<Points>,
}

impl PointsVoidAnswer {
    /// The answer if the order has no redemption to void.
    const NOTHING: Self = Self { voided: false, points_returned: None, balance: None };

    const fn of(redemption: &PointsRedemption, void: &PointsVoid) -> Self {
        Self { voided: true, points_returned: Some(redemption.points), balance: Some(void.balance) }
    }
}

pub(crate) async fn handle(context: &Context, call: Call) -> Result<Reply, Failure> {
    let request: PointsVoidRequest = call.read()?;
    let org = context.org(&request.org_id).await?;
    retry_conflicts(context.deadline, || attempt(context, &org, &request)).await
}

async fn attempt(context: &Context, org: &Org, request: &PointsVoidRequest) -> Result<Reply, Failure> {
    let PointsVoidRequest { customer_id, order_id, .. } = request;
    let customer_id = match customer_id {
        Some(customer_id) => customer_id.clone(),
        None => match context.store.order_header(&org.id, order_id).await?.and_then(|order| order.owner) {
            Some(owner) => owner,
            // A redemption records the owner of its order, so an order without an owner has no redemption.
            None => return block_unowned_order(context, org, order_id).await,
        },
    };
    let loaded = context.store.points_redemption_context(&org.id, &customer_id, order_id).await?;
    let customer = loaded.customer.ok_or(Rejection::UnknownCustomer)?;
    let owner = loaded.order.as_ref().and_then(|order| order.owner.as_ref());
    if owner.is_some_and(|owner| *owner != customer_id) {
        return Err(Rejection::IdempotencyMismatch.into());
    }

    let mut transaction = context.store.transaction(org);
    let (redemption, state) = match &loaded.state {
        Some(Versioned { value: RedemptionState::VoidedBefore, .. }) => {
            return Ok(Reply::replayed(&PointsVoidAnswer::NOTHING));
        }
        Some(state @ Versioned { value: RedemptionState::Redeemed(redemption), .. }) => match &redemption.voided {
            Some(void) => return Ok(Reply::replayed(&PointsVoidAnswer::of(redemption, void))),
            None => (redemption.clone(), state),
        },
        None => {
            transaction.block_points_redemption(order_id, loaded.order.is_some())?;
            transaction.commit().await?;
            return Ok(Reply::ok(&PointsVoidAnswer::NOTHING));
        }
    };

    let decided = points_redemption::void(&customer.value, redemption, context.now)?;
    transaction.replace_customer(&decided.customer, &customer, &[decided.entry])?;
    transaction.record_points_redemption(&decided.redemption, Some(state))?;
    transaction.commit().await?;
    let Some(void) = &decided.redemption.voided else {
        return Err(Failure::internal("a void that voids nothing"));
    };
    context.metric(Metric::PointsReturned, decided.redemption.points.0);
    Ok(Reply::ok(&PointsVoidAnswer::of(&decided.redemption, void)))
}

/// Blocks later redemptions of an order without a recorded owner. The owner stays unrecorded.
async fn block_unowned_order(context: &Context, org: &Org, order: &OrderId) -> Result<Reply, Failure> {
    if context.store.points_redemption_state(&org.id, order).await?.is_some() {
        return Ok(Reply::replayed(&PointsVoidAnswer::NOTHING));
    }
    let mut transaction = context.store.transaction(org);
    transaction.block_points_redemption(order, false)?;
    transaction.commit().await?;
    Ok(Reply::ok(&PointsVoidAnswer::NOTHING))
}
