//! The churn score of a customer.

use chrono::{DateTime, TimeDelta, Utc};
use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

use super::risk::{Probability, RiskLevel};
use crate::domain::{names::named, text::SingleLine};

/// A customer's probability of leaving, as it was worked out at some instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prediction {
    /// No order in the coming `activeDays`.
    pub probability: Probability,
    /// Why, in a sentence for people.
    pub reasoning: SingleLine,
    /// By whom.
    pub source: ChurnSource,
    /// As of when.
    pub at: DateTime<Utc>,
}

/// Who worked a probability out.
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
    /// The risk level: worked out from the probability, whoever that is from.
    #[must_use]
    pub const fn level(&self) -> RiskLevel {
        RiskLevel::of(self.probability)
    }

    /// Whether it still looks ahead at `now`: it says nothing of what lies behind its horizon.
    #[must_use]
    pub fn is_within_horizon(&self, horizon_days: u32, now: DateTime<Utc>) -> bool {
        self.at + TimeDelta::days(i64::from(horizon_days)) > now
    }
}
