//! Decodes loyalty settings.

use deserr::{DeserializeError, Deserr, IntoValue, Value, ValuePointerRef};

use super::{
    fields::{FieldErrors, FromFields, ORG_ID, bounded_list, invalid_value},
    json::Fields,
};
use crate::domain::{
    ids::OrgId,
    loyalty::{
        ActiveDays, InactivityDays, LoyaltySettings, PointsCost, REDEMPTION_TIERS_RULE, RedemptionMode, RedemptionTier,
        RedemptionTiers, TIERS_RULE, Tier, Tiers,
    },
    money::Money,
    rate::{EarnRate, EarnedPer, EarnedPoints, EquityMultiplier, PointsMultiplier, PointsPerDollar},
    text::SingleLine,
};

/// The loyalty settings of an org, in a request that replaces the settings.
#[derive(Debug)]
pub struct LoyaltyFields {
    /// The org.
    pub org_id: OrgId,
    /// The settings.
    pub settings: LoyaltySettings,
}

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct OrgFields {
    org_id: OrgId,
}

impl FromFields for LoyaltyFields {
    fn read(fields: &Fields) -> Result<Self, FieldErrors> {
        let (org, settings): (Fields, Fields) =
            fields.clone().into_iter().partition(|(name, _)| name.as_str() == ORG_ID);
        match (OrgFields::read(&org), LoyaltySettings::read(&settings)) {
            (Ok(OrgFields { org_id }), Ok(settings)) => Ok(Self { org_id, settings }),
            (Ok(_), Err(errors)) | (Err(errors), Ok(_)) => Err(errors),
            (Err(org), Err(settings)) => Err(org.merge(settings)),
        }
    }
}

/// A missing field takes its default.
#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct SettingsFields {
    #[deserr(default = true)]
    enabled: bool,
    #[deserr(default)]
    points_per_dollar: PointsPerDollar,
    #[deserr(default)]
    earn_rate: Option<EarnRate>,
    #[deserr(default)]
    equity_multiplier: EquityMultiplier,
    #[deserr(default)]
    tiers: Tiers,
    #[deserr(default)]
    redemption_tiers: RedemptionTiers,
    #[deserr(default)]
    redemption_mode: RedemptionMode,
    #[deserr(default)]
    inactivity_days: InactivityDays,
    #[deserr(default)]
    active_days: ActiveDays,
}

impl<E: DeserializeError> Deserr<E> for LoyaltySettings {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, at: ValuePointerRef<'_>) -> Result<Self, E> {
        let fields: SettingsFields = Deserr::deserialize_from_value(value, at)?;
        Ok(Self {
            enabled: fields.enabled,
            points_per_dollar: fields.earn_rate.map_or(fields.points_per_dollar, |rate| rate.points_per_dollar()),
            earn_rate: fields.earn_rate,
            equity_multiplier: fields.equity_multiplier,
            tiers: fields.tiers,
            redemption_tiers: fields.redemption_tiers,
            redemption_mode: fields.redemption_mode,
            inactivity_days: fields.inactivity_days,
            active_days: fields.active_days,
        })
    }
}

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct EarnRateFields {
    points: EarnedPoints,
    per: EarnedPer,
}

impl<E: DeserializeError> Deserr<E> for EarnRate {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, at: ValuePointerRef<'_>) -> Result<Self, E> {
        let EarnRateFields { points, per } = Deserr::deserialize_from_value(value, at)?;
        Ok(Self { points, per })
    }
}

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct TierFields {
    name: SingleLine,
    threshold: Money,
    #[deserr(default)]
    points_multiplier: PointsMultiplier,
}

impl<E: DeserializeError> Deserr<E> for Tiers {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, at: ValuePointerRef<'_>) -> Result<Self, E> {
        let tiers: Vec<TierFields> = bounded_list(value, at, 20, TIERS_RULE)?;
        let tiers: Vec<Tier> = tiers
            .into_iter()
            .map(|TierFields { name, threshold, points_multiplier }| Tier { name, threshold, points_multiplier })
            .collect();
        Self::try_from(tiers).map_err(|rule| invalid_value(rule, at))
    }
}

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct RedemptionTierFields {
    points_cost: PointsCost,
    reward_value: Money,
}

impl<E: DeserializeError> Deserr<E> for RedemptionTiers {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, at: ValuePointerRef<'_>) -> Result<Self, E> {
        let tiers: Vec<RedemptionTierFields> = bounded_list(value, at, 20, REDEMPTION_TIERS_RULE)?;
        let tiers: Vec<RedemptionTier> = tiers
            .into_iter()
            .map(|RedemptionTierFields { points_cost, reward_value }| RedemptionTier { points_cost, reward_value })
            .collect();
        Self::try_from(tiers).map_err(|rule| invalid_value(rule, at))
    }
}
