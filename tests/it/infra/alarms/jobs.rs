//! Alarms on jobs that fail or do not run, and on queues.

use chrono::TimeDelta;
use harness::{
    World, bundles,
    cloudwatch::State,
    faults::Fault,
    monitored_world::MonitoredWorld,
    scenario::{self},
    world::ORG,
};
use serde_json::json;

use super::support::{CRASHED, ENDED, OUT_OF_MEMORY, OUT_OF_TIME, active};

#[tokio::test]
async fn a_broken_table_makes_bundle_transitions_fail() {
    let mut monitored = MonitoredWorld::new(World::new().await);
    monitored.break_store(Fault::ServerError);
    for _ in 0..2 {
        // Lambda tries a scheduled call three times.
        for _ in 0..2 {
            monitored.run_transitions().await.unwrap_err();
        }
        monitored.advance_minutes(5);
    }
    assert!(!monitored.is_raised("p1-bundle-transitions-failing", 9), "four are not enough");
    monitored.run_transitions().await.unwrap_err();
    monitored.assert_raised("p1-bundle-transitions-failing", 3);
    monitored.mend_store();
    monitored.run_transitions_for(65, 5).await;
    monitored.assert_ok("p1-bundle-transitions-failing");
}

#[tokio::test]
async fn an_unreadable_bundle_or_a_crash_makes_bundle_transitions_fail() {
    let mut monitored = MonitoredWorld::new(World::new().await);
    let due = json!({"startDate": "2026-06-01T12:30:00Z"});
    monitored.send(&bundles::put("b", &due)).await;
    monitored.world.corrupt("ORG#shop", "BUNDLE#b", "terms").await;
    monitored.run_transitions_for(50, 5).await;
    monitored.assert_raised("p1-bundle-transitions-failing", 3);
    assert!(!monitored.is_raised("p1-bundle-transitions-not-running", 0), "it does run");

    for line in [OUT_OF_TIME, OUT_OF_MEMORY, CRASHED] {
        let mut monitored = MonitoredWorld::new(World::new().await);
        for _ in 0..5 {
            assert!(!monitored.is_raised("p1-bundle-transitions-failing", 3));
            monitored.log_line("bundle-transitions", line);
        }
        monitored.assert_raised("p1-bundle-transitions-failing", 3);
        monitored.advance_minutes(65);
        monitored.log_line("bundle-transitions", ENDED);
        monitored.assert_ok("p1-bundle-transitions-failing");
    }
}

#[tokio::test]
async fn a_crash_counts_once_despite_lambdas_other_log_lines() {
    let mut monitored = MonitoredWorld::new(World::new().await);
    for _ in 0..4 {
        for line in [
            "INIT_REPORT Init Duration: 9.33 ms\tPhase: init\tStatus: error\tError Type: Runtime.ExitError",
            "RequestId: 8f5 Error: Runtime exited with error: signal: aborted",
            "Runtime.ExitError",
            r#"{"level":"ERROR","message":"REPORT: Status: timeout"}"#,
            CRASHED,
        ] {
            monitored.log_line("bundle-transitions", line);
        }
    }
    assert!(!monitored.is_raised("p1-bundle-transitions-failing", 3), "four are not enough");
}

#[tokio::test]
async fn a_stopped_schedule_and_failing_runs_raise_the_not_running_alarm() {
    let mut monitored = MonitoredWorld::new(World::new().await);
    monitored.run_transitions_for(40, 5).await;
    assert!(!monitored.is_raised("p1-bundle-transitions-not-running", 14));
    assert!(monitored.is_raised("p1-bundle-transitions-not-running", 17), "a quarter of an hour without a run");
    let properties = &harness::roles::template()["Resources"]["BundleTransitionsNotRunningAlarm"]["Properties"];
    assert_eq!(properties["TreatMissingData"], "breaching", "nor is nothing at all a run");
    monitored.assert_ok("p1-bundle-transitions-not-running");
    // A run of one org and a dry run do not count.
    for minute in 0..20 {
        monitored.advance_minutes(1);
        let body = if minute % 2 == 0 { json!({"orgId": ORG}) } else { json!({"dryRun": true}) };
        assert_eq!(monitored.send(&bundles::job(&body)).await.status, 200);
    }
    monitored.assert_raised("p1-bundle-transitions-not-running", 0);
    monitored.run_transitions_for(10, 5).await;
    monitored.advance_minutes(2);
    monitored.assert_ok("p1-bundle-transitions-not-running");
    monitored.break_store(Fault::ServerError);
    for _ in 0..4 {
        monitored.advance_minutes(5);
        monitored.run_transitions().await.unwrap_err();
    }
    monitored.assert_raised("p1-bundle-transitions-not-running", 0);
}

#[tokio::test]
async fn late_metrics_raise_no_alarm_at_any_minute() {
    let mut monitored = MonitoredWorld::new(World::new().await);
    monitored.run_transitions_for(60, 5).await;
    monitored.now -= TimeDelta::minutes(20);
    for alarm in monitored.cloudwatch.alarm_names() {
        assert!(!monitored.is_raised(alarm, 20), "{alarm}");
    }
}

#[tokio::test]
async fn a_missing_recalculation_raises_an_alarm_and_a_single_org_run_does_not_clear_it() {
    let mut monitored = MonitoredWorld::new(World::new().await);
    monitored.run_transitions().await.unwrap();
    monitored.send(&scenario::recalculation(&json!({}))).await;
    monitored.run_transitions_for(29 * 60, 30).await;
    monitored.assert_ok("p1-tier-recalculation-not-running");
    for body in [json!({"orgId": ORG}), json!({"dryRun": true})] {
        monitored.send(&scenario::recalculation(&body)).await;
    }
    monitored.run_transitions_for(90, 30).await;
    monitored.assert_raised("p1-tier-recalculation-not-running", 3);
    monitored.send(&scenario::recalculation(&json!({}))).await;
    monitored.run_transitions_for(70, 10).await;
    monitored.assert_ok("p1-tier-recalculation-not-running");
    monitored.advance_minutes(5 * 60);
    let unknown = monitored.cloudwatch.state("p1-tier-recalculation-not-running", monitored.now);
    assert_eq!(unknown, State::InsufficientData, "who would tell does not run");
    monitored.assert_raised("p1-bundle-transitions-not-running", 0);
}

#[tokio::test]
async fn a_missing_points_expiry_raises_an_alarm_and_a_full_run_clears_it() {
    let mut monitored = MonitoredWorld::new(World::new().await);
    monitored.run_transitions().await.unwrap();
    monitored.send(&scenario::expiry(&json!({}))).await;
    monitored.run_transitions_for(29 * 60, 30).await;
    monitored.assert_ok("p1-points-expiry-not-running");
    for body in [json!({"orgId": ORG}), json!({"dryRun": true})] {
        monitored.send(&scenario::expiry(&body)).await;
    }
    monitored.run_transitions_for(90, 30).await;
    monitored.assert_raised("p1-points-expiry-not-running", 3);
    monitored.send(&scenario::expiry(&json!({}))).await;
    monitored.run_transitions_for(70, 10).await;
    monitored.assert_ok("p1-points-expiry-not-running");
}

#[tokio::test]
async fn a_failed_points_expiry_call_a_crash_and_an_unreadable_customer_raise_an_alarm() {
    let mut monitored = MonitoredWorld::new(World::new().await);
    monitored.break_store(Fault::ServerError);
    monitored.assert_ok("p1-points-expiry-failed");
    assert_eq!(monitored.invoke("points-expiry", json!({"orgId": ORG})).await, Err("try_again"));
    monitored.assert_raised("p1-points-expiry-failed", 3);
    monitored.mend_store();
    monitored.advance_minutes(125);
    monitored.invoke("points-expiry", json!({"orgId": ORG})).await.unwrap();
    monitored.assert_ok("p1-points-expiry-failed");
    monitored.log_line("points-expiry", OUT_OF_TIME);
    monitored.assert_raised("p1-points-expiry-failed", 3);
    monitored.advance_minutes(125);
    monitored.assert_ok("p1-points-expiry-failed");
    active(&monitored.world, "ada", 5).await;
    monitored.world.corrupt("CUSTOMER#shop#ada", "PROFILE", "points").await;
    monitored.world.take_records();
    monitored.invoke("points-expiry", json!({"orgId": ORG})).await.unwrap();
    monitored.assert_raised("p1-points-expiry-failed", 3);
}

#[tokio::test]
async fn a_message_in_any_dead_letter_queue_raises_its_alarm_at_once() {
    let functions = harness::roles::functions(&harness::roles::template());
    let queues: Vec<&str> = functions.keys().map(String::as_str).chain(["changes"]).collect();
    let mut monitored = MonitoredWorld::new(World::new().await);
    let tell = |monitored: &mut MonitoredWorld, full: &[&str]| {
        queues.iter().for_each(|queue| {
            monitored.cloudwatch.record_queue_depth(monitored.now, queue, full.contains(queue).into());
        });
    };
    // The queues fill one after the other, and each raises its own alarm.
    for number in 0..=queues.len() {
        let full = &queues[..number];
        tell(&mut monitored, full);
        for queue in &queues {
            let alarm = format!("p1-{queue}-dead-letters");
            assert_eq!(monitored.is_raised(&alarm, 3), full.contains(queue), "{alarm} {full:?}");
        }
        monitored.advance_minutes(1);
    }
    tell(&mut monitored, &[]);
    monitored.advance_minutes(6);
    for queue in &queues {
        monitored.assert_ok(&format!("p1-{queue}-dead-letters"));
    }
}
