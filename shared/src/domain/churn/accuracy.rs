//! How good probabilities were, once it is known what happened.

/// What was said, and what happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoredOutcome {
    /// The probability that was given to it, from 0 to 1.
    pub predicted: f64,
    /// Whether it happened.
    pub happened: bool,
}

/// The area under the ROC curve: how often, of one to whom it happened and one to whom it did not, the first had been
/// given the higher probability. Ties count half. 0.5 is guessing, 1 is never wrong. `None` unless there are both.
///
/// By ranks: Hanley and `McNeil` (1982), "The meaning and use of the area under a receiver operating characteristic (ROC)
/// curve", Radiology 143(1).
#[must_use]
pub fn auc(all: &[ScoredOutcome]) -> Option<f64> {
    let mut sorted = all.to_vec();
    sorted.sort_unstable_by(|one, other| one.predicted.total_cmp(&other.predicted));
    let (mut happened_in_all, mut not_in_all, mut ordered_pairs) = (0.0, 0.0, 0.0);
    for tied in sorted.chunk_by(|one, other| one.predicted.total_cmp(&other.predicted).is_eq()) {
        let happened = count(tied.iter().filter(|one| one.happened));
        let not = count(tied.iter().filter(|one| !one.happened));
        ordered_pairs += happened * (not_in_all + not / 2.0);
        (happened_in_all, not_in_all) = (happened_in_all + happened, not_in_all + not);
    }
    let pairs = happened_in_all * not_in_all;
    (pairs > 0.0).then(|| ordered_pairs / pairs)
}

/// The mean of the squared distances between probability and outcome: 0 is never wrong, and lower is better. `None` of
/// nothing.
///
/// Brier (1950), "Verification of forecasts expressed in terms of probability", Monthly Weather Review 78(1).
#[must_use]
pub fn brier(all: &[ScoredOutcome]) -> Option<f64> {
    mean(all.iter().map(|one| (one.predicted - outcome(one)).powi(2)))
}

/// One row of a calibration table: those given a probability from one tenth up to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationBin {
    /// How many there are.
    pub count: u32,
    /// The mean of the probabilities given to them; `None` of nothing.
    pub predicted: Option<f64>,
    /// The share to whom it happened; `None` of nothing.
    pub happened: Option<f64>,
}

/// Ten rows: given from 0 to 0.1, from there to 0.2, and so on. What is given exactly a border is in the row above it,
/// and 1 in the last. In each row of a well calibrated model `happened` is near `predicted`.
#[must_use]
pub fn calibration(all: &[ScoredOutcome]) -> [CalibrationBin; 10] {
    let border = |tenths: u32| f64::from(tenths) / 10.0;
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(|tenth: u32| {
        let is_in =
            |one: &&ScoredOutcome| one.predicted >= border(tenth) && (tenth == 9 || one.predicted < border(tenth + 1));
        let row = || all.iter().filter(is_in);
        let (predicted, happened) = (mean(row().map(|one| one.predicted)), mean(row().map(outcome)));
        CalibrationBin { count: u32::try_from(row().count()).unwrap_or(u32::MAX), predicted, happened }
    })
}

fn outcome(one: &ScoredOutcome) -> f64 {
    if one.happened { 1.0 } else { 0.0 }
}

fn count<T>(all: impl Iterator<Item = T>) -> f64 {
    all.map(|_| 1.0).sum()
}

fn mean(all: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = all.fold((0.0, 0.0), |(sum, count), one| (sum + one, count + 1.0));
    (count > 0.0).then(|| sum / count)
}
