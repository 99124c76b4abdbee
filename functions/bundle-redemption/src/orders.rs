//! Orders as the shop platform tells of them: each of their bundles is redeemed, or voided, by itself.

use std::collections::BTreeSet;

use deserr::Deserr;
use serde::Serialize;
use shared::{
    clock::Deadline,
    domain::{
        ids::{BundleId, CustomerId, OrderId, OrgId},
        rejection::Kind,
        time::{self, Ahead},
    },
    event::{Call, fields::Instant},
    failure::Failure,
    host::{Context, Reply},
};

use crate::{
    redeem::{self, Purchase},
    void,
};

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct Fulfilled {
    org_id: OrgId,
    order_id: OrderId,
    customer_id: CustomerId,
    #[deserr(default)]
    bundle_ids: Option<Vec<BundleId>>,
    #[deserr(default)]
    fulfilled_at: Option<Instant>,
}

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct Cancelled {
    org_id: OrgId,
    order_id: OrderId,
    /// Left out, it is the order's own.
    #[deserr(default)]
    customer_id: Option<CustomerId>,
    #[deserr(default)]
    bundle_ids: Option<Vec<BundleId>>,
}

/// What came of each bundle of an order.
#[derive(Serialize)]
struct Answer {
    bundles: Vec<Outcome>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
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

impl Outcome {
    const fn of(bundle_id: BundleId) -> Self {
        Self { bundle_id, redeemed: None, voided: None, replayed: None, code: None }
    }
}

/// Redeems each bundle of an order. What a rule refuses is done with; what may succeed later fails the call, when all
/// others have had their turn.
pub(crate) async fn redeem(context: &Context, call: Call) -> Result<Reply, Failure> {
    let Fulfilled { org_id, order_id: order, customer_id: customer, bundle_ids, fulfilled_at: said } = call.read()?;
    let fulfilled_at = time::fulfilled_at(said.map(|Instant(at)| at), context.now, Ahead::Minutes)?;
    let org = context.org(&org_id).await?;
    let purchase = Purchase { order, customer, fulfilled_at };
    let (mut bundles, mut again) = (Vec::new(), None);
    let bundle_ids = distinct(bundle_ids.unwrap_or_default());
    for (bundle, left) in bundle_ids.iter().cloned().zip((1..=bundle_ids.len()).rev()) {
        let done = redeem::redeem(context, &org, &bundle, &purchase, share(context.deadline, left)).await;
        let outcome = Outcome::of(bundle);
        bundles.push(match done {
            Ok(done) => Outcome { redeemed: Some(true), replayed: (!done.is_new).then_some(true), ..outcome },
            Err(failure) => {
                let code = refusal(&purchase.order, &outcome.bundle_id, failure, &mut again);
                Outcome { redeemed: Some(false), code, ..outcome }
            }
        });
    }
    conclude(bundles, again)
}

/// Voids the bundles that a cancellation names, or all of its order's.
pub(crate) async fn void(context: &Context, call: Call) -> Result<Reply, Failure> {
    let Cancelled { org_id, order_id, customer_id, bundle_ids } = call.read()?;
    let org = context.org(&org_id).await?;
    void::begin(context, &org, &order_id, customer_id.as_ref(), bundle_ids.is_none()).await?;
    let bundle_ids = match bundle_ids {
        Some(bundle_ids) => bundle_ids,
        None => context.store.bundles_of_order(&org_id, &order_id).await?,
    };
    let (mut bundles, mut again) = (Vec::new(), None);
    let bundle_ids = distinct(bundle_ids);
    for (bundle, left) in bundle_ids.iter().cloned().zip((1..=bundle_ids.len()).rev()) {
        let done = void::void(context, &org, &bundle, &order_id, share(context.deadline, left)).await;
        let outcome = Outcome::of(bundle);
        bundles.push(match done {
            Ok(done) => {
                let replayed = (!done.is_new).then_some(true);
                Outcome { voided: Some(done.redemption.is_some()), replayed, ..outcome }
            }
            Err(failure) => {
                let code = refusal(&order_id, &outcome.bundle_id, failure, &mut again);
                Outcome { voided: Some(false), code, ..outcome }
            }
        });
    }
    conclude(bundles, again)
}

/// The code of what a rule refuses for good, logged here, where it is done with; anything else is kept to fail the call: what
/// is our fault before what is not known yet, or the call would count as refused.
fn refusal(order: &OrderId, bundle: &BundleId, failure: Failure, again: &mut Option<Failure>) -> Option<&'static str> {
    match failure {
        Failure::Rejected(rejection) if rejection.kind() != Kind::NotFound => {
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

fn conclude(bundles: Vec<Outcome>, again: Option<Failure>) -> Result<Reply, Failure> {
    match again {
        Some(failure) => Err(failure),
        None => Ok(Reply::ok(&Answer { bundles })),
    }
}

/// The time of one of the bundles that are left: none takes that of the others.
fn share(deadline: Deadline, left: usize) -> Deadline {
    deadline.at_most(deadline.left() / u32::try_from(left).unwrap_or(u32::MAX))
}

/// Each once, in the order in which they were first named.
fn distinct(bundles: Vec<BundleId>) -> Vec<BundleId> {
    let mut seen = BTreeSet::new();
    bundles.into_iter().filter(|bundle| seen.insert(bundle.clone())).collect()
}
