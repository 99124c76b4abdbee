//! Holds, their ends and the clock at the same time.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use harness::{
    Request, Response, World, audit, scenario,
    world::{ORG, noon},
};
use serde_json::json;

/// Sends requests at once, each at its own instant, and repeats those that are answered 503.
async fn send_at_once(
    world: &Arc<World>,
    requests: impl IntoIterator<Item = (Request, DateTime<Utc>)>,
) -> Vec<Response> {
    let calls = requests.into_iter().map(|(request, now)| {
        let world = Arc::clone(world);
        tokio::spawn(async move { world.send_with_retries(&request, now).await })
    });
    futures::future::try_join_all(calls).await.unwrap()
}

async fn ada_with(points: i64) -> Arc<World> {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&scenario::adjustment("ada", "a1", points)).await;
    Arc::new(world)
}

fn hold(order: &str) -> Request {
    scenario::hold_points("ada", order, 100, "20", &json!({}))
}

fn redeem(order: &str) -> Request {
    scenario::redeem_points("ada", order, 100, "20")
}

/// The orders of the ten holds of Ada, who has 1000 points. Since the holds, 100 points are worth 1 instead of 5.
async fn ten_holds() -> (Arc<World>, Vec<String>) {
    let world = ada_with(1000).await;
    let orders: Vec<String> = (0..10).map(|number| format!("o{number}")).collect();
    for order in &orders {
        assert_eq!(world.send(&hold(order)).await.status, 201);
    }
    world.put_loyalty(ORG, &json!({"redemptionTiers": [{"pointsCost": 100, "rewardValue": 1}]})).await;
    (world, orders)
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_of_a_hundred_tills_hold_a_thousand_points_and_ten_others_after_these_have_lapsed() {
    let world = ada_with(1000).await;
    for (round, now) in [(0, noon()), (1, noon() + TimeDelta::minutes(15))] {
        let tills = (0..100).map(|till| (hold(&format!("o{round}-{till}")), now));
        let answers = send_at_once(&world, tills).await;
        // A repetition after a 503 replaces the hold, which is answered 200.
        let held = answers.iter().filter(|answer| answer.status.is_success()).count();
        let refused = answers.iter().filter(|answer| answer.code() == "insufficient_points").count();
        assert_eq!((held, refused), (10, 90), "round {round}");
        let ada = audit::check_at(&world, ORG, "ada", now).await;
        assert_eq!((&ada["points"], &ada["heldPoints"]), (&json!(1000), &json!(1000)), "round {round}");
    }
    let ada = audit::check_at(&world, ORG, "ada", noon() + TimeDelta::minutes(30)).await;
    assert_eq!((&ada["availablePoints"], &ada["heldPoints"]), (&json!(1000), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn holds_that_are_redeemed_twice_and_released_at_once_have_one_outcome_each() {
    let (world, orders) = ten_holds().await;
    let requests = orders
        .iter()
        .flat_map(|order| [redeem(order), scenario::release_points("ada", order), redeem(order)])
        .map(|request| (request, noon()));
    let answers = send_at_once(&world, requests).await;
    for of_order in answers.chunks(3) {
        let [first, release, second] = of_order else { unreachable!() };
        // Whichever comes first, the points are there: held, or released before.
        assert!(first.is_applied() && second.is_applied() && release.status == 200, "{of_order:?}");
        let value = &first.body["value"];
        assert_eq!(value, &second.body["value"]);
        // The promised value, or today's if the release came first.
        let released = release.body["released"] == true;
        assert!(*value == json!(5) || (released && *value == json!(1)), "{of_order:?}");
    }
    let ada = audit::check(&world, ORG, "ada").await;
    assert_eq!((&ada["points"], &ada["heldPoints"]), (&json!(0), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn holds_that_are_redeemed_and_voided_at_once_give_all_points_back() {
    let (world, orders) = ten_holds().await;
    let requests = orders
        .iter()
        .flat_map(|order| [redeem(order), scenario::void_points("ada", order)])
        .map(|request| (request, noon()));
    let answers = send_at_once(&world, requests).await;
    for of_order in answers.chunks(2) {
        let [redemption, void] = of_order else { unreachable!() };
        assert_eq!(void.status, 200, "{}", void.body);
        assert!(redemption.is_applied() || redemption.code() == "already_voided", "{}", redemption.body);
    }
    let ada = audit::check(&world, ORG, "ada").await;
    assert_eq!((&ada["points"], &ada["availablePoints"], &ada["heldPoints"]), (&json!(1000), &json!(1000), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_lapses_in_the_millisecond_in_which_it_is_redeemed_is_redeemed_once() {
    let (world, orders) = ten_holds().await;
    // The clock of one till is a millisecond behind that of the other.
    let (last, end) = (noon() + TimeDelta::minutes(15) - TimeDelta::milliseconds(1), noon() + TimeDelta::minutes(15));
    let requests = orders
        .iter()
        .flat_map(|order| [(redeem(order), last), (scenario::release_points("ada", order), end), (redeem(order), end)]);
    let answers = send_at_once(&world, requests).await;
    for of_order in answers.chunks(3) {
        let [in_time, release, late] = of_order else { unreachable!() };
        assert!(in_time.is_applied() && late.is_applied(), "{of_order:?}");
        assert_eq!(release.body["released"], false, "{of_order:?}");
        let value = &in_time.body["value"];
        assert_eq!(value, &late.body["value"], "{of_order:?}");
        assert!([json!(5), json!(1)].contains(value), "{of_order:?}");
    }
    let ada = audit::check_at(&world, ORG, "ada", end).await;
    assert_eq!((&ada["points"], &ada["heldPoints"]), (&json!(0), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_order_that_is_held_by_many_tills_at_once_has_one_hold() {
    let world = ada_with(1000).await;
    let amounts = [100, 250, 400, 700, 1000, 1001];
    let requests = (0..30).map(|till| {
        let points = amounts[till % amounts.len()];
        (scenario::hold_points("ada", "o1", points, "100", &json!({})), noon())
    });
    let answers = send_at_once(&world, requests).await;
    for (till, answer) in answers.iter().enumerate() {
        let is_too_much = amounts[till % amounts.len()] == 1001;
        assert_eq!(answer.code() == "insufficient_points", is_too_much, "{}", answer.body);
    }
    let ada = audit::check(&world, ORG, "ada").await;
    let held = ada["heldPoints"].as_i64().unwrap();
    assert!(amounts[..5].contains(&held), "{ada}");
    let redemption = world.send(&scenario::redeem_points("ada", "o1", held, "100")).await;
    assert_eq!((redemption.status.as_u16(), &redemption.body["balance"]), (201, &json!(1000 - held)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expiry_that_many_writers_find_at_once_is_recorded_once() {
    let world = Arc::new(World::new().await);
    world.put_loyalty(ORG, &json!({"pointsExpiry": {"months": 1}})).await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&scenario::award("ada", "o1", "90", &json!({}))).await;
    let later = noon() + TimeDelta::days(100);
    let orders = (0..40).map(|number| (scenario::award("ada", &format!("later{number}"), "1", &json!({})), later));
    let answers = send_at_once(&world, orders).await;
    assert!(answers.iter().all(Response::is_applied));
    assert_eq!(audit::check_at(&world, ORG, "ada", later).await["points"], 40);
    let entries = audit::ledger(&world, ORG, "ada", later).await;
    assert_eq!(entries.iter().filter(|entry| entry["kind"] == "points_expired").count(), 1, "{entries:#?}");
}
