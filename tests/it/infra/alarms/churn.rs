//! Alarms on churn predictions and on Claude.

use harness::{
    World,
    anthropic::{Anthropic, ApiReply, world_with_claude},
    cloudwatch::State,
    faults::Fault,
    monitored_world::MonitoredWorld,
    scenario::{self},
    secrets::SecretsManager,
    world::{ORG, WorldSetup},
};
use serde_json::{Value, json};

use super::support::{OUT_OF_TIME, active};

#[tokio::test]
async fn a_failed_churn_prediction_call_raises_an_alarm() {
    let mut monitored = MonitoredWorld::new(World::new().await);
    monitored.break_store(Fault::ServerError);
    monitored.assert_ok("p1-churn-prediction-failed");
    assert_eq!(monitored.invoke("churn-prediction", json!({"orgId": ORG})).await, Err("try_again"));
    monitored.assert_raised("p1-churn-prediction-failed", 3);
    monitored.mend_store();
    monitored.advance_minutes(125);
    monitored.invoke("churn-prediction", json!({"orgId": ORG})).await.unwrap();
    monitored.assert_ok("p1-churn-prediction-failed");
    monitored.log_line("churn-prediction", OUT_OF_TIME);
    monitored.assert_raised("p1-churn-prediction-failed", 3);
}

#[tokio::test]
async fn an_unreadable_customer_raises_the_churn_prediction_alarm() {
    let mut monitored = MonitoredWorld::new(World::new().await);
    active(&monitored.world, "ada", 89).await;
    monitored.world.corrupt("CUSTOMER#shop#ada", "PROFILE", "points").await;
    monitored.world.take_records();
    monitored.invoke("churn-prediction", json!({"orgId": ORG})).await.unwrap();
    monitored.assert_raised("p1-churn-prediction-failed", 3);
}

#[tokio::test]
async fn a_prediction_job_that_never_ran_raises_an_alarm_eight_days_after_deployment() {
    let mut monitored = MonitoredWorld::new(World::new().await);
    assert_eq!(
        monitored.cloudwatch.state("p1-churn-prediction-not-running", monitored.now),
        State::InsufficientData,
        "of a new stack"
    );
    monitored.run_transitions_for(192 * 60 - 30, 30).await;
    monitored.assert_ok("p1-churn-prediction-not-running");
    monitored.run_transitions_for(90, 30).await;
    monitored.assert_raised("p1-churn-prediction-not-running", 3);
    monitored.send(&scenario::prediction(&json!({}))).await;
    monitored.run_transitions_for(70, 10).await;
    monitored.assert_ok("p1-churn-prediction-not-running");
}

#[tokio::test]
async fn a_claude_outage_raises_an_alarm_if_a_key_is_set() {
    let (world, anthropic, _) = world_with_claude(&[]).await;
    for name in ["ada", "bob", "eve"] {
        active(&world, name, 5).await;
    }
    let mut monitored = MonitoredWorld::new(world);
    anthropic.always(ApiReply::Status(500));
    monitored.invoke("churn-prediction", json!({"orgId": ORG})).await.unwrap();
    monitored.assert_raised("p2-churn-without-claude", 3);
    assert!(!monitored.is_raised("p1-churn-prediction-failed", 3), "everybody has a score");
    anthropic.always(ApiReply::Verdicts);
    monitored.advance_minutes(1445);
    monitored.assert_ok("p2-churn-without-claude");
    monitored.invoke("churn-prediction", json!({"orgId": ORG})).await.unwrap();
    assert!(!monitored.is_raised("p2-churn-without-claude", 3), "by Claude");
}

#[tokio::test]
async fn the_claude_alarm_needs_more_than_a_fifth_of_a_days_scores_without_claude() {
    for (dropped, is_more) in [(0, false), (1, true)] {
        let (world, anthropic, _) = world_with_claude(&[]).await;
        active(&world, "c0", 5).await;
        for number in 1..5 {
            // These customers are active for one more day.
            active(&world, &format!("c{number}"), 89).await;
        }
        let mut monitored = MonitoredWorld::new(world);
        anthropic.always(ApiReply::OmitFirst(dropped));
        monitored.advance_minutes(2 * 60);
        let run = monitored.invoke("churn-prediction", json!({"orgId": ORG})).await.unwrap();
        assert_eq!(
            (&run["results"][0]["statistical"], &run["summary"]["totalPredictions"]),
            (&json!(dropped), &json!(5))
        );
        assert!(!monitored.is_raised("p2-churn-without-claude", 10), "{dropped} of five");
        monitored.advance_minutes(22 * 60);
        anthropic.always(ApiReply::Status(500));
        let run = monitored.invoke("churn-prediction", json!({"orgId": ORG})).await.unwrap();
        assert_eq!(run["summary"]["totalPredictions"], 1, "{run}");
        assert_eq!(monitored.is_raised("p2-churn-without-claude", 10), is_more, "{} of six", dropped + 1);
    }
}

#[tokio::test]
async fn a_rejected_or_unreadable_claude_key_raises_an_alarm_and_an_absent_key_does_not() {
    let (anthropic, secrets) = (Anthropic::start().await, SecretsManager::start("the-key", "sk-ant-kept").await);
    let environment = vec![
        ("ANTHROPIC_BASE_URL", anthropic.url()),
        ("ANTHROPIC_SECRET", "the-key".to_owned()),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets.url()),
    ];
    let world = World::with(WorldSetup { environment, ..WorldSetup::default() }).await;
    active(&world, "ada", 5).await;
    let mut monitored = MonitoredWorld::new(world);
    anthropic.always(ApiReply::Status(401));
    monitored.invoke("churn-prediction", json!({"orgId": ORG})).await.unwrap();
    monitored.assert_raised("p2-churn-without-claude", 3);
    monitored.advance_minutes(1445);
    monitored.assert_ok("p2-churn-without-claude");
    secrets.reply_with(400, json!({"__type": "ResourceNotFoundException", "message": "gone"}));
    monitored.invoke("churn-prediction", json!({"orgId": ORG})).await.unwrap();
    monitored.assert_raised("p2-churn-without-claude", 3);

    let world = World::new().await;
    active(&world, "ada", 5).await;
    let mut monitored = MonitoredWorld::new(world);
    monitored.invoke("churn-prediction", json!({"orgId": ORG})).await.unwrap();
    assert!(!monitored.is_raised("p2-churn-without-claude", 60));
}

#[tokio::test]
async fn many_new_customers_at_critical_risk_raise_one_alarm() {
    let world = World::new().await;
    for number in 0..21 {
        active(&world, &format!("c{number}"), 5).await;
    }
    let mut monitored = MonitoredWorld::new(world);
    let critical = async |monitored: &mut MonitoredWorld, of: Value| {
        let run = monitored.invoke("churn-prediction", of).await.unwrap();
        run["results"][0]["highRisk"].as_u64().unwrap()
    };
    assert_eq!(critical(&mut monitored, json!({"orgId": ORG})).await, 0);
    monitored.advance_minutes(80 * 24 * 60);
    for number in 0..20 {
        assert_eq!(critical(&mut monitored, json!({"orgId": ORG, "customerId": format!("c{number}")})).await, 1);
    }
    assert!(!monitored.is_raised("p3-critical-churn-risk-spike", 10), "twenty are not enough");
    // A run over a million customers may take this long.
    monitored.advance_minutes(28 * 60);
    assert_eq!(critical(&mut monitored, json!({"orgId": ORG, "customerId": "c20"})).await, 1);
    monitored.assert_raised("p3-critical-churn-risk-spike", 3);
    monitored.advance_minutes(21 * 60);
    monitored.assert_ok("p3-critical-churn-risk-spike");
    // After two days without data points the earlier ones do not count again.
    monitored.advance_minutes(28 * 60);
    monitored.assert_ok("p3-critical-churn-risk-spike");
    assert_eq!(critical(&mut monitored, json!({"orgId": ORG})).await, 21);
    assert!(!monitored.is_raised("p3-critical-churn-risk-spike", 10), "they are known");
}

#[tokio::test]
async fn a_first_critical_prediction_does_not_count_towards_the_risk_spike() {
    let world = World::new().await;
    for number in 0..21 {
        active(&world, &format!("c{number}"), 85).await;
    }
    let mut monitored = MonitoredWorld::new(world);
    let run = monitored.invoke("churn-prediction", json!({"orgId": ORG})).await.unwrap();
    assert_eq!(run["results"][0]["highRisk"], 21, "{run}");
    assert!(!monitored.is_raised("p3-critical-churn-risk-spike", 10), "an org that comes is no spike");
}
