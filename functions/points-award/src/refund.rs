//! Reverses points for a partial or full refund, in four steps: load, replay, decide, commit.

use chrono::{DateTime, Utc};
use shared::{
    domain::{
        earning::refund::{self, Refund, RefundRecord},
        ids::{CustomerId, OrderId, OrgId, RefundId},
        lots::lot::LotDates,
        money::{Currency, Money},
        org::Org,
        points::Points,
        rejection::{RefusalCode, Rejection},
    },
    failure::{Failure, Retry},
    host::{Context, Declared, MoneyOperation, Reply, Success, Tag},
    inbound::operation::Operation,
    store::RefundContext,
    telemetry::metric::Metric,
};

use crate::account::{AccountSummary, loyalty_of, owner_of};

/// Reverses points for a refund.
pub struct RefundOrder;

/// A refund of an order.
#[declare::request]
pub struct RefundRequest {
    /// The org.
    pub org_id: OrgId,
    /// The customer. Absent: the customer of the recorded order, which costs one more read.
    pub customer_id: Option<CustomerId>,
    /// The order.
    pub order_id: OrderId,
    /// The refund. A refund is applied once.
    pub refund_id: RefundId,
    /// The refunded amount, in the org's currency. Absent: everything that is left of the order. Leaving the field
    /// out and naming that amount are different requests.
    pub refund_total: Option<Money>,
    /// The currency of the refund, which must be the org's.
    pub currency: Option<Currency>,
}

/// The points of a refund, and the account of the customer after it.
#[declare::answer]
pub struct RefundAnswer {
    /// The points that the refund took back.
    pub points_reversed: Points,
    /// When the points of the order can be spent. Absent: at once.
    pub available_at: Option<DateTime<Utc>>,
    /// When the points of the order expire. A refund from then on takes back none. Absent: never.
    pub expires_at: Option<DateTime<Utc>>,
    /// The account of the customer after the refund.
    #[serde(flatten)]
    pub account: AccountSummary,
}

impl Declared for RefundOrder {
    const OPERATION: Operation = Operation::new("refund", "POST", "/refunds").on_event("OrderRefunded");
    const TAG: Tag = Tag::Orders;
    const SUMMARY: &'static str = "Take back points for a refund";
    const DESCRIPTION: &'static str = "Takes back the points that the remaining total would not have earned, at the \
        rate and multipliers of the award. The balance may become negative. The refund id, within its order, is the \
        idempotency key.";
    const SUCCESS: &'static [Success] = &[Success::Created, Success::Replayed];
    const REFUSALS: &'static [RefusalCode] = &[
        RefusalCode::UnknownOrg,
        RefusalCode::UnknownCustomer,
        RefusalCode::LoyaltyNotSet,
        RefusalCode::UnknownOrder,
        RefusalCode::IdempotencyMismatch,
        RefusalCode::OtherCurrency,
        RefusalCode::CustomerErased,
        RefusalCode::AlreadyVoided,
        RefusalCode::AlreadyRefunded,
        RefusalCode::RefundExceedsOrder,
        RefusalCode::OutOfRange,
    ];
    const METRICS: &'static [Metric] = &[Metric::PointsReversed];

    type Request = RefundRequest;
    type Answer = RefundAnswer;
}

impl MoneyOperation for RefundOrder {
    fn org(request: &RefundRequest) -> &OrgId {
        &request.org_id
    }

    fn amounts(request: &RefundRequest) -> Vec<(&'static str, Option<Money>)> {
        vec![("refundTotal", request.refund_total)]
    }

    async fn attempt(context: &Context, org: &Org, request: &RefundRequest) -> Result<Reply<RefundAnswer>, Failure> {
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
                (None, true) => Ok(Reply::replayed(answer(&refund, award.value.dates))),
                (None, false) => Err(Rejection::IdempotencyMismatch.into()),
            };
        }
        org.check_currency(currency.as_ref())?;
        customer.value.check_not_erased(Some(award.value.order.fulfilled_at))?;

        // Refunds are accepted while the programme is off.
        let loyalty = &*loyalty_of(context, org).await?;
        context.store.make_room_for_due(org, &customer, context.now).await?;
        let decided =
            refund::refund(&customer.value, loyalty, &award.value, refund_id.clone(), *refund_total, context.now);
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
        Ok(Reply::created(answer(&decided.refund, award.value.dates)))
    }
}

fn answer(refund: &Refund, dates: LotDates) -> RefundAnswer {
    RefundAnswer {
        points_reversed: refund.points,
        available_at: dates.available_at,
        expires_at: dates.expires_at,
        account: (&refund.outcome).into(),
    }
}
