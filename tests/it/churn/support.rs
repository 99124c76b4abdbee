//! Customers to score, and runs of the job.

use harness::{
    World, audit, instant, scenario,
    world::{ORG, noon},
};
use serde_json::{Value, json};

pub(super) async fn run_at(world: &World, now: &str, body: &Value) -> Value {
    let answer = world.send_at(&scenario::prediction(body), instant(now)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

pub(super) async fn run(world: &World) -> Value {
    run_at(world, NOON, &json!({})).await
}

pub(super) const NOON: &str = "2026-06-01T12:00:00Z";

/// Creates a customer with orders of 40 on these days before noon.
pub(super) async fn customer(world: &World, name: &str, days_ago: &[i64]) {
    world.put_customer(ORG, name, &json!({})).await;
    for (number, days) in days_ago.iter().enumerate() {
        let at = noon() - chrono::TimeDelta::days(*days);
        let fulfilled = json!({"fulfilledAt": shared::domain::time::text(at)});
        let order = scenario::award(name, &format!("{name}-{number}"), "40", &fulfilled);
        assert_eq!(world.send_at(&order, at).await.status, 201);
    }
}

/// A world with three active customers: with many recent orders, with old orders, and with one order.
pub(super) async fn three() -> World {
    in_world(World::new().await).await
}

pub(super) async fn in_world(world: World) -> World {
    customer(&world, "often", &[140, 120, 100, 80, 60, 40, 20, 2]).await;
    customer(&world, "before", &[99, 97, 95, 93, 91, 89]).await;
    customer(&world, "once", &[10]).await;
    world.proxy.take_requests();
    world.take_records();
    world
}

pub(super) async fn of(world: &World, customer: &str) -> Value {
    audit::check(world, ORG, customer).await
}

pub(super) fn figures(run: &Value, names: &[&str]) -> Vec<u64> {
    names.iter().map(|name| run["results"][0][name].as_u64().unwrap_or_else(|| panic!("{name}: {run}"))).collect()
}
