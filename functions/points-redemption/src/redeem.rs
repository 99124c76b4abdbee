//! Redeems points against an order. The steps are load, replay, decide and commit.

use std::borrow::Cow;

use shared::{
    domain::{
        ids::{CustomerId, OrderId, OrgId},
        loyalty::{LoyaltySettings, PointsCost},
        money::{Currency, Money},
        org::Org,
        points::Points,
        points_redemption::{self, PointsRedemption, PointsValuation},
        redemption_state::RedemptionState,
        rejection::{RefusalCode, Rejection},
    },
    failure::{Failure, Retry},
    host::{Context, Declared, MoneyOperation, Reply, Success, Tag},
    inbound::operation::{Callers, Operation},
    store::PointsRedemptionContext,
    telemetry::metric::Metric,
};

/// Redeems points against an order.
pub struct RedeemPoints;

/// A redemption of points against an order.
#[declare::request]
pub struct PointsRedemptionRequest {
    /// The org.
    pub org_id: OrgId,
    /// The customer.
    pub customer_id: CustomerId,
    /// The order. An order redeems points once.
    pub order_id: OrderId,
    /// The points to redeem.
    pub points: PointsCost,
    /// The total of the order before the discount, in the org's currency.
    pub order_total: Money,
    /// The currency of the order, which must be the org's.
    pub currency: Option<Currency>,
}

/// The discount, and the balance after the redemption.
#[declare::answer]
pub struct PointsRedemptionAnswer {
    /// The points that were redeemed.
    pub points_redeemed: Points,
    /// The discount, in the org's currency.
    pub value: Money,
    /// The balance after the redemption, in points.
    pub balance: Points,
}

impl Declared for RedeemPoints {
    const OPERATION: Operation = Operation::new("redeem", "POST", "/redemptions").callers(Callers::TILL);
    const TAG: Tag = Tag::Checkout;
    const SUMMARY: &'static str = "Redeem points against an order";
    const DESCRIPTION: &'static str = "Takes the points from the balance and returns the discount. The order id is the \
        idempotency key: the same request again returns the first answer with `replayed`.";
    const SUCCESS: &'static [Success] = &[Success::Created, Success::Replayed];
    const REFUSALS: &'static [RefusalCode] = &[
        RefusalCode::UnknownOrg,
        RefusalCode::UnknownCustomer,
        RefusalCode::IdempotencyMismatch,
        RefusalCode::AlreadyVoided,
        RefusalCode::OtherCurrency,
        RefusalCode::CustomerErased,
        RefusalCode::LoyaltyDisabled,
        RefusalCode::BelowMinimum,
        RefusalCode::InsufficientPoints,
        RefusalCode::NotAListedAmount,
        RefusalCode::ExceedsOrderTotal,
        RefusalCode::OutOfRange,
    ];
    const METRICS: &'static [Metric] =
        &[Metric::PointsRedeemed, Metric::MinorUnitsRedeemed, Metric::RedemptionsRefused];

    type Request = PointsRedemptionRequest;
    type Answer = PointsRedemptionAnswer;
}

impl MoneyOperation for RedeemPoints {
    fn org(request: &PointsRedemptionRequest) -> &OrgId {
        &request.org_id
    }

    fn amounts(request: &PointsRedemptionRequest) -> Vec<(&'static str, Option<Money>)> {
        vec![("orderTotal", Some(request.order_total))]
    }

    fn record_refusal(context: &Context) {
        context.metric(Metric::RedemptionsRefused, 1_i64);
    }

    async fn attempt(
        context: &Context,
        org: &Org,
        request: &PointsRedemptionRequest,
    ) -> Result<Reply<PointsRedemptionAnswer>, Failure> {
        let PointsRedemptionRequest { customer_id, order_id, points, order_total, currency, .. } = request;
        let loaded = context.store.points_redemption_context(&org.id, customer_id, order_id).await?;
        let customer = loaded.customer.as_ref().ok_or(Rejection::UnknownCustomer)?;
        if let Some(replayed) = replay(&loaded, request) {
            return replayed;
        }

        org.check_currency(currency.as_ref())?;
        customer.value.check_not_erased(None)?;
        let settings = match org.loyalty_in_force() {
            Ok(loyalty) => Cow::Borrowed(&loyalty.settings),
            // What a hold has promised is kept while the programme is off.
            Err(_) if points_redemption::is_promised(&customer.value, order_id, *points, context.now) => {
                Cow::Owned(LoyaltySettings::default())
            }
            Err(rejection) => return Err(rejection.into()),
        };
        let valuation = PointsValuation::new(&settings, &org.profile.currency);
        context.store.make_room_for_due(org, customer, context.now).await?;
        let decided =
            points_redemption::redeem(&customer.value, valuation, order_id.clone(), *points, *order_total, context.now);
        if decided.is_err() {
            // The items are not read at one instant. If they have changed since, an earlier attempt for this order may have
            // taken the points or the hold. The next attempt then replays its answer instead of rejecting the order.
            let reloaded = context.store.points_redemption_context(&org.id, customer_id, order_id).await?;
            if reloaded.state.is_some() || reloaded.customer.is_none_or(|reloaded| reloaded.version != customer.version)
            {
                return Err(Failure::Retry(Retry::Contended));
            }
        }
        let decided = decided?;

        let mut transaction = context.store.transaction(org);
        transaction.replace_customer(&decided.customer, customer, &decided.entries)?;
        transaction.record_points_redemption(&decided.redemption, None)?;
        match loaded.order.as_ref().and_then(|order| order.owner.as_ref()) {
            None => transaction.record_order_owner(order_id, customer_id)?,
            Some(_) => transaction.list_order(order_id, true)?,
        }
        transaction.commit().await?;
        context.metric(Metric::PointsRedeemed, points.get().0);
        context.metric(Metric::MinorUnitsRedeemed, decided.redemption.value.minor());
        Ok(Reply::created(answer(&decided.redemption)))
    }
}

/// The answer for an order that already has a redemption or a void, or that belongs to another customer.
///
/// Returns `None` if the order is still open for a redemption.
fn replay(
    loaded: &PointsRedemptionContext,
    request: &PointsRedemptionRequest,
) -> Option<Result<Reply<PointsRedemptionAnswer>, Failure>> {
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
            Some(Ok(Reply::replayed(answer(recorded))))
        }
        RedemptionState::Redeemed(_) => rejected(Rejection::IdempotencyMismatch),
    }
}

const fn answer(redemption: &PointsRedemption) -> PointsRedemptionAnswer {
    PointsRedemptionAnswer { points_redeemed: redemption.points, value: redemption.value, balance: redemption.balance }
}
