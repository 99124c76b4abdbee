//! Rates and multipliers: exact decimals with at most four decimal places, each within its own bounds.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::{decimal, money::Money};

macro_rules! rate {
    ($(#[$doc:meta])* $name:ident, from $min:literal to $max:literal, default $default:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name(Decimal);

        impl $name {
            /// The rule for this number, as an error message.
            pub const RULE: &'static str = concat!(
                "must be a number from ", stringify!($min), " to ", stringify!($max), " with at most four decimals"
            );

            /// The smallest and the largest value.
            pub const BOUNDS: (u64, u64) = ($min, $max);

            /// The exact value.
            #[must_use]
            pub const fn get(self) -> Decimal {
                self.0
            }
        }

        impl TryFrom<Decimal> for $name {
            type Error = &'static str;

            fn try_from(value: Decimal) -> Result<Self, Self::Error> {
                let within = Decimal::from($min) <= value && value <= Decimal::from($max) && value.scale() <= 4;
                if within { Ok(Self(value.normalize())) } else { Err(Self::RULE) }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self($default)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                decimal::serialize(&self.0, serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::try_from(decimal::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

rate!(
    /// Points earned for each unit of currency.
    PointsPerDollar, from 0 to 1000, default Decimal::ONE
);
rate!(
    /// The multiplier of orders with equity status.
    EquityMultiplier, from 1 to 10, default Decimal::from_parts(12, 0, 0, false, 1)
);
rate!(
    /// The multiplier of orders in a tier.
    PointsMultiplier, from 0 to 100, default Decimal::ONE
);

impl EquityMultiplier {
    /// The multiplier of an order without equity status.
    pub const NONE: Self = Self(Decimal::ONE);
}

/// An earn rate, for example "1 point for each $3".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EarnRate {
    /// The points that each `per` of money earns.
    pub points: EarnedPoints,
    /// The money that earns `points`.
    pub per: EarnedPer,
}

impl EarnRate {
    /// The rate in points for each unit of currency, floored to four decimals and at most [`PointsPerDollar::MAX`].
    /// Clients that do not know earn rates read it.
    #[must_use]
    pub fn points_per_dollar(&self) -> PointsPerDollar {
        let exact = Decimal::from(self.points.get()) / self.per.get().decimal();
        let floored = exact.round_dp_with_strategy(4, RoundingStrategy::ToZero);
        PointsPerDollar(floored.min(PointsPerDollar::MAX).normalize())
    }
}

impl PointsPerDollar {
    const MAX: Decimal = Decimal::ONE_THOUSAND;
}

/// The points of an earn rate: 1 to 1,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "i64", try_from = "i64")]
pub struct EarnedPoints(i64);

impl EarnedPoints {
    /// The rule for this number, as an error message.
    pub const RULE: &'static str = "must be a whole number from 1 to 1000";

    /// The smallest and the largest number.
    pub const BOUNDS: (i64, i64) = (1, 1_000);

    /// The number of points.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl From<EarnedPoints> for i64 {
    fn from(points: EarnedPoints) -> Self {
        points.0
    }
}

impl TryFrom<i64> for EarnedPoints {
    type Error = &'static str;

    fn try_from(points: i64) -> Result<Self, Self::Error> {
        if (Self::BOUNDS.0..=Self::BOUNDS.1).contains(&points) { Ok(Self(points)) } else { Err(Self::RULE) }
    }
}

/// The money of an earn rate, always above 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Money", try_from = "Money")]
pub struct EarnedPer(Money);

impl EarnedPer {
    /// The rule for this amount, as an error message.
    pub const RULE: &'static str = "must be an amount from 0.01 to 100000000000 with at most two decimals";

    /// The amount.
    #[must_use]
    pub const fn get(self) -> Money {
        self.0
    }
}

impl From<EarnedPer> for Money {
    fn from(per: EarnedPer) -> Self {
        per.0
    }
}

impl TryFrom<Money> for EarnedPer {
    type Error = &'static str;

    fn try_from(per: Money) -> Result<Self, Self::Error> {
        if per > Money::ZERO { Ok(Self(per)) } else { Err(Self::RULE) }
    }
}
