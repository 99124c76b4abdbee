//! Amounts of money: whole minor units, never a float. A minor unit is a hundredth, whatever the currency: one without
//! decimals has amounts of whole units alone.

use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde::{Deserialize, Serialize, Serializer};

use crate::domain::decimal;

/// An amount in minor units; never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i64);

/// Why a number is not an amount that a request may name.
pub const AMOUNT_RULE: &str = "must be an amount from 0 to 100000000000 with at most two decimals";

/// The largest amount that a request may name, in minor units.
const REQUESTED_MINOR_MAX: i64 = 10_000_000_000_000;

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The largest amount that a request may name.
    pub const REQUESTED_MAX: Self = Self(REQUESTED_MINOR_MAX);

    /// A whole number of major units.
    #[must_use]
    pub(super) fn from_major(major: u32) -> Self {
        Self(100 * i64::from(major))
    }

    /// An amount kept earlier, in minor units; `None` below zero.
    #[must_use]
    pub fn from_minor(minor: i64) -> Option<Self> {
        (minor >= 0).then_some(Self(minor))
    }

    /// An amount as a request names it.
    pub fn from_request(value: Decimal) -> Result<Self, &'static str> {
        let minor =
            value.checked_mul(Decimal::ONE_HUNDRED).filter(|_| value.scale() <= 2).and_then(|minor| minor.to_i64());
        minor.filter(|minor| (0..=REQUESTED_MINOR_MAX).contains(minor)).map(Self).ok_or(AMOUNT_RULE)
    }

    /// The amount in minor units.
    #[must_use]
    pub const fn minor(self) -> i64 {
        self.0
    }

    /// The amount in major units, exactly.
    #[must_use]
    pub fn decimal(self) -> Decimal {
        Decimal::new(self.0, 2)
    }

    /// The largest sum, in minor units: a JSON number holds it exactly in every language.
    const SUM_MINOR_MAX: i64 = 1_000_000_000_000_000;

    /// The sum; `None` beyond what is kept.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).filter(|sum| *sum <= Self::SUM_MINOR_MAX).map(Self)
    }

    /// The difference; `None` below zero.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).and_then(Self::from_minor)
    }
}

/// In answers an amount is a number of major units: `49.9`, `50`.
impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        decimal::serialize(&self.decimal(), serializer)
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
    pub fn validate_for_org(self) -> Result<Self, &'static str> {
        if matches!(self.decimals(), Some(0 | 2)) { Ok(self) } else { Err(ORG_CURRENCY_RULE) }
    }

    /// The increment amount of it, in minor units: a whole unit where it has no decimals.
    #[must_use]
    pub fn increment(&self) -> i64 {
        if self.decimals() == Some(0) { 100 } else { 1 }
    }

    /// Whether an amount is one of this currency.
    pub(super) fn can_represent(&self, amount: Money) -> bool {
        self.floor(amount) == amount
    }

    /// The largest amount of this currency that is not above this.
    #[must_use]
    pub fn floor(&self, amount: Money) -> Money {
        let minor = amount.minor();
        Money::from_minor(minor - minor % self.increment()).unwrap_or(Money::ZERO)
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
