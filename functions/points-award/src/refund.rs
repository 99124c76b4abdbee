//! Reverses points for a partial or full refund, in four steps: load, replay, decide, commit.

use deserr::Deserr;
use serde::Serialize;
use shared::{
    domain::{
        earning::refund::{self, Refund, RefundRecord},
        ids::{CustomerId, OrderId, OrgId, RefundId},
        money::{Currency, Money},
        org::Org,
        points::Points,
        rejection::Rejection,
    },
    failure::{Failure, Retry},
    host::{Context, Reply, retry_conflicts},
    inbound::Call,
    store::RefundContext,
    telemetry::metric::Metric,
};

use crate::account::{AccountSummary, owner_of};

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct RefundRequest {
    org_id: OrgId,
    #[deserr(default)]
    customer_id: Option<CustomerId>,
    order_id: OrderId,
    refund_id: RefundId,
    #[deserr(default)]
    refund_total: Option<Money>,
    #[deserr(default)]
    currency: Option<Currency>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RefundAnswer<'a> {
    points_reversed: Points,
    #[serde(flatten)]
    account: AccountSummary<'a>,
}

pub(crate) async fn handle(context: &Context, call: Call) -> Result<Reply, Failure> {
    let request: RefundRequest = call.read()?;
    let org = context.org(&request.org_id).await?;
    org.check_amounts([("refundTotal", request.refund_total)])?;
    retry_conflicts(context.deadline, || attempt(context, &org, &request)).await
}

async fn attempt(context: &Context, org: &Org, request: &RefundRequest) -> Result<Reply, Failure> {
    let RefundRequest { customer_id, order_id, refund_id, refund_total, currency, .. } = request;
    let customer_id = match customer_id {
        Some(customer_id) => customer_id.clone(),
        None => owner_of(context, org, order_id).await?.ok_or(Rejection::UnknownOrder)?,
    };
    let load = || context.store.refund_context(&org.id, &customer_id, order_id, refund_id);
    let RefundContext { customer, award, refund, .. } = load().await?;
    let customer = customer.ok_or(Rejection::UnknownCustomer)?;
    if let Some(RefundRecord::VoidedBefore) = refund.as_ref().map(|refund| &refund.value) {
        return Err(Rejection::AlreadyVoided.into());
    }
    let award = award.ok_or(Rejection::UnknownOrder)?;
    if award.value.order.customer != customer_id {
        return Err(Rejection::IdempotencyMismatch.into());
    }
    if let Some(RefundRecord::Made(refund)) = refund.map(|refund| refund.value) {
        return match (&refund.voided, refund.asked == *refund_total) {
            (Some(_), _) => Err(Rejection::AlreadyVoided.into()),
            (None, true) => Ok(Reply::replayed(&answer(&refund))),
            (None, false) => Err(Rejection::IdempotencyMismatch.into()),
        };
    }
    org.check_currency(currency.as_ref())?;

    // Refunds are accepted while the programme is off. The recorded award implies that settings exist.
    let loyalty = org.loyalty.as_ref().ok_or(Rejection::LoyaltyNotSet)?;
    let decided = refund::refund(&customer.value, loyalty, &award.value, refund_id.clone(), *refund_total, context.now);
    if decided.is_err() {
        // The loaded items are not a consistent snapshot. The rejection is final only if a second read finds the same
        // versions. Otherwise an earlier attempt of the same refund may have left too little.
        let reloaded = load().await?;
        let is_unchanged = reloaded.refund.is_none()
            && reloaded.customer.is_some_and(|reloaded| reloaded.version == customer.version)
            && reloaded.award.is_some_and(|reloaded| reloaded.version == award.version);
        if !is_unchanged {
            return Err(Failure::Retry(Retry::Contended));
        }
    }
    let decided = decided?;

    let mut transaction = context.store.transaction(org);
    transaction.replace_customer(&decided.customer, &customer, &decided.entries)?;
    transaction.record_refund(&decided.refund, &decided.award, &award)?;
    transaction.commit().await?;
    context.metric(Metric::PointsReversed, decided.refund.points.0);
    Ok(Reply::created(&answer(&decided.refund)))
}

fn answer(refund: &Refund) -> RefundAnswer<'_> {
    RefundAnswer { points_reversed: refund.points, account: (&refund.outcome).into() }
}
