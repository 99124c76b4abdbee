//! Claude, asked over a stand-in for the API: what is sent, what is made of every answer, and how long is waited.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use churn_prediction::claude::{
    Claude, ClaudeInput, DOWN_AFTER, FIRST_PAUSE, LONGEST_REASONING, LONGEST_RESET, SwitchOffReason, TIMEOUTS, TRIES,
    Verdict,
};
use harness::{
    anthropic::{Anthropic, Say},
    log::Log,
    secrets::SecretsManager,
    waits::Waits,
};
use serde_json::{Value, json};
use shared::{
    clock::{Deadline, Sleeper},
    config::{ClaudeConfig, Config, SecretSource, SecretText},
    domain::{
        churn::{
            features::{Features, Trend},
            risk::Probability,
        },
        decimal::TwoPlaceDecimal,
        money::Money,
        points::Points,
        segment::Segment,
        text::SingleLine,
    },
    failure::{Failure, Retry},
    secrets,
};
use tokio::sync::Barrier;

const KEY: &str = "sk-ant-a-key-of-the-tests";

const HORIZON: u32 = 90;

/// Far longer than any test takes.
fn in_time() -> Deadline {
    Deadline::after(Duration::from_mins(5))
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn config(settings: &[(&str, &str)]) -> Result<Config, String> {
    let set = |name: &str| settings.iter().find(|(setting, _)| *setting == name).map(|(_, value)| (*value).to_owned());
    let lookup = |name: &str| set(name).or_else(|| (name == "TABLE_NAME").then(|| "regulars".into()));
    Config::from_lookup(lookup).map_err(|error| error.to_string())
}

/// The key, as a call reads it.
async fn kept_key(config: &Config) -> Result<Option<SecretText>, Failure> {
    secrets::resolve(config.claude.key.as_ref(), config.secrets_endpoint.as_deref()).await
}

/// Claude, what it is asked over, and the waits that this takes.
struct Asked {
    anthropic: Anthropic,
    waits: Waits,
    claude: Claude,
}

async fn asked(settings: &[(&str, &str)]) -> Asked {
    let (anthropic, waits) = (Anthropic::start().await, Waits::default());
    let url = anthropic.url();
    let settings = config(&[settings, &[("ANTHROPIC_BASE_URL", url.as_str())]].concat()).unwrap().claude;
    let claude = Claude::new(&settings, SecretText::new(KEY), waits.sleeper());
    Asked { anthropic, waits, claude }
}

impl Asked {
    async fn score(&self, rows: &[ClaudeInput]) -> Vec<Option<Verdict>> {
        self.claude.score(HORIZON, rows, in_time()).await
    }

    fn requests(&self) -> u32 {
        count(&self.anthropic.seen())
    }
}

fn count<T>(what: &[T]) -> u32 {
    what.len().try_into().unwrap()
}

/// So many customers; the first has not ordered for a day, the second for two, and so on.
fn rows(count: u32) -> Vec<ClaudeInput> {
    (1..=count).map(row).collect()
}

fn row(days: u32) -> ClaudeInput {
    let features = Features {
        days_since_last_order: days,
        orders: 7,
        lifetime_value: Money::from_minor(49_990).unwrap(),
        average_order_value: Money::from_minor(7_141).unwrap(),
        days_since_first_order: 400,
        orders_per_month: TwoPlaceDecimal::from_hundredths(53),
        trend: Trend::Declining,
        segment: Segment::AtRisk,
        tier: Some(line("Gold")),
        points: Points(120),
    };
    ClaudeInput::new(&features, probability(days))
}

fn line(text: &str) -> SingleLine {
    text.to_owned().try_into().unwrap()
}

fn probability(days: u32) -> Probability {
    Probability::from_percent(f64::from(days) + 0.25).unwrap()
}

/// The verdict on a customer, where nothing went wrong.
fn right(days: u32) -> Verdict {
    Verdict { probability: probability(days), reasoning: line(&format!("Has not ordered for {days} days.")) }
}

fn all_right(count: u32) -> Vec<Option<Verdict>> {
    (1..=count).map(|days| Some(right(days))).collect()
}

#[tokio::test]
async fn a_request_is_what_the_api_takes() {
    let asked = asked(&[("CHURN_MODEL", "a-model")]).await;
    assert_eq!(asked.score(&rows(2)).await, all_right(2));
    let seen = asked.anthropic.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].line, "POST /v1/messages");
    let header = |name: &str| seen[0].headers[name].as_str();
    assert_eq!((header("x-api-key"), header("anthropic-version")), (KEY, "2023-06-01"));
    assert_eq!(header("content-type"), "application/json");

    let body = seen[0].json();
    assert_eq!(body["model"], "a-model");
    assert!(body["max_tokens"].as_u64().unwrap() > 2 * 200);
    let system = &body["system"][0];
    assert_eq!((&system["type"], &system["cache_control"]), (&json!("text"), &json!({"type": "ephemeral"})));
    // Some four characters are a token, and 512 tokens the least that the default model caches.
    assert!(system["text"].as_str().unwrap().len() > 4 * 600);
    let format = &body["output_config"]["format"];
    assert_eq!(format["type"], "json_schema");
    let verdict = &format["schema"]["properties"]["verdicts"]["items"];
    assert_eq!(verdict["required"], json!(["customer", "reasoning", "churnProbability"]));
    assert_eq!(
        (&verdict["additionalProperties"], &format["schema"]["additionalProperties"]),
        (&json!(false), &json!(false))
    );
    // What one model needs another refuses.
    let fields: BTreeSet<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, ["max_tokens", "messages", "model", "output_config", "system"].into());
    assert_eq!(body["messages"].as_array().unwrap().len(), 1);
    assert_eq!(body["messages"][0]["role"], "user");
}

#[tokio::test]
async fn customers_are_running_numbers_with_figures_and_nothing_else() {
    let asked = asked(&[]).await;
    asked.score(&rows(2)).await;
    let message = asked.anthropic.seen()[0].message();
    assert_eq!(message["horizonDays"], HORIZON);
    let expected = |customer: u32| {
        json!({
            "customer": customer, "daysSinceLastOrder": customer, "orders": 7, "lifetimeValue": 499.9,
            "averageOrderValue": 71.41, "daysSinceFirstOrder": 400, "ordersPerMonth": 0.53, "trend": "declining",
            "segment": "at_risk", "tier": "Gold", "points": 120, "statisticalProbability": f64::from(customer) + 0.25,
        })
    };
    assert_eq!(message["customers"], json!([expected(1), expected(2)]));
}

#[tokio::test]
async fn what_can_be_cached_is_the_same_in_every_request() {
    let asked = asked(&[("CHURN_BATCH_SIZE", "3")]).await;
    asked.score(&rows(4)).await;
    let bodies: Vec<Value> = asked.anthropic.seen().iter().map(harness::anthropic::Seen::json).collect();
    assert_eq!(bodies.len(), 2);
    for part in ["model", "system", "output_config"] {
        assert_eq!(bodies[0][part], bodies[1][part], "{part}");
    }
}

#[tokio::test]
async fn verdicts_are_in_the_order_of_the_customers_and_no_batch_is_larger_than_it_may_be() {
    for concurrency in ["1", "4"] {
        let asked = asked(&[("CHURN_CONCURRENCY", concurrency)]).await;
        assert_eq!(asked.score(&rows(25)).await, all_right(25));
        let mut sizes: Vec<usize> = asked.anthropic.seen().iter().map(|seen| seen.customers().len()).collect();
        sizes.sort_unstable();
        assert_eq!(sizes, [5, 10, 10]);
        assert_eq!(asked.claude.at_once(), 10 * concurrency.parse::<usize>().unwrap());
    }
    assert_eq!(asked(&[]).await.score(&[]).await, []);
}

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
async fn those_asked_again_have_new_numbers() {
    let asked = asked(&[]).await;
    asked.anthropic.script([Say::Dropping(3)]);
    let mut customers = rows(5);
    customers.reverse();
    let verdicts = asked.score(&customers).await;
    assert_eq!(verdicts, [5, 4, 3, 2, 1].map(|days| Some(right(days))));
    let again = asked.anthropic.seen()[1].customers();
    let again: Vec<_> = again.iter().map(|customer| (&customer["customer"], &customer["daysSinceLastOrder"])).collect();
    assert_eq!(again, [(&json!(1), &json!(5)), (&json!(2), &json!(4)), (&json!(3), &json!(3))]);
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
async fn what_may_pass_is_tried_again() {
    let statuses = [408, 409, 429, 500, 502, 503, 504].map(Say::Status);
    for say in [Say::Overloaded, Say::RateLimited("3"), Say::Close, Say::Break].into_iter().chain(statuses) {
        let asked = asked(&[]).await;
        asked.anthropic.script([say.clone(), say.clone()]);
        assert_eq!(asked.score(&rows(3)).await, all_right(3), "{say:?}");
        assert_eq!((asked.requests(), asked.waits.take().len()), (3, 2), "{say:?}");
        assert_eq!(asked.claude.is_off(), None);
    }
}

#[tokio::test]
async fn nobody_at_the_other_end_is_tried_again_and_then_gone_without() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let waits = Waits::default();
    let url = format!("http://{free}/");
    let settings = config(&[("ANTHROPIC_BASE_URL", url.as_str())]).unwrap().claude;
    let claude = Claude::new(&settings, SecretText::new(KEY), waits.sleeper());
    assert_eq!(claude.score(HORIZON, &rows(1), in_time()).await, [None]);
    assert_eq!(count(&waits.take()), TRIES - 1);
}

#[tokio::test]
async fn a_pause_lies_between_any_two_requests_and_not_before_the_first() {
    let asked = asked(&[("CHURN_BATCH_SIZE", "2")]).await;
    asked.score(&rows(6)).await;
    assert_eq!(asked.waits.take(), [secs(1), secs(1)]);
    // The next customers are the same call's.
    asked.score(&rows(2)).await;
    assert_eq!(asked.waits.take(), [secs(1)]);
    asked.anthropic.script([Say::Dropping(1)]);
    asked.score(&rows(2)).await;
    assert_eq!(asked.waits.take(), [secs(1), secs(1)]);
}

#[tokio::test]
async fn how_long_a_pause_is_can_be_set_and_none_at_all() {
    let slow = asked(&[("CHURN_BATCH_SIZE", "1"), ("CHURN_PAUSE_MS", "2500")]).await;
    slow.score(&rows(2)).await;
    assert_eq!(slow.waits.take(), [Duration::from_millis(2500)]);
    let fast = asked(&[("CHURN_BATCH_SIZE", "1"), ("CHURN_PAUSE_MS", "0")]).await;
    fast.score(&rows(3)).await;
    assert!(fast.waits.take().is_empty());
}

#[tokio::test]
async fn retry_after_is_waited_out_exactly() {
    let cases = [
        (Say::RateLimited("7"), secs(7)),
        (Say::RateLimited("0.5"), Duration::from_millis(500)),
        (Say::RateLimitedUntil(41), secs(41)),
    ];
    for (say, wait) in cases {
        let asked = asked(&[("CHURN_BATCH_SIZE", "1")]).await;
        asked.anthropic.script([say.clone(), say.clone()]);
        assert_eq!(asked.score(&rows(2)).await, all_right(2));
        assert_eq!(asked.waits.take(), [wait, wait, secs(1)], "{say:?}");
    }
}

/// The pause before the second try, the third and so on: how short and how long it may be.
fn bounds() -> impl Iterator<Item = (Duration, Duration)> {
    (0..TRIES - 1).map(|number| FIRST_PAUSE * 2u32.pow(number)).map(|longest| (longest / 2, longest))
}

#[tokio::test]
async fn without_a_word_from_the_api_the_pauses_grow_within_their_bounds_and_none_follows_the_last_try() {
    // A wait of no seconds, of a time gone by, or of nonsense is no word.
    let mut first = BTreeSet::new();
    for say in [
        Say::Overloaded,
        Say::Status(500),
        Say::Close,
        Say::RateLimited("0"),
        Say::RateLimited("-3"),
        Say::RateLimited("NaN"),
        Say::RateLimited("soon"),
        Say::RateLimitedUntil(-5),
    ] {
        let asked = asked(&[]).await;
        asked.anthropic.always(say.clone());
        assert_eq!(asked.score(&rows(2)).await, [None, None]);
        let waits = asked.waits.take();
        assert_eq!((asked.requests(), count(&waits)), (TRIES, TRIES - 1), "{say:?}");
        for (wait, (shortest, longest)) in waits.iter().zip(bounds()) {
            assert!((shortest..=longest).contains(wait), "{say:?} {waits:?}");
        }
        assert!(waits.is_sorted());
        first.insert(waits[0]);
    }
    assert!(first.len() > 1, "there is no jitter");
}

#[tokio::test]
async fn nothing_is_sent_before_a_limit_that_is_used_up_is_reset() {
    let asked = asked(&[("CHURN_BATCH_SIZE", "1")]).await;
    asked.anthropic.script([Say::UsedUp(12), Say::UsedUp(3_600), Say::UsedUp(-5)]);
    assert_eq!(asked.score(&rows(4)).await, all_right(4));
    assert_eq!(asked.waits.take(), [secs(12), LONGEST_RESET, secs(1)]);
}

#[tokio::test]
async fn what_will_not_pass_switches_claude_off_at_once() {
    let cases = [
        (Say::Status(401), SwitchOffReason::Unauthorized, "unauthorized"),
        (Say::Status(402), SwitchOffReason::PaymentRequired, "payment_required"),
        (Say::Status(403), SwitchOffReason::Forbidden, "forbidden"),
        (Say::SpendLimit, SwitchOffReason::SpendLimitReached, "spend_limit_reached"),
        (Say::OwnSpendLimit, SwitchOffReason::SpendLimitReached, "spend_limit_reached"),
        (Say::NoBalance, SwitchOffReason::SpendLimitReached, "spend_limit_reached"),
    ];
    for (say, reason, code) in cases {
        let asked = asked(&[("CHURN_BATCH_SIZE", "1")]).await;
        asked.anthropic.script([Say::Verdicts, say.clone()]);
        let mut expected = vec![None; 4];
        expected[0] = Some(right(1));
        assert_eq!(asked.score(&rows(4)).await, expected, "{say:?}");
        assert_eq!(asked.claude.is_off(), Some(reason));
        assert_eq!(reason.code(), code);
        assert_eq!(asked.score(&rows(2)).await, [None, None]);
        assert_eq!((asked.requests(), asked.waits.take()), (2, vec![secs(1)]), "{say:?}");
    }
}

#[tokio::test]
async fn a_request_that_is_refused_costs_its_own_customers_alone() {
    for status in [400, 404, 413, 422] {
        let asked = asked(&[("CHURN_BATCH_SIZE", "1")]).await;
        asked.anthropic.script([Say::Status(status), Say::Status(status), Say::Verdicts, Say::Status(status)]);
        let expected = [None, None, Some(right(3)), None, Some(right(5))];
        assert_eq!(asked.score(&rows(5)).await, expected, "{status}");
        assert_eq!((asked.requests(), asked.claude.is_off()), (5, None), "{status}");
    }
}

#[tokio::test]
async fn batches_that_come_to_nothing_one_after_the_other_switch_claude_off() {
    let cases = [
        (Say::Overloaded, TRIES, SwitchOffReason::Unavailable, "unavailable"),
        (Say::Close, TRIES, SwitchOffReason::Unavailable, "unavailable"),
        (Say::Status(404), 1, SwitchOffReason::RequestRefused, "request_refused"),
        (Say::Prose, 2, SwitchOffReason::UnusableAnswers, "unusable_answers"),
    ];
    for (say, requests, reason, code) in cases {
        let asked = asked(&[("CHURN_BATCH_SIZE", "1")]).await;
        asked.anthropic.always(say.clone());
        assert_eq!(asked.score(&rows(9)).await, vec![None; 9]);
        assert_eq!(asked.claude.is_off(), Some(reason), "{say:?}");
        assert_eq!(reason.code(), code);
        assert_eq!(asked.requests(), DOWN_AFTER * requests, "{say:?}");
    }
}

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

#[tokio::test]
async fn as_many_requests_are_under_way_as_may_be_and_no_more() {
    for (concurrency, at_once) in [("1", 1), ("3", 3)] {
        let asked =
            asked(&[("CHURN_CONCURRENCY", concurrency), ("CHURN_BATCH_SIZE", "1"), ("CHURN_PAUSE_MS", "0")]).await;
        // None is answered before there are so many.
        asked.anthropic.always(Say::Together(Arc::new(Barrier::new(at_once))));
        assert_eq!(asked.score(&rows(9)).await, all_right(9));
        assert_eq!((asked.anthropic.most_at_once(), asked.requests()), (at_once, 9));
    }
}

#[tokio::test]
async fn a_wait_that_several_are_told_of_is_waited_out_once() {
    let asked = asked(&[("CHURN_CONCURRENCY", "4"), ("CHURN_BATCH_SIZE", "1"), ("CHURN_PAUSE_MS", "0")]).await;
    asked.anthropic.script(["20", "30", "30", "10"].map(Say::RateLimited));
    assert_eq!(asked.score(&rows(4)).await, all_right(4));
    let waited: Duration = asked.waits.take().iter().sum();
    assert_eq!((waited, asked.requests()), (secs(30), 8));
}

#[tokio::test]
async fn what_another_has_waited_meanwhile_counts() {
    let asked = asked(&[("CHURN_CONCURRENCY", "2"), ("CHURN_BATCH_SIZE", "1"), ("CHURN_PAUSE_MS", "0")]).await;
    // The second is told of its wait when the first has had its own.
    let met = Arc::new(Barrier::new(2));
    asked.anthropic.script([
        Say::RateLimited("20"),
        Say::RateLimitedTogether(Arc::clone(&met), "30"),
        Say::Together(met),
    ]);
    assert_eq!(asked.score(&rows(2)).await, all_right(2));
    assert_eq!(asked.waits.take(), [secs(20), secs(10)]);
}

#[tokio::test]
async fn any_mixture_of_passing_faults_ends_with_a_right_verdict_or_none() {
    let (mut scored, mut all) = (0, 0);
    for seed in 0..16 {
        let concurrency = if seed % 2 == 0 { "1" } else { "4" };
        let asked = asked(&[("CHURN_CONCURRENCY", concurrency), ("CHURN_BATCH_SIZE", "4")]).await;
        asked.anthropic.at_random(seed, 2);
        // A function's work may move from thread to thread.
        let scoring = tokio::spawn(async move { (asked.score(&rows(40)).await, asked) });
        let (verdicts, asked) = scoring.await.unwrap();
        assert_eq!(verdicts.len(), 40);
        for (verdict, days) in verdicts.iter().zip(1..) {
            assert!(verdict.as_ref().is_none_or(|verdict| *verdict == right(days)), "seed {seed}: {verdict:?}");
        }
        assert!(asked.requests() <= 10 * 2 * TRIES, "seed {seed}");
        scored += verdicts.iter().flatten().count();
        all += verdicts.len();
    }
    assert!(scored > all / 2, "{scored} of {all}");
}

#[tokio::test]
async fn an_answer_without_end_is_not_read() {
    let asked = asked(&[]).await;
    asked.anthropic.script([Say::Endless]);
    assert_eq!(asked.score(&rows(1)).await, [None]);
    assert_eq!(asked.requests(), 1);
}

#[tokio::test]
async fn a_key_that_no_header_can_carry_is_none() {
    let (anthropic, waits) = (Anthropic::start().await, Waits::default());
    let url = anthropic.url();
    let settings = config(&[("ANTHROPIC_BASE_URL", url.as_str())]).unwrap().claude;
    let claude = Claude::new(&settings, SecretText::new("two\nlines"), waits.sleeper());
    assert_eq!(claude.score(HORIZON, &rows(1), in_time()).await, [None]);
    assert_eq!(claude.is_off(), Some(SwitchOffReason::Unauthorized));
    assert!(anthropic.seen().is_empty());
}

#[tokio::test]
async fn a_redirect_does_not_carry_the_key_elsewhere() {
    let (asked, elsewhere) = (asked(&[]).await, Anthropic::start().await);
    asked.anthropic.script([Say::StatusUpdate(elsewhere.url())]);
    assert_eq!(asked.score(&rows(1)).await, [None]);
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn the_key_is_in_no_log_and_in_no_debug_text() {
    let (log, _guard) = Log::start(tracing::Level::TRACE);
    // What is said of an error repeats the key here.
    for say in [Say::Status(400), Say::Status(500), Say::Status(401), Say::Close, Say::Prose, Say::SpendLimit] {
        let asked = asked(&[("CHURN_BATCH_SIZE", "1")]).await;
        asked.anthropic.always(say);
        asked.score(&rows(4)).await;
    }
    let config = config(&[("ANTHROPIC_API_KEY", KEY)]).unwrap();
    let key = kept_key(&config).await.unwrap().unwrap();
    assert_eq!(key.expose(), KEY);
    assert!(!format!("{:?} {key:?}", config.claude).contains(KEY));

    let secrets = SecretsManager::start("claude", KEY).await;
    kept_key(&kept_in("claude", &secrets)).await.unwrap();
    for status in [200, 400, 500] {
        // What can't be read may hold the key all the same.
        secrets.answer(status, json!({"SecretString": KEY, "CreatedDate": "no date"}));
        let failure = kept_key(&kept_in("claude", &secrets)).await.unwrap_err();
        tracing::warn!(?failure, "not read");
    }
    let log = log.text();
    assert!(log.contains("This came with the key …") && log.contains("spend_limit_reached"));
    assert!(!log.contains(KEY));
}

fn kept_in(name: &str, secrets: &SecretsManager) -> Config {
    let url = secrets.url();
    config(&[("ANTHROPIC_SECRET", name), ("AWS_ENDPOINT_URL_SECRETS_MANAGER", url.as_str())]).unwrap()
}

#[tokio::test]
async fn the_key_is_read_from_where_it_is_kept_as_it_is_then() {
    let secrets = SecretsManager::start("claude", &format!(" {KEY}\n")).await;
    let config = kept_in("claude", &secrets);
    assert_eq!(kept_key(&config).await.unwrap(), Some(SecretText::new(KEY)));
    secrets.rotate("another");
    assert_eq!(kept_key(&config).await.unwrap(), Some(SecretText::new("another")));
    secrets.rotate(" ");
    assert_eq!(kept_key(&config).await.unwrap(), None);
}

#[tokio::test]
async fn a_key_that_can_not_be_read_is_to_be_tried_again_or_ours_to_mend() {
    let secrets = SecretsManager::start("claude", KEY).await;
    assert!(
        matches!(kept_key(&kept_in("other", &secrets)).await, Err(Failure::Internal(why)) if why.to_string().contains("other"))
    );
    let config = kept_in("claude", &secrets);
    secrets.answer(400, json!({"__type": "AccessDeniedException", "Message": "no"}));
    assert!(matches!(kept_key(&config).await, Err(Failure::Internal(_))));
    secrets.answer(200, json!({"Name": "claude", "SecretBinary": "c2VjcmV0"}));
    assert!(
        matches!(kept_key(&config).await, Err(Failure::Internal(why)) if why.to_string().contains("holds no text"))
    );
    for (status, kind) in [(400, "ThrottlingException"), (500, "InternalServiceError"), (503, "ServiceUnavailable")] {
        let before = secrets.asked();
        secrets.answer(status, json!({"__type": kind, "Message": "later"}));
        let failed = kept_key(&config).await;
        assert!(matches!(failed, Err(Failure::Retry(Retry::Unavailable(_)))), "{kind}: {failed:?}");
        assert!(secrets.asked() > before + 1, "{kind} is tried again by the client");
    }
}

#[test]
fn how_claude_is_asked_is_read_from_the_settings() {
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
fn a_wrong_setting_is_said_by_its_name() {
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
async fn who_waits_for_a_turn_while_another_is_told_to_wait_waits_for_that_too() {
    let (anthropic, waits) = (Anthropic::start().await, Waits::default());
    let url = anthropic.url();
    let settings = [("ANTHROPIC_BASE_URL", url.as_str()), ("CHURN_BATCH_SIZE", "1"), ("CHURN_CONCURRENCY", "4")];
    // The first wait is a real one: meanwhile the first batch is told.
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
    anthropic.script([Say::RateLimited("30")]);
    assert_eq!(claude.score(HORIZON, &rows(4), in_time()).await, all_right(4));
    assert_eq!(waits.take(), [1, 29, 1, 1].map(secs));
    assert_eq!(anthropic.seen().len(), 5);
}
