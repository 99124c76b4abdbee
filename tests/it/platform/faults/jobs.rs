//! Jobs under every fault.

use std::sync::Arc;

use harness::{
    World, audit, bundles, scenario,
    world::{ORG, noon},
};
use serde_json::json;

use super::support::{every_fault_of_a_call, of_ada, of_the_bundle, send};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_the_job_survives_every_fault_at_every_request() {
    let later = noon() + chrono::TimeDelta::minutes(5);
    every_fault_of_a_call(
        |world| async move {
            world.send(&bundles::put("b", &json!({"endDate": "2026-06-01T12:00:00.001Z"}))).await;
            world
        },
        |world| async move {
            let answer = world.send_at(&bundles::job(&json!({})), later).await;
            let done = answer.body["success"] == true && answer.body.get("cursor").is_none();
            if done { Ok(()) } else { Err(answer.body.to_string()) }
        },
        of_the_bundle!(0, "expired", 1),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recalculation_survives_every_fault_at_every_request() {
    let later = noon() + chrono::TimeDelta::days(200);
    every_fault_of_a_call(
        |world| async move {
            world.put_customer(ORG, "ada", &json!({})).await;
            world.send(&scenario::award("ada", "o1", "600", &json!({}))).await;
            world
        },
        |world| async move {
            let answer = world.send_at(&scenario::recalculation(&json!({})), later).await;
            let done = answer.body["success"] == true && answer.body.get("cursor").is_none();
            if done { Ok(()) } else { Err(answer.body.to_string()) }
        },
        of_ada!(|ada| assert_eq!(ada["tier"], "Silver")),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prediction_survives_every_fault_at_every_request() {
    every_fault_of_a_call(
        |world| async move {
            world.put_customer(ORG, "ada", &json!({})).await;
            world.send(&scenario::award("ada", "o1", "600", &json!({}))).await;
            world
        },
        |world| async move {
            let answer = world.send(&scenario::prediction(&json!({}))).await;
            let done = answer.body["success"] == true && answer.body.get("cursor").is_none();
            if done { Ok(()) } else { Err(answer.body.to_string()) }
        },
        |world| {
            Box::pin(async move {
                let ada = audit::check(world, ORG, "ada").await;
                assert_eq!(ada["churnSource"], "statistical");
                let level = ada["churnRiskLevel"].as_str().unwrap();
                let list = world.get(&format!("/orgs/{ORG}/customers?riskLevel={level}")).await.body;
                assert_eq!(list["customers"], json!([ada]), "listed, and once");
            })
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bundles_are_re_evaluated_by_newer_zone_rules_despite_every_fault() {
    let outdated = |world: World| async move {
        world.send(&bundles::put("b", &json!({"timeStart": "09:00"}))).await;
        bundles::record_older_zone_rules(&world, ORG, "b").await;
        world
    };
    let runs = |world: Arc<World>| async move {
        // A run with little time, or with a mark that it cannot set or remove, leaves the work to the next run.
        for minutes in [5, 10, 15] {
            let now = noon() + chrono::TimeDelta::minutes(minutes);
            send(&world, &bundles::job(&json!({})), now).await?;
            let recorded = bundles::item(&world, ORG, "b").await["recorded"].as_m().unwrap().clone();
            if recorded["zoneData"].as_s().unwrap() == shared::domain::zone::data_version() {
                return Ok(());
            }
        }
        Err("not judged anew yet".to_owned())
    };
    every_fault_of_a_call(outdated, runs, of_the_bundle!(0, "paused", 0)).await;
}
