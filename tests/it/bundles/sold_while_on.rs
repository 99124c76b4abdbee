//! Orders that arrive after their bundle has changed: sold while it was on, before it was created, after it was
//! deleted.

use harness::{Request, World, bundles, instant, scenario, scenario::world, world::ORG};
use serde_json::{Value, json};

const MADE: &str = "2026-06-01T10:00:00Z";
const SOLD: &str = "2026-06-01T11:00:00Z";
const CHANGED: &str = "2026-06-01T12:00:00Z";
const LATER: &str = "2026-06-01T12:30:00Z";

fn org_in(zone: &str) -> Request {
    Request::new("PUT", "back-office", format!("/orgs/{ORG}")).json(&json!({"name": "Shop", "timezone": zone}))
}

/// A window from seven to nine in New York. The bundle is created and sold within it.
fn in_the_morning() -> Value {
    json!({"timeStart": "06:00", "timeEnd": "09:00"})
}

#[tokio::test]
async fn an_order_sold_while_a_bundle_was_active_redeems_it_despite_later_changes() {
    let changes = [
        bundles::move_to("b", "paused"),
        bundles::move_to("b", "ended"),
        bundles::move_to("b", "draft"),
        bundles::put("b", &json!({"startDate": "2026-07-01"})),
        bundles::put("b", &json!({"endDate": "2026-05-31"})),
        bundles::put("b", &json!({"daysOfWeek": [6]})),
        bundles::put("b", &json!({"timeStart": "20:00", "timeEnd": "21:00"})),
        org_in("Asia/Tokyo"),
    ];
    for change in changes {
        let world = world()
            .await
            .at(MADE)
            .bundle("b", in_the_morning())
            .at(CHANGED)
            .send(change)
            .expect_status(200)
            .at(LATER)
            .redeem_at("b", "ada", "o1", SOLD)
            .expect_status(201)
            .redeem_at("b", "ada", "o1", SOLD)
            .expect_status(200)
            .expect(json!({"replayed": true}))
            // At the instant of the change the bundle was off.
            .redeem_at("b", "ada", "o2", CHANGED)
            .refused(409, "bundle_not_active")
            .redeem_at("b", "ada", "o3", LATER)
            .refused(409, "bundle_not_active")
            .await;
        assert_eq!(bundles::check(&world, ORG, "b").await["currentRedemptions"], 1);
    }
}

#[tokio::test]
async fn an_order_sold_while_the_bundle_was_inactive_is_rejected() {
    world()
        .await
        .at("2026-06-01T09:00:00Z")
        .bundle("b", in_the_morning())
        .at(CHANGED)
        .move_to("b", "ended")
        .at(LATER)
        // Six in the morning is ten o'clock in UTC. The bundle is not read before noon.
        .redeem_at("b", "ada", "o1", "2026-06-01T09:59:59.999Z")
        .refused(409, "bundle_not_active")
        .expect(json!({"bundleStatus": "expired"}))
        .redeem_at("b", "ada", "o1", "2026-06-01T10:00:00Z")
        .expect_status(201)
        .await;
}

#[tokio::test]
async fn the_limits_apply_to_orders_sold_while_a_bundle_was_active() {
    let world = world()
        .await
        .at(MADE)
        .bundle("b", json!({"maxRedemptions": 2, "perCustomerLimit": 1}))
        .redeem("b", "ada", "o1")
        .at(CHANGED)
        .move_to("b", "ended")
        .at(LATER)
        .redeem_at("b", "ada", "o2", SOLD)
        .refused(409, "customer_limit_reached")
        .redeem_at("b", "bo", "o3", SOLD)
        .expect_status(201)
        .expect(json!({"limitReached": true}))
        .redeem_at("b", "cy", "o4", SOLD)
        .refused(409, "limit_reached")
        .expect_transitions("b", ["active>expired 2026-06-01T12:00 operator"])
        // The bundle was ended and not sold out, so a void does not reopen it.
        .void("b", "o3")
        .expect_bundle("b", json!({"status": "expired", "currentRedemptions": 1}))
        .await;
    bundles::check(&world, ORG, "b").await;
}

#[tokio::test]
async fn orders_from_before_an_end_race_for_the_last_units_within_the_limit() {
    use std::sync::Arc;
    let world = Arc::new(World::new().await);
    world.send_at(&bundles::put("b", &json!({"maxRedemptions": 5})), instant(MADE)).await;
    world.send_at(&bundles::move_to("b", "ended"), instant(CHANGED)).await;
    let calls = (0..20).map(|number| {
        let world = Arc::clone(&world);
        let redeem = bundles::redeem("b", &format!("c{number}"), &format!("o{number}"), &json!({"fulfilledAt": SOLD}));
        tokio::spawn(async move { world.send_with_retries(&redeem, instant(LATER)).await.status.as_u16() })
    });
    let statuses: Vec<u16> = futures::future::try_join_all(calls).await.unwrap();
    assert!(statuses.iter().all(|status| [200, 201, 409].contains(status)), "{statuses:?}");
    assert_eq!(bundles::check(&world, ORG, "b").await["currentRedemptions"], 5);
}

#[tokio::test]
async fn the_old_time_zone_applies_before_an_unrecorded_zone_change() {
    use harness::faults::{Fault, FaultDuration};
    let world = World::new().await;
    world.send(&bundles::put("b", &json!({"timeStart": "09:00", "timeEnd": "17:00"}))).await;
    // The org is written, and then the store fails. The zone of the bundle is still New York.
    world.proxy.fail(2, Fault::ServerError, FaultDuration::UntilHealed);
    assert_eq!(world.send_at(&org_in("Asia/Tokyo"), instant("2026-06-02T16:00:00Z")).await.status, 200);
    world.proxy.heal();
    let now = instant("2026-06-02T16:30:00Z");
    for (order, at, status) in [
        ("o1", "2026-06-02T15:00:00Z", 201),
        // Before the window opened in New York. In Tokyo it was open until eight o'clock.
        ("o2", "2026-06-02T09:00:00Z", 409),
        ("o3", "2026-06-02T16:10:00Z", 409),
    ] {
        let answer = world.send_at(&bundles::redeem("b", "ada", order, &json!({"fulfilledAt": at})), now).await;
        assert_eq!(answer.status, status, "{at}: {}", answer.body);
    }
}

#[tokio::test]
async fn an_order_from_before_the_bundle_was_created_is_rejected() {
    let world = world()
        .await
        .at(SOLD)
        .bundle("b", json!({}))
        .at(LATER)
        .redeem_at("b", "ada", "o1", "2026-06-01T10:59:59.999Z")
        .refused(409, "bundle_not_active")
        .expect(json!({"bundleStatus": "draft"}))
        .redeem_at("b", "ada", "o1", SOLD)
        .expect_status(201)
        .await;
    // A bundle without a stored creation date counts as created before every order.
    let old = world.client.update_item().table_name(&world.table).update_expression("REMOVE createdAt");
    let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    old.key("pk", text("ORG#shop")).key("sk", text("BUNDLE#b")).send().await.unwrap();
    let old = bundles::redeem("b", "ada", "o2", &json!({"fulfilledAt": MADE}));
    assert_eq!(world.send_at(&old, instant(LATER)).await.status, 201);
}

#[tokio::test]
async fn a_process_with_a_slow_clock_redeems_a_just_created_bundle() {
    world()
        .await
        .at("2026-06-01T12:00:00.010Z")
        .bundle("b", json!({}))
        .at("2026-06-01T12:00:00Z")
        .redeem("b", "ada", "o1")
        .expect_status(201)
        .await;
}

fn fulfilled() -> Value {
    let detail =
        json!({"orgId": ORG, "orderId": "o1", "customerId": "ada", "orderTotal": 40, "bundleIds": ["gone", "b"]});
    scenario::event("OrderFulfilled", detail)
}

#[tokio::test]
async fn a_deleted_bundle_stays_rejected_and_its_id_is_reusable() {
    let delete = Request::new("DELETE", "back-office", format!("/orgs/{ORG}/bundles/gone"));
    let eligibility = format!("/eligibility?orgId={ORG}&bundleId=gone&customerId=ada");
    let world = world()
        .await
        .bundle("b", json!({}))
        .send(bundles::put("gone", &json!({})))
        .send(delete)
        .expect_status(200)
        .redeem("gone", "ada", "o1")
        .refused(409, "bundle_deleted")
        .send(Request::new("GET", "bundle-redemption", eligibility))
        .refused(409, "bundle_deleted")
        .send(Request::new("GET", "back-office", format!("/orgs/{ORG}/bundles/gone")))
        .refused(404, "bundle_not_found")
        .redeem("never", "ada", "o1")
        .refused(404, "bundle_not_found")
        .await;
    // The event is not retried, because the bundle cannot come back.
    let answer = world.invoke("bundle-redemption", fulfilled()).await.unwrap();
    let refused = json!({"bundleId": "gone", "redeemed": false, "code": "bundle_deleted"});
    assert_eq!(answer["bundles"], json!([refused, {"bundleId": "b", "redeemed": true}]));
    assert_eq!(world.send(&bundles::put("gone", &json!({}))).await.status, 201);
    let again = world.invoke("bundle-redemption", fulfilled()).await.unwrap();
    assert_eq!(again["bundles"][0], json!({"bundleId": "gone", "redeemed": true}));
    assert_eq!(bundles::check(&world, ORG, "gone").await["currentRedemptions"], 1);
}

#[tokio::test]
async fn the_markers_of_deleted_bundles_are_deleted_with_their_org() {
    let world = World::new().await;
    world.put_org("temp", &json!({"name": "Temp", "disposable": true})).await;
    let path = "/orgs/temp/bundles/b";
    world.send(&Request::new("PUT", "back-office", path).json(&bundles::terms(&json!({})))).await;
    assert_eq!(world.send(&Request::new("DELETE", "back-office", path)).await.status, 200);
    let deleted = world.send(&Request::new("DELETE", "back-office", "/orgs/temp")).await;
    assert_eq!(deleted.body["complete"], true);
    assert_eq!(world.client.scan().table_name(&world.table).send().await.unwrap().count(), 1, "only the shop is left");
}
