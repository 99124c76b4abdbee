//! When earned points can be spent, and until when. The org is in New York, four hours behind UTC in summer.

use harness::{Request, Scenario, audit, instant, world, world::ORG};
use serde_json::{Value, json};

/// Points that expire at the end of the month after the month in which they are earned.
fn one_month() -> Value {
    json!({"pointsExpiry": {"months": 1}})
}

/// Ada with 250 points of June 1, which expire at the end of July.
async fn ada_with_points_until_august() -> Scenario {
    world().await.loyalty(one_month()).customer("ada").award("ada", "o1", "250")
}

fn figures(points: i64, available: i64, pending: i64, held: i64) -> Value {
    json!({"points": points, "availablePoints": available, "pendingPoints": pending, "heldPoints": held})
}

#[tokio::test]
async fn pending_points_can_be_spent_from_the_start_of_the_local_day() {
    world()
        .await
        .loyalty(json!({"pendingDays": 3}))
        .customer("ada")
        .award("ada", "o1", "250")
        .expect(json!({"pointsAwarded": 250, "balance": 250, "availableAt": "2026-06-04T04:00:00.000Z"}))
        .expect_no("expiresAt")
        .at("2026-06-04T03:59:59.999Z")
        .expect_customer("ada", figures(250, 0, 250, 0))
        .redeem_points("ada", "o2", 100, "20")
        .refused(409, "insufficient_points")
        .hold("ada", "o2", 100, "20")
        .refused(409, "insufficient_points")
        .quote("ada", 100, None)
        .expect(json!({"isValid": false, "maxPoints": 0}))
        .send(Request::new("GET", "points-redemption", format!("/options?orgId={ORG}&customerId=ada")))
        .expect(json!({"balance": 250, "availablePoints": 0}))
        .at("2026-06-04T04:00:00Z")
        .expect_customer("ada", figures(250, 250, 0, 0))
        .redeem_points("ada", "o2", 100, "20")
        .expect(json!({"balance": 150}))
        .await;
}

#[tokio::test]
async fn without_pending_days_points_of_tomorrows_order_can_be_spent_at_once() {
    world()
        .await
        .customer("ada")
        .award_with("ada", "o1", "250", json!({"fulfilledAt": "2026-06-02T11:00:00Z"}))
        .expect_no("availableAt")
        .redeem_points("ada", "o2", 100, "20")
        .expect_status(201)
        .await;
}

#[tokio::test]
async fn points_expire_at_the_very_instant_and_not_before() {
    ada_with_points_until_august()
        .await
        .expect(json!({"expiresAt": "2026-08-01T04:00:00.000Z"}))
        .expect_no("availableAt")
        .at("2026-08-01T03:59:59.999Z")
        .expect_customer("ada", figures(250, 250, 0, 0))
        .expect(json!({"expiringPoints": [{"at": "2026-08-01T04:00:00.000Z", "points": 250}]}))
        .redeem_points("ada", "o2", 100, "20")
        .expect_status(201)
        .at("2026-08-01T04:00:00Z")
        .expect_customer("ada", figures(0, 0, 0, 0))
        .expect(json!({"expiringPoints": []}))
        .redeem_points("ada", "o3", 100, "20")
        .refused(409, "insufficient_points")
        .expect_entries(
            "ada",
            [
                "points_earned o1 +250 =250",
                "tier_changed Bronze>Silver order",
                "points_redeemed o2 -100 =150",
                "points_expired -150 =0",
            ],
        )
        .await;
}

#[tokio::test]
async fn at_most_three_expiries_are_announced_and_pending_points_are_among_them_and_held_ones_not() {
    world()
        .await
        .loyalty(json!({"pointsExpiry": {"months": 1, "roundTo": "day"}, "pendingDays": 2}))
        .customer("ada")
        .award("ada", "o1", "100")
        .at("2026-06-02T12:00:00Z")
        .award("ada", "o2", "200")
        .at("2026-06-03T12:00:00Z")
        .award("ada", "o3", "300")
        .at("2026-06-04T12:00:00Z")
        .award("ada", "o4", "400")
        .hold("ada", "o5", 150, "100")
        .expect_customer("ada", figures(1000, 150, 700, 150))
        .expect(json!({"expiringPoints": [
            {"at": "2026-07-03T04:00:00.000Z", "points": 150},
            {"at": "2026-07-04T04:00:00.000Z", "points": 300},
            {"at": "2026-07-05T04:00:00.000Z", "points": 400},
        ]}))
        .adjust("ada", "a1", 10)
        .expect_customer(
            "ada",
            json!({"expiringPoints": [
                {"at": "2026-07-03T04:00:00.000Z", "points": 150},
                {"at": "2026-07-04T04:00:00.000Z", "points": 300},
                // Points of one instant are one sum, whenever they can be spent.
                {"at": "2026-07-05T04:00:00.000Z", "points": 410},
            ]}),
        )
        .await;
}

#[tokio::test]
async fn a_checkout_takes_the_points_that_expire_first_and_an_adjustment_downwards_then_pending_ones() {
    world()
        .await
        .loyalty(one_month())
        .customer("ada")
        .award("ada", "o1", "100")
        .at("2026-07-01T12:00:00Z")
        .award("ada", "o2", "100")
        .loyalty(json!({"pendingDays": 10}))
        .award("ada", "o3", "100")
        .redeem_points("ada", "o4", 150, "50")
        .expect_customer("ada", figures(150, 50, 100, 0))
        .expect(json!({"expiringPoints": [{"at": "2026-09-01T04:00:00.000Z", "points": 50}]}))
        .adjust("ada", "a1", -120)
        .expect_customer("ada", figures(30, 0, 30, 0))
        .adjust("ada", "a2", -50)
        .expect(json!({"balance": -20}))
        .expect_customer("ada", figures(-20, 0, 0, 0))
        // The next order pays the debt, and only the rest is pending.
        .award("ada", "o5", "50")
        .expect_customer("ada", figures(30, 0, 30, 0))
        .await;
}

#[tokio::test]
async fn points_given_by_an_operator_can_be_spent_at_once_and_expire_like_points_earned_now() {
    world()
        .await
        .loyalty(json!({"pendingDays": 10, "pointsExpiry": {"months": 2}}))
        .customer("ada")
        .adjust("ada", "a1", 40)
        .expect_customer("ada", figures(40, 40, 0, 0))
        .expect(json!({"expiringPoints": [{"at": "2026-09-01T04:00:00.000Z", "points": 40}]}))
        .loyalty(json!({}))
        // A change of settings moves no points that were earned before.
        .adjust("ada", "a2", 2)
        .at("2026-09-01T04:00:00Z")
        .expect_customer("ada", figures(2, 2, 0, 0))
        .await;
}

#[tokio::test]
async fn a_refund_takes_the_points_of_its_order_first_and_none_from_their_expiry_on() {
    let dates = json!({"availableAt": "2026-06-04T04:00:00.000Z", "expiresAt": "2026-08-01T04:00:00.000Z"});
    world()
        .await
        .loyalty(json!({"pointsExpiry": {"months": 1}, "pendingDays": 3}))
        .customer("ada")
        .adjust("ada", "a1", 50)
        .award("ada", "o1", "100")
        .expect(dates.clone())
        .refund_of("ada", "o1", "r1", "30")
        .expect(dates.clone())
        .expect(json!({"pointsReversed": 30, "balance": 120}))
        .expect_customer("ada", figures(120, 50, 70, 0))
        .at("2026-08-01T03:59:59.999Z")
        .refund_of("ada", "o1", "r2", "20")
        .expect(json!({"pointsReversed": 20, "balance": 100}))
        .at("2026-08-01T04:00:00Z")
        .refund_of("ada", "o1", "r3", "10")
        .expect(dates.clone())
        .expect(json!({"pointsReversed": 0, "balance": 0}))
        .refund_of("ada", "o1", "r3", "10")
        .expect(json!({"pointsReversed": 0, "balance": 0, "replayed": true}))
        .refund("ada", "o1", "r4")
        .expect(json!({"pointsReversed": 0}))
        .refund("ada", "o1", "r5")
        .refused(409, "already_refunded")
        .award("ada", "o1", "100")
        .expect(json!({"replayed": true}))
        .expect(dates)
        .expect_customer("ada", json!({"points": 0, "orderCount": 0, "lifetimeValue": 0}))
        .await;
}

#[tokio::test]
async fn a_cancelled_refund_gives_its_points_into_the_lot_of_the_award() {
    ada_with_points_until_august()
        .await
        .refund_of("ada", "o1", "r1", "100")
        .void_refund("ada", "o1", "r1")
        .expect_customer("ada", figures(250, 250, 0, 0))
        .expect(json!({"expiringPoints": [{"at": "2026-08-01T04:00:00.000Z", "points": 250}]}))
        .refund_of("ada", "o1", "r2", "100")
        .at("2026-08-10T12:00:00Z")
        .refund_of("ada", "o1", "r3", "50")
        .expect(json!({"pointsReversed": 0, "balance": 0}))
        // These points had expired when the refund came.
        .void_refund("ada", "o1", "r3")
        .expect(json!({"pointsRestored": 0, "balance": 0}))
        // These had not. They can be spent for another 30 days.
        .void_refund("ada", "o1", "r2")
        .expect(json!({"pointsRestored": 100, "balance": 100}))
        .expect_customer("ada", figures(100, 100, 0, 0))
        .expect(json!({"expiringPoints": [{"at": "2026-09-10T04:00:00.000Z", "points": 100}]}))
        .await;
}

#[tokio::test]
async fn an_award_after_its_own_expiry_pays_a_debt_and_the_rest_expires_at_once() {
    world()
        .await
        .loyalty(one_month())
        .customer("ada")
        .adjust("ada", "a1", -30)
        .at("2026-09-01T12:00:00Z")
        .award_with("ada", "o1", "100", json!({"fulfilledAt": "2026-06-10T12:00:00Z"}))
        .expect(json!({"pointsAwarded": 100, "balance": 0, "expiresAt": "2026-08-01T04:00:00.000Z"}))
        .expect_customer("ada", figures(0, 0, 0, 0))
        .refund("ada", "o1", "r1")
        .expect(json!({"pointsReversed": 0, "balance": 0}))
        .expect_entries(
            "ada",
            [
                "points_adjusted a1 -30 =-30",
                "points_earned o1 +100 =70",
                "points_expired o1 -70 =0",
                "points_reversed r1 +0 =0",
            ],
        )
        .await;
}

#[tokio::test]
async fn expiry_takes_no_held_points_and_what_returns_of_them_later_expires_at_that_moment() {
    let held = || async {
        let last_minute = "2026-08-01T03:59:00Z";
        ada_with_points_until_august().await.at(last_minute).hold("ada", "o2", 200, "50").expect_status(201)
    };
    // At the expiry the 50 points that are not held go.
    held()
        .await
        .at("2026-08-01T04:00:00Z")
        .expect_customer("ada", figures(200, 0, 0, 200))
        .redeem_points("ada", "o2", 200, "50")
        .expect(json!({"pointsRedeemed": 200, "balance": 0}))
        .await;
    held()
        .await
        .at("2026-08-01T04:05:00Z")
        .redeem_points("ada", "o2", 150, "50")
        .expect(json!({"balance": 0}))
        .expect_entries(
            "ada",
            [
                "points_earned o1 +250 =250",
                "tier_changed Bronze>Silver order",
                "points_expired -50 =200",
                "points_redeemed o2 -150 =50",
                "points_expired o2 -50 =0",
            ],
        )
        .await;
    held()
        .await
        .at("2026-08-01T04:05:00Z")
        .hold("ada", "o2", 100, "50")
        .refused(409, "insufficient_points")
        .release("ada", "o2")
        .expect(json!({"released": true}))
        .expect_customer("ada", figures(0, 0, 0, 0))
        .await;
    let lapsed = held().await.at("2026-08-01T12:00:00Z").expect_customer("ada", figures(0, 0, 0, 0)).await;
    let entries = audit::ledger(&lapsed, ORG, "ada", instant("2026-08-01T12:00:00Z")).await;
    let last = entries.last().unwrap();
    assert_eq!((&last["orderId"], &last["at"]), (&json!("o2"), &json!("2026-08-01T04:14:00.000Z")), "{entries:#?}");
}

#[tokio::test]
async fn a_void_returns_points_with_their_own_expiry_or_for_thirty_days_if_that_is_past() {
    ada_with_points_until_august()
        .await
        .adjust("ada", "a1", 50)
        .redeem_points("ada", "o2", 100, "50")
        .redeem_points("ada", "o3", 100, "50")
        .at("2026-07-10T12:00:00Z")
        .void_points("ada", "o2")
        .expect(json!({"pointsReturned": 100, "balance": 200}))
        .expect_customer("ada", json!({"expiringPoints": [{"at": "2026-08-01T04:00:00.000Z", "points": 200}]}))
        .at("2026-08-20T12:00:00Z")
        .void_points("ada", "o3")
        .expect(json!({"pointsReturned": 100, "balance": 100}))
        .expect_customer("ada", json!({"expiringPoints": [{"at": "2026-09-20T04:00:00.000Z", "points": 100}]}))
        .at("2026-09-20T04:00:00Z")
        .expect_customer("ada", figures(0, 0, 0, 0))
        .await;
}
