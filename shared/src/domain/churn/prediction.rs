//! The wording of a prediction, and its outcome.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    accuracy::{ScoredOutcome, auc, brier},
    features::{Features, Trend},
    risk::Probability,
};
use crate::domain::{orders::OrderHistory, text::SingleLine, time::days_between};

/// The maximum distance of Claude's probability from that of the statistical model, in hundredths of a percent. The
/// prompt contains texts written by people, such as the names of tiers. The limit ensures that no text can make all
/// customers appear safe or lost.
const CLAUDE_DISTANCE_MAX: u16 = 2_500;

/// Claude's probability, limited to the allowed distance from that of the statistical model.
#[must_use]
pub fn clamp_to_plausible(by_claude: Probability, statistical: Probability) -> Probability {
    by_claude.clamp_near(statistical, CLAUDE_DISTANCE_MAX)
}

/// Whether a customer is active at `now`: the last order is less than `active_days` old.
#[must_use]
pub fn is_active(orders: &OrderHistory, active_days: u32, now: DateTime<Utc>) -> bool {
    days_between(orders.last_at, now) < active_days
}

/// The earliest last order that makes a customer active at `now`.
#[must_use]
pub fn active_since(active_days: u32, now: DateTime<Utc>) -> DateTime<Utc> {
    now - TimeDelta::days(i64::from(active_days)) + TimeDelta::milliseconds(1)
}

/// The reasoning of a prediction by the statistical model alone, from a template.
#[must_use]
pub fn statistical_reasoning(features: &Features) -> SingleLine {
    let (number, unit) = match features.days_since_last_order {
        0 => ("Ordered".to_owned(), "today"),
        1 => ("Last ordered 1".to_owned(), "day ago"),
        days => (format!("Last ordered {days}"), "days ago"),
    };
    let orders =
        if features.orders == 1 { "their only order".to_owned() } else { format!("{} orders", features.orders) };
    let trend = match features.trend {
        Trend::Increasing => ", closer together of late",
        Trend::Declining => ", further apart of late",
        Trend::Stable => "",
    };
    let age = features.days_since_first_order;
    let text = match features.orders {
        1 => format!("{number} {unit}, {orders}."),
        _ => format!("{number} {unit}; {orders} since the first, {age} days ago{trend}."),
    };
    // The text is far shorter than the limit of a line.
    SingleLine::try_from(text).unwrap_or_else(|_| SingleLine::from_static("No more is known."))
}

/// A past prediction with its horizon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastPrediction {
    /// The predicted probability of churn.
    pub probability: Probability,
    /// When the prediction was made.
    pub at: DateTime<Utc>,
    /// The `activeDays` at that time.
    pub horizon_days: u32,
}

impl PastPrediction {
    /// The end of the horizon. The outcome is known from then on.
    #[must_use]
    pub fn ends_at(&self) -> DateTime<Utc> {
        self.at + TimeDelta::days(i64::from(self.horizon_days))
    }

    /// Whether the record is certain to exist at `now`. An expired record may still exist for a while.
    #[must_use]
    pub fn is_kept(&self, now: DateTime<Utc>) -> bool {
        self.ends_at() + TimeDelta::days(i64::from(self.horizon_days)) > now
    }

    /// The outcome by the customer's current orders. Returns `None` before the end of the horizon.
    ///
    /// The history remembers only recent orders. If all of them are later than the horizon, the customer counts as
    /// having ordered within the horizon.
    #[must_use]
    pub fn evaluate(&self, orders: Option<&OrderHistory>, now: DateTime<Utc>) -> Option<ScoredOutcome> {
        let end = self.ends_at();
        let within = |at: DateTime<Utc>| at > self.at && at <= end;
        let ordered = orders.is_some_and(|orders| {
            let is_forgotten = !orders.all_recent() && orders.recent.first().is_some_and(|oldest| *oldest > end);
            within(orders.last_at) || orders.recent.iter().copied().any(within) || is_forgotten
        });
        (end <= now).then(|| ScoredOutcome { predicted: self.probability.share(), happened: !ordered })
    }
}

/// The outcomes of past predictions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hindsight {
    /// The number of predictions.
    pub predictions: usize,
    /// The number of customers who left.
    pub left: usize,
    /// The number of predictions whose more likely outcome happened.
    pub came_true: usize,
    /// The Brier score, rounded to four decimals. Lower is better.
    pub brier: Option<f64>,
    /// The area under the ROC curve, rounded to four decimals. `None` if all customers left or none did.
    pub auc: Option<f64>,
}

impl Hindsight {
    /// The summary of outcomes. Returns `None` without outcomes.
    #[must_use]
    pub fn of(outcomes: &[ScoredOutcome]) -> Option<Self> {
        let count = |matches: fn(&ScoredOutcome) -> bool| outcomes.iter().filter(|scored| matches(scored)).count();
        let rounded = |figure: f64| (figure * 10_000.0).round() / 10_000.0;
        (!outcomes.is_empty()).then(|| Self {
            predictions: outcomes.len(),
            left: count(|scored| scored.happened),
            came_true: count(|scored| (scored.predicted >= 0.5) == scored.happened),
            brier: brier(outcomes).map(rounded),
            auc: auc(outcomes).map(rounded),
        })
    }
}
