//! The answer and the metrics of a run.

use serde::Serialize;
use shared::{
    domain::churn::{prediction::Hindsight, risk::RiskLevel, score::ChurnSource},
    host::{Context, Reply},
    jobs::report::SweepReport,
    telemetry::metric::{Metric, MetricValue},
};

use crate::score::Scored;

/// The counters of one org.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScoringFigures {
    predictions: u64,
    /// Customers at high or critical risk.
    high_risk: u64,
    medium_risk: u64,
    low_risk: u64,
    claude: u64,
    /// Predictions by Claude that were limited to the allowed distance from the statistical model.
    clipped: u64,
    statistical: u64,
    /// The outcomes of the predictions whose horizon has ended since the last look-back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hindsight: Option<HindsightView>,
    #[serde(skip)]
    critical_risk: u64,
    /// Customers at critical risk whose previous prediction had a lower level.
    #[serde(skip)]
    newly_critical: u64,
}

/// The outcomes of past predictions.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HindsightView {
    predictions: usize,
    left: usize,
    came_true: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    brier: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auc: Option<f64>,
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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sums {
    total_predictions: u64,
    total_high_risk: u64,
    /// Why some or all customers were scored without Claude.
    #[serde(skip_serializing_if = "Option::is_none")]
    without_claude: Option<&'static str>,
}

/// The use of Claude in a call.
#[derive(Clone, Copy)]
pub(crate) struct ClaudeUsage {
    /// Why some or all customers were scored without Claude.
    pub(crate) without_claude: Option<&'static str>,
    /// Whether an API key is configured.
    pub(crate) has_key: bool,
    /// Whether the call is a dry run, which records no metrics.
    pub(crate) is_dry: bool,
}

pub(crate) fn reply(context: &Context, swept: &SweepReport<ScoringFigures>, usage: ClaudeUsage) -> Reply {
    let ClaudeUsage { without_claude, has_key, is_dry } = usage;
    let sum = |figure: fn(&ScoringFigures) -> u64| -> u64 {
        swept.results.iter().map(|report| figure(&report.figures)).sum()
    };
    let sums = Sums {
        total_predictions: sum(|figures| figures.predictions),
        total_high_risk: sum(|figures| figures.high_risk),
        without_claude,
    };
    let reply = Reply::ok(&swept.answer(sums));
    if is_dry {
        return reply;
    }
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
    if has_key {
        context.metric(Metric::WithoutClaude, sum(|figures| figures.statistical));
    }
    for hindsight in swept.results.iter().filter_map(|report| report.figures.hindsight.as_ref()) {
        let scores = [(Metric::Brier, hindsight.brier), (Metric::Auc, hindsight.auc)];
        for (metric, score) in scores.into_iter().filter_map(|(metric, score)| Some((metric, score?))) {
            context.metric(metric, MetricValue::Scores(vec![score]));
        }
    }
    reply
}
