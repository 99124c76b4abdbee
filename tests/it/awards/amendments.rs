//! Orders that change: edited, shipped in parts, cancelled, and sent again as whole states in any order.

use harness::{
    Request, World,
    amendments::{amend, award_state, cancel, get_award},
    audit, instant, scenario, world,
    world::{ORG, noon},
};
use serde_json::{Value, json};

const ONE: &str = "2026-06-01T13:00:00Z";
const TWO: &str = "2026-06-01T14:00:00Z";
const THREE: &str = "2026-06-01T15:00:00Z";

#[tokio::test]
async fn an_order_that_comes_to_more_earns_the_difference() {
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "150.90")
        .amend("ada", "o1", "210.20", ONE)
        .expect_status(200)
        .expect(json!({
            "orderTotal": 210.2, "pointsChanged": 60, "balance": 210, "tier": "Silver",
            "tierChange": {"from": "Bronze", "to": "Silver", "cause": "amendment"},
        }))
        .expect_no("replayed")
        .amend("ada", "o1", "210.20", ONE)
        .expect(json!({"orderTotal": 210.2, "pointsChanged": 60, "balance": 210, "replayed": true}))
        .award("ada", "o1", "150.90")
        .expect(json!({"pointsAwarded": 150, "balance": 150, "replayed": true}))
        .expect_customer("ada", json!({"points": 210, "lifetimeValue": 210.2, "orderCount": 1}))
        .expect_entries(
            "ada",
            ["points_earned o1 +150 =150", "points_earned o1 +60 =210", "tier_changed Bronze>Silver amendment"],
        )
        .await;
}

#[tokio::test]
async fn an_order_that_comes_to_less_takes_the_difference_back_and_leaves_a_debt() {
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "150")
        .redeem_points("ada", "o2", 150, "49.99")
        .amend("ada", "o1", "99.99", ONE)
        .expect(json!({"pointsChanged": -51, "balance": -51}))
        .amend("ada", "o1", "0", TWO)
        .expect(json!({"pointsChanged": -99, "balance": -150}))
        // An order of 0 counts.
        .expect_customer("ada", json!({"lifetimeValue": 0, "orderCount": 1, "availablePoints": 0}))
        .await;
}

#[tokio::test]
async fn two_parts_of_50_that_are_sent_as_50_and_then_as_100_earn_100() {
    world()
        .await
        .customer("ada")
        .award_state("ada", "o1", "50", ONE)
        .expect_status(201)
        .award_state("ada", "o1", "100", TWO)
        .expect_status(200)
        .expect(json!({"pointsAwarded": 50, "balance": 100}))
        .award_state("ada", "o1", "50", ONE)
        .expect(json!({"replayed": true, "balance": 100}))
        .award("ada", "o1", "100")
        .refused(409, "idempotency_mismatch")
        .expect_customer("ada", json!({"points": 100, "lifetimeValue": 100, "orderCount": 1}))
        .expect_award(
            "o1",
            json!({"orderTotal": 100, "pointsAwarded": 50, "remainingPoints": 100, "asOf": "2026-06-01T14:00:00.000Z"}),
        )
        .await;
}

#[tokio::test]
async fn a_state_that_is_not_newer_changes_nothing_and_of_one_instant_the_greater_total_applies() {
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "50")
        // The award counts as of its `fulfilledAt`, which is noon.
        .amend("ada", "o1", "70", "2026-06-01T11:59:59.999Z")
        .expect(json!({"orderTotal": 50, "pointsChanged": 0, "balance": 50, "replayed": true}))
        .amend("ada", "o1", "40", "2026-06-01T12:00:00Z")
        .expect(json!({"orderTotal": 50, "replayed": true}))
        .amend("ada", "o1", "60", "2026-06-01T12:00:00Z")
        .expect(json!({"orderTotal": 60, "pointsChanged": 10}))
        // The same total as of later: a state in between no longer applies.
        .amend("ada", "o1", "60", THREE)
        .expect(json!({"orderTotal": 60, "replayed": true}))
        .amend("ada", "o1", "80", TWO)
        .expect(json!({"orderTotal": 60, "replayed": true}))
        .expect_customer("ada", json!({"points": 60}))
        .await;
}

#[tokio::test]
async fn an_amendment_goes_by_what_is_not_refunded() {
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "100")
        .refund_of("ada", "o1", "r1", "30.50")
        .expect(json!({"pointsReversed": 31, "balance": 69}))
        .amend("ada", "o1", "120", ONE)
        .expect(json!({"pointsChanged": 20, "balance": 89}))
        .expect_customer("ada", json!({"lifetimeValue": 89.5, "orderCount": 1}))
        .amend("ada", "o1", "30.49", TWO)
        .refused(409, "refund_exceeds_order")
        .expect_award("o1", json!({"orderTotal": 120, "remainingTotal": 89.5}))
        .amend("ada", "o1", "30.50", TWO)
        .expect(json!({"pointsChanged": -89, "balance": 0}))
        .expect_customer("ada", json!({"lifetimeValue": 0, "orderCount": 0}))
        .refund_of("ada", "o1", "r2", "1")
        .refused(409, "already_refunded")
        .amend("ada", "o1", "40.50", THREE)
        .expect(json!({"pointsChanged": 10, "balance": 10}))
        .void_refund("ada", "o1", "r1")
        .expect(json!({"pointsRestored": 30, "balance": 40}))
        .expect_customer("ada", json!({"lifetimeValue": 40.5, "orderCount": 1}))
        .expect_award(
            "o1",
            json!({
                "customerId": "ada", "remainingTotal": 40.5, "cancelled": false,
                "terms": {"pointsPerDollar": 1, "equityMultiplier": 1, "pointsMultiplier": 1},
                "refunds": [{
                    "refundId": "r1", "refundTotal": 30.5, "pointsReversed": 31, "voidedAt": "2026-06-01T12:00:00.000Z",
                }],
            }),
        )
        .await;
}

#[tokio::test]
async fn a_cancelled_order_no_longer_counts_until_a_newer_state_says_otherwise() {
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "100")
        .refund_of("ada", "o1", "r1", "30")
        .cancel("ada", "o1", ONE)
        .expect(json!({"orderTotal": 0, "pointsChanged": -70, "balance": 0}))
        .expect_customer("ada", json!({"lifetimeValue": 0, "orderCount": 0}))
        .expect_award("o1", json!({"cancelled": true, "orderTotal": 0, "remainingTotal": 0}))
        .cancel("ada", "o1", ONE)
        .expect(json!({"replayed": true}))
        .refund_of("ada", "o1", "r2", "1")
        .refused(409, "already_refunded")
        // Nothing is left of it, whatever was refunded.
        .void_refund("ada", "o1", "r1")
        .expect(json!({"voided": true, "pointsRestored": 0, "balance": 0}))
        .expect_customer("ada", json!({"lifetimeValue": 0, "orderCount": 0}))
        .award_state("ada", "o1", "90", TWO)
        .expect_status(200)
        .expect(json!({"pointsAwarded": 90, "balance": 90}))
        .expect_customer("ada", json!({"lifetimeValue": 90, "orderCount": 1}))
        .await;
}

#[tokio::test]
async fn an_order_that_was_cancelled_before_its_award_earns_nothing() {
    world()
        .await
        .customer("ada")
        .amend("ada", "o1", "50", ONE)
        .refused(404, "unknown_order")
        .cancel("ada", "o1", TWO)
        .expect_status(200)
        .expect(json!({"orderTotal": 0, "pointsChanged": 0}))
        .expect_no("balance")
        .cancel("ada", "o1", ONE)
        .expect(json!({"replayed": true}))
        .award_state("ada", "o1", "50", ONE)
        .expect_status(201)
        .expect(json!({"pointsAwarded": 0, "balance": 0}))
        .expect_customer("ada", json!({"lifetimeValue": 0, "orderCount": 0}))
        .expect_award("o1", json!({"cancelled": true, "asOf": "2026-06-01T14:00:00.000Z", "pointsAwarded": 0}))
        .award_state("ada", "o1", "60", THREE)
        .expect(json!({"pointsAwarded": 60, "balance": 60}))
        .expect_customer("ada", json!({"lifetimeValue": 60, "orderCount": 1}))
        // An award as of later than the cancellation.
        .cancel("ada", "o2", ONE)
        .award_state("ada", "o2", "20", TWO)
        .expect(json!({"pointsAwarded": 20}))
        .await;
}

#[tokio::test]
async fn a_cancellation_goes_by_the_order_and_needs_no_customer() {
    let world = World::new().await;
    let deliver =
        async |name: &str, detail: Value| world.invoke("points-award", scenario::event(name, detail)).await.unwrap();
    let order = json!({"orgId": ORG, "orderId": "o1", "orderTotal": 0, "cancelled": true, "asOf": ONE});
    deliver("OrderAmended", order.clone()).await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.put_customer(ORG, "bo", &json!({})).await;
    let sold = json!({
        "orgId": ORG, "orderId": "o1", "customerId": "ada", "orderTotal": 80, "amends": true, "asOf": "2026-06-01T12:30:00Z",
    });
    deliver("OrderFulfilled", sold.clone()).await;
    assert_eq!(audit::check(&world, ORG, "ada").await["points"], 0);
    let again = json!({"orgId": ORG, "orderId": "o1", "orderTotal": "75.50", "asOf": TWO});
    deliver("OrderAmended", again).await;
    assert_eq!(audit::check(&world, ORG, "ada").await["points"], 75);
    let other = amend("bo", "o1", "10", THREE);
    assert_eq!(world.send(&other).await.code(), "idempotency_mismatch");
    let other = cancel("bo", "o1", THREE);
    assert_eq!(world.send(&other).await.code(), "idempotency_mismatch");
    // Of an order whose customer is not known here, the cancellation is kept all the same.
    assert_eq!(world.send(&cancel("nemo", "o9", ONE)).await.status, 200);
}

#[tokio::test]
async fn at_the_expiry_of_an_award_an_amendment_moves_totals_and_no_points() {
    for (now, points) in [("2026-08-01T03:59:59.999Z", 20), ("2026-08-01T04:00:00Z", 0)] {
        let world = World::new().await;
        world.put_loyalty(ORG, &json!({"pointsExpiry": {"months": 1}})).await;
        world.put_customer(ORG, "ada", &json!({})).await;
        world.send_at(&scenario::award("ada", "o1", "100", &json!({})), noon()).await;
        let answer = world.send_at(&amend("ada", "o1", "120", now), instant(now)).await.body;
        assert_eq!(answer["pointsChanged"], points, "{answer}");
        assert_eq!(answer["expiresAt"], "2026-08-01T04:00:00.000Z");
        let ada = audit::check_at(&world, ORG, "ada", instant(now)).await;
        assert_eq!(ada["lifetimeValue"], 120);
    }
}

#[tokio::test]
async fn amended_points_are_in_the_lot_of_their_award() {
    let world = World::new().await;
    world.put_loyalty(ORG, &json!({"pointsExpiry": {"months": 1}, "pendingDays": 10})).await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send_at(&scenario::award("ada", "o1", "100", &json!({})), noon()).await;
    let july = instant("2026-07-05T12:00:00Z");
    world.send_at(&amend("ada", "o1", "130", "2026-07-05T12:00:00Z"), july).await;
    let ada = audit::check_at(&world, ORG, "ada", july).await;
    assert_eq!(ada["expiringPoints"], json!([{"at": "2026-08-01T04:00:00.000Z", "points": 130}]));
    assert_eq!(ada["availablePoints"], 130);
}

#[tokio::test]
async fn the_rules_of_an_amendment_are_checked_all_at_once() {
    let world = World::new().await;
    let put = |body: Value| Request::new("PUT", "points-award", "/awards/o1").json(&body);
    let body = json!({"orgId": ORG, "orderTotal": "5", "cancelled": true, "asOf": "2026-06-02T12:00:00.001Z"});
    let answer = world.send(&put(body)).await;
    assert_eq!((answer.status.as_u16(), answer.fields()), (422, vec!["asOf", "cancelled"]));
    let answer = world.send(&put(json!({"orgId": ORG, "orderTotal": "5"}))).await;
    assert_eq!(answer.fields(), ["asOf"]);
    let order = scenario::award("ada", "o1", "5", &json!({"amends": true}));
    assert_eq!(world.send(&order).await.fields(), ["amends"]);
    assert_eq!(world.send(&get_award("o1")).await.code(), "unknown_order");
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&scenario::award("ada", "o1", "5", &json!({}))).await;
    let other = amend("ada", "o1", "6", ONE).with(&json!({"currency": "EUR"}));
    assert_eq!(world.send(&other).await.code(), "other_currency");
    let unknown = amend("ada", "o2", "6", ONE);
    assert_eq!(world.send(&unknown).await.code(), "unknown_order");
    // An awarded order can be amended while the programme is off.
    world.put_loyalty(ORG, &json!({"enabled": false})).await;
    assert_eq!(world.send(&amend("ada", "o1", "6", ONE)).await.body["pointsChanged"], 1);
}

/// The state that applies of some states, by hand.
fn newest(states: &[(u32, i64, bool)]) -> (i64, bool) {
    let mut best = states[0];
    for state in states {
        let is_better = state.0 > best.0
            || state.0 == best.0 && state.1 > best.1
            || state.0 == best.0 && state.1 == best.1 && state.2;
        if is_better {
            best = *state;
        }
    }
    (best.1, best.2)
}

#[tokio::test]
async fn states_in_any_order_and_doubled_end_in_the_newest() {
    let mut rng = fastrand::Rng::with_seed(20_261_129);
    let world = World::new().await;
    for round in 0..60 {
        let (customer, order) = (format!("c{round}"), format!("o{round}"));
        world.put_customer(ORG, &customer, &json!({})).await;
        let states: Vec<(u32, i64, bool)> = (0..rng.usize(1..7))
            .map(|_| {
                let cancelled = rng.u8(0..4) == 0;
                (rng.u32(0..5), if cancelled { 0 } else { rng.i64(0..20) * 10 }, cancelled)
            })
            .collect();
        let mut sent = [states.clone(), states.clone()].concat();
        rng.shuffle(&mut sent);
        let at = |hour: u32| format!("2026-06-01T{:02}:00:00Z", 10 + hour);
        let mut is_awarded = false;
        for (hour, total, cancelled) in sent {
            let request = if cancelled {
                cancel(&customer, &order, &at(hour))
            } else {
                is_awarded = true;
                award_state(&customer, &order, &total.to_string(), &at(hour))
            };
            let answer = world.send(&request).await;
            assert!(answer.status.is_success(), "{round}: {}", answer.body);
        }
        let found = audit::check(&world, ORG, &customer).await;
        let (total, cancelled) = if is_awarded { newest(&states) } else { (0, true) };
        let expected = (json!(total), json!(total), json!(u8::from(!cancelled)));
        let actual = (found["points"].clone(), found["lifetimeValue"].clone(), found["orderCount"].clone());
        assert_eq!(actual, expected, "{round}: {states:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn states_of_one_order_at_once_end_in_the_newest() {
    let world = std::sync::Arc::new(World::new().await);
    world.put_customer(ORG, "ada", &json!({})).await;
    let sent = (0..30).map(|minute| {
        let world = std::sync::Arc::clone(&world);
        let at = format!("2026-06-01T12:{minute:02}:00Z");
        let request = match minute {
            // The newest, and a cancellation among the others.
            29 => award_state("ada", "o1", "77", &at),
            13 => cancel("ada", "o1", &at),
            _ => award_state("ada", "o1", &(100 + minute).to_string(), &at),
        };
        tokio::spawn(async move { world.send_with_retries(&request, noon()).await })
    });
    for answer in futures::future::join_all(sent).await {
        assert!(answer.unwrap().status.is_success());
    }
    let ada = audit::check(&world, ORG, "ada").await;
    assert_eq!((&ada["points"], &ada["orderCount"]), (&json!(77), &json!(1)));
}

#[tokio::test]
async fn an_award_is_read_with_the_terms_and_dates_by_which_it_earned() {
    world()
        .await
        .loyalty(json!({"earnRate": {"points": 1, "per": 3}, "pendingDays": 14, "pointsExpiry": {"months": 12}}))
        .customer_with("ada", json!({"equityStatus": true}))
        .award("ada", "o1", "100")
        .expect_award(
            "o1",
            json!({
                "pointsAwarded": 40, "availableAt": "2026-06-15T04:00:00.000Z", "expiresAt": "2027-07-01T04:00:00.000Z",
                "terms": {
                    "earnRate": {"points": 1, "per": 3}, "pointsPerDollar": 0.3333, "equityMultiplier": 1.2,
                    "pointsMultiplier": 1,
                },
            }),
        )
        .amend("nemo", "o2", "5", ONE)
        .refused(404, "unknown_customer")
        .await;
}

#[tokio::test]
async fn an_amendment_beyond_the_range_of_points_is_refused() {
    let tiers = json!([{"name": "Only", "threshold": 0, "pointsMultiplier": 100}]);
    world()
        .await
        .loyalty(json!({"pointsPerDollar": 1000, "tiers": tiers}))
        .customer("ada")
        .award("ada", "o1", "1")
        .expect(json!({"balance": 100_000}))
        .amend("ada", "o1", "100000000000", ONE)
        .refused(409, "out_of_range")
        .expect_customer("ada", json!({"points": 100_000, "lifetimeValue": 1}))
        .await;
}

#[tokio::test]
async fn an_award_that_amends_below_what_was_refunded_is_refused() {
    world()
        .await
        .customer("ada")
        .award("ada", "o1", "100")
        .refund_of("ada", "o1", "r1", "60")
        .award_state("ada", "o1", "50", ONE)
        .refused(409, "refund_exceeds_order")
        .expect_customer("ada", json!({"points": 40, "lifetimeValue": 40}))
        .await;
}
