//! The statistical model: two families with closed forms.
//!
//! While a customer is alive, purchases occur at random at the customer's own rate. The rates of customers have a gamma
//! distribution (r, alpha). After a purchase, the customer may leave for good with the customer's own probability.
//! These probabilities have a beta distribution (a, b). Time is in weeks.
//!
//! - BG/NBD: Fader, Hardie & Lee (2005), "Counting Your Customers the Easy Way: An Alternative to the Pareto/NBD
//!   Model", Marketing Science 24(2). A customer can leave after each repeat purchase, so one-time buyers are always
//!   alive.
//! - MBG/NBD: Batislam, Denizel & Filiztekin (2007), "Empirical validation and comparison of models for customer base
//!   analysis", International Journal of Research in Marketing 24(3). A customer can also leave after the first
//!   purchase.
//!
//! The families differ only in the number of opportunities to leave, which [`ModelFamily`] determines.

use libm::lgamma;
use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

use crate::domain::names::named;

use super::observation::Observation;

/// The family of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum ModelFamily {
    /// BG/NBD.
    BgNbd,
    /// MBG/NBD.
    MbgNbd,
}

named!(ModelFamily);

impl ModelFamily {
    /// The family that scores customers. On the purchase log, it ranks customers better than BG/NBD and is calibrated
    /// at least as well.
    /// calibrated at least as well.
    pub const IN_USE: Self = Self::MbgNbd;

    /// The number of opportunities to leave so far.
    fn dropout_opportunities(self, observation: Observation) -> f64 {
        let repeats = f64::from(observation.repeats());
        match self {
            Self::BgNbd => repeats,
            Self::MbgNbd => repeats + 1.0,
        }
    }
}

/// The parameters of either family, each from [`Parameters::MIN`] to [`Parameters::MAX`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameters {
    r: f64,
    alpha: f64,
    a: f64,
    b: f64,
}

/// A family with its parameters, and their source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Model {
    /// The family.
    pub family: ModelFamily,
    /// The parameters.
    pub parameters: Parameters,
    /// The source of the parameters.
    pub source: ParameterSource,
}

/// The source of parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum ParameterSource {
    /// A fit to the org's own customers.
    Fitted,
    /// The purchase log of the tests. See [`Model::default_of`].
    Default,
}

named!(ParameterSource);

impl Parameters {
    /// The lower bound. A smaller parameter says nothing about any customer.
    pub const MIN: f64 = 1e-5;

    /// The upper bound. With a larger parameter, customers no longer differ measurably.
    pub const MAX: f64 = 1e5;

    /// The parameters r, alpha (weeks), a, b. Returns `None` unless all are within bounds.
    #[must_use]
    pub fn new([r, alpha, a, b]: [f64; 4]) -> Option<Self> {
        let within = |parameter| (Self::MIN..=Self::MAX).contains(&parameter);
        [r, alpha, a, b].into_iter().all(within).then_some(Self { r, alpha, a, b })
    }

    /// The parameters r, alpha (weeks), a, b.
    #[must_use]
    pub const fn values(self) -> [f64; 4] {
        [self.r, self.alpha, self.a, self.b]
    }
}

impl Model {
    /// The model of an org with too few customers for a fit. Its parameters were fitted to 2,357 customers of an online
    /// music shop (CDNOW) as of 1997-09-30. The literature fits its models to the same data.
    #[must_use]
    pub const fn default_of(family: ModelFamily) -> Self {
        let parameters = match family {
            ModelFamily::BgNbd => Parameters { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 },
            ModelFamily::MbgNbd => Parameters { r: 0.525, alpha: 6.183, a: 0.891, b: 1.614 },
        };
        Self { family, parameters, source: ParameterSource::Default }
    }

    /// The probability that the customer is alive, which means has not left for good: P(alive).
    ///
    /// It is the ratio of two terms of the likelihood: alive until now, and left after the last purchase.
    #[must_use]
    pub fn alive(&self, observation: Observation) -> f64 {
        let Parameters { r, alpha, a, b } = self.parameters;
        let opportunities = self.family.dropout_opportunities(observation);
        if opportunities == 0.0 {
            return 1.0;
        }
        let (last, age) = (observation.recency_weeks(), observation.age_weeks());
        let silence = (r + f64::from(observation.repeats())) * ((age - last) / (alpha + last)).ln_1p();
        1.0 / (1.0 + (silence + (a / (b + opportunities - 1.0)).ln()).exp())
    }

    /// The probability of no purchase in the coming `days`. The customer has left, or is alive and purchases nothing.
    ///
    /// If the customer is alive, the rate has a gamma distribution (r + x, alpha + T), and the customer cannot leave
    /// before the next purchase. The probability of no purchase in t weeks is then ((alpha + T) / (alpha + T + t))^(r +
    /// x).
    #[must_use]
    pub fn no_purchase(&self, observation: Observation, days: u32) -> f64 {
        let Parameters { r, alpha, .. } = self.parameters;
        let alive = self.alive(observation);
        let ahead = (f64::from(days) / 7.0 / (alpha + observation.age_weeks())).ln_1p();
        let stays_away = (-(r + f64::from(observation.repeats())) * ahead).exp();
        (1.0 - alive + alive * stays_away).clamp(0.0, 1.0)
    }
}

/// The log-likelihood of customers. The parameters r, alpha, a and b may have any values, so the result may not be a
/// number. Each observation is paired with its number of customers. The observations must be sorted, because
/// observations with equally many repeat purchases share most terms.
pub(super) fn log_likelihood(family: ModelFamily, [r, alpha, a, b]: [f64; 4], customers: &[(Observation, u32)]) -> f64 {
    let constant_terms = r * alpha.ln() - lgamma(r) + lgamma(a + b) - lgamma(b);
    let groups = customers.chunk_by(|(a, _), (b, _)| a.repeats() == b.repeats());
    let group_likelihood = |customers: &[(Observation, u32)]| {
        let Some((first, _)) = customers.first() else { return 0.0 };
        let (purchases, opportunities) = (r + f64::from(first.repeats()), family.dropout_opportunities(*first));
        let group_terms =
            constant_terms + lgamma(purchases) + lgamma(b + opportunities) - lgamma(a + b + opportunities);
        let left = if opportunities == 0.0 { f64::NEG_INFINITY } else { (a / (b + opportunities - 1.0)).ln() };
        let customer_likelihood = |(observation, count): &(Observation, u32)| {
            let alive = -purchases * (alpha + observation.age_weeks()).ln();
            let left = left - purchases * (alpha + observation.recency_weeks()).ln();
            let larger = alive.max(left);
            f64::from(*count) * (group_terms + larger + (alive.min(left) - larger).exp().ln_1p())
        };
        customers.iter().map(customer_likelihood).sum()
    };
    groups.map(group_likelihood).sum()
}
