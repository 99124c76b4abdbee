//! Customers: their profile, adjustments, lists and activity.

use harness::{Request, World, scenario::award, world, world::ORG};
use serde_json::{Value, json};

use super::support::{ids, put, walk};

#[tokio::test]
async fn a_put_of_a_customer_replaces_editable_fields_and_keeps_system_fields() {
    world()
        .await
        .customer_with("ada", json!({"firstName": "Ada", "email": "ada@example.org", "equityStatus": true}))
        .expect_status(201)
        .expect(json!({"customerId": "ada", "points": 0, "orderCount": 0, "tier": "Bronze", "segment": "new", "tierProgress": 0}))
        .award("ada", "o1", "100")
        .customer_with("ada", json!({"firstName": "Augusta", "email": null}))
        .expect_status(200)
        .expect(json!({"firstName": "Augusta", "points": 120, "lifetimeValue": 100}))
        .expect_no("email")
        .expect_no("equityStatus")
        .send(put("/orgs/shop/customers/ada", &json!({"firstName": "X"})).header("if-none-match", "*"))
        .refused(412, "already_exists")
        .send(put("/orgs/shop/customers/ada", &json!({"points": 5, "tier": "Gold"})))
        .refused(422, "invalid_fields")
        .send(put("/orgs/nowhere/customers/ada", &json!({})))
        .refused(404, "unknown_org")
        .await;
}

#[tokio::test]
async fn a_manual_adjustment_adds_or_removes_points() {
    let adjust = |body: Value| Request::new("POST", "back-office", "/orgs/shop/customers/ada/adjustments").json(&body);
    world()
        .await
        .customer("ada")
        .adjust("ada", "a1", 30)
        .expect_status(201)
        .expect(json!({"points": 30, "balance": 30}))
        .adjust("ada", "a2", -50)
        .expect(json!({"points": -50, "balance": -20}))
        .adjust("nobody", "a1", 1)
        .refused(404, "unknown_customer")
        .send(adjust(json!({"adjustmentId": "a3", "points": 0, "reason": "r"})))
        .refused(422, "invalid_fields")
        .send(adjust(json!({"adjustmentId": "a3", "points": 1.5, "reason": "r"})))
        .refused(422, "invalid_fields")
        .send(adjust(json!({"adjustmentId": "a3", "points": 5})))
        .refused(422, "invalid_fields")
        .expect_entries("ada", ["points_adjusted a1 +30 =30", "points_adjusted a2 -50 =-20"])
        .await;
}

#[tokio::test]
async fn customers_are_listed_by_last_order_newest_first_page_by_page() {
    let world = World::new().await;
    world.put_customer(ORG, "none", &json!({})).await;
    for day in 1..=5 {
        world.put_customer(ORG, &format!("c{day}"), &json!({})).await;
        let at = json!({"fulfilledAt": format!("2026-05-0{day}T00:00:00Z")});
        world.send(&award(&format!("c{day}"), &format!("o{day}"), "10", &at)).await;
    }
    let (rows, pages) = walk(&world, "/orgs/shop/customers?limit=2", "customers").await;
    assert_eq!(ids(&rows, "customerId"), ["c5", "c4", "c3", "c2", "c1", "none"]);
    assert!(pages >= 3);
    let (all, _) = walk(&world, "/orgs/shop/customers?limit=100", "customers").await;
    assert_eq!(all, rows);
}

#[tokio::test]
async fn customers_are_filtered_by_tier_and_segment() {
    let world = World::new().await;
    for number in 0..12 {
        let name = format!("c{number:02}");
        world.put_customer(ORG, &name, &json!({})).await;
        let total = if number % 4 == 0 { "600" } else { "10" };
        let month = if number < 6 { "2026-01" } else { "2026-05" };
        let at = json!({"fulfilledAt": format!("{month}-10T00:00:{number:02}Z")});
        world.send(&award(&name, &format!("o{number}"), total, &at)).await;
    }
    let (gold, _) = walk(&world, "/orgs/shop/customers?tier=Gold&limit=1", "customers").await;
    assert_eq!(ids(&gold, "customerId"), ["c08", "c04", "c00"]);
    let (churned, _) = walk(&world, "/orgs/shop/customers?segment=churned&limit=4", "customers").await;
    assert_eq!(ids(&churned, "customerId"), ["c05", "c04", "c03", "c02", "c01", "c00"]);
    let (both, _) = walk(&world, "/orgs/shop/customers?segment=churned&tier=Gold&limit=5", "customers").await;
    assert_eq!(ids(&both, "customerId"), ["c04", "c00"]);
    let (none, _) = walk(&world, "/orgs/shop/customers?tier=Diamond&limit=5", "customers").await;
    assert!(none.is_empty());
}

#[tokio::test]
async fn activity_is_listed_newest_first_and_in_commit_order_within_an_instant() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    for number in [9, 3, 7, 1] {
        world.send(&award("ada", &format!("o{number}"), "10", &json!({}))).await;
    }
    let (rows, _) = walk(&world, "/orgs/shop/customers/ada/activity?limit=1", "entries").await;
    assert_eq!(ids(&rows, "orderId"), ["o1", "o7", "o3", "o9"]);
    assert_eq!(
        rows[0],
        json!({
            "kind": "points_earned", "at": "2026-06-01T12:00:00.000Z", "points": 10, "balance": 40, "orderId": "o1", "orderTotal": 10,
        })
    );
    assert_eq!(world.get("/orgs/shop/customers/nobody/activity").await.code(), "unknown_customer");
    assert_eq!(world.get("/orgs/nowhere/customers/ada/activity").await.code(), "unknown_org");
}
