//! The figures of a week as the answer and the log show them.

use chrono::NaiveDate;
use serde::Serialize;
use shared::domain::{
    decimal::TwoPlaceDecimal,
    money::{Currency, Money},
    report::figures::{LeftAtRisk, OrderAverage, Share, TierShare, WeekFigures, WeeklyCount},
    text::SingleLine,
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WeekFiguresView {
    from: NaiveDate,
    to: NaiveDate,
    currency: Currency,
    transitions: ShareView,
    redemptions: WeeklyCountView,
    savings: Money,
    awards: WeeklyCountView,
    tier_changes: WeeklyCountView,
    scored: ShareView,
    earning: ShareView,
    tiers: Vec<TierShareView>,
    left_at_risk: LeftAtRiskView,
    bundle_orders: OrderAverageView,
    other_orders: OrderAverageView,
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

#[derive(Serialize)]
struct ShareView {
    count: u64,
    of: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    percent: Option<TwoPlaceDecimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<u32>,
}

impl From<Share> for ShareView {
    fn from(share: Share) -> Self {
        Self { count: share.count, of: share.of, percent: share.percent(), target: share.target }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WeeklyCountView {
    count: u64,
    per_day: TwoPlaceDecimal,
}

impl From<WeeklyCount> for WeeklyCountView {
    fn from(count: WeeklyCount) -> Self {
        Self { count: count.0, per_day: count.per_day() }
    }
}

#[derive(Serialize)]
struct TierShareView {
    name: SingleLine,
    #[serde(flatten)]
    share: ShareView,
}

impl From<TierShare> for TierShareView {
    fn from(TierShare { name, share }: TierShare) -> Self {
        Self { name, share: share.into() }
    }
}

#[derive(Serialize)]
struct OrderAverageView {
    count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    average: Option<Money>,
}

impl From<OrderAverage> for OrderAverageView {
    fn from(OrderAverage { count, average }: OrderAverage) -> Self {
        Self { count, average }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LeftAtRiskView {
    #[serde(flatten)]
    this_week: ShareView,
    #[serde(skip_serializing_if = "Option::is_none")]
    month_before: Option<ShareView>,
}

impl From<LeftAtRisk> for LeftAtRiskView {
    fn from(LeftAtRisk { this_week, month_before }: LeftAtRisk) -> Self {
        Self { this_week: this_week.into(), month_before: month_before.map(ShareView::from) }
    }
}
