//! The answer and the metrics of a run.

use serde::Serialize;
use shared::{
    domain::recalculation::TierDirection,
    host::{Context, Reply},
    jobs::report::{OrgReport, SweepReport},
    telemetry::metric::Metric,
};

/// The counters of one org.
#[derive(Debug, Default, Serialize)]
pub(crate) struct RecalculationFigures {
    customers: u64,
    changed: u64,
    promotions: u64,
    demotions: u64,
    #[serde(skip)]
    holding: [u64; Metric::HOLDING_TIERS.len()],
}

impl RecalculationFigures {
    /// Counts customers, including unreadable ones.
    pub(crate) const fn count_customers(&mut self, customers: u64) {
        self.customers += customers;
    }

    /// Counts a customer that holds the tier with this rank.
    pub(crate) fn count_holder(&mut self, rank: usize) {
        if let Some(holding) = self.holding.get_mut(rank) {
            *holding += 1;
        }
    }

    /// Counts a change of tier.
    pub(crate) const fn count_change(&mut self, direction: TierDirection) {
        self.changed += 1;
        match direction {
            TierDirection::Promotion => self.promotions += 1,
            TierDirection::Demotion => self.demotions += 1,
            TierDirection::Unranked => {}
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sums {
    total_customers: u64,
    total_changed: u64,
}

pub(crate) fn reply(context: &Context, swept: &SweepReport<RecalculationFigures>, dry_run: bool) -> Reply {
    let sum = |figure: fn(&RecalculationFigures) -> u64| -> u64 {
        swept.results.iter().map(|report| figure(&report.figures)).sum()
    };
    let sums =
        Sums { total_customers: sum(|figures| figures.customers), total_changed: sum(|figures| figures.changed) };
    let reply = Reply::ok(&swept.answer(sums));
    if dry_run {
        return reply;
    }
    context.metric(Metric::CustomersJudged, sum(|figures| figures.customers));
    context.metric(Metric::TiersChanged, sum(|figures| figures.changed));
    context.metric(Metric::Promotions, sum(|figures| figures.promotions));
    context.metric(Metric::Demotions, sum(|figures| figures.demotions));
    context.metric(Metric::ErrorsEncountered, swept.errors());
    for (rank, metric) in Metric::HOLDING_TIERS.into_iter().enumerate() {
        let in_org = |report: &OrgReport<RecalculationFigures>| report.figures.holding.get(rank).copied().unwrap_or(0);
        let holding: u64 = swept.results.iter().map(in_org).sum();
        // Most ladders have few tiers, and a metric without customers is not recorded.
        if holding > 0 {
            context.metric(metric, holding);
        }
    }
    reply
}
