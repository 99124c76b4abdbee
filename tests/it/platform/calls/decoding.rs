//! Requests as they are decoded: digits, names, encodings, credentials, methods, and the order of the checks.

use harness::{
    Request, Response, World,
    programs::{FunctionServer, LocalStack, http},
    scenario::award,
    world::{ORG, SECRET, noon},
};
use serde_json::{Value, json, value::RawValue};

pub(super) async fn world_with_ada() -> World {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world
}

fn body(text: &str) -> Request {
    Request { body: text.into(), ..Request::new("POST", "points-award", "/awards") }
}

/// An order whose total has this JSON text.
fn order_of(total: &str) -> Request {
    body(&format!(
        r#"{{"orgId": "shop", "customerId": "ada", "orderId": "o{}", "orderTotal": {total}}}"#,
        fastrand::u64(..)
    ))
}

#[tokio::test]
async fn an_amount_is_validated_by_the_digits_sent() {
    let world = world_with_ada().await;
    for wrong in [
        "0.30000000000000004",
        "10000000.000000001",
        "100000000000.00000000000000000001",
        "0.1000000000000000055511151231257827",
        "1.0050000000000000000000000000000000000000000001",
        "1e-3",
        "1e400",
        "-0.001",
        "100000000000.01",
        "99999999999999999999999999999999999999999",
    ] {
        for written in [wrong.to_owned(), format!("\"{wrong}\"")] {
            let answer = world.send(&order_of(&written)).await;
            assert_eq!(
                (answer.status.as_u16(), answer.fields()),
                (422, vec!["orderTotal"]),
                "{written}: {}",
                answer.body
            );
        }
    }
    for right in ["0.3", "0.30", "0.300000000000000000000000000000", "10000000.000000000", "100000000000.00", "-0", "7"]
    {
        for written in [right.to_owned(), format!("\"{right}\"")] {
            if written == "\"-0\"" {
                continue;
            }
            let answer = world.send(&order_of(&written)).await;
            assert_eq!(answer.status, 201, "{written}: {}", answer.body);
        }
    }
    let whole = world.send(&award("ada", "o", "5", &json!({}))).await;
    assert_eq!(whole.status, 201);
}

#[tokio::test]
async fn whole_numbers_are_validated_by_the_digits_sent() {
    let world = world_with_ada().await;
    for (points, status) in [("5", 201), ("5.0", 201), ("5e0", 201), ("5.0000000000000000001", 422), ("5.5", 422)] {
        let path = "/orgs/shop/customers/ada/adjustments";
        let id = fastrand::u64(..);
        let text = format!(r#"{{"adjustmentId": "a{id}", "points": {points}, "reason": "why"}}"#);
        let request = Request { body: text.into(), ..Request::new("POST", "back-office", path) };
        assert_eq!(world.send(&request).await.status, status, "{points}");
    }
}

#[tokio::test]
async fn a_duplicate_field_is_rejected_at_any_depth() {
    let world = world_with_ada().await;
    let twice = r#"{"orgId": "shop", "customerId": "ada", "orderId": "o1", "orderTotal": 5, "orderTotal": 500}"#;
    let answer = world.send(&body(twice)).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (400, "duplicate_field"), "{}", answer.body);
    assert!(answer.body["detail"].as_str().unwrap().contains("orderTotal"), "{}", answer.body);
    let escaped = r#"{"orgId": "shop", "customerId": "ada", "orderId": "o1", "orderTotal": 5, "order\u0054otal": 5}"#;
    assert_eq!(world.send(&body(escaped)).await.code(), "duplicate_field");
    let nested = r#"{"name": "B", "products": [{"productId": "p", "productId": "p"}]}"#;
    let put = Request { body: nested.into(), ..Request::new("PUT", "back-office", "/orgs/shop/bundles/b") };
    assert_eq!(world.send(&put).await.code(), "duplicate_field");
    assert_eq!(world.get("/orgs/shop/customers?limit=1&limit=1").await.code(), "duplicate_field");

    let direct = r#"{"operation": "award", "orgId": "shop", "orgId": "shop"}"#;
    let answer = world.stack.call("points-award", raw_text(direct), Some(noon())).await.unwrap().unwrap();
    assert_eq!((&answer["code"], &answer["status"]), (&json!("duplicate_field"), &json!(400)));
    assert_eq!(world.get("/orgs/shop/customers/ada").await.body["orderCount"], 0);
}

pub(super) fn raw_text(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

#[tokio::test]
async fn an_extremely_nested_body_is_unreadable() {
    let world = World::new().await;
    for text in ["[".repeat(200_000), format!("{{\"a\": {}{}}}", "[".repeat(1_000), "]".repeat(1_000))] {
        assert_eq!(world.send(&body(&text)).await.code(), "unreadable_json");
    }
}

#[tokio::test]
async fn an_encoded_body_is_415_with_the_name_of_the_encoding() {
    let world = world_with_ada().await;
    let gzip = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3].repeat(3);
    let order = || award("ada", "o1", "5", &json!({}));
    for (request, name) in [
        (Request { body: gzip.clone(), ..order() }, "gzip"),
        (Request { body: gzip, ..order() }.header("content-encoding", "gzip"), "gzip"),
        (order().header("content-encoding", "br"), "br"),
        (order().header("content-encoding", "identity, deflate"), "deflate"),
        (order().header("content-type", "application/json; charset=utf-16"), "utf-16"),
    ] {
        let answer = world.send(&request).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (415, "unsupported_encoding"), "{name}: {}", answer.body);
        assert!(answer.body["detail"].as_str().unwrap().contains(name), "{}", answer.body);
    }
    let plain =
        order().header("content-encoding", "identity").header("content-type", "application/json; charset=UTF-8");
    assert_eq!(world.send(&plain).await.status, 201);
    let no_body = Request::new("GET", "back-office", "/orgs/shop").header("content-encoding", "gzip");
    assert_eq!(world.send(&no_body).await.status, 200, "there is nothing to decode");
}

#[tokio::test]
async fn two_authorization_headers_are_401_by_every_entry_point() {
    let world = world_with_ada().await;
    let right = format!("Bearer {SECRET}");
    // A function URL joins headers of one name.
    for joined in [format!("{right},{right}"), format!("{right}, Bearer wrong"), format!("Bearer wrong, {right}")] {
        let request = Request::new("GET", "back-office", "/orgs/shop").header("authorization", &joined);
        assert_eq!(world.send(&request).await.status, 401, "{joined}");
    }
    let stack = LocalStack::start(&[]).await;
    let alone =
        FunctionServer::start("back-office", &[("CRON_SECRET", "local-secret"), ("AWS_REGION", "eu-central-1")]).await;
    for url in [format!("{}/lambda-url/back-office/orgs/x?limit=0", stack.url), format!("{}/orgs/x?limit=0", alone.url)]
    {
        let twice = |first: &str, second: &str| {
            let request = http().get(&url).header("authorization", first).header("authorization", second);
            async move { request.send().await.unwrap().status().as_u16() }
        };
        let right = "Bearer local-secret";
        assert_eq!(http().get(&url).header("authorization", right).send().await.unwrap().status(), 422, "{url}");
        assert_eq!(twice(right, right).await, 401, "{url}");
        assert_eq!(twice(right, "Bearer wrong").await, 401, "{url}");
        assert_eq!(twice("Bearer wrong", right).await, 401, "{url}");
    }
}

#[tokio::test]
async fn head_is_answered_like_get_and_without_a_body() {
    let world = world_with_ada().await;
    for path in ["/orgs/shop", "/orgs/shop/customers/ada", "/orgs/nowhere", "/health", "/orgs?limit=0"] {
        let (get, head) = (Request::new("GET", "back-office", path), Request::new("HEAD", "back-office", path));
        let (get, head) = (world.send(&get).await, world.send(&head).await);
        assert_eq!((head.status, &head.headers), (get.status, &get.headers), "{path}");
        assert_eq!(head.body, Value::Null, "{path}");
    }
    assert_eq!(world.send(&Request::new("HEAD", "back-office", "/orgs").anonymous()).await.status, 401);
    let only_put = Request::new("HEAD", "points-award", "/awards");
    let answer = world.send(&only_put).await;
    assert_eq!((answer.status.as_u16(), answer.headers["allow"].contains("POST")), (405, true));
}

#[tokio::test]
async fn rules_between_fields_are_reported_with_the_faults_of_each_field() {
    let world = world_with_ada().await;
    let faults = async |request: Request| {
        let answer = world.send(&request).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (422, "invalid_fields"), "{}", answer.body);
        let mut fields: Vec<String> = answer.fields().into_iter().map(str::to_owned).collect();
        fields.sort_unstable();
        fields
    };
    let order = award("ada", "o1", "1", &json!({"orderTotal": "-1", "fulfilledAt": "2090-01-01T00:00:00Z"}));
    assert_eq!(faults(order).await, ["fulfilledAt", "orderTotal"]);
    let redemption = json!({"orgId": ORG, "bundleId": "b#", "customerId": "ada", "orderId": "o", "fulfilledAt": "2090-01-01T00:00:00Z"});
    let redemption = Request::new("POST", "bundle-redemption", "/redemptions").json(&redemption);
    assert_eq!(faults(redemption).await, ["bundleId", "fulfilledAt"]);
    let run = json!({"customerId": "ada", "cursor": "x", "dryRun": 3});
    let named = faults(Request::new("POST", "churn-prediction", "/").json(&run)).await;
    assert!(named.contains(&"dryRun".to_owned()) && named.len() >= 2, "{named:?}");
    let run = json!({"dryRun": 3, "loyalty": {"tiers": []}, "orgId": "a b"});
    let named = faults(Request::new("POST", "tier-recalculation", "/").json(&run)).await;
    assert!(named.contains(&"dryRun".to_owned()) && named.contains(&"orgId".to_owned()), "{named:?}");
    assert!(named.iter().any(|field| field.starts_with("loyalty")), "{named:?}");
    let bundle = json!({"name": "", "type": "fixed", "originalTotal": 5, "bundlePrice": 9, "products": []});
    let named = faults(Request::new("PUT", "back-office", "/orgs/shop/bundles/b").json(&bundle)).await;
    assert!(["name", "bundlePrice", "products"].iter().all(|field| named.contains(&(*field).to_owned())), "{named:?}");
}

#[tokio::test]
async fn a_text_with_invisible_or_direction_changing_characters_is_rejected() {
    let world = World::new().await;
    for hidden in
        ["\u{200b}", "\u{202e}", "\u{2066}", "\u{2028}", "\u{2029}", "\u{feff}", "\u{200e}", "\u{85}", "\u{2060}"]
    {
        for field in ["firstName", "lastName"] {
            let answer = world.put_customer(ORG, "ada", &json!({ field: format!("Ada{hidden}L") })).await;
            assert_eq!(answer.fields(), [field], "{hidden:?}");
        }
        let name = format!("Shop{hidden}");
        assert_eq!(world.put_org("other", &json!({ "name": name })).await.fields(), ["name"], "{hidden:?}");
    }
    // Names in Persian and in Indian scripts need joiners.
    for joined in ["می\u{200c}خواهم", "क्\u{200d}ष", "🧑\u{200d}🌾"] {
        assert!(world.put_customer(ORG, "ada", &json!({ "firstName": joined })).await.status.is_success(), "{joined}");
    }
}

#[tokio::test]
async fn email_addresses_and_phone_numbers_are_validated() {
    let world = World::new().await;
    let put = async |field: &str, value: &str| world.put_customer(ORG, "ada", &json!({ field: value })).await;
    for right in ["ada@example.com", "a.b+c@sub.example.co.uk", "ada@localhost", "用户@例子.公司"] {
        assert!(put("email", right).await.status.is_success(), "{right}");
    }
    let long = format!("{}@example.com", "x".repeat(65));
    for wrong in [
        "ada",
        "@example.com",
        "ada@",
        "a b@example.com",
        "a@b@c",
        "ada@example..com",
        "<ada@example.com>",
        "a@-b.c",
        &long,
    ] {
        assert_eq!(put("email", wrong).await.fields(), ["email"], "{wrong}");
    }
    for right in ["+44 20 7946 0018", "(030) 123-45/67", "1234", "+1.212.555.0100"] {
        assert!(put("phone", right).await.status.is_success(), "{right}");
    }
    for wrong in
        ["12", "112", "+0 1234567", "call me", "++44 20 7946", "+44 20 7946 0018 ext 3", "123456789012345678901", "---"]
    {
        assert_eq!(put("phone", wrong).await.fields(), ["phone"], "{wrong}");
    }
}

/// The faults of a request in the order of the checks, each with its status.
const CHECKED: [(&str, u16); 10] = [
    ("credentials", 401),
    ("size", 413),
    ("path", 404),
    ("method", 405),
    ("encoding", 415),
    ("json", 400),
    ("org", 403),
    ("field", 422),
    ("customer", 404),
    ("rule", 409),
];

/// An order with these faults. The caller has a key of an org whose loyalty programme is off.
fn faulty(key: &str, faults: &[&str]) -> Request {
    let has = |fault: &str| faults.contains(&fault);
    let order = json!({
        "orgId": if has("org") { "other" } else { ORG },
        "customerId": if has("customer") { "nobody" } else { "ada" },
        "orderId": "o1",
        "orderTotal": if has("field") { -1 } else { 1 },
    });
    let text = if has("json") { order.to_string().replace('}', "") } else { order.to_string() };
    let spaces = if has("size") { " ".repeat(300 * 1024) } else { String::new() };
    let shown = if has("credentials") { "Bearer wrong".to_owned() } else { format!("Bearer {key}") };
    let request = Request {
        method: if has("method") { "PUT" } else { "POST" },
        path: if has("path") { "/nowhere" } else { "/awards" }.into(),
        body: (text + &spaces).into_bytes(),
        ..Request::new("POST", "points-award", "")
    };
    let request = request.header("authorization", &shown);
    if has("encoding") { request.header("content-encoding", "gzip") } else { request }
}

#[tokio::test]
async fn the_first_of_two_faults_by_order_of_checks_is_reported() {
    let world = world_with_ada().await;
    world.put_org("other", &json!({"name": "Other"})).await;
    world.put_loyalty(ORG, &json!({"enabled": false})).await;
    let key = world.send(&Request::new("POST", "back-office", "/orgs/shop/keys").json(&json!({"name": "till"}))).await;
    let key = key.body["key"].as_str().unwrap_or_else(|| panic!("{}", key.body));
    for (place, (first, status)) in CHECKED.iter().enumerate() {
        let assert_status =
            |answer: Response, faults: &[&str]| assert_eq!(answer.status, *status, "{faults:?}: {}", answer.body);
        for (second, _) in &CHECKED[place..] {
            let faults = [*first, *second];
            assert_status(world.send(&faulty(key, &faults)).await, &faults);
        }
        let all: Vec<&str> = CHECKED[place..].iter().map(|(fault, _)| *fault).collect();
        assert_status(world.send(&faulty(key, &all)).await, &all);
    }
    // The permission of a key is checked between the method and the encoding.
    let shut = |method: &'static str, path: &str, body: &str| {
        let request = Request { body: body.into(), ..Request::new(method, "back-office", path) };
        request.header("authorization", &format!("Bearer {key}")).header("content-encoding", "gzip")
    };
    for (method, path, status) in [("PUT", "/orgs/shop", 403), ("PUT", "/nowhere", 404), ("PATCH", "/orgs/shop", 405)] {
        assert_eq!(world.send(&shut(method, path, "{")).await.status, status, "{method} {path}");
    }
}
