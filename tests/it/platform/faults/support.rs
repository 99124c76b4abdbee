//! Every request of an operation meets every fault. Then the caller retries, and the invariants hold.

use std::{pin::Pin, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use futures::{StreamExt, stream};
use harness::{
    Request, World,
    faults::{Fault, Lasting},
    scenario,
    world::{ORG, noon},
};
use serde_json::{Value, json};

/// What is done before the operation, and the operation.
pub(super) struct Case {
    pub(super) before: Vec<Request>,
    pub(super) request: Request,
}

pub(super) type Holds = for<'a> fn(&'a World) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// What must hold of Ada after the operation, however often it was tried.
macro_rules! of_ada {
    ($holds:expr) => {
        |world| {
            Box::pin(async move {
                let holds: fn(&serde_json::Value) = $holds;
                holds(&harness::audit::check(world, harness::world::ORG, "ada").await);
            })
        }
    };
}

pub(super) use of_ada;

/// Makes every request of the operation meet every fault. One that passes is got over without the caller noticing; one
/// that lasts is a 503 in good time, and the caller's retry finishes the job. Said once more it is a replay, if it can be.
pub(super) async fn every_fault(case: Case, holds: Holds) {
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

pub(super) async fn prepared(case: &Case, patience: Option<Duration>) -> World {
    let world = World::with_timeout(patience).await;
    world.put_customer(ORG, "ada", &json!({})).await;
    for request in &case.before {
        assert!(world.send_at(request, noon()).await.status.is_success());
    }
    world.wire.take_seen();
    world
}

/// What must hold of the bundle `b`.
macro_rules! of_the_bundle {
    ($count:expr, $status:expr, $transitions:expr) => {
        |world| {
            Box::pin(async move {
                let org = harness::world::ORG;
                let bundle = harness::bundles::check(world, org, "b").await;
                assert_eq!(
                    (&bundle["currentRedemptions"], &bundle["status"]),
                    (&serde_json::json!($count), &serde_json::json!($status))
                );
                assert_eq!(harness::bundles::transitions(world, org, "b").await.len(), $transitions);
            })
        }
    };
}

pub(super) use of_the_bundle;

/// Makes every request of a call meet every fault, whatever the call is; afterwards it is made again and must succeed.
/// A passing fault is not noticed.
pub(super) async fn every_fault_of_a_call<P, A>(
    prepare: impl Fn(World) -> P,
    call: impl Fn(Arc<World>) -> A,
    holds: Holds,
) where
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
pub(super) async fn sent(world: &World, request: &Request, now: DateTime<Utc>) -> Result<(), String> {
    let answer = world.send_at(request, now).await;
    if answer.status.is_success() { Ok(()) } else { Err(answer.body.to_string()) }
}

/// Hands an event to a function; what fails is told.
pub(super) async fn told(world: &World, name: &str, detail: Value) -> Result<(), String> {
    world
        .invoke("bundle-redemption", scenario::event(name, detail))
        .await
        .map(drop)
        .map_err(|failed| failed.code.to_owned())
}
