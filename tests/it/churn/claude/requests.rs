//! The requests that are sent.

use std::collections::BTreeSet;

use harness::anthropic::ApiReply;
use serde_json::{Value, json};

use super::support::{HORIZON, KEY, all_right, right, rows, test_client};

#[tokio::test]
async fn a_request_has_the_form_that_the_api_accepts() {
    let client = test_client(&[("CHURN_MODEL", "a-model")]).await;
    assert_eq!(client.score(&rows(2)).await, all_right(2));
    let seen = client.anthropic.requests();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].line, "POST /v1/messages");
    let header = |name: &str| seen[0].headers[name].as_str();
    assert_eq!((header("x-api-key"), header("anthropic-version")), (KEY, "2023-06-01"));
    assert_eq!(header("content-type"), "application/json");

    let body = seen[0].json();
    assert_eq!(body["model"], "a-model");
    assert!(body["max_tokens"].as_u64().unwrap() > 2 * 200);
    let system = &body["system"][0];
    assert_eq!((&system["type"], &system["cache_control"]), (&json!("text"), &json!({"type": "ephemeral"})));
    // A token has about four characters, and the default model caches at least 512 tokens.
    assert!(system["text"].as_str().unwrap().len() > 4 * 600);
    let format = &body["output_config"]["format"];
    assert_eq!(format["type"], "json_schema");
    let verdict = &format["schema"]["properties"]["verdicts"]["items"];
    assert_eq!(verdict["required"], json!(["customer", "reasoning", "churnProbability"]));
    assert_eq!(
        (&verdict["additionalProperties"], &format["schema"]["additionalProperties"]),
        (&json!(false), &json!(false))
    );
    // Some models reject fields that other models need.
    let fields: BTreeSet<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, ["max_tokens", "messages", "model", "output_config", "system"].into());
    assert_eq!(body["messages"].as_array().unwrap().len(), 1);
    assert_eq!(body["messages"][0]["role"], "user");
}

#[tokio::test]
async fn a_request_contains_customer_numbers_and_figures_only() {
    let client = test_client(&[]).await;
    client.score(&rows(2)).await;
    let message = client.anthropic.requests()[0].message();
    assert_eq!(message["horizonDays"], HORIZON);
    let expected = |customer: u32| {
        json!({
            "customer": customer, "daysSinceLastOrder": customer, "orders": 7, "lifetimeValue": 499.9,
            "averageOrderValue": 71.41, "daysSinceFirstOrder": 400, "ordersPerMonth": 0.53, "trend": "declining",
            "segment": "at_risk", "tier": "Gold", "points": 120, "statisticalProbability": f64::from(customer) + 0.25,
        })
    };
    assert_eq!(message["customers"], json!([expected(1), expected(2)]));
}

#[tokio::test]
async fn the_cacheable_part_is_the_same_in_every_request() {
    let client = test_client(&[("CHURN_BATCH_SIZE", "3")]).await;
    client.score(&rows(4)).await;
    let bodies: Vec<Value> =
        client.anthropic.requests().iter().map(harness::anthropic::ReceivedRequest::json).collect();
    assert_eq!(bodies.len(), 2);
    for part in ["model", "system", "output_config"] {
        assert_eq!(bodies[0][part], bodies[1][part], "{part}");
    }
}

#[tokio::test]
async fn verdicts_follow_the_order_of_customers_and_batches_are_bounded() {
    for concurrency in ["1", "4"] {
        let client = test_client(&[("CHURN_CONCURRENCY", concurrency)]).await;
        assert_eq!(client.score(&rows(25)).await, all_right(25));
        let mut sizes: Vec<usize> = client.anthropic.requests().iter().map(|seen| seen.customers().len()).collect();
        sizes.sort_unstable();
        assert_eq!(sizes, [5, 10, 10]);
        assert_eq!(client.claude.at_once(), 10 * concurrency.parse::<usize>().unwrap());
    }
    assert_eq!(test_client(&[]).await.score(&[]).await, []);
}

#[tokio::test]
async fn customers_in_a_second_request_have_new_numbers() {
    let client = test_client(&[]).await;
    client.anthropic.script([ApiReply::OmitFirst(3)]);
    let mut customers = rows(5);
    customers.reverse();
    let verdicts = client.score(&customers).await;
    assert_eq!(verdicts, [5, 4, 3, 2, 1].map(|days| Some(right(days))));
    let again = client.anthropic.requests()[1].customers();
    let again: Vec<_> = again.iter().map(|customer| (&customer["customer"], &customer["daysSinceLastOrder"])).collect();
    assert_eq!(again, [(&json!(1), &json!(5)), (&json!(2), &json!(4)), (&json!(3), &json!(3))]);
}
