//! The terms by which an order earns points.

use rust_decimal::Decimal;

use crate::domain::{
    money::Money,
    points::Points,
    rate::{EarnRate, EquityMultiplier, PointsMultiplier, PointsPerDollar},
    rejection::Rejection,
};

/// Minor units in a unit of currency. Money has hundredths in every currency.
const MINOR_UNITS: i128 = 100;

/// The rate and the multipliers of an award. The refunds of the order use the same terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EarningTerms {
    /// Points for each unit of currency.
    pub points_per_dollar: PointsPerDollar,
    /// Points for an amount of money. If set, it replaces `points_per_dollar`.
    pub earn_rate: Option<EarnRate>,
    /// The equity multiplier that was applied. It is 1 without equity status.
    pub equity: EquityMultiplier,
    /// The multiplier of the tier held before the order.
    pub tier: PointsMultiplier,
}

impl EarningTerms {
    /// The points for a total: `floor(total x pointsPerDollar x equity x tier)`. With an earn rate: `floor(total x
    /// points x equity x tier / per)`. The product is computed exactly in whole numbers and floored once.
    ///
    /// Within the bounds of its factors, the product has at most 32 digits and fits into 128 bits. Fails with
    /// [`Rejection::OutOfRange`] if the points exceed the range of a balance.
    pub fn points_for(&self, total: Money) -> Result<Points, Rejection> {
        /// Multipliers have at most four decimals.
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
