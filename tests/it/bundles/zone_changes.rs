//! An org changes its time zone, and its bundles follow.

use harness::{
    Request, World,
    bundles::{self, line},
    instant,
    world::ORG,
};
use serde_json::json;

use super::transitions::{office_hours, run_at};

#[tokio::test]
async fn a_change_of_time_zone_updates_the_bundles_at_once() {
    let world = World::new().await;
    for number in 0..130 {
        world.send(&bundles::put(&format!("b{number:03}"), &office_hours())).await;
    }
    world.send(&bundles::put("always", &json!({}))).await;
    // Noon in UTC is eight in the morning in New York, and two in the afternoon in Berlin.
    world.put_org(ORG, &json!({"name": "Shop", "timezone": "Europe/Berlin"})).await;
    for number in [0, 99, 100, 129] {
        let bundle = bundles::check(&world, ORG, &format!("b{number:03}")).await;
        assert_eq!(bundle["status"], "active");
    }
    let opened = bundles::transitions(&world, ORG, "b000").await;
    assert_eq!(opened.iter().map(line).collect::<Vec<_>>(), ["paused>active 2026-06-01T12:00 operator"]);
    assert!(bundles::transitions(&world, ORG, "always").await.is_empty());

    // The window closes at five in Berlin, not in New York. The change at nine in New York is no longer due.
    let at_nine_in_new_york = run_at(&world, "2026-06-01T13:00:00Z", &json!({})).await;
    assert_eq!(at_nine_in_new_york["transitions"], json!([]));
    let at_five_in_berlin = run_at(&world, "2026-06-01T15:00:00Z", &json!({})).await;
    assert_eq!(at_five_in_berlin["summary"]["transitionsPerformed"], 130);
    assert_eq!(at_five_in_berlin["transitions"][0]["at"], "2026-06-01T15:00:00.000Z");
}

#[tokio::test]
async fn the_next_run_completes_an_unfinished_change_of_time_zone() {
    use harness::faults::{Fault, FaultDuration};
    let world = World::new().await;
    for number in 0..20 {
        world.send(&bundles::put(&format!("b{number}"), &office_hours())).await;
    }
    // The org is read and written. Then the store fails.
    world.proxy.fail(2, Fault::ServerError, FaultDuration::UntilHealed);
    let answer = world.put_org(ORG, &json!({"name": "Shop", "timezone": "Europe/Berlin"})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    world.proxy.heal();
    assert_eq!(bundles::stored(&world, ORG, "b0").await["status"], "paused");

    let run = run_at(&world, "2026-06-01T12:05:00Z", &json!({})).await;
    assert_eq!(run["summary"]["transitionsPerformed"], 20);
    for number in 0..20 {
        assert_eq!(bundles::check(&world, ORG, &format!("b{number}")).await["status"], "active");
    }
    // The mark is removed, so the next run reads the index alone.
    world.proxy.take_requests();
    run_at(&world, "2026-06-01T12:10:00Z", &json!({})).await;
    assert_eq!(world.proxy.take_requests(), [vec!["Query"; 16], vec!["BatchGetItem"]].concat());
}

#[tokio::test]
async fn an_interrupted_change_of_time_zone_leaves_the_history_of_a_complete_one() {
    use harness::faults::{Fault, FaultDuration};
    let world = World::new().await;
    world.send(&bundles::put("b", &json!({"timeStart": "09:00", "timeEnd": "17:00"}))).await;
    world.proxy.fail(2, Fault::ServerError, FaultDuration::UntilHealed);
    let tokyo = Request::new("PUT", "back-office", format!("/orgs/{ORG}"));
    let tokyo = tokyo.json(&json!({"name": "Shop", "timezone": "Asia/Tokyo"}));
    assert_eq!(world.send_at(&tokyo, instant("2026-06-02T16:00:00Z")).await.status, 200);
    world.proxy.heal();
    // Noon in New York is one in the morning of the next day in Tokyo.
    let dry = run_at(&world, "2026-06-03T12:00:00Z", &json!({"dryRun": true})).await;
    let run = run_at(&world, "2026-06-03T12:00:00Z", &json!({})).await;
    assert_eq!(dry["transitions"], run["transitions"]);
    let reported: Vec<String> = bundles::transitions(&world, ORG, "b").await.iter().map(line).collect();
    assert_eq!(
        reported,
        [
            "paused>active 2026-06-01T13:00 time window opened",
            "active>paused 2026-06-01T21:00 time window closed",
            "paused>active 2026-06-02T13:00 time window opened",
            "active>paused 2026-06-02T16:00 operator",
            "paused>active 2026-06-03T00:00 time window opened",
            "active>paused 2026-06-03T08:00 time window closed",
        ]
    );
    bundles::check(&world, ORG, "b").await;
}

#[tokio::test]
async fn a_due_bundle_in_an_org_with_a_changed_zone_is_updated_once_a_run() {
    use harness::faults::{Fault, FaultDuration};
    let world = World::new().await;
    for bundle in ["b", "broken"] {
        world.send(&bundles::put(bundle, &json!({"timeStart": "09:00", "timeEnd": "17:00"}))).await;
    }
    world.corrupt("ORG#shop", "BUNDLE#broken", "terms").await;
    world.proxy.fail(2, Fault::ServerError, FaultDuration::UntilHealed);
    let tokyo = Request::new("PUT", "back-office", format!("/orgs/{ORG}"));
    let tokyo = tokyo.json(&json!({"name": "Shop", "timezone": "Asia/Tokyo"}));
    world.send_at(&tokyo, instant("2026-12-01T00:00:00Z")).await;
    world.proxy.heal();
    let run = run_at(&world, "2026-12-01T00:05:00Z", &json!({})).await;
    assert_eq!(run["summary"], json!({"transitionsPerformed": 90, "errorsEncountered": 1}));
    // A second run at the same instant is another run.
    assert_eq!(run_at(&world, "2026-12-01T00:05:00Z", &json!({})).await["summary"]["transitionsPerformed"], 90);
}

#[tokio::test]
async fn two_changes_of_time_zone_leave_the_bundles_in_the_last_zone() {
    let world = World::new().await;
    world.send(&bundles::put("b", &office_hours())).await;
    for zone in ["Europe/Berlin", "Asia/Tokyo", "America/New_York", "Asia/Tokyo"] {
        world.put_org(ORG, &json!({"name": "Shop", "timezone": zone})).await;
    }
    run_at(&world, "2026-06-01T12:05:00Z", &json!({})).await;
    let run = run_at(&world, "2026-06-02T00:00:00Z", &json!({})).await;
    assert_eq!(run["transitions"][0]["at"], "2026-06-02T00:00:00.000Z", "nine in Tokyo");
    bundles::check(&world, ORG, "b").await;
}

#[tokio::test]
async fn a_process_with_a_stale_time_zone_does_not_restore_it() {
    let world = World::new().await;
    world.send(&bundles::put("b", &json!({"maxRedemptions": 1, "timeStart": "08:00", "timeEnd": "17:00"}))).await;
    let another = world.another_process();
    // The process reads the org and caches it for a minute.
    let get = Request::new("GET", "back-office", format!("/orgs/{ORG}/bundles/b"));
    assert_eq!(World::send_to(&another, &get, instant("2026-06-01T12:00:00Z")).await.body["status"], "active");
    world.put_org(ORG, &json!({"name": "Shop", "timezone": "Europe/Berlin"})).await;

    let redeem = bundles::redeem("b", "ada", "o1", &json!({}));
    assert_eq!(World::send_to(&another, &redeem, instant("2026-06-01T12:00:10Z")).await.status, 201);
    let void = bundles::void("b", "o1");
    assert_eq!(World::send_to(&another, &void, instant("2026-06-01T12:00:20Z")).await.body["voided"], true);
    bundles::check(&world, ORG, "b").await;
    let item = bundles::item(&world, ORG, "b").await;
    assert_eq!(item["at"].as_s().unwrap(), "2026-06-01T15:00:00.000Z", "five in Berlin");
}
