//! Redeems points against an order. The steps are load, replay, decide and commit.

use deserr::Deserr;
use serde::Serialize;
use shared::{
    domain::{
        ids::{CustomerId, OrderId, OrgId},
        loyalty::PointsCost,
        money::{Currency, Money},
        org::Org,
        points::Points,
        points_redemption::{self, PointsRedemption, PointsValuation},
        redemption_state::RedemptionState,
        rejection::Rejection,
    },
    failure::{Failure, Retry},
    host::{Context, Reply, retry_conflicts},
    inbound::Call,
    store::PointsRedemptionContext,
    telemetry::metric::Metric,
};

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct PointsRedemptionRequest {
    org_id: OrgId,
    customer_id: CustomerId,
    order_id: OrderId,
    points: PointsCost,
    order_total: Money,
    #[deserr(default)]
    currency: Option<Currency>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PointsRedemptionAnswer {
    points_redeemed: Points,
    value: Money,
    balance: Points,
}

pub(crate) async fn handle(context: &Context, call: Call) -> Result<Reply, Failure> {
    let request: PointsRedemptionRequest = call.read()?;
    let org = context.org(&request.org_id).await?;
    org.check_amounts([("orderTotal", Some(request.order_total))])?;
    let reply = retry_conflicts(context.deadline, || attempt(context, &org, &request)).await;
    if let Err(Failure::Rejected(_)) = reply {
        context.metric(Metric::RedemptionsRefused, 1_i64);
    }
    reply
}

async fn attempt(context: &Context, org: &Org, request: &PointsRedemptionRequest) -> Result<Reply, Failure> {
    let PointsRedemptionRequest { customer_id, order_id, points, order_total, currency, .. } = request;
    let loaded = context.store.points_redemption_context(&org.id, customer_id, order_id).await?;
    let customer = loaded.customer.as_ref().ok_or(Rejection::UnknownCustomer)?;
    if let Some(replayed) = replay(&loaded, request) {
        return replayed;
    }

    org.check_currency(currency.as_ref())?;
    let valuation = PointsValuation::new(&org.loyalty_in_force()?.settings, &org.profile.currency);
    let decided =
        points_redemption::redeem(&customer.value, valuation, order_id.clone(), *points, *order_total, context.now);
    if matches!(decided, Err(Rejection::InsufficientPoints { .. })) {
        // The items are not read at one instant. If they have changed since, an earlier attempt for this order may have
        // taken the points. The next attempt then replays its answer instead of rejecting the order.
        let reloaded = context.store.points_redemption_context(&org.id, customer_id, order_id).await?;
        if reloaded.state.is_some() || reloaded.customer.is_none_or(|reloaded| reloaded.version != customer.version) {
            return Err(Failure::Retry(Retry::Contended));
        }
    }
    let decided = decided?;

    let mut transaction = context.store.transaction(org);
    transaction.replace_customer(&decided.customer, customer, &[decided.entry])?;
    transaction.record_points_redemption(&decided.redemption, None)?;
    match loaded.order.as_ref().and_then(|order| order.owner.as_ref()) {
        None => transaction.record_order_owner(order_id, customer_id)?,
        Some(_) => transaction.list_order(order_id, true)?,
    }
    transaction.commit().await?;
    context.metric(Metric::PointsRedeemed, points.get().0);
    context.metric(Metric::MinorUnitsRedeemed, decided.redemption.value.minor());
    Ok(Reply::created(&answer(&decided.redemption)))
}

/// The answer for an order that already has a redemption or a void, or that belongs to another customer.
///
/// Returns `None` if the order is still open for a redemption.
fn replay(loaded: &PointsRedemptionContext, request: &PointsRedemptionRequest) -> Option<Result<Reply, Failure>> {
    let owner = loaded.order.as_ref().and_then(|order| order.owner.as_ref());
    if owner.is_some_and(|owner| *owner != request.customer_id) {
        return Some(Err(Rejection::IdempotencyMismatch.into()));
    }
    let rejected = |rejection: Rejection| Some(Err(rejection.into()));
    match &loaded.state.as_ref()?.value {
        RedemptionState::Redeemed(PointsRedemption { voided: Some(_), .. }) | RedemptionState::VoidedBefore => {
            rejected(Rejection::AlreadyVoided)
        }
        RedemptionState::Redeemed(recorded)
            if points_redemption::is_repeat(recorded, request.points, request.order_total) =>
        {
            Some(Ok(Reply::replayed(&answer(recorded))))
        }
        RedemptionState::Redeemed(_) => rejected(Rejection::IdempotencyMismatch),
    }
}

const fn answer(redemption: &PointsRedemption) -> PointsRedemptionAnswer {
    PointsRedemptionAnswer { points_redeemed: redemption.points, value: redemption.value, balance: redemption.balance }
}
