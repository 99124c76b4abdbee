//! The answer and the metrics of a run.

use shared::{
    domain::recalculation::TierDirection,
    host::Context,
    jobs::report::{OrgReport, SweepAnswer, SweepReport},
    telemetry::metric::Metric,
};

/// The answer of one call of a run.
pub type RecalculationAnswer = SweepAnswer<RecalculationFigures, RecalculationSums>;

/// The counters of one org.
#[declare::answer]
#[derive(Default)]
pub struct RecalculationFigures {
    /// The number of customers that the call evaluated, including unreadable ones.
    pub customers: u64,
    /// The number of changes of tier.
    pub changed: u64,
    /// The number of changes to a higher tier.
    pub promotions: u64,
    /// The number of changes to a lower tier.
    pub demotions: u64,
    #[serde(skip)]
    holding: [u64; Metric::HOLDING_TIERS.len()],
}

/// The sums over the orgs of a call.
#[declare::answer]
pub struct RecalculationSums {
    /// The number of customers that the call evaluated.
    pub total_customers: u64,
    /// The number of changes of tier.
    pub total_changed: u64,
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

/// The sum of a figure over all orgs.
fn sum(swept: &SweepReport<RecalculationFigures>, figure: impl Fn(&RecalculationFigures) -> u64) -> u64 {
    swept.results.iter().map(|OrgReport { figures, .. }| figure(figures)).sum()
}

pub(crate) fn answer(swept: SweepReport<RecalculationFigures>) -> RecalculationAnswer {
    let sums = RecalculationSums {
        total_customers: sum(&swept, |figures| figures.customers),
        total_changed: sum(&swept, |figures| figures.changed),
    };
    swept.answer(sums)
}

pub(crate) fn record_metrics(context: &Context, swept: &SweepReport<RecalculationFigures>) {
    context.metric(Metric::CustomersJudged, sum(swept, |figures| figures.customers));
    context.metric(Metric::TiersChanged, sum(swept, |figures| figures.changed));
    context.metric(Metric::Promotions, sum(swept, |figures| figures.promotions));
    context.metric(Metric::Demotions, sum(swept, |figures| figures.demotions));
    context.metric(Metric::ErrorsEncountered, swept.errors());
    for (rank, metric) in Metric::HOLDING_TIERS.into_iter().enumerate() {
        let holding = sum(swept, |figures| figures.holding.get(rank).copied().unwrap_or(0));
        // Most ladders have few tiers, and a metric without customers is not recorded.
        if holding > 0 {
            context.metric(metric, holding);
        }
    }
}
