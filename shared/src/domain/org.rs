//! An org: one shop with its settings.

use chrono::{DateTime, Utc};

use crate::domain::{
    contact::Country,
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
    /// The id of the org.
    pub id: OrgId,
    /// The settings that a PUT of the org replaces.
    pub profile: OrgProfile,
    /// When the time zone last changed. `None` if it never changed.
    pub zone_since: Option<DateTime<Utc>>,
    /// Whether the org may be deleted with all of its data. The value is fixed at creation.
    pub disposable: bool,
    /// Whether the deletion has begun. The org is then unknown to every operation, although some of its items still
    /// exist.
    pub deleting: bool,
    /// The loyalty settings. `None` until a request sets them.
    pub loyalty: Option<Loyalty>,
}

/// The settings that a PUT of the org replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgProfile {
    /// The name of the shop.
    pub name: SingleLine,
    /// The time zone of the org's days and clock times.
    pub timezone: Zone,
    /// The currency of all amounts. Amounts are never converted.
    pub currency: Currency,
    /// The country in which telephone numbers without a country code are dialled.
    pub country: Country,
}

impl Org {
    /// The loyalty settings in force. Fails with [`Rejection::LoyaltyDisabled`] if loyalty is disabled or has no
    /// settings.
    pub fn loyalty_in_force(&self) -> Result<&Loyalty, Rejection> {
        self.loyalty.as_ref().filter(|loyalty| loyalty.settings.enabled).ok_or(Rejection::LoyaltyDisabled)
    }

    /// The time zone, and the instant of its last change.
    #[must_use]
    pub const fn zone(&self) -> ZoneInForce {
        ZoneInForce { zone: self.profile.timezone, since: self.zone_since }
    }

    /// Rejects amounts that the org's currency cannot represent. Each amount has the name of its field.
    pub fn check_amounts<F: Into<String>>(
        &self,
        amounts: impl IntoIterator<Item = (F, Option<Money>)>,
    ) -> Result<(), Rejection> {
        let errors = self.amount_errors(amounts);
        if errors.is_empty() { Ok(()) } else { Err(Rejection::Invalid(errors.into())) }
    }

    /// The errors of amounts that the org's currency cannot represent. Each amount has the name of its field.
    pub fn amount_errors<F: Into<String>>(
        &self,
        amounts: impl IntoIterator<Item = (F, Option<Money>)>,
    ) -> Vec<FieldError> {
        let currency = &self.profile.currency;
        let invalid =
            amounts.into_iter().filter(|(_, amount)| amount.is_some_and(|amount| !currency.can_represent(amount)));
        invalid
            .map(|(field, _)| FieldError::new(field, format!("must be a whole amount in {}", currency.as_str())))
            .collect()
    }

    /// Rejects a currency that is not the org's.
    pub fn check_currency(&self, named: Option<&Currency>) -> Result<(), Rejection> {
        let own = &self.profile.currency;
        if named.is_none_or(|named| named == own) { Ok(()) } else { Err(Rejection::OtherCurrency { own: own.clone() }) }
    }

    /// The org after a PUT at `now`. A request may repeat `disposable` but not change it.
    pub fn replaced(
        &self,
        profile: OrgProfile,
        disposable: Option<bool>,
        now: DateTime<Utc>,
    ) -> Result<Self, Rejection> {
        if self.deleting {
            return Err(Rejection::OrgBeingDeleted);
        }
        if disposable.is_some_and(|requested| requested != self.disposable) {
            return Err(Rejection::DisposableIsFixed);
        }
        let is_new_zone = profile.timezone != self.profile.timezone;
        let zone_since = if is_new_zone { Some(now) } else { self.zone_since };
        Ok(Self { profile, zone_since, ..self.clone() })
    }

    /// The org with its deletion begun. Fails with [`Rejection::OrgNotDisposable`].
    pub fn marked_for_deletion(&self) -> Result<Self, Rejection> {
        if self.disposable { Ok(Self { deleting: true, ..self.clone() }) } else { Err(Rejection::OrgNotDisposable) }
    }
}
