//! Slow replies, time-outs and the deadline of the call.

use std::time::Duration;

use churn_prediction::claude::TIMEOUTS;
use harness::anthropic::Say;
use shared::clock::Deadline;

use super::support::{HORIZON, all_right, asked, count, right, rows};

#[tokio::test]
async fn an_answer_that_never_comes_is_tried_again_only_so_often() {
    let asked = asked(&[("CHURN_TIMEOUT_MS", "100")]).await;
    asked.anthropic.always(Say::Hang);
    assert_eq!(asked.score(&rows(2)).await, [None, None]);
    // On a busy machine it is given up before it arrives.
    assert!(asked.requests() <= TIMEOUTS);
    assert_eq!(count(&asked.waits.take()), TIMEOUTS - 1);
}

#[tokio::test]
async fn an_answer_that_drips_is_given_up_when_the_time_for_a_whole_answer_is_over() {
    let asked = asked(&[("CHURN_TIMEOUT_MS", "100")]).await;
    asked.anthropic.always(Say::Drip);
    let customers = rows(2);
    let given_up = tokio::time::timeout(harness::programs::PATIENCE / 2, asked.score(&customers)).await;
    assert_eq!(given_up.expect("it is given up, whatever still comes"), [None, None]);
    assert_eq!(count(&asked.waits.take()), TIMEOUTS - 1);
}

#[tokio::test]
async fn an_answer_that_takes_a_while_is_waited_for() {
    let asked = asked(&[]).await;
    asked.anthropic.always(Say::Slowly(Duration::from_millis(50)));
    assert_eq!(asked.score(&rows(2)).await, all_right(2));
}

#[tokio::test]
async fn what_is_not_answered_in_the_time_there_is_is_given_up() {
    let asked = asked(&[("CHURN_BATCH_SIZE", "1")]).await;
    asked.anthropic.always(Say::Hang);
    let deadline = Deadline::after(Duration::from_millis(200));
    let customers = rows(3);
    let scoring = asked.claude.score(HORIZON, &customers, deadline);
    let given_up = tokio::time::timeout(harness::programs::PATIENCE / 2, scoring).await;
    assert_eq!(given_up.expect("it is given up"), vec![None; 3]);
    assert!(asked.claude.is_out_of_time());
    // On a busy machine it is given up before it arrives.
    assert!(asked.requests() <= 1);
    assert_eq!((asked.waits.take(), asked.claude.is_off()), (vec![], None));
}

#[tokio::test]
async fn a_wait_beyond_the_deadline_is_not_begun() {
    let deadline = || Deadline::after(Duration::from_secs(30));
    let limited = asked(&[("CHURN_BATCH_SIZE", "1")]).await;
    limited.anthropic.script([Say::RateLimited("60")]);
    assert_eq!(limited.claude.score(HORIZON, &rows(3), deadline()).await, vec![None; 3]);
    assert_eq!((limited.requests(), limited.waits.take(), limited.claude.is_off()), (1, vec![], None));

    let paused = asked(&[("CHURN_BATCH_SIZE", "1"), ("CHURN_PAUSE_MS", "60000")]).await;
    let verdicts = paused.claude.score(HORIZON, &rows(3), deadline()).await;
    assert_eq!(verdicts, [Some(right(1)), None, None]);
    assert_eq!((paused.requests(), paused.waits.take()), (1, vec![]));

    let late = asked(&[]).await;
    assert_eq!(late.claude.score(HORIZON, &rows(1), Deadline::after(Duration::ZERO)).await, [None]);
    assert_eq!(late.requests(), 0);
}
