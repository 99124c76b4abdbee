//! One call of every operation of every function, for tests of roles and metrics.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use back_office::{
    bundle_lists::{BundlesRequest, ListBundles},
    keys::{CreateKey, CreateKeyRequest, DeleteKey, DeleteKeyRequest},
    orgs::{DeleteOrg, OrgRequest, PutOrg, PutOrgRequest},
};
use points_redemption::read::{ListPointsRedemptions, PointsRedemptionsRequest};
use serde_json::json;
use shared::{
    domain::{contact::Country, org_key::KeyScope, zone::Zone},
    inbound::fields::{OrgCurrency, PageSize},
};
use weekly_report::report::{ReportRequest, ReportWeek};

use crate::{
    Request, World, amendments, audit, bundles, customers, instant, lists::read_all, scenario, valid, world::ORG,
};

/// Calls every operation, so that every function uses the table in every way it can.
pub async fn call_every_operation(world: &World) {
    let succeeds = async |request: Request, at: &str| {
        let answer = world.send_at(&request, instant(at)).await;
        assert!(answer.status.is_success(), "{} {}: {}", request.method, request.path, answer.body);
        answer.body
    };
    let noon = "2026-06-01T12:00:00Z";
    let loyalty = json!({"pointsExpiry": {"months": 1, "roundTo": "day"}});
    succeeds(Request::new("PUT", "back-office", format!("/orgs/{ORG}/loyalty")).json(&loyalty), noon).await;
    for customer in ["ada", "bob"] {
        succeeds(Request::put_customer(ORG, customer), noon).await;
    }
    succeeds(scenario::adjustment("ada", "a1", 500), noon).await;
    customers::all(world, ORG).await;
    audit::ledger(world, ORG, "ada", instant(noon)).await;
    let page = |cursor| BundlesRequest { org_id: valid(ORG), status: None, limit: PageSize::default(), cursor };
    read_all::<ListBundles>(world, "bundles", page).await;
    let till = CreateKeyRequest { org_id: valid(ORG), name: valid("till"), scope: KeyScope::Manage };
    let key = succeeds(Request::of::<CreateKey>(&till), noon).await;
    let key = DeleteKeyRequest { org_id: valid(ORG), key_id: valid(key["keyId"].clone()) };
    succeeds(Request::of::<DeleteKey>(&key), noon).await;

    call_orders(world).await;
    succeeds(scenario::redeem_points("ada", "o2", 100, "49.99"), noon).await;
    succeeds(scenario::void_points("ada", "o2"), noon).await;
    succeeds(scenario::hold_points("ada", "o4", 100, "49.99", &json!({})), noon).await;
    succeeds(scenario::release_points("ada", "o4"), noon).await;
    let page = |cursor| PointsRedemptionsRequest {
        org_id: valid(ORG),
        customer_id: valid("ada"),
        limit: PageSize::default(),
        cursor,
    };
    read_all::<ListPointsRedemptions>(world, "redemptions", page).await;

    let timed = json!({"startDate": "2026-06-01T13:00:00Z", "maxRedemptions": 5});
    succeeds(bundles::put("b", &timed), noon).await;
    // A change of time zone leaves a mark, and the job removes the mark.
    let moved = PutOrgRequest { timezone: valid("Asia/Kolkata"), ..org(ORG, "Shop") };
    succeeds(Request::of::<PutOrg>(&moved), noon).await;
    let later = "2026-06-01T13:05:00Z";
    succeeds(bundles::job(&json!({})), later).await;
    succeeds(bundles::redeem("b", "ada", "o3", &json!({})), later).await;
    // Newer time zone data marks every org.
    bundles::record_older_zone_rules(world, ORG, "b").await;
    succeeds(bundles::job(&json!({})), later).await;
    // This order has a record already.
    succeeds(bundles::redeem("b", "ada", "o1", &json!({})), later).await;
    succeeds(bundles::void("b", "o3"), later).await;
    bundles::redemptions(world, ORG, "b").await;
    let cancelled = json!({"orgId": ORG, "orderId": "o3", "customerId": "ada"});
    world.invoke("bundle-redemption", scenario::event("OrderCancelled", cancelled)).await.unwrap();

    succeeds(scenario::prediction(&json!({})), later).await;
    // A run that stops after one org stores its position, and the next run deletes the position.
    succeeds(Request::of::<PutOrg>(&org("another", "Another")), later).await;
    let report = Request::of::<ReportWeek>(&ReportRequest { org_id: None, cursor: None, dry_run: false });
    let stopped = world.send_within(&report, instant(later), Duration::from_secs(5)).await.body;
    assert!(stopped["cursor"].is_string(), "{stopped}");
    succeeds(report, later).await;
    // A run closes a day. The next run counts an entry of that day that came later, and warns of points that expire soon.
    succeeds(scenario::expiry(&json!({})), "2026-06-10T06:00:00Z").await;
    succeeds(scenario::adjustment("ada", "a2", 10), "2026-06-09T12:00:00Z").await;
    succeeds(scenario::expiry(&json!({})), "2026-06-26T06:00:00Z").await;
    // By then points have expired.
    succeeds(scenario::expiry(&json!({})), "2026-07-10T06:00:00Z").await;
    // By then a customer falls a tier.
    succeeds(scenario::recalculation(&json!({})), "2027-01-01T00:00:00Z").await;

    let disposable = PutOrgRequest { disposable: Some(true), ..org("to-go", "To go") };
    succeeds(Request::of::<PutOrg>(&disposable), noon).await;
    succeeds(Request::of::<DeleteOrg>(&OrgRequest { org_id: disposable.org_id }), noon).await;
}

/// Calls every operation of `points-award`.
async fn call_orders(world: &World) {
    let succeeds = async |request: Request| {
        let answer = world.send(&request).await;
        assert!(answer.status.is_success(), "{} {}: {}", request.method, request.path, answer.body);
    };
    succeeds(scenario::award("ada", "o1", "250", &json!({}))).await;
    succeeds(amendments::amend("ada", "o1", "260", "2026-06-01T12:30:00Z")).await;
    succeeds(amendments::get_award("o1")).await;
    succeeds(amendments::cancel("ada", "never", "2026-06-01T12:00:00Z")).await;
    succeeds(scenario::refund_request("ada", "o1", "r1", Some("10"))).await;
    // A refund without a stored amount is computed from the other refunds of the order.
    succeeds(scenario::award("ada", "o9", "30", &json!({}))).await;
    succeeds(scenario::refund_request("ada", "o9", "r9", None)).await;
    let text = |value: String| AttributeValue::S(value);
    let strip = world.client.update_item().table_name(&world.table).update_expression("REMOVE #total, version");
    let strip = strip.key("pk", text(format!("ORDER#{ORG}#o9"))).key("sk", text("REFUND#r9".into()));
    strip.expression_attribute_names("#total", "total").send().await.unwrap();
    succeeds(scenario::void_refund("ada", "o9", "r9")).await;
}

/// The profile of an org with the default time zone and currency.
fn org(org: &str, name: &str) -> PutOrgRequest {
    let (timezone, currency) = (Zone::default(), OrgCurrency::default());
    PutOrgRequest {
        org_id: valid(org),
        name: valid(name),
        timezone,
        currency,
        country: Country::default(),
        disposable: None,
    }
}
