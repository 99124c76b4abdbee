//! Every request of an operation meets every fault. Then the caller retries, and the invariants hold.

use std::{pin::Pin, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use futures::{StreamExt, stream};
use harness::{
    Request, World,
    faults::{Fault, FaultDuration},
    scenario,
    world::{ORG, noon},
};
use serde_json::{Value, json};

/// An operation, and the requests before it.
pub(super) struct Case {
    pub(super) before: Vec<Request>,
    pub(super) request: Request,
}

/// Checks what must hold after the operation.
pub(super) type Invariant = for<'a> fn(&'a World) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// An invariant of Ada and her ledger.
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

/// Makes every request of an operation meet every fault.
///
/// - A fault of one request goes unnoticed by the caller. If the request hangs, most of the time of the call is over,
///   and a slow machine may answer 503.
/// - A lasting fault is answered 503 in time, and a retry completes the operation.
/// - A further call is a replay, unless it replaces something, or is about a hold, which is no idempotency key.
pub(super) async fn every_fault(case: Case, holds: Invariant) {
    let operations = {
        let world = prepared(&case).await;
        assert!(world.send(&case.request).await.status.is_success());
        world.proxy.take_requests()
    };
    assert!(operations.len() >= 2);
    let trials = operations.iter().enumerate().flat_map(|(number, operation)| {
        let faults = Fault::ALL.into_iter().filter(move |fault| fault.meets(operation));
        faults.flat_map(move |fault| {
            [FaultDuration::Once, FaultDuration::UntilHealed].map(|duration| (number, fault, duration))
        })
    });
    let case = &case;
    let trial = |(number, fault, duration)| async move {
        // A lasting fault takes the whole time-out, so the time-out is short.
        let limit = (duration == FaultDuration::UntilHealed).then_some(Duration::from_secs(2));
        let meet = || async {
            let world = prepared(case).await;
            world.limit_calls(limit);
            world.proxy.fail(number, fault, duration);
            let first = world.send(&case.request).await.status.as_u16();
            (world, first)
        };
        let goes_unnoticed = duration == FaultDuration::Once && fault != Fault::Hang;
        let (world, first) = repeat_unless(meet, |(_, first)| !goes_unnoticed || *first != 503).await;
        let context = format!("request {number}, {fault:?} {duration:?}, answered {first} at first");
        match (duration, fault) {
            (FaultDuration::Once, Fault::Hang) => assert!([200, 201, 503].contains(&first), "{context}"),
            (FaultDuration::Once, _) => assert!([200, 201].contains(&first), "{context}"),
            (FaultDuration::UntilHealed, _) => assert_eq!(first, 503, "{context}"),
        }
        world.proxy.heal();
        world.limit_calls(None);
        let again = world.send_with_retries(&case.request, noon()).await;
        assert!(again.status.is_success(), "{context}, then {}", again.body);
        holds(&world).await;
        let once_more = world.send_with_retries(&case.request, noon()).await;
        let is_named = case.request.method != "PUT" || case.request.path.starts_with("/awards/");
        let is_key = is_named && !case.request.path.starts_with("/holds/");
        assert_eq!(once_more.body["replayed"] == true, is_key, "{context}");
        holds(&world).await;
    };
    stream::iter(trials.map(trial)).buffer_unordered(8).collect::<Vec<()>>().await;
}

/// Tries again, up to three times, unless the outcome is right. A slow machine may use up the time of one call; that three
/// calls in a row fail has another reason.
async fn repeat_unless<T, F: Future<Output = T>>(attempt: impl Fn() -> F, is_right: impl Fn(&T) -> bool) -> T {
    for _ in 1..3 {
        let outcome = attempt().await;
        if is_right(&outcome) {
            return outcome;
        }
    }
    attempt().await
}

pub(super) async fn prepared(case: &Case) -> World {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    for request in &case.before {
        assert!(world.send_at(request, noon()).await.status.is_success());
    }
    world.proxy.take_requests();
    world
}

/// An invariant of the bundle `b`: its redemptions, its status and its number of transitions.
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

/// Makes every request of any call meet every fault. Afterwards the call is repeated and must succeed. A fault of one
/// request goes unnoticed, unless the request hangs: see [`every_fault`].
pub(super) async fn every_fault_of_a_call<P, A>(
    prepare: impl Fn(World) -> P,
    call: impl Fn(Arc<World>) -> A,
    holds: Invariant,
) where
    P: Future<Output = World>,
    A: Future<Output = Result<(), String>>,
{
    let world = Arc::new(prepare(World::new().await).await);
    world.proxy.take_requests();
    call(Arc::clone(&world)).await.unwrap();
    let operations = world.proxy.take_requests();
    holds(&world).await;
    let trials = operations.iter().enumerate().flat_map(|(number, operation)| {
        let faults = Fault::ALL.into_iter().filter(move |fault| fault.meets(operation));
        faults.flat_map(move |fault| {
            [FaultDuration::Once, FaultDuration::UntilHealed].map(|duration| (number, fault, duration))
        })
    });
    let (prepare, call) = (&prepare, &call);
    let trial = |(number, fault, duration)| async move {
        let limit = (duration == FaultDuration::UntilHealed).then_some(Duration::from_secs(6));
        let meet = || async {
            let world = Arc::new(prepare(World::new().await).await);
            world.limit_calls(limit);
            world.proxy.fail(number, fault, duration);
            let first = call(Arc::clone(&world)).await;
            (world, first)
        };
        let goes_unnoticed = duration == FaultDuration::Once && fault != Fault::Hang;
        let (world, first) = repeat_unless(meet, |(_, first)| !goes_unnoticed || first.is_ok()).await;
        let context = format!("request {number}, {fault:?} {duration:?}, answered {first:?} at first");
        assert!(!goes_unnoticed || first.is_ok(), "{context}");
        world.proxy.heal();
        world.limit_calls(None);
        let again = repeat_unless(|| call(Arc::clone(&world)), Result::is_ok).await;
        assert_eq!(again, Ok(()), "{context}");
        holds(&world).await;
    };
    stream::iter(trials.map(trial)).buffer_unordered(16).collect::<Vec<()>>().await;
}

/// Sends a request. Returns the body of a rejection as an error.
pub(super) async fn send(world: &World, request: &Request, now: DateTime<Utc>) -> Result<(), String> {
    let answer = world.send_at(request, now).await;
    if answer.status.is_success() { Ok(()) } else { Err(answer.body.to_string()) }
}

/// Delivers an event to `bundle-redemption`. Returns the code of a failure as an error.
pub(super) async fn deliver_event(world: &World, name: &str, detail: Value) -> Result<(), String> {
    world
        .invoke("bundle-redemption", scenario::event(name, detail))
        .await
        .map(drop)
        .map_err(|failed| failed.code.to_owned())
}
