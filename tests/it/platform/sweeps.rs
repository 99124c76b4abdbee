//! Jobs over all orgs: they stop and continue, make progress or fail, and undo nothing. The recalculation of tiers
//! stands for all of them.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use harness::{
    Request, World, audit, bundles, customers,
    customers::{DEMOTIONS_DUE_AT, seed_two_pages},
    faults::{Fault, FaultDuration},
    instant,
    scenario::{award, recalculation, refund_request},
    world::{ORG, noon},
};
use serde_json::{Value, json};

/// Less than the reserve of a run, so a run stops as soon as it has made progress.
const SHORT: Duration = Duration::from_secs(4);

/// Half a year and a day after noon. A customer who ordered at noon has fallen one tier.
const LATER: &str = "2026-11-29T12:00:00Z";

async fn run_at(world: &World, now: &str, body: &Value) -> Value {
    let answer = world.send_at(&recalculation(body), instant(now)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

/// A world with two orgs. In the second org Ada is Gold by an order at noon.
async fn gold_in_the_second_org() -> World {
    let world = World::new().await;
    world.put_org("another", &json!({"name": "Before it"})).await;
    world.put_loyalty("another", &json!({})).await;
    world.put_customer(ORG, "ada", &json!({})).await;
    assert_eq!(world.send(&award("ada", "ada-1", "600", &json!({}))).await.status, 201);
    world.proxy.take_requests();
    world
}

/// Begins a run over all orgs that stops after the first org. Returns its cursor.
async fn stopped_after_the_first(world: &World, now: &str) -> Value {
    let stopped = world.send_within(&recalculation(&json!({})), instant(now), SHORT).await.body;
    assert_eq!((&stopped["summary"]["totalOrgs"], &stopped["results"][0]["orgId"]), (&json!(1), &json!("another")));
    stopped["cursor"].clone()
}

async fn tier(world: &World, customer: &str) -> Value {
    audit::check(world, ORG, customer).await["tier"].clone()
}

async fn causes(world: &World, customer: &str) -> Vec<Value> {
    let entries = audit::ledger(world, ORG, customer, noon()).await;
    entries.iter().filter(|entry| entry["kind"] == "tier_changed").map(|entry| entry["cause"].clone()).collect()
}

#[tokio::test]
async fn an_old_cursor_does_not_undo_a_later_run() {
    let world = gold_in_the_second_org().await;
    let cursor = stopped_after_the_first(&world, "2026-11-27T12:00:00Z").await;
    run_at(&world, LATER, &json!({})).await;
    assert_eq!(tier(&world, "ada").await, "Silver");
    let reported = run_at(&world, LATER, &json!({"cursor": cursor})).await;
    assert_eq!(reported["summary"]["totalChanged"], 0, "{reported}");
    assert_eq!(tier(&world, "ada").await, "Silver");
}

#[tokio::test]
async fn a_run_does_not_undo_a_concurrent_refund() {
    let world = gold_in_the_second_org().await;
    let cursor = stopped_after_the_first(&world, "2026-11-28T11:59:00Z").await;
    let refund = refund_request("ada", "ada-1", "r", Some("1"));
    assert_eq!(world.send_at(&refund, instant("2026-11-28T12:01:00Z")).await.body["tier"], "Silver");
    run_at(&world, "2026-11-28T12:02:00Z", &json!({"cursor": cursor})).await;
    assert_eq!(tier(&world, "ada").await, "Silver");
}

#[tokio::test]
async fn the_end_of_an_older_run_keeps_the_position_of_a_newer_run() {
    let world = gold_in_the_second_org().await;
    let cursor = stopped_after_the_first(&world, "2026-11-27T12:00:00Z").await;
    stopped_after_the_first(&world, LATER).await;
    assert_eq!(run_at(&world, LATER, &json!({"cursor": cursor})).await["summary"]["totalChanged"], 0);
    assert_eq!(run_at(&world, LATER, &json!({"cursor": "latest"})).await["summary"]["totalChanged"], 1);
    assert_eq!(tier(&world, "ada").await, "Silver");
}

#[tokio::test]
async fn the_second_call_applies_settings_changed_since_the_first_call() {
    let world = gold_in_the_second_org().await;
    let cursor = stopped_after_the_first(&world, LATER).await;
    world.put_loyalty(ORG, &json!({"enabled": false})).await;
    let reported = run_at(&world, LATER, &json!({"cursor": cursor})).await;
    assert_eq!((&reported["results"], tier(&world, "ada").await), (&json!([]), json!("Gold")));
}

#[tokio::test]
async fn a_call_that_breaks_off_reports_its_position() {
    let world = gold_in_the_second_org().await;
    // The orgs, the first org with its customers, and the second org. Then the list of customers fails.
    world.proxy.fail(4, Fault::ServerError, FaultDuration::UntilHealed);
    let stopped = world.send_at(&recalculation(&json!({})), instant(LATER)).await;
    assert_eq!((stopped.status.as_u16(), &stopped.body["summary"]["totalOrgs"]), (200, &json!(1)), "{}", stopped.body);
    world.proxy.heal();
    let done = run_at(&world, LATER, &json!({"cursor": stopped.body["cursor"]})).await;
    assert_eq!((&done["summary"]["totalOrgs"], &done["summary"]["totalChanged"]), (&json!(1), &json!(1)), "{done}");
}

#[tokio::test]
async fn a_run_does_not_skip_writes_that_the_store_rejects() {
    let world = gold_in_the_second_org().await;
    for number in 0..40 {
        let name = format!("c{number:02}");
        world.put_customer(ORG, &name, &json!({})).await;
        world.send(&award(&name, &name, "600", &json!({}))).await;
    }
    let run = recalculation(&json!({"orgId": ORG}));
    // The org, its customers, and a first batch of sixteen. Then every write fails.
    world.proxy.fail(18, Fault::Throttle, FaultDuration::UntilHealed);
    let stopped = world.send_at(&run, instant(LATER)).await.body;
    assert_eq!((&stopped["summary"]["totalChanged"], &stopped["summary"]["totalErrors"]), (&json!(16), &json!(0)));
    world.proxy.fail(2, Fault::Throttle, FaultDuration::UntilHealed);
    let failed = world.send_at(&run, instant(LATER)).await;
    assert_eq!((failed.status.as_u16(), failed.code()), (503, "try_again"), "it got nowhere: {}", failed.body);
    world.proxy.heal();
    let done = run_at(&world, LATER, &json!({"orgId": ORG, "cursor": stopped["cursor"]})).await;
    assert_eq!((&done["summary"]["totalChanged"], done.get("cursor")), (&json!(25), None), "{done}");
}

#[tokio::test]
async fn every_call_makes_progress_despite_a_short_deadline() {
    let world = gold_in_the_second_org().await;
    let mut body = json!({});
    for _ in 0..2 {
        let reported = world.send_within(&recalculation(&body), instant(LATER), SHORT).await.body;
        body = json!({"cursor": reported["cursor"]});
    }
    assert_eq!((body, tier(&world, "ada").await), (json!({"cursor": null}), json!("Silver")), "one org a call");
}

#[tokio::test]
async fn empty_pages_do_not_end_a_run() {
    let world = gold_in_the_second_org().await;
    world.proxy.answer_empty_pages(3);
    assert_eq!(run_at(&world, LATER, &json!({})).await["summary"]["totalChanged"], 1);
}

#[tokio::test]
async fn a_run_sweeps_several_pages_of_orgs_in_order() {
    let world = gold_in_the_second_org().await;
    for number in 0..130 {
        let org = format!("o{number:03}");
        world.put_org(&org, &json!({"name": "One of many"})).await;
        world.put_loyalty(&org, &json!({})).await;
    }
    let run = run_at(&world, LATER, &json!({})).await;
    let reported: Vec<&str> =
        run["results"].as_array().unwrap().iter().map(|reported| reported["orgId"].as_str().unwrap()).collect();
    assert_eq!((reported.len(), reported.is_sorted(), reported[131]), (132, true, ORG));
}

#[tokio::test]
async fn a_dry_run_only_reads_and_stores_no_position() {
    let world = gold_in_the_second_org().await;
    world.put_loyalty(ORG, &json!({"inactivityDays": 10})).await;
    world.proxy.take_requests();
    let dry = json!({"dryRun": true});
    let stopped = world.send_within(&recalculation(&dry), instant(LATER), SHORT).await.body;
    let rest = run_at(&world, LATER, &json!({"dryRun": true, "cursor": stopped["cursor"]})).await;
    assert_eq!(rest["summary"]["totalChanged"], 1);
    assert_eq!(run_at(&world, LATER, &dry).await["summary"]["totalChanged"], 1);
    let seen = world.proxy.take_requests();
    assert!(seen.iter().all(|seen| ["Query", "BatchGetItem"].contains(&seen.as_str())), "{seen:?}");
    assert_eq!(world.send(&recalculation(&json!({"cursor": stopped["cursor"]}))).await.code(), "invalid_cursor");
}

#[tokio::test]
async fn a_dry_run_continues_only_with_the_settings_of_its_start() {
    let world = World::new().await;
    seed_two_pages(&world).await;
    let only = |settings: Value| json!({"orgId": ORG, "dryRun": true, "loyalty": settings});
    let strict = only(json!({"tiers": [{"name": "Bronze", "threshold": 0}]}));
    let stopped = world.send_within(&recalculation(&strict), instant(DEMOTIONS_DUE_AT), SHORT).await.body;
    let with = |mut body: Value| {
        body["cursor"] = stopped["cursor"].clone();
        recalculation(&body)
    };
    for other in [json!({"orgId": ORG, "dryRun": true}), only(json!({})), json!({"orgId": ORG})] {
        assert_eq!(
            world.send_at(&with(other.clone()), instant(DEMOTIONS_DUE_AT)).await.code(),
            "invalid_cursor",
            "{other}"
        );
    }
    assert_eq!(world.send_at(&with(strict), instant(DEMOTIONS_DUE_AT)).await.status, 200);
}

#[tokio::test]
async fn a_cursor_of_one_org_is_not_valid_for_all_orgs_and_vice_versa() {
    let world = World::new().await;
    world.put_org("another", &json!({"name": "Before it"})).await;
    world.put_loyalty("another", &json!({})).await;
    seed_two_pages(&world).await;
    let of_all = stopped_after_the_first(&world, DEMOTIONS_DUE_AT).await;
    let one = world.send_within(&recalculation(&json!({"orgId": ORG})), instant(DEMOTIONS_DUE_AT), SHORT).await.body;
    let wrong = world.send_at(&recalculation(&json!({"cursor": one["cursor"]})), instant(DEMOTIONS_DUE_AT)).await;
    assert_eq!((wrong.status.as_u16(), wrong.code()), (422, "invalid_cursor"));
    let wrong =
        world.send_at(&recalculation(&json!({"orgId": ORG, "cursor": of_all})), instant(DEMOTIONS_DUE_AT)).await;
    assert_eq!((wrong.status.as_u16(), wrong.code()), (422, "invalid_cursor"));
}

#[tokio::test]
async fn settings_changed_during_a_run_are_not_recorded_as_applied_to_all_customers() {
    let world = World::new().await;
    seed_two_pages(&world).await;
    let ladder = |top: u32| {
        let tiers = [("Bronze", 0), ("Silver", 200), ("Gold", 500), ("Top", top)];
        json!({"tiers": tiers.map(|(name, threshold)| json!({"name": name, "threshold": threshold}))})
    };
    world.put_loyalty(ORG, &ladder(5_000)).await;
    let stopped = world.send_within(&recalculation(&json!({"orgId": ORG})), noon(), SHORT).await.body;
    world.put_loyalty(ORG, &ladder(6_000)).await;
    let done = run_at(&world, "2026-06-01T12:00:00Z", &json!({"orgId": ORG, "cursor": stopped["cursor"]})).await;
    assert_eq!((&done["summary"]["totalChanged"], done.get("cursor")), (&json!(0), None));
    run_at(&world, DEMOTIONS_DUE_AT, &json!({})).await;
    assert_eq!(causes(&world, "old").await, ["order", "settings"], "by the last it was judged by half of a run");

    // The run that changed `old` has applied the current settings to all customers. The next run applies time alone.
    run_at(&world, "2026-11-28T01:30:00Z", &json!({})).await;
    assert_eq!(causes(&world, "young").await, ["order", "inactivity"]);
}

#[tokio::test]
async fn an_unreadable_customer_keeps_the_settings_from_being_recorded_as_applied() {
    let world = gold_in_the_second_org().await;
    world.put_customer(ORG, "bo", &json!({})).await;
    world
        .put_loyalty(ORG, &json!({"tiers": [{"name": "Bronze", "threshold": 0}, {"name": "Gold", "threshold": 550}]}))
        .await;
    world.corrupt("CUSTOMER#shop#bo", "PROFILE", "points").await;
    assert_eq!(run_at(&world, "2026-06-01T12:00:00Z", &json!({})).await["summary"]["totalErrors"], 1);
    run_at(&world, LATER, &json!({})).await;
    assert_eq!(causes(&world, "ada").await, ["order", "settings"]);
}

#[tokio::test]
async fn a_run_skips_an_org_that_is_being_deleted() {
    let world = gold_in_the_second_org().await;
    world.put_org("temp", &json!({"name": "Temp", "disposable": true})).await;
    world.put_loyalty("temp", &json!({})).await;
    world.put_customer("temp", "ada", &json!({})).await;
    // The mark is read and written. Then the deletion is interrupted.
    world.proxy.fail(2, Fault::ServerError, FaultDuration::UntilHealed);
    assert_eq!(world.send(&Request::new("DELETE", "back-office", "/orgs/temp")).await.status, 503);
    world.proxy.heal();
    assert_eq!(run_at(&world, LATER, &json!({})).await["summary"]["totalOrgs"], 2);
    let alone = world.send(&recalculation(&json!({"orgId": "temp"}))).await;
    assert_eq!((alone.status.as_u16(), alone.code()), (404, "unknown_org"));
}

#[tokio::test]
async fn a_customer_with_an_order_during_a_stop_is_visited_again_later_in_the_run() {
    let world = World::new().await;
    seed_two_pages(&world).await;
    let stopped =
        world.send_within(&recalculation(&json!({"orgId": ORG})), instant(DEMOTIONS_DUE_AT), SHORT).await.body;
    let met = stopped["summary"]["totalCustomers"].as_u64().unwrap();
    assert_eq!(world.send_at(&award("old", "back", "1", &json!({})), instant(DEMOTIONS_DUE_AT)).await.status, 201);
    let rest = run_at(&world, DEMOTIONS_DUE_AT, &json!({"orgId": ORG, "cursor": stopped["cursor"]})).await;
    assert_eq!(met + rest["summary"]["totalCustomers"].as_u64().unwrap(), 2_018 + 1, "once more, as they are now");
    assert_eq!(tier(&world, "old").await, "Gold");
    assert_eq!(customers::all(&world, ORG).await.len(), 2_018);
}

/// The hours since the last full recalculation ended, as `bundle-transitions` records them.
async fn hours(world: &World, now: &str) -> Value {
    world.take_records();
    assert_eq!(world.send_at(&bundles::job(&json!({})), instant(now)).await.status, 200);
    world.take_records()[0]["HoursSinceTierRecalculation"].clone()
}

#[tokio::test]
async fn the_last_call_of_a_run_records_the_end_of_that_run_only() {
    let world = gold_in_the_second_org().await;
    assert_eq!(hours(&world, "2026-11-29T12:00:00Z").await, 0.0, "from when somebody first looks");
    let cursor = stopped_after_the_first(&world, "2026-11-29T13:00:00Z").await;
    for other in [json!({"orgId": ORG}), json!({"dryRun": true})] {
        run_at(&world, "2026-11-29T13:00:00Z", &other).await;
    }
    assert_eq!(hours(&world, "2026-11-29T14:15:00Z").await, 2.25);
    run_at(&world, "2026-11-29T14:30:00Z", &json!({"cursor": cursor})).await;
    assert_eq!(hours(&world, "2026-11-29T15:30:00Z").await, 1.0);
    stopped_after_the_first(&world, "2026-11-29T16:00:00Z").await;
    run_at(&world, "2026-11-29T17:00:00Z", &json!({"cursor": "latest"})).await;
    run_at(&world, "2026-11-29T18:00:00Z", &json!({"cursor": "latest"})).await;
    assert_eq!(hours(&world, "2026-11-29T18:00:00Z").await, 1.0, "where nothing is left, none has ended");
}

#[tokio::test]
async fn the_end_time_of_a_run_is_read_in_the_state_machines_format() {
    let world = World::new().await;
    for (ended, expected) in [
        ("2026-06-01T11:00:00.000Z", json!(1.0)),
        ("2026-06-01T11:00:00Z", json!(1.0)),
        ("2026-06-01T11:00:00.0004567Z", json!(1.0)),
        ("2026-06-01T13:00:00.000+02:00", json!(1.0)),
    ] {
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let put = world.client.put_item().table_name(&world.table).item("pk", text("SWEEP#recalculate"));
        put.item("sk", text("ENDED")).item("ended", text(ended)).send().await.unwrap();
        assert_eq!(hours(&world, "2026-06-01T12:00:00Z").await, expected, "{ended}");
    }
    world.corrupt("SWEEP#recalculate", "ENDED", "ended").await;
    let run = world.send(&bundles::job(&json!({}))).await;
    assert_eq!((run.status.as_u16(), run.code()), (500, "internal"), "somebody is told");
}

#[test]
fn the_scope_digest_of_a_dry_run_does_not_depend_on_the_compiler() {
    // The first nine bytes of `printf null | sha256sum`.
    assert_eq!(shared::inbound::cursor::scope_digest("null"), "dCNOmK_nSY-1");
}
