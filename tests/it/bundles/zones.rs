//! Time zone data: the rules in force, names of zones, and status updates after newer data.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{Offset, TimeZone};
use harness::{Request, World, bundles, instant, world::ORG};
use serde_json::{Value, json};
use shared::domain::zone::{Zone, data_version};

/// Minutes east of UTC.
fn offset(zone: &str, at: &str) -> i32 {
    let zone: Zone = zone.parse().unwrap();
    zone.offset_from_utc_datetime(&instant(at).naive_utc()).fix().local_minus_utc() / 60
}

#[test]
fn time_zones_match_release_2026f() {
    assert!(data_version() >= "2026f");
    for (zone, at, hours) in [
        // British Columbia, Alberta and Manitoba keep their summer time.
        ("America/Vancouver", "2026-01-15T12:00:00Z", -8),
        ("America/Vancouver", "2026-11-15T12:00:00Z", -7),
        ("America/Vancouver", "2027-01-15T12:00:00Z", -7),
        ("America/Edmonton", "2026-01-15T12:00:00Z", -7),
        ("America/Edmonton", "2026-11-15T12:00:00Z", -6),
        ("America/Winnipeg", "2026-01-15T12:00:00Z", -6),
        ("America/Winnipeg", "2026-11-15T12:00:00Z", -5),
        // Morocco uses Greenwich time.
        ("Africa/Casablanca", "2026-07-15T12:00:00Z", 1),
        ("Africa/Casablanca", "2026-11-15T12:00:00Z", 0),
        ("America/New_York", "2026-07-15T12:00:00Z", -4),
        ("UTC", "2026-07-15T12:00:00Z", 0),
    ] {
        assert_eq!(offset(zone, at), hours * 60, "{zone} {at}");
    }
}

#[test]
fn daylight_saving_continues_after_the_last_year_of_the_data() {
    for year in [2038, 2100, 2150, 9000] {
        let hours = |day: &str| offset("America/New_York", &format!("{year}-{day}T12:00:00Z")) / 60;
        assert_eq!((hours("01-15"), hours("07-15")), (-5, -4), "{year}");
        assert_eq!(offset("Australia/Lord_Howe", &format!("{year}-01-15T12:00:00Z")), 11 * 60, "{year}");
    }
}

#[test]
fn older_time_zone_names_are_still_parsed() {
    for name in ["US/Eastern", "EST", "Etc/GMT+5", "Asia/Calcutta", "GB", "America/Buenos_Aires", "EST5EDT", "Zulu"] {
        assert_eq!(name.parse::<Zone>().unwrap().name(), name);
    }
    assert!("america/new_york".parse::<Zone>().is_err());
    assert_eq!(offset("Etc/GMT+5", "2026-07-15T12:00:00Z"), -5 * 60);
}

#[tokio::test]
async fn an_unknown_zone_or_fixed_offset_is_rejected_with_a_suggested_name() {
    let world = World::new().await;
    let rule = "must be an IANA time zone, such as America/New_York";
    for (zone, meant) in [
        ("America/NewYork", Some("America/New_York")),
        ("america/new_york", Some("America/New_York")),
        ("New York", Some("America/New_York")),
        ("Europe/Berln", Some("Europe/Berlin")),
        ("berlin", Some("Europe/Berlin")),
        ("utc", Some("UTC")),
        ("Mars/Olympus", None),
        ("", None),
        ("x", None),
        ("Europe/Berlin/Europe/Berlin/Europe/Berlin/Europe/Berlin", None),
    ] {
        let answer = world.put_org("new", &json!({"name": "New", "timezone": zone})).await;
        let expected = meant.map_or_else(|| rule.to_owned(), |meant| format!("{rule}; did you mean {meant}?"));
        assert_eq!(answer.body["errors"], json!([{"field": "timezone", "message": expected}]), "{zone}");
    }
    let fixed = "must be UTC or the IANA time zone of a place, such as America/New_York, and not a fixed offset";
    for zone in ["EST", "MST", "HST", "GMT", "GMT+0", "Zulu", "Etc/GMT+5", "Etc/UTC", "Factory"] {
        let answer = world.put_org("new", &json!({"name": "New", "timezone": zone})).await;
        assert_eq!(answer.body["errors"], json!([{"field": "timezone", "message": fixed}]), "{zone}");
    }
    let number = world.put_org("new", &json!({"name": "New", "timezone": 5})).await;
    assert_eq!(number.body["errors"], json!([{"field": "timezone", "message": rule}]));
    for zone in ["UTC", "US/Eastern", "America/Panama", "CET"] {
        assert!(world.put_org("new", &json!({"name": "New", "timezone": zone})).await.status.is_success(), "{zone}");
    }
}

#[tokio::test]
async fn a_stored_org_and_bundle_with_a_fixed_offset_keep_working() {
    let world = World::new().await;
    world.send(&bundles::put("b", &json!({"timeStart": "09:00", "timeEnd": "17:00"}))).await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    for (sk, name) in [("ORG", "timezone"), ("BUNDLE#b", "zone")] {
        let update =
            world.client.update_item().table_name(&world.table).key("pk", text("ORG#shop")).key("sk", text(sk));
        let within = if sk == "ORG" { "" } else { "recorded." };
        let update = update.update_expression(format!("SET {within}#zone = :zone"));
        let update = update.expression_attribute_names("#zone", name).expression_attribute_values(":zone", text("EST"));
        update.send().await.unwrap();
    }
    // Another process has not cached the org.
    let another = world.another_process();
    let get = Request::new("GET", "back-office", format!("/orgs/{ORG}"));
    assert_eq!(World::send_to(&another, &get, instant("2026-06-01T12:00:00Z")).await.body["timezone"], "EST");
    let get = Request::new("GET", "back-office", format!("/orgs/{ORG}/bundles/b"));
    let read = World::send_to(&another, &get, instant("2026-06-01T13:59:59Z")).await.body;
    assert_eq!((&read["status"], &read["nextChange"]), (&json!("paused"), &json!("2026-06-01T14:00:00.000Z")));
}

async fn run_at(world: &World, now: &str) -> Value {
    let answer = world.send_at(&bundles::job(&json!({})), instant(now)).await;
    assert_eq!((answer.status.as_u16(), &answer.body["success"]), (200, &json!(true)), "{}", answer.body);
    answer.body
}

#[tokio::test]
async fn newer_zone_rules_re_evaluate_bundles_once_without_later_reads() {
    let world = World::new().await;
    world.put_org("other", &json!({"name": "Other", "timezone": "Europe/Berlin"})).await;
    for org in [ORG, "other"] {
        let put = Request::new("PUT", "back-office", format!("/orgs/{org}/bundles/b"));
        world.send(&put.json(&bundles::terms(&json!({"timeStart": "17:00", "timeEnd": "18:00"})))).await;
        bundles::record_older_zone_rules(&world, org, "b").await;
    }
    // The first run marks the orgs. The next run finds the marks, as after a change of zone.
    run_at(&world, "2026-06-01T12:05:00Z").await;
    run_at(&world, "2026-06-01T12:10:00Z").await;
    for org in [ORG, "other"] {
        bundles::check(&world, org, "b").await;
        let recorded = bundles::item(&world, org, "b").await["recorded"].as_m().unwrap().clone();
        assert_eq!(recorded["zoneData"].as_s().unwrap(), data_version());
        assert!(bundles::transitions(&world, org, "b").await.is_empty());
    }
    world.proxy.take_requests();
    run_at(&world, "2026-06-01T12:15:00Z").await;
    assert_eq!(world.proxy.take_requests(), [vec!["Query"; 16], vec!["BatchGetItem"]].concat());
}

#[tokio::test]
async fn a_re_evaluation_corrects_a_status_of_the_older_zone_rules() {
    let world = World::new().await;
    world.send(&bundles::put("b", &json!({"timeStart": "09:00"}))).await;
    bundles::record_older_zone_rules(&world, ORG, "b").await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    // By the older data the window opened at eight.
    let wrong =
        world.client.update_item().table_name(&world.table).key("pk", text("ORG#shop")).key("sk", text("BUNDLE#b"));
    let wrong = wrong.update_expression("SET recorded.#status = :active");
    let wrong = wrong.expression_attribute_names("#status", "status");
    wrong.expression_attribute_values(":active", text("active")).send().await.unwrap();
    run_at(&world, "2026-06-01T12:05:00Z").await;
    run_at(&world, "2026-06-01T12:10:00Z").await;
    let lines: Vec<_> = bundles::transitions(&world, ORG, "b").await.iter().map(bundles::line).collect();
    assert_eq!(lines, ["active>paused 2026-06-01T12:10 time window closed"]);
    bundles::check(&world, ORG, "b").await;
}

#[tokio::test]
async fn the_marking_of_many_orgs_resumes_after_a_stopped_run() {
    use harness::faults::{Fault, FaultDuration};
    let world = World::new().await;
    for number in 0..45 {
        let org = format!("org{number:02}");
        world.put_org(&org, &json!({"name": "An org"})).await;
    }
    world.send(&bundles::put("b", &json!({"timeStart": "09:00"}))).await;
    run_at(&world, "2026-06-01T12:01:00Z").await;
    bundles::record_older_zone_rules(&world, ORG, "b").await;
    // The queries of the shards, one read of the jobs, a page of twenty orgs with a read and a write each, and its end.
    world.proxy.fail(16 + 1 + 1 + 20 * 2 + 1 + 5, Fault::ServerError, FaultDuration::UntilHealed);
    let limit = std::time::Duration::from_secs(8);
    let stopped = world.send_within(&bundles::job(&json!({})), instant("2026-06-01T12:05:00Z"), limit).await;
    assert_eq!(stopped.status, 503);
    world.proxy.heal();
    world.proxy.take_requests();
    run_at(&world, "2026-06-01T12:06:00Z").await;
    let seen = world.proxy.take_requests();
    let marked = seen.iter().filter(|request| *request == "TransactWriteItems").count();
    assert_eq!(marked, 46 - 20, "the orgs of the first page are not marked twice: {seen:?}");
    run_at(&world, "2026-06-01T12:10:00Z").await;
    bundles::check(&world, ORG, "b").await;
}

#[tokio::test]
async fn older_zone_rules_re_evaluate_no_bundle() {
    let world = World::new().await;
    world.send(&bundles::put("b", &json!({"timeStart": "09:00"}))).await;
    run_at(&world, "2026-06-01T12:01:00Z").await;
    bundles::record_older_zone_rules(&world, ORG, "b").await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let newer = world.client.update_item().table_name(&world.table).key("pk", text("SWEEP#transition"));
    let newer = newer.key("sk", text("ZONES")).update_expression("SET marked = :newer");
    newer.expression_attribute_values(":newer", text("2999a")).send().await.unwrap();
    world.proxy.take_requests();
    run_at(&world, "2026-06-01T12:05:00Z").await;
    assert_eq!(world.proxy.take_requests(), [vec!["Query"; 16], vec!["BatchGetItem"]].concat());
}
