//! The parameters by maximum likelihood.
//!
//! The optimiser is the Nelder-Mead simplex on the logarithms of the four parameters. It needs no derivatives and draws
//! no random numbers, and it always starts at the same point.

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

/// The minimum number of customers with a repeat purchase. With fewer, the fitted parameters would depend on chance.
pub const REPEAT_CUSTOMERS_MIN: u32 = 100;

/// The maximum number of iterations. A fit takes 100 to 150 iterations. A fit that has not converged after the maximum
/// has no optimum within the bounds.
const ITERATIONS_MAX: u64 = 1_000;

/// The standard deviation of the mean log-likelihood over the corners of a converged simplex. At this value, the
/// parameters are exact to four digits.
const CONVERGENCE_TOLERANCE: f64 = 1e-11;

/// A fitted model, and its log-likelihood.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// The model.
    pub model: Model,
    /// The log-likelihood of the customers.
    pub log_likelihood: f64,
    /// The number of customers.
    pub customers: u32,
}

/// Fits the parameters of a family to customers by maximum likelihood.
///
/// Returns the default parameters with [`ParameterSource::Default`] if fewer than [`REPEAT_CUSTOMERS_MIN`] customers
/// have a repeat purchase, if the optimiser does not converge, or if the optimum exceeds the bounds of [`Parameters`].
/// The optimum exceeds the bounds if customers hardly differ, or if no customer ever seems to leave.
pub fn fit(family: ModelFamily, observations: impl IntoIterator<Item = Observation>) -> Fit {
    let mut counts: BTreeMap<Observation, u32> = BTreeMap::new();
    for observation in observations {
        let count = counts.entry(observation).or_default();
        *count = count.saturating_add(1);
    }
    let customers = FitSample { family, total: counts.values().sum(), counts: counts.into_iter().collect() };
    let repeat_customers: u32 =
        customers.counts.iter().filter(|(observation, _)| observation.repeats() > 0).map(|(_, count)| count).sum();
    let fitted = if repeat_customers < REPEAT_CUSTOMERS_MIN { None } else { maximise_likelihood(&customers) };
    let model = fitted.map_or(Model::default_of(family), |parameters| Model {
        family,
        parameters,
        source: ParameterSource::Fitted,
    });
    let log_likelihood = log_likelihood(family, model.parameters.values(), &customers.counts);
    Fit { model, log_likelihood, customers: customers.total }
}

/// The model that a run stores for an org.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChurnModelRecord {
    /// The model.
    pub model: Model,
    /// When the model was fitted.
    pub fitted_at: DateTime<Utc>,
    /// The number of customers in the fit.
    pub customers: u32,
    /// The end of the last look-back. The outcomes of predictions with an earlier horizon end are already reported.
    pub looked_back_to: DateTime<Utc>,
}

impl ChurnModelRecord {
    /// How long a model is used. The fit is weekly, and a run that starts a little early must fit too.
    const MODEL_LIFETIME: TimeDelta = TimeDelta::days(6);

    /// Whether the model is still used at `now`. A model fitted after `now` is not.
    #[must_use]
    pub fn is_current(&self, now: DateTime<Utc>) -> bool {
        (TimeDelta::zero()..Self::MODEL_LIFETIME).contains(&(now - self.fitted_at))
    }
}

struct FitSample {
    family: ModelFamily,
    counts: Vec<(Observation, u32)>,
    total: u32,
}

fn maximise_likelihood(customers: &FitSample) -> Option<Parameters> {
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

    /// The negative mean log-likelihood, or infinity if it is not finite.
    fn cost(&self, logarithms: &Vec<f64>) -> Result<f64, Error> {
        let likelihood = |parameters| log_likelihood(self.family, parameters, &self.counts) / f64::from(self.total);
        let mean = parameters(logarithms).map(likelihood).filter(|mean| mean.is_finite());
        Ok(mean.map_or(f64::INFINITY, |mean| -mean))
    }
}
