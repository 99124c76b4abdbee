//! Since when the jobs that go through all orgs have not done so: a job that is not called any more can't tell itself.

use shared::{
    failure::Failure,
    host::{Context, Reply},
    store::Marking,
};

/// The jobs' operations, and the metric of each.
const WATCHED: [(&str, &str); 2] =
    [("recalculate", "HoursSinceTierRecalculation"), ("predict", "HoursSinceChurnPrediction")];

/// What is watched: where marking goes on, if the zone rules are newer than those by which bundles are judged.
pub(crate) type NewerRules = Option<Marking>;

/// Adds to an answer's metrics how many hours ago each job last came to its end, or was first looked for. A run that can't tell
/// has failed, though the bundles are done: it is made again, and somebody hears of it.
pub(crate) async fn report(context: &Context, reply: Reply) -> Result<(Reply, NewerRules), Failure> {
    let watched = context.store.watched(WATCHED.map(|(operation, _)| operation), context.now).await?;
    let reply = WATCHED.into_iter().zip(watched.waited_since).fold(reply, |reply, ((_, metric), since)| {
        reply.reporting(metric, (context.now - since).as_seconds_f64() / 3600.0)
    });
    Ok((reply, watched.newer_rules))
}
