//! Replies of the model: valid verdicts, missing ones, and unusable replies.

use churn_prediction::claude::LONGEST_REASONING;
use harness::anthropic::ApiReply;
use serde_json::{Value, json};

use super::support::{all_right, count, line, rows, test_client};

#[tokio::test]
async fn valid_verdicts_are_kept_and_the_other_customers_are_requested_once_more() {
    let first = |count: u64| (1..=count).collect::<Vec<u64>>();
    let cases = [
        (ApiReply::UnknownCustomers, vec![]),
        (ApiReply::OmitFirst(2), first(2)),
        (ApiReply::OmitFirst(5), first(5)),
        (ApiReply::DuplicateVerdict, first(1)),
        (ApiReply::Probability(json!(100.01)), first(1)),
        (ApiReply::Probability(json!(-0.01)), first(1)),
        (ApiReply::Probability(json!("50")), first(1)),
        (ApiReply::Probability(json!(null)), first(1)),
        (ApiReply::Reasoning(json!("")), first(1)),
        (ApiReply::Reasoning(json!("\u{7} \n\t")), first(1)),
        (ApiReply::Reasoning(json!(7)), first(1)),
        (ApiReply::Truncated, first(5)),
        (ApiReply::Refusal, first(5)),
        (ApiReply::Prose, first(5)),
        (ApiReply::Garbage, first(5)),
    ];
    for (reply, again) in cases {
        let client = test_client(&[]).await;
        client.anthropic.script([reply.clone()]);
        assert_eq!(client.score(&rows(5)).await, all_right(5), "{reply:?}");
        let seen = client.anthropic.requests();
        let asked_again: Vec<Value> =
            seen.iter().skip(1).flat_map(harness::anthropic::ReceivedRequest::customers).collect();
        let figure =
            |name: &str| -> Vec<u64> { asked_again.iter().map(|customer| customer[name].as_u64().unwrap()).collect() };
        let (numbers, days) = (figure("customer"), figure("daysSinceLastOrder"));
        assert_eq!((&days, numbers), (&again, first(count(&days).into())), "{reply:?}");
        assert_eq!(seen.len(), if again.is_empty() { 1 } else { 2 }, "{reply:?}");
    }
}

#[tokio::test]
async fn a_customer_omitted_twice_gets_no_verdict() {
    for reply in [
        ApiReply::OmitFirst(1),
        ApiReply::DuplicateVerdict,
        ApiReply::Probability(json!(101)),
        ApiReply::Reasoning(json!("")),
    ] {
        let client = test_client(&[]).await;
        client.anthropic.always(reply.clone());
        let mut expected = all_right(5);
        expected[0] = None;
        assert_eq!(client.score(&rows(5)).await, expected, "{reply:?}");
        assert_eq!((client.requests(), client.claude.is_off()), (2, None), "{reply:?}");
    }
}

#[tokio::test]
async fn a_verdict_has_two_decimals_and_one_line_of_bounded_length() {
    let cases = [
        (json!(12.345), json!(12.35)),
        (json!(0), json!(0)),
        (json!(100), json!(100)),
        (json!(100.0), json!(100)),
        (json!(1e2), json!(100)),
        (json!(1e-9), json!(0)),
        (json!(49.994_999), json!(49.99)),
    ];
    for (said, kept) in cases {
        let client = test_client(&[]).await;
        client.anthropic.script([ApiReply::Probability(said.clone())]);
        let verdict = client.score(&rows(1)).await.remove(0).unwrap();
        assert_eq!(json!(verdict.probability), kept, "{said}");
    }
    let long = "ä".repeat(2 * LONGEST_REASONING);
    let cases = [
        (" Two\nlines,\r\n a\ttab and a \u{1b}[31mcolour\u{0}. ", "Two lines, a tab and a [31mcolour ."),
        ("\u{202e}Turned\u{200b} round\u{2066}\u{feff}.", "Turned round."),
        (long.as_str(), &long[..long.len() / 2]),
    ];
    for (said, kept) in cases {
        let client = test_client(&[]).await;
        client.anthropic.script([ApiReply::Reasoning(json!(said))]);
        assert_eq!(client.score(&rows(1)).await.remove(0).unwrap().reasoning, line(kept));
    }
}

#[tokio::test]
async fn an_endless_answer_is_not_read() {
    let client = test_client(&[]).await;
    client.anthropic.script([ApiReply::Oversized]);
    assert_eq!(client.score(&rows(1)).await, [None]);
    assert_eq!(client.requests(), 1);
}
