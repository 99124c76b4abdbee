//! The cost of a run of `tier-recalculation` as customers accumulate, of whom one in a hundred changes: requests, time
//! and memory. The release binary runs as in Lambda, in its own process, so that its memory can be measured.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use harness::{
    World, customers, instant,
    runtime_api::{DEADLINE_FAR_MS, RuntimeApi},
    scenario,
    world::ORG,
};
use serde_json::json;
use shared::clock::Stopwatch;

/// The binary that `make build` makes.
const BUILT: &str = "target/lambda/tier-recalculation/bootstrap";

/// One in this many customers falls a tier.
const ONE_IN: usize = 100;

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let binary: PathBuf = harness::root().join(BUILT);
    assert!(binary.is_file(), "{} is not built; make bench builds it", binary.display());
    println!(
        "{:>10} {:>8} {:>8} {:>6} {:>13} {:>7} {:>12} {:>8}",
        "customers", "changed", "queries", "reads", "transactions", "ms", "customers/s", "peak MB"
    );
    let few = run(&binary, 10_000).await;
    let many = run(&binary, 100_000).await;
    assert!(many * 10 <= few * 12, "the memory it takes does not grow with the customers");
}

/// Runs the job once and prints a row. Returns the peak memory in kilobytes.
async fn run(binary: &Path, customers: usize) -> u64 {
    let world = World::new().await;
    // One customer has been inactive long enough to fall a tier, and one has not. All others are copies.
    for (name, at) in [("lowered", "2025-01-01T00:00:00Z"), ("active", "2026-11-01T00:00:00Z")] {
        world.put_customer(ORG, name, &json!({})).await;
        let order = scenario::award(name, name, "600", &json!({ "fulfilledAt": at }));
        assert_eq!(world.send_at(&order, instant(at)).await.status, 201);
    }
    customers::copy(&world, "lowered", 1..customers / ONE_IN).await;
    customers::copy(&world, "active", 1..customers - customers / ONE_IN).await;
    world.proxy.take_requests();

    let call = json!({ "orgId": ORG });
    let mut runtime = RuntimeApi::start(vec![call], DEADLINE_FAR_MS).await;
    let mut command = runtime.command(binary, &world.table);
    command.stdout(Stdio::null()).stderr(Stdio::inherit()).kill_on_drop(true);
    command.env("AWS_ENDPOINT_URL_DYNAMODB", world.proxy.endpoint());
    let process = command.spawn().unwrap();
    runtime.expect_request("/next").await;
    let watch = Stopwatch::start();
    let reported = runtime.expect_request("/response").await;
    let took = watch.elapsed();
    let peak = peak_kilobytes(process.id().unwrap());

    assert_eq!(reported["summary"]["totalCustomers"], customers, "{reported}");
    assert_eq!(reported["summary"]["totalChanged"], customers / ONE_IN, "{reported}");
    let seen = world.proxy.take_requests();
    let count = |operation: &str| seen.iter().filter(|seen| *seen == operation).count();
    let (queries, reads, writes) = (count("Query"), count("BatchGetItem"), count("TransactWriteItems"));
    let per_second = u128::try_from(customers).unwrap() * 1_000 / took.as_millis().max(1);
    println!(
        "{customers:>10} {:>8} {queries:>8} {reads:>6} {writes:>13} {:>7} {per_second:>12} {:>6}.{}",
        customers / ONE_IN,
        took.as_millis(),
        peak / 1_000,
        peak / 100 % 10
    );
    peak
}

/// The peak memory of a process, in kilobytes.
fn peak_kilobytes(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
