//! Alarms on churn predictions and on Claude.

use harness::{
    World,
    anthropic::{Anthropic, Say, asking},
    cloudwatch::State,
    faults::{Fault, Lasting},
    scenario::{self},
    secrets::SecretsManager,
    watch::Watch,
    world::{ORG, Setup},
};
use serde_json::{Value, json};

use super::support::{OUT_OF_TIME, active, impatient};

#[tokio::test]
async fn a_call_of_churn_prediction_that_fails_is_told_of() {
    let mut watch = impatient().await;
    watch.world.wire.fail(0, Fault::ServerError, Lasting::UntilHealed);
    watch.is_silent("p1-churn-prediction-failed");
    assert_eq!(watch.invoke("churn-prediction", json!({"orgId": ORG})).await, Err("try_again"));
    watch.fires("p1-churn-prediction-failed", 3);
    watch.world.wire.heal();
    watch.pass(125);
    watch.invoke("churn-prediction", json!({"orgId": ORG})).await.unwrap();
    watch.is_silent("p1-churn-prediction-failed");
    watch.lines("churn-prediction", OUT_OF_TIME);
    watch.fires("p1-churn-prediction-failed", 3);
}

#[tokio::test]
async fn customers_who_can_not_be_scored_are_told_of_too() {
    let mut watch = Watch::of(World::new().await);
    active(&watch.world, "ada", 89).await;
    watch.world.spoil("CUSTOMER#shop#ada", "PROFILE", "points").await;
    watch.world.take_records();
    watch.invoke("churn-prediction", json!({"orgId": ORG})).await.unwrap();
    watch.fires("p1-churn-prediction-failed", 3);
}

#[tokio::test]
async fn a_prediction_that_was_never_made_is_noticed_eight_days_after_somebody_first_looked() {
    let mut watch = Watch::of(World::new().await);
    assert_eq!(
        watch.cloud.state("p1-churn-prediction-not-running", watch.now),
        State::InsufficientData,
        "of a new stack"
    );
    watch.runs(192 * 60 - 30, 30).await;
    watch.is_silent("p1-churn-prediction-not-running");
    watch.runs(90, 30).await;
    watch.fires("p1-churn-prediction-not-running", 3);
    watch.send(&scenario::prediction(&json!({}))).await;
    watch.runs(70, 10).await;
    watch.is_silent("p1-churn-prediction-not-running");
}

#[tokio::test]
async fn a_claude_that_is_down_is_told_of_where_a_key_is_set() {
    let (world, anthropic, _) = asking(&[]).await;
    for name in ["ada", "bob", "eve"] {
        active(&world, name, 5).await;
    }
    let mut watch = Watch::of(world);
    anthropic.always(Say::Status(500));
    watch.invoke("churn-prediction", json!({"orgId": ORG})).await.unwrap();
    watch.fires("p2-churn-without-claude", 3);
    assert!(!watch.is_raised("p1-churn-prediction-failed", 3), "everybody has a score");
    anthropic.always(Say::Verdicts);
    watch.pass(1445);
    watch.is_silent("p2-churn-without-claude");
    watch.invoke("churn-prediction", json!({"orgId": ORG})).await.unwrap();
    assert!(!watch.is_raised("p2-churn-without-claude", 3), "by Claude");
}

#[tokio::test]
async fn a_fifth_without_claude_is_not_more_than_a_fifth_of_what_was_scored_in_a_day() {
    for (dropped, is_more) in [(0, false), (1, true)] {
        let (world, anthropic, _) = asking(&[]).await;
        active(&world, "c0", 5).await;
        for number in 1..5 {
            // For a day more.
            active(&world, &format!("c{number}"), 89).await;
        }
        let mut watch = Watch::of(world);
        anthropic.always(Say::Dropping(dropped));
        watch.pass(2 * 60);
        let run = watch.invoke("churn-prediction", json!({"orgId": ORG})).await.unwrap();
        assert_eq!(
            (&run["results"][0]["statistical"], &run["summary"]["totalPredictions"]),
            (&json!(dropped), &json!(5))
        );
        assert!(!watch.is_raised("p2-churn-without-claude", 10), "{dropped} of five");
        watch.pass(22 * 60);
        anthropic.always(Say::Status(500));
        let run = watch.invoke("churn-prediction", json!({"orgId": ORG})).await.unwrap();
        assert_eq!(run["summary"]["totalPredictions"], 1, "{run}");
        assert_eq!(watch.is_raised("p2-churn-without-claude", 10), is_more, "{} of six", dropped + 1);
    }
}

#[tokio::test]
async fn a_key_that_is_refused_or_can_not_be_read_is_told_of_and_none_is_not() {
    let (anthropic, secrets) = (Anthropic::start().await, SecretsManager::start("the-key", "sk-ant-kept").await);
    let environment = vec![
        ("ANTHROPIC_BASE_URL", anthropic.url()),
        ("ANTHROPIC_SECRET", "the-key".to_owned()),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets.url()),
    ];
    let world = World::with(Setup { environment, ..Setup::default() }).await;
    active(&world, "ada", 5).await;
    let mut watch = Watch::of(world);
    anthropic.always(Say::Status(401));
    watch.invoke("churn-prediction", json!({"orgId": ORG})).await.unwrap();
    watch.fires("p2-churn-without-claude", 3);
    watch.pass(1445);
    watch.is_silent("p2-churn-without-claude");
    secrets.answer(400, json!({"__type": "ResourceNotFoundException", "message": "gone"}));
    watch.invoke("churn-prediction", json!({"orgId": ORG})).await.unwrap();
    watch.fires("p2-churn-without-claude", 3);

    let world = World::new().await;
    active(&world, "ada", 5).await;
    let mut watch = Watch::of(world);
    watch.invoke("churn-prediction", json!({"orgId": ORG})).await.unwrap();
    assert!(!watch.is_raised("p2-churn-without-claude", 60));
}

#[tokio::test]
async fn many_who_come_to_be_at_critical_risk_are_told_of_once() {
    let world = World::new().await;
    for number in 0..21 {
        active(&world, &format!("c{number}"), 5).await;
    }
    let mut watch = Watch::of(world);
    let critical = async |watch: &mut Watch, of: Value| {
        let run = watch.invoke("churn-prediction", of).await.unwrap();
        run["results"][0]["highRisk"].as_u64().unwrap()
    };
    assert_eq!(critical(&mut watch, json!({"orgId": ORG})).await, 0);
    watch.pass(80 * 24 * 60);
    for number in 0..20 {
        assert_eq!(critical(&mut watch, json!({"orgId": ORG, "customerId": format!("c{number}")})).await, 1);
    }
    assert!(!watch.is_raised("p3-critical-churn-risk-spike", 10), "twenty are not enough");
    // As long as a run over a million may take.
    watch.pass(28 * 60);
    assert_eq!(critical(&mut watch, json!({"orgId": ORG, "customerId": "c20"})).await, 1);
    watch.fires("p3-critical-churn-risk-spike", 3);
    watch.pass(21 * 60);
    watch.is_silent("p3-critical-churn-risk-spike");
    // With nothing in two days, what was before them does not count again.
    watch.pass(28 * 60);
    watch.is_silent("p3-critical-churn-risk-spike");
    assert_eq!(critical(&mut watch, json!({"orgId": ORG})).await, 21);
    assert!(!watch.is_raised("p3-critical-churn-risk-spike", 10), "they are known");
}

#[tokio::test]
async fn those_whose_risk_is_told_for_the_first_time_are_not_newly_at_it() {
    let world = World::new().await;
    for number in 0..21 {
        active(&world, &format!("c{number}"), 85).await;
    }
    let mut watch = Watch::of(world);
    let run = watch.invoke("churn-prediction", json!({"orgId": ORG})).await.unwrap();
    assert_eq!(run["results"][0]["highRisk"], 21, "{run}");
    assert!(!watch.is_raised("p3-critical-churn-risk-spike", 10), "an org that comes is no spike");
}
