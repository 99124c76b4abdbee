//! Entries that are due: in the activity before they are recorded, and recorded by the next write.

use std::{sync::Arc, time::Duration};

use harness::{Request, World, audit, instant, scenario, world, world::ORG};
use serde_json::json;

#[tokio::test]
async fn the_activity_shows_an_expiry_in_the_same_way_before_and_after_it_is_recorded() {
    let world = world().await.loyalty(json!({"pointsExpiry": {"months": 1}})).customer("ada").award("ada", "o1", "250");
    let world = world.await;
    let september = instant("2026-09-10T12:00:00Z");
    let before = audit::ledger(&world, ORG, "ada", september).await;
    let expired = before.last().unwrap();
    assert_eq!(
        (&expired["kind"], &expired["at"]),
        (&json!("points_expired"), &json!("2026-08-01T04:00:00.000Z")),
        "{before:#?}"
    );
    assert_eq!((&expired["points"], &expired["balance"]), (&json!(-250), &json!(0)));
    assert_eq!(world.send_at(&scenario::adjustment("ada", "a1", 5), september).await.status, 201);
    let after = audit::ledger(&world, ORG, "ada", september).await;
    assert_eq!(after[..before.len()], before);
    assert_eq!(after.len(), before.len() + 1);
}

/// Ada with points of twelve months, none of whose expiries is recorded.
async fn ada_with_twelve_expiries_due() -> World {
    let world = World::new().await;
    world.put_loyalty(ORG, &json!({"pointsExpiry": {"months": 12}})).await;
    world.put_customer(ORG, "ada", &json!({})).await;
    for month in 1..=12 {
        let now = instant(&format!("2025-{month:02}-10T12:00:00Z"));
        let order = scenario::award("ada", &format!("o{month}"), &format!("{month}"), &json!({}));
        assert_eq!(world.send_at(&order, now).await.status, 201);
    }
    world
}

/// The entries of a page of Ada's activity, as points, and the cursor.
async fn page(world: &World, limit: usize, cursor: &str, now: &str) -> (Vec<i64>, String) {
    let path = format!("/orgs/{ORG}/customers/ada/activity?limit={limit}{cursor}");
    let answer = world.send_at(&Request::new("GET", "back-office", path), instant(now)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let points = answer.body["entries"].as_array().unwrap().iter().map(|entry| entry["points"].as_i64().unwrap());
    let cursor = answer.body["cursor"].as_str().map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
    (points.collect(), cursor)
}

/// The points of the whole ledger, newest first.
fn twelve_expiries_and_awards() -> Vec<i64> {
    (1..=12).rev().map(|points| -points).chain((1..=12).rev()).collect()
}

#[tokio::test]
async fn more_expiries_than_a_page_holds_are_listed_over_pages_of_any_size() {
    let world = ada_with_twelve_expiries_due().await;
    let now = "2027-06-01T12:00:00Z";
    for limit in [1, 4, 5, 12, 13, 24, 100] {
        let (mut all, mut cursor) = page(&world, limit, "", now).await;
        while !cursor.is_empty() {
            let (more, next) = page(&world, limit, &cursor, now).await;
            assert!(more.len() <= limit, "{more:?}");
            all.extend(more);
            cursor = next;
        }
        assert_eq!(all, twelve_expiries_and_awards(), "limit {limit}");
    }
    let customer = audit::check_at(&world, ORG, "ada", instant(now)).await;
    assert_eq!((&customer["points"], &customer["expiringPoints"]), (&json!(0), &json!([])));
}

#[tokio::test]
async fn expiries_that_are_recorded_between_two_pages_are_neither_lost_nor_listed_twice() {
    for limit in [1, 5, 12] {
        let world = ada_with_twelve_expiries_due().await;
        let now = "2027-06-01T12:00:00Z";
        let (mut all, mut cursor) = page(&world, limit, "", now).await;
        // Another one is due by then, and newer than all of these.
        let later = "2027-06-01T13:00:00Z";
        world.send_at(&scenario::adjustment("ada", "a1", 100), instant(later)).await;
        while !cursor.is_empty() {
            let (more, next) = page(&world, limit, &cursor, later).await;
            all.extend(more);
            cursor = next;
        }
        assert_eq!(all, twelve_expiries_and_awards(), "limit {limit}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn expiries_that_are_recorded_while_a_page_is_read_are_listed_once() {
    let world = Arc::new(ada_with_twelve_expiries_due().await);
    let now = "2027-06-01T12:00:00Z";
    world.proxy.take_requests();
    world.proxy.delay_queries(Some(Duration::from_secs(2)));
    let slow = {
        let world = Arc::clone(&world);
        tokio::spawn(async move { page(&world, 100, "", now).await.0 })
    };
    // The page has read the customer. Its query of the ledger is delayed.
    while !world.proxy.take_requests().contains(&"Query".to_owned()) {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.send_at(&scenario::adjustment("ada", "a1", 100), instant(now)).await.status, 201);
    assert_eq!(slow.await.unwrap(), twelve_expiries_and_awards());
}

#[tokio::test]
async fn the_activity_of_an_unreadable_customer_lists_what_is_recorded() {
    let world = ada_with_twelve_expiries_due().await;
    world.corrupt(&format!("CUSTOMER#{ORG}#ada"), "PROFILE", "points").await;
    let listed = page(&world, 100, "", "2027-06-01T12:00:00Z").await.0;
    assert_eq!(listed, (1..=12).rev().collect::<Vec<_>>());
}

/// Ada with points that expire on 60 months, then on 90 days: more than one transaction records.
async fn ada_with_more_expiries_due_than_a_write_records() -> World {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    let fulfilled = |date: &str| json!({"fulfilledAt": format!("{date}T12:00:00Z")});
    let months = (5..65).map(|month| format!("{}-{:02}-10", 2021 + month / 12, month % 12 + 1)).collect::<Vec<_>>();
    let days = (0..90).map(|day| format!("2026-{:02}-{:02}", 3 + day / 30, day % 30 + 1)).collect();
    for (settings, orders) in [(json!({"months": 60}), months), (json!({"months": 3, "roundTo": "day"}), days)] {
        world.put_loyalty(ORG, &json!({"pointsExpiry": settings})).await;
        for date in orders {
            let order = format!("{}-{date}", settings["months"]);
            let answer = world.send(&scenario::award("ada", &order, "1", &fulfilled(&date))).await;
            assert_eq!(answer.status, 201, "{}", answer.body);
        }
    }
    world
}

#[tokio::test]
async fn any_number_of_expiries_is_recorded_with_the_next_write_and_listed_before_and_after() {
    let late = "2032-01-01T12:00:00Z";
    let writes = [
        scenario::award("ada", "late", "5", &json!({})),
        scenario::adjustment("ada", "late", 5),
        Request::new("PUT", "back-office", format!("/orgs/{ORG}/customers/ada")).json(&json!({"firstName": "Ada"})),
        scenario::refund_request("ada", "3-2026-05-30", "r1", None),
        scenario::void_points("ada", "late"),
    ];
    let before = ada_with_more_expiries_due_than_a_write_records().await;
    let due = audit::ledger(&before, ORG, "ada", instant(late)).await;
    let count = due.iter().filter(|entry| entry["kind"] == "points_expired").count();
    assert!(count > 100, "{count}");
    for write in writes {
        let world = ada_with_more_expiries_due_than_a_write_records().await;
        let (_, cursor) = page(&world, 10, "", late).await;
        let answer = world.send_at(&write, instant(late)).await;
        assert!(answer.status.is_success(), "{} {}: {}", write.method, write.path, answer.body);
        let recorded = audit::ledger(&world, ORG, "ada", instant(late)).await;
        assert_eq!(recorded[..due.len()], due);
        audit::check_at(&world, ORG, "ada", instant(late)).await;
        // A list that was begun before goes on where it was.
        let (rest, _) = page(&world, 100, &cursor, late).await;
        let expected = due.iter().rev().skip(10).take(100).map(|entry| entry["points"].as_i64().unwrap());
        assert_eq!(rest, expected.collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn every_write_of_a_customer_records_what_is_due() {
    let writes = [
        Request::new("PUT", "back-office", format!("/orgs/{ORG}/customers/ada")).json(&json!({"firstName": "Ada"})),
        Request::new("DELETE", "back-office", format!("/orgs/{ORG}/customers/ada")),
        scenario::award("ada", "o2", "1", &json!({})),
        scenario::adjustment("ada", "a1", 1),
        scenario::adjustment("ada", "a1", -1),
        scenario::refund_request("ada", "o1", "r1", Some("1")),
        scenario::recalculation(&json!({})),
        scenario::prediction(&json!({"orgId": ORG, "customerId": "ada"})),
    ];
    for write in writes {
        let world = world().await.loyalty(json!({"pointsExpiry": {"months": 1}})).customer("ada");
        let world = world.award("ada", "o1", "250").await;
        // By then Ada has lost her tier too.
        let late = if write.function == "churn-prediction" { "2026-08-01T05:00:00Z" } else { "2027-03-01T12:00:00Z" };
        let answer = world.send_at(&write, instant(late)).await;
        assert!(answer.status.is_success(), "{} {}: {}", write.method, write.path, answer.body);
        // At an instant before the expiry only recorded entries are listed.
        let recorded = audit::ledger(&world, ORG, "ada", instant("2026-07-01T12:00:00Z")).await;
        let expired: Vec<_> = recorded.iter().filter(|entry| entry["kind"] == "points_expired").collect();
        assert_eq!(expired.len(), 1, "{} {}: {recorded:#?}", write.method, write.path);
        assert_eq!((&expired[0]["at"], &expired[0]["points"]), (&json!("2026-08-01T04:00:00.000Z"), &json!(-250)));
        audit::check_at(&world, ORG, "ada", instant(late)).await;
    }
}
