//! The recalculation of tiers: inactivity, changed settings, dry runs.

use harness::{
    Response, World, audit, instant,
    scenario::{award, recalculation},
    world,
    world::ORG,
};
use serde_json::{Value, json};

/// Half a year and a day after noon. A customer who ordered at noon has fallen one tier.
pub(super) const LATER: &str = "2026-11-29T12:00:00Z";

pub(super) async fn run_at(world: &World, now: &str, body: &Value) -> Value {
    let answer = world.send_at(&recalculation(body), instant(now)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

/// A world in which Ada is Gold and Bo is Silver, each by an order at noon.
pub(super) async fn gold_and_silver() -> World {
    let world = World::new().await;
    for (name, total) in [("ada", "600"), ("bo", "250")] {
        world.put_customer(ORG, name, &json!({})).await;
        assert_eq!(world.send(&award(name, &format!("{name}-1"), total, &json!({}))).await.status, 201);
    }
    world.proxy.take_requests();
    world
}

pub(super) async fn tier(world: &World, customer: &str) -> Value {
    audit::check(world, ORG, customer).await["tier"].clone()
}

#[tokio::test]
async fn inactive_customers_fall_a_tier_each_half_year_until_the_next_order() {
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
async fn a_run_reports_its_changes_and_a_second_run_has_none() {
    let world = gold_and_silver().await;
    world.put_customer(ORG, "new", &json!({})).await;
    world.take_records();
    let run = run_at(&world, LATER, &json!({})).await;
    let reported = &run["results"][0];
    for (name, value) in [("orgId", json!(ORG)), ("success", json!(true)), ("errors", json!(0))] {
        assert_eq!(reported[name], value, "{run}");
    }
    for (name, count) in [("customers", 3), ("changed", 2), ("promotions", 0), ("demotions", 2)] {
        assert_eq!(reported[name], count, "{run}");
    }
    let summary =
        json!({"totalOrgs": 1, "successfulOrgs": 1, "totalCustomers": 3, "totalChanged": 2, "totalErrors": 0});
    assert_eq!((&run["success"], &run["summary"], run.get("cursor")), (&json!(true), &summary, None));
    assert!(run["jobDuration"].is_u64() && reported["duration"].is_u64());
    let record = &world.take_records()[0];
    for (name, count) in [("CustomersJudged", 3), ("TiersChanged", 2), ("Demotions", 2), ("Promotions", 0)] {
        assert_eq!(record[name], count, "{record}");
    }

    let second = run_at(&world, LATER, &json!({})).await;
    assert_eq!((&second["summary"]["totalCustomers"], &second["summary"]["totalChanged"]), (&json!(3), &json!(0)));
    assert_eq!((tier(&world, "ada").await, tier(&world, "bo").await), (json!("Silver"), json!("Bronze")));
}

#[tokio::test]
async fn a_schedule_and_an_invocation_behave_like_a_request() {
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
async fn changed_thresholds_apply_to_all_customers_at_the_next_run_with_their_cause() {
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
async fn a_shorter_inactivity_period_applies_at_the_next_run_with_settings_as_cause() {
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
async fn a_customer_left_unchanged_by_new_settings_is_later_lowered_by_inactivity() {
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
    let reported = ["changed", "promotions", "demotions"].map(|name| run["results"][0][name].as_u64().unwrap());
    assert_eq!(reported, [1, 0, 0], "{run}");
    assert_eq!(world.get(&format!("/orgs/{ORG}/customers/ada")).await.body["tier"], "Or");
}

#[tokio::test]
async fn an_org_with_loyalty_off_is_skipped_and_one_without_customers_is_reported() {
    let world = gold_and_silver().await;
    world.put_org("empty", &json!({"name": "Empty"})).await;
    world.put_loyalty("empty", &json!({})).await;
    world.put_org("unset", &json!({"name": "Unset"})).await;
    world.put_loyalty(ORG, &json!({"enabled": false})).await;
    let run = run_at(&world, LATER, &json!({})).await;
    let reported: Vec<(&Value, &Value)> = run["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reported| (&reported["orgId"], &reported["customers"]))
        .collect();
    assert_eq!(reported, [(&json!("empty"), &json!(0))]);
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
async fn a_dry_run_writes_nothing_and_applies_other_settings_if_given() {
    let world = gold_and_silver().await;
    world.take_records();
    let strict = json!({
        "orgId": ORG, "dryRun": true,
        "loyalty": {"tiers": [{"name": "Bronze", "threshold": 0}, {"name": "Silver", "threshold": 2_000}]},
    });
    for _ in 0..2 {
        let dry = run_at(&world, LATER, &json!({"dryRun": true})).await;
        assert_eq!(dry["summary"]["totalChanged"], 2);
        // These settings have no Gold, and a higher threshold for Silver.
        let dry = run_at(&world, "2026-06-01T12:00:00Z", &strict).await;
        let reported = ["changed", "promotions", "demotions"].map(|name| dry["results"][0][name].as_u64().unwrap());
        assert_eq!(reported, [2, 0, 1], "{dry}");
    }
    world.put_loyalty(ORG, &json!({"enabled": false})).await;
    assert_eq!(run_at(&world, LATER, &strict).await["summary"]["totalChanged"], 2, "what if it were on?");
    assert!(world.take_records().iter().all(|record| record["TiersChanged"].is_null()));
    world.put_loyalty(ORG, &json!({})).await;
    assert_eq!((tier(&world, "ada").await, tier(&world, "bo").await), (json!("Gold"), json!("Silver")));
}

#[tokio::test]
async fn only_a_dry_run_of_one_org_accepts_settings_and_every_fault_is_reported() {
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
async fn an_unreadable_org_or_customer_is_reported_and_does_not_block_the_others() {
    let world = gold_and_silver().await;
    world.put_org("broken", &json!({"name": "Broken"})).await;
    world.put_loyalty("broken", &json!({})).await;
    world.corrupt("CUSTOMER#shop#bo", "PROFILE", "points").await;
    world.corrupt("ORG#broken", "ORG", "loyalty").await;
    let run = run_at(&world, LATER, &json!({})).await;
    let reported: Vec<(&Value, &Value, &Value)> = run["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reported| (&reported["orgId"], &reported["success"], &reported["errors"]))
        .collect();
    let failed = json!(false);
    assert_eq!(reported, [(&json!("broken"), &failed, &json!(1)), (&json!(ORG), &failed, &json!(1))]);
    let summary =
        json!({"totalOrgs": 2, "successfulOrgs": 0, "totalCustomers": 2, "totalChanged": 1, "totalErrors": 2});
    assert_eq!((&run["success"], &run["summary"]), (&json!(false), &summary));
    assert_eq!(tier(&world, "ada").await, "Silver");
}

#[tokio::test]
async fn a_dry_run_takes_every_setting_of_a_programme() {
    let world = World::new().await;
    let loyalty = json!({
        "enabled": true, "pointsPerDollar": 2, "earnRate": {"points": 1, "per": 3}, "equityMultiplier": 1.5,
        "tiers": [{"name": "Only", "threshold": 0, "pointsMultiplier": 2}],
        "redemptionTiers": [{"pointsCost": 100, "rewardValue": 5}], "redemptionMode": "exact",
        "inactivityDays": 90, "activeDays": 60, "pendingDays": 3, "pointsExpiry": {"months": 2, "roundTo": "day"},
        "enrolment": "first_order",
    });
    let run = json!({"orgId": ORG, "dryRun": true, "loyalty": loyalty});
    let answer = world.send(&recalculation(&run)).await;
    assert_eq!((answer.status.as_u16(), &answer.body["success"]), (200, &json!(true)), "{}", answer.body);
}
