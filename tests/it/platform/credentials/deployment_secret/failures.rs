//! A Secrets Manager that fails, hangs or holds no usable secret.

use std::time::Duration;

use harness::{Request, log::CapturedLog, secrets::SecretsManager, world::noon};
use serde_json::json;
use shared::auth::{PREVIOUS_SECRET_TTL, READ_INTERVAL_MIN, SECRET_MAX_AGE};

use super::support::{BOTH, NAME, NEW, OLD, Process, SECOND, just_before, secs};

#[tokio::test]
async fn a_process_without_a_secret_answers_503_while_secrets_manager_is_down() {
    let down = Process::new(NAME, "http://127.0.0.1:1");
    let answer = down.answer_to(OLD, secs(0)).await;
    assert_eq!((answer.status, answer.code.as_str()), (503, "try_again"));
    assert_eq!(answer.headers["retry-after"], "1");

    let secrets = SecretsManager::start(NAME, OLD).await;
    secrets.fail();
    let process = Process::of(&secrets);
    assert_eq!(process.status(OLD, secs(0)).await, 503);
    secrets.heal();
    secrets.take_requested_stages();
    assert_eq!(process.status(OLD, just_before(READ_INTERVAL_MIN)).await, 503);
    assert_eq!(secrets.request_count(), 0);
    assert_eq!(process.status(OLD, READ_INTERVAL_MIN).await, 200);
    assert_eq!(process.status("wrong", READ_INTERVAL_MIN).await, 401);
}

#[tokio::test]
async fn a_known_secret_stays_valid_while_secrets_manager_is_down() {
    let secrets = SecretsManager::start(NAME, OLD).await;
    let process = Process::of(&secrets);
    assert_eq!(process.status(OLD, secs(0)).await, 200);
    secrets.rotate(NEW);
    secrets.fail();
    let (log, _guard) = CapturedLog::start(tracing::Level::WARN);
    for minutes in 0..30 {
        assert_eq!(process.status(OLD, Duration::from_mins(minutes)).await, 200, "{minutes}");
    }
    assert!(log.text().contains("cannot be read again"), "{}", log.text());
    let later = Duration::from_mins(30);
    assert_eq!(process.status(NEW, later).await, 503, "it may be right, and nobody can tell");
    secrets.heal();
    assert_eq!(process.status(NEW, later + READ_INTERVAL_MIN).await, 200);
    assert_eq!(process.status(OLD, just_before(later + READ_INTERVAL_MIN + PREVIOUS_SECRET_TTL)).await, 200);
    assert_eq!(process.status("wrong", later + READ_INTERVAL_MIN).await, 401);
}

#[tokio::test]
async fn a_process_waits_a_bounded_time_for_a_silent_secrets_manager() {
    let secrets = SecretsManager::start(NAME, OLD).await;
    let process = Process::of(&secrets);
    assert_eq!(process.status(OLD, secs(0)).await, 200);
    secrets.hang();
    let waits = || std::mem::take(&mut process.waits.lock().unwrap().recorded);
    process.waits.lock().unwrap().time_out_at_once = true;
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
async fn a_cancelled_request_does_not_block_later_requests() {
    let secrets = SecretsManager::start(NAME, OLD).await;
    let process = Process::of(&secrets);
    secrets.hang();
    tokio::time::timeout(Duration::from_millis(1), process.status(OLD, secs(0))).await.unwrap_err();
    secrets.heal();
    assert_eq!(process.status(OLD, secs(1)).await, 503);
    assert_eq!(process.status(OLD, READ_INTERVAL_MIN).await, 200);
}

#[tokio::test]
async fn a_missing_unreadable_or_empty_secret_is_reported_as_not_configured() {
    let cases = [
        (400, json!({"__type": "ResourceNotFoundException", "Message": "none"}), "does not exist"),
        (400, json!({"__type": "AccessDeniedException", "Message": "no"}), "AccessDeniedException"),
        (200, json!({"Name": NAME, "SecretBinary": "c2VjcmV0"}), "holds no text"),
        (200, json!({"Name": NAME, "SecretString": " \n"}), "is empty"),
        (200, json!({"Name": NAME, "SecretString": "rgl~shop~k1~secret"}), "has the form of an org's key"),
    ];
    for (status, answer, why) in cases {
        let secrets = SecretsManager::start(NAME, OLD).await;
        secrets.reply_with(status, answer);
        let process = Process::of(&secrets);
        let (log, guard) = CapturedLog::start(tracing::Level::ERROR);
        for bearer in [OLD, "wrong", ""] {
            let answer = process.answer_to(bearer, secs(0)).await;
            assert_eq!((answer.status, answer.code.as_str()), (500, "not_configured"), "{why}");
        }
        assert!(log.text().contains(why), "{why}: {}", log.text());
        drop(guard);
        assert_eq!(secrets.request_count(), 1, "{why}");
        let records = std::mem::take(&mut *process.records.lock().unwrap());
        assert!(records.iter().all(|record| record["Failed"] == 1 && record["Code"] == "not_configured"));
        let health = Request::new("GET", "door", "/health").anonymous();
        assert_eq!(process.answer(health.to_event(), secs(0)).await["statusCode"], 200);
        secrets.heal();
        assert_eq!(process.status(OLD, READ_INTERVAL_MIN).await, 200);
    }
}

#[tokio::test]
async fn a_blank_previous_secret_authorizes_no_request() {
    let secrets = SecretsManager::start(NAME, " ").await;
    secrets.rotate_at(NEW, noon());
    let process = Process::of(&secrets);
    assert_eq!(process.status(NEW, secs(0)).await, 200);
    assert_eq!(secrets.take_requested_stages(), BOTH);
    for bearer in ["", " ", "\t"] {
        assert_eq!(process.status(bearer, secs(0)).await, 401);
    }
}
