//! Amounts of money as whole minor units, never as floats. A minor unit is a hundredth in every currency. In a currency
//! without decimals, every amount is a whole number of major units.

use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::decimal;

/// An amount in minor units, never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i64);

/// The rule for amounts in requests, as an error message.
pub const AMOUNT_RULE: &str = "must be an amount from 0 to 100000000000 with at most two decimals";

/// The largest amount that a request may contain, in minor units.
const REQUESTED_MINOR_MAX: i64 = 10_000_000_000_000;

impl Money {
    /// The amount 0.
    pub const ZERO: Self = Self(0);

    /// The largest amount that a request may contain.
    pub const REQUESTED_MAX: Self = Self(REQUESTED_MINOR_MAX);

    /// An amount of whole major units.
    #[must_use]
    pub(super) fn from_major(major: u32) -> Self {
        Self(100 * i64::from(major))
    }

    /// An amount from minor units. Returns `None` if the number is negative.
    #[must_use]
    pub fn from_minor(minor: i64) -> Option<Self> {
        (minor >= 0).then_some(Self(minor))
    }

    /// An amount from the decimal number of major units in a request. Fails with [`AMOUNT_RULE`].
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

    /// The exact amount in major units.
    #[must_use]
    pub fn decimal(self) -> Decimal {
        Decimal::new(self.0, 2)
    }

    /// The largest sum, in minor units. Every language can represent it exactly as a JSON number.
    const SUM_MINOR_MAX: i64 = 1_000_000_000_000_000;

    /// The sum. Returns `None` if the sum exceeds the largest amount that is stored.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).filter(|sum| *sum <= Self::SUM_MINOR_MAX).map(Self)
    }

    /// The difference. Returns `None` if it is negative.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).and_then(Self::from_minor)
    }
}

/// JSON shows an amount as a number of major units: `49.9`, `50`.
impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        decimal::serialize(&self.decimal(), serializer)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let minor = decimal::deserialize(deserializer)?.checked_mul(Decimal::ONE_HUNDRED);
        let minor = minor.filter(Decimal::is_integer).and_then(|minor| minor.to_i64());
        minor.and_then(Self::from_minor).ok_or_else(|| serde::de::Error::custom(AMOUNT_RULE))
    }
}

/// An ISO 4217 currency code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Currency(String);

/// The rule for currency codes, as an error message.
pub const CURRENCY_RULE: &str = "must be three capital letters, such as USD";

/// The rule for the currency of an org, as an error message.
pub const ORG_CURRENCY_RULE: &str =
    "must be the ISO 4217 code of a currency with two decimals or none, such as USD or JPY";

impl Currency {
    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number of decimals of the currency by ISO 4217. Returns `None` if the standard does not list the code.
    fn decimals(&self) -> Option<u16> {
        iso_currency::Currency::from_code(&self.0)?.exponent()
    }

    /// Accepts a currency with two decimals or none, as an org's currency must have. Items stored before this rule
    /// existed may contain other currencies and are still read.
    pub fn validate_for_org(self) -> Result<Self, &'static str> {
        if matches!(self.decimals(), Some(0 | 2)) { Ok(self) } else { Err(ORG_CURRENCY_RULE) }
    }

    /// The smallest difference between two amounts, in minor units. It is 100 for a currency without decimals.
    #[must_use]
    pub fn increment(&self) -> i64 {
        if self.decimals() == Some(0) { 100 } else { 1 }
    }

    /// Whether the currency can represent an amount.
    pub(super) fn can_represent(&self, amount: Money) -> bool {
        self.floor(amount) == amount
    }

    /// The largest amount of this currency that does not exceed `amount`.
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
