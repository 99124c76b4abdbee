//! The cost of a cold start: from the start of a function's process to its first poll, and to its first answer.
//! README.md beside this file explains the measurement and has the results.
//!
//! The release binaries run as in Lambda, against a stand-in for its runtime API and with the embedded engine as the
//! table. Nothing leaves the machine. The parts that only Lambda has are left out: fetching the code, starting the
//! virtual machine, and the share of a processor that the memory size buys.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use harness::runtime_api::{DEADLINE_FAR_MS, RuntimeApi};
use local::{engine::Engine, stack::Stack, table, template::Template};
use serde_json::{Value, json};
use shared::{
    clock::{Sleeper, Stopwatch},
    store,
    telemetry::record::Sink,
};

/// Uncounted starts, which load the binaries into memory.
const WARM_UP: usize = 2;
const ROUNDS: usize = 50;

/// The folder of the binaries that `make build` makes.
const BUILT: &str = "target/lambda";

/// The function whose answers are measured. It has an operation with one read.
const READER: &str = "back-office";

/// The label of the embedded engine, the only table that answers.
const LOCAL: &str = "http";

/// An endpoint that makes the client trust the system's roots. It is never called.
const NAMED_HTTPS: &str = "https://127.0.0.1:1";

/// One way to start one binary, and how long each start took.
struct Case {
    name: String,
    how: &'static str,
    binary: PathBuf,
    endpoint: Option<String>,
    calls: Vec<Value>,
    starts: Vec<Start>,
}

/// The times of one start: to the first poll, to the first answer, and from poll to answer for later answers.
struct Start {
    poll: Duration,
    answers: Vec<Duration>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let engine = Engine::start(None, 0).unwrap();
    let table = table_with_an_org(&engine.endpoint()).await;
    let mut cases: Vec<Case> = folders().iter().flat_map(|folder| cases(folder, &engine.endpoint())).collect();
    assert!(!cases.is_empty(), "nothing is built; make bench builds it");
    for round in 0..WARM_UP + ROUNDS {
        // The cases take turns, so that a slow moment of the machine affects all of them.
        for case in &mut cases {
            let start = start(case, &table).await;
            if round >= WARM_UP {
                case.starts.push(start);
            }
        }
    }
    print(&cases);
}

/// The folders with binaries: the arguments, or the folder of `make build`.
fn folders() -> Vec<PathBuf> {
    // Cargo adds its own option.
    let given = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let given: Vec<_> = given.map(|folder| harness::root().join(folder)).collect();
    if given.is_empty() { vec![harness::root().join(BUILT)] } else { given }
}

/// Creates the table of the template with one org. Returns the name of the table.
async fn table_with_an_org(endpoint: &str) -> String {
    let text = std::fs::read_to_string(harness::root().join("infra/template.yaml")).unwrap();
    let template = Template::read(&text, &HashMap::new()).unwrap();
    let silent: Sink = Arc::new(|_| ());
    let client = store::local_client(endpoint);
    table::ensure(&client, &template.table).await.unwrap();
    let stack = Stack::new(&template, |_| client.clone(), &silent, &Sleeper::default()).unwrap();
    let org = json!({"operation": "putOrg", "orgId": "shop", "name": "Shop"});
    let answer = stack.call(READER, org, None).await.unwrap().unwrap();
    assert_eq!(answer["orgId"], "shop", "{answer}");
    template.table.name
}

/// Every function of a folder with every way to reach the table.
fn cases(folder: &Path, engine: &str) -> Vec<Case> {
    let binaries = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path().join("bootstrap"));
    let mut binaries: Vec<PathBuf> = binaries.filter(|binary| binary.is_file()).collect();
    binaries.sort();
    let endpoints = [(LOCAL, Some(engine)), ("https, own roots", None), ("https, system's roots", Some(NAMED_HTTPS))];
    let case = |binary: &PathBuf, (how, endpoint): (&'static str, Option<&str>)| {
        let function = binary.parent().unwrap();
        let name = [BUILT, ""].iter().find_map(|within| function.strip_prefix(harness::root().join(within)).ok());
        let reads = how == LOCAL && function.ends_with(READER);
        Case {
            name: name.unwrap_or(function).display().to_string(),
            how,
            binary: binary.clone(),
            endpoint: endpoint.map(str::to_owned),
            calls: if reads { vec![json!({"operation": "getOrg", "orgId": "shop"}); 2] } else { Vec::new() },
            starts: Vec::new(),
        }
    };
    binaries.iter().flat_map(|binary| endpoints.map(|endpoint| case(binary, endpoint))).collect()
}

/// Starts a binary, gives it the calls, and kills it.
async fn start(case: &Case, table: &str) -> Start {
    let mut runtime = RuntimeApi::start(case.calls.clone(), DEADLINE_FAR_MS).await;
    let mut command = runtime.command(&case.binary, table);
    command.stdout(Stdio::null()).stderr(Stdio::inherit());
    command.envs(case.endpoint.iter().map(|endpoint| ("AWS_ENDPOINT_URL_DYNAMODB", endpoint)));

    let mut watch = Stopwatch::start();
    let mut process = command.spawn().unwrap();
    runtime.expect_request("/next").await;
    let poll = watch.elapsed();
    let mut answers = Vec::new();
    for _ in &case.calls {
        let answer = runtime.expect_request("/response").await;
        answers.push(watch.elapsed());
        assert_eq!(answer["orgId"], "shop", "{answer}");
        runtime.expect_request("/next").await;
        watch = Stopwatch::start();
    }
    process.kill().await.unwrap();
    Start { poll, answers }
}

fn print(cases: &[Case]) {
    println!("Medians of {ROUNDS} starts, in milliseconds; the second answer counts from its own request.\n");
    let width = cases.iter().map(|case| case.name.len()).max().unwrap_or_default();
    let line = |name: &str, how: &str, size: &str, times: [&str; 3]| {
        let [poll, first, second] = times;
        println!("{name:<width$}  {how:<21}  {size:>7}  {poll:>10}  {first:>12}  {second:>13}");
    };
    line("function", "table", "size", ["first poll", "first answer", "second answer"]);
    for case in cases {
        let size = std::fs::metadata(&case.binary).unwrap().len();
        let size = format!("{}.{} MB", size / 1_000_000, size / 100_000 % 10);
        let poll = median(case.starts.iter().map(|start| start.poll));
        let [first, second] =
            [0, 1].map(|nth| median(case.starts.iter().filter_map(|start| start.answers.get(nth).copied())));
        line(&case.name, case.how, &size, [&poll, &first, &second]);
    }
}

fn median(times: impl Iterator<Item = Duration>) -> String {
    let mut times: Vec<Duration> = times.collect();
    times.sort();
    times.get(times.len() / 2).map_or_else(|| "-".into(), |time| format!("{:.2}", time.as_secs_f64() * 1000.0))
}
