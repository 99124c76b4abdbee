//! Slow replies, time-outs and the deadline of the call.

use std::time::Duration;

use churn_prediction::claude::TIMEOUTS;
use harness::anthropic::ApiReply;
use shared::clock::Deadline;

use super::support::{HORIZON, all_right, count, right, rows, test_client};

#[tokio::test]
async fn a_request_without_an_answer_is_retried_a_limited_number_of_times() {
    let client = test_client(&[("CHURN_TIMEOUT_MS", "100")]).await;
    client.anthropic.always(ApiReply::Hang);
    assert_eq!(client.score(&rows(2)).await, [None, None]);
    // On a busy machine the request times out before it arrives.
    assert!(client.requests() <= TIMEOUTS);
    assert_eq!(count(&client.waits.take()), TIMEOUTS - 1);
}

#[tokio::test]
async fn a_slowly_dripping_answer_is_given_up_after_the_answer_timeout() {
    let client = test_client(&[("CHURN_TIMEOUT_MS", "100")]).await;
    client.anthropic.always(ApiReply::Trickle);
    let customers = rows(2);
    let given_up = tokio::time::timeout(harness::programs::WAIT_MAX / 2, client.score(&customers)).await;
    assert_eq!(given_up.expect("it is given up, whatever still comes"), [None, None]);
    assert_eq!(count(&client.waits.take()), TIMEOUTS - 1);
}

#[tokio::test]
async fn the_client_waits_for_a_slow_answer() {
    let client = test_client(&[]).await;
    client.anthropic.always(ApiReply::Delayed(Duration::from_millis(50)));
    assert_eq!(client.score(&rows(2)).await, all_right(2));
}

#[tokio::test]
async fn a_request_unanswered_by_the_deadline_is_given_up() {
    let client = test_client(&[("CHURN_BATCH_SIZE", "1")]).await;
    client.anthropic.always(ApiReply::Hang);
    let deadline = Deadline::after(Duration::from_millis(200));
    let customers = rows(3);
    let verdicts = client.claude.score(HORIZON, &customers, deadline);
    let given_up = tokio::time::timeout(harness::programs::WAIT_MAX / 2, verdicts).await;
    assert_eq!(given_up.expect("it is given up"), vec![None; 3]);
    assert!(client.claude.is_out_of_time());
    // On a busy machine the request times out before it arrives.
    assert!(client.requests() <= 1);
    assert_eq!((client.waits.take(), client.claude.is_off()), (vec![], None));
}

#[tokio::test]
async fn a_wait_beyond_the_deadline_is_not_started() {
    let deadline = || Deadline::after(Duration::from_secs(30));
    let limited = test_client(&[("CHURN_BATCH_SIZE", "1")]).await;
    limited.anthropic.script([ApiReply::RateLimited("60")]);
    assert_eq!(limited.claude.score(HORIZON, &rows(3), deadline()).await, vec![None; 3]);
    assert_eq!((limited.requests(), limited.waits.take(), limited.claude.is_off()), (1, vec![], None));

    let paused = test_client(&[("CHURN_BATCH_SIZE", "1"), ("CHURN_PAUSE_MS", "60000")]).await;
    let verdicts = paused.claude.score(HORIZON, &rows(3), deadline()).await;
    assert_eq!(verdicts, [Some(right(1)), None, None]);
    assert_eq!((paused.requests(), paused.waits.take()), (1, vec![]));

    let late = test_client(&[]).await;
    assert_eq!(late.claude.score(HORIZON, &rows(1), Deadline::after(Duration::ZERO)).await, [None]);
    assert_eq!(late.requests(), 0);
}
