//! Every alarm of the template goes off for what it is there for, and is over when that is: by the metrics that the functions
//! wrote, through the statistic, period, threshold and missing-data rule that the template has. What a rule refuses sets off
//! none.
//!
//! A crash leaves no record but a line of Lambda's, what is turned away not even that, and a queue is no function's: of the latter
//! two there is only what Lambda and SQS count.

use std::time::Duration;

use chrono::TimeDelta;
use harness::{
    Request, World,
    anthropic::{Anthropic, Say, asking},
    bundles,
    cloudwatch::{CloudWatch, State},
    expression::Expression,
    faults::{Fault, Lasting},
    scenario::{self, award, event, spend},
    secrets::SecretsManager,
    watch::Watch,
    world::{ORG, Setup, noon},
};
use serde_json::{Value, json};

/// Functions that give up soon: what is broken is.
async fn impatient() -> Watch {
    Watch::of(World::with_timeout(Some(Duration::from_millis(600))).await)
}

#[test]
fn every_alarm_of_the_template_is_set_off_here() {
    let tests = include_str!("jobs.rs");
    let canaries = CANARIES.map(|function| format!("{function}-failing"));
    for alarm in CloudWatch::default().names() {
        let is_set_off = |how: &str| tests.contains(&format!("watch.{how}(\"{alarm}\""));
        let is_one_of_many = canaries.contains(&alarm.to_owned()) || alarm.ends_with("-dead-letters");
        assert!(is_one_of_many || (is_set_off("fires") && is_set_off("is_silent")), "{alarm}");
    }
}

#[test]
fn what_is_worked_out_of_metrics_is_missing_where_they_are_unless_it_is_filled_in() {
    let of = |id: &str| match id {
        "three" => Some(3.0),
        "four" => Some(4.0),
        _ => None,
    };
    for (text, expected) in [
        ("three + four * 2 - 1", Some(10.0)),
        ("(three + four) * 2 / 4", Some(3.5)),
        ("three + nothing", None),
        ("FILL(nothing, 0) + three", Some(3.0)),
        ("three / (four - 4)", None),
        ("IF(three > four, three - four, 0)", Some(0.0)),
        ("IF(four > three, four - three, 0)", Some(1.0)),
        ("IF(nothing > 1, 1, 0)", None),
    ] {
        assert_eq!(Expression::read(text).evaluate(&of), expected, "{text}");
    }
}

#[tokio::test]
async fn a_broken_table_makes_bundle_transitions_fail() {
    let mut watch = impatient().await;
    watch.world.wire.fail(0, Fault::ServerError, Lasting::UntilHealed);
    for _ in 0..2 {
        // Lambda tries a schedule's call three times.
        for _ in 0..2 {
            watch.run().await.unwrap_err();
        }
        watch.pass(5);
    }
    assert!(!watch.is_raised("p1-bundle-transitions-failing", 9), "four are not enough");
    watch.run().await.unwrap_err();
    watch.fires("p1-bundle-transitions-failing", 3);
    watch.world.wire.heal();
    watch.runs(65, 5).await;
    watch.is_silent("p1-bundle-transitions-failing");
}

#[tokio::test]
async fn so_does_a_bundle_that_can_not_be_read_and_a_function_that_crashes() {
    let mut watch = Watch::of(World::new().await);
    let due = json!({"startDate": "2026-06-01T12:30:00Z"});
    watch.send(&bundles::put("b", &due)).await;
    watch.world.spoil("ORG#shop", "BUNDLE#b", "terms").await;
    watch.runs(50, 5).await;
    watch.fires("p1-bundle-transitions-failing", 3);
    assert!(!watch.is_raised("p1-bundle-transitions-not-running", 0), "it does run");

    for line in [OUT_OF_TIME, OUT_OF_MEMORY, CRASHED] {
        let mut watch = Watch::of(World::new().await);
        for _ in 0..5 {
            assert!(!watch.is_raised("p1-bundle-transitions-failing", 3));
            watch.lines("bundle-transitions", line);
        }
        watch.fires("p1-bundle-transitions-failing", 3);
        watch.pass(65);
        watch.lines("bundle-transitions", ENDED);
        watch.is_silent("p1-bundle-transitions-failing");
    }
}

/// What Lambda writes to a function's log at the end of an invocation that came to an end, be it a failure.
const ENDED: &str =
    "REPORT RequestId: 8f5\tDuration: 2.10 ms\tBilled Duration: 3 ms\tMemory Size: 256 MB\tMax Memory Used: 24 MB\t";
/// Of one that did not within its time.
const OUT_OF_TIME: &str = "REPORT RequestId: 8f5\tDuration: 9000.00 ms\tBilled Duration: 9000 ms\tMemory Size: 256 MB\tMax Memory Used: 24 MB\tStatus: timeout";
/// Of one for which there was too little memory.
const OUT_OF_MEMORY: &str = "REPORT RequestId: 8f5\tDuration: 9.11 ms\tBilled Duration: 10 ms\tMemory Size: 256 MB\tMax Memory Used: 256 MB\tStatus: error\tError Type: Runtime.OutOfMemory";
/// Of one in which the program came to its end.
const CRASHED: &str = "REPORT RequestId: 8f5\tDuration: 9.11 ms\tBilled Duration: 10 ms\tMemory Size: 256 MB\tMax Memory Used: 24 MB\tStatus: error\tError Type: Runtime.ExitError";

#[tokio::test]
async fn a_crash_counts_once_whatever_else_lambda_writes_of_it() {
    let mut watch = Watch::of(World::new().await);
    for _ in 0..4 {
        for line in [
            "INIT_REPORT Init Duration: 9.33 ms\tPhase: init\tStatus: error\tError Type: Runtime.ExitError",
            "RequestId: 8f5 Error: Runtime exited with error: signal: aborted",
            "Runtime.ExitError",
            r#"{"level":"ERROR","message":"REPORT: Status: timeout"}"#,
            CRASHED,
        ] {
            watch.lines("bundle-transitions", line);
        }
    }
    assert!(!watch.is_raised("p1-bundle-transitions-failing", 3), "four are not enough");
}

#[tokio::test]
async fn a_schedule_that_stops_is_noticed_and_so_are_runs_that_all_fail() {
    let mut watch = impatient().await;
    watch.runs(40, 5).await;
    assert!(!watch.is_raised("p1-bundle-transitions-not-running", 14));
    assert!(watch.is_raised("p1-bundle-transitions-not-running", 17), "a quarter of an hour without a run");
    let properties = &harness::roles::template()["Resources"]["BundleTransitionsNotRunningAlarm"]["Properties"];
    assert_eq!(properties["TreatMissingData"], "breaching", "nor is nothing at all a run");
    watch.is_silent("p1-bundle-transitions-not-running");
    // What is done for one org, or dry, is no run.
    for minute in 0..20 {
        watch.pass(1);
        let body = if minute % 2 == 0 { json!({"orgId": ORG}) } else { json!({"dryRun": true}) };
        assert_eq!(watch.send(&bundles::job(&body)).await.status, 200);
    }
    watch.fires("p1-bundle-transitions-not-running", 0);
    watch.runs(10, 5).await;
    watch.pass(2);
    watch.is_silent("p1-bundle-transitions-not-running");
    watch.world.wire.fail(0, Fault::ServerError, Lasting::UntilHealed);
    for _ in 0..4 {
        watch.pass(5);
        watch.run().await.unwrap_err();
    }
    watch.fires("p1-bundle-transitions-not-running", 0);
}

#[tokio::test]
async fn that_what_is_recorded_comes_late_sets_off_no_alarm_at_any_minute() {
    let mut watch = Watch::of(World::new().await);
    watch.runs(60, 5).await;
    watch.now -= TimeDelta::minutes(20);
    for alarm in watch.cloud.names() {
        assert!(!watch.is_raised(alarm, 20), "{alarm}");
    }
}

#[tokio::test]
async fn a_call_of_churn_prediction_that_fails_is_told_of() {
    let mut watch = impatient().await;
    watch.world.wire.fail(0, Fault::ServerError, Lasting::UntilHealed);
    watch.is_silent("p1-churn-prediction-failed");
    assert_eq!(watch.invoke("churn-prediction", json!({"orgId": ORG})).await, Err("try_again"));
    watch.fires("p1-churn-prediction-failed", 3);
    watch.world.wire.heal();
    watch.pass(125);
    watch.invoke("churn-prediction", json!({"orgId": ORG})).await.unwrap();
    watch.is_silent("p1-churn-prediction-failed");
    watch.lines("churn-prediction", OUT_OF_TIME);
    watch.fires("p1-churn-prediction-failed", 3);
}

#[tokio::test]
async fn customers_who_can_not_be_scored_are_told_of_too() {
    let mut watch = Watch::of(World::new().await);
    active(&watch.world, "ada", 89).await;
    watch.world.spoil("CUSTOMER#shop#ada", "PROFILE", "points").await;
    watch.world.take_records();
    watch.invoke("churn-prediction", json!({"orgId": ORG})).await.unwrap();
    watch.fires("p1-churn-prediction-failed", 3);
}

#[tokio::test]
async fn a_recalculation_that_is_not_made_is_noticed_and_one_of_a_single_org_is_none() {
    let mut watch = Watch::of(World::new().await);
    watch.run().await.unwrap();
    watch.send(&scenario::recalculation(&json!({}))).await;
    watch.runs(29 * 60, 30).await;
    watch.is_silent("p1-tier-recalculation-not-running");
    for body in [json!({"orgId": ORG}), json!({"dryRun": true})] {
        watch.send(&scenario::recalculation(&body)).await;
    }
    watch.runs(90, 30).await;
    watch.fires("p1-tier-recalculation-not-running", 3);
    watch.send(&scenario::recalculation(&json!({}))).await;
    watch.runs(70, 10).await;
    watch.is_silent("p1-tier-recalculation-not-running");
    watch.pass(5 * 60);
    let unknown = watch.cloud.state("p1-tier-recalculation-not-running", watch.now);
    assert_eq!(unknown, State::InsufficientData, "who would tell does not run");
    watch.fires("p1-bundle-transitions-not-running", 0);
}

#[tokio::test]
async fn a_prediction_that_was_never_made_is_noticed_eight_days_after_somebody_first_looked() {
    let mut watch = Watch::of(World::new().await);
    assert_eq!(
        watch.cloud.state("p1-churn-prediction-not-running", watch.now),
        State::InsufficientData,
        "of a new stack"
    );
    watch.runs(192 * 60 - 30, 30).await;
    watch.is_silent("p1-churn-prediction-not-running");
    watch.runs(90, 30).await;
    watch.fires("p1-churn-prediction-not-running", 3);
    watch.send(&scenario::prediction(&json!({}))).await;
    watch.runs(70, 10).await;
    watch.is_silent("p1-churn-prediction-not-running");
}

#[tokio::test]
async fn a_message_in_any_queue_of_what_was_given_up_is_told_of_at_once() {
    let functions = harness::roles::functions(&harness::roles::template());
    let queues: Vec<&str> = functions.keys().map(String::as_str).chain(["changes"]).collect();
    let mut watch = Watch::of(World::new().await);
    let tell = |watch: &mut Watch, full: &[&str]| {
        queues.iter().for_each(|queue| watch.cloud.queue(watch.now, queue, full.contains(queue).into()));
    };
    // One queue after the other: who has been told of some hears of the next one, too.
    for number in 0..=queues.len() {
        let full = &queues[..number];
        tell(&mut watch, full);
        for queue in &queues {
            let alarm = format!("p1-{queue}-dead-letters");
            assert_eq!(watch.is_raised(&alarm, 3), full.contains(queue), "{alarm} {full:?}");
        }
        watch.pass(1);
    }
    tell(&mut watch, &[]);
    watch.pass(6);
    for queue in &queues {
        watch.is_silent(&format!("p1-{queue}-dead-letters"));
    }
}

fn fulfilled(order: &str, bundles: &[&str]) -> Value {
    let detail = json!({"orgId": ORG, "customerId": "ada", "orderId": order, "orderTotal": 40, "bundleIds": bundles});
    event("OrderFulfilled", detail)
}

#[tokio::test]
async fn redemptions_that_fail_are_told_of_by_whichever_way_they_come() {
    let mut watch = impatient().await;
    watch.send(&bundles::put("b", &json!({}))).await;
    watch.world.wire.fail(0, Fault::Throttle, Lasting::UntilHealed);
    for number in 0..5 {
        let order = format!("o{number}");
        watch.send(&bundles::redeem("b", "ada", &order, &json!({}))).await;
        watch.invoke("bundle-redemption", fulfilled(&order, &["b"])).await.unwrap_err();
    }
    assert!(!watch.is_raised("p2-redemption-failures", 10), "ten are not enough");
    assert_eq!(watch.send(&spend("ada", "o", 100, "49.99")).await.status, 503);
    watch.fires("p2-redemption-failures", 3);
    watch.world.wire.heal();
    watch.pass(125);
    watch.is_silent("p2-redemption-failures");
    for _ in 0..6 {
        watch.lines("points-redemption", CRASHED);
        watch.cloud.throttle(watch.now, "points-redemption");
    }
    watch.fires("p2-redemption-failures", 3);
    watch.pass(125);
    for _ in 0..6 {
        watch.lines("bundle-redemption", OUT_OF_TIME);
        watch.cloud.throttle(watch.now, "bundle-redemption");
    }
    watch.fires("p2-redemption-failures", 3);
}

#[tokio::test]
async fn awards_that_fail_are_told_of() {
    let mut watch = impatient().await;
    watch.world.wire.fail(0, Fault::Throttle, Lasting::UntilHealed);
    for number in 0..5 {
        watch.invoke("points-award", fulfilled(&format!("o{number}"), &[])).await.unwrap_err();
    }
    assert!(!watch.is_raised("p2-award-failures", 10), "five are not enough, each counted once");
    watch.send(&award("ada", "o", "40", &json!({}))).await;
    watch.fires("p2-award-failures", 3);
    watch.world.wire.heal();
    watch.pass(125);
    watch.is_silent("p2-award-failures");
    for _ in 0..3 {
        watch.lines("points-award", OUT_OF_MEMORY);
        watch.cloud.throttle(watch.now, "points-award");
    }
    watch.fires("p2-award-failures", 3);
}

/// Somebody who ordered six times up to so many days before noon, and is at critical risk if that is long.
async fn active(world: &World, name: &str, days_ago: i64) {
    world.put_customer(ORG, name, &json!({})).await;
    for number in 0..6 {
        let at = noon() - TimeDelta::days(days_ago + 2 * number);
        let fulfilled = json!({"fulfilledAt": shared::domain::time::text(at)});
        assert_eq!(world.send_at(&award(name, &format!("{name}-{number}"), "4", &fulfilled), at).await.status, 201);
    }
}

#[tokio::test]
async fn a_claude_that_is_down_is_told_of_where_a_key_is_set() {
    let (world, anthropic, _) = asking(&[]).await;
    for name in ["ada", "bob", "eve"] {
        active(&world, name, 5).await;
    }
    let mut watch = Watch::of(world);
    anthropic.always(Say::Status(500));
    watch.invoke("churn-prediction", json!({"orgId": ORG})).await.unwrap();
    watch.fires("p2-churn-without-claude", 3);
    assert!(!watch.is_raised("p1-churn-prediction-failed", 3), "everybody has a score");
    anthropic.always(Say::Verdicts);
    watch.pass(1445);
    watch.is_silent("p2-churn-without-claude");
    watch.invoke("churn-prediction", json!({"orgId": ORG})).await.unwrap();
    assert!(!watch.is_raised("p2-churn-without-claude", 3), "by Claude");
}

#[tokio::test]
async fn a_fifth_without_claude_is_not_more_than_a_fifth_of_what_was_scored_in_a_day() {
    for (dropped, is_more) in [(0, false), (1, true)] {
        let (world, anthropic, _) = asking(&[]).await;
        active(&world, "c0", 5).await;
        for number in 1..5 {
            // For a day more.
            active(&world, &format!("c{number}"), 89).await;
        }
        let mut watch = Watch::of(world);
        anthropic.always(Say::Dropping(dropped));
        watch.pass(2 * 60);
        let run = watch.invoke("churn-prediction", json!({"orgId": ORG})).await.unwrap();
        assert_eq!(
            (&run["results"][0]["statistical"], &run["summary"]["totalPredictions"]),
            (&json!(dropped), &json!(5))
        );
        assert!(!watch.is_raised("p2-churn-without-claude", 10), "{dropped} of five");
        watch.pass(22 * 60);
        anthropic.always(Say::Status(500));
        let run = watch.invoke("churn-prediction", json!({"orgId": ORG})).await.unwrap();
        assert_eq!(run["summary"]["totalPredictions"], 1, "{run}");
        assert_eq!(watch.is_raised("p2-churn-without-claude", 10), is_more, "{} of six", dropped + 1);
    }
}

#[tokio::test]
async fn a_key_that_is_refused_or_can_not_be_read_is_told_of_and_none_is_not() {
    let (anthropic, secrets) = (Anthropic::start().await, SecretsManager::start("the-key", "sk-ant-kept").await);
    let environment = vec![
        ("ANTHROPIC_BASE_URL", anthropic.url()),
        ("ANTHROPIC_SECRET", "the-key".to_owned()),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets.url()),
    ];
    let world = World::with(Setup { environment, ..Setup::default() }).await;
    active(&world, "ada", 5).await;
    let mut watch = Watch::of(world);
    anthropic.always(Say::Status(401));
    watch.invoke("churn-prediction", json!({"orgId": ORG})).await.unwrap();
    watch.fires("p2-churn-without-claude", 3);
    watch.pass(1445);
    watch.is_silent("p2-churn-without-claude");
    secrets.answer(400, json!({"__type": "ResourceNotFoundException", "message": "gone"}));
    watch.invoke("churn-prediction", json!({"orgId": ORG})).await.unwrap();
    watch.fires("p2-churn-without-claude", 3);

    let world = World::new().await;
    active(&world, "ada", 5).await;
    let mut watch = Watch::of(world);
    watch.invoke("churn-prediction", json!({"orgId": ORG})).await.unwrap();
    assert!(!watch.is_raised("p2-churn-without-claude", 60));
}

#[tokio::test]
async fn many_who_come_to_be_at_critical_risk_are_told_of_once() {
    let world = World::new().await;
    for number in 0..21 {
        active(&world, &format!("c{number}"), 5).await;
    }
    let mut watch = Watch::of(world);
    let critical = async |watch: &mut Watch, of: Value| {
        let run = watch.invoke("churn-prediction", of).await.unwrap();
        run["results"][0]["highRisk"].as_u64().unwrap()
    };
    assert_eq!(critical(&mut watch, json!({"orgId": ORG})).await, 0);
    watch.pass(80 * 24 * 60);
    for number in 0..20 {
        assert_eq!(critical(&mut watch, json!({"orgId": ORG, "customerId": format!("c{number}")})).await, 1);
    }
    assert!(!watch.is_raised("p3-critical-churn-risk-spike", 10), "twenty are not enough");
    // As long as a run over a million may take.
    watch.pass(28 * 60);
    assert_eq!(critical(&mut watch, json!({"orgId": ORG, "customerId": "c20"})).await, 1);
    watch.fires("p3-critical-churn-risk-spike", 3);
    watch.pass(21 * 60);
    watch.is_silent("p3-critical-churn-risk-spike");
    // With nothing in two days, what was before them does not count again.
    watch.pass(28 * 60);
    watch.is_silent("p3-critical-churn-risk-spike");
    assert_eq!(critical(&mut watch, json!({"orgId": ORG})).await, 21);
    assert!(!watch.is_raised("p3-critical-churn-risk-spike", 10), "they are known");
}

#[tokio::test]
async fn those_whose_risk_is_told_for_the_first_time_are_not_newly_at_it() {
    let world = World::new().await;
    for number in 0..21 {
        active(&world, &format!("c{number}"), 85).await;
    }
    let mut watch = Watch::of(world);
    let run = watch.invoke("churn-prediction", json!({"orgId": ORG})).await.unwrap();
    assert_eq!(run["results"][0]["highRisk"], 21, "{run}");
    assert!(!watch.is_raised("p3-critical-churn-risk-spike", 10), "an org that comes is no spike");
}

#[tokio::test]
async fn a_burst_of_promotions_is_told_of_whether_orders_or_settings_make_it() {
    let mut watch = Watch::of(World::new().await);
    for number in 0..51 {
        let name = format!("c{number}");
        watch.world.put_customer(ORG, &name, &json!({})).await;
        assert_eq!(watch.send(&award(&name, &name, "250", &json!({}))).await.body["tier"], "Silver");
        assert!(number < 49 || watch.is_raised("p3-unusual-promotion-rate", 3) == (number == 50), "at {number}");
    }
    watch.fires("p3-unusual-promotion-rate", 3);
    watch.pass(125);
    watch.is_silent("p3-unusual-promotion-rate");
    let lower = json!({"tiers": [{"name": "Bronze", "threshold": 0}, {"name": "Silver", "threshold": 10}, {"name": "Gold", "threshold": 20}]});
    watch.world.put_loyalty(ORG, &lower).await;
    watch.send(&scenario::recalculation(&json!({}))).await;
    watch.fires("p3-unusual-promotion-rate", 3);
}

/// The functions of which a deployment is watched.
const CANARIES: [&str; 4] = ["back-office", "bundle-redemption", "points-award", "points-redemption"];

#[tokio::test]
async fn a_new_version_of_a_function_that_fails_is_taken_back() {
    for function in CANARIES {
        let (mut watch, alarm) = (impatient().await, format!("{function}-failing"));
        watch.world.wire.fail(0, Fault::ServerError, Lasting::UntilHealed);
        watch.is_silent(&alarm);
        for number in 0..3 {
            let request = match function {
                "back-office" => Request::new("GET", function, format!("/orgs/{ORG}/customers")),
                "bundle-redemption" => bundles::redeem("b", "ada", "o", &json!({})),
                "points-award" => award("ada", &format!("o{number}"), "40", &json!({})),
                _ => spend("ada", "o", 100, "49.99"),
            };
            assert!(watch.send(&request).await.status.is_server_error());
        }
        watch.fires(&alarm, 3);
        watch.world.wire.heal();
        watch.pass(8);
        watch.is_silent(&alarm);
    }
}

#[tokio::test]
async fn a_burst_of_refusals_sets_off_no_alarm() {
    let mut watch = Watch::of(World::new().await);
    watch.runs(60, 5).await;
    watch.world.put_customer(ORG, "ada", &json!({})).await;
    watch.world.put_customer(ORG, "bob", &json!({})).await;
    watch.send(&bundles::put("one", &json!({"maxRedemptions": 1}))).await;
    watch.send(&bundles::redeem("one", "ada", "first", &json!({}))).await;
    watch.send(&award("bob", "theirs", "40", &json!({}))).await;
    let mut codes = std::collections::BTreeSet::new();
    for number in 0..60 {
        let order = format!("o{number}");
        for request in [
            bundles::redeem("one", "ada", &order, &json!({})),
            spend("ada", &order, 100, "49.99"),
            award("ada", &order, "40", &json!({})).anonymous(),
            award("ada", "theirs", "40", &json!({})),
            award("nobody", &order, "40", &json!({})),
            scenario::prediction(&json!({"orgId": "nowhere"})),
            Request::new("GET", "back-office", "/orgs/nowhere"),
        ] {
            let refused = watch.send(&request).await;
            assert!(refused.status.is_client_error(), "{}", refused.body);
            codes.insert(refused.code().to_owned());
        }
        // What is refused of an event is done with; what it is about may only not be known yet.
        watch.invoke("bundle-redemption", fulfilled(&order, &["one"])).await.unwrap();
        watch.invoke("bundle-redemption", fulfilled(&order, &["unheard-of"])).await.unwrap_err();
        let unknown =
            event("OrderFulfilled", json!({"orgId": ORG, "customerId": "nobody", "orderId": order, "orderTotal": 1}));
        watch.invoke("points-award", unknown).await.unwrap_err();
    }
    assert!(codes.len() >= 6, "{codes:?}");
    // A canary is taken back for what it says of somebody not known, too: it says so.
    for alarm in watch.cloud.names().filter(|alarm| alarm.starts_with('p') && !alarm.starts_with("points")) {
        assert!(!watch.is_raised(alarm, 10), "{alarm}");
    }
    for canary in ["back-office-failing", "points-redemption-failing"] {
        assert!(!watch.is_raised(canary, 10), "{canary}");
    }
}
