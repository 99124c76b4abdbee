//! What is made of a reply.

use churn_prediction::claude::LONGEST_REASONING;
use harness::anthropic::Say;
use serde_json::{Value, json};

use super::support::{all_right, asked, count, line, rows};

#[tokio::test]
async fn what_is_right_in_an_answer_is_kept_and_the_rest_asked_about_once_more() {
    let first = |count: u64| (1..=count).collect::<Vec<u64>>();
    let cases = [
        (Say::Inventing, vec![]),
        (Say::Dropping(2), first(2)),
        (Say::Dropping(5), first(5)),
        (Say::Doubling, first(1)),
        (Say::Probability(json!(100.01)), first(1)),
        (Say::Probability(json!(-0.01)), first(1)),
        (Say::Probability(json!("50")), first(1)),
        (Say::Probability(json!(null)), first(1)),
        (Say::Reasoning(json!("")), first(1)),
        (Say::Reasoning(json!("\u{7} \n\t")), first(1)),
        (Say::Reasoning(json!(7)), first(1)),
        (Say::Truncated, first(5)),
        (Say::Refusal, first(5)),
        (Say::Prose, first(5)),
        (Say::Garbage, first(5)),
    ];
    for (say, again) in cases {
        let asked = asked(&[]).await;
        asked.anthropic.script([say.clone()]);
        assert_eq!(asked.score(&rows(5)).await, all_right(5), "{say:?}");
        let seen = asked.anthropic.seen();
        let asked_again: Vec<Value> = seen.iter().skip(1).flat_map(harness::anthropic::Seen::customers).collect();
        let figure =
            |name: &str| -> Vec<u64> { asked_again.iter().map(|customer| customer[name].as_u64().unwrap()).collect() };
        let (numbers, days) = (figure("customer"), figure("daysSinceLastOrder"));
        assert_eq!((&days, numbers), (&again, first(count(&days).into())), "{say:?}");
        assert_eq!(seen.len(), if again.is_empty() { 1 } else { 2 }, "{say:?}");
    }
}

#[tokio::test]
async fn who_is_left_out_twice_goes_without() {
    for say in [Say::Dropping(1), Say::Doubling, Say::Probability(json!(101)), Say::Reasoning(json!(""))] {
        let asked = asked(&[]).await;
        asked.anthropic.always(say.clone());
        let mut expected = all_right(5);
        expected[0] = None;
        assert_eq!(asked.score(&rows(5)).await, expected, "{say:?}");
        assert_eq!((asked.requests(), asked.claude.is_off()), (2, None), "{say:?}");
    }
}

#[tokio::test]
async fn a_verdict_is_two_decimals_and_one_bounded_line() {
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
        let asked = asked(&[]).await;
        asked.anthropic.script([Say::Probability(said.clone())]);
        let verdict = asked.score(&rows(1)).await.remove(0).unwrap();
        assert_eq!(json!(verdict.probability), kept, "{said}");
    }
    let long = "ä".repeat(2 * LONGEST_REASONING);
    let cases = [
        (" Two\nlines,\r\n a\ttab and a \u{1b}[31mcolour\u{0}. ", "Two lines, a tab and a [31mcolour ."),
        ("\u{202e}Turned\u{200b} round\u{2066}\u{feff}.", "Turned round."),
        (long.as_str(), &long[..long.len() / 2]),
    ];
    for (said, kept) in cases {
        let asked = asked(&[]).await;
        asked.anthropic.script([Say::Reasoning(json!(said))]);
        assert_eq!(asked.score(&rows(1)).await.remove(0).unwrap().reasoning, line(kept));
    }
}

#[tokio::test]
async fn an_answer_without_end_is_not_read() {
    let asked = asked(&[]).await;
    asked.anthropic.script([Say::Endless]);
    assert_eq!(asked.score(&rows(1)).await, [None]);
    assert_eq!(asked.requests(), 1);
}
