//! The stored form of an org and its loyalty settings.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    earn_rate::EarnRateForm,
    values::{decimal, if_known, money},
};
use crate::domain::{
    contact::Country,
    ids::OrgId,
    lots::dates::{ExpiryMonths, ExpiryRounding, PendingDays, PointsExpiry},
    loyalty::{Enrolment, Loyalty, LoyaltySettings, RedemptionMode, RedemptionTier, Tier},
    money::Currency,
    org::{Org, OrgProfile},
    text::SingleLine,
    time,
};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct OrgForm {
    org_id: OrgId,
    name: SingleLine,
    timezone: String,
    #[serde(default, serialize_with = "time::serialize_option", skip_serializing_if = "Option::is_none")]
    zone_since: Option<DateTime<Utc>>,
    currency: Currency,
    /// Absent for the default.
    #[serde(default, deserialize_with = "if_known", skip_serializing_if = "Option::is_none")]
    country: Option<Country>,
    disposable: bool,
    #[serde(default)]
    deleting: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    loyalty: Option<LoyaltyForm>,
    version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoyaltyForm {
    enabled: bool,
    points_per_dollar: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    earn_rate: Option<EarnRateForm>,
    equity_multiplier: String,
    tiers: Vec<TierForm>,
    redemption_tiers: Vec<RedemptionTierForm>,
    redemption_mode: RedemptionMode,
    inactivity_days: i64,
    active_days: i64,
    #[serde(default, skip_serializing_if = "PendingDays::is_zero")]
    pending_days: PendingDays,
    #[serde(default, deserialize_with = "if_known", skip_serializing_if = "Option::is_none")]
    points_expiry: Option<PointsExpiryForm>,
    /// Absent for the default.
    #[serde(default, deserialize_with = "if_known", skip_serializing_if = "Option::is_none")]
    enrolment: Option<Enrolment>,
    #[serde(rename = "tierRules")]
    tier_rules_version: u64,
    #[serde(rename = "settledRules", default)]
    applied_rules_version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PointsExpiryForm {
    months: ExpiryMonths,
    round_to: ExpiryRounding,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TierForm {
    name: SingleLine,
    threshold: i64,
    points_multiplier: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RedemptionTierForm {
    points_cost: i64,
    reward_value: i64,
}

impl OrgForm {
    pub(in crate::store) fn new(org: &Org, version: u64) -> Self {
        let OrgProfile { name, timezone, currency, country } = org.profile.clone();
        let loyalty = org.loyalty.as_ref().map(LoyaltyForm::from);
        Self {
            org_id: org.id.clone(),
            name,
            timezone: timezone.name().into(),
            zone_since: org.zone_since,
            currency,
            country: (country != Country::default()).then_some(country),
            disposable: org.disposable,
            deleting: org.deleting,
            loyalty,
            version,
        }
    }
}

impl TryFrom<OrgForm> for (Org, u64) {
    type Error = &'static str;

    fn try_from(form: OrgForm) -> Result<Self, Self::Error> {
        let timezone = form.timezone.parse().map_err(|_| "an unknown time zone")?;
        let value = Org {
            id: form.org_id,
            profile: OrgProfile {
                name: form.name,
                timezone,
                currency: form.currency,
                country: form.country.unwrap_or_default(),
            },
            zone_since: form.zone_since,
            disposable: form.disposable,
            deleting: form.deleting,
            loyalty: form.loyalty.map(TryInto::try_into).transpose()?,
        };
        Ok((value, form.version))
    }
}

impl From<&Loyalty> for LoyaltyForm {
    fn from(Loyalty { settings, tier_rules_version, applied_rules_version }: &Loyalty) -> Self {
        let tier = |tier: &Tier| TierForm {
            name: tier.name.clone(),
            threshold: tier.threshold.minor(),
            points_multiplier: tier.points_multiplier.get().to_string(),
        };
        let redemption_tier = |tier: &RedemptionTier| RedemptionTierForm {
            points_cost: tier.points_cost.get().0,
            reward_value: tier.reward_value.minor(),
        };
        Self {
            enabled: settings.enabled,
            points_per_dollar: settings.points_per_dollar.get().to_string(),
            earn_rate: settings.earn_rate.map(EarnRateForm::from),
            equity_multiplier: settings.equity_multiplier.get().to_string(),
            tiers: settings.tiers.iter().map(tier).collect(),
            redemption_tiers: settings.redemption_tiers.iter().map(redemption_tier).collect(),
            redemption_mode: settings.redemption_mode,
            inactivity_days: settings.inactivity_days.get().into(),
            active_days: settings.active_days.get().into(),
            pending_days: settings.pending_days,
            points_expiry: settings
                .points_expiry
                .map(|expiry| PointsExpiryForm { months: expiry.months(), round_to: expiry.round_to() }),
            enrolment: Some(settings.enrolment).filter(|enrolment| *enrolment != Enrolment::default()),
            tier_rules_version: *tier_rules_version,
            applied_rules_version: *applied_rules_version,
        }
    }
}

impl TryFrom<LoyaltyForm> for Loyalty {
    type Error = &'static str;

    fn try_from(form: LoyaltyForm) -> Result<Self, Self::Error> {
        let tier = |tier: TierForm| -> Result<Tier, &'static str> {
            let (threshold, points_multiplier) = (money(tier.threshold)?, decimal(&tier.points_multiplier)?);
            Ok(Tier { name: tier.name, threshold, points_multiplier })
        };
        let redemption_tier = |tier: RedemptionTierForm| -> Result<RedemptionTier, &'static str> {
            Ok(RedemptionTier { points_cost: tier.points_cost.try_into()?, reward_value: money(tier.reward_value)? })
        };
        let tiers: Vec<_> = form.tiers.into_iter().map(tier).collect::<Result<_, _>>()?;
        let redemption_tiers: Vec<_> =
            form.redemption_tiers.into_iter().map(redemption_tier).collect::<Result<_, _>>()?;
        let expiry =
            form.points_expiry.map(|PointsExpiryForm { months, round_to }| PointsExpiry::new(months, round_to));
        let settings = LoyaltySettings {
            enabled: form.enabled,
            points_per_dollar: decimal(&form.points_per_dollar)?,
            earn_rate: form.earn_rate.map(TryInto::try_into).transpose()?,
            equity_multiplier: decimal(&form.equity_multiplier)?,
            tiers: tiers.try_into()?,
            redemption_tiers: redemption_tiers.try_into()?,
            redemption_mode: form.redemption_mode,
            inactivity_days: form.inactivity_days.try_into()?,
            active_days: form.active_days.try_into()?,
            pending_days: form.pending_days,
            points_expiry: expiry.transpose()?,
            enrolment: form.enrolment.unwrap_or_default(),
        };
        let LoyaltyForm { tier_rules_version, applied_rules_version, .. } = form;
        Ok(Self { settings, tier_rules_version, applied_rules_version })
    }
}
