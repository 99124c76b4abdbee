//! Runs of the job: the customers to score, the scores that are stored, the cost.

use std::sync::Arc;

use harness::{
    anthropic::world_with_claude,
    scenario,
    world::{ORG, noon},
};
use serde_json::{Value, json};

use super::support::{NOON, customer, figures, in_world, of, run, run_at, three};

#[tokio::test]
async fn a_dry_run_reports_scores_without_requests_to_claude_or_writes() {
    let (world, anthropic, _) = world_with_claude(&[]).await;
    let world = in_world(world).await;
    let before = of(&world, "often").await;
    world.proxy.take_requests();
    world.take_records();
    let dry = run_at(&world, NOON, &json!({"dryRun": true})).await;
    assert_eq!(figures(&dry, &["predictions", "claude", "statistical", "errors"]), [3, 0, 3, 0], "{dry}");
    assert_eq!(dry["summary"]["withoutClaude"], "dry_run");
    assert!(anthropic.requests().is_empty());
    let measured: Vec<Value> = world.take_records().iter().map(|record| record["Predictions"].clone()).collect();
    assert_eq!(measured, [Value::Null], "a dry run counts for nothing");
    let seen = world.proxy.take_requests();
    assert!(seen.iter().all(|request| ["Query", "BatchGetItem"].contains(&request.as_str())), "{seen:?}");
    assert_eq!(of(&world, "often").await, before);

    let real = run(&world).await;
    for name in ["predictions", "highRisk", "mediumRisk", "lowRisk"] {
        assert_eq!(real["results"][0][name], dry["results"][0][name], "{name}");
    }
}

#[tokio::test]
async fn only_active_customers_are_scored() {
    let world = three().await;
    customer(&world, "long-gone", &[200, 90]).await;
    world.put_customer(ORG, "never", &json!({})).await;
    let run = run(&world).await;
    assert_eq!(figures(&run, &["predictions", "claude", "statistical", "errors"]), [3, 0, 3, 0], "{run}");
    let levels: u64 = figures(&run, &["highRisk", "mediumRisk", "lowRisk"]).iter().sum();
    assert_eq!(levels, 3);
    let summary = &run["summary"];
    for (name, value) in [("totalOrgs", 1), ("successfulOrgs", 1), ("totalPredictions", 3), ("totalErrors", 0)] {
        assert_eq!(summary[name], value, "{run}");
    }
    assert_eq!(summary["totalHighRisk"], run["results"][0]["highRisk"]);
    assert_eq!(
        (&run["success"], &summary["withoutClaude"], run.get("cursor")),
        (&json!(true), &json!("not_configured"), None)
    );
    for name in ["long-gone", "never"] {
        assert_eq!(of(&world, name).await["churnProbability"], Value::Null);
    }

    let (often, before, once) = (of(&world, "often").await, of(&world, "before").await, of(&world, "once").await);
    let probability = |customer: &Value| customer["churnProbability"].as_f64().unwrap();
    assert!(probability(&often) < probability(&once) && probability(&once) < probability(&before));
    assert_eq!(often["churnSource"], "statistical");
    assert_eq!(often["churnPredictedAt"], "2026-06-01T12:00:00.000Z");
    assert_eq!(often["churnReasoning"], "Last ordered 2 days ago; 8 orders since the first, 140 days ago.");
    assert_eq!(once["churnReasoning"], "Last ordered 10 days ago, their only order.");
    let level = |customer: &Value| match probability(customer) {
        up_to if up_to <= 25.0 => "low",
        up_to if up_to <= 50.0 => "medium",
        up_to if up_to <= 75.0 => "high",
        _ => "critical",
    };
    for customer in [&often, &before, &once] {
        assert_eq!(customer["churnRiskLevel"], level(customer), "{customer}");
    }
}

#[tokio::test]
async fn the_metrics_of_a_run_count_customers_by_risk_level_and_by_source() {
    let world = three().await;
    run(&world).await;
    let record = &world.take_records()[0];
    let count = |name: &str| record[name].as_u64().unwrap();
    assert_eq!(count("LowRisk") + count("MediumRisk") + count("HighRisk") + count("CriticalRisk"), 3);
    assert_eq!(
        [count("Predictions"), count("ByStatistics"), count("ByClaude"), count("ErrorsEncountered")],
        [3, 3, 0, 0]
    );
}

#[tokio::test]
async fn a_customer_scored_since_the_start_of_the_run_is_not_scored_again() {
    let world = three().await;
    assert_eq!(run(&world).await["summary"]["totalPredictions"], 3);
    assert_eq!(run(&world).await["summary"]["totalPredictions"], 0);
    assert_eq!(run_at(&world, "2026-06-01T12:00:00.001Z", &json!({})).await["summary"]["totalPredictions"], 3);
}

#[tokio::test]
async fn one_customer_can_be_scored_on_request_repeatedly() {
    let world = three().await;
    let body = json!({"orgId": ORG, "customerId": "often"});
    for _ in 0..2 {
        let run = run_at(&world, NOON, &body).await;
        assert_eq!(run["summary"]["totalPredictions"], 1, "{run}");
    }
    assert_eq!(of(&world, "once").await["churnProbability"], Value::Null);
    customer(&world, "long-gone", &[90]).await;
    let body = json!({"orgId": ORG, "customerId": "long-gone"});
    assert_eq!(run_at(&world, NOON, &body).await["summary"]["totalPredictions"], 0, "not active");
}

#[tokio::test]
async fn a_faulty_request_is_rejected_with_its_faults() {
    let world = three().await;
    let code = async |body: Value| {
        let answer = world.send(&scenario::prediction(&body)).await;
        (answer.status.as_u16(), answer.code().to_owned(), answer.fields().join(" "))
    };
    let invalid = |field: &str| (422, "invalid_fields".to_owned(), field.to_owned());
    assert_eq!(code(json!({"customerId": "often"})).await, invalid("customerId"));
    assert_eq!(code(json!({"orgId": ORG, "customerId": "often", "cursor": "x"})).await, invalid("cursor"));
    assert_eq!(code(json!({"force": true})).await, invalid("force"));
    assert_eq!(
        code(json!({"orgId": ORG, "customerId": "nobody"})).await,
        (404, "unknown_customer".into(), String::new())
    );
    assert_eq!(code(json!({"orgId": "nobody"})).await, (404, "unknown_org".into(), String::new()));
    assert_eq!(code(json!({"cursor": "garbage"})).await, (422, "invalid_cursor".into(), String::new()));
    world.put_loyalty(ORG, &json!({"enabled": false})).await;
    assert_eq!(run(&world).await["results"], json!([]), "passed over");
}

#[tokio::test]
async fn an_unreadable_customer_is_reported_and_does_not_block_other_customers() {
    let world = three().await;
    world.corrupt("CUSTOMER#shop#often", "PROFILE", "points").await;
    let run = run(&world).await;
    assert_eq!((figures(&run, &["predictions", "errors"]), &run["success"]), (vec![2, 1], &json!(false)), "{run}");
}

#[tokio::test]
async fn an_award_that_races_a_run_and_the_score_are_both_kept() {
    let world = Arc::new(three().await);
    let run = {
        let world = Arc::clone(&world);
        tokio::spawn(async move { run(&world).await })
    };
    let awards = (0..20).map(|number| {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let order = scenario::award("often", &format!("race-{number}"), "1", &json!({}));
            assert!(world.send_with_retries(&order, noon()).await.is_applied());
        })
    });
    futures::future::try_join_all(awards).await.unwrap();
    assert_eq!(run.await.unwrap()["summary"]["totalPredictions"], 3);
    let often = of(&world, "often").await;
    assert_eq!((&often["orderCount"], &often["churnSource"]), (&json!(28), &json!("statistical")));
}

#[tokio::test]
async fn a_run_costs_its_pages_plus_a_transaction_per_customer_plus_a_constant() {
    let world = three().await;
    run_at(&world, NOON, &json!({"orgId": ORG})).await;
    let seen = world.proxy.take_requests();
    let count = |operation: &str| seen.iter().filter(|seen| *seen == operation).count();
    // Reads: org and model. Queries: eight days of predictions, all customers, active ones. Writes: model and scores.
    assert_eq!((count("BatchGetItem"), count("Query"), count("TransactWriteItems")), (2, 10, 4));
    assert_eq!(seen.len(), 16);
}
