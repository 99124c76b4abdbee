//! Keys with a scope in the table: their items, lists, revocation, and what other versions make of them.

use aws_sdk_dynamodb::types::AttributeValue;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use harness::{
    Request, World, scenario,
    world::{ORG, noon},
};
use serde_json::{Value, json};
use shared::{
    auth::{DeploymentSecret, InvalidSecret, key_digest},
    domain::org_key::{KeyKind, KeyScope, OrgKey, format_key, parse_key},
    store::Store,
};

use super::support::{customer, make, make_scoped, with};

const SCOPES: [&str; 3] = ["manage", "read", "till"];

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

/// The sort keys of the org's items that begin with `prefix`.
async fn sort_keys(world: &World, org: &str, prefix: &str) -> Vec<String> {
    let query =
        world.client.query().table_name(&world.table).key_condition_expression("pk = :pk AND begins_with(sk, :sk)");
    let query = query.expression_attribute_values(":pk", text(&format!("ORG#{org}")));
    let found = query.expression_attribute_values(":sk", text(prefix)).send().await.unwrap();
    found.items().iter().map(|item| item["sk"].as_s().unwrap().clone()).collect()
}

/// Sets the stored scope of a key, or removes it.
async fn set_scope(world: &World, sk: &str, scope: Option<AttributeValue>) {
    let update = world.client.update_item().table_name(&world.table).key("pk", text("ORG#shop")).key("sk", text(sk));
    let update = match scope {
        Some(scope) => update.update_expression("SET #scope = :scope").expression_attribute_values(":scope", scope),
        None => update.update_expression("REMOVE #scope"),
    };
    update.expression_attribute_names("#scope", "scope").send().await.unwrap();
}

async fn revoke(world: &World, id: &str) -> harness::Response {
    world.send(&Request::new("DELETE", "back-office", format!("/orgs/{ORG}/keys/{id}"))).await
}

/// Another text with the same claim and the prefix of the other kind.
fn other_kind(key: &str) -> String {
    match key.split_once('~').unwrap() {
        ("rgl", rest) => format!("rgs~{rest}"),
        ("rgs", rest) => format!("rgl~{rest}"),
        (prefix, _) => panic!("{prefix}"),
    }
}

#[tokio::test]
async fn a_version_without_scopes_finds_no_key_with_a_scope() {
    let world = World::new().await;
    let (manage, manage_key) = make(&world, ORG).await;
    assert!(manage_key.starts_with("rgl~shop~"));
    let mut scoped = Vec::new();
    for scope in ["read", "till"] {
        let (id, key) = make_scoped(&world, ORG, scope).await;
        // Such a version takes a text for an org key only if it begins with `rgl~`, and compares any other text with
        // the deployment's secret.
        assert!(key.starts_with("rgs~shop~"), "{key}");
        // It reads the item of the id, and lists the items below, under this prefix alone.
        scoped.push(format!("KEYSCOPED#{id}"));
    }
    scoped.sort();
    assert_eq!(sort_keys(&world, ORG, "KEY#").await, [format!("KEY#{manage}")]);
    assert_eq!(sort_keys(&world, ORG, "KEY").await[1..], scoped);
}

#[tokio::test]
async fn a_key_from_before_scopes_acts_as_manage() {
    let world = World::new().await;
    let (id, key) = make(&world, ORG).await;
    set_scope(&world, &format!("KEY#{id}"), None).await;
    world.put_customer(ORG, "ada", &json!({})).await;
    assert_eq!(world.send(&with(&key, scenario::award("ada", "o1", "20", &json!({})))).await.status, 201);
    let listed = world.get("/orgs/shop/keys").await.body;
    assert_eq!((&listed["keys"][0]["keyId"], &listed["keys"][0]["scope"]), (&json!(id), &json!("manage")));
}

#[tokio::test]
async fn a_key_is_rejected_under_the_prefix_of_the_other_kind() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    for scope in SCOPES {
        let (_, key) = make_scoped(&world, ORG, scope).await;
        assert_eq!(world.send(&with(&key, customer(ORG, "ada"))).await.status, 200, "{scope}");
        assert_eq!(world.send(&with(&other_kind(&key), customer(ORG, "ada"))).await.status, 401, "{scope}");
    }
}

#[tokio::test]
async fn a_stored_scope_that_does_not_belong_to_its_item_is_rejected_and_listed_as_unreadable() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    let number = AttributeValue::N("7".into());
    let cases = [
        ("manage", "KEY", Some(text("till"))),
        ("manage", "KEY", Some(text("bookkeeping"))),
        ("manage", "KEY", Some(number.clone())),
        ("till", "KEYSCOPED", Some(text("manage"))),
        ("till", "KEYSCOPED", Some(text("Till"))),
        ("till", "KEYSCOPED", Some(text("bookkeeping"))),
        ("till", "KEYSCOPED", Some(text(""))),
        ("read", "KEYSCOPED", Some(number)),
        ("read", "KEYSCOPED", Some(AttributeValue::Null(true))),
        ("read", "KEYSCOPED", Some(AttributeValue::L(vec![text("read"), text("till")]))),
        ("read", "KEYSCOPED", None),
    ];
    for (scope, sk, stored) in cases {
        let (id, key) = make_scoped(&world, ORG, scope).await;
        let reported = format!("{scope} with {stored:?}");
        set_scope(&world, &format!("{sk}#{id}"), stored).await;
        for _ in 0..2 {
            let refused = world.send(&with(&key, customer(ORG, "ada"))).await;
            assert_eq!((refused.status.as_u16(), refused.code()), (401, "unauthorized"), "{reported}");
        }
        let (_, readable) = make_scoped(&world, ORG, "till").await;
        let listed = world.get("/orgs/shop/keys").await.body;
        let rows = listed["keys"].as_array().unwrap();
        assert!(rows.contains(&json!({"keyId": id, "error": "internal"})), "{reported}: {listed}");
        assert_eq!(rows.len(), 2, "{reported}: {listed}");
        assert_eq!(revoke(&world, &id).await.body, json!({"keyId": id, "revoked": true}), "{reported}");
        let readable = parse_key(&readable).unwrap().id;
        assert_eq!(revoke(&world, readable.as_str()).await.status, 200, "{reported}");
        assert_eq!(world.get("/orgs/shop/keys").await.body["keys"], json!([]), "{reported}");
    }
}

#[tokio::test]
async fn a_key_of_every_scope_is_revoked_and_the_others_stay() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    let mut keys = Vec::new();
    for scope in SCOPES {
        keys.push(make_scoped(&world, ORG, scope).await);
    }
    let status = async |key: &str| world.send(&with(key, customer(ORG, "ada"))).await.status.as_u16();
    for (_, key) in &keys {
        assert_eq!(status(key).await, 200);
    }
    while let Some((id, key)) = keys.pop() {
        assert_eq!(revoke(&world, &id).await.body, json!({"keyId": id, "revoked": true}));
        assert_eq!(status(&key).await, 401);
        assert_eq!(revoke(&world, &id).await.code(), "unknown_key");
        for (_, other) in &keys {
            assert_eq!(status(other).await, 200);
        }
    }
    assert!(sort_keys(&world, ORG, "KEY").await.is_empty());
}

#[tokio::test]
async fn one_id_under_both_kinds_is_revoked_at_once() {
    let world = World::new().await;
    let store = Store::new(world.client.clone(), &world.table);
    let org = store.org_versioned(&ORG.to_owned().try_into().unwrap()).await.unwrap().unwrap();
    let mut texts = Vec::new();
    for scope in [KeyScope::Manage, KeyScope::Till] {
        let text = format!("{}~shop~k1~secret", if scope.kind() == KeyKind::Manage { "rgl" } else { "rgs" });
        assert_eq!(format_key(&parse_key(&text).unwrap(), "secret"), text);
        let (id, name) = ("k1".to_owned().try_into().unwrap(), "till".to_owned().try_into().unwrap());
        let digest = key_digest(&text);
        store.add_key(&org, &OrgKey { id, name, scope, created_at: noon(), digest }).await.unwrap();
        texts.push(text);
    }
    world.put_customer(ORG, "ada", &json!({})).await;
    let list = Request::new("GET", "back-office", "/orgs/shop/customers");
    assert_eq!(world.send(&with(&texts[0], list.clone())).await.status, 200);
    assert_eq!(world.send(&with(&texts[1], list)).await.code(), "scope_not_allowed");
    assert_eq!(revoke(&world, "k1").await.status, 200);
    for text in texts {
        assert_eq!(world.send(&with(&text, customer(ORG, "ada"))).await.status, 401, "{text}");
    }
    assert!(sort_keys(&world, ORG, "KEY").await.is_empty());
}

/// The rows of a list that is read in pages of one.
async fn listed_one_by_one(world: &World, mut cursor: Option<String>) -> Vec<Value> {
    let mut rows = Vec::new();
    loop {
        let after = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let page = world.get(&format!("/orgs/{ORG}/keys?limit=1{after}")).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let found = page.body["keys"].as_array().unwrap();
        assert!(found.len() <= 1);
        rows.extend(found.clone());
        cursor = page.body["cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return rows;
        }
    }
}

#[tokio::test]
async fn pages_of_one_key_list_the_keys_of_every_scope() {
    let world = World::new().await;
    for scope in ["till", "manage", "read", "manage", "till", "read"] {
        make_scoped(&world, ORG, scope).await;
    }
    let all = world.get("/orgs/shop/keys").await.body;
    let rows = all["keys"].as_array().unwrap();
    assert_eq!((rows.len(), &all["cursor"]), (6, &Value::Null));
    assert_eq!(&listed_one_by_one(&world, None).await, rows);
    let order: Vec<_> =
        rows.iter().map(|row| (row["scope"] != "manage", row["keyId"].as_str().unwrap().to_owned())).collect();
    assert!(order.is_sorted(), "{order:?}");
    let of_scope = |scope: &str| rows.iter().filter(|row| row["scope"] == scope).count();
    assert_eq!(SCOPES.map(of_scope), [2; 3]);
}

#[tokio::test]
async fn a_cursor_of_a_version_without_scopes_continues_the_list_of_keys() {
    let world = World::new().await;
    for scope in ["manage", "till", "manage", "read"] {
        make_scoped(&world, ORG, scope).await;
    }
    let all = listed_one_by_one(&world, None).await;
    for (rows, before) in all.iter().take(2).enumerate() {
        let cursor = |content: Value| Some(BASE64_URL_SAFE_NO_PAD.encode(content.to_string()));
        let id = &before["keyId"];
        let current = json!({"v": 1, "operation": "listKeys", "org": ORG, "of": "", "position": id});
        for old in [current, json!(["listKeys", ORG, "", id])] {
            assert_eq!(listed_one_by_one(&world, cursor(old)).await, all[rows + 1..]);
        }
    }
}

#[tokio::test]
async fn the_cursor_after_a_key_with_the_scope_manage_is_one_that_a_version_without_scopes_reads() {
    let world = World::new().await;
    let (id, _) = make(&world, ORG).await;
    make_scoped(&world, ORG, "till").await;
    let page = world.get("/orgs/shop/keys?limit=1").await.body;
    let cursor = BASE64_URL_SAFE_NO_PAD.decode(page["cursor"].as_str().unwrap()).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&cursor).unwrap()["position"], json!(id));
}

#[tokio::test]
async fn a_position_that_is_none_of_a_key_is_an_invalid_cursor() {
    let world = World::new().await;
    make_scoped(&world, ORG, "till").await;
    for position in ["", "KEY#x", "KEYSCOPED#", "KEYSCOPED#a#b", "KEYSCOPED#KEYSCOPED#a", "BUNDLE#b", "a b", "#x"] {
        let content = json!({"v": 1, "operation": "listKeys", "org": ORG, "of": "", "position": position});
        let cursor = BASE64_URL_SAFE_NO_PAD.encode(content.to_string());
        let refused = world.get(&format!("/orgs/shop/keys?cursor={cursor}")).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (422, "invalid_cursor"), "{position}");
    }
}

#[tokio::test]
async fn a_deleted_org_leaves_no_key_of_any_scope() {
    let world = World::new().await;
    let disposable = json!({"name": "Temp", "disposable": true});
    world.put_org("temp", &disposable).await;
    let mut keys = Vec::new();
    for scope in SCOPES {
        let (_, key) = make_scoped(&world, "temp", scope).await;
        // The process caches the key.
        assert_eq!(world.send(&with(&key, customer("temp", "ada"))).await.code(), "unknown_customer");
        keys.push(key);
    }
    assert_eq!(world.send(&Request::new("DELETE", "back-office", "/orgs/temp")).await.body["complete"], true);
    assert!(sort_keys(&world, "temp", "").await.is_empty());
    world.put_org("temp", &disposable).await;
    for key in keys {
        assert_eq!(world.send(&with(&key, customer("temp", "ada"))).await.code(), "unauthorized", "{key}");
    }
}

#[test]
fn the_deployment_secret_has_the_form_of_no_key() {
    for key in ["rgl~shop~k1~secret", "rgs~shop~k1~secret"] {
        assert!(matches!(DeploymentSecret::new(key), Err(InvalidSecret::OrgKeyForm)), "{key}");
    }
    for secret in
        ["rgs", "rgs~shop~k1", "rgs~shop~k1~", "rgx~shop~k1~secret", "RGS~shop~k1~secret", "rgs~a#b~k1~secret"]
    {
        assert!(DeploymentSecret::new(secret).is_ok(), "{secret}");
    }
}
