//! Bundles in the back office: created, edited, moved, read, listed, deleted.

use harness::{
    Request, World, bundles, world,
    world::{ORG, noon},
};
use serde_json::{Value, json};

#[tokio::test]
async fn a_bundle_is_created_and_read_back_with_its_derived_fields() {
    world()
        .await
        .bundle("b", json!({"description": "Two soaps,\none price", "maxRedemptions": 10, "perCustomerLimit": 2}))
        .expect_status(201)
        .expect_bundle(
            "b",
            json!({
                "orgId": ORG, "bundleId": "b", "name": "Soap for two", "description": "Two soaps,\none price", "type": "bogo",
                "products": [{"productId": "soap", "name": "Soap", "requiredQty": 2, "originalPrice": 10}],
                "originalTotal": 20, "bundlePrice": 15.5, "savings": 4.5, "maxRedemptions": 10, "perCustomerLimit": 2,
                "desiredState": "published", "status": "active", "currentRedemptions": 0,
            }),
        )
        .expect_no("nextChange")
        .expect_no("startDate")
        .expect_transitions("b", [])
        .await;
}

#[tokio::test]
async fn a_new_bundle_is_a_draft_and_a_put_without_a_state_keeps_the_state() {
    let mut terms = bundles::terms(&json!({}));
    terms.as_object_mut().unwrap().remove("desiredState");
    let put = Request::new("PUT", "back-office", format!("/orgs/{ORG}/bundles/b")).json(&terms);
    world()
        .await
        .send(put.clone())
        .expect_status(201)
        .expect(json!({"desiredState": "draft", "status": "draft"}))
        .move_to("b", "published")
        .expect(json!({"status": "active"}))
        .send(put)
        .expect_status(200)
        .expect(json!({"desiredState": "published", "status": "active"}))
        .expect_transitions("b", ["draft>active 2026-06-01T12:00 operator"])
        .await;
}

#[tokio::test]
async fn a_bundle_shows_its_current_status_and_the_list_its_recorded_status() {
    world()
        .await
        .bundle("b", json!({"startDate": "2026-06-01T13:00:00Z", "endDate": "2026-06-01T14:00:00Z"}))
        .expect(json!({"status": "scheduled", "nextChange": "2026-06-01T13:00:00.000Z"}))
        .at("2026-06-01T13:00:00Z")
        .expect_bundle("b", json!({"status": "active", "nextChange": "2026-06-01T14:00:00.000Z"}))
        .expect_listed("b", "scheduled")
        .job()
        .expect_listed("b", "active")
        .await;
}

#[tokio::test]
async fn every_fault_of_a_bundle_is_reported_at_once() {
    let world = World::new().await;
    let product = json!({"productId": "p/1", "name": "", "requiredQty": 0, "originalPrice": "1.234"});
    let faulty = json!({
        "name": 7, "type": "raffle", "products": [product], "originalTotal": 10, "bundlePrice": 10.01, "startDate": "2026-06-02T00:00:00Z",
        "endDate": "2026-06-01T00:00:00Z", "daysOfWeek": [7], "timeStart": "25:00", "timeEnd": "9:00", "maxRedemptions": 0,
        "perCustomerLimit": -1, "desiredState": "on", "status": "active", "currentRedemptions": 3,
    });
    let answer = world.send(&Request::new("PUT", "back-office", "/orgs/shop/bundles/b").json(&faulty)).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (422, "invalid_fields"));
    let mut fields = answer.fields();
    fields.sort_unstable();
    let mut expected = [
        "name",
        "type",
        "products[0].productId",
        "products[0].name",
        "products[0].requiredQty",
        "products[0].originalPrice",
        "bundlePrice",
        "endDate",
        "daysOfWeek[0]",
        "timeStart",
        "timeEnd",
        "maxRedemptions",
        "perCustomerLimit",
        "desiredState",
        "status",
        "currentRedemptions",
    ];
    expected.sort_unstable();
    assert_eq!(fields, expected, "{}", answer.body);
    assert_eq!(world.get("/orgs/shop/bundles/b").await.status, 404);
}

#[tokio::test]
async fn fields_that_are_wrong_only_together_or_at_their_limits_are_rejected() {
    let world = World::new().await;
    let product =
        |number: usize| json!({"productId": format!("p{number}"), "name": "P", "requiredQty": 1, "originalPrice": 1});
    let many = |count: usize| (0..count).map(product).collect::<Vec<Value>>();
    for (more, field) in [
        (json!({"startDate": "2026-06-01T00:00:00Z", "endDate": "2026-06-01T00:00:00Z"}), "endDate"),
        (json!({"bundlePrice": "20.01"}), "bundlePrice"),
        (json!({"timeStart": "24:00"}), "timeStart"),
        (json!({"timeEnd": "24:01"}), "timeEnd"),
        (json!({"daysOfWeek": []}), "daysOfWeek"),
        (json!({"daysOfWeek": [1, "mon"]}), "daysOfWeek[1]"),
        (json!({"products": []}), "products"),
        (json!({"products": many(101)}), "products"),
        (json!({"maxRedemptions": 1.5}), "maxRedemptions"),
        (json!({"maxRedemptions": 1_000_000_001}), "maxRedemptions"),
        (json!({"description": "x".repeat(2001)}), "description"),
    ] {
        let answer = world.send(&bundles::put("b", &more)).await;
        assert_eq!((answer.status.as_u16(), answer.fields()), (422, vec![field]), "{more}: {}", answer.body);
    }
    for more in [
        json!({"products": many(100), "originalTotal": 100}),
        json!({"bundlePrice": 20}),
        json!({"timeStart": "23:59", "timeEnd": "24:00"}),
        json!({"daysOfWeek": [0, 6]}),
        json!({"maxRedemptions": 1_000_000_000}),
        json!({"description": ""}),
    ] {
        let answer = world.send(&bundles::put("b", &more)).await;
        assert!(answer.status.is_success(), "{more}: {}", answer.body);
    }
}

#[tokio::test]
async fn an_edit_keeps_the_redemption_count_and_the_limit_cannot_go_below_it() {
    world()
        .await
        .bundle("b", json!({"maxRedemptions": 5}))
        .redeem("b", "ada", "o1")
        .redeem("b", "bo", "o2")
        .send(bundles::put("b", &json!({"maxRedemptions": 1})))
        .refused(409, "limit_below_used")
        .bundle("b", json!({"maxRedemptions": 3, "bundlePrice": 10}))
        .expect(json!({"currentRedemptions": 2, "savings": 10, "status": "active"}))
        .redeem("b", "cy", "o3")
        .expect(json!({"currentRedemptions": 3, "limitReached": true}))
        .expect_stats(
            "b",
            json!({"totalRedemptions": 3, "uniqueCustomers": 3, "totalSavings": 19, "averageSavings": 6.33}),
        )
        .await;
}

#[tokio::test]
async fn a_limit_equal_to_the_count_sells_the_bundle_out_and_a_higher_one_reopens_it() {
    world()
        .await
        .bundle("b", json!({}))
        .redeem("b", "ada", "o1")
        .bundle("b", json!({"maxRedemptions": 1}))
        .expect(json!({"status": "expired"}))
        .redeem("b", "bo", "o2")
        .refused(409, "limit_reached")
        .bundle("b", json!({"maxRedemptions": 2}))
        .expect(json!({"status": "active"}))
        .redeem("b", "bo", "o2")
        .expect_status(201)
        .expect_transitions(
            "b",
            [
                "active>expired 2026-06-01T12:00 operator",
                "expired>active 2026-06-01T12:00 operator",
                "active>expired 2026-06-01T12:00 redemption limit reached",
            ],
        )
        .await;
}

#[tokio::test]
async fn an_operators_transition_is_recorded_at_once_after_overdue_transitions() {
    let world = world()
        .await
        .bundle("b", json!({"startDate": "2026-06-01T13:00:00Z", "timeStart": "09:00", "timeEnd": "12:00"}))
        // Without a run of the job, the start at nine in New York and the end of the window at twelve have passed.
        .at("2026-06-01T17:30:00Z")
        .move_to("b", "paused")
        .expect(json!({"desiredState": "paused", "status": "paused"}))
        .move_to("b", "paused")
        .expect_status(200)
        .at("2026-06-02T14:00:00Z")
        .move_to("b", "published")
        .expect(json!({"status": "active"}))
        .move_to("b", "ended")
        .expect(json!({"status": "expired"}))
        .expect_transitions(
            "b",
            [
                "scheduled>active 2026-06-01T13:00 start date reached",
                "active>paused 2026-06-01T16:00 time window closed",
                "paused>paused 2026-06-01T17:30 operator",
                "paused>active 2026-06-02T14:00 operator",
                "active>expired 2026-06-02T14:00 operator",
            ],
        )
        .await;
    let last = bundles::transitions(&world, ORG, "b").await.pop().unwrap();
    assert_eq!((&last["desiredState"], &last["note"]), (&json!("ended"), &json!("as the test says")));
}

#[tokio::test]
async fn a_manual_transition_needs_a_bundle_a_state_and_a_reason() {
    let path = format!("/orgs/{ORG}/bundles/b/transition");
    let post = |body: Value| Request::new("POST", "back-office", path.clone()).json(&body);
    world()
        .await
        .move_to("b", "published")
        .refused(404, "bundle_not_found")
        .bundle("b", json!({}))
        .send(post(json!({"to": "active", "reason": "x"})))
        .refused(422, "invalid_fields")
        .send(post(json!({"to": "paused"})))
        .refused(422, "invalid_fields")
        .await;
}

#[tokio::test]
async fn bundles_are_listed_by_id_and_by_recorded_status() {
    let world = World::new().await;
    for number in 0..12 {
        let desired = if number % 3 == 0 { "paused" } else { "published" };
        world.send(&bundles::put(&format!("b{number:02}"), &json!({"desiredState": desired}))).await;
    }
    let list = |query: String| {
        let world = &world;
        async move {
            let page = world.get(&format!("/orgs/{ORG}/bundles?{query}")).await.body;
            let ids: Vec<String> = page["bundles"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row["bundleId"].as_str().unwrap().into())
                .collect();
            (ids, page["cursor"].as_str().map(str::to_owned))
        }
    };
    let (first, cursor) = list("limit=5".into()).await;
    assert_eq!(first, ["b00", "b01", "b02", "b03", "b04"]);
    let (second, _) = list(format!("limit=100&cursor={}", cursor.unwrap())).await;
    assert_eq!(second.len(), 7);
    let (paused, cursor) = list("status=paused&limit=3".into()).await;
    assert_eq!(paused, ["b00", "b03", "b06"]);
    let (rest, cursor) = list(format!("status=paused&limit=3&cursor={}", cursor.unwrap())).await;
    assert_eq!((rest, cursor), (vec!["b09".to_owned()], None));
    assert_eq!(list("status=expired".into()).await, (vec![], None));
    assert_eq!(world.get(&format!("/orgs/{ORG}/bundles?status=on")).await.status, 422);
}

#[tokio::test]
async fn a_bundle_without_redemptions_can_be_deleted_and_no_items_remain() {
    let delete = Request::new("DELETE", "back-office", format!("/orgs/{ORG}/bundles/b"));
    let world = world()
        .await
        .bundle("kept", json!({}))
        .send(bundles::put("b", &json!({"desiredState": "draft"})))
        .move_to("b", "published")
        .send(delete.clone())
        .expect_status(200)
        .send(delete.clone())
        .refused(404, "bundle_not_found")
        .send(bundles::put("b", &json!({"desiredState": "draft"})))
        .expect_status(201)
        .expect_transitions("b", [])
        .move_to("b", "published")
        .redeem("b", "ada", "o1")
        .void("b", "o1")
        .send(delete)
        .refused(409, "bundle_redeemed")
        .expect_bundle("b", json!({"currentRedemptions": 0}))
        .await;
    assert_eq!(bundles::transitions(&world, ORG, "b").await.len(), 1);
}

#[tokio::test]
async fn a_put_with_if_none_match_only_creates() {
    world()
        .await
        .send(bundles::put("b", &json!({})).header("if-none-match", "*"))
        .expect_status(201)
        .send(bundles::put("b", &json!({})).header("if-none-match", "*"))
        .refused(412, "already_exists")
        .await;
}

#[tokio::test]
async fn an_unknown_org_and_an_unknown_bundle_are_404() {
    let world = World::new().await;
    let put = Request::new("PUT", "back-office", "/orgs/nobody/bundles/b").json(&bundles::terms(&json!({})));
    assert_eq!(world.send(&put).await.code(), "unknown_org");
    for path in ["/orgs/nobody/bundles", "/orgs/nobody/bundles/b", "/orgs/nobody/bundles/b/transitions"] {
        assert_eq!(world.get(path).await.code(), "unknown_org", "{path}");
    }
    for path in ["/orgs/shop/bundles/b", "/orgs/shop/bundles/b/transitions"] {
        assert_eq!(world.get(path).await.code(), "bundle_not_found", "{path}");
    }
}

#[tokio::test]
async fn a_disposable_org_is_deleted_with_its_bundles_and_their_items() {
    let world = World::new().await;
    world.put_org("temp", &json!({"name": "Temp", "disposable": true})).await;
    let send = |method, function, path: &str, body: Value| {
        let request = Request::new(method, function, path).json(&body);
        let world = &world;
        async move { assert!(world.send_at(&request, noon()).await.status.is_success(), "{request:?}") }
    };
    send("PUT", "back-office", "/orgs/temp/bundles/b", bundles::terms(&json!({"maxRedemptions": 2}))).await;
    for number in 0..2 {
        let order = json!({"orgId": "temp", "bundleId": "b", "customerId": "ada", "orderId": format!("o{number}")});
        send("POST", "bundle-redemption", "/redemptions", order).await;
    }
    let cancelled = Request::new("DELETE", "bundle-redemption", "/redemptions/o9?orgId=temp&bundleId=b");
    assert_eq!(world.send(&cancelled).await.body["voided"], false);
    world.put_org("temp", &json!({"name": "Temp", "timezone": "Asia/Tokyo"})).await;
    let answer = world.send(&Request::new("DELETE", "back-office", "/orgs/temp")).await;
    assert_eq!((answer.status.as_u16(), &answer.body["complete"]), (200, &json!(true)), "{}", answer.body);
    assert_eq!(world.client.scan().table_name(&world.table).send().await.unwrap().count(), 1, "only the shop is left");
}

#[tokio::test]
async fn an_unreadable_bundle_does_not_hide_other_bundles_from_the_list() {
    let world = World::new().await;
    for bundle in ["a", "b", "c"] {
        world.send(&bundles::put(bundle, &json!({}))).await;
    }
    world.corrupt("ORG#shop", "BUNDLE#b", "terms").await;
    let list = world.get("/orgs/shop/bundles?limit=2").await;
    assert_eq!(list.body["bundles"][1], json!({"bundleId": "b", "error": "internal"}));
    assert!(list.body["cursor"].is_string());
    let active = world.get("/orgs/shop/bundles?status=active").await.body;
    assert_eq!(active["bundles"].as_array().unwrap().len(), 2);
    assert_eq!(world.get("/orgs/shop/bundles/b").await.status, 500);
}

#[tokio::test]
async fn a_repeated_deletion_keeps_a_bundle_created_in_between() {
    let delete = Request::new("DELETE", "back-office", format!("/orgs/{ORG}/bundles/b"));
    world()
        .await
        .bundle("b", json!({}))
        .move_to("b", "paused")
        .send(delete.clone())
        .expect_status(200)
        .at("2026-06-01T12:00:01Z")
        .bundle("b", json!({}))
        .move_to("b", "paused")
        .expect_transitions("b", ["active>paused 2026-06-01T12:00:01.000Z operator"])
        // A retry of the first request, whose answer was lost.
        .send(delete)
        .expect_status(200)
        .bundle("b", json!({}))
        .expect_transitions("b", [])
        .await;
}
