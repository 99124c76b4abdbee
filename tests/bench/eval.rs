//! The accuracy of the churn score on a real purchase log: fitted to the data of one date, compared with the next 90
//! days.

use harness::purchase_log::{HORIZON_DAYS, HistoricalCustomer, calibration_end, customers_known_at};
use shared::domain::{
    churn::{
        accuracy::{ScoredOutcome, auc, brier, calibration},
        fit::{Fit, fit},
        model::ModelFamily,
        observation::Observation,
    },
    time,
    zone::Zone,
};

/// A guess without measurement: a probability for each range of days since the last order.
const BY_HAND: [(u32, f64); 5] = [(30, 0.1), (60, 0.3), (90, 0.5), (180, 0.8), (u32::MAX, 0.95)];

fn observe(past: &HistoricalCustomer) -> Observation {
    Observation::of(past.customer.orders.as_ref().unwrap(), Zone::UTC, calibration_end())
}

fn by_hand(past: &HistoricalCustomer) -> f64 {
    let days = time::days_between(past.customer.last_order_at().unwrap(), calibration_end());
    BY_HAND.iter().find(|(up_to, _)| days <= *up_to).unwrap().1
}

fn score_log(log: &[HistoricalCustomer], score: impl Fn(&HistoricalCustomer) -> f64) -> Vec<ScoredOutcome> {
    log.iter().map(|past| ScoredOutcome { predicted: score(past), happened: past.churned }).collect()
}

fn name(family: ModelFamily) -> &'static str {
    match family {
        ModelFamily::BgNbd => "BG/NBD",
        ModelFamily::MbgNbd => "MBG/NBD",
    }
}

fn print_fits(fits: &[Fit]) {
    println!("\n{:<9} {:>7} {:>7} {:>7} {:>7} {:>15}", "fitted", "r", "alpha", "a", "b", "log-likelihood");
    for Fit { model, log_likelihood, .. } in fits {
        let [r, alpha, a, b] = model.parameters.values();
        println!("{:<9} {r:>7.3} {alpha:>7.3} {a:>7.3} {b:>7.3} {log_likelihood:>15.1}", name(model.family));
    }
}

fn print_scores(scores: &[(String, Vec<ScoredOutcome>)]) {
    println!("\n{:<48} {:>6} {:>7}", "score", "AUC", "Brier");
    for (name, outcomes) in scores {
        println!("{name:<48} {:>6.3} {:>7.4}", auc(outcomes).unwrap(), brier(outcomes).unwrap());
    }
}

fn print_calibration(outcomes: &[ScoredOutcome]) {
    println!("\n{:<12} {:>9} {:>10} {:>9}", "score", "customers", "mean score", "left");
    for (tenth, row) in calibration(outcomes).iter().enumerate() {
        let range = format!("{} to {} %", tenth * 10, (tenth + 1) * 10);
        let percent = |share: Option<f64>| share.map_or("-".to_owned(), |share| format!("{:.1} %", share * 100.0));
        println!("{range:<12} {:>9} {:>10} {:>9}", row.count, percent(row.predicted), percent(row.happened));
    }
}

fn main() {
    let log = customers_known_at(calibration_end());
    let base_rate = score_log(&log, |past| if past.churned { 1.0 } else { 0.0 });
    let base_rate =
        base_rate.iter().map(|one| one.predicted).sum::<f64>() / f64::from(u32::try_from(log.len()).unwrap());
    let (customers, day) = (log.len(), time::text(calibration_end()));
    println!(
        "{customers} customers at {day}; {:.1} % bought nothing in the {HORIZON_DAYS} days after",
        base_rate * 100.0
    );

    let fits = [ModelFamily::BgNbd, ModelFamily::MbgNbd].map(|family| fit(family, log.iter().map(observe)));
    print_fits(&fits);

    let mut scores = vec![
        ("constant base rate".to_owned(), score_log(&log, |_| base_rate)),
        ("days since last order, bucketed by hand".to_owned(), score_log(&log, by_hand)),
    ];
    for Fit { model, .. } in fits {
        let mistake = score_log(&log, |past| 1.0 - model.alive(observe(past)));
        scores.push((format!("{}, 1 - P(alive): the common mistake", name(model.family)), mistake));
    }
    for Fit { model, .. } in fits {
        let outcomes = score_log(&log, |past| model.no_purchase(observe(past), HORIZON_DAYS));
        let mark = if model.family == ModelFamily::IN_USE { " (in use)" } else { "" };
        scores.push((format!("{}, P(no purchase){mark}", name(model.family)), outcomes));
    }
    print_scores(&scores);

    let in_use = fits.iter().find(|fit| fit.model.family == ModelFamily::IN_USE).unwrap().model;
    println!("\nCalibration of {}", name(in_use.family));
    print_calibration(&score_log(&log, |past| in_use.no_purchase(observe(past), HORIZON_DAYS)));
}
