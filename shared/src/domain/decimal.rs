//! Decimals as requests write them and as answers show them.

use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde::Serializer;

/// Writes a decimal as a JSON number, whole where it is whole.
pub(crate) fn serialize_decimal<S: Serializer>(value: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    let value = value.normalize();
    if let Some(whole) = value.is_integer().then(|| value.to_i64()).flatten() {
        return serializer.serialize_i64(whole);
    }
    let float = value.to_f64().ok_or_else(|| serde::ser::Error::custom("not a number"))?;
    serializer.serialize_f64(float)
}

/// Reads digits, with decimals after a point if any: no sign, no exponent, no spaces.
#[must_use]
pub fn plain_decimal(text: &str) -> Option<Decimal> {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_plain = text.split_once('.').map_or_else(|| digits(text), |(whole, rest)| digits(whole) && digits(rest));
    // Zeros at the end say nothing, however many there are.
    let said = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
    is_plain.then(|| Decimal::from_str_exact(said).ok()).flatten()
}
