//! The figures of a week as the answer and the log show them.

use chrono::NaiveDate;
use shared::domain::{
    decimal::TwoPlaceDecimal,
    money::{Currency, Money},
    report::figures::{LeftAtRisk, OrderAverage, Share, TierShare, WeekFigures, WeeklyCount},
    text::SingleLine,
};

/// The figures of a week.
#[declare::answer]
pub struct WeekFiguresView {
    /// The first day, in the org's time zone.
    #[schemars(with = "String", extend("format" = "date", "examples" = ["2026-12-21"]))]
    pub from: NaiveDate,
    /// The last day, in the org's time zone.
    #[schemars(with = "String", extend("format" = "date", "examples" = ["2026-12-27"]))]
    pub to: NaiveDate,
    /// The currency of all amounts.
    pub currency: Currency,
    /// Of the status changes that the clock made due, the share recorded within ten minutes, which is two runs of the
    /// job.
    pub transitions: ShareView,
    /// Bundles redeemed in the week and not given back.
    pub redemptions: WeeklyCountView,
    /// The amount that these redemptions saved customers, in `currency`.
    pub savings: Money,
    /// Awarded orders.
    pub awards: WeeklyCountView,
    /// Changes of tier.
    pub tier_changes: WeeklyCountView,
    /// Of the customers who were active when the org was last scored, the share whose score is at most eight days old.
    pub scored: ShareView,
    /// Of all customers, the share who earned points.
    pub earning: ShareView,
    /// The share of customers in each tier, lowest tier first. A tier that the settings no longer list is missing.
    pub tiers: Vec<TierShareView>,
    /// Of the customers at high or critical risk whose horizon has ended, the share who left.
    pub left_at_risk: LeftAtRiskView,
    /// Awarded orders with a bundle that was not given back.
    pub bundle_orders: OrderAverageView,
    /// Awarded orders without a bundle.
    pub other_orders: OrderAverageView,
}

impl From<WeekFigures> for WeekFiguresView {
    fn from(figures: WeekFigures) -> Self {
        Self {
            from: figures.from,
            to: figures.to,
            currency: figures.currency,
            transitions: figures.transitions.into(),
            redemptions: figures.redemptions.into(),
            savings: figures.savings,
            awards: figures.awards.into(),
            tier_changes: figures.tier_changes.into(),
            scored: figures.scored.into(),
            earning: figures.earning.into(),
            tiers: figures.tiers.into_iter().map(TierShareView::from).collect(),
            left_at_risk: figures.left_at_risk.into(),
            bundle_orders: figures.bundle_orders.into(),
            other_orders: figures.other_orders.into(),
        }
    }
}

/// A count as a share of a total.
#[declare::answer]
pub struct ShareView {
    /// The count.
    pub count: u64,
    /// The total.
    pub of: u64,
    /// The share in percent, floored to two decimals. Absent if the total is 0.
    pub percent: Option<TwoPlaceDecimal>,
    /// The target in percent. Absent without a target.
    pub target: Option<u32>,
}

impl From<Share> for ShareView {
    fn from(share: Share) -> Self {
        Self { count: share.count, of: share.of, percent: share.percent(), target: share.target }
    }
}

/// The number of events in a week.
#[declare::answer]
pub struct WeeklyCountView {
    /// The number of events.
    pub count: u64,
    /// Events per day, floored to two decimals.
    pub per_day: TwoPlaceDecimal,
}

impl From<WeeklyCount> for WeeklyCountView {
    fn from(count: WeeklyCount) -> Self {
        Self { count: count.0, per_day: count.per_day() }
    }
}

/// The share of customers in one tier.
#[declare::answer]
pub struct TierShareView {
    /// The name of the tier.
    pub name: SingleLine,
    /// The share of all customers.
    #[serde(flatten)]
    pub share: ShareView,
}

impl From<TierShare> for TierShareView {
    fn from(TierShare { name, share }: TierShare) -> Self {
        Self { name, share: share.into() }
    }
}

/// The number of orders, and their average total.
#[declare::answer]
pub struct OrderAverageView {
    /// The number of orders.
    pub count: u64,
    /// The average amount paid, in the org's currency, floored to the minor unit. Absent without orders.
    pub average: Option<Money>,
}

impl From<OrderAverage> for OrderAverageView {
    fn from(OrderAverage { count, average }: OrderAverage) -> Self {
        Self { count, average }
    }
}

/// The share of customers who left. It has no target.
#[declare::answer]
pub struct ShareLeftView {
    /// The customers who left.
    pub count: u64,
    /// The customers at risk.
    pub of: u64,
    /// The share in percent, floored to two decimals. Absent if no customer was at risk.
    pub percent: Option<TwoPlaceDecimal>,
}

impl From<Share> for ShareLeftView {
    fn from(share: Share) -> Self {
        Self { count: share.count, of: share.of, percent: share.percent() }
    }
}

/// Of the customers predicted to be at risk whose horizon has ended, the share who left.
#[declare::answer]
pub struct LeftAtRiskView {
    /// Predictions whose horizon ended in this week.
    #[serde(flatten)]
    pub this_week: ShareLeftView,
    /// Predictions whose horizon ended in the same days four weeks earlier. Absent if predictions of that age are not
    /// stored.
    pub month_before: Option<ShareLeftView>,
}

impl From<LeftAtRisk> for LeftAtRiskView {
    fn from(LeftAtRisk { this_week, month_before }: LeftAtRisk) -> Self {
        Self { this_week: this_week.into(), month_before: month_before.map(ShareLeftView::from) }
    }
}
