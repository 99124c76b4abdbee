//! Order events of the shop platform. Each bundle of an order is redeemed or voided independently.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use shared::{
    clock::Deadline,
    domain::{
        ids::{BundleId, CustomerId, OrderId, OrgId},
        rejection::{FieldError, RefusalCode, Rejection, RejectionKind},
        time::FutureTolerance,
    },
    failure::Failure,
    host::{Context, Declared, Handler, Reply, Success, Tag},
    inbound::{
        CallInfo, Fields,
        fields::{Timestamp, future_errors},
        operation::Operation,
        ordered_bundles::{OrderWithBundles, OrderedBundle, OrderedBundles},
    },
    telemetry::metric::Metric,
};

use crate::{
    redeem::{self, Purchase},
    void,
};

/// Redeems each bundle of an order.
///
/// A bundle that a rule rejects for good is logged and reported in the answer. A bundle that may succeed later, or that
/// is malformed, fails the call after all other bundles were attempted.
pub struct RedeemOrder;

/// A fulfilled order.
#[declare::request]
pub struct FulfilledOrder {
    /// The org.
    pub org_id: OrgId,
    /// The order.
    pub order_id: OrderId,
    /// The customer.
    pub customer_id: CustomerId,
    /// When the order was fulfilled, at most 5 minutes ahead. Absent: now.
    pub fulfilled_at: Option<Timestamp>,
}

/// Voids the bundles that a cancellation names. A cancellation that names no bundle voids all bundles of the order.
pub struct VoidOrder;

/// A cancelled order.
#[declare::request]
pub struct CancelledOrder {
    /// The org.
    pub org_id: OrgId,
    /// The order.
    pub order_id: OrderId,
    /// The customer. Absent: the customer of the recorded order.
    pub customer_id: Option<CustomerId>,
}

/// The outcome of each bundle of an order.
#[declare::answer]
pub struct OrderBundlesAnswer {
    /// The outcomes, in the order of the event.
    pub bundles: Vec<BundleOutcome>,
}

/// The outcome of a bundle.
#[declare::answer]
pub struct BundleOutcome {
    /// The bundle.
    pub bundle_id: BundleId,
    /// Whether the order has redeemed the bundle.
    pub redeemed: Option<bool>,
    /// Whether a redemption was voided.
    pub voided: Option<bool>,
    /// Whether an earlier call had the same outcome.
    pub replayed: Option<bool>,
    /// The code of the refusal.
    pub code: Option<RefusalCode>,
}

impl BundleOutcome {
    const fn new(bundle_id: BundleId) -> Self {
        Self { bundle_id, redeemed: None, voided: None, replayed: None, code: None }
    }
}

impl Declared for RedeemOrder {
    const OPERATION: Operation = Operation::event_only("redeemOrder", "OrderFulfilled");
    const TAG: Tag = Tag::Orders;
    const SUMMARY: &'static str = "Redeem the bundles of an order";
    const DESCRIPTION: &'static str = "Each bundle of the order is redeemed by itself. A bundle that a rule rejects is \
        reported with its code and does not affect the others.";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] =
        &[RefusalCode::UnknownOrg, RefusalCode::BundleNotFound, RefusalCode::UnknownCustomer];
    const METRICS: &'static [Metric] = &[Metric::Redemptions, Metric::RedemptionsRefused];

    type Request = OrderWithBundles<FulfilledOrder>;
    type Answer = OrderBundlesAnswer;

    fn check(fields: &Fields, now: DateTime<Utc>, _: CallInfo) -> Vec<FieldError> {
        future_errors(fields, "fulfilledAt", now, FutureTolerance::FiveMinutes)
    }
}

impl Handler for RedeemOrder {
    async fn handle(context: &Context, request: Self::Request) -> Result<Reply<OrderBundlesAnswer>, Failure> {
        let OrderWithBundles { order, bundles: OrderedBundles { named, faults } } = request;
        let FulfilledOrder { org_id, order_id: order, customer_id: customer, fulfilled_at } = order;
        let fulfilled_at = fulfilled_at.map_or(context.now, |Timestamp(at)| at);
        let org = context.org(&org_id).await?;
        let mut purchase = Purchase { order, customer, fulfilled_at, savings: None };
        let (mut bundles, mut call_failure) = (Vec::new(), None);
        let ordered = distinct(named.unwrap_or_default());
        for (OrderedBundle { bundle, savings }, remaining) in ordered.iter().cloned().zip((1..=ordered.len()).rev()) {
            purchase.savings = savings;
            let deadline = bundle_deadline(context.deadline, remaining);
            let result = redeem::redeem(context, &org, &bundle, &purchase, deadline).await;
            let outcome = BundleOutcome::new(bundle);
            bundles.push(match result {
                Ok(redeemed) => {
                    let replayed = (!redeemed.is_new).then_some(true);
                    BundleOutcome { redeemed: Some(true), replayed, ..outcome }
                }
                Err(failure) => {
                    let code = rejection_code(&purchase.order, &outcome.bundle_id, failure, &mut call_failure);
                    BundleOutcome { redeemed: Some(false), code, ..outcome }
                }
            });
        }
        order_reply(bundles, call_failure, faults)
    }
}

impl Declared for VoidOrder {
    const OPERATION: Operation = Operation::event_only("voidOrder", "OrderCancelled");
    const TAG: Tag = Tag::Orders;
    const SUMMARY: &'static str = "Void the bundles of an order";
    const DESCRIPTION: &'static str = "Voids the bundles that the cancellation names. A cancellation that names no \
        bundle voids all bundles of the order.";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] = &[RefusalCode::UnknownOrg, RefusalCode::IdempotencyMismatch];
    const METRICS: &'static [Metric] = &[Metric::RedemptionsVoided];

    type Request = OrderWithBundles<CancelledOrder>;
    type Answer = OrderBundlesAnswer;
}

impl Handler for VoidOrder {
    async fn handle(context: &Context, request: Self::Request) -> Result<Reply<OrderBundlesAnswer>, Failure> {
        let OrderWithBundles {
            order: CancelledOrder { org_id, order_id, customer_id },
            bundles: OrderedBundles { named, faults },
        } = request;
        let org = context.org(&org_id).await?;
        let named = distinct(named.unwrap_or_default());
        let is_whole_order = named.is_empty() && faults.is_empty();
        void::begin(context, &org, &order_id, customer_id.as_ref(), is_whole_order).await?;
        let bundle_ids: Vec<BundleId> = if is_whole_order {
            context.store.bundles_of_order(&org_id, &order_id).await?
        } else {
            named.into_iter().map(|ordered| ordered.bundle).collect()
        };
        let (mut bundles, mut call_failure) = (Vec::new(), None);
        for (bundle, remaining) in bundle_ids.iter().cloned().zip((1..=bundle_ids.len()).rev()) {
            let deadline = bundle_deadline(context.deadline, remaining);
            let result = void::void(context, &org, &bundle, &order_id, deadline).await;
            let outcome = BundleOutcome::new(bundle);
            bundles.push(match result {
                Ok(voided) => {
                    let replayed = (!voided.is_new).then_some(true);
                    BundleOutcome { voided: Some(voided.redemption.is_some()), replayed, ..outcome }
                }
                Err(failure) => {
                    let code = rejection_code(&order_id, &outcome.bundle_id, failure, &mut call_failure);
                    BundleOutcome { voided: Some(false), code, ..outcome }
                }
            });
        }
        order_reply(bundles, call_failure, faults)
    }
}

/// Logs a final rejection and returns its code. Any other failure is kept in `call_failure`, to fail the call.
///
/// A fault of the service replaces a rejection in `call_failure`. Otherwise the call would be counted as rejected.
fn rejection_code(
    order: &OrderId,
    bundle: &BundleId,
    failure: Failure,
    call_failure: &mut Option<Failure>,
) -> Option<RefusalCode> {
    match failure {
        Failure::Rejected(rejection) if rejection.kind() != RejectionKind::NotFound => {
            tracing::info!(%order, %bundle, code = rejection.code(), "refused");
            Some(rejection.refusal())
        }
        failure => {
            if call_failure.as_ref().is_none_or(|kept| matches!(kept, Failure::Rejected(_))) {
                *call_failure = Some(failure);
            }
            None
        }
    }
}

/// Answers with the outcome of every bundle.
///
/// # Errors
///
/// Returns `call_failure` if a bundle may succeed later, and a rejection if a bundle was malformed.
fn order_reply(
    bundles: Vec<BundleOutcome>,
    call_failure: Option<Failure>,
    faults: Vec<FieldError>,
) -> Result<Reply<OrderBundlesAnswer>, Failure> {
    match call_failure {
        Some(failure) => Err(failure),
        None if faults.is_empty() => Ok(Reply::done(OrderBundlesAnswer { bundles })),
        None => Err(Rejection::Invalid(faults.into()).into()),
    }
}

/// Gives the next bundle an equal share of the remaining time, so that no bundle uses up the time of another.
fn bundle_deadline(deadline: Deadline, remaining: usize) -> Deadline {
    deadline.capped(deadline.remaining() / u32::try_from(remaining).unwrap_or(u32::MAX))
}

/// Removes repeated bundles and keeps the first of each, in order.
fn distinct(named: Vec<OrderedBundle>) -> Vec<OrderedBundle> {
    let mut seen = BTreeSet::new();
    named.into_iter().filter(|ordered| seen.insert(ordered.bundle.clone())).collect()
}
