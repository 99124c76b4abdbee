//! Keys of one org.

use harness::{
    Request, World, bundles, scenario,
    world::{ORG, noon},
};
use local::FUNCTIONS;
use serde_json::{Value, json};

use super::support::{Route, make, routes, with};

#[tokio::test]
async fn a_key_acts_for_its_org_and_is_shown_once() {
    let world = World::new().await;
    let (id, key) = make(&world, ORG).await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&scenario::adjustment("ada", "a1", 500)).await;
    let spent = world.send(&with(&key, scenario::redeem_points("ada", "o1", 100, "20"))).await;
    assert_eq!(spent.status, 201, "{}", spent.body);
    assert_eq!(world.send(&with(&key, bundles::put("b", &json!({})))).await.status, 201);

    let listed = world.get(&format!("/orgs/{ORG}/keys")).await.body;
    assert_eq!(
        listed["keys"],
        json!([{"keyId": id, "name": "till 1", "scope": "manage", "createdAt": "2026-06-01T12:00:00.000Z"}])
    );
    let secret = key.rsplit('~').next().unwrap();
    let items = world.client.scan().table_name(&world.table).send().await.unwrap().items.unwrap();
    assert!(!format!("{items:?}").contains(secret), "kept only as a digest");
}

#[tokio::test]
async fn a_revoked_key_is_rejected_like_a_wrong_key() {
    let world = World::new().await;
    let (id, key) = make(&world, ORG).await;
    let get = || with(&key, Request::new("GET", "back-office", format!("/orgs/{ORG}/customers")));
    assert_eq!(world.send(&get()).await.status, 200);
    let revoke = || Request::new("DELETE", "back-office", format!("/orgs/{ORG}/keys/{id}"));
    assert_eq!(world.send(&revoke()).await.body, json!({"keyId": id, "revoked": true}));
    assert_eq!(world.send(&get()).await.code(), "unauthorized");
    assert_eq!(world.send(&revoke()).await.code(), "unknown_key");
}

#[tokio::test]
async fn a_key_revoked_by_another_process_stays_valid_for_a_minute_at_most() {
    use shared::{domain::org_key, store::Store};
    use std::time::Duration;
    let world = World::new().await;
    let (id, text) = make(&world, ORG).await;
    let key = org_key::parse_key(&text).unwrap();
    let process = Store::new(world.client.clone(), &world.table);
    let begun = shared::clock::monotonic();
    let is_known =
        async |after: u64| process.key_verifier(&key, begun + Duration::from_secs(after)).await.unwrap().is_some();
    assert!(is_known(0).await);
    world.send(&Request::new("DELETE", "back-office", format!("/orgs/{ORG}/keys/{id}"))).await;
    assert!(is_known(59).await);
    assert!(!is_known(60).await);
}

#[tokio::test]
async fn a_key_is_not_added_to_an_org_that_changed_since_the_read() {
    use shared::{
        auth::key_digest,
        domain::org_key::{KeyScope, OrgKey},
        store::{Store, StoreError},
    };
    let world = World::new().await;
    let store = Store::new(world.client.clone(), &world.table);
    let org = store.org_versioned(&ORG.to_owned().try_into().unwrap()).await.unwrap().unwrap();
    world.put_org(ORG, &json!({"name": "Renamed"})).await;
    let (id, name) = ("k1".to_owned().try_into().unwrap(), "till".to_owned().try_into().unwrap());
    let key = OrgKey { id, name, scope: KeyScope::default(), created_at: noon(), digest: key_digest("x") };
    assert!(matches!(store.add_key(&org, &key).await, Err(StoreError::Contended)));
}

#[tokio::test]
async fn the_key_of_a_deleted_org_is_rejected() {
    let world = World::new().await;
    let disposable = json!({"name": "Temp", "disposable": true});
    world.put_org("temp", &disposable).await;
    let (_, key) = make(&world, "temp").await;
    let get = || with(&key, Request::new("GET", "back-office", "/orgs/temp/customers"));
    assert_eq!(world.send(&get()).await.status, 200);
    assert_eq!(world.send(&Request::new("DELETE", "back-office", "/orgs/temp")).await.body["complete"], true);
    world.put_org("temp", &disposable).await;
    assert_eq!(world.send(&get()).await.code(), "unauthorized");
}

#[tokio::test]
async fn a_wrong_key_and_an_unknown_key_get_the_same_answer() {
    let world = World::new().await;
    let (id, key) = make(&world, ORG).await;
    world.put_org("other", &json!({"name": "Other"})).await;
    let (_, others) = make(&world, "other").await;
    let secret = key.rsplit('~').next().unwrap().to_owned();
    let others_secret = others.rsplit('~').next().unwrap();
    let tampered = format!("{}{}", &key[..key.len() - 1], if key.ends_with('A') { 'B' } else { 'A' });
    let mut answers = Vec::new();
    for wrong in [
        tampered,
        format!("rgl~{ORG}~{id}~{others_secret}"),
        format!("rgl~{ORG}~nobody~{secret}"),
        format!("rgl~other~{id}~{secret}"),
        format!("rgl~nobody~{id}~{secret}"),
        format!("rgl~{ORG}~{id}~"),
        format!("rgl~{ORG}~{id}"),
        format!("rgl~{ORG}~{id}~{secret}~"),
        format!("xyz~{ORG}~{id}~{secret}"),
        format!("rgl~a#b~{id}~{secret}"),
        secret.clone(),
        "~~~".to_owned(),
    ] {
        let answer =
            world.send(&with(&wrong, Request::new("GET", "back-office", format!("/orgs/{ORG}/customers")))).await;
        assert_eq!(answer.status, 401, "{wrong}");
        answers.push((answer.body, answer.headers));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
}

#[tokio::test]
async fn a_new_key_needs_a_known_org_and_a_name() {
    let world = World::new().await;
    let post = |org: &str, body: Value| Request::new("POST", "back-office", format!("/orgs/{org}/keys")).json(&body);
    assert_eq!(world.send(&post("nobody", json!({"name": "x"}))).await.code(), "unknown_org");
    assert_eq!(world.send(&post(ORG, json!({}))).await.fields(), ["name"]);
    assert_eq!(world.get("/orgs/nobody/keys").await.code(), "unknown_org");
}

#[tokio::test]
async fn a_key_costs_one_read_the_first_time_only() {
    let world = World::new().await;
    let (_, key) = make(&world, ORG).await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&scenario::adjustment("ada", "a1", 500)).await;
    world.proxy.take_requests();
    world.send(&with(&key, scenario::redeem_points("ada", "o1", 100, "20"))).await;
    assert_eq!(world.proxy.take_requests(), ["BatchGetItem", "BatchGetItem", "TransactWriteItems"]);
    world.send(&with(&key, scenario::redeem_points("ada", "o2", 100, "20"))).await;
    assert_eq!(world.proxy.take_requests(), ["BatchGetItem", "TransactWriteItems"]);
    let wrong = key.replace("~k", "~x");
    for _ in 0..3 {
        world.send(&with(&wrong, scenario::redeem_points("ada", "o3", 100, "20"))).await;
    }
    assert_eq!(world.proxy.take_requests(), ["BatchGetItem"], "nor does a wrong one each time");
}

#[tokio::test]
async fn a_key_reaches_no_other_org_by_any_route_of_any_function() {
    let world = World::new().await;
    world.put_org("other", &json!({"name": "Other"})).await;
    let (_, key) = make(&world, ORG).await;
    let refused = |answer: harness::Response, reported: String| {
        assert_eq!((answer.status.as_u16(), answer.code()), (403, "other_org"), "{reported}: {}", answer.body);
        assert_eq!(answer.body["errors"], Value::Null, "{reported}");
    };
    let unread = |answer: harness::Response, reported: &str| {
        assert_eq!((answer.status.as_u16(), answer.code()), (400, "duplicate_field"), "{reported}: {}", answer.body);
    };
    // A cursor of the other org, from a list that exists in every org.
    let cursor = |operation: &str| {
        use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
        BASE64_URL_SAFE_NO_PAD.encode(json!([operation, "other", "x", "x"]).to_string())
    };
    for Route { request, .. } in routes("other") {
        refused(world.send(&with(&key, request.clone())).await, format!("{} {}", request.method, request.path));
    }
    for Route { operation, request: own } in routes(ORG) {
        let for_deployment = operation.callers.is_deployment_only();
        let reported = format!("{} {} {}", own.method, own.function, own.path);
        let separator = if own.path.contains('?') { '&' } else { '?' };
        let in_query = Request { path: format!("{}{separator}orgId=other", own.path), ..own.clone() };
        let answer = world.send(&with(&key, in_query)).await;
        // A query with a repeated parameter is invalid, unless the key may not use the route at all.
        if separator == '&' && !for_deployment {
            unread(answer, &reported);
        } else {
            refused(answer, format!("{reported}, another in the query"));
        }
        if operation.takes_body() {
            let mut body: Value = serde_json::from_slice(&own.body).unwrap();
            body["orgId"] = "other".into();
            refused(world.send(&with(&key, own.clone().json(&body))).await, format!("{reported}, another in the body"));
            let in_query = Request { path: format!("{}{separator}cursor={}", own.path, cursor("x")), ..own.clone() };
            refused(world.send(&with(&key, in_query)).await, format!("{reported}, another in a cursor in the query"));
        } else {
            let in_body = own.clone().json(&json!({"orgId": "other"}));
            refused(world.send(&with(&key, in_body)).await, format!("{reported}, another in a body that is not read"));
            let twice = format!("{}{separator}cursor={}&cursor=x", own.path, cursor("x"));
            let twice = Request { path: twice, ..own.clone() };
            let answer = world.send(&with(&key, twice)).await;
            if for_deployment {
                refused(answer, format!("{reported}, another in the first of two cursors"));
            } else {
                unread(answer, &reported);
            }
            let in_cursor = Request { path: format!("{}{separator}cursor={}", own.path, cursor("x")), ..own.clone() };
            refused(world.send(&with(&key, in_cursor)).await, format!("{reported}, another in the cursor"));
        }
        let answer = world.send_at(&with(&key, own.clone()), noon()).await;
        if for_deployment {
            refused(answer, reported);
        } else {
            assert!(
                ![401, 403].contains(&answer.status.as_u16()),
                "{reported}: its own is let in, and {}",
                answer.body
            );
        }
    }
    let job = with(&key, bundles::job(&json!({"cursor": cursor("transition")})));
    refused(world.send(&job).await, "the job".into());
    let org = world.get("/orgs/other").await;
    assert_eq!((org.status.as_u16(), &org.body["name"]), (200, &json!("Other")));
}

#[test]
fn only_the_deployment_secret_manages_orgs_settings_keys_and_jobs() {
    let mut names: Vec<(&str, &str)> = Vec::new();
    for function in FUNCTIONS {
        names.extend(
            function
                .operations()
                .filter(|operation| operation.callers.is_deployment_only())
                .map(|operation| (operation.method, operation.path)),
        );
    }
    names.sort_unstable();
    let expected = [
        ("DELETE", "/orgs/{orgId}"),
        ("DELETE", "/orgs/{orgId}/keys/{keyId}"),
        ("GET", "/orgs"),
        ("GET", "/orgs/{orgId}"),
        ("GET", "/orgs/{orgId}/keys"),
        ("GET", "/orgs/{orgId}/loyalty"),
        ("POST", "/"),
        ("POST", "/"),
        ("POST", "/"),
        ("POST", "/"),
        ("POST", "/"),
        ("POST", "/orgs/{orgId}/keys"),
        ("PUT", "/orgs/{orgId}"),
        ("PUT", "/orgs/{orgId}/loyalty"),
    ];
    assert_eq!(names, expected);
}
