//! Probabilities, risk levels, and the accuracy of probabilities against outcomes.

use proptest::prelude::*;
use serde_json::json;
use shared::domain::churn::{
    accuracy::{CalibrationBin, ScoredOutcome, auc, brier, calibration},
    risk::{Probability, RiskLevel},
};

fn judged(all: &[(f64, bool)]) -> Vec<ScoredOutcome> {
    all.iter().map(|&(predicted, happened)| ScoredOutcome { predicted, happened }).collect()
}

#[test]
fn the_auc_is_one_for_a_perfect_model_and_a_half_for_an_uninformative_one() {
    assert_eq!(auc(&judged(&[(0.9, true), (0.8, true), (0.3, false)])), Some(1.0));
    assert_eq!(auc(&judged(&[(0.1, true), (0.8, false)])), Some(0.0));
    assert_eq!(auc(&judged(&[(0.5, true), (0.5, false), (0.5, false)])), Some(0.5));
    assert_eq!(auc(&judged(&[(0.7, true), (0.7, false), (0.2, false)])), Some(0.75));
}

#[test]
fn accuracy_figures_without_enough_data_are_absent() {
    assert_eq!((auc(&[]), brier(&[])), (None, None));
    assert_eq!(auc(&judged(&[(0.9, true), (0.8, true)])), None, "nobody to tell them from");
    assert_eq!(auc(&judged(&[(0.9, false)])), None);
    assert_eq!(calibration(&[])[3], CalibrationBin { count: 0, predicted: None, happened: None });
}

#[test]
fn the_brier_score_is_the_mean_squared_distance() {
    assert_eq!(brier(&judged(&[(1.0, true), (0.0, false)])), Some(0.0));
    assert_eq!(brier(&judged(&[(0.5, true), (0.0, true)])), Some(0.625));
}

#[test]
fn each_prediction_is_in_one_row_of_the_table() {
    let rows =
        calibration(&judged(&[(0.0, false), (0.125, true), (0.1875, false), (0.3, true), (0.99, true), (1.0, true)]));
    assert_eq!(rows.map(|row| row.count), [1, 2, 0, 1, 0, 0, 0, 0, 0, 2]);
    assert_eq!((rows[1].predicted, rows[1].happened), (Some(0.156_25), Some(0.5)));
    assert_eq!((rows[9].predicted, rows[9].happened), (Some(0.995), Some(1.0)));
}

#[test]
fn a_probability_is_finite_and_between_zero_and_one() {
    for nonsense in [-0.001, 100.001, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(Probability::from_percent(nonsense), None, "{nonsense}");
        assert_eq!(Probability::from_share(nonsense / 1e-9), None, "{nonsense}");
    }
    assert_eq!(Probability::from_hundredths(10_001), None);
    let at = |percent: f64| Probability::from_percent(percent).unwrap().hundredths();
    assert_eq!((at(0.0), at(-0.0), at(100.0)), (0, 0, 10_000));
    assert_eq!((at(12.344), at(12.345_1), at(99.999)), (1234, 1235, 10_000));
    assert_eq!(Probability::from_share(0.831_24).unwrap().hundredths(), 8312);
}

#[test]
fn a_probability_is_serialized_as_a_percentage_with_at_most_two_decimals() {
    let answered = |hundredths: u16| json!(Probability::from_hundredths(hundredths).unwrap());
    assert_eq!(
        [0, 1, 10, 2500, 3333, 8310, 10_000].map(answered),
        [json!(0), json!(0.01), json!(0.1), json!(25), json!(33.33), json!(83.1), json!(100)]
    );
}

#[test]
fn each_risk_level_includes_its_upper_bound() {
    let level = |hundredths: u16| RiskLevel::of(Probability::from_hundredths(hundredths).unwrap());
    assert_eq!([0, 2500].map(level), [RiskLevel::Low; 2]);
    assert_eq!([2501, 5000].map(level), [RiskLevel::Medium; 2]);
    assert_eq!([5001, 7500].map(level), [RiskLevel::High; 2]);
    assert_eq!([7501, 10_000].map(level), [RiskLevel::Critical; 2]);
    for level in RiskLevel::ALL.iter().copied() {
        assert_eq!(json!(level), json!(level.name()));
    }
}

proptest! {
    #[test]
    fn the_auc_is_the_share_of_pairs_in_the_right_order(
        all in prop::collection::vec((0_u32..12, any::<bool>()), 0..60),
    ) {
        let all: Vec<_> = all.into_iter().map(|(tenths, happened)| (f64::from(tenths) / 11.0, happened)).collect();
        let (mut right, mut pairs) = (0.0, 0.0);
        for (higher, _) in all.iter().filter(|(_, happened)| *happened) {
            for (lower, _) in all.iter().filter(|(_, happened)| !*happened) {
                pairs += 1.0;
                right += if higher > lower { 1.0 } else if higher < lower { 0.0 } else { 0.5 };
            }
        }
        let area = auc(&judged(&all));
        prop_assert_eq!(area.is_some(), pairs > 0.0);
        prop_assert!(area.is_none_or(|area| (area - right / pairs).abs() < 1e-9));
        let rows = calibration(&judged(&all));
        prop_assert_eq!(rows.iter().map(|row| row.count).sum::<u32>() as usize, all.len());
    }

    #[test]
    fn a_probability_is_stored_and_read_back(hundredths in 0_u16..=10_000) {
        let probability = Probability::from_hundredths(hundredths).unwrap();
        prop_assert_eq!(probability.hundredths(), hundredths);
        prop_assert_eq!(Probability::from_share(probability.share()), Some(probability));
        let answered = json!(probability).as_f64().unwrap();
        prop_assert_eq!(Probability::from_percent(answered), Some(probability));
    }
}
