//! The accuracy of predicted probabilities, measured by outcomes.

/// A predicted probability and its outcome.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoredOutcome {
    /// The predicted probability of the event, from 0 to 1.
    pub predicted: f64,
    /// Whether the event happened.
    pub happened: bool,
}

/// The area under the ROC curve: the probability that a random pair of one positive and one negative outcome is ordered
/// correctly. Ties count half. 0.5 is random, 1 is perfect. Returns `None` unless there are outcomes of both kinds.
///
/// By ranks: Hanley and `McNeil` (1982), "The meaning and use of the area under a receiver operating characteristic
/// (ROC) curve", Radiology 143(1).
#[must_use]
pub fn auc(outcomes: &[ScoredOutcome]) -> Option<f64> {
    let mut sorted = outcomes.to_vec();
    sorted.sort_unstable_by(|a, b| a.predicted.total_cmp(&b.predicted));
    let (mut positives, mut negatives, mut ordered_pairs) = (0.0, 0.0, 0.0);
    for tied in sorted.chunk_by(|a, b| a.predicted.total_cmp(&b.predicted).is_eq()) {
        let positive = count(tied.iter().filter(|scored| scored.happened));
        let negative = count(tied.iter().filter(|scored| !scored.happened));
        ordered_pairs += positive * (negatives + negative / 2.0);
        (positives, negatives) = (positives + positive, negatives + negative);
    }
    let pairs = positives * negatives;
    (pairs > 0.0).then(|| ordered_pairs / pairs)
}

/// The Brier score: the mean squared difference between probability and outcome. 0 is perfect, and lower is better.
/// Returns `None` without outcomes.
///
/// Brier (1950), "Verification of forecasts expressed in terms of probability", Monthly Weather Review 78(1).
#[must_use]
pub fn brier(outcomes: &[ScoredOutcome]) -> Option<f64> {
    mean(outcomes.iter().map(|scored| (scored.predicted - indicator(scored)).powi(2)))
}

/// One row of a calibration table, with the predictions of one tenth of the range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationBin {
    /// The number of predictions.
    pub count: u32,
    /// The mean predicted probability. `None` for an empty row.
    pub predicted: Option<f64>,
    /// The fraction of positive outcomes. `None` for an empty row.
    pub happened: Option<f64>,
}

/// The calibration table in ten rows: predictions from 0 to below 0.1, from 0.1 to below 0.2, and so on. The last row
/// includes 1. In each row of a well calibrated model, `happened` is near `predicted`.
#[must_use]
pub fn calibration(outcomes: &[ScoredOutcome]) -> [CalibrationBin; 10] {
    let border = |tenths: u32| f64::from(tenths) / 10.0;
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(|tenth: u32| {
        let is_in = |scored: &&ScoredOutcome| {
            scored.predicted >= border(tenth) && (tenth == 9 || scored.predicted < border(tenth + 1))
        };
        let row = || outcomes.iter().filter(is_in);
        let (predicted, happened) = (mean(row().map(|scored| scored.predicted)), mean(row().map(indicator)));
        CalibrationBin { count: u32::try_from(row().count()).unwrap_or(u32::MAX), predicted, happened }
    })
}

fn indicator(scored: &ScoredOutcome) -> f64 {
    if scored.happened { 1.0 } else { 0.0 }
}

fn count<T>(items: impl Iterator<Item = T>) -> f64 {
    items.map(|_| 1.0).sum()
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    (count > 0.0).then(|| sum / count)
}
