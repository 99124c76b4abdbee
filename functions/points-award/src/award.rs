//! Awards points for a fulfilled order, in four steps: load, replay, decide, commit.

use chrono::{DateTime, Utc};
use shared::{
    domain::{
        earning::{
            award::{self, Award, Order},
            order_state::{Amendment, OrderState},
        },
        ids::{CustomerId, OrderId, OrgId},
        loyalty::LoyaltySettings,
        money::{Currency, Money},
        org::Org,
        points::Points,
        rate::EquityMultiplier,
        recalculation::{TierDirection, direction_of},
        rejection::{FieldError, RefusalCode, Rejection},
        time::FutureTolerance,
    },
    failure::Failure,
    host::{Context, Declared, MoneyOperation, Reply, Success, Tag},
    inbound::{
        CallInfo, Fields,
        fields::{Timestamp, future_errors, single_field},
        operation::Operation,
        ordered_bundles::OrderedBundles,
        profile::NewCustomer,
    },
    store::AwardContext,
    telemetry::metric::Metric,
};

use crate::{account::AccountSummary, amend::amend, enrolment};

/// Awards points for an order.
pub struct AwardOrder;

/// A fulfilled order.
#[declare::request]
pub struct AwardRequest {
    /// The org.
    pub org_id: OrgId,
    /// The customer.
    pub customer_id: CustomerId,
    /// The order. An order is awarded once.
    pub order_id: OrderId,
    /// What the customer paid in money, in the org's currency. The value of redeemed points is not part of it.
    pub order_total: Money,
    /// Whether the order earns with the equity multiplier. `false` does not cancel the customer's `true`. Absent:
    /// false.
    pub equity_status: Option<bool>,
    /// When the order was fulfilled, at most 24 hours ahead. Absent: now.
    pub fulfilled_at: Option<Timestamp>,
    /// Whether another total than the recorded one amends the order instead of being refused. Goes with `asOf`.
    #[declare(default)]
    pub amends: bool,
    /// The instant of this state of the order, at most 24 hours ahead. Absent: `fulfilledAt`. A state that is not newer than
    /// the recorded one changes nothing.
    pub as_of: Option<Timestamp>,
    /// The currency of the order, which must be the org's.
    pub currency: Option<Currency>,
    /// The profile of a customer whom the order enrols. It has no effect on a known customer. Absent: an empty profile.
    pub customer: Option<NewCustomer>,
}

/// The points of an order, and the account of the customer after the award.
#[declare::answer]
pub struct AwardAnswer {
    /// The points that the order earned. Of a request that amends the order: the change of points, negative if the order
    /// earns fewer than before.
    pub points_awarded: Points,
    /// When the points can be spent. Absent: at once.
    pub available_at: Option<DateTime<Utc>>,
    /// When the points expire. Absent: never.
    pub expires_at: Option<DateTime<Utc>>,
    /// The account of the customer after the award.
    #[serde(flatten)]
    pub account: AccountSummary,
}

impl Declared for AwardOrder {
    const OPERATION: Operation = Operation::new("award", "POST", "/awards").on_event("OrderFulfilled");
    const TAG: Tag = Tag::Orders;
    const SUMMARY: &'static str = "Award points for an order";
    const DESCRIPTION: &'static str = "Adds the points that the order earns, the lifetime value and the order to the \
        customer, and sets the tier. The order id is the idempotency key: the same request again returns the first \
        answer with `replayed`, and another customer, total or equity status is refused. With `amends`, another total \
        amends the order.";
    const SUCCESS: &'static [Success] = &[Success::Created, Success::Done, Success::Replayed];
    const REFUSALS: &'static [RefusalCode] = &[
        RefusalCode::UnknownOrg,
        RefusalCode::UnknownCustomer,
        RefusalCode::IdempotencyMismatch,
        RefusalCode::OtherCurrency,
        RefusalCode::CustomerErased,
        RefusalCode::LoyaltyDisabled,
        RefusalCode::LoyaltyNotSet,
        RefusalCode::RefundExceedsOrder,
        RefusalCode::OutOfRange,
    ];
    const METRICS: &'static [Metric] = &[
        Metric::ContactsLeftOut,
        Metric::CustomersEnrolled,
        Metric::PointsAwarded,
        Metric::PointsAwardedWithEquity,
        Metric::PointsReversed,
        Metric::Promotions,
    ];

    type Request = AwardRequest;
    type Answer = AwardAnswer;

    fn check(fields: &Fields, now: DateTime<Utc>, call: CallInfo) -> Vec<FieldError> {
        let mut faults = future_errors(fields, "fulfilledAt", now, FutureTolerance::Day);
        faults.extend(future_errors(fields, "asOf", now, FutureTolerance::Day));
        let lacks_instant = single_field::<bool>(fields, "amends") == Some(true) && !fields.is_set("asOf");
        faults.extend(lacks_instant.then(|| FieldError::new("amends", "goes with an asOf")));
        if call.is_event {
            // Every consumer rejects an order event with malformed bundles, although awards do not depend on bundles.
            faults.extend(OrderedBundles::field_errors(fields));
        } else {
            faults.extend(single_field::<NewCustomer>(fields, "customer").into_iter().flat_map(|new| new.faults()));
        }
        faults
    }
}

impl MoneyOperation for AwardOrder {
    fn org(request: &AwardRequest) -> &OrgId {
        &request.org_id
    }

    fn amounts(request: &AwardRequest) -> Vec<(&'static str, Option<Money>)> {
        vec![("orderTotal", Some(request.order_total))]
    }

    async fn attempt(context: &Context, org: &Org, request: &AwardRequest) -> Result<Reply<AwardAnswer>, Failure> {
        let AwardRequest { customer_id, order_id, .. } = request;
        let order = Order {
            id: order_id.clone(),
            customer: customer_id.clone(),
            total: request.order_total,
            equity_status: request.equity_status.unwrap_or(false),
            fulfilled_at: request.fulfilled_at.map_or(context.now, |Timestamp(at)| at),
        };
        let as_of = request.as_of.map_or(order.fulfilled_at, |Timestamp(at)| at);
        let state = OrderState::placed(order.total, as_of);
        award(context, org, request, (&order, state)).await
    }
}

async fn award(
    context: &Context,
    org: &Org,
    request: &AwardRequest,
    (order, state): (&Order, OrderState),
) -> Result<Reply<AwardAnswer>, Failure> {
    let currency = request.currency.as_ref();
    let AwardContext { customer, order: header, award } =
        context.store.award_context(&org.id, &order.customer, &order.id).await?;
    if customer.is_none() && !enrolment::enrols(org) {
        return Err(Rejection::UnknownCustomer.into());
    }

    if let Some(award) = award {
        let amends = request.amends && award::is_same_order(order, &award.value);
        if let Some(customer) = customer.as_ref().filter(|_| amends) {
            let amended = amend(context, org, (customer, &award), state, currency).await?;
            return Ok(amended.map(|award| answer_of_newest(&award)));
        }
        if award::is_repeat(order, &award.value) {
            return Ok(Reply::replayed(answer(&award.value)));
        }
        return Err(Rejection::IdempotencyMismatch.into());
    }
    if header.as_ref().and_then(|header| header.owner.as_ref()).is_some_and(|owner| *owner != order.customer) {
        return Err(Rejection::IdempotencyMismatch.into());
    }

    org.check_currency(currency)?;
    customer.as_ref().map_or(Ok(()), |customer| customer.value.check_not_erased(Some(order.fulfilled_at)))?;
    let loyalty = org.loyalty_in_force()?;
    // A newer state may have come first, in which the order was cancelled.
    let cancelled = header.as_ref().and_then(|header| header.cancelled_as_of).map(OrderState::cancelled);
    let state = cancelled.filter(|cancelled| cancelled.supersedes(&state)).unwrap_or(state);
    let rules = (loyalty, org.profile.timezone);
    let (mut transaction, mut enrolled) = (context.store.transaction(org), None);
    let decided = if let Some(customer) = &customer {
        context.store.make_room_for_due(org, customer, context.now).await?;
        let decided = award::award(&customer.value, rules, order.clone(), state, context.now)?;
        transaction.replace_customer(&decided.customer, customer, &decided.entries)?;
        decided
    } else {
        let plan = enrolment::plan(context, org, &order.customer, request.customer.as_ref()).await?;
        let decided = award::award(&plan.customer, rules, order.clone(), state, context.now)?;
        transaction.enrol_customer(&decided.customer, &decided.entries)?;
        plan.writes.add_to(&mut transaction, &order.customer)?;
        enrolled = Some(plan);
        decided
    };
    transaction.record_award(&decided.award)?;
    transaction.record_order_of_award(&order.id, &order.customer, header.as_ref())?;
    transaction.commit().await?;
    if let Some(plan) = enrolled {
        plan.record(context, org);
    }
    record_metrics(context, &loyalty.settings, &decided.award);
    Ok(Reply::created(answer(&decided.award)))
}

fn record_metrics(context: &Context, settings: &LoyaltySettings, award: &Award) {
    let Award { points, terms, outcome, .. } = award;
    context.metric(Metric::PointsAwarded, points.0);
    if terms.equity != EquityMultiplier::NONE {
        context.metric(Metric::PointsAwardedWithEquity, points.0);
    }
    let is_promotion = |change| direction_of(settings, change) == TierDirection::Promotion;
    if outcome.tier_change.as_ref().is_some_and(is_promotion) {
        context.metric(Metric::Promotions, 1_i64);
    }
}

fn answer(award: &Award) -> AwardAnswer {
    AwardAnswer {
        points_awarded: award.points,
        available_at: award.dates.available_at,
        expires_at: award.dates.expires_at,
        account: (&award.outcome).into(),
    }
}

/// The answer of the last amendment, or of the award if there was none.
fn answer_of_newest(award: &Award) -> AwardAnswer {
    match &award.amendment {
        None => answer(award),
        Some(Amendment { points, outcome }) => {
            AwardAnswer { points_awarded: *points, account: outcome.into(), ..answer(award) }
        }
    }
}
