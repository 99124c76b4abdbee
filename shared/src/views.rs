//! Parts of answers that more than one function returns.
//!
//! A view owns its field names. A change of a type in [`domain`](crate::domain) therefore never changes the API.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::domain::{
    bundle::{
        status::BundleStatus,
        terms::DesiredState,
        transition::{Transition, TransitionReason},
    },
    loyalty::{ActiveDays, InactivityDays, LoyaltySettings, PointsCost, RedemptionMode},
    money::Money,
    rate::{EarnedPer, EarnedPoints, EquityMultiplier, PointsMultiplier, PointsPerDollar},
    text::SingleLine,
    time,
};

/// A change of a bundle's status.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TransitionView {
    from: BundleStatus,
    to: BundleStatus,
    reason: TransitionReason,
    /// The instant of the change.
    #[serde(serialize_with = "time::serialize")]
    pub at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    desired_state: Option<DesiredState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<SingleLine>,
}

impl From<Transition> for TransitionView {
    fn from(Transition { from, to, reason, at, desired_state, note }: Transition) -> Self {
        Self { from, to, reason, at, desired_state, note }
    }
}

/// The settings of a loyalty programme.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoyaltyView {
    enabled: bool,
    points_per_dollar: PointsPerDollar,
    #[serde(skip_serializing_if = "Option::is_none")]
    earn_rate: Option<EarnRateView>,
    equity_multiplier: EquityMultiplier,
    tiers: Vec<TierView>,
    redemption_tiers: Vec<RedemptionTierView>,
    redemption_mode: RedemptionMode,
    inactivity_days: InactivityDays,
    active_days: ActiveDays,
}

#[derive(Debug, Serialize)]
struct EarnRateView {
    points: EarnedPoints,
    per: EarnedPer,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TierView {
    name: SingleLine,
    threshold: Money,
    points_multiplier: PointsMultiplier,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RedemptionTierView {
    points_cost: PointsCost,
    reward_value: Money,
}

impl From<&LoyaltySettings> for LoyaltyView {
    fn from(settings: &LoyaltySettings) -> Self {
        let tiers = settings.tiers.iter().map(|tier| TierView {
            name: tier.name.clone(),
            threshold: tier.threshold,
            points_multiplier: tier.points_multiplier,
        });
        let redemption_tiers = settings
            .redemption_tiers
            .iter()
            .map(|tier| RedemptionTierView { points_cost: tier.points_cost, reward_value: tier.reward_value });
        Self {
            enabled: settings.enabled,
            points_per_dollar: settings.points_per_dollar,
            earn_rate: settings.earn_rate.map(|rate| EarnRateView { points: rate.points, per: rate.per }),
            equity_multiplier: settings.equity_multiplier,
            tiers: tiers.collect(),
            redemption_tiers: redemption_tiers.collect(),
            redemption_mode: settings.redemption_mode,
            inactivity_days: settings.inactivity_days,
            active_days: settings.active_days,
        }
    }
}
