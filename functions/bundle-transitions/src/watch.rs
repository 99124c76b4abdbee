//! Reports the age of the last run of the jobs that process all orgs.
//!
//! A job that is no longer called cannot report its own absence, so this job reports it.

use shared::{
    failure::Failure,
    host::Context,
    store::ZoneMarking,
    telemetry::metric::{Metric, MetricValue},
};

/// The operations of the watched jobs, and the metric of each.
const WATCHED: [(&str, Metric); 3] = [
    ("expire", Metric::HoursSincePointsExpiry),
    ("recalculate", Metric::HoursSinceTierRecalculation),
    ("predict", Metric::HoursSinceChurnPrediction),
];

/// Records the hours since each watched job last ended, or since this job first looked for its end.
///
/// If the time zone rules are newer than the rules by which bundles were evaluated, returns where marking continues.
///
/// If the ends of the jobs cannot be read, the run fails although its bundles are up to date. The run is then
/// retried, and its alarm goes off.
pub(crate) async fn report(context: &Context) -> Result<Option<ZoneMarking>, Failure> {
    let watched = context.store.sweep_watch(WATCHED.map(|(operation, _)| operation), context.now).await?;
    for ((_, metric), since) in WATCHED.into_iter().zip(watched.waited_since) {
        context.metric(metric, MetricValue::Hours((context.now - since).as_seconds_f64() / 3600.0));
    }
    Ok(watched.zone_marking)
}
