//! Redemptions of bundles, and their voids.
//!
//! The schedule is evaluated at the instant when the order was fulfilled, the limits at commit. If the current terms
//! reject an order, the recorded status changes decide. An order that was fulfilled while the bundle was active is
//! accepted, even if the bundle has changed since.
//!
//! Counters change by one under a condition, so orders for the same bundle do not wait for each other. Only the
//! redemption that takes the last unit, and a void that gives it back, also change the status.

use chrono::{DateTime, Utc};

use super::{
    state::{Bundle, Usage},
    status::BundleStatus,
    terms::{DesiredState, UseLimit},
    timeline::status_at,
    transition::{StatusUpdate, TransitionReason, bring_up_to_date, replace_usage},
};
use crate::domain::{
    ids::{BundleId, CustomerId, OrderId},
    money::Money,
    rejection::Rejection,
    zone::{Zone, ZoneInForce},
};

/// The permanent record of a redemption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleRedemption {
    /// The bundle.
    pub bundle: BundleId,
    /// The order.
    pub order: OrderId,
    /// The customer of the order.
    pub customer: CustomerId,
    /// When the redemption was counted.
    pub redeemed_at: DateTime<Utc>,
    /// The amount saved.
    pub savings: Money,
    /// The number of redemptions of the bundle including this one, as answered.
    pub count: u64,
    /// Whether the redemption took the last unit.
    pub limit_reached: bool,
    /// When the redemption was voided, if it was.
    pub voided_at: Option<DateTime<Utc>>,
}

/// The changes of a redemption, or of its void.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageChange {
    /// The record of the redemption.
    pub redemption: BundleRedemption,
    /// The usage as loaded.
    pub before: Usage,
    /// The usage after the change.
    pub after: Usage,
    /// The customer's number of redemptions before the change.
    pub by_customer_before: u64,
    /// The customer's number of redemptions after the change.
    pub by_customer_after: u64,
    /// The redemption limit that the decision used.
    pub max: Option<UseLimit>,
    /// The update of the status, if this redemption took the last unit or its void gave it back.
    pub update: Option<StatusUpdate>,
}

/// The decision about a redemption or a void.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redeem {
    /// The change can be committed.
    Apply(Box<UsageChange>),
    /// The change also changes the status, but too many earlier changes by the clock are unrecorded for one write. The
    /// caller must write these earlier changes first.
    CatchUpFirst(Box<StatusUpdate>),
}

/// When an order was fulfilled, and what is recorded about that instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fulfilment {
    /// When the order was fulfilled.
    pub at: DateTime<Utc>,
    /// When the redemption is counted.
    pub now: DateTime<Utc>,
    /// Whether the recorded status changes show the bundle as active at `at`. The caller looks them up only after the
    /// current terms rejected the order.
    pub was_active: bool,
    /// The savings that the order states. `None` if the order states none.
    pub savings: Option<Money>,
}

/// Whether a customer with `by_customer` redemptions of a bundle may redeem it once more, for an order fulfilled at
/// `order.at`. Fails with the first rejection that applies.
pub fn admit(bundle: &Bundle, zone: Zone, by_customer: u64, order: Fulfilment) -> Result<(), Rejection> {
    let published = matches!(bundle.terms.desired_state, DesiredState::Published | DesiredState::Paused);
    if (published || order.was_active) && bundle.is_sold_out() {
        return Err(Rejection::LimitReached);
    }
    // An order fulfilled now is valid for an existing bundle, even if another clock set the bundle's creation date.
    if order.at < order.now && !bundle.existed_at(order.at) {
        return Err(Rejection::BundleNotActive { status: BundleStatus::Draft });
    }
    match status_at(bundle, zone, order.at) {
        BundleStatus::Active => {}
        _ if order.was_active => {}
        status => return Err(Rejection::BundleNotActive { status }),
    }
    if bundle.terms.per_customer_limit.is_some_and(|limit| by_customer >= limit.get()) {
        return Err(Rejection::CustomerLimitReached);
    }
    Ok(())
}

/// Redeems a bundle. Fails with the rejection of [`admit`].
pub fn redeem(
    bundle: &Bundle,
    zone: ZoneInForce,
    by_customer: u64,
    (order, customer): (OrderId, CustomerId),
    fulfilment: Fulfilment,
) -> Result<Redeem, Rejection> {
    admit(bundle, zone.zone, by_customer, fulfilment)?;
    let now = fulfilment.now;
    let before = bundle.usage;
    let savings = fulfilment.savings.unwrap_or_else(|| bundle.terms.offer.price.savings());
    let after = Usage {
        redemptions: before.redemptions.saturating_add(1),
        customers: before.customers.saturating_add(u64::from(by_customer == 0)),
        savings: before.savings.plus(savings).ok_or(Rejection::OutOfRange { figure: "totalSavings" })?,
        ever_redeemed: true,
    };
    let limit_reached = bundle.terms.max_redemptions.is_some_and(|max| after.redemptions >= max.get());
    let redemption = BundleRedemption {
        bundle: bundle.id.clone(),
        order,
        customer,
        redeemed_at: now,
        savings,
        count: after.redemptions,
        limit_reached,
        voided_at: None,
    };
    let change = UsageChange {
        redemption,
        before,
        after,
        by_customer_before: by_customer,
        by_customer_after: by_customer.saturating_add(1),
        max: bundle.terms.max_redemptions,
        update: None,
    };
    Ok(with_status_update(change, limit_reached.then_some(TransitionReason::LimitReached), bundle, zone, now))
}

/// Voids a redemption. Returns `None` if the counters are already 0, because they were loaded before the redemption was
/// counted or after it was voided.
#[must_use]
pub fn void(
    bundle: &Bundle,
    zone: ZoneInForce,
    by_customer: u64,
    redemption: BundleRedemption,
    now: DateTime<Utc>,
) -> Option<Redeem> {
    let before = bundle.usage;
    let by_customer_after = by_customer.checked_sub(1)?;
    let after = Usage {
        redemptions: before.redemptions.checked_sub(1)?,
        customers: before.customers.checked_sub(u64::from(by_customer_after == 0))?,
        savings: before.savings.minus(redemption.savings)?,
        ever_redeemed: true,
    };
    let redemption = BundleRedemption { voided_at: Some(now), ..redemption };
    let max = bundle.terms.max_redemptions;
    let change = UsageChange {
        redemption,
        before,
        after,
        by_customer_before: by_customer,
        by_customer_after,
        max,
        update: None,
    };
    let reason = bundle.is_sold_out().then_some(TransitionReason::RedemptionVoided);
    Some(with_status_update(change, reason, bundle, zone, now))
}

/// Adds the update of the status if a `reason` is given.
fn with_status_update(
    change: UsageChange,
    reason: Option<TransitionReason>,
    bundle: &Bundle,
    zone: ZoneInForce,
    now: DateTime<Utc>,
) -> Redeem {
    let Some(reason) = reason else {
        return Redeem::Apply(Box::new(change));
    };
    let update = bring_up_to_date(bundle, zone, now);
    if !update.complete {
        return Redeem::CatchUpFirst(Box::new(update));
    }
    let update = Some(replace_usage(update, change.after, reason));
    Redeem::Apply(Box::new(UsageChange { update, ..change }))
}
