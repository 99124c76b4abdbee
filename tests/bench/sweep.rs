//! The cost of a run of `tier-recalculation` and of `points-expiry` as customers accumulate, of whom one in a hundred has
//! something to write: requests, time and memory. The release binary runs as in Lambda, in its own process, so that its
//! memory can be measured.

use std::{
    path::{Path, PathBuf},
    pin::Pin,
    process::Stdio,
};

use harness::{
    World, customers, instant,
    runtime_api::{DEADLINE_FAR_MS, RuntimeApi},
    scenario,
    world::ORG,
};
use serde_json::json;
use shared::clock::{Stopwatch, now};

/// One in this many customers has something to write.
const ONE_IN: usize = 100;

/// A job, and two customers of whom the others are copies.
struct Job {
    name: &'static str,
    /// The figure of the summary that counts what was written.
    written: &'static str,
    /// Makes `due`, of whom something is due, and `quiet`.
    prepare: for<'a> fn(&'a World) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>,
}

const JOBS: [Job; 2] = [
    Job {
        name: "tier-recalculation",
        written: "totalChanged",
        prepare: |world| {
            Box::pin(async {
                // One has been inactive long enough to fall a tier, and one has not.
                order(world, "due", "2025-01-01T00:00:00Z").await;
                order(world, "quiet", "2026-11-01T00:00:00Z").await;
            })
        },
    },
    Job {
        name: "points-expiry",
        written: "totalExpired",
        prepare: |world| {
            Box::pin(async {
                // The first run of an org reads every ledger. The measured run is a later one.
                let first = world.send_at(&scenario::expiry(&json!({ "orgId": ORG })), now()).await;
                assert_eq!(first.status, 200, "{}", first.body);
                for (name, months) in [("due", 1), ("quiet", 60)] {
                    world.put_loyalty(ORG, &json!({ "pointsExpiry": { "months": months } })).await;
                    order(world, name, "2025-01-01T00:00:00Z").await;
                }
            })
        },
    },
];

async fn order(world: &World, customer: &str, at: &str) {
    world.put_customer(ORG, customer, &json!({})).await;
    let order = scenario::award(customer, customer, "600", &json!({ "fulfilledAt": at }));
    assert_eq!(world.send_at(&order, instant(at)).await.status, 201);
}

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    for job in JOBS {
        // The binary that `make build` makes.
        let binary: PathBuf = harness::root().join("target/lambda").join(job.name).join("bootstrap");
        assert!(binary.is_file(), "{} is not built; make bench builds it", binary.display());
        println!(
            "{}\n{:>10} {:>8} {:>8} {:>6} {:>13} {:>7} {:>12} {:>8}",
            job.name, "customers", "changed", "queries", "reads", "transactions", "ms", "customers/s", "peak MB"
        );
        let few = run(&job, &binary, 10_000).await;
        let many = run(&job, &binary, 100_000).await;
        assert!(many * 10 <= few * 12, "the memory it takes does not grow with the customers");
    }
}

/// Runs the job once and prints a row. Returns the peak memory in kilobytes.
async fn run(job: &Job, binary: &Path, customers: usize) -> u64 {
    let world = World::new().await;
    (job.prepare)(&world).await;
    customers::copy(&world, "due", 1..customers / ONE_IN).await;
    customers::copy(&world, "quiet", 1..customers - customers / ONE_IN).await;
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
    assert_eq!(reported["summary"][job.written], customers / ONE_IN, "{reported}");
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
