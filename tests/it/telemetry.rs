//! One metrics record a call, in CloudWatch's embedded metric format, with bounded dimensions.

use harness::{Request, World, scenario::award, world::ORG};
use serde_json::{Value, json};

#[tokio::test]
async fn a_call_writes_one_record_that_says_how_it_ended() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.take_records();
    world.send(&award("ada", "o1", "49.99", &json!({}))).await;
    world.send(&award("ada", "o1", "50", &json!({}))).await;
    world.send(&award("ada", "o1", "49.99", &json!({})).anonymous()).await;
    let records = world.take_records();
    let ended = |record: &Value| ["Succeeded", "Refused", "Failed"].map(|name| record[name].as_i64().unwrap());
    assert_eq!(records.iter().map(ended).collect::<Vec<_>>(), [[1, 0, 0], [0, 1, 0], [0, 1, 0]]);
    let codes: Vec<Option<&str>> = records.iter().map(|record| record["Code"].as_str()).collect();
    assert_eq!(codes, [None, Some("idempotency_mismatch"), Some("unauthorized")]);
    let operations: Vec<&str> = records.iter().map(|record| record["Operation"].as_str().unwrap()).collect();
    assert_eq!(operations, ["award", "award", "none"]);
    assert_eq!((&records[0]["PointsAwarded"], &records[0]["OrgId"]), (&json!(49), &json!(ORG)));
}

#[tokio::test]
async fn every_metric_of_a_record_is_in_it_and_no_dimension_is_an_id() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&award("ada", "o1", "49.99", &json!({}))).await;
    for record in world.take_records() {
        let directive = &record["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Namespace"], "Regulars/regulars");
        assert_eq!(directive["Dimensions"], json!([["Function"], ["Function", "Operation"]]));
        assert!(["Function", "Operation"].iter().all(|name| !record[name].as_str().unwrap().is_empty()));
        for metric in directive["Metrics"].as_array().unwrap() {
            assert!(record[metric["Name"].as_str().unwrap()].is_number(), "{record}");
        }
        assert!(record["_aws"]["Timestamp"].as_i64().unwrap() > 1_700_000_000_000);
    }
}

#[tokio::test]
async fn health_checks_are_not_calls() {
    let world = World::new().await;
    world.take_records();
    world.send(&Request::new("GET", "back-office", "/health").anonymous()).await;
    assert!(world.take_records().is_empty());
}
