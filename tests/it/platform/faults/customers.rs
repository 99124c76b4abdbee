//! Customers and their look-ups under every fault.

use std::{collections::HashMap, sync::Arc};

use aws_sdk_dynamodb::types::AttributeValue;
use harness::{
    Request, World,
    world::{ORG, noon},
};
use serde_json::{Value, json};

use super::support::{Invariant, every_fault_of_a_call, send};

fn search(criterion: &Value) -> Request {
    Request::new("POST", "back-office", format!("/orgs/{ORG}/customers/search")).json(criterion)
}

async fn found(world: &World, criterion: &Value) -> Vec<Value> {
    let answer = world.send(&search(criterion)).await.body;
    answer["customers"].as_array().unwrap().iter().map(|customer| customer["customerId"].clone()).collect()
}

/// Checks by which contacts and names Ada is found.
async fn ada_is_found(world: &World, by: &[Value], not_by: &[Value]) {
    for criterion in by {
        assert_eq!(found(world, criterion).await, ["ada"], "{criterion}");
    }
    for criterion in not_by {
        assert!(found(world, criterion).await.is_empty(), "{criterion}");
    }
}

async fn with_ada(world: World) -> World {
    let profile = json!({"lastName": "King", "phone": "212 555 0134", "email": "a@b.example", "cardNumber": "17"});
    assert_eq!(world.put_customer(ORG, "ada", &profile).await.status, 201);
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_contacts_survives_every_fault_at_every_request() {
    let call = |world: Arc<World>| async move {
        let changed = json!({"lastName": "Byron", "phone": "212 555 0199", "cardNumber": "17"});
        send(&world, &Request::put_customer(ORG, "ada").with(&changed), noon()).await
    };
    let holds: Invariant = |world| {
        Box::pin(async move {
            let by = [json!({"phone": "212 555 0199"}), json!({"cardNumber": "17"}), json!({"namePrefix": "byron"})];
            let not_by =
                [json!({"phone": "212 555 0134"}), json!({"email": "a@b.example"}), json!({"namePrefix": "king"})];
            ada_is_found(world, &by, &not_by).await;
        })
    };
    every_fault_of_a_call(with_ada, call, holds).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_survives_every_fault_at_every_request() {
    let call = |world: Arc<World>| async move {
        let patch = Request::new("PATCH", "back-office", format!("/orgs/{ORG}/customers/ada"));
        send(&world, &patch.json(&json!({"email": null, "phone": "212 555 0199"})), noon()).await
    };
    let holds: Invariant = |world| {
        Box::pin(async move {
            let by = [json!({"phone": "212 555 0199"}), json!({"cardNumber": "17"}), json!({"namePrefix": "king"})];
            ada_is_found(world, &by, &[json!({"phone": "212 555 0134"}), json!({"email": "a@b.example"})]).await;
        })
    };
    every_fault_of_a_call(with_ada, call, holds).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_survives_every_fault_at_every_request() {
    let call = |world: Arc<World>| async move {
        let erase = Request::new("DELETE", "back-office", format!("/orgs/{ORG}/customers/ada"));
        send(&world, &erase, noon()).await
    };
    let holds: Invariant = |world| {
        Box::pin(async move {
            let contacts =
                [json!({"phone": "212 555 0134"}), json!({"email": "a@b.example"}), json!({"cardNumber": "17"})];
            ada_is_found(world, &[], &contacts).await;
            ada_is_found(world, &[], &[json!({"namePrefix": "k"})]).await;
            let items = world.client.scan().table_name(&world.table).send().await.unwrap().items.unwrap_or_default();
            let is_lookup = |item: &HashMap<String, AttributeValue>| {
                item["pk"].as_s().unwrap().starts_with("CONTACT#") || item["sk"].as_s().unwrap() == "NAME"
            };
            assert!(!items.iter().any(is_lookup), "{items:?}");
        })
    };
    every_fault_of_a_call(with_ada, call, holds).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_survives_every_fault_at_every_request() {
    for criterion in [json!({"phone": "212 555 0134"}), json!({"namePrefix": "king"})] {
        let call = move |world: Arc<World>| {
            let request = search(&criterion);
            async move { send(&world, &request, noon()).await }
        };
        let holds: Invariant = |world| {
            Box::pin(async move {
                ada_is_found(world, &[json!({"phone": "212 555 0134"}), json!({"namePrefix": "king"})], &[]).await;
            })
        };
        every_fault_of_a_call(with_ada, call, holds).await;
    }
}
