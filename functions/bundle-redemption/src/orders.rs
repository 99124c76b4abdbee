//! Order events of the shop platform. Each bundle of an order is redeemed or voided independently.

use std::collections::BTreeSet;

use deserr::Deserr;
use serde::Serialize;
use shared::{
    clock::Deadline,
    domain::{
        ids::{BundleId, CustomerId, OrderId, OrgId},
        rejection::{FieldError, Rejection, RejectionKind},
        time::FutureTolerance,
    },
    failure::Failure,
    host::{Context, Reply},
    inbound::{
        Call, Fields,
        fields::{FieldErrors, FromFields, Timestamp, fulfilled_at_errors},
        ordered_bundles::{OrderedBundle, OrderedBundles},
    },
};

use crate::{
    redeem::{self, Purchase},
    void,
};

/// An order with its valid bundles, and the field errors of its malformed bundles.
struct OrderWithBundles<T> {
    order: T,
    bundles: OrderedBundles,
}

impl<T: Deserr<FieldErrors>> FromFields for OrderWithBundles<T> {
    fn read(fields: &Fields) -> Result<Self, FieldErrors> {
        let mut fields = fields.clone();
        let bundles = OrderedBundles::take(&mut fields);
        match T::read(&fields) {
            Ok(order) => Ok(Self { order, bundles }),
            Err(errors) => Err(errors.append(bundles.faults)),
        }
    }
}

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct FulfilledOrder {
    org_id: OrgId,
    order_id: OrderId,
    customer_id: CustomerId,
    #[deserr(default)]
    fulfilled_at: Option<Timestamp>,
}

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct CancelledOrder {
    org_id: OrgId,
    order_id: OrderId,
    /// Without this field, the customer of the recorded order applies.
    #[deserr(default)]
    customer_id: Option<CustomerId>,
}

/// The outcome of each bundle of an order.
#[derive(Serialize)]
struct OrderBundlesAnswer {
    bundles: Vec<BundleOutcome>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BundleOutcome {
    bundle_id: BundleId,
    #[serde(skip_serializing_if = "Option::is_none")]
    redeemed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    voided: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replayed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
}

impl BundleOutcome {
    const fn new(bundle_id: BundleId) -> Self {
        Self { bundle_id, redeemed: None, voided: None, replayed: None, code: None }
    }
}

/// Redeems each bundle of an order.
///
/// A bundle that a rule rejects for good is logged and reported in the answer. A bundle that may succeed later, or that
/// is malformed, fails the call after all other bundles were attempted.
pub(crate) async fn redeem(context: &Context, call: Call) -> Result<Reply, Failure> {
    let now = context.now;
    let OrderWithBundles { order, bundles: OrderedBundles { named, faults } } = call
        .read_with::<OrderWithBundles<FulfilledOrder>>(|fields| {
            fulfilled_at_errors(fields, now, FutureTolerance::FiveMinutes)
        })?;
    let FulfilledOrder { org_id, order_id: order, customer_id: customer, fulfilled_at } = order;
    let fulfilled_at = fulfilled_at.map_or(now, |Timestamp(at)| at);
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

/// Voids the bundles that a cancellation names. A cancellation that names no bundle voids all bundles of the order.
pub(crate) async fn void(context: &Context, call: Call) -> Result<Reply, Failure> {
    let OrderWithBundles {
        order: CancelledOrder { org_id, order_id, customer_id },
        bundles: OrderedBundles { named, faults },
    } = call.read()?;
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

/// Logs a final rejection and returns its code. Any other failure is kept in `call_failure`, to fail the call.
///
/// A fault of the service replaces a rejection in `call_failure`. Otherwise the call would be counted as rejected.
fn rejection_code(
    order: &OrderId,
    bundle: &BundleId,
    failure: Failure,
    call_failure: &mut Option<Failure>,
) -> Option<&'static str> {
    match failure {
        Failure::Rejected(rejection) if rejection.kind() != RejectionKind::NotFound => {
            let code = rejection.code();
            tracing::info!(%order, %bundle, code, "refused");
            Some(code)
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
) -> Result<Reply, Failure> {
    match call_failure {
        Some(failure) => Err(failure),
        None if faults.is_empty() => Ok(Reply::ok(&OrderBundlesAnswer { bundles })),
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
