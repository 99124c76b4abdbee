//! Every request that an operation makes, lost, doubled or refused in every way: then the caller retries, and nothing
//! may be missing, half done or done twice.

use std::time::Duration;

use futures::{StreamExt, stream};
use harness::{
    Request, World, audit,
    faults::{Fault, Lasting},
    scenario,
    world::{ORG, noon},
};
use serde_json::{Value, json};

/// What is done before the operation, and the operation.
struct Case {
    before: Vec<Request>,
    request: Request,
}

/// Makes every request of the operation meet every fault, once and for as long as the first try lasts.
async fn every_fault(case: Case, holds: fn(&Value)) {
    let requests = {
        let world = prepared(&case).await;
        assert_eq!(world.send(&case.request).await.status, 201);
        world.wire.take_seen().len()
    };
    assert!(requests >= 2);
    let trials = (0..requests).flat_map(|number| {
        Fault::ALL
            .into_iter()
            .flat_map(move |fault| [Lasting::Once, Lasting::UntilHealed].map(|lasting| (number, fault, lasting)))
    });
    let case = &case;
    let trial = |(number, fault, lasting)| async move {
        let world = prepared(case).await;
        world.wire.fail(number, fault, lasting);
        let first = world.send(&case.request).await.status.as_u16();
        let told = format!("request {number}, {fault:?} {lasting:?}, answered {first} at first");
        assert!([200, 201, 503].contains(&first), "{told}");
        world.wire.heal();
        let again = world.send(&case.request).await;
        assert!(again.status.is_success(), "{told}, then {}", again.body);
        if first != 503 {
            assert_eq!(again.body["replayed"], true, "{told}");
        }
        holds(&audit::check(&world, ORG, "ada").await);
        let once_more = world.send(&case.request).await;
        assert_eq!(once_more.body["replayed"], true, "{told}");
        holds(&audit::check(&world, ORG, "ada").await);
    };
    stream::iter(trials.map(trial)).buffer_unordered(4).collect::<Vec<()>>().await;
}

async fn prepared(case: &Case) -> World {
    // Short, because a fault that lasts is met until the function gives up.
    let world = World::with_timeout(Some(Duration::from_millis(800))).await;
    world.put_customer(ORG, "ada", &json!({})).await;
    for request in &case.before {
        assert!(world.send_at(request, noon()).await.status.is_success());
    }
    world.wire.take_seen();
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn an_award_survives_every_fault_at_every_request() {
    let case = Case { before: vec![], request: scenario::award("ada", "o1", "250", &json!({})) };
    every_fault(case, |ada| {
        let stands = (&ada["points"], &ada["lifetimeValue"], &ada["orderCount"], &ada["tier"]);
        assert_eq!(stands, (&json!(250), &json!(250), &json!(1), &json!("Silver")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_survives_every_fault_at_every_request() {
    let before = vec![scenario::award("ada", "o1", "250", &json!({}))];
    let case = Case { before, request: scenario::refund_request("ada", "o1", "r1", Some("100")) };
    every_fault(case, |ada| {
        let stands = (&ada["points"], &ada["lifetimeValue"], &ada["orderCount"], &ada["tier"]);
        assert_eq!(stands, (&json!(150), &json!(150), &json!(1), &json!("Bronze")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adjustment_survives_every_fault_at_every_request() {
    let body = json!({"adjustmentId": "a1", "points": 30, "reason": "goodwill"});
    let path = format!("/orgs/{ORG}/customers/ada/adjustments");
    let case = Case { before: vec![], request: Request::new("POST", "back-office", path).json(&body) };
    every_fault(case, |ada| assert_eq!(ada["points"], 30)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_orders_over_a_bad_wire_all_land_and_none_twice() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let world = World::with_timeout(Some(Duration::from_secs(2))).await;
    for name in ["ada", "bo"] {
        world.put_customer(ORG, name, &json!({})).await;
    }
    world.wire.fail_at_random(seed, 6);
    let world = &world;
    let award = |number: u32| async move {
        let name = if number.is_multiple_of(2) { "ada" } else { "bo" };
        let request = scenario::award(name, &format!("o{number}"), "7.50", &json!({}));
        world.send_until_settled(&request, noon()).await.status.as_u16()
    };
    let statuses: Vec<u16> = stream::iter((0..100).map(award)).buffer_unordered(8).collect().await;
    world.wire.heal();
    assert!(statuses.iter().all(|status| [200, 201].contains(status)), "{statuses:?}");
    for name in ["ada", "bo"] {
        let who = audit::check(world, ORG, name).await;
        assert_eq!((&who["points"], &who["orderCount"]), (&json!(350), &json!(50)));
    }
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_503_and_says_when_to_come_back() {
    let world = World::with_timeout(Some(Duration::from_millis(800))).await;
    world.wire.fail(0, Fault::DropRequest, Lasting::UntilHealed);
    let answer = world.get(&format!("/orgs/{ORG}")).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (503, "try_again"));
    assert_eq!(answer.headers["retry-after"], "1");
}

#[tokio::test]
async fn an_item_made_unreadable_is_500_and_gives_nothing_away() {
    use aws_sdk_dynamodb::types::AttributeValue;
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    let text = |value: &str| AttributeValue::S(value.into());
    let spoil = world.client.update_item().table_name(&world.table).key("pk", text("CUSTOMER#shop#ada"));
    let spoil = spoil.key("sk", text("PROFILE")).update_expression("SET points = :p");
    spoil.expression_attribute_values(":p", text("many")).send().await.unwrap();
    let answer = world.get(&format!("/orgs/{ORG}/customers/ada")).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (500, "internal"));
    assert!(!answer.body.to_string().contains("customer"), "{}", answer.body);
}
