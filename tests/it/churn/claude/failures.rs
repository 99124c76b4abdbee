//! Requests that fail: retries, and failures that switch Claude off.

use std::{collections::BTreeSet, time::Duration};

use churn_prediction::claude::{Claude, DOWN_AFTER, FIRST_PAUSE, SwitchOffReason, TRIES};
use harness::{anthropic::ApiReply, waits::RecordedWaits};
use shared::config::SecretText;

use super::support::{HORIZON, KEY, all_right, config, count, in_time, right, rows, secs, test_client};

#[tokio::test]
async fn a_temporary_failure_is_retried() {
    let statuses = [408, 409, 429, 500, 502, 503, 504].map(ApiReply::Status);
    for reply in [ApiReply::Overloaded, ApiReply::RateLimited("3"), ApiReply::Close, ApiReply::CutOff]
        .into_iter()
        .chain(statuses)
    {
        let client = test_client(&[]).await;
        client.anthropic.script([reply.clone(), reply.clone()]);
        assert_eq!(client.score(&rows(3)).await, all_right(3), "{reply:?}");
        assert_eq!((client.requests(), client.waits.take().len()), (3, 2), "{reply:?}");
        assert_eq!(client.claude.is_off(), None);
    }
}

#[tokio::test]
async fn a_refused_connection_is_retried_and_then_given_up() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let waits = RecordedWaits::default();
    let url = format!("http://{free}/");
    let settings = config(&[("ANTHROPIC_BASE_URL", url.as_str())]).unwrap().claude;
    let claude = Claude::new(&settings, SecretText::new(KEY), waits.sleeper());
    assert_eq!(claude.score(HORIZON, &rows(1), in_time()).await, [None]);
    assert_eq!(count(&waits.take()), TRIES - 1);
}

#[tokio::test]
async fn the_client_waits_exactly_for_retry_after() {
    let cases = [
        (ApiReply::RateLimited("7"), secs(7)),
        (ApiReply::RateLimited("0.5"), Duration::from_millis(500)),
        (ApiReply::RateLimitedUntil(41), secs(41)),
    ];
    for (reply, wait) in cases {
        let client = test_client(&[("CHURN_BATCH_SIZE", "1")]).await;
        client.anthropic.script([reply.clone(), reply.clone()]);
        assert_eq!(client.score(&rows(2)).await, all_right(2));
        assert_eq!(client.waits.take(), [wait, wait, secs(1)], "{reply:?}");
    }
}

/// The shortest and the longest pause before the second try, the third try, and so on.
fn bounds() -> impl Iterator<Item = (Duration, Duration)> {
    (0..TRIES - 1).map(|number| FIRST_PAUSE * 2u32.pow(number)).map(|longest| (longest / 2, longest))
}

#[tokio::test]
async fn retry_pauses_grow_within_bounds_and_none_follows_the_last_attempt() {
    // A `retry-after` of zero, in the past or without meaning is ignored.
    let mut first = BTreeSet::new();
    for reply in [
        ApiReply::Overloaded,
        ApiReply::Status(500),
        ApiReply::Close,
        ApiReply::RateLimited("0"),
        ApiReply::RateLimited("-3"),
        ApiReply::RateLimited("NaN"),
        ApiReply::RateLimited("soon"),
        ApiReply::RateLimitedUntil(-5),
    ] {
        let client = test_client(&[]).await;
        client.anthropic.always(reply.clone());
        assert_eq!(client.score(&rows(2)).await, [None, None]);
        let waits = client.waits.take();
        assert_eq!((client.requests(), count(&waits)), (TRIES, TRIES - 1), "{reply:?}");
        for (wait, (shortest, longest)) in waits.iter().zip(bounds()) {
            assert!((shortest..=longest).contains(wait), "{reply:?} {waits:?}");
        }
        assert!(waits.is_sorted());
        first.insert(waits[0]);
    }
    assert!(first.len() > 1, "there is no jitter");
}

#[tokio::test]
async fn a_permanent_failure_switches_claude_off_at_once() {
    let cases = [
        (ApiReply::Status(401), SwitchOffReason::Unauthorized, "unauthorized"),
        (ApiReply::Status(402), SwitchOffReason::PaymentRequired, "payment_required"),
        (ApiReply::Status(403), SwitchOffReason::Forbidden, "forbidden"),
        (ApiReply::SpendLimit, SwitchOffReason::SpendLimitReached, "spend_limit_reached"),
        (ApiReply::WorkspaceSpendLimit, SwitchOffReason::SpendLimitReached, "spend_limit_reached"),
        (ApiReply::NoCredit, SwitchOffReason::SpendLimitReached, "spend_limit_reached"),
    ];
    for (reply, reason, code) in cases {
        let client = test_client(&[("CHURN_BATCH_SIZE", "1")]).await;
        client.anthropic.script([ApiReply::Verdicts, reply.clone()]);
        let mut expected = vec![None; 4];
        expected[0] = Some(right(1));
        assert_eq!(client.score(&rows(4)).await, expected, "{reply:?}");
        assert_eq!(client.claude.is_off(), Some(reason));
        assert_eq!(reason.code(), code);
        assert_eq!(client.score(&rows(2)).await, [None, None]);
        assert_eq!((client.requests(), client.waits.take()), (2, vec![secs(1)]), "{reply:?}");
    }
}

#[tokio::test]
async fn a_rejected_request_affects_only_its_own_customers() {
    for status in [400, 404, 413, 422] {
        let client = test_client(&[("CHURN_BATCH_SIZE", "1")]).await;
        client.anthropic.script([
            ApiReply::Status(status),
            ApiReply::Status(status),
            ApiReply::Verdicts,
            ApiReply::Status(status),
        ]);
        let expected = [None, None, Some(right(3)), None, Some(right(5))];
        assert_eq!(client.score(&rows(5)).await, expected, "{status}");
        assert_eq!((client.requests(), client.claude.is_off()), (5, None), "{status}");
    }
}

#[tokio::test]
async fn consecutive_failed_batches_switch_claude_off() {
    let cases = [
        (ApiReply::Overloaded, TRIES, SwitchOffReason::Unavailable, "unavailable"),
        (ApiReply::Close, TRIES, SwitchOffReason::Unavailable, "unavailable"),
        (ApiReply::Status(404), 1, SwitchOffReason::RequestRefused, "request_refused"),
        (ApiReply::Prose, 2, SwitchOffReason::UnusableAnswers, "unusable_answers"),
    ];
    for (reply, requests, reason, code) in cases {
        let client = test_client(&[("CHURN_BATCH_SIZE", "1")]).await;
        client.anthropic.always(reply.clone());
        assert_eq!(client.score(&rows(9)).await, vec![None; 9]);
        assert_eq!(client.claude.is_off(), Some(reason), "{reply:?}");
        assert_eq!(reason.code(), code);
        assert_eq!(client.requests(), DOWN_AFTER * requests, "{reply:?}");
    }
}

#[tokio::test]
async fn any_mixture_of_temporary_faults_ends_with_a_correct_verdict_or_none() {
    let (mut scored, mut all) = (0, 0);
    for seed in 0..16 {
        let concurrency = if seed % 2 == 0 { "1" } else { "4" };
        let client = test_client(&[("CHURN_CONCURRENCY", concurrency), ("CHURN_BATCH_SIZE", "4")]).await;
        client.anthropic.at_random(seed, 2);
        // The work of a function may move between threads.
        let verdicts_task = tokio::spawn(async move { (client.score(&rows(40)).await, client) });
        let (verdicts, client) = verdicts_task.await.unwrap();
        assert_eq!(verdicts.len(), 40);
        for (verdict, days) in verdicts.iter().zip(1..) {
            assert!(verdict.as_ref().is_none_or(|verdict| *verdict == right(days)), "seed {seed}: {verdict:?}");
        }
        assert!(client.requests() <= 10 * 2 * TRIES, "seed {seed}");
        scored += verdicts.iter().flatten().count();
        all += verdicts.len();
    }
    assert!(scored > all / 2, "{scored} of {all}");
}
