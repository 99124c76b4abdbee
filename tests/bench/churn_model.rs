//! How long the churn model takes: to be fitted to an org's customers, and to score a million of them.

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

use purchase_log::{HORIZON_DAYS, Past, known_at, parting};

const RUNS: usize = 11;

fn observe(past: &Past, now: DateTime<Utc>) -> Observation {
    Observation::of(past.customer.orders.as_ref().unwrap(), Zone::default(), now)
}

fn observe_all(now: DateTime<Utc>) -> Vec<Observation> {
    known_at(now).iter().map(|past| observe(past, now)).collect()
}

/// Does something so often, and prints the median time.
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

/// Everything that is worked out of a customer without asking anybody.
fn score(model: &Model, past: &Past) -> (Features, Probability, RiskLevel) {
    let features = Features::at(&past.customer, Zone::default(), parting()).unwrap();
    let probability = Probability::from_share(model.no_purchase(observe(past, parting()), HORIZON_DAYS)).unwrap();
    (features, probability, RiskLevel::of(probability))
}

fn main() {
    let log = known_at(parting());
    let observed = observe_all(parting());
    // As many different customers as are ever fitted on: those of the log as they were on several days.
    let most: Vec<_> = (0..5).flat_map(|month| observe_all(parting() + TimeDelta::days(30 * month))).collect();
    let most = most.get(..CustomerSample::SIZE_MAX).unwrap();
    for family in [ModelFamily::BgNbd, ModelFamily::MbgNbd] {
        let customers = observed.len();
        time(&format!("fitting {family:?} to {customers} customers"), || fit(family, observed.iter().copied()));
        time(&format!("fitting {family:?} to {} customers", most.len()), || fit(family, most.iter().copied()));
    }
    let model = fit(ModelFamily::IN_USE, observed.iter().copied()).model;
    let critical = time("scoring a million customers", || {
        let million = log.iter().cycle().take(1_000_000);
        million.filter(|past| score(&model, past).2 == RiskLevel::Critical).count()
    });
    let left = log.iter().cycle().take(1_000_000).filter(|past| past.left).count();
    println!("of whom {critical} are critical, and {left} left");
}
