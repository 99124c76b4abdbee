//! Awards points for a fulfilled order, in four steps: load, replay, decide, commit.

use deserr::Deserr;
use serde::Serialize;
use shared::{
    domain::{
        earning::award::{self, Award, Order},
        ids::{CustomerId, OrderId, OrgId},
        money::{Currency, Money},
        org::Org,
        points::Points,
        rate::EquityMultiplier,
        recalculation::{TierDirection, direction_of},
        rejection::Rejection,
        time::FutureTolerance,
    },
    failure::Failure,
    host::{Context, Reply, retry_conflicts},
    inbound::{
        Call,
        fields::{Timestamp, fulfilled_at_errors},
        ordered_bundles::OrderedBundles,
    },
    telemetry::metric::Metric,
};

use crate::account::AccountSummary;

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct AwardRequest {
    org_id: OrgId,
    customer_id: CustomerId,
    order_id: OrderId,
    order_total: Money,
    #[deserr(default)]
    equity_status: Option<bool>,
    #[deserr(default)]
    fulfilled_at: Option<Timestamp>,
    #[deserr(default)]
    currency: Option<Currency>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AwardAnswer<'a> {
    points_awarded: Points,
    #[serde(flatten)]
    account: AccountSummary<'a>,
}

pub(crate) async fn handle(context: &Context, call: Call) -> Result<Reply, Failure> {
    let (now, is_event) = (context.now, call.is_event());
    let request: AwardRequest = call.read_with(|fields| {
        let mut faults = fulfilled_at_errors(fields, now, FutureTolerance::Day);
        // Every consumer rejects an order event with malformed bundles, although awards do not depend on bundles.
        if is_event {
            faults.extend(OrderedBundles::field_errors(fields));
        }
        faults
    })?;
    let fulfilled_at = request.fulfilled_at.map_or(now, |Timestamp(at)| at);
    let org = context.org(&request.org_id).await?;
    org.check_amounts([("orderTotal", Some(request.order_total))])?;
    let currency = request.currency;
    let order = Order {
        id: request.order_id,
        customer: request.customer_id,
        total: request.order_total,
        equity_status: request.equity_status.unwrap_or(false),
        fulfilled_at,
    };
    retry_conflicts(context.deadline, || attempt(context, &org, &order, currency.as_ref())).await
}

async fn attempt(context: &Context, org: &Org, order: &Order, currency: Option<&Currency>) -> Result<Reply, Failure> {
    let loaded = context.store.award_context(&org.id, &order.customer, &order.id).await?;
    let customer = loaded.customer.ok_or(Rejection::UnknownCustomer)?;

    if let Some(award) = loaded.award {
        if award::is_repeat(order, &award) {
            return Ok(Reply::replayed(&answer(&award)));
        }
        return Err(Rejection::IdempotencyMismatch.into());
    }
    if loaded.owner.as_ref().is_some_and(|owner| *owner != order.customer) {
        return Err(Rejection::IdempotencyMismatch.into());
    }

    org.check_currency(currency)?;
    let loyalty = org.loyalty_in_force()?;
    let decided = award::award(&customer.value, loyalty, order.clone(), context.now)?;

    let mut transaction = context.store.transaction(org);
    transaction.replace_customer(&decided.customer, &customer, &decided.entries)?;
    transaction.record_award(&decided.award)?;
    match loaded.owner {
        None => transaction.record_order_owner(&order.id, &order.customer)?,
        Some(_) => transaction.list_order(&order.id, true)?,
    }
    transaction.commit().await?;
    let Award { points, terms, outcome, .. } = &decided.award;
    context.metric(Metric::PointsAwarded, points.0);
    if terms.equity != EquityMultiplier::NONE {
        context.metric(Metric::PointsAwardedWithEquity, points.0);
    }
    let is_promotion = |change| direction_of(&loyalty.settings, change) == TierDirection::Promotion;
    if outcome.tier_change.as_ref().is_some_and(is_promotion) {
        context.metric(Metric::Promotions, 1_i64);
    }
    Ok(Reply::created(&answer(&decided.award)))
}

fn answer(award: &Award) -> AwardAnswer<'_> {
    AwardAnswer { points_awarded: award.points, account: (&award.outcome).into() }
}
