//! Orders as the shop platform tells of them: each of their bundles is redeemed, or voided, by itself.

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

/// An order, and its bundles: those named rightly, and what is wrong with the others.
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
    /// Left out, it is the order's own.
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
    const fn of(bundle_id: BundleId) -> Self {
        Self { bundle_id, redeemed: None, voided: None, replayed: None, code: None }
    }
}

/// Redeems each bundle of an order. A bundle that a rule refuses is logged. A bundle that may succeed later, or is named
/// wrongly, fails the call after all others were tried.
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
    let (mut bundles, mut again) = (Vec::new(), None);
    let named = distinct(named.unwrap_or_default());
    for (OrderedBundle { bundle, savings }, left) in named.iter().cloned().zip((1..=named.len()).rev()) {
        purchase.savings = savings;
        let done = redeem::redeem(context, &org, &bundle, &purchase, share(context.deadline, left)).await;
        let outcome = BundleOutcome::of(bundle);
        bundles.push(match done {
            Ok(done) => BundleOutcome { redeemed: Some(true), replayed: (!done.is_new).then_some(true), ..outcome },
            Err(failure) => {
                let code = refusal(&purchase.order, &outcome.bundle_id, failure, &mut again);
                BundleOutcome { redeemed: Some(false), code, ..outcome }
            }
        });
    }
    conclude(bundles, again, faults)
}

/// Voids the bundles that a cancellation names, or all of its order's where it names none.
pub(crate) async fn void(context: &Context, call: Call) -> Result<Reply, Failure> {
    let OrderWithBundles {
        order: CancelledOrder { org_id, order_id, customer_id },
        bundles: OrderedBundles { named, faults },
    } = call.read()?;
    let org = context.org(&org_id).await?;
    let named = distinct(named.unwrap_or_default());
    let of_all = named.is_empty() && faults.is_empty();
    void::begin(context, &org, &order_id, customer_id.as_ref(), of_all).await?;
    let voided: Vec<BundleId> = if of_all {
        context.store.bundles_of_order(&org_id, &order_id).await?
    } else {
        named.into_iter().map(|ordered| ordered.bundle).collect()
    };
    let (mut bundles, mut again) = (Vec::new(), None);
    for (bundle, left) in voided.iter().cloned().zip((1..=voided.len()).rev()) {
        let done = void::void(context, &org, &bundle, &order_id, share(context.deadline, left)).await;
        let outcome = BundleOutcome::of(bundle);
        bundles.push(match done {
            Ok(done) => {
                let replayed = (!done.is_new).then_some(true);
                BundleOutcome { voided: Some(done.redemption.is_some()), replayed, ..outcome }
            }
            Err(failure) => {
                let code = refusal(&order_id, &outcome.bundle_id, failure, &mut again);
                BundleOutcome { voided: Some(false), code, ..outcome }
            }
        });
    }
    conclude(bundles, again, faults)
}

/// The code of what a rule refuses for good, logged here, where it is done with; anything else is kept to fail the call: what
/// is our fault before what is not known yet, or the call would count as refused.
fn refusal(order: &OrderId, bundle: &BundleId, failure: Failure, again: &mut Option<Failure>) -> Option<&'static str> {
    match failure {
        Failure::Rejected(rejection) if rejection.kind() != RejectionKind::NotFound => {
            let code = rejection.code();
            tracing::info!(%order, %bundle, code, "refused");
            Some(code)
        }
        failure => {
            if again.as_ref().is_none_or(|again| matches!(again, Failure::Rejected(_))) {
                *again = Some(failure);
            }
            None
        }
    }
}

/// The answer, unless something of the order is left: a bundle that may succeed later, or one that is named wrongly.
fn conclude(bundles: Vec<BundleOutcome>, again: Option<Failure>, faults: Vec<FieldError>) -> Result<Reply, Failure> {
    match again {
        Some(failure) => Err(failure),
        None if faults.is_empty() => Ok(Reply::ok(&OrderBundlesAnswer { bundles })),
        None => Err(Rejection::Invalid(faults.into()).into()),
    }
}

/// The time of one of the bundles that are left: none takes that of the others.
fn share(deadline: Deadline, left: usize) -> Deadline {
    deadline.capped(deadline.remaining() / u32::try_from(left).unwrap_or(u32::MAX))
}

/// Each once, in the order in which they were first named.
fn distinct(named: Vec<OrderedBundle>) -> Vec<OrderedBundle> {
    let mut seen = BTreeSet::new();
    named.into_iter().filter(|ordered| seen.insert(ordered.bundle.clone())).collect()
}
