//! Parts of answers that more than one function returns.
//!
//! A view owns its field names. A change of a type in [`domain`](crate::domain) therefore never changes the API.

use chrono::{DateTime, Utc};

use crate::domain::{
    bundle::{
        status::BundleStatus,
        terms::DesiredState,
        transition::{Transition, TransitionReason},
    },
    lots::dates::{ExpiryMonths, ExpiryRounding, PendingDays},
    loyalty::{ActiveDays, Enrolment, InactivityDays, LoyaltySettings, PointsCost, RedemptionMode},
    money::Money,
    rate::{EarnedPer, EarnedPoints, EquityMultiplier, PointsMultiplier, PointsPerDollar},
    text::SingleLine,
    tier::{TierCause, TierChange},
};

/// A change of a bundle's status.
#[declare::answer]
pub struct TransitionView {
    /// The status before.
    pub from: BundleStatus,
    /// The status after.
    pub to: BundleStatus,
    /// Why the status changed.
    pub reason: TransitionReason,
    /// The instant of the change.
    pub at: DateTime<Utc>,
    /// The state that an operator requested.
    pub desired_state: Option<DesiredState>,
    /// The reason that the operator gave.
    pub note: Option<SingleLine>,
}

impl From<Transition> for TransitionView {
    fn from(Transition { from, to, reason, at, desired_state, note }: Transition) -> Self {
        Self { from, to, reason, at, desired_state, note }
    }
}

/// The settings of a loyalty programme.
#[declare::answer]
pub struct LoyaltyView {
    /// Whether the programme is on.
    pub enabled: bool,
    /// Points for each unit of currency. With an earn rate, the rate floored to four decimals.
    pub points_per_dollar: PointsPerDollar,
    /// Points for an amount of money.
    pub earn_rate: Option<EarnRateView>,
    /// The multiplier of orders with equity status.
    pub equity_multiplier: EquityMultiplier,
    /// The tiers, lowest first.
    pub tiers: Vec<TierView>,
    /// The rewards for points, cheapest first.
    pub redemption_tiers: Vec<RedemptionTierView>,
    /// Whether amounts between the redemption tiers can be redeemed (`proportional`) or not (`exact`).
    pub redemption_mode: RedemptionMode,
    /// The number of days without an order that lowers the tier by one step.
    pub inactivity_days: InactivityDays,
    /// The number of days after an order during which a customer is active.
    pub active_days: ActiveDays,
    /// The number of days after which earned points can be spent.
    pub pending_days: PendingDays,
    /// When earned points expire. Absent: never.
    pub points_expiry: Option<PointsExpiryView>,
    /// Whether the first order of a customer who is not known yet enrols them.
    pub enrolment: Enrolment,
}

/// When earned points expire.
#[declare::answer]
pub struct PointsExpiryView {
    /// The number of months.
    pub months: ExpiryMonths,
    /// The end to which the expiry is rounded up.
    pub round_to: ExpiryRounding,
}

/// An earn rate: `points` for each `per`.
#[declare::answer]
pub struct EarnRateView {
    /// Points for each `per` of money.
    pub points: EarnedPoints,
    /// The money that earns `points`.
    pub per: EarnedPer,
}

/// A tier.
#[declare::answer]
pub struct TierView {
    /// The name.
    pub name: SingleLine,
    /// The lifetime value from which a customer qualifies.
    pub threshold: Money,
    /// The multiplier of orders in this tier.
    pub points_multiplier: PointsMultiplier,
}

/// A reward for points.
#[declare::answer]
pub struct RedemptionTierView {
    /// The points to pay.
    pub points_cost: PointsCost,
    /// The amount that they take off an order.
    pub reward_value: Money,
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
            pending_days: settings.pending_days,
            points_expiry: settings
                .points_expiry
                .map(|expiry| PointsExpiryView { months: expiry.months(), round_to: expiry.round_to() }),
            enrolment: settings.enrolment,
        }
    }
}

/// A change of a customer's tier.
#[declare::answer]
pub struct TierChangeView {
    /// The tier before.
    pub from: SingleLine,
    /// The tier after.
    pub to: SingleLine,
    /// Why the tier changed.
    pub cause: TierCause,
}

impl From<TierChange> for TierChangeView {
    fn from(TierChange { from, to, cause }: TierChange) -> Self {
        Self { from, to, cause }
    }
}
