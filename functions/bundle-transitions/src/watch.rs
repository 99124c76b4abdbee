//! Since when the jobs that go through all orgs have not done so: a job that is not called any more can't tell itself.

use shared::{
    failure::Failure,
    host::{Context, Reply},
};

/// The jobs' operations, and the metric of each.
const WATCHED: [(&str, &str); 2] =
    [("recalculate", "HoursSinceTierRecalculation"), ("predict", "HoursSinceChurnPrediction")];

/// Adds to an answer's metrics how many hours ago each job last came to its end, or was first looked for. A run that can't tell
/// has failed, though the bundles are done: it is made again, and somebody hears of it.
pub(crate) async fn report(context: &Context, reply: Reply) -> Result<Reply, Failure> {
    let since = context.store.sweeps_waited_for(WATCHED.map(|(operation, _)| operation), context.now).await?;
    Ok(WATCHED.into_iter().zip(since).fold(reply, |reply, ((_, metric), since)| {
        reply.reporting(metric, (context.now - since).as_seconds_f64() / 3600.0)
    }))
}
