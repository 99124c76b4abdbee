//! Invalid input gets a clear answer and changes nothing. The checks have a fixed order.

use harness::{Request, Response, World, scenario::award, world::ORG};
use serde_json::{Value, json};

async fn answer(request: &Request) -> Response {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    let answer = world.send(request).await;
    assert_eq!(world.get(&format!("/orgs/{ORG}/customers/ada")).await.body["orderCount"], 0, "something was changed");
    answer
}

fn raw(body: impl Into<Vec<u8>>) -> Request {
    Request { body: body.into(), ..Request::new("POST", "points-award", "/awards") }
}

fn order_with(name: &str, value: Value) -> Request {
    award("ada", "o1", "10", &json!({ name: value }))
}

#[tokio::test]
async fn missing_or_wrong_credentials_are_401_despite_other_faults() {
    let huge = raw(vec![b'x'; 300 * 1024]);
    for credentials in [
        None,
        Some("Bearer wrong"),
        Some("Bearer "),
        Some("Basic a-secret-of-the-tests"),
        Some("a-secret-of-the-tests"),
    ] {
        for request in
            [huge.clone(), award("ada", "o1", "10", &json!({})), Request::new("GET", "points-award", "/nowhere")]
        {
            let request = match credentials {
                None => request.anonymous(),
                Some(shown) => request.header("authorization", shown),
            };
            let answer = answer(&request).await;
            assert_eq!((answer.status.as_u16(), answer.code()), (401, "unauthorized"), "{credentials:?}");
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
    }
    let in_the_query = Request::new("GET", "back-office", "/orgs?authorization=a-secret-of-the-tests").anonymous();
    assert_eq!(answer(&in_the_query).await.status, 401);
}

#[tokio::test]
async fn a_rejection_is_a_problem_object() {
    let answer = answer(&raw("{")).await;
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(answer.body["type"], "urn:regulars:problem:unreadable_json");
    assert_eq!(answer.body["title"], "unreadable json");
    assert_eq!(answer.body["status"], 400);
    assert!(answer.body["detail"].as_str().unwrap().starts_with("The body is not JSON: "));
}

#[tokio::test]
async fn a_body_over_256_kib_is_413_without_a_read_and_a_body_of_256_kib_is_read() {
    let too_large = answer(&raw(vec![b'{'; 256 * 1024 + 1])).await;
    assert_eq!((too_large.status.as_u16(), too_large.code()), (413, "body_too_large"));
    let mut body = award("ada", "o1", "10", &json!({"orgId": "bad#id"})).body;
    body.resize(256 * 1024, b' ');
    assert_eq!(answer(&raw(body)).await.status, 422);
}

#[tokio::test]
async fn a_body_that_is_not_json_is_400_and_one_that_is_not_an_object_is_422() {
    for body in ["{", "orderTotal=5", "{\"orgId\": \"a\"", "\u{0}"] {
        let answer = answer(&raw(body)).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, "unreadable_json"), "{body}");
    }
    for body in ["[]", "\"text\"", "7", "null"] {
        let answer = answer(&raw(body)).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (422, "invalid_fields"), "{body}");
        assert_eq!(answer.fields()[0], "", "{body}");
    }
}

#[tokio::test]
async fn every_fault_of_a_body_is_reported_at_once() {
    let body = json!({"orgId": "a b", "orderTotal": -1, "equityStatus": "yes", "points": 5, "fulfilledAt": "today"});
    let answer = answer(&Request::new("POST", "points-award", "/awards").json(&body)).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (422, "invalid_fields"));
    let mut fields = answer.fields();
    fields.sort_unstable();
    assert_eq!(fields, ["customerId", "equityStatus", "fulfilledAt", "orderId", "orderTotal", "orgId", "points"]);
    let messages = answer.body["errors"].as_array().unwrap();
    let message = |field: &str| messages.iter().find(|error| error["field"] == field).unwrap()["message"].clone();
    assert_eq!(message("customerId"), "is missing");
    assert_eq!(message("points"), "is not a field of this request");
    assert_eq!(message("orderTotal"), "must be an amount from 0 to 100000000000 with at most two decimals");
}

#[tokio::test]
async fn an_amount_needs_at_most_two_decimals_and_a_value_within_bounds() {
    let wrong = [
        json!(1.999),
        json!("1.999"),
        json!(-1),
        json!("-1"),
        json!(100_000_000_000.01),
        json!("100000000000.01"),
        json!(1e300),
        json!(1e-9),
        json!("1e2"),
        json!(" 1"),
        json!("+1"),
        json!("1."),
        json!(".5"),
        json!(""),
        json!("1,50"),
        json!("٣"),
        json!("1_000"),
        json!(true),
        json!(null),
        json!([1]),
        json!({}),
        json!("NaN"),
        json!("99999999999999999999999999999999"),
    ];
    for total in wrong {
        let answer = answer(&order_with("orderTotal", total.clone())).await;
        assert_eq!(answer.fields(), ["orderTotal"], "{total}: {}", answer.body);
    }
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    let right = [
        json!(0),
        json!(100_000_000_000_u64),
        json!("100000000000.00"),
        json!(49.9),
        json!("49.90"),
        json!("0.1"),
        json!("1.990"),
        json!(1e2),
    ];
    for (number, total) in right.into_iter().enumerate() {
        let order = award("ada", &format!("o{number}"), "0", &json!({ "orderTotal": total }));
        assert_eq!(world.send(&order).await.status, 201, "{total}");
    }
}

#[tokio::test]
async fn an_id_contains_no_character_that_could_reach_other_keys() {
    let long = "x".repeat(129);
    for id in ["", ".", "..", "a#b", "a b", "a/b", "a\nb", "a\u{0}b", "ä", "a?b", "a%23b", long.as_str()] {
        for field in ["orgId", "customerId", "orderId"] {
            let answer = answer(&order_with(field, json!(id))).await;
            assert_eq!(answer.fields(), [field], "{id:?}: {}", answer.body);
        }
    }
    for id in [json!(7), json!(null), json!(["a"])] {
        assert_eq!(answer(&order_with("orderId", id)).await.fields(), ["orderId"]);
    }
    let fine = "AZaz09._:@-".repeat(11);
    let world = World::new().await;
    world.put_customer(ORG, &fine, &json!({})).await;
    assert_eq!(world.send(&award(&fine, &"x".repeat(128), "1", &json!({}))).await.status, 201);
}

#[tokio::test]
async fn ids_in_a_path_are_percent_decoded_and_validated_by_the_same_rule() {
    let world = World::new().await;
    for (path, status) in [
        ("/orgs/shop/customers/a%40b.example", 201),
        ("/orgs/shop/customers/a@b.example", 200),
        ("/orgs/shop/customers/a%23b", 422),
        ("/orgs/shop/customers/a%2Fb", 422),
        ("/orgs/shop/customers/%2E%2E", 422),
        ("/orgs/shop/customers/%FF", 422),
        ("/orgs/shop/customers/", 404),
        ("/orgs/shop%23/customers/a", 422),
    ] {
        let answer = world.send(&Request::new("PUT", "back-office", path).json(&json!({}))).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
    }
}

#[tokio::test]
async fn dates_are_rfc_3339_with_an_offset() {
    for at in [
        json!("2026-05-01"),
        json!("2026-05-01T10:00:00"),
        json!("1969-12-31T23:59:59Z"),
        json!("2026-13-01T00:00:00Z"),
        json!(1_780_000_000),
        json!(""),
    ] {
        assert_eq!(answer(&order_with("fulfilledAt", at.clone())).await.fields(), ["fulfilledAt"], "{at}");
    }
}

#[tokio::test]
async fn only_get_and_delete_read_fields_from_query_parameters() {
    let world = World::new().await;
    let post = Request { path: "/awards?orgId=shop".into(), ..award("ada", "o1", "1", &json!({})) };
    assert_eq!(world.send(&post).await.fields(), ["orgId"]);
    for (path, field) in [
        ("/orgs?limit=0", "limit"),
        ("/orgs?limit=101", "limit"),
        ("/orgs?limit=ten", "limit"),
        ("/orgs?limit=1.5", "limit"),
        ("/orgs?page=2", "page"),
        ("/orgs/shop/customers?segment=rich", "segment"),
        ("/orgs/shop?orgId=other", "orgId"),
    ] {
        let answer = world.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.fields()), (422, vec![field]), "{path}: {}", answer.body);
    }
    assert_eq!(world.get("/orgs?limit=100").await.status, 200);
    let twice = world.get("/orgs?limit=5&limit=6").await;
    assert_eq!((twice.status.as_u16(), twice.code()), (400, "duplicate_field"), "{}", twice.body);
    let twice = world.get("/orgs/shop/bundles?orgId=shop").await;
    assert_eq!((twice.status.as_u16(), twice.fields()), (422, vec!["orgId"]), "{}", twice.body);
}

#[tokio::test]
async fn an_unknown_path_is_404_and_an_unsupported_method_is_405() {
    let world = World::new().await;
    let unknown = world.get("/nothing/here").await;
    assert_eq!((unknown.status.as_u16(), unknown.code()), (404, "unknown_route"));
    let wrong = world.send(&Request::new("PATCH", "back-office", "/orgs/shop")).await;
    assert_eq!((wrong.status.as_u16(), wrong.code()), (405, "method_not_allowed"));
    assert_eq!(wrong.headers["allow"], "PUT, GET, HEAD, DELETE");
}

#[tokio::test]
async fn a_cursor_of_another_org_is_403_first_and_a_broken_cursor_is_422() {
    let world = World::new().await;
    world.put_org("other", &json!({"name": "Other"})).await;
    for number in 0..3 {
        world.put_customer(ORG, &format!("c{number}"), &json!({})).await;
    }
    let page = world.get("/orgs/shop/customers?limit=2").await;
    let cursor = page.body["cursor"].as_str().unwrap();
    assert!(cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{cursor}");

    let elsewhere = world.get(&format!("/orgs/other/customers?limit=oops&cursor={cursor}")).await;
    assert_eq!((elsewhere.status.as_u16(), elsewhere.code()), (403, "other_org"));
    let of_orgs = {
        world.put_org("third", &json!({"name": "Third"})).await;
        world.get("/orgs?limit=1").await.body["cursor"].as_str().unwrap().to_owned()
    };
    let forged = |position: &str| base64(&format!("[\"listCustomers\",\"shop\",\"\",\"{position}\"]"));
    for path in [
        "/orgs/shop/customers?cursor=garbage".to_owned(),
        format!("/orgs/shop/customers?cursor={of_orgs}"),
        format!("/orgs/shop/customers?cursor={}", forged("#c1")),
        format!("/orgs/shop/customers?cursor={}", forged("0000")),
        format!("/orgs/shop/customers?cursor={}", forged("2026-06-01#c1")),
        format!("/orgs/shop/customers?cursor={}", forged("0000#c 1")),
        format!("/orgs/shop/customers?cursor={}", forged(&"9".repeat(3000))),
        "/orgs/shop/customers?cursor=".to_owned(),
        format!("/orgs/shop/customers/c1/activity?cursor={cursor}"),
        format!("/orgs?cursor={}", &cursor[..cursor.len() - 2]),
    ] {
        let answer = world.get(&path).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (422, "invalid_cursor"), "{path}");
    }
}

fn base64(text: &str) -> String {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    BASE64_URL_SAFE_NO_PAD.encode(text)
}

#[tokio::test]
async fn invalid_fields_precede_unknown_records_and_unknown_records_precede_rejections() {
    let world = World::new().await;
    let nowhere = award("ada", "o1", "1", &json!({"orgId": "nowhere", "orderTotal": "1.999"}));
    assert_eq!(world.send(&nowhere).await.status, 422);
    let nowhere = award("ada", "o1", "1", &json!({"orgId": "nowhere"}));
    assert_eq!(world.send(&nowhere).await.status, 404);
    world.put_loyalty(ORG, &json!({"enabled": false})).await;
    assert_eq!(world.send(&award("ada", "o1", "1", &json!({}))).await.status, 404);
    world.put_customer(ORG, "ada", &json!({})).await;
    assert_eq!(world.send(&award("ada", "o1", "1", &json!({}))).await.status, 409);
    let too_large = Request { path: "/nowhere".into(), ..raw(vec![b'x'; 300 * 1024]) };
    assert_eq!(world.send(&too_large).await.status, 413);
}
