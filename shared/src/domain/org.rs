//! An org: one shop, with its settings.

use chrono::{DateTime, Utc};

use crate::domain::{
    ids::OrgId,
    loyalty::Loyalty,
    money::{Currency, Money},
    rejection::{FieldError, Rejection},
    text::SingleLine,
    zone::{Zone, ZoneInForce},
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

/// What people set of an org.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgProfile {
    /// The shop's name.
    pub name: SingleLine,
    /// Where its days and clock times are read.
    pub timezone: Zone,
    /// What its amounts are in; they are never converted.
    pub currency: Currency,
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
        let faults = self.amount_errors(amounts);
        if faults.is_empty() { Ok(()) } else { Err(Rejection::Invalid(faults.into())) }
    }

    /// What is wrong with amounts, each with the field that it is in: a fraction where the org's currency has none.
    pub fn amount_errors<F: Into<String>>(
        &self,
        amounts: impl IntoIterator<Item = (F, Option<Money>)>,
    ) -> Vec<FieldError> {
        let currency = &self.profile.currency;
        let wrong =
            amounts.into_iter().filter(|(_, amount)| amount.is_some_and(|amount| !currency.can_represent(amount)));
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
