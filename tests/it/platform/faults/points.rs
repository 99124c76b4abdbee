//! Every request that an operation makes, lost, doubled or refused in every way: then the caller retries, and nothing
//! may be missing, half done or done twice.

use std::{pin::Pin, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use futures::{StreamExt, stream};
use harness::{
    Request, World, audit, bundles,
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

type Holds = for<'a> fn(&'a World) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// What must hold of Ada after the operation, however often it was tried.
macro_rules! of_ada {
    ($holds:expr) => {
        |world| {
            Box::pin(async move {
                let holds: fn(&Value) = $holds;
                holds(&audit::check(world, ORG, "ada").await);
            })
        }
    };
}

/// Makes every request of the operation meet every fault. One that passes is got over without the caller noticing; one
/// that lasts is a 503 in good time, and the caller's retry finishes the job. Said once more it is a replay, if it can be.
async fn every_fault(case: Case, holds: Holds) {
    let operations = {
        let world = prepared(&case, None).await;
        assert!(world.send(&case.request).await.status.is_success());
        world.wire.take_seen()
    };
    assert!(operations.len() >= 2);
    let trials = operations.iter().enumerate().flat_map(|(number, operation)| {
        let faults = Fault::ALL.into_iter().filter(move |fault| fault.meets(operation));
        faults.flat_map(move |fault| [Lasting::Once, Lasting::UntilHealed].map(|lasting| (number, fault, lasting)))
    });
    let case = &case;
    let trial = |(number, fault, lasting)| async move {
        // Short where the fault lasts, because it is met until the function gives up.
        let patience = (lasting == Lasting::UntilHealed).then_some(Duration::from_secs(2));
        let world = prepared(case, patience).await;
        world.wire.fail(number, fault, lasting);
        let first = world.send(&case.request).await.status.as_u16();
        let told = format!("request {number}, {fault:?} {lasting:?}, answered {first} at first");
        match lasting {
            Lasting::Once => assert!([200, 201].contains(&first), "{told}"),
            Lasting::UntilHealed => assert_eq!(first, 503, "{told}"),
        }
        world.wire.heal();
        let again = world.send_until_settled(&case.request, noon()).await;
        assert!(again.status.is_success(), "{told}, then {}", again.body);
        holds(&world).await;
        let once_more = world.send_until_settled(&case.request, noon()).await;
        assert_eq!(once_more.body["replayed"] == true, case.request.method != "PUT", "{told}");
        holds(&world).await;
    };
    stream::iter(trials.map(trial)).buffer_unordered(8).collect::<Vec<()>>().await;
}

async fn prepared(case: &Case, patience: Option<Duration>) -> World {
    let world = World::with_timeout(patience).await;
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
    let holds: Holds = of_ada!(|ada| {
        let stands = (&ada["points"], &ada["lifetimeValue"], &ada["orderCount"], &ada["tier"]);
        assert_eq!(stands, (&json!(250), &json!(250), &json!(1), &json!("Silver")));
    });
    every_fault(case, holds).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_survives_every_fault_at_every_request() {
    let before = vec![scenario::award("ada", "o1", "250", &json!({}))];
    let case = Case { before, request: scenario::refund_request("ada", "o1", "r1", Some("100")) };
    let holds: Holds = of_ada!(|ada| {
        let stands = (&ada["points"], &ada["lifetimeValue"], &ada["orderCount"], &ada["tier"]);
        assert_eq!(stands, (&json!(150), &json!(150), &json!(1), &json!("Bronze")));
    });
    every_fault(case, holds).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_void_of_a_refund_survives_every_fault_at_every_request() {
    let before =
        vec![scenario::award("ada", "o1", "250", &json!({})), scenario::refund_request("ada", "o1", "r1", None)];
    let holds: Holds = of_ada!(|ada| {
        let stands = (&ada["points"], &ada["lifetimeValue"], &ada["orderCount"], &ada["tier"]);
        assert_eq!(stands, (&json!(250), &json!(250), &json!(1), &json!("Silver")));
    });
    every_fault(Case { before: before.clone(), request: scenario::void_refund("ada", "o1", "r1") }, holds).await;
    // The order's own customer, where none is named; and the mark of a void that comes before its refund.
    let unnamed =
        |refund: &str| Request::new("DELETE", "points-award", format!("/refunds/{refund}?orgId={ORG}&orderId=o1"));
    every_fault(Case { before: before.clone(), request: unnamed("r1") }, holds).await;
    let request = scenario::void_refund("ada", "o1", "never");
    every_fault(Case { before, request }, of_ada!(|ada| assert_eq!(ada["points"], 0))).await;
    every_fault(Case { before: vec![], request: unnamed("never") }, of_ada!(|ada| assert_eq!(ada["points"], 0))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adjustment_survives_every_fault_at_every_request() {
    let case = Case { before: vec![], request: scenario::adjustment("ada", "a1", 30) };
    every_fault(case, of_ada!(|ada| assert_eq!(ada["points"], 30))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redemption_of_points_survives_every_fault_at_every_request() {
    let before = vec![scenario::adjustment("ada", "a1", 500)];
    let case = Case { before, request: scenario::spend("ada", "o1", 300, "49.99") };
    every_fault(case, of_ada!(|ada| assert_eq!(ada["points"], 200))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_void_of_points_survives_every_fault_at_every_request() {
    let before = vec![scenario::adjustment("ada", "a1", 500), scenario::spend("ada", "o1", 300, "49.99")];
    let case = Case { before, request: scenario::unspend("ada", "o1") };
    every_fault(case, of_ada!(|ada| assert_eq!(ada["points"], 500))).await;
}

/// What must hold of the bundle `b`.
macro_rules! of_the_bundle {
    ($count:expr, $status:expr, $transitions:expr) => {
        |world| {
            Box::pin(async move {
                let bundle = bundles::check(world, ORG, "b").await;
                assert_eq!((&bundle["currentRedemptions"], &bundle["status"]), (&json!($count), &json!($status)));
                assert_eq!(bundles::transitions(world, ORG, "b").await.len(), $transitions);
            })
        }
    };
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redemption_of_the_last_unit_survives_every_fault_at_every_request() {
    let before = vec![bundles::put("b", &json!({"maxRedemptions": 1, "perCustomerLimit": 1}))];
    let case = Case { before, request: bundles::redeem("b", "ada", "o1", &json!({})) };
    every_fault(case, of_the_bundle!(1, "expired", 1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_void_that_reopens_a_bundle_survives_every_fault_at_every_request() {
    let before = vec![bundles::put("b", &json!({"maxRedemptions": 1})), bundles::redeem("b", "ada", "o1", &json!({}))];
    let case = Case { before, request: bundles::void("b", "o1") };
    every_fault(case, of_the_bundle!(0, "active", 2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_survives_every_fault_at_every_request() {
    let before = vec![bundles::put("b", &json!({})), bundles::redeem("b", "ada", "o1", &json!({}))];
    let case = Case { before, request: bundles::put("b", &json!({"desiredState": "paused"})) };
    every_fault(case, of_the_bundle!(1, "paused", 1)).await;
}

/// Makes every request of a call meet every fault, whatever the call is; afterwards it is made again and must succeed.
/// A passing fault is not noticed.
async fn every_fault_of_a_call<P, A>(prepare: impl Fn(World) -> P, call: impl Fn(Arc<World>) -> A, holds: Holds)
where
    P: Future<Output = World>,
    A: Future<Output = Result<(), String>>,
{
    let world = Arc::new(prepare(World::new().await).await);
    world.wire.take_seen();
    call(Arc::clone(&world)).await.unwrap();
    let operations = world.wire.take_seen();
    holds(&world).await;
    let trials = operations.iter().enumerate().flat_map(|(number, operation)| {
        let faults = Fault::ALL.into_iter().filter(move |fault| fault.meets(operation));
        faults.flat_map(move |fault| [Lasting::Once, Lasting::UntilHealed].map(|lasting| (number, fault, lasting)))
    });
    let (prepare, call) = (&prepare, &call);
    let trial = |(number, fault, lasting)| async move {
        let patience = (lasting == Lasting::UntilHealed).then_some(Duration::from_secs(6));
        let world = Arc::new(prepare(World::with_timeout(patience).await).await);
        world.wire.fail(number, fault, lasting);
        let first = call(Arc::clone(&world)).await;
        if lasting == Lasting::Once {
            assert_eq!(first, Ok(()), "request {number}, {fault:?}");
        }
        world.wire.heal();
        // As long as it takes to be let through with little time.
        let mut again = call(Arc::clone(&world)).await;
        for _ in 0..10 {
            if again.is_ok() {
                break;
            }
            again = call(Arc::clone(&world)).await;
        }
        assert_eq!(again, Ok(()), "request {number}, {fault:?} {lasting:?}, answered {first:?} at first");
        holds(&world).await;
    };
    stream::iter(trials.map(trial)).buffer_unordered(16).collect::<Vec<()>>().await;
}

/// Sends a request; what is not a success is told.
async fn sent(world: &World, request: &Request, now: DateTime<Utc>) -> Result<(), String> {
    let answer = world.send_at(request, now).await;
    if answer.status.is_success() { Ok(()) } else { Err(answer.body.to_string()) }
}

/// Hands an event to a function; what fails is told.
async fn told(world: &World, name: &str, detail: Value) -> Result<(), String> {
    world
        .invoke("bundle-redemption", scenario::event(name, detail))
        .await
        .map(drop)
        .map_err(|failed| failed.code.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_the_job_survives_every_fault_at_every_request() {
    let later = noon() + chrono::TimeDelta::minutes(5);
    every_fault_of_a_call(
        |world| async move {
            world.send(&bundles::put("b", &json!({"endDate": "2026-06-01T12:00:00.001Z"}))).await;
            world
        },
        |world| async move {
            let answer = world.send_at(&bundles::job(&json!({})), later).await;
            let done = answer.body["success"] == true && answer.body.get("cursor").is_none();
            if done { Ok(()) } else { Err(answer.body.to_string()) }
        },
        of_the_bundle!(0, "expired", 1),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recalculation_survives_every_fault_at_every_request() {
    let later = noon() + chrono::TimeDelta::days(200);
    every_fault_of_a_call(
        |world| async move {
            world.put_customer(ORG, "ada", &json!({})).await;
            world.send(&scenario::award("ada", "o1", "600", &json!({}))).await;
            world
        },
        |world| async move {
            let answer = world.send_at(&scenario::recalculation(&json!({})), later).await;
            let done = answer.body["success"] == true && answer.body.get("cursor").is_none();
            if done { Ok(()) } else { Err(answer.body.to_string()) }
        },
        of_ada!(|ada| assert_eq!(ada["tier"], "Silver")),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prediction_survives_every_fault_at_every_request() {
    every_fault_of_a_call(
        |world| async move {
            world.put_customer(ORG, "ada", &json!({})).await;
            world.send(&scenario::award("ada", "o1", "600", &json!({}))).await;
            world
        },
        |world| async move {
            let answer = world.send(&scenario::prediction(&json!({}))).await;
            let done = answer.body["success"] == true && answer.body.get("cursor").is_none();
            if done { Ok(()) } else { Err(answer.body.to_string()) }
        },
        |world| {
            Box::pin(async move {
                let ada = audit::check(world, ORG, "ada").await;
                assert_eq!(ada["churnSource"], "statistical");
                let level = ada["churnRiskLevel"].as_str().unwrap();
                let list = world.get(&format!("/orgs/{ORG}/customers?riskLevel={level}")).await.body;
                assert_eq!(list["customers"], json!([ada]), "listed, and once");
            })
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_with_bundles_and_their_cancellations_survive_every_fault_at_every_request() {
    let order =
        || json!({"orgId": ORG, "orderId": "o1", "customerId": "ada", "orderTotal": 10, "bundleIds": ["a", "b"]});
    let both = |world: World| async move {
        for bundle in ["a", "b"] {
            world.send(&bundles::put(bundle, &json!({"maxRedemptions": 1}))).await;
        }
        world
    };
    let redeem = |world: Arc<World>| async move { told(&world, "OrderFulfilled", order()).await };
    every_fault_of_a_call(both, redeem, of_the_bundle!(1, "expired", 1)).await;

    let redeemed = |world: World| async move {
        let world = both(world).await;
        while told(&world, "OrderFulfilled", order()).await.is_err() {}
        world
    };
    let cancel = |world: Arc<World>| async move {
        told(&world, "OrderCancelled", json!({"orgId": ORG, "orderId": "o1", "customerId": "ada"})).await
    };
    every_fault_of_a_call(redeemed, cancel, of_the_bundle!(0, "active", 2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bundles_created_and_deleted_survive_every_fault_at_every_request() {
    let nothing = |world: World| async move { world };
    let create = |world: Arc<World>| async move { sent(&world, &bundles::put("b", &json!({})), noon()).await };
    every_fault_of_a_call(nothing, create, of_the_bundle!(0, "active", 0)).await;

    let moved = |world: World| async move {
        world.send(&bundles::put("b", &json!({}))).await;
        world.send(&bundles::move_to("b", "paused")).await;
        world
    };
    // A bundle that is gone already is gone.
    let delete = |world: Arc<World>| async move {
        let delete = Request::new("DELETE", "back-office", format!("/orgs/{ORG}/bundles/b"));
        let answer = world.send(&delete).await;
        if answer.status == 200 || answer.status == 404 { Ok(()) } else { Err(answer.body.to_string()) }
    };
    every_fault_of_a_call(moved, delete, |world| {
        Box::pin(async move {
            assert_eq!(world.get(&format!("/orgs/{ORG}/bundles/b")).await.code(), "bundle_not_found");
            let left = world.client.scan().table_name(&world.table).send().await.unwrap();
            assert_eq!(left.count(), 2, "the shop, and the mark of the bundle");
        })
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_time_zone_survives_every_fault_at_every_request() {
    let open = |world: World| async move {
        world.send(&bundles::put("b", &json!({"timeStart": "09:00"}))).await;
        world
    };
    // What is left undone the job does.
    let change = |world: Arc<World>| async move {
        let body = json!({"name": "Shop", "timezone": "Europe/Berlin"});
        sent(&world, &Request::new("PUT", "back-office", format!("/orgs/{ORG}")).json(&body), noon()).await?;
        if world.wire.is_whole() {
            let job = bundles::job(&json!({}));
            world.send_within(&job, noon() + chrono::TimeDelta::minutes(5), Duration::from_secs(30)).await;
        }
        Ok(())
    };
    every_fault_of_a_call(open, change, of_the_bundle!(0, "active", 1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_sold_while_its_bundle_was_on_survives_every_fault_at_every_request() {
    let world = |world: World| async move {
        let known = json!({"knownCustomersOnly": true, "maxRedemptions": 1});
        world.put_customer(ORG, "ada", &json!({})).await;
        world.send_at(&bundles::put("b", &known), noon() - chrono::TimeDelta::hours(2)).await;
        world.send(&bundles::move_to("b", "ended")).await;
        world
    };
    let late = |world: Arc<World>| async move {
        let redeem = bundles::redeem("b", "ada", "o1", &json!({"fulfilledAt": "2026-06-01T11:00:00Z"}));
        sent(&world, &redeem, noon()).await
    };
    every_fault_of_a_call(world, late, of_the_bundle!(1, "expired", 1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bundles_are_judged_by_newer_zone_rules_whatever_fails_meanwhile() {
    let outdated = |world: World| async move {
        world.send(&bundles::put("b", &json!({"timeStart": "09:00"}))).await;
        bundles::judged_by_older_rules(&world, ORG, "b").await;
        world
    };
    let runs = |world: Arc<World>| async move {
        for minutes in [5, 10] {
            let now = noon() + chrono::TimeDelta::minutes(minutes);
            sent(&world, &bundles::job(&json!({})), now).await?;
        }
        // With little time a run leaves it to the next, and so it does with a mark that it can't take away.
        let recorded = bundles::item(&world, ORG, "b").await["recorded"].as_m().unwrap().clone();
        let is_done = recorded["zoneData"].as_s().unwrap() == shared::domain::zone::data_version();
        if is_done { Ok(()) } else { Err("not judged anew yet".to_owned()) }
    };
    every_fault_of_a_call(outdated, runs, of_the_bundle!(0, "paused", 0)).await;
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
    let world = World::with_timeout(Some(Duration::from_secs(2))).await;
    world.wire.fail(0, Fault::DropRequest, Lasting::UntilHealed);
    let answer = world.get(&format!("/orgs/{ORG}")).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (503, "try_again"));
    assert_eq!(answer.headers["retry-after"], "1");
}

#[tokio::test]
async fn a_store_that_hangs_is_given_up_while_there_is_still_time_to_say_so() {
    let world = World::with_timeout(Some(Duration::from_secs(2))).await;
    world.wire.fail(0, Fault::Hang, Lasting::UntilHealed);
    let answer = world.get(&format!("/orgs/{ORG}")).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (503, "try_again"));
    assert_eq!(world.wire.take_seen().len(), 1, "the client's own patience is longer than the function's");
}

#[tokio::test]
async fn an_item_made_unreadable_is_500_and_gives_nothing_away() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.spoil("CUSTOMER#shop#ada", "PROFILE", "points").await;
    let answer = world.get(&format!("/orgs/{ORG}/customers/ada")).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (500, "internal"));
    assert!(!answer.body.to_string().contains("customer"), "{}", answer.body);
}

#[tokio::test]
async fn what_can_not_be_read_keeps_no_other_from_being_listed() {
    let world = World::new().await;
    for name in ["ada", "bo", "cy"] {
        world.put_customer(ORG, name, &json!({})).await;
        world.send(&bundles::put(name, &json!({}))).await;
        world.put_org(name, &json!({"name": "An org"})).await;
    }
    world.spoil("CUSTOMER#shop#bo", "PROFILE", "points").await;
    world.spoil("ORG#shop", "BUNDLE#bo", "terms").await;
    world.spoil("ORG#bo", "ORG", "version").await;
    for (path, plural, id, readable) in [
        ("/orgs", "orgs", "orgId", vec!["ada", "cy", "shop"]),
        ("/orgs/shop/bundles", "bundles", "bundleId", vec!["ada", "cy"]),
        ("/orgs/shop/customers", "customers", "customerId", vec!["ada", "cy"]),
    ] {
        let (mut whole, mut broken, mut cursor) = (Vec::new(), Vec::new(), String::new());
        loop {
            let page = world.get(&format!("{path}?limit=1{cursor}")).await;
            assert_eq!(page.status, 200, "{path}: {}", page.body);
            for row in page.body[plural].as_array().unwrap() {
                if row.get("error").is_some() { &mut broken } else { &mut whole }.push(row.clone());
            }
            let Some(next) = page.body["cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(broken, [json!({id: "bo", "error": "internal"})], "{path}");
        let mut ids: Vec<&str> = whole.iter().map(|row| row[id].as_str().unwrap()).collect();
        ids.sort_unstable();
        assert_eq!(ids, readable, "{path}");
    }
    // Nobody can say whether it is one of those.
    for path in ["/orgs/shop/bundles?status=draft", "/orgs/shop/customers?tier=Bronze"] {
        let page = world.get(path).await.body;
        assert!(!page.to_string().contains("\"bo\""), "{page}");
    }
}

#[tokio::test]
async fn an_award_read_before_another_refund_is_not_written_back() {
    use shared::{
        domain::{ids::OrgId, refund},
        store::{Store, StoreError},
    };
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&scenario::award("ada", "o1", "100", &json!({}))).await;
    let store = Store::new(world.client.clone(), &world.table);
    let shop = OrgId::try_from(ORG.to_owned()).unwrap();
    let org = store.org_versioned(&shop).await.unwrap().unwrap().value;
    let (ada, o1) = ("ada".to_owned().try_into().unwrap(), "o1".to_owned().try_into().unwrap());
    let late: shared::domain::ids::RefundId = "late".to_owned().try_into().unwrap();

    // A batch is not one moment: the award may be from before another refund and the customer from after it.
    let before = store.refund_context(&shop, &ada, &o1, &late).await.unwrap().award.unwrap();
    world.send(&scenario::refund_request("ada", "o1", "first", None)).await;
    let after = store.refund_context(&shop, &ada, &o1, &late).await.unwrap().customer.unwrap();
    let loyalty = org.loyalty.as_ref().unwrap();
    let mut stale = after.value.clone();
    stale.lifetime_value = before.value.order.total;
    let torn = refund::refund(&stale, loyalty, &before.value, late, None, noon()).unwrap();

    let mut transaction = store.transaction(&org);
    transaction.replace_customer(&torn.customer, &after, &torn.entries).unwrap();
    transaction.record_refund(&torn.refund, &torn.award, &before).unwrap();
    assert!(matches!(transaction.commit().await, Err(StoreError::Contended)));
    assert_eq!(audit::check(&world, ORG, "ada").await["points"], 0);
}

#[tokio::test]
async fn an_org_is_deleted_whole_though_batches_come_back_undone() {
    let world = World::new().await;
    world.put_org("temp", &json!({"name": "Temp", "disposable": true})).await;
    world.put_customer("temp", "ada", &json!({})).await;
    let delete = Request::new("DELETE", "back-office", "/orgs/temp");
    // The mark (read, write), the list of customers, the partition of one, and then its batch.
    world.wire.fail(4, Fault::Unprocessed, Lasting::Once);
    let answer = world.send(&delete).await;
    assert_eq!((answer.status.as_u16(), &answer.body["complete"]), (200, &json!(true)), "{}", answer.body);
    let seen = world.wire.take_seen();
    assert_eq!(seen[4..6], ["BatchWriteItem", "BatchWriteItem"], "{seen:?}");
    assert_eq!(world.client.scan().table_name(&world.table).send().await.unwrap().count(), 1);
}

#[tokio::test]
async fn an_empty_page_is_not_taken_for_the_last() {
    let world = World::new().await;
    for name in ["ada", "bo"] {
        world.put_customer(ORG, name, &json!({})).await;
    }
    world.wire.answer_empty_pages(2);
    let page = world.get("/orgs/shop/customers").await;
    assert_eq!(page.body["customers"].as_array().unwrap().len(), 2);
    world.wire.answer_empty_pages(1);
    assert_eq!(world.get("/orgs").await.body["orgs"].as_array().unwrap().len(), 1);
}
