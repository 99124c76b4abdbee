//! A redemption is given back: load, replay, decide, commit.

use deserr::Deserr;
use serde::Serialize;
use shared::{
    clock::Deadline,
    domain::{
        bundle::redemption::{self, Counting, Redemption},
        claim::Claim,
        ids::{BundleId, CustomerId, OrderId, OrgId},
        org::Org,
        rejection::Rejection,
    },
    event::Call,
    failure::{Failure, Retry},
    host::{Context, Reply, settle},
    store::Versioned,
};

use crate::redeem::{View, judging};

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct Request {
    org_id: OrgId,
    order_id: OrderId,
    bundle_id: BundleId,
}

/// What a void undid, if there was anything to undo, and whether it is the first.
pub(crate) struct Voided {
    pub(crate) redemption: Option<Redemption>,
    pub(crate) is_new: bool,
}

#[derive(Serialize)]
struct Answer {
    voided: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    redemption: Option<View>,
}

pub(crate) async fn handle(context: &Context, call: Call) -> Result<Reply, Failure> {
    let Request { org_id, order_id, bundle_id } = call.read()?;
    let org = context.org(&org_id).await?;
    let Voided { redemption, is_new } = void(context, &org, &bundle_id, &order_id, context.deadline).await?;
    let answer = Answer { voided: redemption.is_some(), redemption: redemption.map(View::from) };
    Ok(if is_new { Reply::ok(&answer) } else { Reply::replayed(&answer) })
}

/// Gives an order's redemption of a bundle back, once; or marks that it is not to be made any more.
pub(crate) async fn void(
    context: &Context,
    org: &Org,
    bundle: &BundleId,
    order: &OrderId,
    deadline: Deadline,
) -> Result<Voided, Failure> {
    let voided = settle(deadline, || attempt(context, org, bundle, order)).await?;
    context.count("RedemptionsVoided", i64::from(voided.is_new && voided.redemption.is_some()));
    Ok(voided)
}

async fn attempt(context: &Context, org: &Org, bundle: &BundleId, order: &OrderId) -> Result<Voided, Failure> {
    let (mark, claim) = context.store.claim(&org.id, bundle, order).await?;
    let (redemption, claim) = match &claim {
        Some(Versioned { value: Claim::Redeemed(redemption), .. }) if redemption.voided_at.is_some() => {
            return Ok(Voided { redemption: Some(redemption.clone()), is_new: false });
        }
        Some(Versioned { value: Claim::VoidedBefore, .. }) => return Ok(Voided { redemption: None, is_new: false }),
        None => {
            let mut transaction = context.store.transaction(org);
            transaction.mark_void(bundle, order, mark.is_some())?;
            transaction.commit().await?;
            return Ok(Voided { redemption: None, is_new: true });
        }
        Some(claim @ Versioned { value: Claim::Redeemed(redemption), .. }) => (redemption.clone(), claim),
    };

    // What the count is by is only known from the record.
    let (current, by_customer) = context.store.bundle_and_count(&org.id, bundle, &redemption.customer).await?;
    let current = current.ok_or_else(|| Failure::Bug(format!("bundle {bundle} is gone, and was redeemed")))?;
    let org = &*judging(context, org, &current.value).await?;
    let decided = redemption::void(&current.value, org.zone(), by_customer, redemption, context.now);
    let mut transaction = context.store.transaction(org);
    // The counters may be from before the redemption was counted or from after it was voided.
    match decided.ok_or(Failure::Retry(Retry::Contended))? {
        Counting::Counted(counted) => {
            transaction.void_redemption(&counted, &current, claim)?;
            transaction.commit().await?;
            Ok(Voided { redemption: Some(counted.redemption), is_new: true })
        }
        Counting::Behind(moved) => {
            transaction.move_bundle(&moved, &current)?;
            transaction.commit().await?;
            Err(Failure::Retry(Retry::Contended))
        }
    }
}

/// Begins the cancellation of an order. A customer who is named must be the order's own. Where the order is cancelled `whole`,
/// this marks that it redeems no bundle any more. The mark of an order that is not on record names no customer: the first
/// award or redemption decides whose the order is.
pub(crate) async fn begin(
    context: &Context,
    org: &Org,
    order: &OrderId,
    customer: Option<&CustomerId>,
    whole: bool,
) -> Result<(), Failure> {
    settle(context.deadline, || async {
        let mark = context.store.order_mark(&org.id, order).await?.unwrap_or_default();
        if mark.owner.as_ref().zip(customer).is_some_and(|(owner, customer)| owner != customer) {
            return Err(Rejection::IdempotencyMismatch.into());
        }
        if whole && !mark.bundles_voided {
            let mut transaction = context.store.transaction(org);
            transaction.void_order(order, mark.owner.as_ref())?;
            transaction.commit().await?;
        }
        Ok(())
    })
    .await
}
