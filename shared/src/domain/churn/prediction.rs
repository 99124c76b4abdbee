//! What is predicted of a customer, and what came of it.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    accuracy::{ScoredOutcome, auc, brier},
    features::{Features, Trend},
    risk::Probability,
};
use crate::domain::{orders::OrderHistory, text::SingleLine, time::days_between};

/// How far Claude's probability may be from that of the statistical model, in hundredths of a percent. It reads texts that
/// people wrote, such as the name of a tier: none of them can call everybody safe, or lost.
const CLAUDE_DISTANCE_MAX: u16 = 2_500;

/// What becomes of Claude's probability beside that of the statistical model: the nearest that is not too far from it.
#[must_use]
pub fn clamp_to_plausible(by_claude: Probability, statistical: Probability) -> Probability {
    by_claude.clamp_near(statistical, CLAUDE_DISTANCE_MAX)
}

/// Whether somebody is active at `now`: has ordered within `active_days`.
#[must_use]
pub fn is_active(orders: &OrderHistory, active_days: u32, now: DateTime<Utc>) -> bool {
    days_between(orders.last_at, now) < active_days
}

/// The first instant of the orders that make somebody active at `now`.
#[must_use]
pub fn active_since(active_days: u32, now: DateTime<Utc>) -> DateTime<Utc> {
    now - TimeDelta::days(i64::from(active_days)) + TimeDelta::milliseconds(1)
}

/// What the figures say, in the words of a form: for those of whom nobody has said more.
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
    // It is far shorter than a line may be.
    SingleLine::try_from(text).unwrap_or_else(|_| SingleLine::from_static("No more is known."))
}

/// A prediction that was made, and for how long ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastPrediction {
    /// What was predicted.
    pub probability: Probability,
    /// As of when.
    pub at: DateTime<Utc>,
    /// The `activeDays` of that time.
    pub horizon_days: u32,
}

impl PastPrediction {
    /// When it is known whether it came true.
    #[must_use]
    pub fn ends_at(&self) -> DateTime<Utc> {
        self.at + TimeDelta::days(i64::from(self.horizon_days))
    }

    /// Whether its record is still kept at `now`. One that is not may be there all the same for a while, or not.
    #[must_use]
    pub fn is_kept(&self, now: DateTime<Utc>) -> bool {
        self.ends_at() + TimeDelta::days(i64::from(self.horizon_days)) > now
    }

    /// What came of it, from the orders there are once the horizon is over; `None` before.
    ///
    /// Where so many orders came after the horizon that none within it is remembered, somebody who orders so often is
    /// taken to have ordered within it too.
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

/// How predictions came out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hindsight {
    /// How many there were.
    pub predictions: usize,
    /// How many left.
    pub left: usize,
    /// Of how many what was the likelier came about.
    pub came_true: usize,
    /// The mean squared distance between probability and outcome, to four decimals; lower is better.
    pub brier: Option<f64>,
    /// How often, of one who left and one who did not, the first had the higher probability, to four decimals; `None`
    /// where all left or none did.
    pub auc: Option<f64>,
}

impl Hindsight {
    /// How these came out; `None` of none.
    #[must_use]
    pub fn of(all: &[ScoredOutcome]) -> Option<Self> {
        let count = |is: fn(&ScoredOutcome) -> bool| all.iter().filter(|one| is(one)).count();
        let rounded = |figure: f64| (figure * 10_000.0).round() / 10_000.0;
        (!all.is_empty()).then(|| Self {
            predictions: all.len(),
            left: count(|one| one.happened),
            came_true: count(|one| (one.predicted >= 0.5) == one.happened),
            brier: brier(all).map(rounded),
            auc: auc(all).map(rounded),
        })
    }
}
