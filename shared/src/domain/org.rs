//! An org: one shop, with its settings.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, Serializer};

use crate::domain::{
    ids::OrgId,
    loyalty::Loyalty,
    money::Money,
    rejection::{FieldError, Rejection},
    text::SingleLine,
    zone::Zone,
};

/// One shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Org {
    /// Its id.
    pub id: OrgId,
    /// What people set of it.
    pub profile: OrgProfile,
    /// When its time zone last changed; `None`: never.
    pub zone_since: Option<DateTime<Utc>>,
    /// Whether it may be deleted whole; decided when it is created and never after.
    pub disposable: bool,
    /// Whether its deletion has begun: it is gone for everybody, and some of it is still there.
    pub deleting: bool,
    /// Its loyalty settings, once set.
    pub loyalty: Option<Loyalty>,
}

/// The time zone in which an org's days and clock times are read, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZoneInForce {
    /// The zone.
    pub zone: Zone,
    /// Since when, if it was another before.
    pub since: Option<DateTime<Utc>>,
}

/// What people set of an org.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrgProfile {
    /// The shop's name.
    pub name: SingleLine,
    /// Where its days and clock times are read.
    #[serde(serialize_with = "zone_name")]
    pub timezone: Zone,
    /// What its amounts are in; they are never converted.
    pub currency: Currency,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields over by reference")]
fn zone_name<S: Serializer>(zone: &Zone, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(zone.name())
}

impl Org {
    /// The settings by which points are given and spent now; a refusal where loyalty is off or was never set up.
    pub fn loyalty_in_force(&self) -> Result<&Loyalty, Rejection> {
        self.loyalty.as_ref().filter(|loyalty| loyalty.settings.enabled).ok_or(Rejection::LoyaltyDisabled)
    }

    /// Its time zone, and since when.
    #[must_use]
    pub const fn zone(&self) -> ZoneInForce {
        ZoneInForce { zone: self.profile.timezone, since: self.zone_since }
    }

    /// Refuses amounts with a fraction where the org's currency has none; each with the field that it is in.
    pub fn check_amounts<const N: usize>(&self, amounts: [(&str, Option<Money>); N]) -> Result<(), Rejection> {
        let faults = self.amounts_refused(amounts);
        if faults.is_empty() { Ok(()) } else { Err(Rejection::Invalid(faults.into())) }
    }

    /// What is wrong with amounts, each with the field that it is in: a fraction where the org's currency has none.
    pub fn amounts_refused<F: Into<String>>(
        &self,
        amounts: impl IntoIterator<Item = (F, Option<Money>)>,
    ) -> Vec<FieldError> {
        let currency = &self.profile.currency;
        let wrong = amounts.into_iter().filter(|(_, amount)| amount.is_some_and(|amount| !currency.has(amount)));
        wrong
            .map(|(field, _)| FieldError::new(field, format!("must be a whole amount in {}", currency.as_str())))
            .collect()
    }

    /// Refuses what names another currency than the org's.
    pub fn check_currency(&self, named: Option<&Currency>) -> Result<(), Rejection> {
        let own = &self.profile.currency;
        if named.is_none_or(|named| named == own) { Ok(()) } else { Err(Rejection::OtherCurrency { own: own.clone() }) }
    }

    /// The org as a PUT at `now` leaves it: `disposable` may be repeated, not changed.
    pub fn replaced(
        &self,
        profile: OrgProfile,
        disposable: Option<bool>,
        now: DateTime<Utc>,
    ) -> Result<Self, Rejection> {
        if self.deleting {
            return Err(Rejection::OrgBeingDeleted);
        }
        if disposable.is_some_and(|wanted| wanted != self.disposable) {
            return Err(Rejection::DisposableIsFixed);
        }
        let is_new = profile.timezone != self.profile.timezone;
        let zone_since = if is_new { Some(now) } else { self.zone_since };
        Ok(Self { profile, zone_since, ..self.clone() })
    }

    /// The org with its deletion begun, if it may be deleted.
    pub fn marked_for_deletion(&self) -> Result<Self, Rejection> {
        if self.disposable { Ok(Self { deleting: true, ..self.clone() }) } else { Err(Rejection::OrgNotDisposable) }
    }
}

/// An ISO 4217 code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Currency(String);

/// Why a text is not a currency code.
pub const CURRENCY_RULE: &str = "must be three capital letters, as USD";

/// Why a currency is none that an org can have.
pub const ORG_CURRENCY_RULE: &str = "must be the ISO 4217 code of a currency with two decimals or none, as USD or JPY";

impl Currency {
    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How many decimals its amounts have, by ISO 4217; `None` where the standard does not know it.
    fn decimals(&self) -> Option<u16> {
        iso_currency::Currency::from_code(&self.0)?.exponent()
    }

    /// The currency of an org, which has two decimals or none. What was stored before that was a rule is read as it is.
    pub fn of_org(self) -> Result<Self, &'static str> {
        if matches!(self.decimals(), Some(0 | 2)) { Ok(self) } else { Err(ORG_CURRENCY_RULE) }
    }

    /// The smallest amount of it, in minor units: a whole unit where it has no decimals.
    #[must_use]
    pub fn smallest(&self) -> i64 {
        if self.decimals() == Some(0) { 100 } else { 1 }
    }

    /// Whether an amount is one of this currency.
    fn has(&self, amount: Money) -> bool {
        self.floored(amount) == amount
    }

    /// The largest amount of this currency that is not above this.
    #[must_use]
    pub fn floored(&self, amount: Money) -> Money {
        let minor = amount.minor();
        Money::from_minor(minor - minor % self.smallest()).unwrap_or(Money::ZERO)
    }
}

impl TryFrom<String> for Currency {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_code = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        if is_code { Ok(Self(text)) } else { Err(CURRENCY_RULE) }
    }
}

impl Default for Currency {
    fn default() -> Self {
        Self("USD".to_owned())
    }
}
