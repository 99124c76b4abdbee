//! The churn score of a customer.

use chrono::{DateTime, TimeDelta, Utc};
use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

use super::risk::{Probability, RiskLevel};
use crate::domain::{names::named, text::SingleLine};

/// A customer's probability of churn, as predicted at some instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prediction {
    /// The probability of no order in the coming `activeDays`.
    pub probability: Probability,
    /// The reason, in a sentence for people.
    pub reasoning: SingleLine,
    /// The source of the probability.
    pub source: ChurnSource,
    /// When the prediction was made.
    pub at: DateTime<Utc>,
}

/// The source of a probability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum ChurnSource {
    /// Claude, with the statistical model's probability as evidence.
    Claude,
    /// The statistical model alone.
    Statistical,
}

named!(ChurnSource);

impl Prediction {
    /// The risk level. It depends on the probability only, not on its source.
    #[must_use]
    pub const fn level(&self) -> RiskLevel {
        RiskLevel::of(self.probability)
    }

    /// Whether the horizon has not ended at `now`. After its horizon, a prediction says nothing.
    #[must_use]
    pub fn is_within_horizon(&self, horizon_days: u32, now: DateTime<Utc>) -> bool {
        self.at + TimeDelta::days(i64::from(horizon_days)) > now
    }
}
