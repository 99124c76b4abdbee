//! Redeems a bundle for an order within its limits, in four steps: load, replay, decide, commit.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use shared::{
    clock::Deadline,
    domain::{
        bundle::{
            redemption::{self, BundleRedemption, Fulfilment},
            state::Bundle,
            status::BundleStatus,
            transition::recorded_status_at,
        },
        ids::{BundleId, CustomerId, OrderId, OrgId},
        money::Money,
        org::Org,
        redemption_state::RedemptionState,
        rejection::{FieldError, RefusalCode, Rejection},
        time::FutureTolerance,
    },
    failure::{Failure, Retry, retry_conflicts},
    host::{Context, Declared, Handler, Reply, Success, Tag},
    inbound::{
        CallInfo, Fields,
        fields::{Timestamp, future_errors},
        operation::{Callers, Operation},
    },
    telemetry::metric::Metric,
};

/// Redeems a bundle for an order.
pub struct RedeemBundle;

/// An order that redeems one bundle.
#[declare::request]
pub struct BundleRedemptionRequest {
    /// The org.
    pub org_id: OrgId,
    /// The bundle.
    pub bundle_id: BundleId,
    /// The customer.
    pub customer_id: CustomerId,
    /// The order. An order redeems a bundle once.
    pub order_id: OrderId,
    /// When the order was fulfilled, at most 5 minutes ahead. The bundle must be active then. Absent: now.
    pub fulfilled_at: Option<Timestamp>,
}

/// The codes with which the redemption of one bundle is refused.
pub(crate) const REFUSALS: &[RefusalCode] = &[
    RefusalCode::UnknownOrg,
    RefusalCode::BundleNotFound,
    RefusalCode::BundleDeleted,
    RefusalCode::UnknownCustomer,
    RefusalCode::IdempotencyMismatch,
    RefusalCode::CustomerErased,
    RefusalCode::AlreadyVoided,
    RefusalCode::LimitReached,
    RefusalCode::BundleNotActive,
    RefusalCode::CustomerLimitReached,
    RefusalCode::OutOfRange,
];

/// An order that redeems bundles.
pub(crate) struct Purchase {
    pub(crate) order: OrderId,
    pub(crate) customer: CustomerId,
    pub(crate) fulfilled_at: DateTime<Utc>,
    /// The savings that the order states. Without them, the prices of the bundle determine the savings.
    pub(crate) savings: Option<Money>,
}

/// A redemption. `is_new` is false if an earlier call recorded it.
pub(crate) struct Redeemed {
    pub(crate) redemption: BundleRedemption,
    pub(crate) is_new: bool,
}

/// A redemption, and the counter of its bundle.
#[declare::answer]
pub struct BundleRedemptionAnswer {
    /// The redemption.
    pub redemption: BundleRedemptionView,
    /// The number of redemptions of the bundle as read, plus this one. Other orders may have been counted meanwhile.
    pub current_redemptions: u64,
    /// Whether this redemption reached the limit of the bundle. Exact, however many orders were counted meanwhile.
    pub limit_reached: bool,
}

/// A redemption of a bundle.
#[declare::answer]
pub struct BundleRedemptionView {
    /// The bundle.
    pub bundle_id: BundleId,
    /// The customer.
    pub customer_id: CustomerId,
    /// The order.
    pub order_id: OrderId,
    /// When the redemption was counted.
    pub redeemed_at: DateTime<Utc>,
    /// What the order saved, in the org's currency.
    pub savings: Money,
    /// When the redemption was voided.
    pub voided_at: Option<DateTime<Utc>>,
}

impl From<BundleRedemption> for BundleRedemptionView {
    fn from(redemption: BundleRedemption) -> Self {
        Self {
            bundle_id: redemption.bundle,
            customer_id: redemption.customer,
            order_id: redemption.order,
            redeemed_at: redemption.redeemed_at,
            savings: redemption.savings,
            voided_at: redemption.voided_at,
        }
    }
}

impl Declared for RedeemBundle {
    const OPERATION: Operation = Operation::new("redeem", "POST", "/redemptions").callers(Callers::TILL);
    const TAG: Tag = Tag::Checkout;
    const SUMMARY: &'static str = "Redeem a bundle for an order";
    const DESCRIPTION: &'static str = "Counts the use of a bundle within its limits. The bundle must be active when the \
        order was fulfilled. Order and bundle together are the idempotency key: the same request again returns the first answer \
        with `replayed`.";
    const SUCCESS: &'static [Success] = &[Success::Created, Success::Replayed];
    const REFUSALS: &'static [RefusalCode] = REFUSALS;
    const METRICS: &'static [Metric] = &[Metric::Redemptions, Metric::RedemptionsRefused];

    type Request = BundleRedemptionRequest;
    type Answer = BundleRedemptionAnswer;

    fn check(fields: &Fields, now: DateTime<Utc>, _: CallInfo) -> Vec<FieldError> {
        future_errors(fields, "fulfilledAt", now, FutureTolerance::FiveMinutes)
    }
}

impl Handler for RedeemBundle {
    async fn handle(
        context: &Context,
        request: BundleRedemptionRequest,
    ) -> Result<Reply<BundleRedemptionAnswer>, Failure> {
        let BundleRedemptionRequest { org_id, bundle_id, customer_id: customer, order_id: order, fulfilled_at } =
            request;
        let fulfilled_at = fulfilled_at.map_or(context.now, |Timestamp(at)| at);
        let org = context.org(&org_id).await?;
        let purchase = Purchase { order, customer, fulfilled_at, savings: None };
        let Redeemed { redemption, is_new } = redeem(context, &org, &bundle_id, &purchase, context.deadline).await?;
        let (current_redemptions, limit_reached) = (redemption.count, redemption.limit_reached);
        let answer = BundleRedemptionAnswer { redemption: redemption.into(), current_redemptions, limit_reached };
        Ok(if is_new { Reply::created(answer) } else { Reply::replayed(answer) })
    }
}

/// Redeems a bundle for an order, once.
///
/// Metrics are recorded here, for each bundle, because an order can redeem one bundle and fail with another.
pub(crate) async fn redeem(
    context: &Context,
    org: &Org,
    bundle: &BundleId,
    purchase: &Purchase,
    deadline: Deadline,
) -> Result<Redeemed, Failure> {
    let result = retry_conflicts(deadline, || attempt(context, org, bundle, purchase)).await;
    match &result {
        Ok(redeemed) => context.metric(Metric::Redemptions, redeemed.is_new),
        Err(Failure::Rejected(_)) => context.metric(Metric::RedemptionsRefused, 1_i64),
        // The host counts failed calls.
        Err(Failure::Retry(_) | Failure::Internal(_) | Failure::NotConfigured(_)) => {}
    }
    result
}

async fn attempt(context: &Context, org: &Org, bundle: &BundleId, purchase: &Purchase) -> Result<Redeemed, Failure> {
    let Purchase { order, customer, fulfilled_at, savings } = purchase;
    let loaded = context.store.bundle_redemption_context(&org.id, bundle, customer, order).await?;
    if let Some(replayed) = replay(loaded.state.as_ref().map(|state| &state.value), customer) {
        return replayed;
    }
    let Some(current) = loaded.bundle else { return Err(missing_bundle(context, org, bundle).await?.into()) };
    require_known_customer(context, org, &current.value, customer).await?;
    let header = loaded.order.as_ref();
    if header.and_then(|header| header.owner.as_ref()).is_some_and(|owner| owner != customer) {
        return Err(Rejection::IdempotencyMismatch.into());
    }
    if loaded.state.is_some() || header.is_some_and(|header| header.bundles_voided) {
        return Err(Rejection::AlreadyVoided.into());
    }

    let org = &*org_with_current_zone(context, org, &current.value).await?;
    let decide = |was_active| {
        let fulfilled = Fulfilment { at: *fulfilled_at, now: context.now, was_active, savings: *savings };
        redemption::redeem(&current.value, org.zone(), loaded.by_customer, (order.clone(), customer.clone()), fulfilled)
    };
    let mut decided = decide(false);
    if matches!(decided, Err(Rejection::BundleNotActive { .. }))
        && was_active(context, org, &current.value, *fulfilled_at).await?
    {
        decided = decide(true);
    }
    if let Err(Rejection::LimitReached | Rejection::CustomerLimitReached) = decided {
        // The loaded items are not a consistent snapshot. A redemption by this same order may have reached the limit
        // after its state was read.
        let (_, state) = context.store.order_and_bundle_redemption_state(&org.id, bundle, order).await?;
        if let Some(replayed) = replay(state.as_ref().map(|state| &state.value), customer) {
            return replayed;
        }
    }

    let mut transaction = context.store.transaction(org);
    match decided? {
        redemption::Redeem::Apply(usage) => {
            transaction.record_bundle_redemption(&usage, &current, header)?;
            transaction.commit().await?;
            Ok(Redeemed { redemption: usage.redemption, is_new: true })
        }
        redemption::Redeem::CatchUpFirst(update) => {
            transaction.record_status(&update, &current)?;
            transaction.commit().await?;
            Err(Failure::Retry(Retry::Contended))
        }
    }
}

/// Returns the result for an order that has redeemed the bundle already, or `None` for an order that has not.
///
/// The same customer gets the recorded redemption. Another customer, or a voided redemption, is rejected.
fn replay(
    state: Option<&RedemptionState<BundleRedemption>>,
    customer: &CustomerId,
) -> Option<Result<Redeemed, Failure>> {
    let RedemptionState::Redeemed(redemption) = state? else { return None };
    if redemption.customer != *customer {
        return Some(Err(Rejection::IdempotencyMismatch.into()));
    }
    if redemption.voided_at.is_some() {
        return Some(Err(Rejection::AlreadyVoided.into()));
    }
    Some(Ok(Redeemed { redemption: redemption.clone(), is_new: false }))
}

/// Returns the rejection for a missing bundle, which depends on whether the bundle was deleted or never created.
pub(crate) async fn missing_bundle(context: &Context, org: &Org, bundle: &BundleId) -> Result<Rejection, Failure> {
    let was_deleted = context.store.bundle_was_deleted(&org.id, bundle).await?;
    Ok(if was_deleted { Rejection::BundleDeleted } else { Rejection::BundleNotFound })
}

/// Rejects an unknown customer if the bundle is for known customers only.
///
/// The customer is read only for such a bundle, which costs one additional read.
pub(crate) async fn require_known_customer(
    context: &Context,
    org: &Org,
    bundle: &Bundle,
    customer: &CustomerId,
) -> Result<(), Failure> {
    if !bundle.terms.known_customers_only {
        return Ok(());
    }
    let known = context.store.customer(&org.id, customer).await?.ok_or(Rejection::UnknownCustomer)?;
    Ok(known.value.check_not_erased(None)?)
}

/// Whether the bundle was active at an instant, according to its recorded transitions.
///
/// The current terms may give another status for that instant, because an operator can edit them.
async fn was_active(context: &Context, org: &Org, bundle: &Bundle, at: DateTime<Utc>) -> Result<bool, Failure> {
    if !bundle.existed_at(at) {
        return Ok(false);
    }
    let next = context.store.first_transition_after(&org.id, &bundle.id, at).await?;
    Ok(recorded_status_at(bundle, org.zone(), at, next.as_ref()) == BundleStatus::Active)
}

/// Returns the org with the time zone in which to evaluate the bundle.
///
/// If the zones of the org and the bundle differ, the cached org may be outdated, so the org is read from the store.
pub(crate) async fn org_with_current_zone<'a>(
    context: &Context,
    org: &'a Org,
    bundle: &Bundle,
) -> Result<Cow<'a, Org>, Failure> {
    if bundle.recorded.zone == org.profile.timezone {
        return Ok(Cow::Borrowed(org));
    }
    Ok(Cow::Owned(context.org_versioned(&org.id).await?.value))
}
