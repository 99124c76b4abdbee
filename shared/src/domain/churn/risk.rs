//! A probability of churn, and its risk level.

use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

use crate::domain::{decimal, names::named};

/// A probability in hundredths of a percent, from 0 to 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Probability(u16);

impl Probability {
    /// A probability from hundredths of a percent. Returns `None` above 10,000.
    #[must_use]
    pub const fn from_hundredths(hundredths: u16) -> Option<Self> {
        if hundredths <= 10_000 { Some(Self(hundredths)) } else { None }
    }

    /// A probability from a percentage, rounded to two decimals. Returns `None` unless the percentage is a number from
    /// 0 to 100.
    #[must_use]
    pub fn from_percent(percent: f64) -> Option<Self> {
        let hundredths = Some(percent).filter(|percent| (0.0..=100.0).contains(percent))?;
        (hundredths * 100.0).round().to_u16().and_then(Self::from_hundredths)
    }

    /// A probability from a fraction, rounded to four decimals. Returns `None` unless the fraction is a number from 0
    /// to 1.
    #[must_use]
    pub fn from_share(share: f64) -> Option<Self> {
        Self::from_percent(share * 100.0)
    }

    /// The nearest probability whose distance from `other` is at most the given hundredths of a percent.
    #[must_use]
    pub fn clamp_near(self, other: Self, hundredths: u16) -> Self {
        Self(self.0.clamp(other.0.saturating_sub(hundredths), other.0.saturating_add(hundredths)))
    }

    /// The probability in hundredths of a percent.
    #[must_use]
    pub const fn hundredths(self) -> u16 {
        self.0
    }

    /// The probability as a fraction from 0 to 1.
    #[must_use]
    pub fn share(self) -> f64 {
        f64::from(self.0) / 10_000.0
    }
}

/// JSON shows a probability as a percentage: `83.1`, `100`.
impl Serialize for Probability {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        decimal::serialize(&Decimal::new(i64::from(self.0), 2), serializer)
    }
}

impl<'de> Deserialize<'de> for Probability {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let percent = f64::deserialize(deserializer)?;
        Self::from_percent(percent).ok_or_else(|| serde::de::Error::custom("must be a number from 0 to 100"))
    }
}

/// The risk that a customer leaves, as a level.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EnumString, IntoStaticStr, VariantArray, VariantNames,
)]
#[strum(serialize_all = "lowercase")]
pub enum RiskLevel {
    /// Up to 25 %.
    Low,
    /// Above 25 %, up to 50 %.
    Medium,
    /// Above 50 %, up to 75 %.
    High,
    /// Above 75 %.
    Critical,
}

named!(RiskLevel);

impl RiskLevel {
    /// The level of a probability.
    #[must_use]
    pub const fn of(probability: Probability) -> Self {
        match probability.hundredths() {
            0..=2_500 => Self::Low,
            2_501..=5_000 => Self::Medium,
            5_001..=7_500 => Self::High,
            _ => Self::Critical,
        }
    }
}
