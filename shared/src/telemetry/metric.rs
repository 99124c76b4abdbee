//! Every custom metric, and the values that a metric can have.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use strum::IntoStaticStr;

/// A custom metric. `CloudWatch` stores each under its own name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr)]
pub enum Metric {
    /// Transitions of a bundle into `active`.
    Activated,
    /// The area under the ROC curve of past predictions, one value an org.
    Auc,
    /// The Brier score of past predictions, one value an org.
    Brier,
    /// Customers scored by Claude.
    ByClaude,
    /// Customers scored by the statistical model alone.
    ByStatistics,
    /// Probabilities of Claude that were limited to the allowed distance from the statistical model.
    Clipped,
    /// Contacts of customers whom an order enrolled that were invalid, or shared by too many.
    ContactsLeftOut,
    /// Customers scored at critical risk.
    CriticalRisk,
    /// Customers whom an order enrolled.
    CustomersEnrolled,
    /// Customers whose tier a run evaluated.
    CustomersJudged,
    /// Demotions by a run.
    Demotions,
    /// Items that a job could not process.
    ErrorsEncountered,
    /// Malformed events.
    EventsInvalid,
    /// Transitions of a bundle into `expired`.
    Expired,
    /// Notices of points that expire soon.
    ExpiryWarnings,
    /// Customers scored at high risk.
    HighRisk,
    /// Customers who hold tier 1 of their ladder, counted from the lowest.
    HoldingTier1,
    /// Customers who hold tier 2 of their ladder, counted from the lowest.
    HoldingTier2,
    /// Customers who hold tier 3 of their ladder, counted from the lowest.
    HoldingTier3,
    /// Customers who hold tier 4 of their ladder, counted from the lowest.
    HoldingTier4,
    /// Customers who hold tier 5 of their ladder, counted from the lowest.
    HoldingTier5,
    /// Customers who hold tier 6 of their ladder, counted from the lowest.
    HoldingTier6,
    /// Customers who hold tier 7 of their ladder, counted from the lowest.
    HoldingTier7,
    /// Customers who hold tier 8 of their ladder, counted from the lowest.
    HoldingTier8,
    /// Customers who hold tier 9 of their ladder, counted from the lowest.
    HoldingTier9,
    /// Customers who hold tier 10 of their ladder, counted from the lowest.
    HoldingTier10,
    /// Customers who hold tier 11 of their ladder, counted from the lowest.
    HoldingTier11,
    /// Customers who hold tier 12 of their ladder, counted from the lowest.
    HoldingTier12,
    /// Customers who hold tier 13 of their ladder, counted from the lowest.
    HoldingTier13,
    /// Customers who hold tier 14 of their ladder, counted from the lowest.
    HoldingTier14,
    /// Customers who hold tier 15 of their ladder, counted from the lowest.
    HoldingTier15,
    /// Customers who hold tier 16 of their ladder, counted from the lowest.
    HoldingTier16,
    /// Customers who hold tier 17 of their ladder, counted from the lowest.
    HoldingTier17,
    /// Customers who hold tier 18 of their ladder, counted from the lowest.
    HoldingTier18,
    /// Customers who hold tier 19 of their ladder, counted from the lowest.
    HoldingTier19,
    /// Customers who hold tier 20 of their ladder, counted from the lowest.
    HoldingTier20,
    /// Holds that lapsed by the clock, as a run recorded them.
    HoldsLapsed,
    /// Hours since the last complete churn prediction.
    HoursSinceChurnPrediction,
    /// Hours since the last complete points expiry.
    HoursSincePointsExpiry,
    /// Hours since the last complete tier recalculation.
    HoursSinceTierRecalculation,
    /// Customers scored at low risk.
    LowRisk,
    /// Customers scored at medium risk.
    MediumRisk,
    /// Messages that could not be sent to the Slack channel.
    MessagesFailed,
    /// The value of redeemed points, in minor units of the currency.
    MinorUnitsRedeemed,
    /// Customers at critical risk who had a lower risk before.
    NewlyCritical,
    /// Transitions of a bundle into `paused`.
    Paused,
    /// Points awarded.
    PointsAwarded,
    /// Points awarded with the equity multiplier.
    PointsAwardedWithEquity,
    /// Points that expired, as a run recorded them.
    PointsExpired,
    /// Points set aside for a checkout.
    PointsHeld,
    /// Points redeemed.
    PointsRedeemed,
    /// Points given back by voids of refunds.
    PointsRestored,
    /// Points given back by voids of redemptions.
    PointsReturned,
    /// Points taken back by refunds.
    PointsReversed,
    /// Customers scored.
    Predictions,
    /// Promotions to a higher tier.
    Promotions,
    /// Bundle redemptions.
    Redemptions,
    /// Rejected redemptions.
    RedemptionsRefused,
    /// Voided bundle redemptions.
    RedemptionsVoided,
    /// Orgs reported.
    Reports,
    /// Complete runs over all orgs.
    Runs,
    /// Changes of tier by a run.
    TiersChanged,
    /// Transitions of bundles that a run recorded.
    TransitionsPerformed,
    /// Customers scored without Claude although a key is configured.
    WithoutClaude,
}

impl Metric {
    /// The metrics of the customers who hold each tier of their ladder, from the lowest. A ladder has at most 20 tiers.
    pub const HOLDING_TIERS: [Self; 20] = [
        Self::HoldingTier1,
        Self::HoldingTier2,
        Self::HoldingTier3,
        Self::HoldingTier4,
        Self::HoldingTier5,
        Self::HoldingTier6,
        Self::HoldingTier7,
        Self::HoldingTier8,
        Self::HoldingTier9,
        Self::HoldingTier10,
        Self::HoldingTier11,
        Self::HoldingTier12,
        Self::HoldingTier13,
        Self::HoldingTier14,
        Self::HoldingTier15,
        Self::HoldingTier16,
        Self::HoldingTier17,
        Self::HoldingTier18,
        Self::HoldingTier19,
        Self::HoldingTier20,
    ];

    /// The name in `CloudWatch`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// The value of a metric in the record of one call.
#[derive(Debug, Clone, PartialEq)]
pub enum MetricValue {
    /// A count. The counts of one call are added.
    Count(i64),
    /// Scores without a unit, at most [`MetricValue::SCORES_MAX`].
    Scores(Vec<f64>),
    /// Hours that have passed.
    Hours(f64),
}

impl MetricValue {
    /// The maximum number of values of one metric that `CloudWatch` accepts in one record.
    pub const SCORES_MAX: usize = 100;

    /// The unit in `CloudWatch`. There is no unit for hours.
    pub(super) const fn unit(&self) -> &'static str {
        match self {
            Self::Count(_) => "Count",
            Self::Scores(_) | Self::Hours(_) => "None",
        }
    }

    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Count(count) => (*count).into(),
            Self::Scores(scores) => json!(scores),
            Self::Hours(hours) => json!(hours),
        }
    }

    /// Adds a value of the same metric and call.
    fn add(&mut self, other: Self) {
        match (self, other) {
            (Self::Count(count), Self::Count(more)) => *count = count.saturating_add(more),
            (Self::Scores(scores), Self::Scores(more)) => {
                scores.extend(more);
                scores.truncate(Self::SCORES_MAX);
            }
            (value, other) => *value = other,
        }
    }
}

impl From<i64> for MetricValue {
    fn from(count: i64) -> Self {
        Self::Count(count)
    }
}

impl From<u64> for MetricValue {
    fn from(count: u64) -> Self {
        Self::Count(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

impl From<usize> for MetricValue {
    fn from(count: usize) -> Self {
        Self::Count(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

impl From<bool> for MetricValue {
    fn from(happened: bool) -> Self {
        Self::Count(happened.into())
    }
}

/// The metrics of one call.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Metrics(BTreeMap<Metric, MetricValue>);

impl Metrics {
    /// Adds a value to a metric.
    pub fn add(&mut self, metric: Metric, value: impl Into<MetricValue>) {
        let value = value.into();
        self.0.entry(metric).and_modify(|sum| sum.add(value.clone())).or_insert(value);
    }

    /// Each metric with its value.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Metric, &MetricValue)> {
        self.0.iter().map(|(metric, value)| (*metric, value))
    }
}
