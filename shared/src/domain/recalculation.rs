//! The recalculation of a customer's tier as of now.

use chrono::{DateTime, Utc};

use crate::domain::{
    customer::{Customer, HeldTier},
    ledger::{Entry, EntryKind},
    lots::due::apply_due,
    loyalty::{Loyalty, LoyaltySettings},
    points::Points,
    tier::{self, TierCause, TierChange},
};

/// The changes of a recalculation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recalculated {
    /// The customer after the recalculation.
    pub customer: Customer,
    /// The new ledger entries: what was due, and the change of tier.
    pub entries: Vec<Entry>,
    /// The direction of the change.
    pub direction: TierDirection,
}

/// The direction of a tier change in the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TierDirection {
    /// To a higher tier.
    Promotion,
    /// To a lower tier.
    Demotion,
    /// From or to a tier that the settings no longer list, so the two have no order.
    Unranked,
}

/// Evaluates a customer's tier at `now`. Returns `None` if the tier held is correct.
///
/// Also returns `None` if the tier was set after `now` or by newer rules. A long run must not undo the effect of an
/// order or a refund that was recorded after the run began.
#[must_use]
pub fn recalculate(customer: &Customer, loyalty: &Loyalty, now: DateTime<Utc>) -> Option<Recalculated> {
    let settings = &loyalty.settings;
    let is_superseded = |held: &HeldTier| held.since > now || held.tier_rules_version > loyalty.tier_rules_version;
    if customer.held_tier.as_ref().is_some_and(is_superseded) {
        return None;
    }
    let tier = tier::tier_at(settings, customer.lifetime_value, customer.last_order_at(), now);
    // Most customers keep their tier, so they are not cloned.
    if tier::held_tier(customer, settings) == &tier.name {
        return None;
    }
    let mut customer = customer.clone();
    let mut entries = apply_due(&mut customer, now);
    let change = tier::update_tier(&mut customer, loyalty, TierCause::Inactivity, now)?;
    let direction = direction_of(settings, &change);
    let kind = EntryKind::TierChanged { change, order_id: None };
    entries.push(Entry::new(&customer, Points::ZERO, kind, now));
    Some(Recalculated { customer, entries, direction })
}

/// The direction of a change in the ladder of these settings.
#[must_use]
pub fn direction_of(settings: &LoyaltySettings, TierChange { from, to, .. }: &TierChange) -> TierDirection {
    match (settings.tiers.rank_of(from), settings.tiers.rank_of(to)) {
        (Some(from), Some(to)) if to > from => TierDirection::Promotion,
        (Some(_), Some(_)) => TierDirection::Demotion,
        _ => TierDirection::Unranked,
    }
}
