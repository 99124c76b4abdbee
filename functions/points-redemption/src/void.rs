//! Voids the redemption of a cancelled order and returns its points. The steps are load, replay, decide and commit.

use shared::{
    domain::{
        ids::{CustomerId, OrderId, OrgId},
        org::Org,
        points::Points,
        points_hold,
        points_redemption::{self, PointsRedemption, PointsVoid},
        redemption_state::RedemptionState,
        rejection::{RefusalCode, Rejection},
    },
    failure::Failure,
    host::{Context, Declared, MoneyOperation, Reply, Success, Tag},
    inbound::operation::{Callers, Operation},
    store::Versioned,
    telemetry::metric::Metric,
};

/// Voids the redemption of an order.
pub struct VoidPointsRedemption;

/// An order whose redemption of points is voided.
#[declare::request]
pub struct PointsVoidRequest {
    /// The org.
    pub org_id: OrgId,
    /// The customer. Absent: the customer of the recorded order, which costs one more read.
    pub customer_id: Option<CustomerId>,
    /// The order.
    pub order_id: OrderId,
}

/// The points that a void returned. Without a redemption to void, only `voided` is present.
#[declare::answer]
pub struct PointsVoidAnswer {
    /// Whether there was a redemption to void.
    pub voided: bool,
    /// The points that the void returned.
    pub points_returned: Option<Points>,
    /// The balance after the void, in points.
    pub balance: Option<Points>,
}

impl PointsVoidAnswer {
    /// The answer if the order has no redemption to void.
    const NOTHING: Self = Self { voided: false, points_returned: None, balance: None };

    const fn of(redemption: &PointsRedemption, void: &PointsVoid) -> Self {
        Self { voided: true, points_returned: Some(redemption.points), balance: Some(void.balance) }
    }
}

impl Declared for VoidPointsRedemption {
    const OPERATION: Operation =
        Operation::new("void", "DELETE", "/redemptions/{orderId}").callers(Callers::TILL).on_event("OrderCancelled");
    const TAG: Tag = Tag::Checkout;
    const SUMMARY: &'static str = "Void a redemption of points";
    const DESCRIPTION: &'static str = "Returns the points of a cancelled order, once. The void of an order without a \
        redemption blocks a later one.";
    const SUCCESS: &'static [Success] = &[Success::Done, Success::Replayed];
    const REFUSALS: &'static [RefusalCode] = &[
        RefusalCode::UnknownOrg,
        RefusalCode::UnknownCustomer,
        RefusalCode::IdempotencyMismatch,
        RefusalCode::CustomerErased,
        RefusalCode::OutOfRange,
    ];
    const METRICS: &'static [Metric] = &[Metric::PointsReturned];

    type Request = PointsVoidRequest;
    type Answer = PointsVoidAnswer;
}

impl MoneyOperation for VoidPointsRedemption {
    fn org(request: &PointsVoidRequest) -> &OrgId {
        &request.org_id
    }

    async fn attempt(
        context: &Context,
        org: &Org,
        request: &PointsVoidRequest,
    ) -> Result<Reply<PointsVoidAnswer>, Failure> {
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

        context.store.make_room_for_due(org, &customer, context.now).await?;
        let mut transaction = context.store.transaction(org);
        let (redemption, state) = match &loaded.state {
            Some(Versioned { value: RedemptionState::VoidedBefore, .. }) => {
                return Ok(Reply::replayed(PointsVoidAnswer::NOTHING));
            }
            Some(state @ Versioned { value: RedemptionState::Redeemed(redemption), .. }) => match &redemption.voided {
                Some(void) => return Ok(Reply::replayed(PointsVoidAnswer::of(redemption, void))),
                None => (redemption.clone(), state),
            },
            None => {
                // An order that only held points gives them back.
                let released = points_hold::release(&customer.value, order_id, context.now);
                if released.hold.is_some() {
                    transaction.replace_customer(&released.customer, &customer, &released.entries)?;
                }
                transaction.block_points_redemption(order_id, loaded.order.is_some())?;
                transaction.commit().await?;
                return Ok(Reply::done(PointsVoidAnswer::NOTHING));
            }
        };

        customer.value.check_not_erased(Some(redemption.redeemed_at))?;
        let decided = points_redemption::void(&customer.value, org.profile.timezone, redemption, context.now)?;
        transaction.replace_customer(&decided.customer, &customer, &decided.entries)?;
        transaction.record_points_redemption(&decided.redemption, Some(state))?;
        transaction.commit().await?;
        let Some(void) = &decided.redemption.voided else {
            return Err(Failure::internal("a void that voids nothing"));
        };
        context.metric(Metric::PointsReturned, decided.redemption.points.0);
        Ok(Reply::done(PointsVoidAnswer::of(&decided.redemption, void)))
    }
}

/// Blocks later redemptions of an order without a recorded owner. The owner stays unrecorded.
async fn block_unowned_order(
    context: &Context,
    org: &Org,
    order: &OrderId,
) -> Result<Reply<PointsVoidAnswer>, Failure> {
    if context.store.points_redemption_state(&org.id, order).await?.is_some() {
        return Ok(Reply::replayed(PointsVoidAnswer::NOTHING));
    }
    let mut transaction = context.store.transaction(org);
    transaction.block_points_redemption(order, false)?;
    transaction.commit().await?;
    Ok(Reply::done(PointsVoidAnswer::NOTHING))
}
