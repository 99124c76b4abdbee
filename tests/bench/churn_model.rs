//! The time to fit the churn model to the customers of an org, and to score a million customers.

#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub, reason = "what the tests read the purchase log with")]

use chrono::{DateTime, TimeDelta, Utc};
use shared::{
    clock::Stopwatch,
    domain::{
        churn::{
            features::Features,
            fit::fit,
            model::{Model, ModelFamily},
            observation::{CustomerSample, Observation},
            risk::{Probability, RiskLevel},
        },
        zone::Zone,
    },
};

#[path = "../harness/purchase_log.rs"]
mod purchase_log;

use purchase_log::{HORIZON_DAYS, HistoricalCustomer, calibration_end, customers_known_at};

const RUNS: usize = 11;

fn observe(past: &HistoricalCustomer, now: DateTime<Utc>) -> Observation {
    Observation::of(past.customer.orders.as_ref().unwrap(), Zone::default(), now)
}

fn observe_all(now: DateTime<Utc>) -> Vec<Observation> {
    customers_known_at(now).iter().map(|past| observe(past, now)).collect()
}

/// Runs `run` several times and prints the median time. Returns the last result.
fn time<T>(what: &str, run: impl Fn() -> T) -> T {
    let mut took = Vec::new();
    let mut last = None;
    for _ in 0..RUNS {
        let watch = Stopwatch::start();
        last = Some(run());
        took.push(watch.elapsed());
    }
    took.sort_unstable();
    println!("{what:<52} {:>8} ms", took.into_iter().nth(RUNS / 2).unwrap().as_millis());
    last.unwrap()
}

/// Computes everything about a customer that needs no call to Claude.
fn score(model: &Model, past: &HistoricalCustomer) -> (Features, Probability, RiskLevel) {
    let features = Features::at(&past.customer, Zone::default(), calibration_end()).unwrap();
    let probability =
        Probability::from_share(model.no_purchase(observe(past, calibration_end()), HORIZON_DAYS)).unwrap();
    (features, probability, RiskLevel::of(probability))
}

fn main() {
    let log = customers_known_at(calibration_end());
    let observed = observe_all(calibration_end());
    // The largest sample for a fit: the customers of the log as of several dates.
    let most: Vec<_> = (0..5).flat_map(|month| observe_all(calibration_end() + TimeDelta::days(30 * month))).collect();
    let most = most.get(..CustomerSample::SIZE_MAX).unwrap();
    for family in [ModelFamily::BgNbd, ModelFamily::MbgNbd] {
        let customers = observed.len();
        time(&format!("fitting {family:?} to {customers} customers"), || fit(family, observed.iter().copied()));
        time(&format!("fitting {family:?} to {} customers", most.len()), || fit(family, most.iter().copied()));
    }
    let model = fit(ModelFamily::IN_USE, observed.iter().copied()).model;
    let critical = time("a million scores", || {
        let million = log.iter().cycle().take(1_000_000);
        million.filter(|past| score(&model, past).2 == RiskLevel::Critical).count()
    });
    let left = log.iter().cycle().take(1_000_000).filter(|past| past.churned).count();
    println!("of whom {critical} are critical, and {left} left");
}
