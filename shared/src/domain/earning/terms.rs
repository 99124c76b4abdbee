//! The terms by which an order earns points.

use rust_decimal::Decimal;

use crate::domain::{
    money::Money,
    points::Points,
    rate::{EarnRate, EquityMultiplier, PointsMultiplier, PointsPerDollar},
    rejection::Rejection,
};

/// Minor units of a unit of currency, as money is kept, whatever the currency.
const MINOR_UNITS: i128 = 100;

/// The rate and multipliers an order earned by. Refunds are counted by the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EarningTerms {
    /// Points for each unit of currency.
    pub points_per_dollar: PointsPerDollar,
    /// Points for each so much money; wins over `points_per_dollar`.
    pub earn_rate: Option<EarnRate>,
    /// The equity multiplier as applied; 1 without equity status.
    pub equity: EquityMultiplier,
    /// The multiplier of the tier held before the order.
    pub tier: PointsMultiplier,
}

impl EarningTerms {
    /// `floor(total x pointsPerDollar x equity x tier)`, or with an earn rate `floor(total x points x equity x tier / per)`:
    /// formed exactly, in whole numbers, and floored once.
    ///
    /// Within the bounds of its parts a product has at most 32 digits, which 128 bits hold. What comes to more points than
    /// are kept is out of range.
    pub fn points_for(&self, total: Money) -> Result<Points, Rejection> {
        /// Multipliers have four decimals at most.
        const SCALE: i128 = 10_000;
        let scaled = |value: Decimal| value.mantissa() * SCALE / 10_i128.pow(value.scale());
        let multipliers = scaled(self.equity.get()) * scaled(self.tier.get());
        let total = i128::from(total.minor());
        let points = match self.earn_rate {
            Some(EarnRate { points, per }) => {
                total * i128::from(points.get()) * multipliers / (i128::from(per.get().minor()) * SCALE * SCALE)
            }
            None => total * scaled(self.points_per_dollar.get()) * multipliers / (MINOR_UNITS * SCALE * SCALE * SCALE),
        };
        let points = i64::try_from(points).ok().and_then(|points| Points::ZERO.plus(Points(points)));
        points.ok_or(Rejection::OutOfRange { figure: "points" })
    }
}
