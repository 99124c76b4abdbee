//! The API key and the settings.

use std::time::Duration;

use churn_prediction::claude::{Claude, SwitchOffReason};
use harness::{
    anthropic::{Anthropic, ApiReply},
    log::CapturedLog,
    secrets::SecretsManager,
    waits::RecordedWaits,
};
use serde_json::json;
use shared::{
    config::{ClaudeConfig, Config, SecretSource, SecretText},
    failure::{Failure, Retry},
};

use super::support::{HORIZON, KEY, config, in_time, read_key, rows, secs, test_client};

#[tokio::test]
async fn a_key_that_no_header_can_carry_switches_claude_off() {
    let (anthropic, waits) = (Anthropic::start().await, RecordedWaits::default());
    let url = anthropic.url();
    let settings = config(&[("ANTHROPIC_BASE_URL", url.as_str())]).unwrap().claude;
    let claude = Claude::new(&settings, SecretText::new("two\nlines"), waits.sleeper());
    assert_eq!(claude.score(HORIZON, &rows(1), in_time()).await, [None]);
    assert_eq!(claude.is_off(), Some(SwitchOffReason::Unauthorized));
    assert!(anthropic.requests().is_empty());
}

#[tokio::test]
async fn the_key_appears_in_no_log_and_in_no_debug_text() {
    let (log, _guard) = CapturedLog::start(tracing::Level::TRACE);
    // The message of an error repeats the key.
    for reply in [
        ApiReply::Status(400),
        ApiReply::Status(500),
        ApiReply::Status(401),
        ApiReply::Close,
        ApiReply::Prose,
        ApiReply::SpendLimit,
    ] {
        let client = test_client(&[("CHURN_BATCH_SIZE", "1")]).await;
        client.anthropic.always(reply);
        client.score(&rows(4)).await;
    }
    let config = config(&[("ANTHROPIC_API_KEY", KEY)]).unwrap();
    let key = read_key(&config).await.unwrap().unwrap();
    assert_eq!(key.expose(), KEY);
    assert!(!format!("{:?} {key:?}", config.claude).contains(KEY));

    let secrets = SecretsManager::start("claude", KEY).await;
    read_key(&key_managed_in("claude", &secrets)).await.unwrap();
    for status in [200, 400, 500] {
        // An unreadable answer may still contain the key.
        secrets.reply_with(status, json!({"SecretString": KEY, "CreatedDate": "no date"}));
        let failure = read_key(&key_managed_in("claude", &secrets)).await.unwrap_err();
        tracing::warn!(?failure, "not read");
    }
    let log = log.text();
    assert!(log.contains("This came with the key …") && log.contains("spend_limit_reached"));
    assert!(!log.contains(KEY));
}

fn key_managed_in(name: &str, secrets: &SecretsManager) -> Config {
    let url = secrets.url();
    config(&[("ANTHROPIC_SECRET", name), ("AWS_ENDPOINT_URL_SECRETS_MANAGER", url.as_str())]).unwrap()
}

#[tokio::test]
async fn the_current_key_is_read_from_its_secret() {
    let secrets = SecretsManager::start("claude", &format!(" {KEY}\n")).await;
    let config = key_managed_in("claude", &secrets);
    assert_eq!(read_key(&config).await.unwrap(), Some(SecretText::new(KEY)));
    secrets.rotate("another");
    assert_eq!(read_key(&config).await.unwrap(), Some(SecretText::new("another")));
    secrets.rotate(" ");
    assert_eq!(read_key(&config).await.unwrap(), None);
}

#[tokio::test]
async fn a_failed_read_of_the_key_is_a_retryable_or_an_internal_failure() {
    let secrets = SecretsManager::start("claude", KEY).await;
    assert!(
        matches!(read_key(&key_managed_in("other", &secrets)).await, Err(Failure::Internal(why)) if why.to_string().contains("other"))
    );
    let config = key_managed_in("claude", &secrets);
    secrets.reply_with(400, json!({"__type": "AccessDeniedException", "Message": "no"}));
    assert!(matches!(read_key(&config).await, Err(Failure::Internal(_))));
    secrets.reply_with(200, json!({"Name": "claude", "SecretBinary": "c2VjcmV0"}));
    assert!(
        matches!(read_key(&config).await, Err(Failure::Internal(why)) if why.to_string().contains("holds no text"))
    );
    for (status, kind) in [(400, "ThrottlingException"), (500, "InternalServiceError"), (503, "ServiceUnavailable")] {
        let before = secrets.request_count();
        secrets.reply_with(status, json!({"__type": kind, "Message": "later"}));
        let failed = read_key(&config).await;
        assert!(matches!(failed, Err(Failure::Retry(Retry::Unavailable(_)))), "{kind}: {failed:?}");
        assert!(secrets.request_count() > before + 1, "{kind} is tried again by the client");
    }
}

#[test]
fn the_settings_configure_the_requests_to_claude() {
    let ClaudeConfig { key, base_url, model, batch_size, pause, concurrency, timeout } = config(&[]).unwrap().claude;
    assert!(key.is_none());
    assert_eq!((base_url.as_str(), model.as_str()), ("https://api.anthropic.com", "claude-haiku-5-5"));
    assert_eq!((batch_size, pause, concurrency, timeout), (10, secs(1), 1, secs(60)));

    let set = config(&[
        ("ANTHROPIC_BASE_URL", " http://127.0.0.1:1/ "),
        ("ANTHROPIC_SECRET", "claude"),
        ("CHURN_MODEL", "another"),
        ("CHURN_BATCH_SIZE", "50"),
        ("CHURN_PAUSE_MS", "0"),
        ("CHURN_CONCURRENCY", "16"),
        ("CHURN_TIMEOUT_MS", "1000"),
    ]);
    let ClaudeConfig { key, base_url, model, batch_size, pause, concurrency, timeout } = set.unwrap().claude;
    assert!(matches!(key, Some(SecretSource::Managed(name)) if name == "claude"));
    assert_eq!((base_url.as_str(), model.as_str()), ("http://127.0.0.1:1", "another"));
    assert_eq!((batch_size, pause, concurrency, timeout), (50, Duration::ZERO, 16, secs(1)));

    let both = config(&[("ANTHROPIC_API_KEY", KEY), ("ANTHROPIC_SECRET", "claude")]).unwrap().claude.key;
    assert!(matches!(both, Some(SecretSource::Inline(key)) if key.expose() == KEY));
    let empty = config(&[("ANTHROPIC_API_KEY", "  "), ("ANTHROPIC_SECRET", "")]).unwrap().claude.key;
    assert!(empty.is_none());
}

#[test]
fn a_wrong_setting_is_reported_by_name() {
    let cases = [
        ("CHURN_BATCH_SIZE", "0", "CHURN_BATCH_SIZE must be a whole number from 1 to 50: 0"),
        ("CHURN_BATCH_SIZE", "51", "CHURN_BATCH_SIZE must be a whole number from 1 to 50: 51"),
        ("CHURN_BATCH_SIZE", "ten", "CHURN_BATCH_SIZE must be a whole number from 1 to 50: ten"),
        ("CHURN_PAUSE_MS", "-1", "CHURN_PAUSE_MS must be a whole number from 0 to 60000: -1"),
        ("CHURN_CONCURRENCY", "17", "CHURN_CONCURRENCY must be a whole number from 1 to 16: 17"),
        ("CHURN_TIMEOUT_MS", "99", "CHURN_TIMEOUT_MS must be a whole number from 100 to 600000: 99"),
        ("ANTHROPIC_BASE_URL", "api", "ANTHROPIC_BASE_URL must begin with http:// or https://: api"),
    ];
    for (name, value, expected) in cases {
        assert_eq!(config(&[(name, value)]).err().as_deref(), Some(expected));
    }
}

#[tokio::test]
async fn a_redirect_does_not_forward_the_key() {
    let (client, elsewhere) = (test_client(&[]).await, Anthropic::start().await);
    client.anthropic.script([ApiReply::Redirect(elsewhere.url())]);
    assert_eq!(client.score(&rows(1)).await, [None]);
    assert!(elsewhere.requests().is_empty());
}
