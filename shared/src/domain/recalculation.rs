//! What a recalculation makes of a customer: the tier as of now, where it is not the one held.

use chrono::{DateTime, Utc};

use crate::domain::{
    customer::{Customer, HeldTier},
    ledger::{Entry, EntryKind},
    loyalty::{Loyalty, LoyaltySettings},
    points::Points,
    tier::{self, TierCause, TierChange},
};

/// All that a recalculation changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recalculated {
    /// The customer after it.
    pub customer: Customer,
    /// The ledger entry of it.
    pub entry: Entry,
    /// Which way.
    pub direction: TierDirection,
}

/// Which way a change of tier goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TierDirection {
    /// Up the ladder.
    Promotion,
    /// Down the ladder.
    Demotion,
    /// Neither: the tier left is no longer listed.
    Unranked,
}

/// Judges a customer as of `now`; `None` where the tier held is right, and where it was decided later than `now` or by newer
/// rules than these: a run that takes long must not undo what an order or a refund has done meanwhile.
#[must_use]
pub fn recalculate(customer: &Customer, loyalty: &Loyalty, now: DateTime<Utc>) -> Option<Recalculated> {
    let settings = &loyalty.settings;
    let is_outdone = |held: &HeldTier| held.since > now || held.tier_rules_version > loyalty.tier_rules_version;
    if customer.held_tier.as_ref().is_some_and(is_outdone) {
        return None;
    }
    let right = tier::tier_at(settings, customer.lifetime_value, customer.last_order_at(), now);
    // Most are right: they are not worth a copy.
    if tier::held_tier(customer, settings) == &right.name {
        return None;
    }
    let mut customer = customer.clone();
    let change = tier::update_tier(&mut customer, loyalty, TierCause::Inactivity, now)?;
    let direction = direction_of(settings, &change);
    let kind = EntryKind::TierChanged { change, order_id: None };
    let entry = Entry::new(&customer, Points::ZERO, kind, now);
    Some(Recalculated { customer, entry, direction })
}

/// Which way a change goes on the ladder of these settings.
#[must_use]
pub fn direction_of(settings: &LoyaltySettings, TierChange { from, to, .. }: &TierChange) -> TierDirection {
    match (settings.tiers.rank_of(from), settings.tiers.rank_of(to)) {
        (Some(from), Some(to)) if to > from => TierDirection::Promotion,
        (Some(_), Some(_)) => TierDirection::Demotion,
        _ => TierDirection::Unranked,
    }
}
