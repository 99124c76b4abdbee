//! Voids a cancelled refund, in four steps: load, replay, decide, commit.

use shared::{
    domain::{
        earning::{
            award::Award,
            refund::{self, Refund, RefundRecord, RefundVoid},
        },
        ids::{CustomerId, OrderId, OrgId, RefundId},
        money::Money,
        org::Org,
        points::Points,
        rejection::{RefusalCode, Rejection},
    },
    failure::{Failure, Retry},
    host::{Context, Declared, MoneyOperation, Reply, Success, Tag},
    inbound::operation::Operation,
    store::{RefundContext, Versioned},
    telemetry::metric::Metric,
};

use crate::account::{AccountSummary, loyalty_of, owner_of};

/// Voids a refund.
pub struct VoidRefund;

/// A refund that did not happen.
#[declare::request]
pub struct RefundVoidRequest {
    /// The org.
    pub org_id: OrgId,
    /// The customer. Absent: the customer of the recorded order, which costs one more read.
    pub customer_id: Option<CustomerId>,
    /// The order.
    pub order_id: OrderId,
    /// The refund.
    pub refund_id: RefundId,
}

/// The points that a void gave back. Without a refund to void, only `voided` is present.
#[declare::answer]
#[derive(Default)]
pub struct RefundVoidAnswer {
    /// Whether there was a refund to void.
    pub voided: bool,
    /// The points that the void gave back.
    pub points_restored: Option<Points>,
    /// The account of the customer after the void.
    #[serde(flatten)]
    pub account: Option<AccountSummary>,
}

impl RefundVoidAnswer {
    fn of(RefundVoid { points, outcome, .. }: &RefundVoid) -> Self {
        Self { voided: true, points_restored: Some(*points), account: Some(outcome.into()) }
    }
}

impl Declared for VoidRefund {
    const OPERATION: Operation =
        Operation::new("voidRefund", "DELETE", "/refunds/{refundId}").on_event("RefundCancelled");
    const TAG: Tag = Tag::Orders;
    const SUMMARY: &'static str = "Void a refund that did not happen";
    const DESCRIPTION: &'static str = "Restores the points and the lifetime value that the refund took back. The id of \
        a voided refund cannot be used again. The void of an unknown refund blocks it.";
    const SUCCESS: &'static [Success] = &[Success::Done, Success::Replayed];
    const REFUSALS: &'static [RefusalCode] = &[
        RefusalCode::UnknownOrg,
        RefusalCode::UnknownCustomer,
        RefusalCode::LoyaltyNotSet,
        RefusalCode::IdempotencyMismatch,
        RefusalCode::CustomerErased,
        RefusalCode::OutOfRange,
    ];
    const METRICS: &'static [Metric] = &[Metric::PointsRestored];

    type Request = RefundVoidRequest;
    type Answer = RefundVoidAnswer;
}

impl MoneyOperation for VoidRefund {
    fn org(request: &RefundVoidRequest) -> &OrgId {
        &request.org_id
    }

    async fn attempt(
        context: &Context,
        org: &Org,
        request: &RefundVoidRequest,
    ) -> Result<Reply<RefundVoidAnswer>, Failure> {
        let RefundVoidRequest { customer_id, order_id, refund_id, .. } = request;
        let customer_id = match customer_id {
            Some(customer_id) => customer_id.clone(),
            None => match owner_of(context, org, order_id).await? {
                Some(owner) => owner,
                // No award or redemption has recorded the customer of the order, so the order has no refund.
                None => return block(context, org, request, false).await,
            },
        };
        let loaded = context.store.refund_context(&org.id, &customer_id, order_id, refund_id).await?;
        let RefundContext { customer, order, award, refund } = loaded;
        let customer = customer.ok_or(Rejection::UnknownCustomer)?;
        if order.as_ref().and_then(|order| order.owner.as_ref()).is_some_and(|owner| *owner != customer_id) {
            return Err(Rejection::IdempotencyMismatch.into());
        }
        let (Some(record), Some(award)) = (refund, award) else {
            return block(context, org, request, order.is_some()).await;
        };
        let refund = match &record.value {
            RefundRecord::VoidedBefore => return Ok(Reply::replayed(RefundVoidAnswer::default())),
            RefundRecord::Made(refund) => refund,
        };
        if let Some(void) = &refund.voided {
            return Ok(Reply::replayed(RefundVoidAnswer::of(void)));
        }

        customer.value.check_not_erased(Some(award.value.order.fulfilled_at))?;
        // Voids are accepted while the programme is off, as refunds are.
        let loyalty = &*loyalty_of(context, org).await?;
        let total = match refund.total.or(refund.asked) {
            Some(total) => total,
            None => load_refund_total(context, org, refund, &award).await?,
        };
        context.store.make_room_for_due(org, &customer, context.now).await?;
        let decided = refund::void(
            &customer.value,
            (loyalty, org.profile.timezone),
            &award.value,
            refund.as_ref().clone(),
            total,
            context.now,
        )?;

        let mut transaction = context.store.transaction(org);
        transaction.replace_customer(&decided.customer, &customer, &decided.entries)?;
        transaction.record_refund_void(&decided.refund, &record, &decided.award, &award)?;
        transaction.commit().await?;
        let Some(void) = &decided.refund.voided else {
            return Err(Failure::internal("a void that voids nothing"));
        };
        context.metric(Metric::PointsRestored, void.points.0);
        Ok(Reply::done(RefundVoidAnswer::of(void)))
    }
}

/// Blocks a later refund with this id. The customer of the order stays undetermined. An existing record is replayed.
async fn block(
    context: &Context,
    org: &Org,
    request: &RefundVoidRequest,
    is_known_order: bool,
) -> Result<Reply<RefundVoidAnswer>, Failure> {
    let RefundVoidRequest { order_id, refund_id, .. } = request;
    if context.store.refund_record(&org.id, order_id, refund_id).await?.is_some() {
        return Ok(Reply::replayed(RefundVoidAnswer::default()));
    }
    let mut transaction = context.store.transaction(org);
    transaction.block_refund(order_id, refund_id, is_known_order)?;
    transaction.commit().await?;
    Ok(Reply::done(RefundVoidAnswer::default()))
}

/// Infers the total of a refund of the whole remainder, recorded before refunds stored their total.
async fn load_refund_total(
    context: &Context,
    org: &Org,
    refund: &Refund,
    award: &Versioned<Award>,
) -> Result<Money, Failure> {
    let order = &award.value.order.id;
    let others = context.store.refunds_of_order(&org.id, order).await?;
    let total = refund::infer_total(&award.value, others.iter().filter(|other| other.id != refund.id));
    // If the refunds and the award were read at different versions, the commit fails with a conflict.
    total.ok_or(Failure::Retry(Retry::Contended))
}
