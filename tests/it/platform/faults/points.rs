//! Awards, refunds, adjustments and points redemptions under every fault.

use std::time::Duration;

use futures::{StreamExt, stream};
use harness::{
    Request, World, amendments, audit, scenario,
    world::{ORG, noon},
};
use serde_json::json;

use super::support::{Case, Invariant, every_fault, of_ada};

#[tokio::test(flavor = "multi_thread")]
async fn an_award_survives_every_fault_at_every_request() {
    let case = Case { before: vec![], request: scenario::award("ada", "o1", "250", &json!({})) };
    let holds: Invariant = of_ada!(|ada| {
        let stands = (&ada["points"], &ada["lifetimeValue"], &ada["orderCount"], &ada["tier"]);
        assert_eq!(stands, (&json!(250), &json!(250), &json!(1), &json!("Silver")));
    });
    every_fault(case, holds).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_survives_every_fault_at_every_request() {
    let before = vec![scenario::award("ada", "o1", "250", &json!({}))];
    let case = Case { before, request: scenario::refund_request("ada", "o1", "r1", Some("100")) };
    let holds: Invariant = of_ada!(|ada| {
        let stands = (&ada["points"], &ada["lifetimeValue"], &ada["orderCount"], &ada["tier"]);
        assert_eq!(stands, (&json!(150), &json!(150), &json!(1), &json!("Bronze")));
    });
    every_fault(case, holds).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_void_of_a_refund_survives_every_fault_at_every_request() {
    let before =
        vec![scenario::award("ada", "o1", "250", &json!({})), scenario::refund_request("ada", "o1", "r1", None)];
    let holds: Invariant = of_ada!(|ada| {
        let stands = (&ada["points"], &ada["lifetimeValue"], &ada["orderCount"], &ada["tier"]);
        assert_eq!(stands, (&json!(250), &json!(250), &json!(1), &json!("Silver")));
    });
    every_fault(Case { before: before.clone(), request: scenario::void_refund("ada", "o1", "r1") }, holds).await;
    // A void without a customer, and the mark of a void that comes before its refund.
    let unnamed =
        |refund: &str| Request::new("DELETE", "points-award", format!("/refunds/{refund}?orgId={ORG}&orderId=o1"));
    every_fault(Case { before: before.clone(), request: unnamed("r1") }, holds).await;
    let request = scenario::void_refund("ada", "o1", "never");
    every_fault(Case { before, request }, of_ada!(|ada| assert_eq!(ada["points"], 0))).await;
    every_fault(Case { before: vec![], request: unnamed("never") }, of_ada!(|ada| assert_eq!(ada["points"], 0))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amendment_survives_every_fault_at_every_request() {
    let (one, two) = ("2026-06-01T12:30:00Z", "2026-06-01T13:00:00Z");
    let before = vec![scenario::award("ada", "o1", "250", &json!({}))];
    let holds: Invariant = of_ada!(|ada| {
        let stands = (&ada["points"], &ada["lifetimeValue"], &ada["orderCount"], &ada["tier"]);
        assert_eq!(stands, (&json!(190), &json!(190), &json!(1), &json!("Bronze")));
    });
    for request in [amendments::amend("ada", "o1", "190", one), amendments::award_state("ada", "o1", "190", one)] {
        every_fault(Case { before: before.clone(), request }, holds).await;
    }
    let cancelled: Invariant = of_ada!(|ada| {
        let stands = (&ada["points"], &ada["lifetimeValue"], &ada["orderCount"], &ada["tier"]);
        assert_eq!(stands, (&json!(0), &json!(0), &json!(0), &json!("Bronze")));
    });
    let cancel = amendments::cancel("ada", "o1", two);
    every_fault(Case { before, request: cancel.clone() }, cancelled).await;
    every_fault(Case { before: vec![], request: cancel.clone() }, cancelled).await;
    // The award of an order that was cancelled before.
    let request = amendments::award_state("ada", "o1", "250", one);
    every_fault(Case { before: vec![cancel], request }, cancelled).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adjustment_survives_every_fault_at_every_request() {
    let case = Case { before: vec![], request: scenario::adjustment("ada", "a1", 30) };
    every_fault(case, of_ada!(|ada| assert_eq!(ada["points"], 30))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redemption_of_points_survives_every_fault_at_every_request() {
    let before = vec![scenario::adjustment("ada", "a1", 500)];
    let case = Case { before, request: scenario::redeem_points("ada", "o1", 300, "49.99") };
    every_fault(case, of_ada!(|ada| assert_eq!(ada["points"], 200))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_void_of_points_survives_every_fault_at_every_request() {
    let before = vec![scenario::adjustment("ada", "a1", 500), scenario::redeem_points("ada", "o1", 300, "49.99")];
    let case = Case { before, request: scenario::void_points("ada", "o1") };
    every_fault(case, of_ada!(|ada| assert_eq!(ada["points"], 500))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_orders_over_a_faulty_connection_each_award_once() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let world = World::with_timeout(Some(Duration::from_secs(2))).await;
    for name in ["ada", "bo"] {
        world.put_customer(ORG, name, &json!({})).await;
    }
    world.proxy.fail_at_random(seed, 6);
    let world = &world;
    let award = |number: u32| async move {
        let name = if number.is_multiple_of(2) { "ada" } else { "bo" };
        let request = scenario::award(name, &format!("o{number}"), "7.50", &json!({}));
        world.send_with_retries(&request, noon()).await.status.as_u16()
    };
    let statuses: Vec<u16> = stream::iter((0..100).map(award)).buffer_unordered(8).collect().await;
    world.proxy.heal();
    assert!(statuses.iter().all(|status| [200, 201].contains(status)), "{statuses:?}");
    for name in ["ada", "bo"] {
        let who = audit::check(world, ORG, name).await;
        assert_eq!((&who["points"], &who["orderCount"]), (&json!(350), &json!(50)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enrolment_by_a_first_order_survives_every_fault_at_every_request() {
    let person = json!({"customer": {"lastName": "King", "phone": "212 555 0134"}});
    let settings = Request::new("PUT", "back-office", format!("/orgs/{ORG}/loyalty"));
    let before = vec![settings.json(&json!({"enrolment": "first_order"}))];
    let request = scenario::award("bo", "o1", "250", &person);
    let holds: Invariant = |world| {
        Box::pin(async move {
            let bo = audit::check(world, ORG, "bo").await;
            assert_eq!((&bo["points"], &bo["orderCount"], &bo["tier"]), (&json!(250), &json!(1), &json!("Silver")));
            let search = Request::new("POST", "back-office", format!("/orgs/{ORG}/customers/search"));
            let found = world.send(&search.json(&json!({"phone": "+12125550134"}))).await.body;
            assert_eq!(found["customers"], json!([bo]));
        })
    };
    every_fault(Case { before, request }, holds).await;
}
