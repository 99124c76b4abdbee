//! Voids a redemption, in four steps: load, replay, decide, commit.

use shared::{
    clock::Deadline,
    domain::{
        bundle::redemption::{self, BundleRedemption},
        ids::{BundleId, CustomerId, OrderId, OrgId},
        org::Org,
        redemption_state::RedemptionState,
        rejection::{RefusalCode, Rejection},
    },
    failure::{Failure, Retry, retry_conflicts},
    host::{Context, Declared, Handler, Reply, Success, Tag},
    inbound::operation::{Callers, Operation},
    store::Versioned,
    telemetry::metric::Metric,
};

use crate::redeem::{BundleRedemptionView, org_with_current_zone};

/// Voids the redemption of a bundle.
pub struct VoidBundleRedemption;

/// An order whose redemption of a bundle is voided.
#[declare::request]
pub struct BundleVoidRequest {
    /// The org.
    pub org_id: OrgId,
    /// The order.
    pub order_id: OrderId,
    /// The bundle.
    pub bundle_id: BundleId,
}

/// The result of a void. `redemption` is absent if the order had not redeemed the bundle.
pub(crate) struct Voided {
    pub(crate) redemption: Option<BundleRedemption>,
    /// False if an earlier call recorded the void.
    pub(crate) is_new: bool,
}

/// The redemption that was voided. Without a redemption to void, only `voided` is present.
#[declare::answer]
pub struct BundleVoidAnswer {
    /// Whether there was a redemption to void.
    pub voided: bool,
    /// The redemption.
    pub redemption: Option<BundleRedemptionView>,
}

impl Declared for VoidBundleRedemption {
    const OPERATION: Operation = Operation::new("void", "DELETE", "/redemptions/{orderId}").callers(Callers::TILL);
    const TAG: Tag = Tag::Checkout;
    const SUMMARY: &'static str = "Void the redemption of a bundle";
    const DESCRIPTION: &'static str = "Gives the use of a bundle back, once. The void of an order without a redemption \
        blocks a later one.";
    const SUCCESS: &'static [Success] = &[Success::Done, Success::Replayed];
    const REFUSALS: &'static [RefusalCode] = &[RefusalCode::UnknownOrg];
    const METRICS: &'static [Metric] = &[Metric::RedemptionsVoided];

    type Request = BundleVoidRequest;
    type Answer = BundleVoidAnswer;
}

impl Handler for VoidBundleRedemption {
    async fn handle(context: &Context, request: BundleVoidRequest) -> Result<Reply<BundleVoidAnswer>, Failure> {
        let BundleVoidRequest { org_id, order_id, bundle_id } = request;
        let org = context.org(&org_id).await?;
        let Voided { redemption, is_new } = void(context, &org, &bundle_id, &order_id, context.deadline).await?;
        let answer =
            BundleVoidAnswer { voided: redemption.is_some(), redemption: redemption.map(BundleRedemptionView::from) };
        Ok(if is_new { Reply::done(answer) } else { Reply::replayed(answer) })
    }
}

/// Voids an order's redemption of a bundle, once.
///
/// If the order has not redeemed the bundle, the void blocks a later redemption.
pub(crate) async fn void(
    context: &Context,
    org: &Org,
    bundle: &BundleId,
    order: &OrderId,
    deadline: Deadline,
) -> Result<Voided, Failure> {
    let voided = retry_conflicts(deadline, || attempt(context, org, bundle, order)).await?;
    context.metric(Metric::RedemptionsVoided, voided.is_new && voided.redemption.is_some());
    Ok(voided)
}

async fn attempt(context: &Context, org: &Org, bundle: &BundleId, order: &OrderId) -> Result<Voided, Failure> {
    let (header, state) = context.store.order_and_bundle_redemption_state(&org.id, bundle, order).await?;
    let (redemption, state) = match &state {
        Some(Versioned { value: RedemptionState::Redeemed(redemption), .. }) if redemption.voided_at.is_some() => {
            return Ok(Voided { redemption: Some(redemption.clone()), is_new: false });
        }
        Some(Versioned { value: RedemptionState::VoidedBefore, .. }) => {
            return Ok(Voided { redemption: None, is_new: false });
        }
        None => {
            let mut transaction = context.store.transaction(org);
            transaction.block_bundle_redemption(bundle, order, header.is_some())?;
            transaction.commit().await?;
            return Ok(Voided { redemption: None, is_new: true });
        }
        Some(state @ Versioned { value: RedemptionState::Redeemed(redemption), .. }) => (redemption.clone(), state),
    };

    // Only the recorded redemption names the customer, so the customer's count is a second read.
    let (current, by_customer) = context.store.bundle_and_customer_count(&org.id, bundle, &redemption.customer).await?;
    let current =
        current.ok_or_else(|| Failure::internal(format!("bundle {bundle} was redeemed and does not exist")))?;
    let org = &*org_with_current_zone(context, org, &current.value).await?;
    let decided = redemption::void(&current.value, org.zone(), by_customer, redemption, context.now);
    let mut transaction = context.store.transaction(org);
    // No decision means that the counters do not match the redemption. They were read before the redemption was counted
    // or after another call voided it.
    match decided.ok_or(Failure::Retry(Retry::Contended))? {
        redemption::Redeem::Apply(usage) => {
            transaction.record_bundle_void(&usage, &current, state)?;
            transaction.commit().await?;
            Ok(Voided { redemption: Some(usage.redemption), is_new: true })
        }
        redemption::Redeem::CatchUpFirst(update) => {
            transaction.record_status(&update, &current)?;
            transaction.commit().await?;
            Err(Failure::Retry(Retry::Contended))
        }
    }
}

/// Begins the cancellation of an order. For a `whole` order, later redemptions of any bundle are blocked.
///
/// The block on an unknown order records no customer. The first award or redemption sets its customer.
///
/// # Errors
///
/// Rejects a `customer` that is not the customer of the order.
pub(crate) async fn begin(
    context: &Context,
    org: &Org,
    order: &OrderId,
    customer: Option<&CustomerId>,
    whole: bool,
) -> Result<(), Failure> {
    retry_conflicts(context.deadline, || async {
        let header = context.store.order_header(&org.id, order).await?.unwrap_or_default();
        if header.owner.as_ref().zip(customer).is_some_and(|(owner, customer)| owner != customer) {
            return Err(Rejection::IdempotencyMismatch.into());
        }
        if whole && !header.bundles_voided {
            let mut transaction = context.store.transaction(org);
            transaction.block_bundle_redemptions(order, header.owner.as_ref())?;
            transaction.commit().await?;
        }
        Ok(())
    })
    .await
}
