//! Pauses between requests, waits for rate limits, and requests in flight.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use churn_prediction::claude::{Claude, LONGEST_RESET};
use harness::{
    anthropic::{Anthropic, ApiReply},
    waits::RecordedWaits,
};
use shared::{clock::Sleeper, config::SecretText};
use tokio::sync::Barrier;

use super::support::{HORIZON, KEY, all_right, config, in_time, rows, secs, test_client};

#[tokio::test]
async fn a_pause_lies_between_any_two_requests_and_not_before_the_first() {
    let client = test_client(&[("CHURN_BATCH_SIZE", "2")]).await;
    client.score(&rows(6)).await;
    assert_eq!(client.waits.take(), [secs(1), secs(1)]);
    // The next customers belong to the same call.
    client.score(&rows(2)).await;
    assert_eq!(client.waits.take(), [secs(1)]);
    client.anthropic.script([ApiReply::OmitFirst(1)]);
    client.score(&rows(2)).await;
    assert_eq!(client.waits.take(), [secs(1), secs(1)]);
}

#[tokio::test]
async fn the_pause_is_configurable_and_may_be_zero() {
    let slow = test_client(&[("CHURN_BATCH_SIZE", "1"), ("CHURN_PAUSE_MS", "2500")]).await;
    slow.score(&rows(2)).await;
    assert_eq!(slow.waits.take(), [Duration::from_millis(2500)]);
    let fast = test_client(&[("CHURN_BATCH_SIZE", "1"), ("CHURN_PAUSE_MS", "0")]).await;
    fast.score(&rows(3)).await;
    assert!(fast.waits.take().is_empty());
}

#[tokio::test]
async fn no_request_is_sent_before_an_exhausted_limit_resets() {
    let client = test_client(&[("CHURN_BATCH_SIZE", "1")]).await;
    client.anthropic.script([
        ApiReply::LimitExhausted(12),
        ApiReply::LimitExhausted(3_600),
        ApiReply::LimitExhausted(-5),
    ]);
    assert_eq!(client.score(&rows(4)).await, all_right(4));
    assert_eq!(client.waits.take(), [secs(12), LONGEST_RESET, secs(1)]);
}

#[tokio::test]
async fn the_client_uses_the_configured_concurrency_and_no_more() {
    for (concurrency, at_once) in [("1", 1), ("3", 3)] {
        let client =
            test_client(&[("CHURN_CONCURRENCY", concurrency), ("CHURN_BATCH_SIZE", "1"), ("CHURN_PAUSE_MS", "0")])
                .await;
        // No reply comes before this many requests are in flight.
        client.anthropic.always(ApiReply::AfterBarrier(Arc::new(Barrier::new(at_once))));
        assert_eq!(client.score(&rows(9)).await, all_right(9));
        assert_eq!((client.anthropic.in_flight_max(), client.requests()), (at_once, 9));
    }
}

#[tokio::test]
async fn requests_with_the_same_retry_after_share_one_wait() {
    let client = test_client(&[("CHURN_CONCURRENCY", "4"), ("CHURN_BATCH_SIZE", "1"), ("CHURN_PAUSE_MS", "0")]).await;
    client.anthropic.script(["20", "30", "30", "10"].map(ApiReply::RateLimited));
    assert_eq!(client.score(&rows(4)).await, all_right(4));
    let waited: Duration = client.waits.take().iter().sum();
    assert_eq!((waited, client.requests()), (secs(30), 8));
}

#[tokio::test]
async fn a_request_subtracts_a_wait_that_another_request_completed() {
    let client = test_client(&[("CHURN_CONCURRENCY", "2"), ("CHURN_BATCH_SIZE", "1"), ("CHURN_PAUSE_MS", "0")]).await;
    // The second request gets its `retry-after` when the first has waited.
    let met = Arc::new(Barrier::new(2));
    client.anthropic.script([
        ApiReply::RateLimited("20"),
        ApiReply::RateLimitedAfterBarrier(Arc::clone(&met), "30"),
        ApiReply::AfterBarrier(met),
    ]);
    assert_eq!(client.score(&rows(2)).await, all_right(2));
    assert_eq!(client.waits.take(), [secs(20), secs(10)]);
}

#[tokio::test]
async fn a_queued_request_also_waits_for_the_retry_after_of_another() {
    let (anthropic, waits) = (Anthropic::start().await, RecordedWaits::default());
    let url = anthropic.url();
    let settings = [("ANTHROPIC_BASE_URL", url.as_str()), ("CHURN_BATCH_SIZE", "1"), ("CHURN_CONCURRENCY", "4")];
    // The first wait takes real time. Meanwhile the first batch gets a `retry-after`.
    let (asked_for, is_first) = (waits.sleeper(), AtomicBool::new(true));
    let sleeper = Sleeper::new(move |long| {
        let (asked_for, is_first) = (asked_for.clone(), is_first.swap(false, Ordering::Relaxed));
        async move {
            asked_for.sleep(long).await;
            if is_first {
                tokio::time::sleep(long).await;
            }
        }
    });
    let claude = Claude::new(&config(&settings).unwrap().claude, SecretText::new(KEY), sleeper);
    anthropic.script([ApiReply::RateLimited("30")]);
    assert_eq!(claude.score(HORIZON, &rows(4), in_time()).await, all_right(4));
    assert_eq!(waits.take(), [1, 29, 1, 1].map(secs));
    assert_eq!(anthropic.requests().len(), 5);
}
