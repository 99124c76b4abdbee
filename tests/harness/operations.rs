//! One call of every operation of every function, for tests of roles and metrics.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;

use crate::{Request, World, bundles, instant, scenario, world::ORG};

/// Calls every operation, so that every function uses the table in every way it can.
pub async fn call_every_operation(world: &World) {
    let succeeds = async |request: Request, at: &str| {
        let answer = world.send_at(&request, instant(at)).await;
        assert!(answer.status.is_success(), "{} {}: {}", request.method, request.path, answer.body);
        answer.body
    };
    let noon = "2026-06-01T12:00:00Z";
    let back_office =
        |method: &'static str, path: &str| Request::new(method, "back-office", format!("/orgs/{ORG}{path}"));

    for customer in ["ada", "bob"] {
        succeeds(back_office("PUT", &format!("/customers/{customer}")).json(&json!({})), noon).await;
    }
    succeeds(scenario::adjustment("ada", "a1", 500), noon).await;
    for path in ["/customers", "/customers/ada/activity", "/bundles"] {
        succeeds(back_office("GET", path), noon).await;
    }
    let key = succeeds(back_office("POST", "/keys").json(&json!({"name": "till"})), noon).await;
    succeeds(back_office("DELETE", &format!("/keys/{}", key["keyId"].as_str().unwrap())), noon).await;

    succeeds(scenario::award("ada", "o1", "250", &json!({})), noon).await;
    succeeds(scenario::refund_request("ada", "o1", "r1", Some("10")), noon).await;
    // A refund without a stored amount is computed from the other refunds of the order.
    succeeds(scenario::award("ada", "o9", "30", &json!({})), noon).await;
    succeeds(scenario::refund_request("ada", "o9", "r9", None), noon).await;
    let text = |value: String| AttributeValue::S(value);
    let strip = world.client.update_item().table_name(&world.table).update_expression("REMOVE #total, version");
    let strip = strip.key("pk", text(format!("ORDER#{ORG}#o9"))).key("sk", text("REFUND#r9".into()));
    strip.expression_attribute_names("#total", "total").send().await.unwrap();
    succeeds(scenario::void_refund("ada", "o9", "r9"), noon).await;
    succeeds(scenario::redeem_points("ada", "o2", 100, "49.99"), noon).await;
    succeeds(scenario::void_points("ada", "o2"), noon).await;
    let spent = format!("/redemptions?orgId={ORG}&customerId=ada");
    succeeds(Request::new("GET", "points-redemption", spent), noon).await;

    let timed = json!({"startDate": "2026-06-01T13:00:00Z", "maxRedemptions": 5});
    succeeds(bundles::put("b", &timed), noon).await;
    // A change of time zone leaves a mark, and the job removes the mark.
    succeeds(back_office("PUT", "").json(&json!({"name": "Shop", "timezone": "Asia/Kolkata"})), noon).await;
    let later = "2026-06-01T13:05:00Z";
    succeeds(bundles::job(&json!({})), later).await;
    succeeds(bundles::redeem("b", "ada", "o3", &json!({})), later).await;
    // Newer time zone data marks every org.
    bundles::record_older_zone_rules(world, ORG, "b").await;
    succeeds(bundles::job(&json!({})), later).await;
    // This order has a record already.
    succeeds(bundles::redeem("b", "ada", "o1", &json!({})), later).await;
    succeeds(bundles::void("b", "o3"), later).await;
    let redeemed = format!("/redemptions?orgId={ORG}&bundleId=b");
    succeeds(Request::new("GET", "bundle-redemption", redeemed), later).await;
    let cancelled = json!({"orgId": ORG, "orderId": "o3", "customerId": "ada"});
    world.invoke("bundle-redemption", scenario::event("OrderCancelled", cancelled)).await.unwrap();

    succeeds(scenario::prediction(&json!({})), later).await;
    // A run that stops after one org stores its position, and the next run deletes the position.
    succeeds(Request::new("PUT", "back-office", "/orgs/another").json(&json!({"name": "Another"})), later).await;
    let report = Request::new("POST", "weekly-report", "/").json(&json!({}));
    let stopped = world.send_within(&report, instant(later), Duration::from_secs(5)).await.body;
    assert!(stopped["cursor"].is_string(), "{stopped}");
    succeeds(report, later).await;
    // By then a customer falls a tier.
    succeeds(scenario::recalculation(&json!({})), "2027-01-01T00:00:00Z").await;

    let disposable = json!({"name": "To go", "disposable": true});
    succeeds(Request::new("PUT", "back-office", "/orgs/to-go").json(&disposable), noon).await;
    succeeds(Request::new("DELETE", "back-office", "/orgs/to-go"), noon).await;
}
