//! Earning rates in pairs, currencies without decimals, and tiers.

use harness::{Request, Scenario, World, scenario, world, world::ORG};
use serde_json::{Value, json};

fn one_for_three() -> Value {
    json!({"earnRate": {"points": 1, "per": 3}, "tiers": [{"name": "Only", "threshold": 0}]})
}

#[tokio::test]
async fn a_point_for_each_three_dollars_is_exact() {
    world()
        .await
        .loyalty(one_for_three())
        .customer("ada")
        .award("ada", "o1", "3")
        .expect(json!({"pointsAwarded": 1}))
        .award("ada", "o2", "30")
        .expect(json!({"pointsAwarded": 10}))
        .award("ada", "o3", "300")
        .expect(json!({"pointsAwarded": 100}))
        .award("ada", "o4", "999")
        .expect(json!({"pointsAwarded": 333}))
        .award("ada", "o5", "2.99")
        .expect(json!({"pointsAwarded": 0}))
        // A refund uses the terms of its award, not the current settings.
        .loyalty(json!({"pointsPerDollar": 100}))
        .refund_of("ada", "o4", "r1", "0.01")
        .expect(json!({"pointsReversed": 1}))
        .await;
}

#[tokio::test]
async fn an_earn_rate_overrides_points_per_dollar_and_both_are_returned() {
    let world = World::new().await;
    let mut both = one_for_three();
    both["pointsPerDollar"] = json!(7);
    let put = world.put_loyalty(ORG, &both).await;
    assert_eq!(
        (&put.body["pointsPerDollar"], &put.body["earnRate"]),
        (&json!(0.3333), &json!({"points": 1, "per": 3}))
    );
    for (rate, faults) in [
        (json!({"points": 0, "per": 3}), vec!["earnRate.points"]),
        (json!({"points": 1001, "per": 0}), vec!["earnRate.per", "earnRate.points"]),
        (json!({"points": 1.5, "per": "0.001"}), vec!["earnRate.per", "earnRate.points"]),
        (json!({"points": 1}), vec!["earnRate.per"]),
    ] {
        let refused = world.put_loyalty(ORG, &json!({ "earnRate": rate })).await;
        let mut fields = refused.fields();
        fields.sort_unstable();
        assert_eq!((refused.status.as_u16(), fields), (422, faults), "{}", refused.body);
    }
}

async fn in_currency(currency: &str) -> World {
    let world = World::new().await;
    let put = world.put_org(ORG, &json!({"name": "Shop", "currency": currency})).await;
    assert_eq!(put.status, 200, "{}", put.body);
    world.put_customer(ORG, "ada", &json!({})).await;
    world
}

#[tokio::test]
async fn a_currency_without_decimals_accepts_only_whole_amounts() {
    let world = in_currency("JPY").await;
    let earned = world.send(&scenario::award("ada", "o1", "1624", &json!({}))).await;
    assert_eq!((earned.status.as_u16(), &earned.body["pointsAwarded"]), (201, &json!(1624)));
    let quote = json!({"orgId": ORG, "customerId": "ada", "points": 250, "orderTotal": 16.24});
    let loyalty = json!({
        "tiers": [{"name": "A", "threshold": 0}, {"name": "B", "threshold": 0.5}],
        "redemptionTiers": [{"pointsCost": 100, "rewardValue": "4.20"}], "earnRate": {"points": 1, "per": "0.5"},
    });
    for (request, fields) in [
        (scenario::award("ada", "o2", "16.24", &json!({})), vec!["orderTotal"]),
        (scenario::refund_request("ada", "o1", "r1", Some("0.5")), vec!["refundTotal"]),
        (scenario::redeem_points("ada", "o2", 100, "16.24"), vec!["orderTotal"]),
        (Request::new("POST", "points-redemption", "/quotes").json(&quote), vec!["orderTotal"]),
        (
            Request::new("PUT", "back-office", format!("/orgs/{ORG}/loyalty")).json(&loyalty),
            vec!["earnRate.per", "tiers", "redemptionTiers"],
        ),
    ] {
        let refused = world.send(&request).await;
        assert_eq!((refused.status.as_u16(), refused.fields()), (422, fields), "{}", refused.body);
    }
    // 150 points at 5 a hundred are worth 7.5, rounded down.
    let spent = world.send(&scenario::redeem_points("ada", "o2", 150, "1000")).await;
    assert_eq!((spent.status.as_u16(), &spent.body["value"]), (201, &json!(7)), "{}", spent.body);
}

#[tokio::test]
async fn large_amounts_earn_points_and_currencies_with_three_decimals_are_rejected() {
    let world = in_currency("IDR").await;
    let earned = world.send(&scenario::award("ada", "o1", "15000000", &json!({}))).await;
    assert_eq!((earned.status.as_u16(), &earned.body["pointsAwarded"]), (201, &json!(15_000_000)));
    let largest = world.send(&scenario::award("ada", "o2", "100000000000", &json!({}))).await;
    assert_eq!((largest.status.as_u16(), &largest.body["pointsAwarded"]), (201, &json!(100_000_000_000_i64)));
    let more = json!({"orderTotal": "100000000000.01"});
    let more = world.send(&scenario::award("ada", "o3", "1", &more)).await;
    assert_eq!((more.status.as_u16(), more.fields()), (422, vec!["orderTotal"]));
    for currency in ["KWD", "BHD", "XXX", "ZZZ", "usd"] {
        let refused = world.put_org("other", &json!({"name": "Other", "currency": currency})).await;
        assert_eq!((refused.status.as_u16(), refused.fields()), (422, vec!["currency"]), "{currency}");
    }
    for currency in ["KRW", "VND", "CLP", "EUR"] {
        assert!(world.put_org("other", &json!({"name": "Other", "currency": currency})).await.status.is_success());
    }
}

#[tokio::test]
async fn a_foreign_currency_is_rejected_except_in_a_replay() {
    let world = in_currency("EUR").await;
    let usd = json!({"currency": "USD"});
    let refused = world.send(&scenario::award("ada", "o1", "10", &usd)).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (409, "other_currency"));
    let event = json!({"orgId": ORG, "customerId": "ada", "orderId": "o1", "orderTotal": 10, "currency": "USD"});
    let done = world.invoke("points-award", scenario::event("OrderFulfilled", event)).await.unwrap();
    assert_eq!(done["code"], "other_currency");
    assert_eq!(world.send(&scenario::award("ada", "o1", "10", &json!({"currency": "EUR"}))).await.status, 201);
    let replay = world.send(&scenario::award("ada", "o1", "10", &usd)).await;
    assert_eq!((replay.status.as_u16(), &replay.body["replayed"]), (200, &json!(true)));
    let with = |mut request: Request| {
        let mut body: Value = serde_json::from_slice(&request.body).unwrap();
        body["currency"] = json!("USD");
        request.body = body.to_string().into_bytes();
        request
    };
    world.send(&scenario::adjustment("ada", "a1", 500)).await;
    for request in [scenario::refund_request("ada", "o1", "r1", None), scenario::redeem_points("ada", "o2", 100, "50")]
    {
        let refused = world.send(&with(request)).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (409, "other_currency"), "{}", refused.body);
    }
    // A wrong currency comes before a disabled programme.
    world.put_loyalty(ORG, &json!({"enabled": false})).await;
    assert_eq!(world.send(&scenario::award("ada", "o9", "10", &usd)).await.code(), "other_currency");
}

async fn gold() -> Scenario {
    world().await.at("2026-01-01T12:00:00Z")
}

#[tokio::test]
async fn a_late_order_is_not_the_cause_of_an_overdue_demotion() {
    gold()
        .await
        .customer("ada")
        .award("ada", "o1", "600")
        .expect(json!({"tier": "Gold"}))
        .at("2026-09-01T12:00:00Z")
        // The order was fulfilled long ago and arrives after half a year without orders.
        .award_with("ada", "o2", "10", json!({"fulfilledAt": "2025-12-01T12:00:00Z"}))
        .expect(json!({"tier": "Silver", "tierChange": {"from": "Gold", "to": "Silver", "cause": "inactivity"}}))
        .expect_entries(
            "ada",
            [
                "points_earned o1 +600 =600",
                "tier_changed Bronze>Gold order",
                "tier_changed Gold>Silver inactivity",
                "points_earned o2 +10 =610",
            ],
        )
        .await;
}

#[tokio::test]
async fn an_order_after_an_overdue_demotion_restores_the_tier() {
    gold()
        .await
        .customer("ada")
        .award("ada", "o1", "600")
        .at("2026-09-01T12:00:00Z")
        .award("ada", "o2", "10")
        .expect(json!({"tier": "Gold"}))
        .expect_no("tierChange")
        .expect_entries(
            "ada",
            [
                "points_earned o1 +600 =600",
                "tier_changed Bronze>Gold order",
                "tier_changed Gold>Silver inactivity",
                "points_earned o2 +10 =610",
                "tier_changed Silver>Gold order",
            ],
        )
        .await;
}

#[tokio::test]
async fn a_refund_does_not_hide_an_overdue_demotion() {
    gold()
        .await
        .customer("ada")
        .award("ada", "o1", "600")
        .at("2026-09-01T12:00:00Z")
        .refund_of("ada", "o1", "r1", "450")
        .expect(json!({"tier": "Bronze", "tierChange": {"from": "Gold", "to": "Bronze", "cause": "refund"}}))
        .expect_entries(
            "ada",
            [
                "points_earned o1 +600 =600",
                "tier_changed Bronze>Gold order",
                "tier_changed Gold>Silver inactivity",
                "points_reversed r1 -450 =150",
                "tier_changed Silver>Bronze refund",
            ],
        )
        .await;
}

#[tokio::test]
async fn a_refunded_order_extends_neither_tier_nor_activity() {
    let day = |number: i64| {
        let at = harness::instant("2026-01-01T12:00:00Z") + chrono::TimeDelta::days(number);
        shared::domain::time::text(at)
    };
    gold()
        .await
        .customer("ada")
        .award("ada", "o1", "600")
        .at(&day(170))
        .award("ada", "o2", "50")
        .at(&day(171))
        .refund("ada", "o2", "r1")
        .expect_customer(
            "ada",
            json!({"orderCount": 1, "lastOrderAt": day(0), "firstOrderAt": day(0), "daysSinceLastOrder": 171}),
        )
        .at(&day(180))
        .recalculate()
        .expect_customer("ada", json!({"tier": "Silver", "segment": "churned"}))
        // After the void of a refund the order counts again, like a late order.
        .void_refund("ada", "o2", "r1")
        .expect(json!({"tier": "Gold"}))
        .expect_customer("ada", json!({"orderCount": 2, "lastOrderAt": day(170)}))
        .await;
}
