//! Decodes loyalty settings.

use std::borrow::Cow;

use deserr::{DeserializeError, Deserr, IntoValue, Value, ValuePointerRef};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use super::{
    fields::{FieldErrors, FromFields, ORG_ID, invalid_value},
    json::Fields,
    list::list,
};
use crate::domain::{
    ids::OrgId,
    lots::dates::{ExpiryMonths, ExpiryRounding, PendingDays, PointsExpiry},
    loyalty::{
        ActiveDays, Enrolment, InactivityDays, LoyaltySettings, PointsCost, REDEMPTION_TIERS_RULE, RedemptionMode,
        RedemptionTier, RedemptionTiers, TIERS_RULE, Tier, Tiers,
    },
    money::Money,
    rate::{EarnRate, EarnedPer, EarnedPoints, EquityMultiplier, PointsMultiplier, PointsPerDollar},
    text::SingleLine,
};

/// The loyalty settings of an org, in a request that replaces the settings.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoyaltyFields {
    /// The org.
    pub org_id: OrgId,
    /// The settings.
    #[serde(flatten)]
    pub settings: SettingsFields,
}

#[declare::request]
struct OrgFields {
    org_id: OrgId,
}

impl FromFields for LoyaltyFields {
    fn read(fields: &Fields) -> Result<Self, FieldErrors> {
        let (org, settings): (Fields, Fields) =
            fields.clone().into_iter().partition(|(name, _)| name.as_str() == ORG_ID);
        match (OrgFields::read(&org), SettingsFields::read(&settings)) {
            (Ok(OrgFields { org_id }), Ok(settings)) => Ok(Self { org_id, settings }),
            (Ok(_), Err(errors)) | (Err(errors), Ok(_)) => Err(errors),
            (Err(org), Err(settings)) => Err(org.merge(settings)),
        }
    }
}

/// The settings of a loyalty programme. An absent setting has its default.
#[declare::request]
pub struct SettingsFields {
    /// Whether the programme is on. While it is off, awards, redemptions and quotes are refused.
    #[declare(default = true)]
    pub enabled: bool,
    /// Points for each unit of currency.
    #[declare(default)]
    pub points_per_dollar: PointsPerDollar,
    /// Points for an amount of money. Takes precedence over `pointsPerDollar`.
    pub earn_rate: Option<EarnRate>,
    /// The multiplier of orders with equity status.
    #[declare(default)]
    pub equity_multiplier: EquityMultiplier,
    /// The tiers. Names and thresholds are unique, and the lowest threshold is 0.
    #[declare(default)]
    pub tiers: Tiers,
    /// The rewards for points. Each has another `pointsCost`.
    #[declare(default)]
    pub redemption_tiers: RedemptionTiers,
    /// Whether amounts between the redemption tiers can be redeemed (`proportional`) or not (`exact`).
    #[declare(default)]
    pub redemption_mode: RedemptionMode,
    /// The number of days without an order that lowers the tier by one step.
    #[declare(default)]
    pub inactivity_days: InactivityDays,
    /// The number of days after an order during which a customer is active.
    #[declare(default)]
    pub active_days: ActiveDays,
    /// The number of days after which earned points can be spent. 0: at once.
    #[declare(default)]
    pub pending_days: PendingDays,
    /// When earned points expire. Absent: never.
    pub points_expiry: Option<PointsExpiry>,
    /// Whether the first order of a customer who is not known yet enrols them (`first_order`) or is refused (`explicit`).
    #[declare(default)]
    pub enrolment: Enrolment,
}

impl From<SettingsFields> for LoyaltySettings {
    fn from(fields: SettingsFields) -> Self {
        Self {
            enabled: fields.enabled,
            points_per_dollar: fields.earn_rate.map_or(fields.points_per_dollar, |rate| rate.points_per_dollar()),
            earn_rate: fields.earn_rate,
            equity_multiplier: fields.equity_multiplier,
            tiers: fields.tiers,
            redemption_tiers: fields.redemption_tiers,
            redemption_mode: fields.redemption_mode,
            inactivity_days: fields.inactivity_days,
            active_days: fields.active_days,
            pending_days: fields.pending_days,
            points_expiry: fields.points_expiry,
            enrolment: fields.enrolment,
        }
    }
}

/// The earn rate: `points` for each `per`.
#[declare::request]
#[schemars(rename = "EarnRate")]
struct EarnRateFields {
    /// Points for each `per` of money.
    points: EarnedPoints,
    /// The money that earns `points`.
    per: EarnedPer,
}

impl<E: DeserializeError> Deserr<E> for EarnRate {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, at: ValuePointerRef<'_>) -> Result<Self, E> {
        let EarnRateFields { points, per } = Deserr::deserialize_from_value(value, at)?;
        Ok(Self { points, per })
    }
}

impl Serialize for EarnRate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        EarnRateFields { points: self.points, per: self.per }.serialize(serializer)
    }
}

impl JsonSchema for EarnRate {
    fn schema_name() -> Cow<'static, str> {
        EarnRateFields::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        EarnRateFields::json_schema(generator)
    }
}

/// When earned points expire: at the end of the local day or month that lies `months` after they were earned.
#[declare::request]
#[schemars(rename = "PointsExpiry")]
struct PointsExpiryFields {
    /// The number of months.
    months: ExpiryMonths,
    /// The end to which the expiry is rounded up. `day` only with `months` up to 3.
    #[declare(default)]
    round_to: ExpiryRounding,
}

impl From<PointsExpiry> for PointsExpiryFields {
    fn from(expiry: PointsExpiry) -> Self {
        Self { months: expiry.months(), round_to: expiry.round_to() }
    }
}

impl<E: DeserializeError> Deserr<E> for PointsExpiry {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, at: ValuePointerRef<'_>) -> Result<Self, E> {
        let PointsExpiryFields { months, round_to } = Deserr::deserialize_from_value(value, at)?;
        Self::new(months, round_to).map_err(|rule| invalid_value(rule, at.push_key("roundTo")))
    }
}

impl Serialize for PointsExpiry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        PointsExpiryFields::from(*self).serialize(serializer)
    }
}

impl JsonSchema for PointsExpiry {
    fn schema_name() -> Cow<'static, str> {
        PointsExpiryFields::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        PointsExpiryFields::json_schema(generator)
    }
}

/// A tier of the ladder.
#[declare::request]
#[schemars(rename = "TierSetting")]
struct TierFields {
    /// The name.
    name: SingleLine,
    /// The lifetime value from which a customer qualifies, in the org's currency.
    threshold: Money,
    /// The multiplier of orders in this tier.
    #[declare(default)]
    points_multiplier: PointsMultiplier,
}

impl From<TierFields> for Tier {
    fn from(TierFields { name, threshold, points_multiplier }: TierFields) -> Self {
        Self { name, threshold, points_multiplier }
    }
}

impl From<&Tier> for TierFields {
    fn from(Tier { name, threshold, points_multiplier }: &Tier) -> Self {
        Self { name: name.clone(), threshold: *threshold, points_multiplier: *points_multiplier }
    }
}

/// A reward for points.
#[declare::request]
#[schemars(rename = "RedemptionTierSetting")]
struct RedemptionTierFields {
    /// The points to pay.
    points_cost: PointsCost,
    /// The amount that they take off an order, in the org's currency.
    reward_value: Money,
}

impl From<RedemptionTierFields> for RedemptionTier {
    fn from(RedemptionTierFields { points_cost, reward_value }: RedemptionTierFields) -> Self {
        Self { points_cost, reward_value }
    }
}

impl From<&RedemptionTier> for RedemptionTierFields {
    fn from(RedemptionTier { points_cost, reward_value }: &RedemptionTier) -> Self {
        Self { points_cost: *points_cost, reward_value: *reward_value }
    }
}

list!(Tiers of Tier as TierFields, from 1 to 20, TIERS_RULE);
list!(RedemptionTiers of RedemptionTier as RedemptionTierFields, from 0 to 20, REDEMPTION_TIERS_RULE);
