//! Alarms on awards, redemptions, promotions and deployments.

use harness::{
    Request, World, bundles,
    faults::{Fault, Lasting},
    scenario::{self, award, event, spend},
    watch::Watch,
    world::ORG,
};
use serde_json::json;

use super::support::{CRASHED, OUT_OF_MEMORY, OUT_OF_TIME, fulfilled, impatient};

#[tokio::test]
async fn redemptions_that_fail_are_told_of_by_whichever_way_they_come() {
    let mut watch = impatient().await;
    watch.send(&bundles::put("b", &json!({}))).await;
    watch.world.wire.fail(0, Fault::Throttle, Lasting::UntilHealed);
    for number in 0..5 {
        let order = format!("o{number}");
        watch.send(&bundles::redeem("b", "ada", &order, &json!({}))).await;
        watch.invoke("bundle-redemption", fulfilled(&order, &["b"])).await.unwrap_err();
    }
    assert!(!watch.is_raised("p2-redemption-failures", 10), "ten are not enough");
    assert_eq!(watch.send(&spend("ada", "o", 100, "49.99")).await.status, 503);
    watch.fires("p2-redemption-failures", 3);
    watch.world.wire.heal();
    watch.pass(125);
    watch.is_silent("p2-redemption-failures");
    for _ in 0..6 {
        watch.lines("points-redemption", CRASHED);
        watch.cloud.throttle(watch.now, "points-redemption");
    }
    watch.fires("p2-redemption-failures", 3);
    watch.pass(125);
    for _ in 0..6 {
        watch.lines("bundle-redemption", OUT_OF_TIME);
        watch.cloud.throttle(watch.now, "bundle-redemption");
    }
    watch.fires("p2-redemption-failures", 3);
}

#[tokio::test]
async fn awards_that_fail_are_told_of() {
    let mut watch = impatient().await;
    watch.world.wire.fail(0, Fault::Throttle, Lasting::UntilHealed);
    for number in 0..5 {
        watch.invoke("points-award", fulfilled(&format!("o{number}"), &[])).await.unwrap_err();
    }
    assert!(!watch.is_raised("p2-award-failures", 10), "five are not enough, each counted once");
    watch.send(&award("ada", "o", "40", &json!({}))).await;
    watch.fires("p2-award-failures", 3);
    watch.world.wire.heal();
    watch.pass(125);
    watch.is_silent("p2-award-failures");
    for _ in 0..3 {
        watch.lines("points-award", OUT_OF_MEMORY);
        watch.cloud.throttle(watch.now, "points-award");
    }
    watch.fires("p2-award-failures", 3);
}

#[tokio::test]
async fn a_burst_of_promotions_is_told_of_whether_orders_or_settings_make_it() {
    let mut watch = Watch::of(World::new().await);
    for number in 0..51 {
        let name = format!("c{number}");
        watch.world.put_customer(ORG, &name, &json!({})).await;
        assert_eq!(watch.send(&award(&name, &name, "250", &json!({}))).await.body["tier"], "Silver");
        assert!(number < 49 || watch.is_raised("p3-unusual-promotion-rate", 3) == (number == 50), "at {number}");
    }
    watch.fires("p3-unusual-promotion-rate", 3);
    watch.pass(125);
    watch.is_silent("p3-unusual-promotion-rate");
    let lower = json!({"tiers": [{"name": "Bronze", "threshold": 0}, {"name": "Silver", "threshold": 10}, {"name": "Gold", "threshold": 20}]});
    watch.world.put_loyalty(ORG, &lower).await;
    watch.send(&scenario::recalculation(&json!({}))).await;
    watch.fires("p3-unusual-promotion-rate", 3);
}

/// The functions of which a deployment is watched.
pub(super) const CANARIES: [&str; 4] = ["back-office", "bundle-redemption", "points-award", "points-redemption"];

#[tokio::test]
async fn a_new_version_of_a_function_that_fails_is_taken_back() {
    for function in CANARIES {
        let (mut watch, alarm) = (impatient().await, format!("{function}-failing"));
        watch.world.wire.fail(0, Fault::ServerError, Lasting::UntilHealed);
        watch.is_silent(&alarm);
        for number in 0..3 {
            let request = match function {
                "back-office" => Request::new("GET", function, format!("/orgs/{ORG}/customers")),
                "bundle-redemption" => bundles::redeem("b", "ada", "o", &json!({})),
                "points-award" => award("ada", &format!("o{number}"), "40", &json!({})),
                _ => spend("ada", "o", 100, "49.99"),
            };
            assert!(watch.send(&request).await.status.is_server_error());
        }
        watch.fires(&alarm, 3);
        watch.world.wire.heal();
        watch.pass(8);
        watch.is_silent(&alarm);
    }
}

#[tokio::test]
async fn a_burst_of_refusals_sets_off_no_alarm() {
    let mut watch = Watch::of(World::new().await);
    watch.runs(60, 5).await;
    watch.world.put_customer(ORG, "ada", &json!({})).await;
    watch.world.put_customer(ORG, "bob", &json!({})).await;
    watch.send(&bundles::put("one", &json!({"maxRedemptions": 1}))).await;
    watch.send(&bundles::redeem("one", "ada", "first", &json!({}))).await;
    watch.send(&award("bob", "theirs", "40", &json!({}))).await;
    let mut codes = std::collections::BTreeSet::new();
    for number in 0..60 {
        let order = format!("o{number}");
        for request in [
            bundles::redeem("one", "ada", &order, &json!({})),
            spend("ada", &order, 100, "49.99"),
            award("ada", &order, "40", &json!({})).anonymous(),
            award("ada", "theirs", "40", &json!({})),
            award("nobody", &order, "40", &json!({})),
            scenario::prediction(&json!({"orgId": "nowhere"})),
            Request::new("GET", "back-office", "/orgs/nowhere"),
        ] {
            let refused = watch.send(&request).await;
            assert!(refused.status.is_client_error(), "{}", refused.body);
            codes.insert(refused.code().to_owned());
        }
        // What is refused of an event is done with; what it is about may only not be known yet.
        watch.invoke("bundle-redemption", fulfilled(&order, &["one"])).await.unwrap();
        watch.invoke("bundle-redemption", fulfilled(&order, &["unheard-of"])).await.unwrap_err();
        let unknown =
            event("OrderFulfilled", json!({"orgId": ORG, "customerId": "nobody", "orderId": order, "orderTotal": 1}));
        watch.invoke("points-award", unknown).await.unwrap_err();
    }
    assert!(codes.len() >= 6, "{codes:?}");
    // A canary is taken back for what it says of somebody not known, too: it says so.
    for alarm in watch.cloud.names().filter(|alarm| alarm.starts_with('p') && !alarm.starts_with("points")) {
        assert!(!watch.is_raised(alarm, 10), "{alarm}");
    }
    for canary in ["back-office-failing", "points-redemption-failing"] {
        assert!(!watch.is_raised(canary, 10), "{canary}");
    }
}
