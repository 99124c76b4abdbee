//! Which tier somebody holds at an instant, and when that is a change.
//!
//! The tier is a function of lifetime value, last order, settings and clock, and of nothing that happened in between:
//! it does not depend on how often a job ran, it can't bounce, and the next order restores it.

use chrono::{DateTime, Utc};
use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

use crate::domain::{
    customer::{Customer, HeldTier},
    loyalty::{Loyalty, LoyaltySettings, Tier},
    money::Money,
    names::named,
    text::SingleLine,
    time::days_between,
};

/// The tier at `now`: the highest whose threshold lifetime value reaches, lowered one step for each whole
/// `inactivityDays` since the last order, never below the lowest. Without orders it is not lowered.
#[must_use]
pub fn tier_at(
    settings: &LoyaltySettings,
    lifetime_value: Money,
    last_order_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> &Tier {
    let inactive_days = last_order_at.map_or(0, |last| days_between(last, now));
    let steps_down = inactive_days / settings.inactivity_days.get();
    let reached = settings.tiers.rank_reached(lifetime_value);
    settings.tiers.at_rank(reached.saturating_sub(usize::try_from(steps_down).unwrap_or(usize::MAX)))
}

/// What made a tier change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum TierCause {
    /// An order was awarded; never the cause of a lower tier.
    Order,
    /// An order was refunded, in part or whole.
    Refund,
    /// Time went by without an order.
    Inactivity,
    /// The settings are not those by which the customer was last judged.
    Settings,
}

named!(TierCause);

/// A move from one tier to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierChange {
    /// The tier left.
    pub from: SingleLine,
    /// The tier entered.
    pub to: SingleLine,
    /// Why.
    pub cause: TierCause,
}

/// The tier that a customer holds, listed or not; the lowest before one was decided.
#[must_use]
pub fn held_tier<'a>(customer: &'a Customer, settings: &'a LoyaltySettings) -> &'a SingleLine {
    customer.held_tier.as_ref().map_or_else(|| &settings.tiers.at_rank(0).name, |held_tier| &held_tier.tier)
}

/// Lowers the tier of a customer who is due for it at `now`, before something else is done with them: so no order or refund
/// is named as the cause of what time, or other settings, have done.
pub(super) fn demote_if_due(customer: &mut Customer, loyalty: &Loyalty, now: DateTime<Utc>) -> Option<TierChange> {
    let settings = &loyalty.settings;
    let held = settings.tiers.rank_of(held_tier(customer, settings))?;
    let due = tier_at(settings, customer.lifetime_value, customer.last_order_at(), now);
    let is_lower = settings.tiers.rank_of(&due.name).is_some_and(|due| due < held);
    if is_lower { update_tier(customer, loyalty, TierCause::Inactivity, now) } else { None }
}

/// Sets the tier of a customer as of `now`, and says whether that is a change.
pub(super) fn update_tier(
    customer: &mut Customer,
    loyalty: &Loyalty,
    cause: TierCause,
    now: DateTime<Utc>,
) -> Option<TierChange> {
    let Loyalty { settings, tier_rules_version, applied_rules_version } = loyalty;
    let tier = &tier_at(settings, customer.lifetime_value, customer.last_order_at(), now).name;
    let from = held_tier(customer, settings).clone();
    let held = customer.held_tier.take();
    let by_other_rules =
        held.as_ref().is_some_and(|held| held.tier_rules_version.max(*applied_rules_version) != *tier_rules_version);
    let changed = from != *tier;
    let since = held.filter(|_| !changed).map_or(now, |held| held.since);
    customer.held_tier = Some(HeldTier { tier: tier.clone(), since, tier_rules_version: *tier_rules_version });
    changed.then(|| TierChange {
        from,
        to: tier.clone(),
        cause: if by_other_rules { TierCause::Settings } else { cause },
    })
}

/// Floored percent of the way from the tier held to the next: at most 99 below the top, 100 at the top. `None` for a
/// tier that is no longer listed.
#[must_use]
pub fn progress_percent(settings: &LoyaltySettings, held: &SingleLine, lifetime_value: Money) -> Option<u8> {
    let rank = settings.tiers.rank_of(held)?;
    let from = settings.tiers.at_rank(rank).threshold.minor();
    let Some(next) = settings.tiers.next_above(rank) else { return Some(100) };
    let way = next.threshold.minor() - from;
    let gone = i128::from(lifetime_value.minor() - from) * 100;
    let percent = gone.checked_div(i128::from(way)).unwrap_or(0).clamp(0, 99);
    u8::try_from(percent).ok()
}
