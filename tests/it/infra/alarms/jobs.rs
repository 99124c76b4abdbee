//! Alarms on jobs that fail or do not run, and on queues.

use chrono::TimeDelta;
use harness::{
    World, bundles,
    cloudwatch::State,
    faults::{Fault, Lasting},
    scenario::{self},
    watch::Watch,
    world::ORG,
};
use serde_json::json;

use super::support::{CRASHED, ENDED, OUT_OF_MEMORY, OUT_OF_TIME, impatient};

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
