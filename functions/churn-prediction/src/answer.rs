//! What a run tells.

use serde::Serialize;
use shared::{
    domain::churn::{prediction::Hindsight, risk::RiskLevel, score::ChurnSource},
    host::Reply,
    jobs::report::Swept,
};

use crate::score::Scored;

/// What was done in one org.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScoringFigures {
    predictions: u64,
    /// High and critical.
    high_risk: u64,
    medium_risk: u64,
    low_risk: u64,
    claude: u64,
    /// Those of them whose probability was too far from the statistical model's.
    clipped: u64,
    statistical: u64,
    /// How the predictions came out whose horizon has ended since it was last looked back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hindsight: Option<Hindsight>,
    #[serde(skip)]
    critical_risk: u64,
    /// Those of them who were scored before, and not so high.
    #[serde(skip)]
    newly_critical: u64,
}

impl ScoringFigures {
    /// Counts what was predicted of a customer who was at another level `before`, if at any.
    pub(crate) fn predict(&mut self, Scored { prediction, clipped }: &Scored, before: Option<RiskLevel>) {
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
    /// Why Claude was not asked, or not to the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    without_claude: Option<&'static str>,
}

/// What a call asked of Claude, and whether it counts.
pub(crate) struct ClaudeUsage {
    /// Why it had to do without, if it had.
    pub(crate) without_claude: Option<&'static str>,
    /// Whether a key is set.
    pub(crate) has_key: bool,
    /// A dry run counts for nothing.
    pub(crate) is_dry: bool,
}

pub(crate) fn reply(
    swept: &Swept<ScoringFigures>,
    ClaudeUsage { without_claude, has_key, is_dry }: ClaudeUsage,
) -> Reply {
    let sum =
        |figure: fn(&ScoringFigures) -> u64| -> u64 { swept.results.iter().map(|told| figure(&told.figures)).sum() };
    let count = |figure| i64::try_from(sum(figure)).unwrap_or(i64::MAX);
    let sums = Sums {
        total_predictions: sum(|figures| figures.predictions),
        total_high_risk: sum(|figures| figures.high_risk),
        without_claude,
    };
    let critical = count(|figures| figures.critical_risk);
    let hindsight = || swept.results.iter().filter_map(|told| told.figures.hindsight.as_ref());
    let reply = Reply::ok(&swept.answer(sums));
    if is_dry {
        return reply;
    }
    let reply = reply
        .measuring("Predictions", count(|figures| figures.predictions))
        .measuring("LowRisk", count(|figures| figures.low_risk))
        .measuring("MediumRisk", count(|figures| figures.medium_risk))
        .measuring("HighRisk", count(|figures| figures.high_risk) - critical)
        .measuring("CriticalRisk", critical)
        .measuring("NewlyCritical", count(|figures| figures.newly_critical))
        .measuring("ByClaude", count(|figures| figures.claude))
        .measuring("Clipped", count(|figures| figures.clipped))
        .measuring("ByStatistics", count(|figures| figures.statistical))
        .measuring("ErrorsEncountered", swept.failures())
        .scoring("Brier", hindsight().filter_map(|hindsight| hindsight.brier).collect())
        .scoring("Auc", hindsight().filter_map(|hindsight| hindsight.auc).collect());
    // Where no key is set, nobody has to do without Claude.
    if has_key { reply.measuring("WithoutClaude", count(|figures| figures.statistical)) } else { reply }
}
