//! What is predicted of some customers: by Claude, with the statistical model's probability as evidence, or by that alone.

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

/// What the customers of one org are scored by.
pub(crate) struct Scorer<'a> {
    pub(crate) org: &'a Org,
    pub(crate) model: Model,
    pub(crate) horizon_days: u32,
    /// As of when.
    pub(crate) now: DateTime<Utc>,
    pub(crate) claude: Option<&'a Claude>,
    /// By when Claude has to have answered.
    pub(crate) deadline: Deadline,
}

/// A customer, and what the statistical model makes of them.
pub(crate) struct Candidate {
    pub(crate) image: Versioned<Customer>,
    features: Features,
    statistical: Probability,
}

/// What is predicted of a customer, and whether Claude's probability was clipped for it.
#[derive(Clone)]
pub(crate) struct Scored {
    pub(crate) prediction: Prediction,
    pub(crate) clipped: bool,
}

impl Scorer<'_> {
    /// Somebody to be scored; nobody without orders can be.
    pub(crate) fn candidate(&self, image: Versioned<Customer>) -> Option<Candidate> {
        let zone = self.org.profile.timezone;
        let features = Features::at(&image.value, zone, self.now)?;
        let observation = Observation::of(image.value.orders.as_ref()?, zone, self.now);
        let statistical = Probability::from_share(self.model.no_purchase(observation, self.horizon_days))?;
        Some(Candidate { image, features, statistical })
    }

    /// What Claude says of each, where it says something that can be used.
    pub(crate) async fn ask(&self, candidates: &[Candidate]) -> Vec<Option<Verdict>> {
        let Some(claude) = self.claude else { return candidates.iter().map(|_| None).collect() };
        let rows: Vec<ClaudeInput> =
            candidates.iter().map(|one| ClaudeInput::new(&one.features, one.statistical)).collect();
        claude.score(self.horizon_days, &rows, self.deadline).await
    }

    /// The prediction, by Claude's verdict if there is one.
    pub(crate) fn score(&self, candidate: &Candidate, verdict: Option<Verdict>) -> Scored {
        let statistical = candidate.statistical;
        let (probability, reasoning, source, clipped) = match verdict {
            Some(Verdict { probability: said, reasoning }) => {
                let probability = clamp_to_plausible(said, statistical);
                (probability, reasoning, ChurnSource::Claude, probability != said)
            }
            None => (statistical, statistical_reasoning(&candidate.features), ChurnSource::Statistical, false),
        };
        Scored { prediction: Prediction { probability, reasoning, source, at: self.now }, clipped }
    }
}
