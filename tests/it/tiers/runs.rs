//! Runs of the recalculation: their cost, their cursors, and writes that race them.

use std::{sync::Arc, time::Duration};

use harness::{
    World, customers, instant,
    scenario::{award, recalculation},
    world::ORG,
};
use serde_json::{Value, json};

use super::recalculation::{LATER, gold_and_silver, run_at, tier};

#[tokio::test]
async fn a_run_uses_the_current_customer_and_not_a_lagging_index() {
    let world = gold_and_silver().await;
    world.proxy.freeze_index();
    assert_eq!(run_at(&world, LATER, &json!({"dryRun": true})).await["summary"]["totalChanged"], 2);
    world.send_at(&award("ada", "ada-2", "1", &json!({})), instant("2026-11-29T11:00:00Z")).await;
    // Bo's item has changed too, and Bo still falls a tier.
    world.put_customer(ORG, "bo", &json!({"firstName": "Bo"})).await;
    let run = run_at(&world, LATER, &json!({})).await;
    assert_eq!((&run["success"], &run["summary"]["totalChanged"]), (&json!(true), &json!(1)), "bo alone");
    assert_eq!((tier(&world, "ada").await, tier(&world, "bo").await), (json!("Gold"), json!("Bronze")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_award_that_races_the_run_is_kept_and_the_tier_is_correct() {
    let world = Arc::new(World::new().await);
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&award("ada", "o1", "600", &json!({}))).await;
    customers::copy(&world, "ada", 0..40).await;
    let later = instant(LATER);
    let run = {
        let world = Arc::clone(&world);
        tokio::spawn(async move { world.send_at(&recalculation(&json!({})), later).await.body })
    };
    let awards = (0..40).map(|number| {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let order = award(&format!("ada{number:06}"), &format!("again-{number}"), "1", &json!({}));
            world.send_with_retries(&order, later).await
        })
    });
    for answer in futures::future::join_all(awards).await {
        assert!(answer.unwrap().is_applied());
    }
    assert_eq!(run.await.unwrap()["success"], true);
    let all = customers::all(&world, ORG).await;
    assert_eq!(all.len(), 41);
    for customer in all {
        let lowered = customer["customerId"] == "ada";
        assert_eq!(customer["tier"], if lowered { "Silver" } else { "Gold" }, "{customer}");
    }
}

async fn seed_two_pages() -> World {
    let world = World::new().await;
    customers::seed_two_pages(&world).await;
    world
}

#[tokio::test]
async fn a_run_costs_its_index_pages_plus_its_changes_plus_a_constant() {
    let world = seed_two_pages().await;
    let run = run_at(&world, customers::DEMOTIONS_DUE_AT, &json!({"orgId": ORG})).await;
    assert_eq!((&run["summary"]["totalCustomers"], &run["summary"]["totalChanged"]), (&json!(2_018), &json!(20)));
    let seen = world.proxy.take_requests();
    let count = |operation: &str| seen.iter().filter(|seen| *seen == operation).count();
    // One write records that the settings were applied to all customers.
    assert_eq!((count("Query"), count("BatchGetItem"), count("TransactWriteItems")), (3, 2, 21));
    assert_eq!(seen.len(), 26);
    run_at(&world, customers::DEMOTIONS_DUE_AT, &json!({"orgId": ORG})).await;
    assert_eq!(world.proxy.take_requests(), ["BatchGetItem", "Query", "Query", "Query"]);
}

#[tokio::test]
async fn a_run_stopped_repeatedly_has_the_result_of_an_uninterrupted_run() {
    let (whole, parts) = (seed_two_pages().await, seed_two_pages().await);
    let in_one_go = run_at(&whole, customers::DEMOTIONS_DUE_AT, &json!({})).await;

    // The run reserves five seconds for its end. After two queries less than that is left.
    let timeout = Duration::from_millis(5_700);
    parts.proxy.delay_queries(Some(Duration::from_millis(400)));
    let mut body = json!({});
    let mut sums = [0, 0];
    let mut calls = 0;
    loop {
        // The clock advances, and the run keeps its first instant.
        let now = instant(customers::DEMOTIONS_DUE_AT) + chrono::TimeDelta::hours(calls);
        let answer = parts.send_within(&recalculation(&body), now, timeout).await.body;
        assert_eq!(answer["success"], true, "{answer}");
        for (sum, name) in sums.iter_mut().zip(["totalCustomers", "totalChanged"]) {
            *sum += answer["summary"][name].as_u64().unwrap();
        }
        calls += 1;
        assert!(calls < 100, "it gets on");
        match answer.get("cursor") {
            Some(cursor) => body = json!({ "cursor": cursor }),
            None => break,
        }
    }
    assert!(calls >= 3, "it stopped again and again: {calls} calls");
    let reported = ["totalCustomers", "totalChanged"].map(|name| in_one_go["summary"][name].as_u64().unwrap());
    assert_eq!((sums, reported), ([2_018, 20], [2_018, 20]));
    parts.proxy.delay_queries(None);
    let tiers = |customers: &[Value]| -> Vec<(Value, Value)> {
        customers.iter().map(|customer| (customer["customerId"].clone(), customer["tier"].clone())).collect()
    };
    let (whole, parts) = (customers::all(&whole, ORG).await, customers::all(&parts, ORG).await);
    assert_eq!(tiers(&whole), tiers(&parts));
}

#[tokio::test]
async fn the_local_schedule_calls_the_job_until_complete_like_the_state_machine() {
    let world = World::with_timeout(Some(Duration::from_millis(5_700))).await;
    customers::seed_two_pages(&world).await;
    world.proxy.delay_queries(Some(Duration::from_millis(400)));
    let begin = json!({"detail-type": "Scheduled Event", "source": "aws.scheduler", "time": customers::DEMOTIONS_DUE_AT, "detail": "{}"});
    world.take_records();
    world.stack.sweep("tier-recalculation", begin, Some(instant(customers::DEMOTIONS_DUE_AT))).await;
    world.proxy.delay_queries(None);
    let records = world.take_records();
    assert!(records.len() > 1, "in several calls");
    assert_eq!(records.iter().map(|record| record["TiersChanged"].as_u64().unwrap()).sum::<u64>(), 20);
    assert_eq!(run_at(&world, customers::DEMOTIONS_DUE_AT, &json!({})).await["summary"]["totalChanged"], 0);
}

#[tokio::test]
async fn a_run_over_all_orgs_continues_from_the_latest_position_without_a_cursor() {
    let world = seed_two_pages().await;
    world.put_org("another", &json!({"name": "Before it"})).await;
    world.put_loyalty("another", &json!({})).await;
    let latest = recalculation(&json!({"cursor": "latest"}));
    let nothing = world.send_at(&latest, instant(customers::DEMOTIONS_DUE_AT)).await;
    assert_eq!((nothing.status.as_u16(), &nothing.body["results"]), (200, &json!([])), "there is none to go on with");

    world.proxy.delay_queries(Some(Duration::from_millis(400)));
    let timeout = Duration::from_millis(5_700);
    let mut reported =
        world.send_within(&recalculation(&json!({})), instant(customers::DEMOTIONS_DUE_AT), timeout).await.body;
    let mut sum = 0;
    let mut calls = 1;
    loop {
        sum += reported["summary"]["totalChanged"].as_u64().unwrap();
        if reported.get("cursor").is_none() {
            break;
        }
        calls += 1;
        assert!(calls < 100, "it gets on");
        reported = world.send_within(&latest, instant(customers::DEMOTIONS_DUE_AT), timeout).await.body;
    }
    assert_eq!(sum, 20);
    world.proxy.delay_queries(None);
    let ended = world.send_at(&latest, instant(customers::DEMOTIONS_DUE_AT)).await.body;
    assert_eq!(ended["results"], json!([]), "it has ended");
    for body in [json!({"cursor": "latest", "orgId": ORG}), json!({"cursor": "latest", "dryRun": true})] {
        assert_eq!(world.send(&recalculation(&body)).await.code(), "invalid_cursor", "{body}");
    }
}

#[tokio::test]
async fn a_cursor_that_no_matching_run_returned_is_rejected() {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    let world = gold_and_silver().await;
    world.put_org("other", &json!({"name": "Other"})).await;
    let began = "2026-06-01T12:00:00.000Z";
    let cursor = |parts: [&str; 3], position: String| {
        BASE64_URL_SAFE_NO_PAD.encode(json!([parts[0], parts[1], parts[2], position]).to_string())
    };
    let position = |org: Value, within: Value| json!({"began": began, "org": org, "within": within}).to_string();
    let mine = ["recalculate", "", ""];
    let fine = json!({"after": null, "judged_by": 1});
    for (body, reported) in [
        (json!({"cursor": "garbage"}), "garbage"),
        (json!({"cursor": ""}), "nothing"),
        (json!({"cursor": cursor(["transition", "", ""], position(json!(ORG), fine.clone()))}), "another function's"),
        (json!({"cursor": cursor(["recalculate", "", "dryRun"], position(json!(ORG), fine.clone()))}), "a dry run's"),
        (json!({"cursor": cursor(mine, "garbage".into())}), "no position"),
        (json!({"cursor": cursor(mine, position(Value::Null, fine.clone()))}), "within no org"),
        (json!({"cursor": cursor(mine, position(json!("a#b"), Value::Null))}), "no org"),
        (json!({"cursor": cursor(mine, position(json!(ORG), json!({"after": "x", "judged_by": 1})))}), "no customer"),
        (
            json!({"cursor": cursor(mine, position(json!(ORG), json!({"after": "2026#ada", "judged_by": 1})))}),
            "no date",
        ),
        (json!({"cursor": cursor(mine, position(json!(ORG), json!({"later": 1})))}), "without what must be there"),
        (
            json!({"cursor": cursor(mine, json!({"began": "2026-06-01T12:00:00.001Z", "org": null, "within": null}).to_string())}),
            "yet to come",
        ),
        (
            json!({"orgId": ORG, "cursor": cursor(["recalculate", ORG, ""], position(json!("other"), fine.clone()))}),
            "a position in another org",
        ),
    ] {
        let answer = world.send(&recalculation(&body)).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (422, "invalid_cursor"), "{reported}: {}", answer.body);
    }
    let others = cursor(["recalculate", "other", ""], position(json!("other"), fine));
    let answer = world.send(&recalculation(&json!({"orgId": ORG, "cursor": others}))).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (403, "other_org"));
    assert_eq!(tier(&world, "ada").await, "Gold");
}
