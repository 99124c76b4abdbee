//! Parameters by maximum likelihood.
//!
//! The optimiser is Nelder and Mead's simplex on the logarithms of the four parameters: it needs no derivatives, draws
//! no random numbers, and starts from the same place every time.

use std::collections::BTreeMap;

use argmin::{
    core::{CostFunction, Error, Executor, State, TerminationReason, TerminationStatus},
    solver::neldermead::NelderMead,
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    model::{Model, ModelFamily, ParameterSource, Parameters, log_likelihood},
    observation::Observation,
};

/// Of fewer customers who bought again the parameters would be those of chance.
pub const REPEAT_CUSTOMERS_MIN: u32 = 100;

/// A fit takes 100 to 150 steps. One that has not come to rest by then has nothing to come to rest at.
const ITERATIONS_MAX: u64 = 1_000;

/// How much the mean log-likelihood of a customer may still differ between the corners of a simplex that has come to
/// rest: then the parameters have four digits.
const CONVERGENCE_TOLERANCE: f64 = 1e-11;

/// A model fitted to customers, and how well.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// The model.
    pub model: Model,
    /// How likely the customers are by it.
    pub log_likelihood: f64,
    /// How many customers there were.
    pub customers: u32,
}

/// Fits a family to customers by maximum likelihood.
///
/// The default parameters, and [`ParameterSource::Default`], where fewer than [`REPEAT_CUSTOMERS_MIN`] have bought again,
/// where the optimiser does not come to rest, or where it does so beyond the bounds of [`Parameters`]: customers who
/// hardly differ, or of whom none ever seems to leave, are the likelier the further away the parameters are.
pub fn fit(family: ModelFamily, observations: impl IntoIterator<Item = Observation>) -> Fit {
    let mut alike: BTreeMap<Observation, u32> = BTreeMap::new();
    for observation in observations {
        let count = alike.entry(observation).or_default();
        *count = count.saturating_add(1);
    }
    let customers = FitSample { family, total: alike.values().sum(), alike: alike.into_iter().collect() };
    let repeat: u32 = customers.alike.iter().filter(|(one, _)| one.repeats() > 0).map(|(_, count)| count).sum();
    let fitted = if repeat < REPEAT_CUSTOMERS_MIN { None } else { maximize_likelihood(&customers) };
    let model = fitted.map_or(Model::default_of(family), |parameters| Model {
        family,
        parameters,
        source: ParameterSource::Fitted,
    });
    let log_likelihood = log_likelihood(family, model.parameters.values(), &customers.alike);
    Fit { model, log_likelihood, customers: customers.total }
}

/// What a run keeps of an org for the next ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChurnModelRecord {
    /// The model.
    pub model: Model,
    /// When it was fitted.
    pub fitted_at: DateTime<Utc>,
    /// To how many customers.
    pub customers: u32,
    /// Up to when it was looked back at predictions whose horizon had ended.
    pub looked_back_to: DateTime<Utc>,
}

impl ChurnModelRecord {
    /// How long a model is good: it is fitted weekly, and by a run that is a little early too.
    const MODEL_LIFETIME: TimeDelta = TimeDelta::days(6);

    /// Whether the model need not be fitted anew at `now`. One of a time to come is no better than an old one.
    #[must_use]
    pub fn is_current(&self, now: DateTime<Utc>) -> bool {
        (TimeDelta::zero()..Self::MODEL_LIFETIME).contains(&(now - self.fitted_at))
    }
}

struct FitSample {
    family: ModelFamily,
    alike: Vec<(Observation, u32)>,
    total: u32,
}

fn maximize_likelihood(customers: &FitSample) -> Option<Parameters> {
    let start = vec![0.0; 4];
    let corner = |shifted_axis: usize| (0..4).map(|axis| if axis == shifted_axis { 1.0 } else { 0.0 }).collect();
    let simplex = std::iter::once(start).chain((0..4).map(corner)).collect();
    let solver = NelderMead::new(simplex).with_sd_tolerance(CONVERGENCE_TOLERANCE).ok()?;
    let run =
        Executor::new(customers, solver).configure(|state| state.max_iters(ITERATIONS_MAX)).timer(false).run().ok()?;
    let converged = TerminationStatus::Terminated(TerminationReason::SolverConverged);
    let best = run.state().get_best_param().filter(|_| *run.state().get_termination_status() == converged)?;
    Parameters::new(parameters(best)?)
}

fn parameters(logarithms: &[f64]) -> Option<[f64; 4]> {
    let logarithms = <[f64; 4]>::try_from(logarithms).ok()?;
    Some(logarithms.map(f64::exp))
}

impl CostFunction for &FitSample {
    type Param = Vec<f64>;
    type Output = f64;

    /// The mean log-likelihood with its sign changed; infinite where it is no number.
    fn cost(&self, logarithms: &Vec<f64>) -> Result<f64, Error> {
        let likelihood = |parameters| log_likelihood(self.family, parameters, &self.alike) / f64::from(self.total);
        let mean = parameters(logarithms).map(likelihood).filter(|mean| mean.is_finite());
        Ok(mean.map_or(f64::INFINITY, |mean| -mean))
    }
}
