//! The tier of a customer at an instant, and its changes.
//!
//! The tier is a function of lifetime value, last order, settings and clock only. It therefore does not depend on how
//! often a job ran, it does not oscillate, and the next order restores it.

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

/// The tier at `now`. It is the highest tier whose threshold the lifetime value reaches, lowered one step for each
/// whole `inactivityDays` since the last order, and never below the lowest tier. Without orders, the tier is not
/// lowered.
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

/// The cause of a tier change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum TierCause {
    /// An award. It is never the cause of a lower tier.
    Order,
    /// A partial or full refund.
    Refund,
    /// An order that was edited, shipped in parts or cancelled.
    Amendment,
    /// Time without an order.
    Inactivity,
    /// The settings differ from the settings of the customer's last evaluation.
    Settings,
}

named!(TierCause);

/// A change from one tier to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierChange {
    /// The tier before.
    pub from: SingleLine,
    /// The tier after.
    pub to: SingleLine,
    /// The cause.
    pub cause: TierCause,
}

/// The name of the tier that a customer holds, even if the settings no longer list it. A customer without a tier holds
/// the lowest one.
#[must_use]
pub fn held_tier<'a>(customer: &'a Customer, settings: &'a LoyaltySettings) -> &'a SingleLine {
    customer.held_tier.as_ref().map_or_else(|| &settings.tiers.at_rank(0).name, |held_tier| &held_tier.tier)
}

/// Applies a demotion that is due at `now`, before an order or a refund is applied. The order or the refund is then not
/// recorded as the cause of a demotion by inactivity or by other settings.
pub(super) fn demote_if_due(customer: &mut Customer, loyalty: &Loyalty, now: DateTime<Utc>) -> Option<TierChange> {
    let settings = &loyalty.settings;
    let held_rank = settings.tiers.rank_of(held_tier(customer, settings))?;
    let tier = tier_at(settings, customer.lifetime_value, customer.last_order_at(), now);
    let is_demotion = settings.tiers.rank_of(&tier.name).is_some_and(|rank| rank < held_rank);
    if is_demotion { update_tier(customer, loyalty, TierCause::Inactivity, now) } else { None }
}

/// Sets the tier of a customer to the tier at `now`. Returns the change, or `None` if the tier is the same.
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
    let rules_changed =
        held.as_ref().is_some_and(|held| held.tier_rules_version.max(*applied_rules_version) != *tier_rules_version);
    let is_change = from != *tier;
    let since = held.filter(|_| !is_change).map_or(now, |held| held.since);
    customer.held_tier = Some(HeldTier { tier: tier.clone(), since, tier_rules_version: *tier_rules_version });
    is_change.then(|| TierChange {
        from,
        to: tier.clone(),
        cause: if rules_changed { TierCause::Settings } else { cause },
    })
}

/// The progress from the tier held to the next one, as a floored percentage. It is at most 99 below the highest tier,
/// and 100 in the highest tier. Returns `None` if the settings no longer list the tier.
#[must_use]
pub fn progress_percent(settings: &LoyaltySettings, held: &SingleLine, lifetime_value: Money) -> Option<u8> {
    let rank = settings.tiers.rank_of(held)?;
    let threshold = settings.tiers.at_rank(rank).threshold.minor();
    let Some(next) = settings.tiers.next_above(rank) else { return Some(100) };
    let distance = next.threshold.minor() - threshold;
    let hundredfold = i128::from(lifetime_value.minor() - threshold) * 100;
    let percent = hundredfold.checked_div(i128::from(distance)).unwrap_or(0).clamp(0, 99);
    u8::try_from(percent).ok()
}
