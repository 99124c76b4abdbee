//! The duration of a run that asks Claude about a thousand customers. A stand-in replies after 300 ms. The pause
//! between requests and the number of concurrent requests vary.

use std::time::Duration;

use harness::{
    World,
    anthropic::{Anthropic, ApiReply},
    customers, instant, scenario,
    world::{ORG, WorldSetup},
};
use serde_json::json;
use shared::clock::Stopwatch;

const CUSTOMERS: usize = 1_000;
const ANSWER: Duration = Duration::from_millis(300);
const NOW: &str = "2026-06-01T12:00:00Z";

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    println!("{:>9} {:>12} {:>9} {:>9} {:>11}", "pause ms", "concurrency", "requests", "seconds", "customers/s");
    for (pause, concurrency) in [("1000", "1"), ("0", "1"), ("250", "4"), ("0", "4")] {
        run(pause, concurrency).await;
    }
}

async fn run(pause: &str, concurrency: &str) {
    let anthropic = Anthropic::start().await;
    anthropic.always(ApiReply::Delayed(ANSWER));
    let environment = [
        ("ANTHROPIC_API_KEY", "a key"),
        ("ANTHROPIC_BASE_URL", &anthropic.url()),
        ("CHURN_PAUSE_MS", pause),
        ("CHURN_CONCURRENCY", concurrency),
    ];
    let environment = environment.map(|(name, value)| (name, value.to_owned())).to_vec();
    let world = World::with(WorldSetup { environment, ..WorldSetup::default() }).await;
    world.put_customer(ORG, "ada", &json!({})).await;
    let order = scenario::award("ada", "o1", "40", &json!({"fulfilledAt": "2026-05-01T12:00:00Z"}));
    assert_eq!(world.send_at(&order, instant(NOW)).await.status, 201);
    customers::copy(&world, "ada", 1..CUSTOMERS).await;

    let request = harness::Request::new("POST", "churn-prediction", "/").json(&json!({ "orgId": ORG }));
    let watch = Stopwatch::start();
    let reported = world.send_at(&request, instant(NOW)).await.body;
    let took = watch.elapsed().as_secs_f64();
    assert_eq!((&reported["results"][0]["claude"], reported.get("cursor")), (&json!(CUSTOMERS), None), "{reported}");
    let per_second = f64::from(u32::try_from(CUSTOMERS).unwrap()) / took;
    println!("{pause:>9} {concurrency:>12} {:>9} {took:>9.1} {per_second:>11.0}", anthropic.requests().len());
}
