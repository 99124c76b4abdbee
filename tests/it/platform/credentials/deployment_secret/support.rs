//! A process that runs one function and reads its secret from a stand-in.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use harness::{
    Request,
    secrets::SecretsManager,
    test_operation,
    world::{noon, raw_event},
};
use serde_json::{Value, json};
use shared::{
    auth::{DeploymentSecret, PresentedCredential, PresentedSecret, parse_authorization},
    clock::{self, Deadline, Sleeper},
    config::Config,
    host::{Entry, Function, Host, Invocation, Reply},
    inbound::operation::Operation,
    store::{self, Store},
};

pub(super) const OLD: &str = "the-secret-of-old";

pub(super) const NEW: &str = "the-secret-of-now";

pub(super) const NAME: &str = "deployment";

pub(super) const SECOND: Duration = Duration::from_secs(1);

pub(super) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// One nanosecond less.
pub(super) fn just_before(duration: Duration) -> Duration {
    duration.checked_sub(Duration::from_nanos(1)).unwrap()
}

test_operation!(Open, Operation::new("open", "POST", "/").on_schedule().on_event("Rang"), |_context| {
    Ok(Reply::done(json!({"open": true})))
});

/// A function without dependencies, to test which callers are admitted.
const DOOR: Function = Function { name: "door", entries: &[Entry::plain::<Open>()], document: "{}" };

/// A process that runs the function. Reads of the secret never time out, unless a test says so.
pub(super) struct Process {
    pub(super) host: Host,
    pub(super) begun: Instant,
    pub(super) records: Arc<Mutex<Vec<Value>>>,
    pub(super) waits: Arc<Mutex<ReadWaits>>,
}

/// The time-outs of reads.
#[derive(Default)]
pub(super) struct ReadWaits {
    pub(super) recorded: Vec<Duration>,
    pub(super) time_out_at_once: bool,
}

fn read_sleeper(waits: &Arc<Mutex<ReadWaits>>) -> Sleeper {
    let waits = Arc::clone(waits);
    Sleeper::new(move |duration| {
        let mut waits = waits.lock().unwrap();
        waits.recorded.push(duration);
        let time_out_at_once = waits.time_out_at_once;
        async move {
            if !time_out_at_once {
                std::future::pending::<()>().await;
            }
        }
    })
}

impl Process {
    pub(super) fn new(name: &str, url: &str) -> Self {
        let settings = HashMap::from([
            ("TABLE_NAME", "none"),
            ("CRON_SECRET_NAME", name),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", url),
        ]);
        let config = Config::from_lookup(|name| settings.get(name).map(|value| (*value).to_owned())).unwrap();
        let store = Store::new(store::local_client("http://127.0.0.1:1"), "none");
        let records: Arc<Mutex<Vec<Value>>> = Arc::default();
        let recorded = Arc::clone(&records);
        let metrics = Arc::new(move |line: &str| recorded.lock().unwrap().push(serde_json::from_str(line).unwrap()));
        let waits = Arc::default();
        let host = Host::new(DOOR, store, config, metrics).with_sleeper(read_sleeper(&waits));
        Self { host, begun: clock::monotonic(), records, waits }
    }

    pub(super) fn of(secrets: &SecretsManager) -> Self {
        Self::new(NAME, &secrets.url())
    }

    pub(super) async fn answer(&self, event: Value, after: Duration) -> Value {
        let deadline = Deadline::after(Duration::from_mins(5));
        let invocation = Invocation { now: Some(noon() + after), started: self.begun + after, deadline };
        self.host.answer(&raw_event(event), invocation).await.unwrap()
    }

    /// The answer to a request with this bearer token, this long after the start of the process.
    pub(super) async fn answer_to(&self, bearer: &str, after: Duration) -> Answer {
        let request = Request::new("POST", "door", "/").header("authorization", &format!("Bearer {bearer}"));
        let answer = self.answer(request.to_event(), after).await;
        let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        let code = body["code"].as_str().unwrap_or_default().to_owned();
        Answer { status: answer["statusCode"].as_u64().unwrap(), code, headers: answer["headers"].clone() }
    }

    pub(super) async fn status(&self, bearer: &str, after: Duration) -> u64 {
        self.answer_to(bearer, after).await.status
    }
}

#[derive(Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) status: u64,
    pub(super) code: String,
    pub(super) headers: Value,
}

pub(super) const CURRENT: &str = "AWSCURRENT";

pub(super) const BOTH: [&str; 2] = ["AWSCURRENT", "AWSPREVIOUS"];

pub(super) fn secret(text: &str) -> DeploymentSecret {
    DeploymentSecret::new(text).unwrap()
}

pub(super) fn presented(text: &str) -> PresentedSecret {
    match parse_authorization(Some(&format!("Bearer {text}"))).unwrap() {
        PresentedCredential::Secret(presented) => presented,
        PresentedCredential::Key(_) => panic!("{text} has the form of a key"),
    }
}
