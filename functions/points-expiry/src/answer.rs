//! The answer and the metrics of a run.

use shared::{
    domain::points::Points,
    host::Context,
    jobs::report::{OrgReport, SweepAnswer, SweepReport},
    telemetry::metric::Metric,
};

/// The answer of one call of a run.
pub type ExpiryAnswer = SweepAnswer<ExpiryFigures, ExpirySums>;

/// The counters of one org.
#[declare::answer]
#[derive(Default)]
pub struct ExpiryFigures {
    /// The number of customers that the call looked at, including unreadable ones.
    pub customers: u64,
    /// The number of customers of whom something was due and is recorded now.
    pub expired: u64,
    /// The number of points that expired.
    pub points_expired: u64,
    /// The number of holds that lapsed.
    pub holds_lapsed: u64,
    /// The number of notices of points that expire soon.
    pub warned: u64,
    /// The number of days that were closed.
    pub days_closed: u64,
}

/// The sums over the orgs of a call.
#[declare::answer]
pub struct ExpirySums {
    /// The number of customers that the call looked at.
    pub total_customers: u64,
    /// The number of customers of whom something was due and is recorded now.
    pub total_expired: u64,
    /// The number of points that expired.
    pub total_points_expired: u64,
    /// The number of holds that lapsed.
    pub total_holds_lapsed: u64,
    /// The number of notices of points that expire soon.
    pub total_warned: u64,
}

impl ExpiryFigures {
    /// Counts a customer of whom something was recorded.
    pub(crate) fn count_recorded(&mut self, points: Points, holds: usize) {
        self.expired += 1;
        self.points_expired = self.points_expired.saturating_add(u64::try_from(points.0).unwrap_or(0));
        self.holds_lapsed = self.holds_lapsed.saturating_add(u64::try_from(holds).unwrap_or(0));
    }
}

/// The sum of a figure over all orgs.
fn sum(swept: &SweepReport<ExpiryFigures>, figure: impl Fn(&ExpiryFigures) -> u64) -> u64 {
    swept.results.iter().map(|OrgReport { figures, .. }| figure(figures)).fold(0, u64::saturating_add)
}

pub(crate) fn answer(swept: SweepReport<ExpiryFigures>) -> ExpiryAnswer {
    let sums = ExpirySums {
        total_customers: sum(&swept, |figures| figures.customers),
        total_expired: sum(&swept, |figures| figures.expired),
        total_points_expired: sum(&swept, |figures| figures.points_expired),
        total_holds_lapsed: sum(&swept, |figures| figures.holds_lapsed),
        total_warned: sum(&swept, |figures| figures.warned),
    };
    swept.answer(sums)
}

pub(crate) fn record_metrics(context: &Context, swept: &SweepReport<ExpiryFigures>) {
    context.metric(Metric::PointsExpired, sum(swept, |figures| figures.points_expired));
    context.metric(Metric::HoldsLapsed, sum(swept, |figures| figures.holds_lapsed));
    context.metric(Metric::ExpiryWarnings, sum(swept, |figures| figures.warned));
    context.metric(Metric::ErrorsEncountered, swept.errors());
}
