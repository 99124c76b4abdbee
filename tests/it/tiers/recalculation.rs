//! The recalculation of every customer's tier.

use std::{sync::Arc, time::Duration};

use harness::{
    Response, World, audit, customers, instant,
    scenario::{award, recalculation},
    world,
    world::ORG,
};
use serde_json::{Value, json};

/// Half a year and a day after noon: whoever ordered then is one step down.
const LATER: &str = "2026-11-29T12:00:00Z";

async fn run_at(world: &World, now: &str, body: &Value) -> Value {
    let answer = world.send_at(&recalculation(body), instant(now)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

/// Ada is Gold and bo is Silver, by an order each at noon.
async fn gold_and_silver() -> World {
    let world = World::new().await;
    for (name, total) in [("ada", "600"), ("bo", "250")] {
        world.put_customer(ORG, name, &json!({})).await;
        assert_eq!(world.send(&award(name, &format!("{name}-1"), total, &json!({}))).await.status, 201);
    }
    world.wire.take_seen();
    world
}

async fn tier(world: &World, customer: &str) -> Value {
    audit::check(world, ORG, customer).await["tier"].clone()
}

#[tokio::test]
async fn the_inactive_are_lowered_a_step_each_half_year_and_the_next_order_restores_them() {
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "600")
        .at("2026-11-28T11:59:59Z")
        .recalculate()
        .expect_customer("ada", json!({"tier": "Gold"}))
        .at("2026-11-28T12:00:00Z")
        .recalculate()
        .expect_customer("ada", json!({"tier": "Silver", "tierUpdatedAt": "2026-11-28T12:00:00.000Z"}))
        .recalculate()
        .at("2027-05-27T12:00:00Z")
        .recalculate()
        .at("2029-05-27T12:00:00Z")
        .recalculate()
        .award("ada", "o2", "1")
        .expect(json!({"tier": "Gold", "tierChange": {"from": "Bronze", "to": "Gold", "cause": "order"}}))
        .expect_entries(
            "ada",
            [
                "points_earned o1 +600 =600",
                "tier_changed Bronze>Gold order",
                "tier_changed Gold>Silver inactivity",
                "tier_changed Silver>Bronze inactivity",
                "points_earned o2 +1 =601",
                "tier_changed Bronze>Gold order",
            ],
        )
        .await;
}

#[tokio::test]
async fn a_run_tells_what_it_did_and_a_second_one_has_nothing_to_do() {
    let world = gold_and_silver().await;
    world.put_customer(ORG, "new", &json!({})).await;
    world.take_records();
    let run = run_at(&world, LATER, &json!({})).await;
    let told = &run["results"][0];
    for (name, value) in [("orgId", json!(ORG)), ("success", json!(true)), ("errors", json!(0))] {
        assert_eq!(told[name], value, "{run}");
    }
    for (name, count) in [("customers", 3), ("changed", 2), ("promotions", 0), ("demotions", 2)] {
        assert_eq!(told[name], count, "{run}");
    }
    let summary =
        json!({"totalOrgs": 1, "successfulOrgs": 1, "totalCustomers": 3, "totalChanged": 2, "totalErrors": 0});
    assert_eq!((&run["success"], &run["summary"], run.get("cursor")), (&json!(true), &summary, None));
    assert!(run["jobDuration"].is_u64() && told["duration"].is_u64());
    let record = &world.take_records()[0];
    for (name, count) in [("CustomersJudged", 3), ("TiersChanged", 2), ("Demotions", 2), ("Promotions", 0)] {
        assert_eq!(record[name], count, "{record}");
    }

    let second = run_at(&world, LATER, &json!({})).await;
    assert_eq!((&second["summary"]["totalCustomers"], &second["summary"]["totalChanged"]), (&json!(3), &json!(0)));
    assert_eq!((tier(&world, "ada").await, tier(&world, "bo").await), (json!("Silver"), json!("Bronze")));
}

#[tokio::test]
async fn a_schedule_and_an_invocation_do_what_a_request_does() {
    let world = gold_and_silver().await;
    world.put_loyalty(ORG, &json!({"tiers": [{"name": "Only", "threshold": 0}]})).await;
    let event = json!({
        "version": "0", "id": "1", "detail-type": "Scheduled Event", "source": "aws.scheduler", "account": "1",
        "time": "2026-06-01T12:00:00Z", "region": "r", "resources": [], "detail": "{}",
    });
    let answer = world.invoke("tier-recalculation", event).await.unwrap();
    assert_eq!(answer["summary"]["totalChanged"], 2);
    let answer = world.invoke("tier-recalculation", json!({"orgId": ORG})).await.unwrap();
    assert_eq!((&answer["summary"]["totalOrgs"], &answer["summary"]["totalChanged"]), (&json!(1), &json!(0)));
    let unknown = world.invoke("tier-recalculation", json!({"orgId": "nobody"})).await.unwrap();
    assert_eq!(unknown["code"], "unknown_org", "what a state machine takes for done");
}

#[tokio::test]
async fn changed_thresholds_take_effect_for_everybody_at_the_next_run_and_say_so() {
    world()
        .await
        .customer("ada")
        .customer("bo")
        .award("ada", "o1", "600")
        .award("bo", "o1-bo", "150")
        .loyalty(json!({"tiers": [{"name": "Bronze", "threshold": 0}, {"name": "Silver", "threshold": 100}]}))
        .recalculate()
        .expect(
            json!({"summary": {"totalOrgs": 1, "successfulOrgs": 1, "totalCustomers": 2, "totalChanged": 2, "totalErrors": 0}}),
        )
        .expect_entries(
            "ada",
            ["points_earned o1 +600 =600", "tier_changed Bronze>Gold order", "tier_changed Gold>Silver settings"],
        )
        .expect_entries("bo", ["points_earned o1-bo +150 =150", "tier_changed Bronze>Silver settings"])
        .await;
}

#[tokio::test]
async fn a_shorter_inactivity_takes_effect_at_the_next_run_with_the_settings_as_its_cause() {
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "600")
        .at("2026-06-21T12:00:00Z")
        .loyalty(json!({"inactivityDays": 10}))
        .recalculate()
        .expect_customer("ada", json!({"tier": "Bronze"}))
        .expect_entries(
            "ada",
            ["points_earned o1 +600 =600", "tier_changed Bronze>Gold order", "tier_changed Gold>Bronze settings"],
        )
        .await;
}

#[tokio::test]
async fn who_was_judged_by_new_settings_and_left_as_they_were_is_later_lowered_by_inactivity_not_by_the_settings() {
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "600")
        .loyalty(json!({"tiers": [{"name": "Bronze", "threshold": 0}, {"name": "Gold", "threshold": 550}]}))
        .recalculate()
        .at(LATER)
        .recalculate()
        .expect_entries(
            "ada",
            ["points_earned o1 +600 =600", "tier_changed Bronze>Gold order", "tier_changed Gold>Bronze inactivity"],
        )
        .await;
}

#[tokio::test]
async fn a_tier_that_is_no_longer_listed_is_changed_and_neither_promoted_nor_lowered() {
    let world = gold_and_silver().await;
    let renamed = json!({"tiers": [
        {"name": "Copper", "threshold": 0}, {"name": "Silver", "threshold": 200}, {"name": "Or", "threshold": 500},
    ]});
    world.put_loyalty(ORG, &renamed).await;
    let run = run_at(&world, "2026-06-01T12:00:00Z", &json!({})).await;
    let told = ["changed", "promotions", "demotions"].map(|name| run["results"][0][name].as_u64().unwrap());
    assert_eq!(told, [1, 0, 0], "{run}");
    assert_eq!(world.get(&format!("/orgs/{ORG}/customers/ada")).await.body["tier"], "Or");
}

#[tokio::test]
async fn an_org_with_loyalty_off_is_passed_over_and_one_without_customers_is_told_of() {
    let world = gold_and_silver().await;
    world.put_org("empty", &json!({"name": "Empty"})).await;
    world.put_loyalty("empty", &json!({})).await;
    world.put_org("unset", &json!({"name": "Unset"})).await;
    world.put_loyalty(ORG, &json!({"enabled": false})).await;
    let run = run_at(&world, LATER, &json!({})).await;
    let told: Vec<(&Value, &Value)> =
        run["results"].as_array().unwrap().iter().map(|told| (&told["orgId"], &told["customers"])).collect();
    assert_eq!(told, [(&json!("empty"), &json!(0))]);
    assert_eq!(run_at(&world, LATER, &json!({"orgId": ORG})).await["results"], json!([]));
    assert_eq!(tier(&world, "ada").await, "Gold");
}

#[tokio::test]
async fn a_customer_without_orders_is_not_lowered() {
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "600")
        .award("ada", "o2", "300")
        .refund("ada", "o1", "r1")
        .refund("ada", "o2", "r2")
        .customer("new")
        .at("2036-06-01T12:00:00Z")
        .recalculate()
        .expect(
            json!({"summary": {"totalOrgs": 1, "successfulOrgs": 1, "totalCustomers": 2, "totalChanged": 0, "totalErrors": 0}}),
        )
        .expect_entries("new", [])
        .await;
}

#[tokio::test]
async fn a_dry_run_tells_and_writes_nothing_and_judges_by_other_settings_if_given() {
    let world = gold_and_silver().await;
    world.take_records();
    let strict = json!({
        "orgId": ORG, "dryRun": true,
        "loyalty": {"tiers": [{"name": "Bronze", "threshold": 0}, {"name": "Silver", "threshold": 2_000}]},
    });
    for _ in 0..2 {
        let dry = run_at(&world, LATER, &json!({"dryRun": true})).await;
        assert_eq!(dry["summary"]["totalChanged"], 2);
        // Gold is not listed there; Silver is, and further up.
        let dry = run_at(&world, "2026-06-01T12:00:00Z", &strict).await;
        let told = ["changed", "promotions", "demotions"].map(|name| dry["results"][0][name].as_u64().unwrap());
        assert_eq!(told, [2, 0, 1], "{dry}");
    }
    world.put_loyalty(ORG, &json!({"enabled": false})).await;
    assert_eq!(run_at(&world, LATER, &strict).await["summary"]["totalChanged"], 2, "what if it were on?");
    assert!(world.take_records().iter().all(|record| record["TiersChanged"].is_null()));
    world.put_loyalty(ORG, &json!({})).await;
    assert_eq!((tier(&world, "ada").await, tier(&world, "bo").await), (json!("Gold"), json!("Silver")));
}

#[tokio::test]
async fn settings_are_given_for_a_dry_run_of_one_org_alone_and_every_fault_of_a_request_is_named() {
    let world = World::new().await;
    let refused = async |body: Value| {
        let answer: Response = world.send(&recalculation(&body)).await;
        assert_eq!(answer.status, 422, "{}", answer.body);
        answer.fields().join(" ")
    };
    assert_eq!(refused(json!({"loyalty": {}})).await, "loyalty");
    assert_eq!(refused(json!({"loyalty": {}, "dryRun": true})).await, "loyalty");
    assert_eq!(refused(json!({"loyalty": {}, "orgId": ORG})).await, "loyalty");
    let wrong = json!({
        "orgId": ORG, "dryRun": true, "loyalty": {"inactivityDays": 0, "orgId": "x", "tiers": []}, "force": true,
    });
    assert_eq!(refused(wrong).await, "force loyalty.inactivityDays loyalty.orgId loyalty.tiers");
    let unknown = world.send(&recalculation(&json!({"orgId": "nobody"}))).await;
    assert_eq!((unknown.status.as_u16(), unknown.code()), (404, "unknown_org"));
}

#[tokio::test]
async fn one_that_can_not_be_read_is_reported_and_holds_up_no_other() {
    let world = gold_and_silver().await;
    world.put_org("broken", &json!({"name": "Broken"})).await;
    world.put_loyalty("broken", &json!({})).await;
    world.spoil("CUSTOMER#shop#bo", "PROFILE", "points").await;
    world.spoil("ORG#broken", "ORG", "loyalty").await;
    let run = run_at(&world, LATER, &json!({})).await;
    let told: Vec<(&Value, &Value, &Value)> = run["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|told| (&told["orgId"], &told["success"], &told["errors"]))
        .collect();
    let failed = json!(false);
    assert_eq!(told, [(&json!("broken"), &failed, &json!(1)), (&json!(ORG), &failed, &json!(1))]);
    let summary =
        json!({"totalOrgs": 2, "successfulOrgs": 0, "totalCustomers": 2, "totalChanged": 1, "totalErrors": 2});
    assert_eq!((&run["success"], &run["summary"]), (&json!(false), &summary));
    assert_eq!(tier(&world, "ada").await, "Silver");
}

#[tokio::test]
async fn a_customer_whom_a_lagging_index_shows_as_they_were_is_judged_as_they_are() {
    let world = gold_and_silver().await;
    world.wire.let_the_index_lag();
    assert_eq!(run_at(&world, LATER, &json!({"dryRun": true})).await["summary"]["totalChanged"], 2);
    world.send_at(&award("ada", "ada-2", "1", &json!({})), instant("2026-11-29T11:00:00Z")).await;
    // Bo is another by now too, and still to be lowered.
    world.put_customer(ORG, "bo", &json!({"firstName": "Bo"})).await;
    let run = run_at(&world, LATER, &json!({})).await;
    assert_eq!((&run["success"], &run["summary"]["totalChanged"]), (&json!(true), &json!(1)), "bo alone");
    assert_eq!((tier(&world, "ada").await, tier(&world, "bo").await), (json!("Gold"), json!("Bronze")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_award_that_races_the_run_survives_and_the_tier_is_right_in_the_end() {
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
            world.send_until_settled(&order, later).await
        })
    });
    for answer in futures::future::join_all(awards).await {
        assert!(answer.unwrap().has_landed());
    }
    assert_eq!(run.await.unwrap()["success"], true);
    let all = customers::all(&world, ORG).await;
    assert_eq!(all.len(), 41);
    for customer in all {
        let lowered = customer["customerId"] == "ada";
        assert_eq!(customer["tier"], if lowered { "Silver" } else { "Gold" }, "{customer}");
    }
}

async fn two_pages_and_a_bit() -> World {
    let world = World::new().await;
    customers::two_pages_and_a_bit(&world).await;
    world
}

#[tokio::test]
async fn a_run_costs_the_pages_of_the_index_the_changes_and_a_constant() {
    let world = two_pages_and_a_bit().await;
    let run = run_at(&world, customers::DUE, &json!({"orgId": ORG})).await;
    assert_eq!((&run["summary"]["totalCustomers"], &run["summary"]["totalChanged"]), (&json!(2_018), &json!(20)));
    let seen = world.wire.take_seen();
    let count = |operation: &str| seen.iter().filter(|seen| *seen == operation).count();
    // The org; and once after each change of settings, that all were judged by them.
    assert_eq!((count("Query"), count("BatchGetItem"), count("TransactWriteItems")), (3, 2, 21));
    assert_eq!(seen.len(), 26);
    run_at(&world, customers::DUE, &json!({"orgId": ORG})).await;
    assert_eq!(world.wire.take_seen(), ["BatchGetItem", "Query", "Query", "Query"]);
}

#[tokio::test]
async fn stopped_again_and_again_and_continued_it_comes_to_what_it_does_in_one_go() {
    let (whole, parts) = (two_pages_and_a_bit().await, two_pages_and_a_bit().await);
    let in_one_go = run_at(&whole, customers::DUE, &json!({})).await;

    // It wants five seconds for its end, and after two queries has less.
    let patience = Duration::from_millis(5_700);
    parts.wire.slow_queries(Some(Duration::from_millis(400)));
    let mut body = json!({});
    let mut sums = [0, 0];
    let mut calls = 0;
    loop {
        // The clock goes on, and the run is still the one that began.
        let now = instant(customers::DUE) + chrono::TimeDelta::hours(calls);
        let answer = parts.send_within(&recalculation(&body), now, patience).await.body;
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
    let told = ["totalCustomers", "totalChanged"].map(|name| in_one_go["summary"][name].as_u64().unwrap());
    assert_eq!((sums, told), ([2_018, 20], [2_018, 20]));
    parts.wire.slow_queries(None);
    let tiers = |customers: &[Value]| -> Vec<(Value, Value)> {
        customers.iter().map(|customer| (customer["customerId"].clone(), customer["tier"].clone())).collect()
    };
    let (whole, parts) = (customers::all(&whole, ORG).await, customers::all(&parts, ORG).await);
    assert_eq!(tiers(&whole), tiers(&parts));
}

#[tokio::test]
async fn the_schedule_of_the_local_stack_calls_it_until_it_is_done_as_the_state_machine_does() {
    let world = World::with_timeout(Some(Duration::from_millis(5_700))).await;
    customers::two_pages_and_a_bit(&world).await;
    world.wire.slow_queries(Some(Duration::from_millis(400)));
    let begin =
        json!({"detail-type": "Scheduled Event", "source": "aws.scheduler", "time": customers::DUE, "detail": "{}"});
    world.take_records();
    world.stack.sweep("tier-recalculation", begin, Some(instant(customers::DUE))).await;
    world.wire.slow_queries(None);
    let records = world.take_records();
    assert!(records.len() > 1, "in several calls");
    assert_eq!(records.iter().map(|record| record["TiersChanged"].as_u64().unwrap()).sum::<u64>(), 20);
    assert_eq!(run_at(&world, customers::DUE, &json!({})).await["summary"]["totalChanged"], 0);
}

#[tokio::test]
async fn a_run_over_all_orgs_goes_on_where_the_last_one_stopped_for_those_who_can_not_hand_a_cursor_on() {
    let world = two_pages_and_a_bit().await;
    world.put_org("another", &json!({"name": "Before it"})).await;
    world.put_loyalty("another", &json!({})).await;
    let latest = recalculation(&json!({"cursor": "latest"}));
    let nothing = world.send_at(&latest, instant(customers::DUE)).await;
    assert_eq!((nothing.status.as_u16(), &nothing.body["results"]), (200, &json!([])), "there is none to go on with");

    world.wire.slow_queries(Some(Duration::from_millis(400)));
    let patience = Duration::from_millis(5_700);
    let mut told = world.send_within(&recalculation(&json!({})), instant(customers::DUE), patience).await.body;
    let mut sum = 0;
    let mut calls = 1;
    loop {
        sum += told["summary"]["totalChanged"].as_u64().unwrap();
        if told.get("cursor").is_none() {
            break;
        }
        calls += 1;
        assert!(calls < 100, "it gets on");
        told = world.send_within(&latest, instant(customers::DUE), patience).await.body;
    }
    assert_eq!(sum, 20);
    world.wire.slow_queries(None);
    let ended = world.send_at(&latest, instant(customers::DUE)).await.body;
    assert_eq!(ended["results"], json!([]), "it has ended");
    for body in [json!({"cursor": "latest", "orgId": ORG}), json!({"cursor": "latest", "dryRun": true})] {
        assert_eq!(world.send(&recalculation(&body)).await.code(), "invalid_cursor", "{body}");
    }
}

#[tokio::test]
async fn cursors_that_no_such_run_gave_are_refused() {
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
    for (body, told) in [
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
        assert_eq!((answer.status.as_u16(), answer.code()), (422, "invalid_cursor"), "{told}: {}", answer.body);
    }
    let others = cursor(["recalculate", "other", ""], position(json!("other"), fine));
    let answer = world.send(&recalculation(&json!({"orgId": ORG, "cursor": others}))).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (403, "other_org"));
    assert_eq!(tier(&world, "ada").await, "Gold");
}
