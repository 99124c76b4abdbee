//! What the scope of a key allows.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use harness::{
    Request, World, bundles, scenario,
    world::{ORG, SECRET},
};
use serde_json::{Value, json};
use shared::domain::org_key::KeyScope;

use super::support::{Route, customer, make, make_scoped, routes, with};

/// What a till may call, written by hand: the declarations of the operations must agree.
const TILL: [&str; 11] = [
    "back-office getCustomer",
    "back-office searchCustomers",
    "bundle-redemption eligibility",
    "bundle-redemption redeem",
    "bundle-redemption void",
    "points-redemption hold",
    "points-redemption options",
    "points-redemption quote",
    "points-redemption redeem",
    "points-redemption release",
    "points-redemption void",
];

/// What a reader may call, written by hand.
const READ: [&str; 15] = [
    "back-office getBundle",
    "back-office getCustomer",
    "back-office listActivity",
    "back-office listBundles",
    "back-office listCustomers",
    "back-office listLiability",
    "back-office listTransitions",
    "back-office searchCustomers",
    "bundle-redemption eligibility",
    "bundle-redemption list",
    "bundle-redemption stats",
    "points-award getAward",
    "points-redemption list",
    "points-redemption options",
    "points-redemption quote",
];

/// The items of the table by their keys.
async fn items(world: &World) -> BTreeMap<[String; 2], HashMap<String, AttributeValue>> {
    let found = world.client.scan().table_name(&world.table).into_paginator().items().send();
    let found: Vec<_> = found.collect::<Result<Vec<_>, _>>().await.unwrap();
    found.into_iter().map(|item| (["pk", "sk"].map(|name| item[name].as_s().unwrap().clone()), item)).collect()
}

#[tokio::test]
async fn a_key_calls_the_operations_of_its_scope_and_no_other_operation_of_any_function() {
    let world = World::new().await;
    for scope in KeyScope::ALL.iter().copied() {
        let (_, key) = make_scoped(&world, ORG, scope.name()).await;
        let mut called = BTreeSet::new();
        for Route { operation, request } in routes(ORG) {
            let name = format!("{} {}", request.function, operation.name);
            let answer = world.send(&with(&key, request)).await;
            let refused = (answer.status.as_u16(), answer.code());
            if operation.callers.is_deployment_only() {
                assert_eq!(refused, (403, "other_org"), "{scope:?} {name}: {}", answer.body);
            } else if operation.callers.scopes().contains(&scope) {
                assert!(![401, 403].contains(&answer.status.as_u16()), "{scope:?} {name}: {}", answer.body);
                called.insert(name);
            } else {
                assert_eq!(refused, (403, "scope_not_allowed"), "{scope:?} {name}: {}", answer.body);
            }
        }
        let by_hand = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        match scope {
            KeyScope::Manage => assert!(called.is_superset(&by_hand(&[&TILL[..], &READ[..]].concat()))),
            KeyScope::Read => assert_eq!(called, by_hand(&READ)),
            KeyScope::Till => assert_eq!(called, by_hand(&TILL)),
        }
    }
}

#[tokio::test]
async fn a_key_with_the_scope_manage_calls_everything_that_is_not_reserved_for_the_deployment() {
    for Route { operation, request } in routes(ORG) {
        let (callers, name) = (operation.callers, operation.name);
        assert_eq!(
            callers.scopes().contains(&KeyScope::Manage),
            !callers.is_deployment_only(),
            "{} {name}",
            request.function
        );
    }
}

/// An org with a customer who has points, and a bundle.
async fn shop(world: &World) {
    world.put_customer(ORG, "ada", &json!({"firstName": "Ada"})).await;
    assert_eq!(world.send(&scenario::adjustment("ada", "a1", 500)).await.status, 201);
    assert_eq!(world.send(&bundles::put("b", &json!({}))).await.status, 201);
    assert_eq!(world.send(&scenario::redeem_points("ada", "o0", 100, "20")).await.status, 201);
}

fn get(function: &'static str, path: &str) -> Request {
    Request::new("GET", function, path)
}

fn quote() -> Request {
    let body = json!({"orgId": ORG, "customerId": "ada", "points": 100, "orderTotal": "20"});
    Request::new("POST", "points-redemption", "/quotes").json(&body)
}

#[tokio::test]
async fn a_key_with_the_scope_read_reads_everything_and_changes_nothing() {
    let world = World::new().await;
    shop(&world).await;
    let (_, key) = make_scoped(&world, ORG, "read").await;
    let before = items(&world).await;
    let reads = [
        get("back-office", "/orgs/shop/bundles"),
        get("back-office", "/orgs/shop/bundles?status=active"),
        get("back-office", "/orgs/shop/bundles/b"),
        get("back-office", "/orgs/shop/bundles/b/transitions"),
        get("back-office", "/orgs/shop/customers"),
        get("back-office", "/orgs/shop/customers?tier=Bronze"),
        get("back-office", "/orgs/shop/customers/ada/activity"),
        customer(ORG, "ada"),
        get("bundle-redemption", "/redemptions?orgId=shop&bundleId=b"),
        get("bundle-redemption", "/eligibility?orgId=shop&bundleId=b&customerId=ada"),
        get("bundle-redemption", "/stats?orgId=shop&bundleId=b"),
        get("points-redemption", "/redemptions?orgId=shop&customerId=ada"),
        get("points-redemption", "/options?orgId=shop&customerId=ada"),
        quote(),
    ];
    for read in reads {
        let answer = world.send(&with(&key, read.clone())).await;
        assert_eq!(answer.status, 200, "{} {}: {}", read.function, read.path, answer.body);
    }
    let writes = [
        scenario::award("ada", "o1", "20", &json!({})),
        scenario::adjustment("ada", "a2", 5),
        scenario::redeem_points("ada", "o1", 100, "20"),
        scenario::void_points("ada", "o0"),
        bundles::redeem("b", "ada", "o1", &json!({})),
        bundles::void("b", "o1"),
        bundles::put("b", &json!({"name": "Other"})),
        bundles::move_to("b", "ended"),
        Request::new("DELETE", "back-office", "/orgs/shop/bundles/b"),
        Request::new("DELETE", "back-office", "/orgs/shop/customers/ada"),
    ];
    for write in writes {
        let answer = world.send(&with(&key, write.clone())).await;
        assert_eq!(answer.code(), "scope_not_allowed", "{} {}", write.method, write.path);
    }
    for Route { request, .. } in routes(ORG) {
        world.send(&with(&key, request)).await;
    }
    assert_eq!(items(&world).await, before);
}

#[tokio::test]
async fn a_key_with_the_scope_till_serves_a_checkout_and_does_nothing_else() {
    let world = World::new().await;
    shop(&world).await;
    world.put_org("other", &json!({"name": "Other"})).await;
    world.put_customer("other", "ada", &json!({})).await;
    let (_, key) = make_scoped(&world, ORG, "till").await;
    let checkout = [
        (customer(ORG, "ada"), 200),
        (get("points-redemption", "/options?orgId=shop&customerId=ada"), 200),
        (quote(), 200),
        (scenario::redeem_points("ada", "o1", 100, "20"), 201),
        (get("bundle-redemption", "/eligibility?orgId=shop&bundleId=b&customerId=ada"), 200),
        (bundles::redeem("b", "ada", "o1", &json!({})), 201),
        (bundles::void("b", "o1"), 200),
        (scenario::void_points("ada", "o1"), 200),
    ];
    for (step, status) in checkout {
        let answer = world.send(&with(&key, step.clone())).await;
        assert_eq!(answer.status, status, "{} {} {}: {}", step.method, step.function, step.path, answer.body);
    }
    let before = items(&world).await;
    let others = [
        get("back-office", "/orgs/shop/customers"),
        get("back-office", "/orgs/shop/customers/ada/activity"),
        get("back-office", "/orgs/shop/bundles"),
        get("points-redemption", "/redemptions?orgId=shop&customerId=ada"),
        get("bundle-redemption", "/redemptions?orgId=shop&bundleId=b"),
        scenario::award("ada", "o2", "2000", &json!({})),
        scenario::refund_request("ada", "o2", "r1", None),
        scenario::adjustment("ada", "a2", 5),
        Request::new("PUT", "back-office", "/orgs/shop/customers/ada").json(&json!({"firstName": "Eve"})),
        Request::new("DELETE", "back-office", "/orgs/shop/customers/ada"),
        bundles::put("b", &json!({})),
    ];
    for other in others {
        let answer = world.send(&with(&key, other.clone())).await;
        assert_eq!(answer.code(), "scope_not_allowed", "{} {} {}", other.method, other.function, other.path);
    }
    let elsewhere = world.send(&with(&key, customer("other", "ada"))).await;
    assert_eq!((elsewhere.status.as_u16(), elsewhere.code()), (403, "other_org"));
    let keys = world.send(&with(&key, get("back-office", "/orgs/shop/keys"))).await;
    assert_eq!((keys.status.as_u16(), keys.code()), (403, "other_org"), "only the deployment manages keys");
    assert_eq!(items(&world).await, before);
}

#[tokio::test]
async fn the_refusal_names_the_scope_of_the_key_and_the_scopes_that_may() {
    let world = World::new().await;
    let detail = async |scope: &str, request: Request| {
        let (_, key) = make_scoped(&world, ORG, scope).await;
        let refused = world.send(&with(&key, request)).await;
        assert_eq!((refused.status.as_u16(), &refused.body["title"]), (403, &json!("scope not allowed")));
        refused.body["detail"].as_str().unwrap().to_owned()
    };
    let list = get("back-office", "/orgs/shop/customers");
    assert_eq!(
        detail("till", list).await,
        "A key with the scope till may not call this operation. Send a key with the scope manage or read."
    );
    assert_eq!(
        detail("read", scenario::award("ada", "o1", "20", &json!({}))).await,
        "A key with the scope read may not call this operation. Send a key with the scope manage."
    );
}

#[tokio::test]
async fn the_scope_is_checked_after_the_size_and_the_route_and_before_the_body() {
    let world = World::new().await;
    let (_, key) = make_scoped(&world, ORG, "till").await;
    let award = || scenario::award("ada", "o1", "20", &json!({}));
    let large = Request { body: vec![b' '; 256 * 1024 + 1], ..award() };
    let encoded = award().header("content-encoding", "gzip");
    let unreadable = Request { body: b"{".to_vec(), ..award() };
    let elsewhere = award().json(&json!({"orgId": "other"}));
    let allowed_encoded = quote().header("content-encoding", "gzip");
    let allowed_unreadable = Request { body: b"{".to_vec(), ..quote() };
    for (request, status, code) in [
        (with("rgs~shop~k1~wrong", large.clone()), 401, "unauthorized"),
        (with(&key, large), 413, "body_too_large"),
        (with(&key, get("points-award", "/nowhere")), 404, "unknown_route"),
        (with(&key, get("points-award", "/awards")), 405, "method_not_allowed"),
        (with(&key, award()), 403, "scope_not_allowed"),
        (with(&key, encoded), 403, "scope_not_allowed"),
        (with(&key, unreadable), 403, "scope_not_allowed"),
        (with(&key, elsewhere), 403, "scope_not_allowed"),
        (with(&key, Request::new("POST", "points-award", "/awards").json(&json!({}))), 403, "scope_not_allowed"),
        (with(&key, allowed_encoded), 415, "unsupported_encoding"),
        (with(&key, allowed_unreadable), 400, "unreadable_json"),
        (with(&key, Request::new("POST", "points-redemption", "/quotes").json(&json!({}))), 422, "invalid_fields"),
    ] {
        let answer = world.send(&request).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (status, code), "{} {}", request.method, request.path);
    }
}

#[tokio::test]
async fn a_key_has_one_of_three_scopes() {
    let world = World::new().await;
    let wrong = [
        json!("Till"),
        json!("TILL"),
        json!(" till"),
        json!(""),
        json!("admin"),
        json!("manage,till"),
        json!(7),
        json!(true),
        json!(null),
        json!(["till"]),
        json!({"till": true}),
    ];
    for scope in wrong {
        let body = json!({"name": "x", "scope": scope});
        let refused = world.send(&Request::new("POST", "back-office", "/orgs/shop/keys").json(&body)).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (422, "invalid_fields"), "{scope}");
        let errors = json!([{"field": "scope", "message": "must be one of manage, read, till"}]);
        assert_eq!(refused.body["errors"], errors, "{scope}");
    }
    assert_eq!(world.get("/orgs/shop/keys").await.body["keys"], json!([]), "nothing was made");
    for scope in ["manage", "read", "till"] {
        make_scoped(&world, ORG, scope).await;
    }
    make(&world, ORG).await;
}

#[tokio::test]
async fn a_key_of_a_till_costs_one_read_the_first_time_only() {
    let world = World::new().await;
    shop(&world).await;
    let (_, key) = make_scoped(&world, ORG, "till").await;
    world.proxy.take_requests();
    let refused = with(&key, get("back-office", "/orgs/shop/customers"));
    assert_eq!(world.send(&refused).await.code(), "scope_not_allowed");
    assert_eq!(world.proxy.take_requests(), ["BatchGetItem"]);
    assert_eq!(world.send(&refused).await.code(), "scope_not_allowed");
    assert_eq!(world.proxy.take_requests(), [""; 0]);
}

#[tokio::test]
async fn direct_invocations_and_the_secret_have_every_scope() {
    let world = World::new().await;
    shop(&world).await;
    let direct = json!({"operation": "award", "orgId": ORG, "customerId": "ada", "orderId": "o9", "orderTotal": "20"});
    let awarded: Value = world.invoke("points-award", direct).await.unwrap();
    assert_eq!(awarded["pointsAwarded"], 20, "{awarded}");
    assert_eq!(world.send(&with(SECRET, get("back-office", "/orgs/shop/customers"))).await.status, 200);
}
