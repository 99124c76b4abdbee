//! The settings of a loyalty programme. Values out of bounds cannot be constructed.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

use crate::domain::{
    lots::{
        dates::{PendingDays, PointsExpiry},
        lot::LotDates,
    },
    money::Money,
    names::named,
    points::Points,
    rate::{EarnRate, EquityMultiplier, PointsMultiplier, PointsPerDollar},
    text::SingleLine,
    zone::Zone,
};

/// The settings in force, and the versions of the rules that decide tiers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loyalty {
    /// The settings.
    pub settings: LoyaltySettings,
    /// The version of the tier rules. It grows by one when thresholds, tier names or `inactivityDays` change. Each
    /// customer records the version of the last evaluation.
    pub tier_rules_version: u64,
    /// The `tier_rules_version` by which the last complete recalculation evaluated every customer, including those
    /// whose tier did not change. It is 0 before the first.
    pub applied_rules_version: u64,
}

impl Loyalty {
    /// The new settings of an org. Their versions continue the versions of the `current` settings.
    #[must_use]
    pub fn replaced(current: Option<&Self>, settings: LoyaltySettings) -> Self {
        let tier_rules_version = current.map_or(1, |current| {
            let is_same = current.settings.has_same_tier_rules(&settings);
            if is_same { current.tier_rules_version } else { current.tier_rules_version.saturating_add(1) }
        });
        Self {
            settings,
            tier_rules_version,
            applied_rules_version: current.map_or(0, |current| current.applied_rules_version),
        }
    }

    /// The same settings, with the record that every customer was evaluated by the given rules. Returns `None` if that
    /// is already recorded.
    #[must_use]
    pub fn with_applied_rules(&self, tier_rules_version: u64) -> Option<Self> {
        (self.applied_rules_version < tier_rules_version)
            .then(|| Self { applied_rules_version: tier_rules_version, ..self.clone() })
    }
}

/// The settings of a loyalty programme. The defaults come from the specification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoyaltySettings {
    /// Whether the programme is on. While it is off, no points are earned or redeemed, and sweeps skip the org.
    pub enabled: bool,
    /// Points for each unit of currency. If an earn rate is set, this is the earn rate floored to four decimals, and
    /// awards do not use it.
    pub points_per_dollar: PointsPerDollar,
    /// Points for an amount of money. If set, awards use it instead of `points_per_dollar`.
    pub earn_rate: Option<EarnRate>,
    /// The multiplier of orders with equity status.
    pub equity_multiplier: EquityMultiplier,
    /// The ladder of tiers.
    pub tiers: Tiers,
    /// The rewards for points.
    pub redemption_tiers: RedemptionTiers,
    /// Whether amounts between the redemption tiers can be redeemed.
    pub redemption_mode: RedemptionMode,
    /// The number of days without an order that lowers the tier by one step.
    pub inactivity_days: InactivityDays,
    /// The number of days after an order during which a customer is active.
    pub active_days: ActiveDays,
    /// The number of days after which earned points can be spent.
    pub pending_days: PendingDays,
    /// When earned points expire. `None` if they never do.
    pub points_expiry: Option<PointsExpiry>,
    /// Who enrols customers.
    pub enrolment: Enrolment,
}

/// Who enrols customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, EnumString, IntoStaticStr, VariantArray, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum Enrolment {
    /// Only a request about the customer.
    #[default]
    Explicit,
    /// The first order of a customer who is not known yet, too.
    FirstOrder,
}

named!(Enrolment);

impl Default for LoyaltySettings {
    fn default() -> Self {
        Self {
            enabled: true,
            points_per_dollar: PointsPerDollar::default(),
            earn_rate: None,
            equity_multiplier: EquityMultiplier::default(),
            tiers: Tiers::default(),
            redemption_tiers: RedemptionTiers::default(),
            redemption_mode: RedemptionMode::default(),
            inactivity_days: InactivityDays::default(),
            active_days: ActiveDays::default(),
            pending_days: PendingDays::default(),
            points_expiry: None,
            enrolment: Enrolment::default(),
        }
    }
}

impl LoyaltySettings {
    /// The dates of points that an order earns, which was fulfilled at `fulfilled_at`.
    #[must_use]
    pub fn dates_of_earned(&self, zone: Zone, fulfilled_at: DateTime<Utc>) -> LotDates {
        LotDates::earned(self.pending_days, self.points_expiry, zone, fulfilled_at)
    }

    /// Whether both settings give every customer the same tier.
    fn has_same_tier_rules(&self, other: &Self) -> bool {
        let ladder = |settings: &Self| -> Vec<_> {
            settings.tiers.iter().map(|tier| (tier.name.clone(), tier.threshold)).collect()
        };
        self.inactivity_days == other.inactivity_days && ladder(self) == ladder(other)
    }
}

/// One tier of the ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tier {
    /// The name, unique in the ladder.
    pub name: SingleLine,
    /// The lifetime value from which a customer qualifies.
    pub threshold: Money,
    /// The multiplier of orders in this tier.
    pub points_multiplier: PointsMultiplier,
}

/// The rule for the number of tiers, as an error message.
pub const TIERS_RULE: &str = "must be 1 to 20 tiers";

/// The rule for the number of redemption tiers, as an error message.
pub const REDEMPTION_TIERS_RULE: &str = "must be at most 20 redemption tiers";

/// A ladder of 1 to 20 tiers. The lowest tier has the threshold 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tiers {
    lowest: Tier,
    above: Vec<Tier>,
}

impl TryFrom<Vec<Tier>> for Tiers {
    type Error = &'static str;

    fn try_from(mut tiers: Vec<Tier>) -> Result<Self, Self::Error> {
        if !(1..=20).contains(&tiers.len()) {
            return Err(TIERS_RULE);
        }
        tiers.sort_by_key(|tier| tier.threshold);
        if tiers.windows(2).any(|pair| matches!(pair, [a, b] if a.threshold == b.threshold)) {
            return Err("must have a different threshold for each tier");
        }
        let mut names: Vec<_> = tiers.iter().map(|tier| &tier.name).collect();
        names.sort();
        names.dedup();
        if names.len() != tiers.len() {
            return Err("must have a different name for each tier");
        }
        let above = tiers.split_off(1);
        match tiers.pop() {
            Some(lowest) if lowest.threshold == Money::ZERO => Ok(Self { lowest, above }),
            _ => Err("must have a lowest tier with threshold 0"),
        }
    }
}

impl Default for Tiers {
    fn default() -> Self {
        let tier = |name, dollars| Tier {
            name: SingleLine::from_static(name),
            threshold: Money::from_major(dollars),
            points_multiplier: PointsMultiplier::default(),
        };
        Self { lowest: tier("Bronze", 0), above: vec![tier("Silver", 200), tier("Gold", 500), tier("Platinum", 1000)] }
    }
}

impl Tiers {
    /// The tiers, lowest first.
    #[must_use]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Tier> {
        std::iter::once(&self.lowest).chain(&self.above)
    }

    /// The rank that a lifetime value reaches. The lowest tier has rank 0.
    #[must_use]
    pub fn rank_reached(&self, lifetime_value: Money) -> usize {
        self.above.partition_point(|tier| tier.threshold <= lifetime_value)
    }

    /// The rank of the tier with this name. Returns `None` if the ladder does not list the name.
    #[must_use]
    pub fn rank_of(&self, name: &SingleLine) -> Option<usize> {
        self.iter().position(|tier| &tier.name == name)
    }

    /// The tier with this rank, or the highest tier if the rank exceeds the ladder.
    #[must_use]
    pub fn at_rank(&self, rank: usize) -> &Tier {
        let above = rank.checked_sub(1).and_then(|step| self.above.get(step).or(self.above.last()));
        above.unwrap_or(&self.lowest)
    }

    /// The tier above this rank. Returns `None` for the highest rank.
    #[must_use]
    pub fn next_above(&self, rank: usize) -> Option<&Tier> {
        self.above.get(rank)
    }
}

/// A reward: a number of points, and the amount that they take off an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RedemptionTier {
    /// The points to pay.
    pub points_cost: PointsCost,
    /// The amount that they take off the order.
    pub reward_value: Money,
}

/// The points to pay for a reward: 1 to 1,000,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "i64", try_from = "i64")]
pub struct PointsCost(Points);

impl PointsCost {
    /// The largest cost.
    pub const MAX: i64 = 1_000_000_000;

    /// The rule for a cost in points, as an error message.
    pub const RULE: &'static str = "must be a whole number from 1 to 1000000000";

    /// The cost.
    #[must_use]
    pub const fn get(self) -> Points {
        self.0
    }
}

impl From<PointsCost> for i64 {
    fn from(cost: PointsCost) -> Self {
        cost.0.0
    }
}

impl TryFrom<i64> for PointsCost {
    type Error = &'static str;

    fn try_from(points: i64) -> Result<Self, Self::Error> {
        if (1..=Self::MAX).contains(&points) { Ok(Self(Points(points))) } else { Err(Self::RULE) }
    }
}

/// Up to 20 redemption tiers, cheapest first. Without redemption tiers, 100 points are worth 1 unit of currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedemptionTiers(Vec<RedemptionTier>);

impl TryFrom<Vec<RedemptionTier>> for RedemptionTiers {
    type Error = &'static str;

    fn try_from(mut tiers: Vec<RedemptionTier>) -> Result<Self, Self::Error> {
        if tiers.len() > 20 {
            return Err(REDEMPTION_TIERS_RULE);
        }
        tiers.sort_by_key(|tier| tier.points_cost);
        if tiers.windows(2).any(|pair| matches!(pair, [a, b] if a.points_cost == b.points_cost)) {
            return Err("must have a different pointsCost for each redemption tier");
        }
        Ok(Self(tiers))
    }
}

impl Default for RedemptionTiers {
    fn default() -> Self {
        let tier = |cost, dollars| RedemptionTier {
            points_cost: PointsCost(Points(cost)),
            reward_value: Money::from_major(dollars),
        };
        Self(vec![tier(100, 5), tier(250, 15), tier(500, 35)])
    }
}

impl RedemptionTiers {
    /// The redemption tiers, cheapest first.
    pub fn iter(&self) -> impl Iterator<Item = &RedemptionTier> {
        self.0.iter()
    }
}

/// Which numbers of points can be redeemed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, EnumString, IntoStaticStr, VariantArray, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum RedemptionMode {
    /// Every number from the cheapest redemption tier up.
    #[default]
    Proportional,
    /// Only the listed costs.
    Exact,
}

named!(RedemptionMode);

macro_rules! days {
    ($(#[$doc:meta])* $name:ident, from $min:literal to $max:literal, default $default:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(into = "i64", try_from = "i64")]
        pub struct $name(u32);

        impl $name {
            /// The rule for this number of days, as an error message.
            pub const RULE: &'static str =
                concat!("must be a whole number from ", stringify!($min), " to ", stringify!($max));

            /// The smallest and the largest number of days.
            pub const BOUNDS: (i64, i64) = ($min, $max);

            /// The number of days.
            #[must_use]
            pub const fn get(self) -> u32 {
                self.0
            }
        }

        impl From<$name> for i64 {
            fn from(days: $name) -> Self {
                days.0.into()
            }
        }

        impl TryFrom<i64> for $name {
            type Error = &'static str;

            fn try_from(days: i64) -> Result<Self, Self::Error> {
                u32::try_from(days)
                    .ok()
                    .filter(|days| ($min..=$max).contains(days))
                    .map(Self)
                    .ok_or(Self::RULE)
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self($default)
            }
        }
    };
}

days!(
    /// The number of days without an order that lowers the tier by one step.
    InactivityDays, from 1 to 3650, default 180
);
days!(
    /// The number of days after an order during which a customer is active.
    ActiveDays, from 7 to 730, default 90
);
