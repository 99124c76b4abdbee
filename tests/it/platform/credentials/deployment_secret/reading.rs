//! The deployment's secret where it is kept outside the process: read when it is needed, rotated while functions run.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use futures::future::join_all;
use harness::{
    Request, World,
    log::Log,
    root,
    secrets::SecretsManager,
    world::{ORG, SECRET, Setup, noon, raw},
};
use local::template::Template;
use serde_json::{Value, json};
use shared::{
    auth::{
        DeploymentSecret, PREVIOUS_SECRET_TTL, PresentedCredential, PresentedSecret, READ_INTERVAL_MIN, Rotation,
        SECRET_MAX_AGE, SecretCheck, presented_credential,
    },
    clock::{self, Deadline, Sleeper},
    config::{Config, SecretSource},
    host::{Context, Function, Host, Invocation, Pending, Reply},
    inbound::{Call, operation::Operation},
    store::{self, Store},
};

const OLD: &str = "the-secret-of-old";
const NEW: &str = "the-secret-of-now";
const NAME: &str = "deployment";

const SECOND: Duration = Duration::from_secs(1);

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Not quite so long.
fn just_before(long: Duration) -> Duration {
    long.checked_sub(Duration::from_nanos(1)).unwrap()
}

/// So long ago, as of noon.
fn ago(long: Duration) -> DateTime<Utc> {
    noon() - long
}

/// A function that needs nothing, to see who is let in.
const DOOR: Function = Function {
    name: "door",
    operations: &[(Operation::new("open", "POST", "/").on_schedule().on_event("Rang"), |context, call| {
        open(context, &call)
    })],
};

fn open<'a>(_: &'a Context, _: &Call) -> Pending<'a> {
    Box::pin(async { Ok(Reply::ok(&json!({"open": true}))) })
}

/// A process that runs the function, and when it was started. It waits for an answer as long as it takes, until a test
/// has it run out of patience.
struct Process {
    host: Host,
    begun: Instant,
    records: Arc<Mutex<Vec<Value>>>,
    waits: Arc<Mutex<Waits>>,
}

/// How long was waited for answers, and whether the time is over at once.
#[derive(Default)]
struct Waits {
    asked: Vec<Duration>,
    is_over: bool,
}

fn waiting(waits: &Arc<Mutex<Waits>>) -> Sleeper {
    let waits = Arc::clone(waits);
    Sleeper::new(move |long| {
        let mut waits = waits.lock().unwrap();
        waits.asked.push(long);
        let is_over = waits.is_over;
        async move {
            if !is_over {
                std::future::pending::<()>().await;
            }
        }
    })
}

impl Process {
    fn new(name: &str, url: &str) -> Self {
        let settings = HashMap::from([
            ("TABLE_NAME", "none"),
            ("CRON_SECRET_NAME", name),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", url),
        ]);
        let config = Config::from_lookup(|name| settings.get(name).map(|value| (*value).to_owned())).unwrap();
        let store = Store::new(store::local_client("http://127.0.0.1:1"), "none");
        let records: Arc<Mutex<Vec<Value>>> = Arc::default();
        let written = Arc::clone(&records);
        let metrics = Arc::new(move |line: &str| written.lock().unwrap().push(serde_json::from_str(line).unwrap()));
        let waits = Arc::default();
        let host = Host::new(DOOR, store, config, metrics).with_sleeper(waiting(&waits));
        Self { host, begun: clock::monotonic(), records, waits }
    }

    fn of(secrets: &SecretsManager) -> Self {
        Self::new(NAME, &secrets.url())
    }

    async fn answer(&self, event: Value, after: Duration) -> Value {
        let deadline = Deadline::after(Duration::from_mins(5));
        let invocation = Invocation { now: Some(noon() + after), started: self.begun + after, deadline };
        self.host.answer(&raw(event), invocation).await.unwrap()
    }

    /// What a request is answered that shows this, so long after the process was started.
    async fn told(&self, bearer: &str, after: Duration) -> Told {
        let request = Request::new("POST", "door", "/").header("authorization", &format!("Bearer {bearer}"));
        let answer = self.answer(request.to_event(), after).await;
        let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        let code = body["code"].as_str().unwrap_or_default().to_owned();
        Told { status: answer["statusCode"].as_u64().unwrap(), code, headers: answer["headers"].clone() }
    }

    async fn status(&self, bearer: &str, after: Duration) -> u64 {
        self.told(bearer, after).await.status
    }
}

#[derive(Debug, PartialEq)]
struct Told {
    status: u64,
    code: String,
    headers: Value,
}

const CURRENT: &str = "AWSCURRENT";
const BOTH: [&str; 2] = ["AWSCURRENT", "AWSPREVIOUS"];

fn secret(text: &str) -> DeploymentSecret {
    DeploymentSecret::new(text).unwrap()
}

fn shows(text: &str) -> PresentedSecret {
    match presented_credential(Some(&format!("Bearer {text}"))).unwrap() {
        PresentedCredential::Secret(presented) => presented,
        PresentedCredential::Key(_) => panic!("{text} has the form of a key"),
    }
}

#[test]
fn what_is_accepted_is_the_current_secret_and_for_ten_minutes_the_one_before() {
    let start = clock::monotonic();
    let mut rotation = Rotation::default();
    let known = |rotation: &Rotation, text, after| rotation.look(&shows(text), start + after).is_known;
    assert!(!known(&rotation, OLD, secs(0)));
    rotation.learn(secret(OLD), None, None, start);
    rotation.learn(secret(NEW), Some(secs(0)), Some(secret(OLD)), start + secs(100));
    // Reading the same again lengthens nothing.
    rotation.learn(secret(NEW), Some(secs(300)), None, start + secs(400));
    for (text, after, is_known) in [
        (OLD, secs(100), true),
        (OLD, just_before(secs(100) + PREVIOUS_SECRET_TTL), true),
        (OLD, secs(100) + PREVIOUS_SECRET_TTL, false),
        (NEW, secs(100), true),
        (NEW, Duration::from_hours(24 * 365), true),
        ("another", secs(100), false),
    ] {
        assert_eq!(known(&rotation, text, after), is_known, "{text} after {after:?}");
    }
}

#[test]
fn a_process_that_knew_none_counts_from_when_the_current_secret_was_made() {
    let start = clock::monotonic();
    for (age, left) in [
        (Some(secs(0)), Some(secs(600))),
        (Some(secs(599)), Some(secs(1))),
        (Some(secs(600)), None),
        (Some(Duration::MAX), None),
        (None, None),
    ] {
        let mut rotation = Rotation::default();
        assert_eq!(rotation.wants_previous(&secret(NEW), age), left.is_some(), "{age:?}");
        rotation.learn(secret(NEW), age, Some(secret(OLD)), start);
        let known = |after| rotation.look(&shows(OLD), start + after).is_known;
        assert_eq!(known(secs(0)), left.is_some(), "{age:?}");
        assert!(!known(left.unwrap_or_default()), "{age:?}");
        assert!(left.is_none_or(|left| known(just_before(left))), "{age:?}");
    }
}

#[test]
fn two_rotations_shut_a_secret_out() {
    let start = clock::monotonic();
    let known = |rotation: &Rotation| [OLD, "between", NEW].map(|text| rotation.look(&shows(text), start).is_known);
    let mut missed_one = Rotation::default();
    missed_one.learn(secret(OLD), None, None, start);
    missed_one.learn(secret(NEW), Some(secs(0)), Some(secret("between")), start);
    assert_eq!(known(&missed_one), [false, true, true]);
    let mut saw_both = Rotation::default();
    saw_both.learn(secret(OLD), None, None, start);
    saw_both.learn(secret("between"), None, None, start);
    assert_eq!(known(&saw_both), [true, true, false], "what is not told is what was known");
    saw_both.learn(secret(NEW), None, Some(secret("between")), start);
    assert_eq!(known(&saw_both), [false, true, true]);
}

#[test]
fn when_it_is_time_to_read_again_depends_on_what_is_shown() {
    let start = clock::monotonic();
    let is_due = |rotation: &Rotation, text, after| rotation.look(&shows(text), start + after).is_due;
    let mut rotation = Rotation::default();
    assert!(is_due(&rotation, OLD, secs(0)));
    rotation.ask(SecretCheck { is_known: false, is_due: true }, start);
    assert_eq!(
        [secs(0), READ_INTERVAL_MIN].map(|after| is_due(&rotation, OLD, after)),
        [false, true],
        "it was not answered"
    );

    rotation.learn(secret(OLD), None, None, start);
    let last = just_before(SECRET_MAX_AGE);
    assert_eq!(
        [secs(0), READ_INTERVAL_MIN, last, SECRET_MAX_AGE].map(|after| is_due(&rotation, OLD, after)),
        [false, false, false, true]
    );
    assert!(is_due(&rotation, NEW, secs(0)), "the first read was for nobody who was unknown");
    rotation.ask(SecretCheck { is_known: false, is_due: true }, start + secs(1));
    let unknown = [secs(1), just_before(secs(1) + READ_INTERVAL_MIN), secs(1) + READ_INTERVAL_MIN];
    assert_eq!(unknown.map(|after| is_due(&rotation, NEW, after)), [false, false, true]);

    rotation.ask(SecretCheck { is_known: true, is_due: true }, start + SECRET_MAX_AGE);
    assert_eq!(
        [SECRET_MAX_AGE, SECRET_MAX_AGE + READ_INTERVAL_MIN].map(|after| is_due(&rotation, OLD, after)),
        [false, true],
        "nor was this"
    );
    assert!(is_due(&rotation, NEW, SECRET_MAX_AGE), "what is known holds nobody up who is not");
}

#[tokio::test]
async fn it_is_read_when_a_request_first_needs_it_and_once() {
    let secrets = SecretsManager::start(NAME, OLD).await;
    let process = Process::of(&secrets);
    let event = |name: &str| json!({"detail-type": name, "source": "shop.orders", "detail": {}});
    for called in [json!({"operation": "open"}), json!({}), event("Rang"), event("Scheduled Event")] {
        assert_eq!(process.answer(called, secs(0)).await, json!({"open": true}));
    }
    let request = Request::new("POST", "door", "/");
    for refused in [
        request.clone().anonymous(),
        request.clone().header("authorization", OLD),
        request.clone().header("authorization", &format!("Basic {OLD}")),
    ] {
        assert_eq!(process.answer(refused.to_event(), secs(0)).await["statusCode"], 401);
    }
    assert_eq!(process.status("rgl~shop~k1~secret", secs(0)).await, 503, "a key is looked for in the table");
    let health = Request::new("GET", "door", "/health").anonymous();
    assert_eq!(process.answer(health.to_event(), secs(0)).await["statusCode"], 200);
    assert_eq!(secrets.asked(), 0, "none of these needs the secret");

    for second in 0..60 {
        assert_eq!(process.status(OLD, secs(second)).await, 200);
    }
    assert_eq!(secrets.take_asked(), [CURRENT]);
}

#[tokio::test]
async fn requests_at_once_share_a_read() {
    let secrets = SecretsManager::start(NAME, OLD).await;
    let process = Process::of(&secrets);
    let many = async |bearer, after| join_all((0..20).map(|_| process.status(bearer, after))).await;
    assert_eq!(many(OLD, secs(0)).await, [200; 20]);
    assert_eq!(secrets.take_asked(), [CURRENT]);
    secrets.rotate(NEW);
    assert_eq!(many(NEW, secs(1)).await, [200; 20]);
    assert_eq!(secrets.take_asked(), BOTH);
    assert_eq!(many(NEW, SECRET_MAX_AGE + SECOND).await, [200; 20]);
    assert_eq!(secrets.take_asked(), [CURRENT]);
    secrets.fail();
    let other = Process::of(&secrets);
    assert_eq!(join_all((0..20).map(|_| other.status(OLD, secs(0)))).await, [503; 20]);
    let tries = secrets.take_asked().len();
    assert_eq!(other.status(OLD, secs(1)).await, 503);
    assert!(tries < 20 && secrets.asked() == 0, "what the client tries again itself, it tried for one: {tries}");
}

#[tokio::test]
async fn a_new_secret_is_taken_up_at_once_and_the_old_one_is_good_for_ten_minutes_more() {
    let secrets = SecretsManager::start(NAME, OLD).await;
    let process = Process::of(&secrets);
    assert_eq!(process.status(OLD, secs(0)).await, 200);
    secrets.rotate(NEW);
    assert_eq!(process.status(OLD, secs(1)).await, 200);
    let learned = secs(2);
    assert_eq!(process.status(NEW, learned).await, 200);
    assert_eq!(secrets.take_asked(), [CURRENT, CURRENT, "AWSPREVIOUS"]);
    for (bearer, after, status) in [
        (OLD, learned, 200),
        (OLD, just_before(learned + PREVIOUS_SECRET_TTL), 200),
        (NEW, just_before(learned + PREVIOUS_SECRET_TTL), 200),
        (OLD, learned + PREVIOUS_SECRET_TTL, 401),
        (NEW, learned + PREVIOUS_SECRET_TTL, 200),
    ] {
        assert_eq!(process.status(bearer, after).await, status, "{bearer} after {after:?}");
    }
}

#[tokio::test]
async fn whoever_sees_the_old_secret_alone_learns_of_the_new_one_within_minutes() {
    let secrets = SecretsManager::start(NAME, OLD).await;
    let process = Process::of(&secrets);
    assert_eq!(process.status(OLD, secs(0)).await, 200);
    secrets.rotate(NEW);
    assert_eq!(process.status(OLD, just_before(SECRET_MAX_AGE)).await, 200);
    assert_eq!(secrets.take_asked(), [CURRENT]);
    assert_eq!(process.status(OLD, SECRET_MAX_AGE).await, 200);
    assert_eq!(secrets.take_asked(), BOTH);
    assert_eq!(process.status(OLD, just_before(SECRET_MAX_AGE + PREVIOUS_SECRET_TTL)).await, 200);
    assert_eq!(process.status(OLD, SECRET_MAX_AGE + PREVIOUS_SECRET_TTL).await, 401);
}

#[tokio::test]
async fn a_process_begun_after_a_rotation_accepts_the_old_secret_until_ten_minutes_after_it() {
    let secrets = SecretsManager::start(NAME, OLD).await;
    secrets.rotate_at(NEW, ago(Duration::from_mins(9)));
    let process = Process::of(&secrets);
    for (bearer, after, status) in [(OLD, 0, 200), (NEW, 59, 200), (OLD, 59, 200), (OLD, 60, 401), (NEW, 60, 200)] {
        assert_eq!(process.status(bearer, secs(after)).await, status, "{bearer} after {after} s");
    }
    // A clock that is behind lengthens nothing.
    secrets.rotate_at(OLD, noon() + Duration::from_hours(1));
    let process = Process::of(&secrets);
    assert_eq!(process.status(NEW, just_before(PREVIOUS_SECRET_TTL)).await, 200);
    assert_eq!(process.status(NEW, 2 * PREVIOUS_SECRET_TTL).await, 401);

    secrets.rotate_at(NEW, ago(PREVIOUS_SECRET_TTL));
    secrets.take_asked();
    let process = Process::of(&secrets);
    assert_eq!([process.status(NEW, secs(0)).await, secrets.asked() as u64], [200, 1], "the old one is not even read");
    assert_eq!(process.status(OLD, secs(0)).await, 401);
}

#[tokio::test]
async fn wrong_secrets_however_many_have_it_read_once_in_five_seconds() {
    let secrets = SecretsManager::start(NAME, OLD).await;
    let process = Process::of(&secrets);
    assert_eq!(process.status(OLD, secs(0)).await, 200);
    secrets.take_asked();
    let mut told = Vec::new();
    for tick in 0..200 {
        told.push(process.told(&format!("wrong-{tick}"), Duration::from_millis(tick * 100)).await);
    }
    assert_eq!(secrets.take_asked(), [CURRENT; 4], "in twenty seconds");
    assert_eq!((told[0].status, told[0].code.as_str()), (401, "unauthorized"));
    assert!(told.iter().all(|answer| *answer == told[0]), "one wrong secret is like another");
    for not_quite in ["", "x", "the-secret-of-ol", "the-secret-of-oldd", "THE-SECRET-OF-OLD", "the secret of old"] {
        assert_eq!(process.told(not_quite, secs(20)).await, told[0], "{not_quite:?}");
    }
    // Others' wrong secrets may delay a new one, and no longer than that.
    secrets.rotate(NEW);
    assert_eq!(process.status(NEW, secs(24)).await, 401);
    assert_eq!(process.status(NEW, secs(25)).await, 200);
}

#[tokio::test]
async fn while_nobody_answers_who_knows_no_secret_yet_asks_to_be_tried_again() {
    let down = Process::new(NAME, "http://127.0.0.1:1");
    let told = down.told(OLD, secs(0)).await;
    assert_eq!((told.status, told.code.as_str()), (503, "try_again"));
    assert_eq!(told.headers["retry-after"], "1");

    let secrets = SecretsManager::start(NAME, OLD).await;
    secrets.fail();
    let process = Process::of(&secrets);
    assert_eq!(process.status(OLD, secs(0)).await, 503);
    secrets.heal();
    secrets.take_asked();
    assert_eq!(process.status(OLD, just_before(READ_INTERVAL_MIN)).await, 503);
    assert_eq!(secrets.asked(), 0);
    assert_eq!(process.status(OLD, READ_INTERVAL_MIN).await, 200);
    assert_eq!(process.status("wrong", READ_INTERVAL_MIN).await, 401);
}

#[tokio::test]
async fn while_nobody_answers_what_is_known_goes_on_being_accepted() {
    let secrets = SecretsManager::start(NAME, OLD).await;
    let process = Process::of(&secrets);
    assert_eq!(process.status(OLD, secs(0)).await, 200);
    secrets.rotate(NEW);
    secrets.fail();
    let (log, _guard) = Log::start(tracing::Level::WARN);
    for minutes in 0..30 {
        assert_eq!(process.status(OLD, Duration::from_mins(minutes)).await, 200, "{minutes}");
    }
    assert!(log.text().contains("could not be read again"), "{}", log.text());
    let later = Duration::from_mins(30);
    assert_eq!(process.status(NEW, later).await, 503, "it may be right, and nobody can tell");
    secrets.heal();
    assert_eq!(process.status(NEW, later + READ_INTERVAL_MIN).await, 200);
    assert_eq!(process.status(OLD, just_before(later + READ_INTERVAL_MIN + PREVIOUS_SECRET_TTL)).await, 200);
    assert_eq!(process.status("wrong", later + READ_INTERVAL_MIN).await, 401);
}

#[tokio::test]
async fn one_that_is_silent_is_not_waited_for_without_end() {
    let secrets = SecretsManager::start(NAME, OLD).await;
    let process = Process::of(&secrets);
    assert_eq!(process.status(OLD, secs(0)).await, 200);
    secrets.fall_silent();
    let waits = || std::mem::take(&mut process.waits.lock().unwrap().asked);
    process.waits.lock().unwrap().is_over = true;
    waits();
    assert_eq!((process.status(NEW, secs(1)).await, waits()), (503, vec![secs(4)]));
    assert_eq!((process.status(NEW, secs(2)).await, waits()), (503, vec![]));
    assert_eq!((process.status(OLD, SECRET_MAX_AGE).await, waits()), (200, vec![secs(1)]), "who is known waits less");
    assert_eq!(
        (process.status(OLD, SECRET_MAX_AGE + SECOND).await, waits()),
        (200, vec![]),
        "and the next one not at all"
    );
}

#[tokio::test]
async fn a_request_that_is_given_up_leaves_the_others_to_be_answered() {
    let secrets = SecretsManager::start(NAME, OLD).await;
    let process = Process::of(&secrets);
    secrets.fall_silent();
    tokio::time::timeout(Duration::from_millis(1), process.status(OLD, secs(0))).await.unwrap_err();
    secrets.heal();
    assert_eq!(process.status(OLD, secs(1)).await, 503);
    assert_eq!(process.status(OLD, READ_INTERVAL_MIN).await, 200);
}

#[tokio::test]
async fn a_secret_that_is_not_there_or_not_to_be_read_or_none_is_ours_to_mend() {
    let cases = [
        (400, json!({"__type": "ResourceNotFoundException", "Message": "none"}), "is not there"),
        (400, json!({"__type": "AccessDeniedException", "Message": "no"}), "AccessDeniedException"),
        (200, json!({"Name": NAME, "SecretBinary": "c2VjcmV0"}), "holds no text"),
        (200, json!({"Name": NAME, "SecretString": " \n"}), "is empty"),
        (200, json!({"Name": NAME, "SecretString": "rgl~shop~k1~secret"}), "has the form of an org's key"),
    ];
    for (status, answer, why) in cases {
        let secrets = SecretsManager::start(NAME, OLD).await;
        secrets.answer(status, answer);
        let process = Process::of(&secrets);
        let (log, guard) = Log::start(tracing::Level::ERROR);
        for bearer in [OLD, "wrong", ""] {
            let told = process.told(bearer, secs(0)).await;
            assert_eq!((told.status, told.code.as_str()), (500, "not_configured"), "{why}");
        }
        assert!(log.text().contains(why), "{why}: {}", log.text());
        drop(guard);
        assert_eq!(secrets.asked(), 1, "{why}");
        let records = std::mem::take(&mut *process.records.lock().unwrap());
        assert!(records.iter().all(|record| record["Failed"] == 1 && record["Code"] == "not_configured"));
        let health = Request::new("GET", "door", "/health").anonymous();
        assert_eq!(process.answer(health.to_event(), secs(0)).await["statusCode"], 200);
        secrets.heal();
        assert_eq!(process.status(OLD, READ_INTERVAL_MIN).await, 200);
    }
}

#[tokio::test]
async fn a_previous_secret_that_is_none_lets_nobody_in() {
    let secrets = SecretsManager::start(NAME, " ").await;
    secrets.rotate_at(NEW, noon());
    let process = Process::of(&secrets);
    assert_eq!(process.status(NEW, secs(0)).await, 200);
    assert_eq!(secrets.take_asked(), BOTH);
    for bearer in ["", " ", "\t"] {
        assert_eq!(process.status(bearer, secs(0)).await, 401);
    }
}

#[tokio::test]
async fn it_is_in_no_log() {
    let (log, _guard) = Log::start(tracing::Level::TRACE);
    let secrets = SecretsManager::start(NAME, OLD).await;
    secrets.rotate_at(NEW, noon());
    let process = Process::of(&secrets);
    for (bearer, after) in [(NEW, secs(0)), (OLD, secs(0)), ("wrong-of-a-caller", secs(0)), (NEW, SECRET_MAX_AGE)] {
        process.told(bearer, after).await;
    }
    for (status, after, told) in [(200, 6, 500), (400, 12, 500), (500, 18, 503)] {
        // What can't be read may hold it all the same.
        secrets.answer(status, json!({"SecretString": NEW, "CreatedDate": "no date"}));
        process.told("wrong-of-a-caller", secs(after)).await;
        process.told(NEW, 2 * SECRET_MAX_AGE + secs(after)).await;
        assert_eq!(Process::of(&secrets).status(NEW, secs(0)).await, told);
    }
    let log = log.text();
    assert!(log.contains("could not be read again") && log.contains("failed"));
    assert!(!log.contains(NEW) && !log.contains(OLD) && !log.contains("wrong-of-a-caller"));
}

#[tokio::test]
async fn a_whole_system_reads_it_once_a_function_and_for_requests_alone() {
    let secrets = SecretsManager::start(NAME, SECRET).await;
    let environment = vec![
        ("CRON_SECRET", String::new()),
        ("CRON_SECRET_NAME", NAME.to_owned()),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets.url()),
    ];
    let world = World::with(Setup { environment, ..Setup::default() }).await;
    world.put_customer(ORG, "ada", &json!({})).await;
    assert_eq!(secrets.take_asked(), [CURRENT], "the back office was asked more than once");
    let order = json!({"orgId": ORG, "customerId": "ada", "orderId": "o1", "orderTotal": 250});
    let event = json!({"detail-type": "OrderFulfilled", "source": "shop.orders", "detail": order});
    world.invoke("points-award", event).await.unwrap();
    let quote = json!({"operation": "quote", "orgId": ORG, "customerId": "ada", "points": 250});
    assert_eq!(world.invoke("points-redemption", quote).await.unwrap()["isValid"], true);
    assert!(secrets.take_asked().is_empty());
    let award = harness::scenario::award("ada", "o2", "1", &json!({}));
    assert_eq!(world.send(&award).await.status, 201);
    assert_eq!(secrets.take_asked(), [CURRENT]);
    let wrong = Request::new("GET", "back-office", format!("/orgs/{ORG}")).header("authorization", "Bearer wrong");
    assert_eq!(world.send(&wrong).await.code(), "unauthorized");
}

#[test]
fn where_the_secret_is_is_read_from_the_settings() {
    let config = |settings: &[(&str, &str)]| {
        let set =
            |name: &str| settings.iter().find(|(setting, _)| *setting == name).map(|(_, value)| (*value).to_owned());
        Config::from_lookup(|name| set(name).or_else(|| (name == "TABLE_NAME").then(|| "none".into())))
    };
    let source = |settings| config(settings).unwrap().secret;
    assert!(source(&[]).is_none());
    assert!(source(&[("CRON_SECRET", " "), ("CRON_SECRET_NAME", "")]).is_none());
    let here = |source: Option<SecretSource<DeploymentSecret>>| matches!(source, Some(SecretSource::Inline(here)) if here.is(&shows(OLD)));
    assert!(here(source(&[("CRON_SECRET", OLD)])));
    assert!(here(source(&[("CRON_SECRET", OLD), ("CRON_SECRET_NAME", NAME)])));
    let named = source(&[("CRON_SECRET", " "), ("CRON_SECRET_NAME", NAME)]);
    assert!(matches!(named, Some(SecretSource::Managed(name)) if name == NAME));
    let refused = config(&[("CRON_SECRET", "rgl~shop~k1~secret")]).err();
    assert_eq!(refused.as_deref(), Some("CRON_SECRET has the form of an org's key"));
}

#[test]
fn the_template_tells_every_function_where_the_secret_is_and_none_what_it_is() {
    let text = std::fs::read_to_string(root().join("infra/template.yaml")).unwrap();
    let template = Template::read(&text, &HashMap::new()).unwrap();
    for (name, function) in &template.functions {
        assert!(function.environment.contains_key("CRON_SECRET_NAME"), "{name}");
        assert!(!function.environment.contains_key("CRON_SECRET"), "{name}");
    }
    let grants = text.split("secretsmanager:GetSecretValue").skip(1).map(|rest| rest.lines().nth(1).unwrap());
    let to_the_secret = grants.filter(|resource| resource.contains("!Ref CronSecret")).count();
    assert_eq!(to_the_secret, template.functions.len(), "every function may read it");
}
