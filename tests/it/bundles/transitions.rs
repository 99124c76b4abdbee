//! The job that records the status changes of bundles.

use std::{sync::Arc, time::Duration};

use harness::{
    Request, World,
    bundles::{self, job, line},
    instant, world,
    world::ORG,
};
use serde_json::{Value, json};

/// Open on weekdays from nine to five in New York.
pub(super) fn office_hours() -> Value {
    json!({"daysOfWeek": [1, 2, 3, 4, 5], "timeStart": "09:00", "timeEnd": "17:00"})
}

/// Runs the job at `now`.
pub(super) async fn run_at(world: &World, now: &str, body: &Value) -> Value {
    let answer = world.send_at(&job(body), instant(now)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

#[tokio::test]
async fn the_job_updates_due_bundles_and_reports_its_transitions() {
    let world = World::new().await;
    world
        .send(&bundles::put("b", &json!({"startDate": "2026-06-01T13:00:00Z", "endDate": "2026-06-01T14:00:00Z"})))
        .await;
    let early = run_at(&world, "2026-06-01T12:59:59.999Z", &json!({})).await;
    assert_eq!(early["transitions"], json!([]));
    let on_time = run_at(&world, "2026-06-01T13:00:00Z", &json!({})).await;
    let change = json!({
        "orgId": ORG, "bundleId": "b", "from": "scheduled", "to": "active", "reason": "start date reached",
        "at": "2026-06-01T13:00:00.000Z",
    });
    assert_eq!(on_time["transitions"], json!([change]));
    assert_eq!(on_time["summary"], json!({"transitionsPerformed": 1, "errorsEncountered": 0}));
    assert_eq!((&on_time["success"], &on_time["errors"], on_time.get("cursor")), (&json!(true), &json!([]), None));
    assert!(on_time["jobDuration"].is_u64());
    assert_eq!(bundles::check(&world, ORG, "b").await["status"], "active");
}

#[tokio::test]
async fn a_schedule_runs_the_job_like_a_request() {
    let world = World::new().await;
    world.send(&bundles::put("b", &json!({"startDate": "2026-06-01T12:00:00Z"}))).await;
    world
        .send_at(&bundles::put("c", &json!({"startDate": "2026-06-01T12:00:00Z"})), instant("2026-06-01T11:00:00Z"))
        .await;
    let event = json!({
        "version": "0", "id": "1", "detail-type": "Scheduled Event", "source": "aws.scheduler", "account": "1",
        "time": "2026-06-01T12:00:00Z", "region": "r", "resources": [], "detail": "{}",
    });
    world.take_records();
    let answer = world.invoke("bundle-transitions", event).await.unwrap();
    assert_eq!(answer["summary"]["transitionsPerformed"], 1);
    let record = &world.take_records()[0];
    assert_eq!((&record["TransitionsPerformed"], &record["ErrorsEncountered"]), (&json!(1), &json!(0)));
    assert_eq!(world.invoke("bundle-transitions", json!({})).await.unwrap()["transitions"], json!([]));
}

#[tokio::test]
async fn repeated_or_concurrent_runs_record_each_transition_once() {
    let world = Arc::new(World::new().await);
    for number in 0..60 {
        world.send(&bundles::put(&format!("b{number}"), &office_hours())).await;
    }
    let runs = (0..4).map(|_| {
        let world = Arc::clone(&world);
        tokio::spawn(async move { run_at(&world, "2026-06-01T22:00:00Z", &json!({})).await })
    });
    let reported: usize = futures::future::try_join_all(runs)
        .await
        .unwrap()
        .iter()
        .map(|answer| answer["transitions"].as_array().unwrap().len())
        .sum();
    // Each bundle opens at 13:00Z and closes at 21:00Z.
    assert_eq!(reported, 120, "each is told by the run that recorded it");
    assert_eq!(run_at(&world, "2026-06-01T22:00:00Z", &json!({})).await["transitions"], json!([]));
    for number in 0..60 {
        bundles::check(&world, ORG, &format!("b{number}")).await;
        assert_eq!(bundles::transitions(&world, ORG, &format!("b{number}")).await.len(), 2);
    }
}

#[tokio::test]
async fn after_an_outage_each_missed_change_is_recorded_at_its_own_instant() {
    world()
        .await
        .bundle("b", json!({"startDate": "2026-06-01T13:00:00Z", "endDate": "2026-06-03T22:00:00Z", "timeStart": "09:00", "timeEnd": "17:00"}))
        .at("2026-07-01T00:00:00Z")
        .job()
        .expect_listed("b", "expired")
        .expect_transitions(
            "b",
            [
                "scheduled>active 2026-06-01T13:00 start date reached",
                "active>paused 2026-06-01T21:00 time window closed",
                "paused>active 2026-06-02T13:00 time window opened",
                "active>paused 2026-06-02T21:00 time window closed",
                "paused>active 2026-06-03T13:00 time window opened",
                "active>paused 2026-06-03T21:00 time window closed",
                "paused>expired 2026-06-03T22:00 end date reached",
            ],
        )
        .await;
}

#[tokio::test]
async fn a_run_catches_up_ninety_changes_after_an_outage_of_months() {
    let world = World::new().await;
    world.send(&bundles::put("b", &json!({"timeStart": "09:00", "timeEnd": "17:00"}))).await;
    let mut reported = Vec::new();
    for minute in 0..5 {
        let now = format!("2026-12-01T15:{minute:02}:00Z");
        reported.push(run_at(&world, &now, &json!({})).await["transitions"].as_array().unwrap().len());
    }
    // 183 days with two changes each, and the morning of the last day. The clocks change in between.
    assert_eq!(reported, [90, 90, 90, 90, 7]);
    let transitions = bundles::transitions(&world, ORG, "b").await;
    assert_eq!(line(&transitions[0]), "paused>active 2026-06-01T13:00 time window opened");
    assert_eq!(line(&transitions[366]), "paused>active 2026-12-01T14:00 time window opened");
    assert_eq!(bundles::check(&world, ORG, "b").await["status"], "active");
}

#[tokio::test]
async fn an_edit_after_a_long_outage_records_all_overdue_transitions_first() {
    let world = World::new().await;
    world.send(&bundles::put("b", &json!({"timeStart": "09:00", "timeEnd": "17:00"}))).await;
    let edit = bundles::put("b", &json!({"desiredState": "ended"}));
    assert_eq!(world.send_at(&edit, instant("2026-12-01T15:00:00Z")).await.body["status"], "expired");
    bundles::check(&world, ORG, "b").await;
    assert_eq!(bundles::transitions(&world, ORG, "b").await.len(), 368);
}

#[tokio::test]
async fn a_dry_run_reports_and_writes_nothing() {
    let world = World::new().await;
    world.send(&bundles::put("b", &office_hours())).await;
    world.take_records();
    for _ in 0..2 {
        let dry = run_at(&world, "2026-06-01T22:00:00Z", &json!({"dryRun": true})).await;
        assert_eq!(dry["summary"]["transitionsPerformed"], 2);
    }
    assert!(world.take_records().iter().all(|record| record["TransitionsPerformed"].is_null()));
    assert!(bundles::transitions(&world, ORG, "b").await.is_empty());
    assert_eq!(run_at(&world, "2026-06-01T22:00:00Z", &json!({})).await["summary"]["transitionsPerformed"], 2);
}

#[tokio::test]
async fn one_org_can_be_run_alone() {
    let world = World::new().await;
    world.put_org("other", &json!({"name": "Other"})).await;
    world.send(&bundles::put("b", &office_hours())).await;
    let other = Request::new("PUT", "back-office", "/orgs/other/bundles/b").json(&bundles::terms(&office_hours()));
    world.send(&other).await;
    let run = run_at(&world, "2026-06-01T13:00:00Z", &json!({"orgId": "other"})).await;
    let orgs: Vec<&Value> = run["transitions"].as_array().unwrap().iter().map(|change| &change["orgId"]).collect();
    assert_eq!(orgs, ["other"]);
    assert_eq!(bundles::stored(&world, ORG, "b").await["status"], "paused");
    let unknown = world.send(&job(&json!({"orgId": "nobody"}))).await;
    assert_eq!((unknown.status.as_u16(), unknown.code()), (404, "unknown_org"));
}

#[tokio::test]
async fn an_unreadable_bundle_is_reported_and_the_others_are_updated() {
    let world = World::new().await;
    for number in 0..30 {
        world.send(&bundles::put(&format!("b{number}"), &office_hours())).await;
    }
    world.corrupt("ORG#shop", "BUNDLE#b7", "terms").await;

    let run = run_at(&world, "2026-06-01T13:00:00Z", &json!({})).await;
    assert_eq!(run["errors"], json!([{"orgId": ORG, "bundleId": "b7", "error": "internal"}]));
    assert_eq!(run["summary"], json!({"transitionsPerformed": 29, "errorsEncountered": 1}));
    assert_eq!(run["success"], false);
    assert_eq!(run_at(&world, "2026-06-01T13:05:00Z", &json!({})).await["errors"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_run_stopped_by_its_deadline_continues_from_its_cursor() {
    let world = World::new().await;
    for number in 0..40 {
        world.send(&bundles::put(&format!("b{number}"), &office_hours())).await;
    }
    // Less than the reserve of the job, so the job stops at once.
    let stopped =
        world.send_within(&job(&json!({})), instant("2026-06-01T13:00:00Z"), Duration::from_secs(4)).await.body;
    assert_eq!(stopped["transitions"], json!([]));
    let cursor = stopped["cursor"].as_str().expect("it goes on");

    // The next run handles bundles that fall due after this run began.
    world.send(&bundles::put("later", &json!({"startDate": "2026-06-01T13:30:00Z"}))).await;
    let done = run_at(&world, "2026-06-01T14:00:00Z", &json!({"cursor": cursor})).await;
    assert_eq!((&done["summary"]["transitionsPerformed"], done.get("cursor")), (&json!(40), None));
    let other = run_at(&world, "2026-06-01T14:00:00Z", &json!({})).await;
    assert_eq!(other["transitions"][0]["bundleId"], "later");
}

#[tokio::test]
async fn a_cursor_that_no_run_returned_is_rejected() {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    let world = World::new().await;
    let began = "2026-06-01T12:00:00.000Z";
    let forge = |operation: &str, position: &str| {
        BASE64_URL_SAFE_NO_PAD.encode(json!([operation, "", "", position]).to_string())
    };
    for cursor in [
        "garbage".to_owned(),
        forge("transition", "garbage"),
        forge("listOrgs", &json!({"began": began, "shards": []}).to_string()),
        forge("transition", &json!({"began": began, "shards": [[16, null]]}).to_string()),
        forge("transition", &json!({"began": began, "shards": [[1, null], [1, null]]}).to_string()),
        forge("transition", &json!({"began": began, "shards": [[1, "x"]]}).to_string()),
        forge(
            "transition",
            &json!({"began": began, "shards": [[1, "[\"2026-06-01T12:00:00.000Z\",\"ORG#shop\",\"ORG\"]"]]})
                .to_string(),
        ),
        forge("transition", &json!({"began": "now", "shards": []}).to_string()),
        forge("transition", &json!({"began": "2026-06-01T12:00:00.001Z", "shards": [[1, null]]}).to_string()),
    ] {
        let answer = world.send(&job(&json!({"cursor": cursor}))).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (422, "invalid_cursor"), "{cursor}: {}", answer.body);
    }
    let unknown = world.send(&job(&json!({"dry": true}))).await;
    assert_eq!((unknown.status.as_u16(), unknown.fields()), (422, vec!["dry"]));
}

#[tokio::test]
async fn orders_and_edits_race_the_job_and_the_record_stays_consistent() {
    let world = Arc::new(World::new().await);
    for number in 0..5 {
        let terms = json!({"maxRedemptions": 4, "timeStart": "09:00", "timeEnd": "17:00"});
        world.send(&bundles::put(&format!("b{number}"), &terms)).await;
    }
    let now = instant("2026-06-03T14:00:00Z");
    let requests = (0..5).flat_map(|number| {
        let bundle = format!("b{number}");
        let orders = (0..4).map(|order| bundles::redeem(&bundle, "ada", &format!("{bundle}-{order}"), &json!({})));
        let moves = ["paused", "published"].map(|to| bundles::move_to(&bundle, to));
        orders.chain(moves).chain([job(&json!({})), job(&json!({}))]).collect::<Vec<_>>()
    });
    let calls = requests.map(|request| {
        let world = Arc::clone(&world);
        tokio::spawn(async move { world.send_with_retries(&request, now).await.status.as_u16() })
    });
    let statuses: Vec<u16> = futures::future::try_join_all(calls).await.unwrap();
    assert!(statuses.iter().all(|status| [200, 201, 409].contains(status)), "{statuses:?}");
    assert!(run_at(&world, "2026-06-03T14:05:00Z", &json!({})).await["success"].as_bool().unwrap());
    for number in 0..5 {
        bundles::check(&world, ORG, &format!("b{number}")).await;
    }
}

#[tokio::test]
async fn an_unreadable_org_does_not_block_other_orgs() {
    let world = World::new().await;
    world.put_org("other", &json!({"name": "Other"})).await;
    for org in [ORG, "other"] {
        for number in 0..20 {
            let path = format!("/orgs/{org}/bundles/b{number}");
            world.send(&Request::new("PUT", "back-office", path).json(&bundles::terms(&office_hours()))).await;
        }
    }
    world.corrupt("ORG#other", "ORG", "timezone").await;
    let run = run_at(&world, "2026-06-01T13:00:00Z", &json!({})).await;
    assert_eq!(run["summary"], json!({"transitionsPerformed": 20, "errorsEncountered": 20}));
    assert!(run["errors"].as_array().unwrap().iter().all(|error| error["orgId"] == "other"));
}

#[tokio::test]
async fn a_request_completes_in_parts_and_a_scheduled_run_in_one_call() {
    for scheduled in [false, true] {
        let world = World::new().await;
        world.send(&bundles::put("b", &office_hours())).await;
        // All bundles are in one shard.
        bundles::copy(&world, "b", 16 * 69, |number| (number % 16 == 0).then_some("2026-06-01T13:00:00.000Z")).await;
        let now = instant("2026-12-01T00:00:00Z");
        let event = json!({
            "version": "0", "id": "1", "detail-type": "Scheduled Event", "source": "aws.scheduler", "account": "1",
            "time": "2026-12-01T00:00:00Z", "region": "r", "resources": [], "detail": "{}",
        });
        let performed = |answer: &Value| answer["summary"]["transitionsPerformed"].as_u64().unwrap();
        if scheduled {
            let answer = world.stack.call("bundle-transitions", event, Some(now)).await.unwrap().unwrap();
            assert_eq!((performed(&answer), answer.get("cursor")), (70 * 90, None));
            continue;
        }
        let first = world.send_at(&job(&json!({})), now).await.body;
        assert!((5_000..70 * 90).contains(&performed(&first)));
        assert_eq!(performed(&first), first["transitions"].as_array().unwrap().len() as u64);
        let mut rest = world.send_at(&job(&json!({"cursor": first["cursor"]})), now).await.body;
        let mut all = performed(&first) + performed(&rest);
        assert!(all >= 70 * 90);
        while performed(&rest) > 0 || rest["success"] == false {
            rest = world.send_at(&job(&json!({"cursor": rest["cursor"]})), now).await.body;
            all += performed(&rest);
        }
        // Every reported transition is recorded. After the last call every transition is recorded.
        let recorded = bundles::transitions(&world, ORG, "b").await.len() as u64;
        assert!((70 * 90..=70 * recorded).contains(&all), "{all} of {recorded} each");
        bundles::check(&world, ORG, "b000016").await;
    }
}
