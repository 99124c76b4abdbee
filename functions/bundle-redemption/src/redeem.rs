//! Redeems a bundle for an order, in four steps: load, replay, decide, commit.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use deserr::Deserr;
use serde::Serialize;
use shared::{
    clock::Deadline,
    domain::{
        bundle::{
            redemption::{self, BundleRedemption, Fulfilment, Redeem},
            state::Bundle,
            status::BundleStatus,
            transition::recorded_status_at,
        },
        ids::{BundleId, CustomerId, OrderId, OrgId},
        money::Money,
        org::Org,
        redemption_state::RedemptionState,
        rejection::Rejection,
        time::{self, FutureTolerance},
    },
    failure::{Failure, Retry},
    host::{Context, Reply, retry_conflicts},
    inbound::{
        Call,
        fields::{Timestamp, fulfilled_at_errors},
    },
    telemetry::metric::Metric,
};

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct BundleRedemptionRequest {
    org_id: OrgId,
    bundle_id: BundleId,
    customer_id: CustomerId,
    order_id: OrderId,
    #[deserr(default)]
    fulfilled_at: Option<Timestamp>,
}

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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BundleRedemptionAnswer {
    redemption: BundleRedemptionView,
    current_redemptions: u64,
    limit_reached: bool,
}

/// A redemption as answers show it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BundleRedemptionView {
    bundle_id: BundleId,
    customer_id: CustomerId,
    order_id: OrderId,
    #[serde(serialize_with = "time::serialize")]
    redeemed_at: DateTime<Utc>,
    savings: Money,
    #[serde(serialize_with = "time::serialize_option", skip_serializing_if = "Option::is_none")]
    voided_at: Option<DateTime<Utc>>,
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

pub(crate) async fn handle(context: &Context, call: Call) -> Result<Reply, Failure> {
    let now = context.now;
    let request: BundleRedemptionRequest =
        call.read_with(|fields| fulfilled_at_errors(fields, now, FutureTolerance::FiveMinutes))?;
    let BundleRedemptionRequest { org_id, bundle_id, customer_id: customer, order_id: order, fulfilled_at } = request;
    let fulfilled_at = fulfilled_at.map_or(now, |Timestamp(at)| at);
    let org = context.org(&org_id).await?;
    let purchase = Purchase { order, customer, fulfilled_at, savings: None };
    let Redeemed { redemption, is_new } = redeem(context, &org, &bundle_id, &purchase, context.deadline).await?;
    let (current_redemptions, limit_reached) = (redemption.count, redemption.limit_reached);
    let answer = BundleRedemptionAnswer { redemption: redemption.into(), current_redemptions, limit_reached };
    Ok(if is_new { Reply::created(&answer) } else { Reply::replayed(&answer) })
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
        Redeem::Apply(usage) => {
            transaction.record_bundle_redemption(&usage, &current, header)?;
            transaction.commit().await?;
            Ok(Redeemed { redemption: usage.redemption, is_new: true })
        }
        Redeem::CatchUpFirst(update) => {
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
    if bundle.terms.known_customers_only && context.store.customer(&org.id, customer).await?.is_none() {
        return Err(Rejection::UnknownCustomer.into());
    }
    Ok(())
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
