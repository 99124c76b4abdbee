//! The figures in metrics records equal what the calls did.

use std::time::Duration;

use harness::{
    World,
    anthropic::{ApiReply, world_with_claude},
    bundles, customers, instant, scenario,
    scenario::{award, recalculation, redeem_points, refund_request},
    world::ORG,
};
use serde_json::{Value, json};

/// The last record.
fn last(world: &World) -> Value {
    world.take_records().pop().unwrap()
}

#[tokio::test]
async fn an_award_records_points_equity_and_promotions() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.put_customer(ORG, "eve", &json!({"equityStatus": true})).await;
    world.put_loyalty(ORG, &json!({"equityMultiplier": 1.5})).await;
    let cases = [
        ("ada", json!({}), [json!(100), Value::Null, Value::Null]),
        ("ada", json!({"equityStatus": true}), [json!(150), json!(150), json!(1)]),
        ("eve", json!({}), [json!(150), json!(150), Value::Null]),
    ];
    for (number, (customer, more, expected)) in cases.into_iter().enumerate() {
        let order = award(customer, &format!("o{number}"), "100", &more);
        world.send(&order).await;
        let record = last(&world);
        let reported = ["PointsAwarded", "PointsAwardedWithEquity", "Promotions"].map(|name| record[name].clone());
        assert_eq!(reported, expected, "{record}");
        world.send(&order).await;
        assert_eq!(last(&world)["PointsAwarded"], Value::Null, "a replay awards nothing");
    }
    world.send(&refund_request("ada", "o1", "r", None)).await;
    let record = last(&world);
    assert_eq!((&record["PointsReversed"], &record["Promotions"]), (&json!(150), &Value::Null));
}

#[tokio::test]
async fn a_points_redemption_records_its_points_and_its_discount() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&scenario::adjustment("ada", "a", 500)).await;
    let value = world.send(&redeem_points("ada", "o1", 300, "49.99")).await.body["value"].as_f64().unwrap();
    let record = last(&world);
    assert_eq!(record["PointsRedeemed"], 300);
    assert!((record["MinorUnitsRedeemed"].as_f64().unwrap() - value * 100.0).abs() < 0.001, "{record}");
    world.send(&redeem_points("ada", "o2", 300, "49.99")).await;
    let record = last(&world);
    assert_eq!((&record["RedemptionsRefused"], &record["PointsRedeemed"]), (&json!(1), &Value::Null));
}

#[tokio::test]
async fn a_run_records_its_transitions_by_status() {
    let world = World::new().await;
    for number in 0..3 {
        world.send(&bundles::put(&format!("s{number}"), &json!({"startDate": "2026-06-01T13:00:00Z"}))).await;
    }
    let ends = json!({"startDate": "2026-05-01T13:00:00Z", "endDate": "2026-06-01T13:00:00Z"});
    world.send(&bundles::put("e", &ends)).await;
    world.send(&bundles::put("h", &json!({"timeStart": "07:00", "timeEnd": "08:30"}))).await;
    world.send_at(&bundles::job(&json!({"dryRun": true})), instant("2026-06-01T13:00:00Z")).await;
    let dry = last(&world);
    world.send_at(&bundles::job(&json!({})), instant("2026-06-01T13:00:00Z")).await;
    let record = last(&world);
    let reported = ["TransitionsPerformed", "Activated", "Paused", "Expired", "Runs"].map(|name| record[name].clone());
    assert_eq!(json!(reported), json!([5, 3, 1, 1, 1]));
    assert!(["TransitionsPerformed", "Activated", "Runs"].iter().all(|name| dry[name].is_null()), "{dry}");
}

#[tokio::test]
async fn a_runs_transitions_are_counted_if_another_jobs_state_is_unreadable() {
    let world = World::new().await;
    world.send(&bundles::job(&json!({}))).await;
    world.send(&bundles::put("b", &json!({"startDate": "2026-06-01T13:00:00Z"}))).await;
    world.corrupt("SWEEP#predict", "ENDED", "ended").await;
    assert_eq!(world.send_at(&bundles::job(&json!({})), instant("2026-06-01T13:00:00Z")).await.status, 500);
    let record = last(&world);
    let reported = ["Failed", "TransitionsPerformed", "Activated", "Runs"].map(|name| record[name].clone());
    assert_eq!(json!(reported), json!([1, 1, 1, null]), "{record}");
}

#[tokio::test]
async fn a_run_is_counted_once_when_it_completes() {
    let world = World::new().await;
    world.send(&bundles::put("b", &json!({"startDate": "2026-06-01T13:00:00Z"}))).await;
    let at = instant("2026-06-01T13:00:00Z");
    // Less than the reserve of the job, so the job stops at once.
    let stopped = world.send_within(&bundles::job(&json!({})), at, Duration::from_secs(4)).await.body;
    assert_eq!(last(&world)["Runs"], Value::Null, "{stopped}");
    world.send_at(&bundles::job(&json!({"cursor": stopped["cursor"]})), at).await;
    let record = last(&world);
    assert_eq!((&record["Runs"], &record["TransitionsPerformed"]), (&json!(1), &json!(1)), "{record}");
}

#[tokio::test]
async fn a_recalculation_records_the_number_of_customers_at_each_tier_rank() {
    let world = World::new().await;
    customers::seed_two_pages(&world).await;
    world.send_at(&recalculation(&json!({"dryRun": true})), instant(customers::DEMOTIONS_DUE_AT)).await;
    assert!(last(&world).as_object().unwrap().keys().all(|name| !name.starts_with("HoldingTier")));
    world.send_at(&recalculation(&json!({})), instant(customers::DEMOTIONS_DUE_AT)).await;
    let record = last(&world);
    let everybody = customers::all(&world, ORG).await;
    let held = customers::per_tier(&everybody);
    for (height, tier) in ["Bronze", "Silver", "Gold", "Platinum"].into_iter().enumerate() {
        let reported = record[format!("HoldingTier{}", height + 1)].as_u64();
        let expected = held.get(tier).map(|count| u64::try_from(*count).unwrap());
        assert_eq!(reported, expected, "{tier} {record}");
    }
    assert_eq!(record["Demotions"], 20);
}

#[tokio::test]
async fn a_prediction_records_new_critical_customers_and_scores_without_claude() {
    let (world, anthropic, _) = world_with_claude(&[]).await;
    for name in ["ada", "bob"] {
        world.put_customer(ORG, name, &json!({})).await;
        world.send(&award(name, name, "40", &json!({"fulfilledAt": "2026-05-20T12:00:00Z"}))).await;
    }
    let reported = async |at: &str, say: ApiReply| {
        anthropic.always(say);
        world.send_at(&scenario::prediction(&json!({})), instant(at)).await;
        let record = last(&world);
        ["CriticalRisk", "NewlyCritical", "ByClaude", "ByStatistics", "WithoutClaude", "Clipped"]
            .map(|name| record[name].clone())
    };
    // Both are at high risk by the statistical model. Claude disagrees about the first.
    let first_is = |probability: u32| ApiReply::Probability(json!(probability));
    let [critical, newly, claude, statistics, without, clipped] = reported("2026-06-01T12:00:00Z", first_is(10)).await;
    assert_eq!([&critical, &newly, &claude, &statistics, &without], [1, 0, 2, 0, 0], "it is not known what they were");
    assert_eq!(clipped, 1, "nobody is as safe as that who is critical by the statistical model");
    let [critical, newly, ..] = reported("2026-06-02T12:00:00Z", first_is(99)).await;
    assert_eq!([&critical, &newly], [2, 1]);
    let [critical, newly, ..] = reported("2026-06-02T13:00:00Z", first_is(99)).await;
    assert_eq!([&critical, &newly], [2, 0], "they were before");
    let [_, _, claude, statistics, without, _] = reported("2026-06-03T12:00:00Z", ApiReply::Status(500)).await;
    assert_eq!([&claude, &statistics, &without], [0, 2, 2]);

    let world = World::new().await;
    world.send(&scenario::prediction(&json!({}))).await;
    assert_eq!(last(&world)["WithoutClaude"], Value::Null, "there is no key");
}
