//! Scores customers, by Claude or by the statistical model alone.
//!
//! Claude receives the statistical model's probability as evidence.

use chrono::{DateTime, Utc};
use shared::{
    clock::Deadline,
    domain::{
        churn::{
            features::Features,
            model::Model,
            observation::Observation,
            prediction::{clamp_to_plausible, statistical_reasoning},
            risk::Probability,
            score::{ChurnSource, Prediction},
        },
        customer::Customer,
        org::Org,
    },
    store::Versioned,
};

use crate::claude::{Claude, ClaudeInput, Verdict};

/// Scores the customers of one org.
pub(crate) struct Scorer<'a> {
    pub(crate) org: &'a Org,
    pub(crate) model: Model,
    pub(crate) horizon_days: u32,
    /// The instant of the predictions.
    pub(crate) now: DateTime<Utc>,
    pub(crate) claude: Option<&'a Claude>,
    /// The deadline for Claude's answers.
    pub(crate) deadline: Deadline,
}

/// A customer with the probability from the statistical model.
pub(crate) struct Candidate {
    pub(crate) image: Versioned<Customer>,
    features: Features,
    statistical: Probability,
}

/// A prediction, and whether Claude's probability was clipped.
#[derive(Clone)]
pub(crate) struct Scored {
    pub(crate) prediction: Prediction,
    pub(crate) clipped: bool,
}

impl Scorer<'_> {
    /// Prepares a customer for scoring. Returns `None` for a customer without orders.
    pub(crate) fn candidate(&self, image: Versioned<Customer>) -> Option<Candidate> {
        let zone = self.org.profile.timezone;
        let features = Features::at(&image.value, zone, self.now)?;
        let observation = Observation::of(image.value.orders.as_ref()?, zone, self.now);
        let statistical = Probability::from_share(self.model.no_purchase(observation, self.horizon_days))?;
        Some(Candidate { image, features, statistical })
    }

    /// Asks Claude about the candidates. A candidate without a usable verdict has `None`.
    pub(crate) async fn ask(&self, candidates: &[Candidate]) -> Vec<Option<Verdict>> {
        let Some(claude) = self.claude else { return candidates.iter().map(|_| None).collect() };
        let rows: Vec<ClaudeInput> =
            candidates.iter().map(|candidate| ClaudeInput::new(&candidate.features, candidate.statistical)).collect();
        claude.score(self.horizon_days, &rows, self.deadline).await
    }

    /// The prediction by Claude's verdict, or by the statistical model without one.
    pub(crate) fn score(&self, candidate: &Candidate, verdict: Option<Verdict>) -> Scored {
        let statistical = candidate.statistical;
        let (probability, reasoning, source, clipped) = match verdict {
            Some(Verdict { probability: by_claude, reasoning }) => {
                let probability = clamp_to_plausible(by_claude, statistical);
                (probability, reasoning, ChurnSource::Claude, probability != by_claude)
            }
            None => (statistical, statistical_reasoning(&candidate.features), ChurnSource::Statistical, false),
        };
        Scored { prediction: Prediction { probability, reasoning, source, at: self.now }, clipped }
    }
}
