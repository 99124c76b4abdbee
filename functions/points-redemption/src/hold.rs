//! Holds points for a checkout, and releases them. The steps are load, replay, decide and commit.
//!
//! A hold claims no order and is no idempotency key: a checkout may change its hold as often as it likes.

use chrono::{DateTime, Utc};
use shared::{
    domain::{
        ids::{CustomerId, OrderId, OrgId},
        loyalty::PointsCost,
        money::{Currency, Money},
        org::Org,
        points::Points,
        points_hold::{self, HoldMinutes, HoldRequest},
        points_redemption::{PointsRedemption, PointsValuation},
        redemption_state::RedemptionState,
        rejection::{RefusalCode, Rejection},
    },
    failure::Failure,
    host::{Context, Declared, MoneyOperation, Reply, Success, Tag},
    inbound::operation::{Callers, Operation},
    telemetry::metric::Metric,
};

/// Holds points for an order.
pub struct HoldPoints;

/// Points to hold for an order.
#[declare::request]
pub struct HoldPointsRequest {
    /// The org.
    pub org_id: OrgId,
    /// The customer.
    pub customer_id: CustomerId,
    /// The order. A customer has at most 20 holds, one for each order.
    pub order_id: OrderId,
    /// The points to hold.
    pub points: PointsCost,
    /// The total of the order before the discount, in the org's currency.
    pub order_total: Money,
    /// The number of minutes after which the hold lapses.
    #[declare(default)]
    pub minutes: HoldMinutes,
    /// The currency of the order, which must be the org's.
    pub currency: Option<Currency>,
}

/// A hold.
#[declare::answer]
pub struct HoldPointsAnswer {
    /// The points that are held.
    pub points: Points,
    /// The discount that a redemption of all held points gives, in the org's currency.
    pub value: Money,
    /// When the hold lapses by itself.
    pub held_until: DateTime<Utc>,
    /// The points that the customer can still spend.
    pub available_points: Points,
}

impl Declared for HoldPoints {
    const OPERATION: Operation = Operation::new("hold", "PUT", "/holds/{orderId}").callers(Callers::TILL);
    const TAG: Tag = Tag::Checkout;
    const SUMMARY: &'static str = "Hold points for an order";
    const DESCRIPTION: &'static str = "Sets points aside until the order is paid. Another request for the order is \
        decided as if the hold had been released first, and replaces it. If it is refused, the hold stays. The hold \
        lapses by itself at `heldUntil`.";
    const SUCCESS: &'static [Success] = &[Success::Created, Success::Done];
    const REFUSALS: &'static [RefusalCode] = &[
        RefusalCode::UnknownOrg,
        RefusalCode::UnknownCustomer,
        RefusalCode::IdempotencyMismatch,
        RefusalCode::OtherCurrency,
        RefusalCode::CustomerErased,
        RefusalCode::LoyaltyDisabled,
        RefusalCode::AlreadyVoided,
        RefusalCode::AlreadyRedeemed,
        RefusalCode::TooManyHolds,
        RefusalCode::BelowMinimum,
        RefusalCode::InsufficientPoints,
        RefusalCode::NotAListedAmount,
        RefusalCode::ExceedsOrderTotal,
        RefusalCode::OutOfRange,
    ];
    const METRICS: &'static [Metric] = &[Metric::PointsHeld, Metric::RedemptionsRefused];

    type Request = HoldPointsRequest;
    type Answer = HoldPointsAnswer;
}

impl MoneyOperation for HoldPoints {
    fn org(request: &HoldPointsRequest) -> &OrgId {
        &request.org_id
    }

    fn amounts(request: &HoldPointsRequest) -> Vec<(&'static str, Option<Money>)> {
        vec![("orderTotal", Some(request.order_total))]
    }

    fn record_refusal(context: &Context) {
        context.metric(Metric::RedemptionsRefused, 1_i64);
    }

    async fn attempt(
        context: &Context,
        org: &Org,
        request: &HoldPointsRequest,
    ) -> Result<Reply<HoldPointsAnswer>, Failure> {
        let HoldPointsRequest { customer_id, order_id, points, order_total, minutes, currency, .. } = request;
        let loaded = context.store.points_redemption_context(&org.id, customer_id, order_id).await?;
        let customer = loaded.customer.ok_or(Rejection::UnknownCustomer)?;
        let owner = loaded.order.as_ref().and_then(|order| order.owner.as_ref());
        if owner.is_some_and(|owner| owner != customer_id) {
            return Err(Rejection::IdempotencyMismatch.into());
        }
        org.check_currency(currency.as_ref())?;
        customer.value.check_not_erased(None)?;
        let valuation = PointsValuation::new(&org.loyalty_in_force()?.settings, &org.profile.currency);
        match loaded.state.map(|state| state.value) {
            Some(RedemptionState::VoidedBefore) => return Err(Rejection::AlreadyVoided.into()),
            Some(RedemptionState::Redeemed(PointsRedemption { voided: Some(_), .. })) => {
                return Err(Rejection::AlreadyVoided.into());
            }
            Some(RedemptionState::Redeemed(_)) => return Err(Rejection::AlreadyRedeemed.into()),
            None => {}
        }

        let request =
            HoldRequest { order: order_id.clone(), points: *points, order_total: *order_total, minutes: *minutes };
        context.store.make_room_for_due(org, &customer, context.now).await?;
        let decided = points_hold::hold(&customer.value, valuation, request, context.now)?;
        let Some(hold) = decided.hold else { return Err(Failure::internal("a hold that holds nothing")) };

        let mut transaction = context.store.transaction(org);
        transaction.replace_customer(&decided.customer, &customer, &decided.entries)?;
        // The items are not read at one instant, and a redemption or a void of the order may have come in between. No other
        // operation would end its hold.
        transaction.require_no_points_redemption(order_id)?;
        transaction.commit().await?;
        context.metric(Metric::PointsHeld, hold.points().0);
        let answer = HoldPointsAnswer {
            points: hold.points(),
            value: hold.value,
            held_until: hold.until,
            available_points: decided.customer.account.available(context.now),
        };
        Ok(if decided.replaced { Reply::done(answer) } else { Reply::created(answer) })
    }
}

/// Releases the hold of an order.
pub struct ReleasePoints;

/// An order whose hold is released.
#[declare::request]
pub struct ReleasePointsRequest {
    /// The org.
    pub org_id: OrgId,
    /// The customer.
    pub customer_id: CustomerId,
    /// The order.
    pub order_id: OrderId,
}

/// The outcome of a release.
#[declare::answer]
pub struct ReleasePointsAnswer {
    /// Whether the order had a hold. A hold that has lapsed is none.
    pub released: bool,
}

impl Declared for ReleasePoints {
    const OPERATION: Operation = Operation::new("release", "DELETE", "/holds/{orderId}").callers(Callers::TILL);
    const TAG: Tag = Tag::Checkout;
    const SUMMARY: &'static str = "Release the hold of an order";
    const DESCRIPTION: &'static str = "The held points return, each with its own expiry.";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] = &[RefusalCode::UnknownOrg, RefusalCode::UnknownCustomer];
    const METRICS: &'static [Metric] = &[];

    type Request = ReleasePointsRequest;
    type Answer = ReleasePointsAnswer;
}

impl MoneyOperation for ReleasePoints {
    fn org(request: &ReleasePointsRequest) -> &OrgId {
        &request.org_id
    }

    async fn attempt(
        context: &Context,
        org: &Org,
        request: &ReleasePointsRequest,
    ) -> Result<Reply<ReleasePointsAnswer>, Failure> {
        let ReleasePointsRequest { customer_id, order_id, .. } = request;
        let customer = context.store.customer(&org.id, customer_id).await?.ok_or(Rejection::UnknownCustomer)?;
        context.store.make_room_for_due(org, &customer, context.now).await?;
        let decided = points_hold::release(&customer.value, order_id, context.now);
        let released = decided.hold.is_some();
        if released {
            let mut transaction = context.store.transaction(org);
            transaction.replace_customer(&decided.customer, &customer, &decided.entries)?;
            transaction.commit().await?;
        }
        Ok(Reply::done(ReleasePointsAnswer { released }))
    }
}
