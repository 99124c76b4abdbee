//! Alarms on awards, redemptions, promotions and deployments.

use harness::{
    Request, World, bundles,
    faults::Fault,
    monitored_world::MonitoredWorld,
    scenario::{self, award, event, redeem_points},
    world::ORG,
};
use serde_json::json;

use super::support::{CRASHED, OUT_OF_MEMORY, OUT_OF_TIME, fulfilled};

#[tokio::test]
async fn failed_redemptions_raise_an_alarm_by_every_entry_point() {
    let mut monitored = MonitoredWorld::new(World::new().await);
    monitored.send(&bundles::put("b", &json!({}))).await;
    monitored.break_store(Fault::Throttle);
    for number in 0..5 {
        let order = format!("o{number}");
        monitored.send(&bundles::redeem("b", "ada", &order, &json!({}))).await;
        monitored.invoke("bundle-redemption", fulfilled(&order, &["b"])).await.unwrap_err();
    }
    assert!(!monitored.is_raised("p2-redemption-failures", 10), "ten are not enough");
    assert_eq!(monitored.send(&redeem_points("ada", "o", 100, "49.99")).await.status, 503);
    monitored.assert_raised("p2-redemption-failures", 3);
    monitored.mend_store();
    monitored.advance_minutes(125);
    monitored.assert_ok("p2-redemption-failures");
    for _ in 0..6 {
        monitored.log_line("points-redemption", CRASHED);
        monitored.cloudwatch.record_throttle(monitored.now, "points-redemption");
    }
    monitored.assert_raised("p2-redemption-failures", 3);
    monitored.advance_minutes(125);
    for _ in 0..6 {
        monitored.log_line("bundle-redemption", OUT_OF_TIME);
        monitored.cloudwatch.record_throttle(monitored.now, "bundle-redemption");
    }
    monitored.assert_raised("p2-redemption-failures", 3);
}

#[tokio::test]
async fn failed_awards_raise_an_alarm() {
    let mut monitored = MonitoredWorld::new(World::new().await);
    monitored.break_store(Fault::Throttle);
    for number in 0..5 {
        monitored.invoke("points-award", fulfilled(&format!("o{number}"), &[])).await.unwrap_err();
    }
    assert!(!monitored.is_raised("p2-award-failures", 10), "five are not enough, each counted once");
    monitored.send(&award("ada", "o", "40", &json!({}))).await;
    monitored.assert_raised("p2-award-failures", 3);
    monitored.mend_store();
    monitored.advance_minutes(125);
    monitored.assert_ok("p2-award-failures");
    for _ in 0..3 {
        monitored.log_line("points-award", OUT_OF_MEMORY);
        monitored.cloudwatch.record_throttle(monitored.now, "points-award");
    }
    monitored.assert_raised("p2-award-failures", 3);
}

#[tokio::test]
async fn a_burst_of_promotions_by_orders_or_by_settings_raises_an_alarm() {
    let mut monitored = MonitoredWorld::new(World::new().await);
    for number in 0..51 {
        let name = format!("c{number}");
        monitored.world.put_customer(ORG, &name, &json!({})).await;
        assert_eq!(monitored.send(&award(&name, &name, "250", &json!({}))).await.body["tier"], "Silver");
        assert!(number < 49 || monitored.is_raised("p3-unusual-promotion-rate", 3) == (number == 50), "at {number}");
    }
    monitored.assert_raised("p3-unusual-promotion-rate", 3);
    monitored.advance_minutes(125);
    monitored.assert_ok("p3-unusual-promotion-rate");
    let lower = json!({"tiers": [{"name": "Bronze", "threshold": 0}, {"name": "Silver", "threshold": 10}, {"name": "Gold", "threshold": 20}]});
    monitored.world.put_loyalty(ORG, &lower).await;
    monitored.send(&scenario::recalculation(&json!({}))).await;
    monitored.assert_raised("p3-unusual-promotion-rate", 3);
}

/// The functions with a canary deployment.
pub(super) const CANARIES: [&str; 4] = ["back-office", "bundle-redemption", "points-award", "points-redemption"];

#[tokio::test]
async fn a_failing_canary_function_raises_its_rollback_alarm() {
    for function in CANARIES {
        let (mut monitored, alarm) = (MonitoredWorld::new(World::new().await), format!("{function}-failing"));
        monitored.break_store(Fault::ServerError);
        monitored.assert_ok(&alarm);
        for number in 0..3 {
            let request = match function {
                "back-office" => Request::new("GET", function, format!("/orgs/{ORG}/customers")),
                "bundle-redemption" => bundles::redeem("b", "ada", "o", &json!({})),
                "points-award" => award("ada", &format!("o{number}"), "40", &json!({})),
                _ => redeem_points("ada", "o", 100, "49.99"),
            };
            assert!(monitored.send(&request).await.status.is_server_error());
        }
        monitored.assert_raised(&alarm, 3);
        monitored.mend_store();
        monitored.advance_minutes(8);
        monitored.assert_ok(&alarm);
    }
}

#[tokio::test]
async fn a_burst_of_rejections_raises_no_alarm() {
    let mut monitored = MonitoredWorld::new(World::new().await);
    monitored.run_transitions_for(60, 5).await;
    monitored.world.put_customer(ORG, "ada", &json!({})).await;
    monitored.world.put_customer(ORG, "bob", &json!({})).await;
    monitored.send(&bundles::put("one", &json!({"maxRedemptions": 1}))).await;
    monitored.send(&bundles::redeem("one", "ada", "first", &json!({}))).await;
    monitored.send(&award("bob", "theirs", "40", &json!({}))).await;
    let mut codes = std::collections::BTreeSet::new();
    for number in 0..60 {
        let order = format!("o{number}");
        for request in [
            bundles::redeem("one", "ada", &order, &json!({})),
            redeem_points("ada", &order, 100, "49.99"),
            award("ada", &order, "40", &json!({})).anonymous(),
            award("ada", "theirs", "40", &json!({})),
            award("nobody", &order, "40", &json!({})),
            scenario::prediction(&json!({"orgId": "nowhere"})),
            Request::new("GET", "back-office", "/orgs/nowhere"),
        ] {
            let refused = monitored.send(&request).await;
            assert!(refused.status.is_client_error(), "{}", refused.body);
            codes.insert(refused.code().to_owned());
        }
        // A rejected event succeeds. An event about an unknown record fails, because the record may still come.
        monitored.invoke("bundle-redemption", fulfilled(&order, &["one"])).await.unwrap();
        monitored.invoke("bundle-redemption", fulfilled(&order, &["unheard-of"])).await.unwrap_err();
        let unknown =
            event("OrderFulfilled", json!({"orgId": ORG, "customerId": "nobody", "orderId": order, "orderTotal": 1}));
        monitored.invoke("points-award", unknown).await.unwrap_err();
    }
    assert!(codes.len() >= 6, "{codes:?}");
    // Events about unknown records fail invocations of `points-award` and `bundle-redemption`. Their canary alarms may
    // go off.
    for alarm in
        monitored.cloudwatch.alarm_names().filter(|alarm| alarm.starts_with('p') && !alarm.starts_with("points"))
    {
        assert!(!monitored.is_raised(alarm, 10), "{alarm}");
    }
    for canary in ["back-office-failing", "points-redemption-failing"] {
        assert!(!monitored.is_raised(canary, 10), "{canary}");
    }
}
