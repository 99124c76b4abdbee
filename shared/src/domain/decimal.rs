//! Decimals as requests write them and as answers show them.

use std::fmt;

use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number with at most two decimals. Its text and its JSON number have no trailing zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TwoPlaceDecimal(Decimal);

impl TwoPlaceDecimal {
    /// A number of hundredths.
    #[must_use]
    pub fn from_hundredths(hundredths: i64) -> Self {
        Self(Decimal::new(hundredths, 2))
    }

    /// The value rounded to two decimals. A tie is rounded to the even neighbour.
    #[must_use]
    pub fn rounded(value: Decimal) -> Self {
        Self(value.round_dp(2))
    }
}

impl fmt::Display for TwoPlaceDecimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.normalize().fmt(f)
    }
}

impl Serialize for TwoPlaceDecimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for TwoPlaceDecimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize(deserializer).map(Self::rounded)
    }
}

/// Reads a JSON number that [`serialize`] wrote.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    let number = f64::deserialize(deserializer)?;
    // The shortest decimal of the float is the number that was written.
    Decimal::from_str_exact(&number.to_string()).map_err(serde::de::Error::custom)
}

/// Writes a decimal as a JSON number, without a fraction if the value is whole.
pub(super) fn serialize<S: Serializer>(value: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    let value = value.normalize();
    if let Some(whole) = value.is_integer().then(|| value.to_i64()).flatten() {
        return serializer.serialize_i64(whole);
    }
    let float = value.to_f64().ok_or_else(|| serde::ser::Error::custom("not a number"))?;
    serializer.serialize_f64(float)
}

/// Reads digits with an optional decimal point. Returns `None` if the text has a sign, an exponent or spaces.
#[must_use]
pub fn plain_decimal(text: &str) -> Option<Decimal> {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_plain = text.split_once('.').map_or_else(|| digits(text), |(whole, rest)| digits(whole) && digits(rest));
    // Trailing zeros do not change the value, but a long run of them would exceed the precision of `Decimal`.
    let significant = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
    is_plain.then(|| Decimal::from_str_exact(significant).ok()).flatten()
}
