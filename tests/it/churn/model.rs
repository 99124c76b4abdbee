//! The statistical model against published results, simulated customers and edge cases.

use std::{f64::consts::TAU, sync::LazyLock};

use fastrand::Rng;
use harness::purchase_log::{self, HORIZON_DAYS, HistoricalCustomer, calibration_end};
use proptest::prelude::*;
use shared::domain::{
    churn::{
        accuracy::{ScoredOutcome, auc, brier, calibration},
        fit::{Fit, REPEAT_CUSTOMERS_MIN, fit},
        model::{Model, ModelFamily, ParameterSource, Parameters},
        observation::{CustomerSample, Observation},
    },
    zone::Zone,
};

const FAMILIES: [ModelFamily; 2] = [ModelFamily::BgNbd, ModelFamily::MbgNbd];

static LOG: LazyLock<Vec<HistoricalCustomer>> = LazyLock::new(|| purchase_log::customers_known_at(calibration_end()));

fn observe(past: &HistoricalCustomer) -> Observation {
    Observation::of(past.customer.orders.as_ref().unwrap(), Zone::UTC, calibration_end())
}

fn fitted_to_the_log(family: ModelFamily) -> Fit {
    fit(family, LOG.iter().map(observe))
}

fn assert_published(family: ModelFamily, published: [f64; 4], log_likelihood: f64) {
    let fit = fitted_to_the_log(family);
    assert_eq!((fit.model.source, fit.customers), (ParameterSource::Fitted, 2357));
    for (is, ought) in fit.model.parameters.values().into_iter().zip(published) {
        assert!((is / ought - 1.0).abs() < 0.01, "{fit:?}");
    }
    assert!((fit.log_likelihood - log_likelihood).abs() < 0.1, "{fit:?}");
}

#[test]
fn a_bg_nbd_fit_matches_the_published_parameters() {
    assert_published(ModelFamily::BgNbd, [0.243, 4.414, 0.793, 2.426], -9582.4);
}

#[test]
fn an_mbg_nbd_fit_matches_the_reference_parameters() {
    assert_published(ModelFamily::MbgNbd, [0.525, 6.183, 0.891, 1.614], -9582.1);
}

#[test]
fn the_model_in_use_meets_its_accuracy_targets_on_the_log() {
    let model = fitted_to_the_log(ModelFamily::IN_USE).model;
    let judged = LOG.iter().map(|past| {
        let predicted = model.no_purchase(observe(past), HORIZON_DAYS);
        ScoredOutcome { predicted, happened: past.churned }
    });
    let judged: Vec<_> = judged.collect();
    let (auc, brier) = (auc(&judged).unwrap(), brier(&judged).unwrap());
    assert!(format!("{auc:.3}").as_str() >= "0.789", "{auc}");
    assert!(format!("{brier:.4}").as_str() <= "0.1096", "{brier}");
}

#[test]
fn the_default_parameters_are_the_fit_of_the_log() {
    for family in FAMILIES {
        let (fitted, default) = (fitted_to_the_log(family).model.parameters, Model::default_of(family).parameters);
        for (is, ought) in default.values().into_iter().zip(fitted.values()) {
            assert!((is / ought - 1.0).abs() < 0.01, "{family:?}: {default:?} is not {fitted:?}");
        }
    }
}

#[test]
fn a_fit_is_deterministic_and_does_not_depend_on_customer_order() {
    let forwards = fitted_to_the_log(ModelFamily::IN_USE);
    assert_eq!(forwards, fitted_to_the_log(ModelFamily::IN_USE));
    assert_eq!(forwards, fit(ModelFamily::IN_USE, LOG.iter().rev().map(observe)));
}

#[test]
fn an_org_with_too_few_repeat_customers_gets_the_default() {
    let repeat = LOG.iter().map(observe).filter(|one| one.repeats() > 0);
    let once = || LOG.iter().map(observe).filter(|one| one.repeats() == 0);
    let with = |number: u32| fit(ModelFamily::IN_USE, repeat.clone().take(number as usize).chain(once()));
    assert_eq!(with(REPEAT_CUSTOMERS_MIN - 1).model, Model::default_of(ModelFamily::IN_USE));
    assert_eq!(with(REPEAT_CUSTOMERS_MIN).model.source, ParameterSource::Fitted);
    let none = fit(ModelFamily::IN_USE, []);
    assert_eq!((none.model, none.customers), (Model::default_of(ModelFamily::IN_USE), 0));
}

#[test]
fn customers_without_information_give_the_default_model() {
    for family in FAMILIES {
        // Identical and regular customers who never leave make the likelihood grow without bound.
        let clock = std::iter::repeat_n(Observation::new(52, 364, 364), 500);
        assert_eq!(fit(family, clock).model, Model::default_of(family));
    }
}

/// Customers drawn from the model with known parameters.
struct Simulated {
    family: ModelFamily,
    parameters: [f64; 4],
    rng: Rng,
}

impl Simulated {
    fn new(family: ModelFamily, parameters: [f64; 4]) -> Self {
        Self { family, parameters, rng: Rng::with_seed(7) }
    }

    /// One customer observed for `age` days, and whether they bought in the `ahead` days after.
    fn customer(&mut self, age: u32, ahead: u32) -> (Observation, bool) {
        let [r, alpha, a, b] = self.parameters;
        let rate = self.gamma(r) / alpha;
        let (leaves, stays) = (self.gamma(a), self.gamma(b));
        let leaves = leaves / (leaves + stays);
        let (age_weeks, end) = (f64::from(age) / 7.0, f64::from(age + ahead) / 7.0);
        let (mut now, mut last, mut repeats) = (0.0, 0.0, 0);
        let mut gone = self.family == ModelFamily::MbgNbd && self.rng.f64() < leaves;
        while !gone {
            now += -(1.0 - self.rng.f64()).ln() / rate;
            if now > age_weeks {
                break;
            }
            (last, repeats) = (now, repeats + 1);
            gone = self.rng.f64() < leaves;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let last = ((last * 7.0).ceil() as u32).min(age);
        (Observation::new(repeats, last, age), !gone && now <= end)
    }

    /// A gamma variate by Marsaglia & Tsang (2000), with a normal variate by Box & Muller.
    fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            return self.gamma(shape + 1.0) * (1.0 - self.rng.f64()).powf(1.0 / shape);
        }
        let d = shape - 1.0 / 3.0;
        loop {
            let normal = (-2.0 * (1.0 - self.rng.f64()).ln()).sqrt() * (TAU * self.rng.f64()).cos();
            let v = (1.0 + normal / (9.0 * d).sqrt()).powi(3);
            if v > 0.0 && (1.0 - self.rng.f64()).ln() < normal * normal / 2.0 + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }
}

/// Slow buyers, so that two purchases on one day are rare.
const SLOW: [f64; 4] = [0.8, 20.0, 0.9, 2.0];

#[test]
fn the_score_matches_the_outcomes_of_simulated_customers() {
    for family in FAMILIES {
        let mut simulated = Simulated::new(family, SLOW);
        let model = Model { family, parameters: Parameters::new(SLOW).unwrap(), source: ParameterSource::Default };
        let judged: Vec<(u32, ScoredOutcome)> = (0..200_000)
            .map(|number| {
                let (observation, bought) = simulated.customer(200 + number % 500, 180);
                let predicted = model.no_purchase(observation, 180);
                (observation.repeats(), ScoredOutcome { predicted, happened: !bought })
            })
            .collect();
        for repeats in 0..8 {
            let group = judged.iter().filter(|(others, _)| *others == repeats).map(|(_, judged)| *judged);
            for row in calibration(&group.collect::<Vec<_>>()).iter().filter(|row| row.count >= 500) {
                let (predicted, happened) = (row.predicted.unwrap(), row.happened.unwrap());
                // Four standard errors, and the error of rounding to days.
                let allowed = 4.0 * (predicted * (1.0 - predicted) / f64::from(row.count)).sqrt() + 0.005;
                assert!((predicted - happened).abs() < allowed, "{family:?}, {repeats} repeats: {row:?}");
            }
        }
    }
}

#[test]
fn a_fit_recovers_the_parameters_of_simulated_customers() {
    for family in FAMILIES {
        let mut simulated = Simulated::new(family, SLOW);
        let customers: Vec<_> = (0..20_000).map(|number| simulated.customer(200 + number % 500, 0).0).collect();
        let fit = fit(family, customers);
        assert_eq!(fit.model.source, ParameterSource::Fitted);
        for (is, ought) in fit.model.parameters.values().into_iter().zip(SLOW) {
            assert!((is / ought - 1.0).abs() < 0.2, "{family:?}: {fit:?}");
        }
    }
}

#[test]
fn the_likelihood_of_one_customer_matches_the_paper() {
    // x = 2, t_x = 3, T = 5 weeks. The values are the integrals over rate and probability of leaving.
    let parameters = Model::default_of(ModelFamily::BgNbd).parameters;
    let [r, alpha, a, b] = parameters.values();
    let beta = |one: f64, other: f64| gamma(one) * gamma(other) / gamma(one + other);
    let bought = gamma(r + 2.0) * alpha.powf(r) / gamma(r);
    let alive = beta(a, b + 2.0) / beta(a, b) * bought / (alpha + 5.0).powf(r + 2.0);
    let left = beta(a + 1.0, b + 1.0) / beta(a, b) * bought / (alpha + 3.0).powf(r + 2.0);
    let observation = Observation::new(2, 21, 35);
    let model = Model::default_of(ModelFamily::BgNbd);
    assert!((model.alive(observation) - alive / (alive + left)).abs() < 1e-12);
    let one = fit(ModelFamily::BgNbd, [observation]);
    assert!((one.log_likelihood - (alive + left).ln()).abs() < 1e-9, "{one:?}");
}

/// The gamma function by its infinite product, independent of the library.
fn gamma(z: f64) -> f64 {
    let n = 2_000_000;
    let product: f64 = (1..=n).map(|k| (f64::from(k) / (z + f64::from(k))).ln()).sum();
    (product + z * (f64::from(n) + z / 2.0 + 0.5).ln()).exp() / z
}

#[test]
fn a_customer_with_a_first_order_today_scores_between_zero_and_one() {
    for family in FAMILIES {
        let model = Model::default_of(family);
        let today = Observation::new(0, 0, 0);
        let score = model.no_purchase(today, 90);
        assert!(score > 0.0 && score < 1.0, "{score}");
        assert_eq!(model.alive(today) < 1.0, family == ModelFamily::MbgNbd, "only there may they have left already");
    }
}

#[test]
fn the_score_is_not_the_probability_of_having_left() {
    let model = Model::default_of(ModelFamily::BgNbd);
    let once = Observation::new(0, 0, 300);
    assert!((model.alive(once) - 1.0).abs() < f64::EPSILON);
    assert!(model.no_purchase(once, 90) > 0.9, "alive to the model, and still not likely to be back so soon");
}

#[test]
fn contradictory_observations_are_corrected() {
    assert_eq!(Observation::new(5, 3, 2), Observation::new(3, 3, 3));
    assert_eq!(Observation::new(0, 3, 9), Observation::new(1, 3, 9));
    assert_eq!(Observation::new(4, 0, 9), Observation::new(0, 0, 9));
}

#[test]
fn a_sample_is_bounded_and_does_not_depend_on_customer_order() {
    let id = |number: u32| format!("c{number}").try_into().unwrap();
    let of = |numbers: &mut dyn Iterator<Item = u32>| {
        let mut sample = CustomerSample::default();
        numbers.for_each(|number| sample.insert(&id(number), Observation::new(0, 0, number)));
        sample.observations().collect::<Vec<_>>()
    };
    let sample = of(&mut (0..30_000));
    assert_eq!(sample.len(), CustomerSample::SIZE_MAX);
    assert_eq!(sample, of(&mut (0..30_000).rev()));
    let young = sample.iter().filter(|one| one.age_weeks() < 15_000.0 / 7.0).count();
    assert!((4_800..5_200).contains(&young), "it has no favourites: {young}");
    let doubled = of(&mut (0..200).chain(0..200));
    assert_eq!(doubled.len(), 200, "whoever comes twice is in it once");
    // The order is that of the digests of the ids: `printf c7 | sha256sum`.
    let first: Vec<f64> = of(&mut (0..10)).into_iter().map(|one| (one.age_weeks() * 7.0).round()).collect();
    assert_eq!(first, [4.0, 0.0, 6.0, 3.0, 8.0, 9.0, 2.0, 5.0, 1.0, 7.0]);
}

fn observations() -> impl Strategy<Value = Observation> {
    // Up to a million purchases in up to three thousand years, with the extremes included.
    let number = || prop_oneof![Just(0_u32), Just(1), 0_u32..50, 0_u32..20_000, 0_u32..=1_000_000];
    (number(), number(), number()).prop_map(|(repeats, last, silent)| Observation::new(repeats, last, last + silent))
}

fn models() -> impl Strategy<Value = Model> {
    let parameter = || prop_oneof![Just(1e-5), Just(1e5), 0.01_f64..10.0, (-11.5_f64..11.5).prop_map(f64::exp)];
    let parameters = [parameter(), parameter(), parameter(), parameter()];
    (parameters, prop::sample::select(&FAMILIES)).prop_map(|(parameters, family)| {
        let parameters = Parameters::new(parameters).unwrap();
        Model { family, parameters, source: ParameterSource::Fitted }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_score_is_always_a_probability(model in models(), observation in observations(), days in 0_u32..100_000) {
        for share in [model.alive(observation), model.no_purchase(observation, days)] {
            prop_assert!((0.0..=1.0).contains(&share), "{}", share);
        }
    }

    #[test]
    fn a_longer_wait_can_only_make_a_purchase_likelier(
        model in models(), one in observations(), days in 0_u32..2_000, more in 0_u32..2_000,
    ) {
        prop_assert!(model.no_purchase(one, days + more) <= model.no_purchase(one, days) + 1e-12);
    }

    #[test]
    fn an_older_last_purchase_makes_no_purchase_likelier(
        model in models(), one in (0_u32..100, 0_u32..3_000, 0_u32..3_000), later in 0_u32..1_000,
    ) {
        let (repeats, last, silent) = one;
        let repeats = repeats.min(last);
        let scored = |last, age| model.no_purchase(Observation::new(repeats, last, age), 90);
        let (now, then) = (scored(last, last + silent), scored(last, last + silent + later));
        prop_assert!(then >= now - 1e-12, "as time goes by: {} then {}", now, then);
        if repeats > 0 {
            let recent = scored(last + later.min(silent), last + silent);
            prop_assert!(recent <= now + 1e-12, "had they bought later: {} not {}", recent, now);
        }
    }

    #[test]
    fn a_fit_terminates_for_any_customers(customers in prop::collection::vec(observations(), 100..140)) {
        let fit = fit(ModelFamily::IN_USE, customers);
        prop_assert!(fit.log_likelihood.is_finite(), "{:?}", fit);
    }
}
