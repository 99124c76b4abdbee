//! Rates and multipliers: exact decimals with at most four decimals, each within its own bounds.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Serialize, Serializer};

use crate::domain::{decimal, money::Money};

macro_rules! rate {
    ($(#[$doc:meta])* $name:ident, from $min:literal to $max:literal, default $default:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name(Decimal);

        impl $name {
            /// Why a number is not one of these.
            pub const RULE: &'static str = concat!(
                "must be a number from ", stringify!($min), " to ", stringify!($max), " with at most four decimals"
            );

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
    };
}

rate!(
    /// Points earned for each unit of currency.
    PointsPerDollar, from 0 to 1000, default Decimal::ONE
);
rate!(
    /// What an order earns more with equity status.
    EquityMultiplier, from 1 to 10, default Decimal::from_parts(12, 0, 0, false, 1)
);
rate!(
    /// What an order earns more in a tier.
    PointsMultiplier, from 0 to 100, default Decimal::ONE
);

impl EquityMultiplier {
    /// The multiplier of an order without equity status.
    pub const NONE: Self = Self(Decimal::ONE);
}

/// So many points for each so much money: "1 point for each $3".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EarnRate {
    /// The points.
    pub points: EarnedPoints,
    /// The money.
    pub per: EarnedPer,
}

impl EarnRate {
    /// The nearest rate below it that has four decimals, for those who know no other: at most the largest there is.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct EarnedPoints(i64);

impl EarnedPoints {
    /// Why a number is not one of these.
    pub const RULE: &'static str = "must be a whole number from 1 to 1000";

    /// The number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for EarnedPoints {
    type Error = &'static str;

    fn try_from(points: i64) -> Result<Self, Self::Error> {
        if (1..=1_000).contains(&points) { Ok(Self(points)) } else { Err(Self::RULE) }
    }
}

/// The money of an earn rate: never nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct EarnedPer(Money);

impl EarnedPer {
    /// Why an amount is not one of these.
    pub const RULE: &'static str = "must be an amount from 0.01 to 100000000000 with at most two decimals";

    /// The amount.
    #[must_use]
    pub const fn get(self) -> Money {
        self.0
    }
}

impl TryFrom<Money> for EarnedPer {
    type Error = &'static str;

    fn try_from(per: Money) -> Result<Self, Self::Error> {
        if per > Money::ZERO { Ok(Self(per)) } else { Err(Self::RULE) }
    }
}
