//! Amends an awarded order, in four steps: load, replay, decide, commit.
//!
//! Platforms send the whole state of an order again and again, and not in order. The newest state applies.

use chrono::{DateTime, Utc};
use shared::{
    domain::{
        customer::Customer,
        earning::{amendment, award::Award, order_state::OrderState},
        ids::{CustomerId, OrderId, OrgId},
        money::{Currency, Money},
        orders::OrderHeader,
        org::Org,
        points::Points,
        rejection::{FieldError, RefusalCode, Rejection},
        time::FutureTolerance,
    },
    failure::{Failure, Retry},
    host::{Context, Declared, MoneyOperation, Reply, Success, Tag},
    inbound::{
        CallInfo, Fields,
        fields::{Timestamp, future_errors, single_field},
        operation::Operation,
    },
    store::{AwardContext, Versioned},
    telemetry::metric::Metric,
};

use crate::account::{AccountSummary, loyalty_of, owner_of};

/// Amends an order.
pub struct AmendOrder;

/// What an order came to in all, as of an instant.
#[declare::request]
pub struct AmendmentRequest {
    /// The org.
    pub org_id: OrgId,
    /// The customer. Absent: the customer of the recorded order, which costs one more read.
    pub customer_id: Option<CustomerId>,
    /// The order.
    pub order_id: OrderId,
    /// What the order came to in all, in money, in the org's currency. Refunds are not subtracted.
    pub order_total: Money,
    /// The instant of this state of the order, at most 24 hours ahead. A state that is not newer than the recorded one
    /// changes nothing. Of two states of one instant, the greater total applies.
    pub as_of: Timestamp,
    /// Whether the order was cancelled. Goes with an `orderTotal` of 0.
    #[declare(default)]
    pub cancelled: bool,
    /// The currency of the order, which must be the org's.
    pub currency: Option<Currency>,
}

/// The points that an amendment changed, and the account of the customer after it.
#[declare::answer]
pub struct AmendmentAnswer {
    /// What the order came to in all by the recorded state.
    pub order_total: Money,
    /// The change of points by the last amendment. Negative if the order earns fewer than before.
    pub points_changed: Points,
    /// When the points of the order can be spent. Absent: at once.
    pub available_at: Option<DateTime<Utc>>,
    /// When the points of the order expire. An amendment from then on changes none. Absent: never.
    pub expires_at: Option<DateTime<Utc>>,
    /// The account of the customer after the amendment. Absent for a cancellation that came before the award.
    #[serde(flatten)]
    pub account: Option<AccountSummary>,
}

impl AmendmentAnswer {
    /// The answer of the last amendment, or of the award if there was none.
    fn of(award: &Award) -> Self {
        let last = award.amendment.as_ref();
        Self {
            order_total: award.state.total,
            points_changed: last.map_or(Points::ZERO, |amendment| amendment.points),
            available_at: award.dates.available_at,
            expires_at: award.dates.expires_at,
            account: Some(last.map_or(&award.outcome, |amendment| &amendment.outcome).into()),
        }
    }

    /// The answer to a cancellation that came before the award.
    const NOTHING: Self = Self {
        order_total: Money::ZERO,
        points_changed: Points::ZERO,
        available_at: None,
        expires_at: None,
        account: None,
    };
}

impl Declared for AmendOrder {
    const OPERATION: Operation = Operation::new("amend", "PUT", "/awards/{orderId}").on_event("OrderAmended");
    const TAG: Tag = Tag::Orders;
    const SUMMARY: &'static str = "Change what an order came to";
    const DESCRIPTION: &'static str = "Sets the total of an awarded order. The points change by what the remaining \
        total earns by the terms of the award, less what the remaining total before earned. A cancelled order no longer \
        counts. A cancellation that comes before the award keeps a later award of an older state from earning points.";
    const SUCCESS: &'static [Success] = &[Success::Done, Success::Replayed];
    const REFUSALS: &'static [RefusalCode] = &[
        RefusalCode::UnknownOrg,
        RefusalCode::UnknownCustomer,
        RefusalCode::LoyaltyNotSet,
        RefusalCode::UnknownOrder,
        RefusalCode::IdempotencyMismatch,
        RefusalCode::OtherCurrency,
        RefusalCode::CustomerErased,
        RefusalCode::RefundExceedsOrder,
        RefusalCode::OutOfRange,
    ];
    const METRICS: &'static [Metric] = &[Metric::PointsAwarded, Metric::PointsReversed];

    type Request = AmendmentRequest;
    type Answer = AmendmentAnswer;

    fn check(fields: &Fields, now: DateTime<Utc>, _: CallInfo) -> Vec<FieldError> {
        let mut faults = future_errors(fields, "asOf", now, FutureTolerance::Day);
        let is_cancelled = single_field::<bool>(fields, "cancelled") == Some(true);
        let has_total = single_field::<Money>(fields, "orderTotal").is_some_and(|total| total > Money::ZERO);
        let fault = || FieldError::new("cancelled", "goes with an orderTotal of 0");
        faults.extend((is_cancelled && has_total).then(fault));
        faults
    }
}

impl MoneyOperation for AmendOrder {
    fn org(request: &AmendmentRequest) -> &OrgId {
        &request.org_id
    }

    fn amounts(request: &AmendmentRequest) -> Vec<(&'static str, Option<Money>)> {
        vec![("orderTotal", Some(request.order_total))]
    }

    async fn attempt(
        context: &Context,
        org: &Org,
        request: &AmendmentRequest,
    ) -> Result<Reply<AmendmentAnswer>, Failure> {
        let AmendmentRequest { customer_id, order_id, order_total, cancelled, currency, .. } = request;
        let Timestamp(as_of) = request.as_of;
        let state = OrderState { total: *order_total, cancelled: *cancelled, as_of };
        let customer_id = match customer_id {
            Some(customer_id) => Some(customer_id.clone()),
            None => owner_of(context, org, order_id).await?,
        };
        let Some(customer_id) = customer_id else {
            let header = context.store.order_header(&org.id, order_id).await?;
            return block(context, org, order_id, (state, header.as_ref()), currency.as_ref()).await;
        };
        let loaded = context.store.award_context(&org.id, &customer_id, order_id).await?;
        let AwardContext { customer, order, award } = loaded;
        let owner = order.as_ref().and_then(|order| order.owner.as_ref());
        // The items are not read at one instant, so the header alone does not tell.
        let recorded = award.as_ref().map(|award| &award.value.order.customer);
        if owner.into_iter().chain(recorded).any(|owner| *owner != customer_id) {
            return Err(Rejection::IdempotencyMismatch.into());
        }
        if award.is_none() && state.cancelled {
            return block(context, org, order_id, (state, order.as_ref()), currency.as_ref()).await;
        }
        let customer = customer.ok_or(Rejection::UnknownCustomer)?;
        let award = award.ok_or(Rejection::UnknownOrder)?;
        let amended = amend(context, org, (&customer, &award), state, currency.as_ref()).await?;
        Ok(amended.map(|award| AmendmentAnswer::of(&award)))
    }
}

/// Amends an awarded order, unless the recorded state is as new. Returns the award.
pub(crate) async fn amend(
    context: &Context,
    org: &Org,
    (customer, award): (&Versioned<Customer>, &Versioned<Award>),
    state: OrderState,
    currency: Option<&Currency>,
) -> Result<Reply<Award>, Failure> {
    org.check_currency(currency)?;
    if !state.supersedes(&award.value.state) {
        return Ok(Reply::replayed(award.value.clone()));
    }
    customer.value.check_not_erased(Some(award.value.order.fulfilled_at))?;
    let mut transaction = context.store.transaction(org);
    if amendment::is_same(&award.value, &state) {
        // Its instant counts: a state in between, which says something else, may still come.
        transaction.replace_award(&Award { state, ..award.value.clone() }, award)?;
        transaction.commit().await?;
        return Ok(Reply::replayed(award.value.clone()));
    }

    // Amendments are accepted while the programme is off, as refunds are.
    let loyalty = &*loyalty_of(context, org).await?;
    context.store.make_room_for_due(org, customer, context.now).await?;
    let decided = amendment::amend(&customer.value, loyalty, &award.value, state, context.now);
    if decided.is_err() {
        // The items are not read at one instant. The rejection is final only if a second read finds the same versions.
        // Otherwise the amount was subtracted in one of them and not yet in the other.
        let reloaded = context.store.award_context(&org.id, &customer.value.id, &award.value.order.id).await?;
        let is_unchanged = reloaded.customer.is_some_and(|reloaded| reloaded.version == customer.version)
            && reloaded.award.is_some_and(|reloaded| reloaded.version == award.version);
        if !is_unchanged {
            return Err(Failure::Retry(Retry::Contended));
        }
    }
    let decided = decided?;
    transaction.replace_customer(&decided.customer, customer, &decided.entries)?;
    transaction.replace_award(&decided.award, award)?;
    transaction.commit().await?;
    let points = decided.amendment.points;
    if points < Points::ZERO {
        context.metric(Metric::PointsReversed, points.negated().0);
    } else {
        context.metric(Metric::PointsAwarded, points.0);
    }
    Ok(Reply::done(decided.award))
}

/// Keeps the state of an order that is cancelled before its award. Fails with [`Rejection::UnknownOrder`] for any other
/// state of an order without an award.
async fn block(
    context: &Context,
    org: &Org,
    order: &OrderId,
    (state, header): (OrderState, Option<&OrderHeader>),
    currency: Option<&Currency>,
) -> Result<Reply<AmendmentAnswer>, Failure> {
    if !state.cancelled {
        return Err(Rejection::UnknownOrder.into());
    }
    org.check_currency(currency)?;
    if header.and_then(|header| header.cancelled_as_of).is_some_and(|recorded| recorded >= state.as_of) {
        return Ok(Reply::replayed(AmendmentAnswer::NOTHING));
    }
    let mut transaction = context.store.transaction(org);
    transaction.mark_cancelled(order, state.as_of, header)?;
    transaction.commit().await?;
    Ok(Reply::done(AmendmentAnswer::NOTHING))
}
