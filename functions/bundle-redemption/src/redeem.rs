//! An order redeems a bundle: load, replay, decide, commit.

use chrono::{DateTime, Utc};
use deserr::Deserr;
use serde::Serialize;
use shared::{
    domain::{
        bundle::redemption::{self, Claim, Counting, Redemption},
        ids::{BundleId, CustomerId, OrderId, OrgId},
        money::Money,
        org::Org,
        rejection::Rejection,
        time,
    },
    event::{Call, fields::Instant},
    failure::{Failure, Retry},
    host::{Context, Reply, settle},
};

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct Request {
    org_id: OrgId,
    bundle_id: BundleId,
    customer_id: CustomerId,
    order_id: OrderId,
    #[deserr(default)]
    fulfilled_at: Option<Instant>,
}

/// Who redeems, and when their order was fulfilled.
pub(crate) struct Purchase {
    pub(crate) order: OrderId,
    pub(crate) customer: CustomerId,
    pub(crate) fulfilled_at: DateTime<Utc>,
}

/// What came of a redemption, and whether it is the first time that this is told.
pub(crate) struct Redeemed {
    pub(crate) redemption: Redemption,
    pub(crate) is_new: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    redemption: View,
    current_redemptions: u64,
    limit_reached: bool,
}

/// A redemption as answered.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct View {
    bundle_id: BundleId,
    customer_id: CustomerId,
    order_id: OrderId,
    #[serde(serialize_with = "time::serialize")]
    redeemed_at: DateTime<Utc>,
    savings: Money,
    #[serde(serialize_with = "time::serialize_option", skip_serializing_if = "Option::is_none")]
    voided_at: Option<DateTime<Utc>>,
}

impl From<Redemption> for View {
    fn from(redemption: Redemption) -> Self {
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

/// When an order was fulfilled: now unless it says otherwise, and hardly ahead of it.
pub(crate) fn fulfilled_at(said: Option<Instant>, now: DateTime<Utc>) -> Result<DateTime<Utc>, Rejection> {
    match said {
        Some(Instant(at)) if at > now + time::MAX_AHEAD => {
            Err(Rejection::invalid("fulfilledAt", "must be at most 24 hours ahead"))
        }
        Some(Instant(at)) => Ok(at),
        None => Ok(now),
    }
}

pub(crate) async fn handle(context: &Context, call: Call) -> Result<Reply, Failure> {
    let Request { org_id, bundle_id, customer_id: customer, order_id: order, fulfilled_at: said } = call.read()?;
    let fulfilled_at = fulfilled_at(said, context.now)?;
    let org = context.org(&org_id).await?;
    let Redeemed { redemption, is_new } =
        redeem(context, &org, &bundle_id, &Purchase { order, customer, fulfilled_at }).await?;
    let (current_redemptions, limit_reached) = (redemption.count, redemption.limit_reached);
    let answer = Answer { redemption: redemption.into(), current_redemptions, limit_reached };
    Ok(if is_new { Reply::created(&answer).measuring("Redemptions", 1) } else { Reply::replayed(&answer) })
}

/// Redeems a bundle for an order, once.
pub(crate) async fn redeem(
    context: &Context,
    org: &Org,
    bundle: &BundleId,
    purchase: &Purchase,
) -> Result<Redeemed, Failure> {
    settle(context.deadline, || attempt(context, org, bundle, purchase)).await
}

async fn attempt(context: &Context, org: &Org, bundle: &BundleId, purchase: &Purchase) -> Result<Redeemed, Failure> {
    let Purchase { order, customer, fulfilled_at } = purchase;
    let story = context.store.redemption_story(&org.id, bundle, customer, order).await?;
    let mark = story.order.as_ref();

    if mark.and_then(|mark| mark.owner.as_ref()).is_some_and(|owner| owner != customer) {
        return Err(Rejection::IdempotencyMismatch.into());
    }
    match story.claim.map(|claim| claim.value) {
        Some(Claim::Redeemed(redemption)) if redemption.voided_at.is_none() => {
            return Ok(Redeemed { redemption, is_new: false });
        }
        Some(Claim::Redeemed(_) | Claim::VoidedBefore) => return Err(Rejection::AlreadyVoided.into()),
        None if mark.is_some_and(|mark| mark.bundles_voided) => return Err(Rejection::AlreadyVoided.into()),
        None => {}
    }
    let current = story.bundle.ok_or(Rejection::BundleNotFound)?;

    let who = (order.clone(), customer.clone());
    let zone = org.profile.timezone;
    let decided = redemption::redeem(&current.value, zone, story.by_customer, who, *fulfilled_at, context.now)?;

    let mut transaction = context.store.transaction(org);
    match decided {
        Counting::Counted(counted) => {
            transaction.redeem(&counted, current.version, mark)?;
            transaction.commit().await?;
            Ok(Redeemed { redemption: counted.redemption, is_new: true })
        }
        Counting::Behind(moved) => {
            transaction.move_bundle(&moved, current.version)?;
            transaction.commit().await?;
            Err(Failure::Retry(Retry::Contended))
        }
    }
}
