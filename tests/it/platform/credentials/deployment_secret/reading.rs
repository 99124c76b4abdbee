//! Reads of the secret, rotations while a process runs, and logs.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::join_all;
use harness::{
    Request, World,
    log::CapturedLog,
    secrets::SecretsManager,
    world::{ORG, SECRET, WorldSetup, noon},
};
use serde_json::json;
use shared::auth::{PREVIOUS_SECRET_TTL, SECRET_MAX_AGE};

use super::support::{BOTH, CURRENT, NAME, NEW, OLD, Process, SECOND, just_before, secs};

/// An instant before noon.
fn ago(duration: Duration) -> DateTime<Utc> {
    noon() - duration
}

#[tokio::test]
async fn the_secret_is_read_once_by_the_first_request_that_needs_it() {
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
    assert_eq!(secrets.request_count(), 0, "none of these needs the secret");

    for second in 0..60 {
        assert_eq!(process.status(OLD, secs(second)).await, 200);
    }
    assert_eq!(secrets.take_requested_stages(), [CURRENT]);
}

#[tokio::test]
async fn concurrent_requests_share_one_read_of_the_secret() {
    let secrets = SecretsManager::start(NAME, OLD).await;
    let process = Process::of(&secrets);
    let many = async |bearer, after| join_all((0..20).map(|_| process.status(bearer, after))).await;
    assert_eq!(many(OLD, secs(0)).await, [200; 20]);
    assert_eq!(secrets.take_requested_stages(), [CURRENT]);
    secrets.rotate(NEW);
    assert_eq!(many(NEW, secs(1)).await, [200; 20]);
    assert_eq!(secrets.take_requested_stages(), BOTH);
    assert_eq!(many(NEW, SECRET_MAX_AGE + SECOND).await, [200; 20]);
    assert_eq!(secrets.take_requested_stages(), [CURRENT]);
    secrets.fail();
    let other = Process::of(&secrets);
    assert_eq!(join_all((0..20).map(|_| other.status(OLD, secs(0)))).await, [503; 20]);
    let tries = secrets.take_requested_stages().len();
    assert_eq!(other.status(OLD, secs(1)).await, 503);
    assert!(
        tries < 20 && secrets.request_count() == 0,
        "what the client tries again itself, it tried for one: {tries}"
    );
}

#[tokio::test]
async fn a_new_secret_is_valid_at_once_and_the_old_secret_for_ten_more_minutes() {
    let secrets = SecretsManager::start(NAME, OLD).await;
    let process = Process::of(&secrets);
    assert_eq!(process.status(OLD, secs(0)).await, 200);
    secrets.rotate(NEW);
    assert_eq!(process.status(OLD, secs(1)).await, 200);
    let learned = secs(2);
    assert_eq!(process.status(NEW, learned).await, 200);
    assert_eq!(secrets.take_requested_stages(), [CURRENT, CURRENT, "AWSPREVIOUS"]);
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
async fn a_process_that_receives_only_the_old_secret_reads_the_new_one_within_minutes() {
    let secrets = SecretsManager::start(NAME, OLD).await;
    let process = Process::of(&secrets);
    assert_eq!(process.status(OLD, secs(0)).await, 200);
    secrets.rotate(NEW);
    assert_eq!(process.status(OLD, just_before(SECRET_MAX_AGE)).await, 200);
    assert_eq!(secrets.take_requested_stages(), [CURRENT]);
    assert_eq!(process.status(OLD, SECRET_MAX_AGE).await, 200);
    assert_eq!(secrets.take_requested_stages(), BOTH);
    assert_eq!(process.status(OLD, just_before(SECRET_MAX_AGE + PREVIOUS_SECRET_TTL)).await, 200);
    assert_eq!(process.status(OLD, SECRET_MAX_AGE + PREVIOUS_SECRET_TTL).await, 401);
}

#[tokio::test]
async fn a_process_started_after_a_rotation_accepts_the_old_secret_for_ten_minutes() {
    let secrets = SecretsManager::start(NAME, OLD).await;
    secrets.rotate_at(NEW, ago(Duration::from_mins(9)));
    let process = Process::of(&secrets);
    for (bearer, after, status) in [(OLD, 0, 200), (NEW, 59, 200), (OLD, 59, 200), (OLD, 60, 401), (NEW, 60, 200)] {
        assert_eq!(process.status(bearer, secs(after)).await, status, "{bearer} after {after} s");
    }
    // A clock that is behind does not extend the ten minutes.
    secrets.rotate_at(OLD, noon() + Duration::from_hours(1));
    let process = Process::of(&secrets);
    assert_eq!(process.status(NEW, just_before(PREVIOUS_SECRET_TTL)).await, 200);
    assert_eq!(process.status(NEW, 2 * PREVIOUS_SECRET_TTL).await, 401);

    secrets.rotate_at(NEW, ago(PREVIOUS_SECRET_TTL));
    secrets.take_requested_stages();
    let process = Process::of(&secrets);
    assert_eq!(
        [process.status(NEW, secs(0)).await, secrets.request_count() as u64],
        [200, 1],
        "the old one is not even read"
    );
    assert_eq!(process.status(OLD, secs(0)).await, 401);
}

#[tokio::test]
async fn many_wrong_secrets_cause_one_read_every_five_seconds() {
    let secrets = SecretsManager::start(NAME, OLD).await;
    let process = Process::of(&secrets);
    assert_eq!(process.status(OLD, secs(0)).await, 200);
    secrets.take_requested_stages();
    let mut answers = Vec::new();
    for tick in 0..200 {
        answers.push(process.answer_to(&format!("wrong-{tick}"), Duration::from_millis(tick * 100)).await);
    }
    assert_eq!(secrets.take_requested_stages(), [CURRENT; 4], "in twenty seconds");
    assert_eq!((answers[0].status, answers[0].code.as_str()), (401, "unauthorized"));
    assert!(answers.iter().all(|answer| *answer == answers[0]), "one wrong secret is like another");
    for not_quite in ["", "x", "the-secret-of-ol", "the-secret-of-oldd", "THE-SECRET-OF-OLD", "the secret of old"] {
        assert_eq!(process.answer_to(not_quite, secs(20)).await, answers[0], "{not_quite:?}");
    }
    // Wrong secrets of other callers delay a new secret by at most five seconds.
    secrets.rotate(NEW);
    assert_eq!(process.status(NEW, secs(24)).await, 401);
    assert_eq!(process.status(NEW, secs(25)).await, 200);
}

#[tokio::test]
async fn the_secret_appears_in_no_log() {
    let (log, _guard) = CapturedLog::start(tracing::Level::TRACE);
    let secrets = SecretsManager::start(NAME, OLD).await;
    secrets.rotate_at(NEW, noon());
    let process = Process::of(&secrets);
    for (bearer, after) in [(NEW, secs(0)), (OLD, secs(0)), ("wrong-of-a-caller", secs(0)), (NEW, SECRET_MAX_AGE)] {
        process.answer_to(bearer, after).await;
    }
    for (status, after, expected) in [(200, 6, 500), (400, 12, 500), (500, 18, 503)] {
        // An unreadable answer may still contain the secret.
        secrets.reply_with(status, json!({"SecretString": NEW, "CreatedDate": "no date"}));
        process.answer_to("wrong-of-a-caller", secs(after)).await;
        process.answer_to(NEW, 2 * SECRET_MAX_AGE + secs(after)).await;
        assert_eq!(Process::of(&secrets).status(NEW, secs(0)).await, expected);
    }
    let log = log.text();
    assert!(log.contains("cannot be read again") && log.contains("failed"));
    assert!(!log.contains(NEW) && !log.contains(OLD) && !log.contains("wrong-of-a-caller"));
}

#[tokio::test]
async fn each_function_reads_the_secret_once_and_only_for_requests() {
    let secrets = SecretsManager::start(NAME, SECRET).await;
    let environment = vec![
        ("CRON_SECRET", String::new()),
        ("CRON_SECRET_NAME", NAME.to_owned()),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets.url()),
    ];
    let world = World::with(WorldSetup { environment, ..WorldSetup::default() }).await;
    world.put_customer(ORG, "ada", &json!({})).await;
    assert_eq!(secrets.take_requested_stages(), [CURRENT], "the back office was asked more than once");
    let order = json!({"orgId": ORG, "customerId": "ada", "orderId": "o1", "orderTotal": 250});
    let event = json!({"detail-type": "OrderFulfilled", "source": "shop.orders", "detail": order});
    world.invoke("points-award", event).await.unwrap();
    let quote = json!({"operation": "quote", "orgId": ORG, "customerId": "ada", "points": 250});
    assert_eq!(world.invoke("points-redemption", quote).await.unwrap()["isValid"], true);
    assert!(secrets.take_requested_stages().is_empty());
    let award = harness::scenario::award("ada", "o2", "1", &json!({}));
    assert_eq!(world.send(&award).await.status, 201);
    assert_eq!(secrets.take_requested_stages(), [CURRENT]);
    let wrong = Request::new("GET", "back-office", format!("/orgs/{ORG}")).header("authorization", "Bearer wrong");
    assert_eq!(world.send(&wrong).await.code(), "unauthorized");
}
