//! The answer and the metrics of a run.

use shared::{
    domain::churn::{prediction::Hindsight, risk::RiskLevel, score::ChurnSource},
    host::Context,
    jobs::report::{SweepAnswer, SweepReport},
    telemetry::metric::{Metric, MetricValue},
};

use crate::{claude::SwitchOffReason, score::Scored};

/// The answer of one call of a run.
pub type PredictionAnswer = SweepAnswer<ScoringFigures, ScoringSums>;

/// The counters of one org.
#[declare::answer]
#[derive(Default)]
pub struct ScoringFigures {
    /// The number of predictions.
    pub predictions: u64,
    /// The number of customers at high or critical risk.
    pub high_risk: u64,
    /// The number of customers at medium risk.
    pub medium_risk: u64,
    /// The number of customers at low risk.
    pub low_risk: u64,
    /// The number of predictions by Claude.
    pub claude: u64,
    /// The number of predictions by Claude that were limited to the allowed distance from the statistical model.
    pub clipped: u64,
    /// The number of predictions by the statistical model alone.
    pub statistical: u64,
    /// The outcomes of the predictions whose horizon has ended since the last look-back. Absent without such
    /// predictions.
    pub hindsight: Option<HindsightView>,
    #[serde(skip)]
    critical_risk: u64,
    /// Customers at critical risk whose previous prediction had a lower level.
    #[serde(skip)]
    newly_critical: u64,
}

/// The outcomes of past predictions.
#[declare::answer]
pub struct HindsightView {
    /// The number of predictions.
    pub predictions: usize,
    /// The number of customers who left.
    pub left: usize,
    /// The number of predictions whose likelier outcome happened.
    pub came_true: usize,
    /// The Brier score: the mean squared error of the probabilities, from 0 (best) to 1, rounded to four decimals.
    pub brier: Option<f64>,
    /// The area under the ROC curve, from 0 to 1 (best), rounded to four decimals. Absent if all customers left or none
    /// did.
    pub auc: Option<f64>,
}

impl From<Hindsight> for HindsightView {
    fn from(Hindsight { predictions, left, came_true, brier, auc }: Hindsight) -> Self {
        Self { predictions, left, came_true, brier, auc }
    }
}

impl ScoringFigures {
    /// Counts a prediction. `before` is the level of the customer's previous prediction.
    pub(crate) fn count_prediction(&mut self, Scored { prediction, clipped }: &Scored, before: Option<RiskLevel>) {
        self.predictions += 1;
        self.clipped += u64::from(*clipped);
        match prediction.level() {
            RiskLevel::Low => self.low_risk += 1,
            RiskLevel::Medium => self.medium_risk += 1,
            RiskLevel::High => self.high_risk += 1,
            RiskLevel::Critical => {
                self.high_risk += 1;
                self.critical_risk += 1;
                self.newly_critical += u64::from(before.is_some_and(|before| before != RiskLevel::Critical));
            }
        }
        match prediction.source {
            ChurnSource::Claude => self.claude += 1,
            ChurnSource::Statistical => self.statistical += 1,
        }
    }
}

/// The sums over the orgs of a call.
#[declare::answer]
pub struct ScoringSums {
    /// The number of predictions.
    pub total_predictions: u64,
    /// The number of customers at high or critical risk.
    pub total_high_risk: u64,
    /// Why some or all customers were scored without Claude. Absent if Claude was asked to the end.
    pub without_claude: Option<WithoutClaude>,
}

/// Why some or all customers of a call were scored without Claude.
#[declare::answer]
#[derive(Copy, Eq)]
pub enum WithoutClaude {
    /// The call is a dry run.
    DryRun,
    /// No key is set.
    NotConfigured,
    /// The secret with the key cannot be read.
    KeyUnreadable,
    /// Claude was switched off during the call.
    #[serde(untagged)]
    SwitchedOff(SwitchOffReason),
}

/// The sum of a figure over all orgs.
fn sum(swept: &SweepReport<ScoringFigures>, figure: fn(&ScoringFigures) -> u64) -> u64 {
    swept.results.iter().map(|report| figure(&report.figures)).sum()
}

pub(crate) fn answer(swept: SweepReport<ScoringFigures>, without_claude: Option<WithoutClaude>) -> PredictionAnswer {
    let sums = ScoringSums {
        total_predictions: sum(&swept, |figures| figures.predictions),
        total_high_risk: sum(&swept, |figures| figures.high_risk),
        without_claude,
    };
    swept.answer(sums)
}

/// Records the metrics of a call. `expects_claude` states whether Claude should have scored the customers.
pub(crate) fn record_metrics(context: &Context, swept: &SweepReport<ScoringFigures>, expects_claude: bool) {
    let sum = |figure| sum(swept, figure);
    let critical = sum(|figures| figures.critical_risk);
    context.metric(Metric::Predictions, sum(|figures| figures.predictions));
    context.metric(Metric::LowRisk, sum(|figures| figures.low_risk));
    context.metric(Metric::MediumRisk, sum(|figures| figures.medium_risk));
    context.metric(Metric::HighRisk, sum(|figures| figures.high_risk) - critical);
    context.metric(Metric::CriticalRisk, critical);
    context.metric(Metric::NewlyCritical, sum(|figures| figures.newly_critical));
    context.metric(Metric::ByClaude, sum(|figures| figures.claude));
    context.metric(Metric::Clipped, sum(|figures| figures.clipped));
    context.metric(Metric::ByStatistics, sum(|figures| figures.statistical));
    context.metric(Metric::ErrorsEncountered, swept.errors());
    // Without a key, scoring by the statistical model alone is intended and not an incident.
    if expects_claude {
        context.metric(Metric::WithoutClaude, sum(|figures| figures.statistical));
    }
    for hindsight in swept.results.iter().filter_map(|report| report.figures.hindsight.as_ref()) {
        let scores = [(Metric::Brier, hindsight.brier), (Metric::Auc, hindsight.auc)];
        for (metric, score) in scores.into_iter().filter_map(|(metric, score)| Some((metric, score?))) {
            context.metric(metric, MetricValue::Scores(vec![score]));
        }
    }
}
