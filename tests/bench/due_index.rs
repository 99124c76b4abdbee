//! The cost of a run of `bundle-transitions` as bundles accumulate while the number of due ones stays the same.

use harness::{World, bundles, instant};
use serde_json::json;
use shared::clock::Stopwatch;

const DUE: usize = 50;

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    println!("{:>10} {:>6} {:>9} {:>7} {:>13} {:>9}", "bundles", "due", "queries", "reads", "transactions", "ms");
    for bundles in [1_000, 10_000, 100_000] {
        let world = World::new().await;
        world.send(&bundles::put("b", &json!({"startDate": "2026-06-01T13:00:00Z"}))).await;
        bundles::copy(&world, "b", bundles, |number| {
            Some(if number < DUE { "2026-06-01T13:00:00.000Z" } else { "2026-07-01T13:00:00.000Z" })
        })
        .await;
        world.send(&bundles::put("b", &json!({"desiredState": "ended"}))).await;
        world.proxy.take_requests();
        let watch = Stopwatch::start();
        let run = world.send_at(&bundles::job(&json!({})), instant("2026-06-01T13:00:00Z")).await.body;
        let took = watch.elapsed().as_millis();
        assert_eq!(run["summary"]["transitionsPerformed"], DUE, "{run}");
        let seen = world.proxy.take_requests();
        let count = |operation: &str| seen.iter().filter(|seen| *seen == operation).count();
        let (queries, reads, writes) = (count("Query"), count("BatchGetItem"), count("TransactWriteItems"));
        println!("{bundles:>10} {DUE:>6} {queries:>9} {reads:>7} {writes:>13} {took:>9}");
    }
}
