//! Runs in which something fails: interrupted calls, a failing store, a slow or busy API, a lagging index, unreadable
//! items.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use harness::{
    Request, World,
    anthropic::{Anthropic, ApiReply, world_with_claude},
    audit, customers,
    faults::{Fault, FaultDuration},
    instant, scenario,
    secrets::SecretsManager,
    world::{ORG, WorldSetup, noon},
};
use serde_json::{Value, json};

use super::support::{NOON, run_at};

/// Less than the reserve of a run, so a run stops as soon as it has made progress.
const SHORT: Duration = Duration::from_secs(4);

async fn order(world: &World, name: &str, order: &str, at: &str) {
    let order = scenario::award(name, order, "40", &json!({ "fulfilledAt": at }));
    assert_eq!(world.send_at(&order, instant(at)).await.status, 201);
}

/// Creates `count` customers with one order each, fifty days before noon.
async fn alike(world: &World, count: usize) {
    world.put_customer(ORG, "c", &json!({})).await;
    order(world, "c", "c", "2026-04-12T12:00:00Z").await;
    customers::copy(world, "c", 1..count).await;
    world.proxy.take_requests();
}

fn total(run: &Value, name: &str) -> u64 {
    run["summary"][name].as_u64().unwrap_or_else(|| panic!("{name}: {run}"))
}

#[tokio::test]
async fn an_unreadable_past_prediction_does_not_block_scoring() {
    let world = World::new().await;
    alike(&world, 3).await;
    run_at(&world, NOON, &json!({})).await;
    world.put_customer(ORG, "new", &json!({})).await;
    order(&world, "new", "new", "2026-08-20T12:00:00Z").await;
    world.corrupt("CUSTOMER#shop#c", "PREDICTION#2026-06-01", "probability").await;
    world.corrupt("CUSTOMER#shop#c000001", "PROFILE", "points").await;
    let run = run_at(&world, "2026-08-31T12:00:00Z", &json!({})).await;
    assert_eq!((total(&run, "totalPredictions"), total(&run, "totalErrors")), (1, 0), "{run}");
    assert_eq!(run["results"][0]["hindsight"]["predictions"], 1, "of the third alone it can be said: {run}");
}

#[tokio::test]
async fn a_stopped_run_continues_after_active_days_are_lowered() {
    let world = World::new().await;
    alike(&world, 40).await;
    let stopped = world.send_within(&scenario::prediction(&json!({})), noon(), SHORT).await.body;
    assert_eq!(total(&stopped, "totalPredictions"), 16);
    world.put_loyalty(ORG, &json!({"activeDays": 30})).await;
    let rest = run_at(&world, NOON, &json!({"cursor": stopped["cursor"]})).await;
    assert_eq!(
        (total(&rest, "totalPredictions"), rest.get("cursor")),
        (0, None),
        "nobody has ordered within thirty days"
    );
}

#[tokio::test]
async fn a_continued_run_does_not_repeat_hindsight_and_the_fit() {
    let world = World::new().await;
    alike(&world, 3).await;
    run_at(&world, NOON, &json!({})).await;
    world.put_customer(ORG, "d", &json!({})).await;
    order(&world, "d", "d", "2026-08-20T12:00:00Z").await;
    customers::copy(&world, "d", 1..20).await;
    let later = "2026-08-31T12:00:00Z";
    // Org and model, the days of predictions with a read of their customers, all customers for the fit, the stored model,
    // active customers, a first batch. Then every write fails.
    world.proxy.fail(2 + 36 + 1 + 3 + 16, Fault::Throttle, FaultDuration::UntilHealed);
    let stopped = world.send_at(&scenario::prediction(&json!({"orgId": ORG})), instant(later)).await.body;
    assert_eq!(stopped["results"][0]["hindsight"]["predictions"], 3, "{stopped}");
    world.proxy.heal();
    world.proxy.take_requests();
    let rest = run_at(&world, later, &json!({"orgId": ORG, "cursor": stopped["cursor"]})).await;
    assert_eq!((total(&rest, "totalPredictions"), &rest["results"][0]["hindsight"]), (4, &Value::Null), "{rest}");
    // The org, its model, a page of active customers, and four writes.
    assert_eq!(world.proxy.take_requests().len(), 2 + 1 + 4);
}

#[tokio::test]
async fn each_prediction_is_evaluated_once_at_its_own_horizon() {
    let world = World::new().await;
    world.put_loyalty(ORG, &json!({"activeDays": 60})).await;
    alike(&world, 3).await;
    run_at(&world, NOON, &json!({})).await;
    world.put_loyalty(ORG, &json!({"activeDays": 90})).await;
    let reported =
        async |now: &str| run_at(&world, now, &json!({})).await["results"][0]["hindsight"]["predictions"].clone();
    assert_eq!(reported("2026-07-31T11:59:59.999Z").await, Value::Null, "sixty days are not over");
    assert_eq!(reported("2026-07-31T12:00:00Z").await, 3);
    assert_eq!(reported("2026-07-31T12:00:05Z").await, Value::Null, "that was told");
    // Predictions of early August end in late October. A run also covers the days of missed runs.
    order(&world, "c", "again", "2026-08-01T12:00:00Z").await;
    assert_eq!(reported("2026-08-02T12:00:00Z").await, Value::Null);
    assert_eq!(reported("2026-11-15T00:00:00Z").await, 1);
}

#[tokio::test]
async fn hindsight_is_reported_once_even_without_time_for_a_fit() {
    let world = World::new().await;
    alike(&world, 3).await;
    run_at(&world, NOON, &json!({})).await;
    run_at(&world, "2026-08-25T12:00:00Z", &json!({})).await;
    // After seven queries less than the reserve is left, and the model is six days old.
    world.proxy.delay_queries(Some(Duration::from_millis(400)));
    let (short, request) = (Duration::from_millis(7_600), scenario::prediction(&json!({"orgId": ORG})));
    let hurried = world.send_within(&request, instant("2026-08-31T12:00:00Z"), short).await.body;
    world.proxy.delay_queries(None);
    let next = run_at(&world, "2026-08-31T12:00:01Z", &json!({"orgId": ORG})).await;
    let reported = |run: &Value| run["results"][0]["hindsight"]["predictions"].as_u64().unwrap_or(0);
    assert_eq!(reported(&hurried) + reported(&next), 3, "{hurried} {next}");
}

#[tokio::test]
async fn a_stale_index_does_not_cause_a_second_score() {
    let (world, anthropic, _) = world_with_claude(&[]).await;
    alike(&world, 3).await;
    run_at(&world, NOON, &json!({})).await;
    let again = run_at(&world, NOON, &json!({})).await;
    assert_eq!((total(&again, "totalPredictions"), anthropic.requests().len()), (0, 1), "nor is Claude asked again");
    world.proxy.freeze_index();
    let later = "2026-06-02T12:00:00Z";
    assert_eq!(total(&run_at(&world, later, &json!({})).await, "totalPredictions"), 3);
    let lagging = run_at(&world, later, &json!({})).await;
    assert_eq!((total(&lagging, "totalPredictions"), total(&lagging, "totalErrors")), (0, 0));
}

#[tokio::test]
async fn a_run_does_not_skip_writes_that_the_store_rejects() {
    let world = World::new().await;
    alike(&world, 40).await;
    let whole = scenario::prediction(&json!({"orgId": ORG}));
    // Org and model, eight days, all customers, the stored model, active ones, a first batch. Then writes fail.
    world.proxy.fail(13 + 16, Fault::Throttle, FaultDuration::UntilHealed);
    let stopped = world.send(&whole).await.body;
    assert_eq!((total(&stopped, "totalPredictions"), total(&stopped, "totalErrors")), (16, 0), "{stopped}");
    world.proxy.heal();
    let rest = run_at(&world, NOON, &json!({"orgId": ORG, "cursor": stopped["cursor"]})).await;
    assert_eq!((total(&rest, "totalPredictions"), rest.get("cursor")), (24, None), "{rest}");
    assert!(customers::all(&world, ORG).await.iter().all(|one| one["churnPredictedAt"] == "2026-06-01T12:00:00.000Z"));
}

#[tokio::test]
async fn unreadable_customers_of_a_postponed_batch_are_counted_once() {
    let world = World::new().await;
    alike(&world, 20).await;
    world.corrupt("CUSTOMER#shop#c000003", "PROFILE", "points").await;
    let whole = scenario::prediction(&json!({"orgId": ORG}));
    world.proxy.fail(13, Fault::Throttle, FaultDuration::UntilHealed);
    assert_eq!(world.send(&whole).await.status, 503, "it got nowhere");
    world.proxy.heal();
    let run = run_at(&world, NOON, &json!({"orgId": ORG})).await;
    assert_eq!((total(&run, "totalPredictions"), total(&run, "totalErrors")), (19, 1), "{run}");
}

#[tokio::test]
async fn a_retry_after_beyond_the_call_leaves_the_rest_to_the_statistical_model() {
    let (world, anthropic, _) = world_with_claude(&[]).await;
    alike(&world, 100).await;
    anthropic.always(ApiReply::RateLimited("3600"));
    let run = run_at(&world, NOON, &json!({})).await;
    assert_eq!((&run["results"][0]["statistical"], run.get("cursor")), (&json!(100), None), "{run}");
    assert_eq!((&run["summary"]["withoutClaude"], anthropic.requests().len()), (&json!("rate_limited"), 1));
}

#[tokio::test]
async fn a_wait_just_beyond_the_deadline_leaves_the_rest_to_the_next_call() {
    let (world, anthropic, _) = world_with_claude(&[]).await;
    alike(&world, 30).await;
    anthropic.always(ApiReply::RateLimited("50"));
    let (mut body, mut calls) = (json!({}), 0);
    loop {
        let reported = world.send_within(&scenario::prediction(&body), noon(), Duration::from_secs(10)).await.body;
        assert_eq!(total(&reported, "totalPredictions"), 10, "{reported}");
        calls += 1;
        match reported.get("cursor") {
            Some(cursor) => body = json!({ "cursor": cursor }),
            None => break,
        }
    }
    assert_eq!(calls, 3);
}

#[tokio::test]
async fn a_call_of_a_few_seconds_gives_up_a_silent_api() {
    let (world, anthropic, _) = world_with_claude(&[]).await;
    alike(&world, 60).await;
    anthropic.always(ApiReply::Hang);
    let (mut body, mut predictions, mut requests, mut gave_up) = (json!({}), 0, 0, false);
    // A slow machine needs further calls for the rest.
    loop {
        let answer = world.send_within(&scenario::prediction(&body), noon(), Duration::from_secs(9)).await;
        let asked = anthropic.requests().len() - requests;
        requests += asked;
        assert!(asked <= 3, "{asked} requests of one call");
        if answer.status == 503 {
            continue;
        }
        let run = answer.body;
        assert_eq!(run["results"][0]["statistical"], run["results"][0]["predictions"], "{run}");
        gave_up |= run["summary"]["withoutClaude"] == "unavailable";
        predictions += total(&run, "totalPredictions");
        match run.get("cursor") {
            Some(cursor) => body = json!({ "cursor": cursor }),
            None => break,
        }
    }
    assert!(gave_up);
    assert_eq!(predictions, 60);
}

#[tokio::test]
async fn the_key_is_read_from_its_secret_and_a_run_continues_without_one() {
    let (anthropic, secrets) = (Anthropic::start().await, SecretsManager::start("the-key", "sk-ant-kept ").await);
    let environment = vec![
        ("ANTHROPIC_BASE_URL", anthropic.url()),
        ("ANTHROPIC_SECRET", "the-key".to_owned()),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets.url()),
    ];
    let world = World::with(WorldSetup { environment, ..WorldSetup::default() }).await;
    alike(&world, 3).await;
    assert_eq!(run_at(&world, NOON, &json!({})).await["results"][0]["claude"], 3);
    assert_eq!(anthropic.requests()[0].headers["x-api-key"], "sk-ant-kept");
    secrets.reply_with(400, json!({"__type": "ResourceNotFoundException", "message": "gone"}));
    let without = run_at(&world, "2026-06-02T12:00:00Z", &json!({})).await;
    assert_eq!(
        (&without["results"][0]["statistical"], &without["summary"]["withoutClaude"]),
        (&json!(3), &json!("key_unreadable"))
    );
}

#[tokio::test]
async fn a_risk_list_omits_customers_at_another_level_and_expired_predictions() {
    let world = World::new().await;
    alike(&world, 2).await;
    run_at(&world, NOON, &json!({})).await;
    let level = audit::check(&world, ORG, "c").await["churnRiskLevel"].as_str().unwrap().to_owned();
    let listed = async |query: &str, now: &str| {
        let path = format!("/orgs/{ORG}/customers?riskLevel={level}{query}");
        world.send_at(&Request::new("GET", "back-office", path), instant(now)).await.body["customers"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!((listed("", NOON).await, listed("&tier=Bronze", NOON).await), (2, 2));
    let over = "2026-08-30T12:00:00Z";
    assert_eq!((listed("", over).await, listed("&tier=Bronze", over).await), (0, 0));

    // The list and the customer differ.
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let change = world.client.update_item().table_name(&world.table);
    let change = change.key("pk", text("CUSTOMER#shop#c000001")).key("sk", text("PROFILE"));
    let other = if level == "low" { "10000" } else { "0" };
    let change = change.update_expression("SET churn.probability = :p");
    change.expression_attribute_values(":p", AttributeValue::N(other.to_owned())).send().await.unwrap();
    assert_eq!(listed("", NOON).await, 1);
    // A customer without orders is not in the list.
    assert_eq!(world.send(&scenario::refund_request("c", "c", "r", None)).await.status, 201);
    assert_eq!(listed("", NOON).await, 0);
}

#[test]
fn a_customer_with_a_dozen_orders_since_the_horizon_counts_as_active_within_it() {
    use shared::domain::{
        churn::{prediction::PastPrediction, risk::Probability},
        orders::OrderHistory,
    };
    let day = |day: u32| instant(&format!("2026-09-{day:02}T12:00:00Z"));
    let past = PastPrediction { probability: Probability::from_percent(80.0).unwrap(), at: noon(), horizon_days: 90 };
    let mut orders = OrderHistory::dated(13.try_into().unwrap(), instant("2026-05-01T12:00:00Z"), day(12));
    orders.recent = (1..=12).map(day).collect();
    assert!(!past.evaluate(Some(&orders), day(12)).unwrap().happened);
    orders.count = 12.try_into().unwrap();
    assert!(past.evaluate(Some(&orders), day(12)).unwrap().happened, "all are known, and none was within it");
    assert_eq!(past.evaluate(Some(&orders), instant("2026-08-30T11:59:59Z")), None);
}
