//! Reads the award of an order.

use chrono::{DateTime, Utc};
use shared::{
    domain::{
        earning::{award::Award, refund::Refund, terms::EarningTerms},
        ids::{CustomerId, OrderId, OrgId, RefundId},
        money::Money,
        points::Points,
        rate::{EquityMultiplier, PointsMultiplier, PointsPerDollar},
        rejection::{RefusalCode, Rejection},
    },
    failure::Failure,
    host::{Context, Declared, Handler, Reply, Success, Tag},
    inbound::operation::{Callers, Operation},
    telemetry::metric::Metric,
    views::EarnRateView,
};

/// Reads an award.
pub struct GetAward;

/// An order with an award.
#[declare::request]
pub struct GetAwardRequest {
    /// The org.
    pub org_id: OrgId,
    /// The order.
    pub order_id: OrderId,
}

/// The award of an order.
#[declare::answer]
pub struct AwardView {
    /// The order.
    pub order_id: OrderId,
    /// The customer of the order.
    pub customer_id: CustomerId,
    /// When the order was fulfilled.
    pub fulfilled_at: DateTime<Utc>,
    /// What the order came to in all, by the newest state. 0 for a cancelled order.
    pub order_total: Money,
    /// The instant of the newest state.
    pub as_of: DateTime<Utc>,
    /// Whether the order is cancelled.
    pub cancelled: bool,
    /// The part of the total that is not refunded.
    pub remaining_total: Money,
    /// The points that the order earned when it was awarded.
    pub points_awarded: Points,
    /// The points that the remaining total earns by the terms.
    pub remaining_points: Points,
    /// The terms of the award, by which refunds and amendments are reckoned too.
    pub terms: TermsView,
    /// When the points can be spent. Absent: at once.
    pub available_at: Option<DateTime<Utc>>,
    /// When the points expire. Absent: never.
    pub expires_at: Option<DateTime<Utc>>,
    /// The refunds, by their ids.
    pub refunds: Vec<RefundView>,
}

/// The rate and the multipliers of an award.
#[declare::answer]
pub struct TermsView {
    /// Points for each unit of currency. With an earn rate, the rate floored to four decimals.
    pub points_per_dollar: PointsPerDollar,
    /// Points for an amount of money.
    pub earn_rate: Option<EarnRateView>,
    /// The equity multiplier. 1 without equity status.
    pub equity_multiplier: EquityMultiplier,
    /// The multiplier of the tier that the customer had before the order.
    pub points_multiplier: PointsMultiplier,
}

/// A refund of an order.
#[declare::answer]
pub struct RefundView {
    /// The refund.
    pub refund_id: RefundId,
    /// The refunded amount, in the org's currency. Absent from full refunds of early releases.
    pub refund_total: Option<Money>,
    /// The points that the refund took back.
    pub points_reversed: Points,
    /// When the refund was voided. Absent if it was not.
    pub voided_at: Option<DateTime<Utc>>,
}

impl From<EarningTerms> for TermsView {
    fn from(EarningTerms { points_per_dollar, earn_rate, equity, tier }: EarningTerms) -> Self {
        Self {
            points_per_dollar,
            earn_rate: earn_rate.map(|rate| EarnRateView { points: rate.points, per: rate.per }),
            equity_multiplier: equity,
            points_multiplier: tier,
        }
    }
}

impl From<Refund> for RefundView {
    fn from(refund: Refund) -> Self {
        Self {
            refund_total: refund.total.or(refund.asked),
            points_reversed: refund.points,
            voided_at: refund.voided.map(|void| void.at),
            refund_id: refund.id,
        }
    }
}

impl AwardView {
    fn new(award: Award, refunds: Vec<Refund>) -> Result<Self, Failure> {
        let remaining_total = award.remaining.unwrap_or(Money::ZERO);
        Ok(Self {
            remaining_total,
            // What an award, an amendment or a void has accepted is in range.
            remaining_points: award
                .terms
                .points_for(remaining_total)
                .map_err(|_| Failure::internal("points out of range"))?,
            order_id: award.order.id,
            customer_id: award.order.customer,
            fulfilled_at: award.order.fulfilled_at,
            order_total: award.state.total,
            as_of: award.state.as_of,
            cancelled: award.state.cancelled,
            points_awarded: award.points,
            terms: award.terms.into(),
            available_at: award.dates.available_at,
            expires_at: award.dates.expires_at,
            refunds: refunds.into_iter().map(RefundView::from).collect(),
        })
    }
}

impl Declared for GetAward {
    const OPERATION: Operation = Operation::new("getAward", "GET", "/awards/{orderId}").callers(Callers::READ);
    const TAG: Tag = Tag::Orders;
    const SUMMARY: &'static str = "Read the award of an order";
    const DESCRIPTION: &'static str = "";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] = &[RefusalCode::UnknownOrg, RefusalCode::UnknownOrder];
    const METRICS: &'static [Metric] = &[];

    type Request = GetAwardRequest;
    type Answer = AwardView;
}

impl Handler for GetAward {
    async fn handle(context: &Context, request: GetAwardRequest) -> Result<Reply<AwardView>, Failure> {
        let GetAwardRequest { org_id, order_id } = request;
        context.org(&org_id).await?;
        let award = context.store.award(&org_id, &order_id).await?.ok_or(Rejection::UnknownOrder)?;
        let refunds = context.store.refunds_of_order(&org_id, &order_id).await?;
        Ok(Reply::done(AwardView::new(award.value, refunds)?))
    }
}
