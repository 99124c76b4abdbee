//! Redeeming a bundle, and giving a redemption back.
//!
//! The window is judged at the instant the order was fulfilled, the limits at commit. Where today's terms refuse an order,
//! the record decides: what was sold while the bundle was on is not refused for what happened to the bundle since. Counters
//! change by one and under a condition, so orders for the same bundle do not wait for each other. Only the one that takes
//! the last unit, or gives it back, moves the status too.

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

/// What is kept about a redemption, for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleRedemption {
    /// The bundle.
    pub bundle: BundleId,
    /// The order.
    pub order: OrderId,
    /// Whose it is.
    pub customer: CustomerId,
    /// When it was counted.
    pub redeemed_at: DateTime<Utc>,
    /// What it saved.
    pub savings: Money,
    /// How often the bundle was redeemed then, this one included, as answered.
    pub count: u64,
    /// Whether it took the last unit.
    pub limit_reached: bool,
    /// When it was given back, if it was.
    pub voided_at: Option<DateTime<Utc>>,
}

/// All that a redemption, or its void, changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageChange {
    /// The record of it.
    pub redemption: BundleRedemption,
    /// The counters before it, as loaded.
    pub before: Usage,
    /// The counters after it.
    pub after: Usage,
    /// How often the customer redeems the bundle before it.
    pub by_customer_before: u64,
    /// How often after it.
    pub by_customer_after: u64,
    /// The limit by which it was decided.
    pub max: Option<UseLimit>,
    /// The bundle with its status moved, where this took the last unit or gave it back.
    pub update: Option<StatusUpdate>,
}

/// What counting comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redeem {
    /// It can be committed.
    Apply(Box<UsageChange>),
    /// It moves the status, and more has changed by the clock than can go on record with it: that first.
    CatchUpFirst(Box<StatusUpdate>),
}

/// When an order was fulfilled, and what is on record of that instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fulfilment {
    /// The instant.
    pub at: DateTime<Utc>,
    /// When it is counted.
    pub now: DateTime<Utc>,
    /// Whether the bundle was active then, as recorded. It is looked up only where today's terms refuse the order.
    pub was_active: bool,
    /// What the order says that it saved, if it does.
    pub savings: Option<Money>,
}

/// Whether a customer who has redeemed it `by_customer` times may redeem a bundle once more, for an order fulfilled then.
/// The first refusal that applies is given.
pub fn admit(bundle: &Bundle, zone: Zone, by_customer: u64, order: Fulfilment) -> Result<(), Rejection> {
    let published = matches!(bundle.terms.desired_state, DesiredState::Published | DesiredState::Paused);
    if (published || order.was_active) && bundle.is_sold_out() {
        return Err(Rejection::LimitReached);
    }
    // What is fulfilled now meets a bundle that is there, whatever the clock said by which that was made.
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

/// Counts a redemption, if [`admit`] lets it in.
pub fn redeem(
    bundle: &Bundle,
    zone: ZoneInForce,
    by_customer: u64,
    (order, customer): (OrderId, CustomerId),
    fulfilled: Fulfilment,
) -> Result<Redeem, Rejection> {
    admit(bundle, zone.zone, by_customer, fulfilled)?;
    let now = fulfilled.now;
    let before = bundle.usage;
    let savings = fulfilled.savings.unwrap_or_else(|| bundle.terms.offer.price.savings());
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
    let counted = UsageChange {
        redemption,
        before,
        after,
        by_customer_before: by_customer,
        by_customer_after: by_customer.saturating_add(1),
        max: bundle.terms.max_redemptions,
        update: None,
    };
    Ok(with_status_update(counted, limit_reached.then_some(TransitionReason::LimitReached), bundle, zone, now))
}

/// Gives a redemption back. `None` where the counters say that there is nothing to give back.
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
    let counted = UsageChange {
        redemption,
        before,
        after,
        by_customer_before: by_customer,
        by_customer_after,
        max,
        update: None,
    };
    let reason = bundle.is_sold_out().then_some(TransitionReason::RedemptionVoided);
    Some(with_status_update(counted, reason, bundle, zone, now))
}

/// With a reason, the status moves too.
fn with_status_update(
    counted: UsageChange,
    reason: Option<TransitionReason>,
    bundle: &Bundle,
    zone: ZoneInForce,
    now: DateTime<Utc>,
) -> Redeem {
    let Some(reason) = reason else {
        return Redeem::Apply(Box::new(counted));
    };
    let update = bring_up_to_date(bundle, zone, now);
    if !update.complete {
        return Redeem::CatchUpFirst(Box::new(update));
    }
    let update = Some(replace_usage(update, counted.after, reason));
    Redeem::Apply(Box::new(UsageChange { update, ..counted }))
}
