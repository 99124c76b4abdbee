//! Adjusts points manually, in four steps: load, replay, decide, commit.

use shared::{
    domain::{
        earning::adjustment::{self, Adjustment, PointsChange},
        ids::{AdjustmentId, CustomerId, OrgId},
        org::Org,
        points::Points,
        rejection::{RefusalCode, Rejection},
        text::SingleLine,
    },
    failure::Failure,
    host::{Context, Declared, MoneyOperation, Reply, Success, Tag},
    inbound::operation::Operation,
    telemetry::metric::Metric,
};

/// Gives a customer points, or takes points from a customer.
pub struct Adjust;

/// A change of a customer's points by an operator.
#[declare::request]
pub struct AdjustmentRequest {
    /// The org.
    pub org_id: OrgId,
    /// The customer.
    pub customer_id: CustomerId,
    /// The adjustment, unique within its customer. An adjustment is made once.
    pub adjustment_id: AdjustmentId,
    /// The points to give, or to take if negative.
    pub points: PointsChange,
    /// Why. The ledger keeps the reason when the customer is erased, so it must not contain personal data.
    pub reason: SingleLine,
}

/// An adjustment, and the balance after it.
#[declare::answer]
pub struct AdjustmentAnswer {
    /// The points that the adjustment gave, or took if negative.
    pub points: Points,
    /// The balance in points after the adjustment. It may be negative.
    pub balance: Points,
}

impl Declared for Adjust {
    const OPERATION: Operation = Operation::new("adjust", "POST", "/orgs/{orgId}/customers/{customerId}/adjustments");
    const TAG: Tag = Tag::BackOffice;
    const SUMMARY: &'static str = "Give or take points";
    const DESCRIPTION: &'static str = "Changes the balance only, which may become negative. The adjustment id, within \
        its customer, is the idempotency key: the same points again return the first answer with `replayed`, and other \
        points are refused.";
    const SUCCESS: &'static [Success] = &[Success::Created, Success::Replayed];
    const REFUSALS: &'static [RefusalCode] = &[
        RefusalCode::UnknownOrg,
        RefusalCode::UnknownCustomer,
        RefusalCode::IdempotencyMismatch,
        RefusalCode::CustomerErased,
        RefusalCode::OutOfRange,
    ];
    const METRICS: &'static [Metric] = &[];

    type Request = AdjustmentRequest;
    type Answer = AdjustmentAnswer;
}

impl MoneyOperation for Adjust {
    fn org(request: &AdjustmentRequest) -> &OrgId {
        &request.org_id
    }

    async fn attempt(
        context: &Context,
        org: &Org,
        request: &AdjustmentRequest,
    ) -> Result<Reply<AdjustmentAnswer>, Failure> {
        let AdjustmentRequest { customer_id, adjustment_id, points, reason, .. } = request;
        let (customer, record) = context.store.customer_and_adjustment(&org.id, customer_id, adjustment_id).await?;
        let customer = customer.ok_or(Rejection::UnknownCustomer)?;

        if let Some(record) = record {
            if record.points == points.get() {
                return Ok(Reply::replayed(answer(&record)));
            }
            return Err(Rejection::IdempotencyMismatch.into());
        }

        customer.value.check_not_erased(None)?;
        context.store.make_room_for_due(org, &customer, context.now).await?;
        let decided =
            adjustment::adjust(&customer.value, org, adjustment_id.clone(), *points, reason.clone(), context.now)?;

        let mut transaction = context.store.transaction(org);
        transaction.replace_customer(&decided.customer, &customer, &decided.entries)?;
        transaction.record_adjustment(customer_id, &decided.adjustment)?;
        transaction.commit().await?;
        Ok(Reply::created(answer(&decided.adjustment)))
    }
}

const fn answer(adjustment: &Adjustment) -> AdjustmentAnswer {
    AdjustmentAnswer { points: adjustment.points, balance: adjustment.balance }
}
