//! Messages to the Slack channel.

use std::time::Duration;

use harness::{
    World, instant,
    log::CapturedLog,
    secrets::SecretsManager,
    slack::{Slack, SlackReply},
    world::{ORG, WorldSetup},
};
use serde_json::{Value, json};

use super::support::{MONDAY, report, reported};

/// A world whose functions post to a channel.
async fn telling(takes: SlackReply) -> (World, Slack) {
    let slack = Slack::start(takes).await;
    let environment = vec![("SLACK_WEBHOOK_URL", slack.url())];
    let world = World::with(WorldSetup { environment, ..WorldSetup::default() }).await;
    (world, slack)
}

#[tokio::test]
async fn a_message_uses_the_markup_of_the_channel() {
    let (world, slack) = telling(SlackReply::Accepted).await;
    world.put_org(ORG, &json!({"name": "Tom & <Jerry>"})).await;
    world.put_customer(ORG, "ada", &json!({})).await;
    let answer = reported(&world, &json!({})).await.body;
    assert_eq!(answer["slack"], "sent");
    let [message] = &slack.messages()[..] else { panic!("{:?}", slack.messages()) };
    assert!(message.starts_with("*Tom &amp; &lt;Jerry&gt;* (shop)\n```2026-06-08 to 2026-06-14\n"), "{message}");
    for line in answer["orgs"][0]["lines"].as_array().unwrap() {
        assert!(message.contains(line.as_str().unwrap()), "{message}");
    }
    // A report of one org and a dry run post no message.
    for body in [json!({"orgId": ORG}), json!({"dryRun": true})] {
        assert_eq!(reported(&world, &body).await.body["slack"], "not_asked");
    }
    assert_eq!(slack.messages().len(), 1);
}

#[tokio::test]
async fn a_message_names_uncounted_orgs_and_an_empty_report_sends_no_message() {
    let (world, slack) = telling(SlackReply::Accepted).await;
    world.put_org("broken", &json!({"name": "Broken"})).await;
    world.corrupt("ORG#broken", "ORG", "version").await;
    assert_eq!(reported(&world, &json!({})).await.body["slack"], "sent");
    assert!(slack.messages()[0].ends_with("```\nCould not be counted: 1 (broken)"), "{:?}", slack.messages());
    assert_eq!(reported(&world, &json!({"cursor": "latest"})).await.body["slack"], "nothing_to_say");
    assert_eq!(slack.messages().len(), 1);
}

#[tokio::test]
async fn the_webhook_is_read_from_its_secret() {
    let slack = Slack::start(SlackReply::Accepted).await;
    let secrets = SecretsManager::start("webhook", &format!("{} ", slack.url())).await;
    let environment =
        vec![("SLACK_WEBHOOK_SECRET", "webhook".to_owned()), ("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets.url())];
    let world = World::with(WorldSetup { environment, ..WorldSetup::default() }).await;
    assert_eq!(reported(&world, &json!({})).await.body["slack"], "sent");
    secrets.rotate(" ");
    assert_eq!(reported(&world, &json!({})).await.body["slack"], "not_configured", "it is empty");
    secrets.fail();
    assert_eq!(reported(&world, &json!({})).await.body["slack"], "failed");
    assert_eq!(slack.messages().len(), 1);
}

#[tokio::test]
async fn an_unreachable_webhook_address_is_not_logged() {
    let environment = vec![("SLACK_WEBHOOK_URL", "http://127.0.0.1:1/services/T0/B0/of-the-tests".to_owned())];
    let world = World::with(WorldSetup { environment, ..WorldSetup::default() }).await;
    let (log, guard) = CapturedLog::start(tracing::Level::TRACE);
    assert_eq!(reported(&world, &json!({})).await.body["slack"], "failed");
    drop(guard);
    assert!(log.text().contains("Slack was not notified"), "{}", log.text());
    assert!(!log.text().contains("of-the-tests"), "{}", log.text());
}

#[tokio::test]
async fn a_message_shows_twenty_orgs_and_the_number_of_further_orgs() {
    let (world, slack) = telling(SlackReply::Accepted).await;
    for number in 0..22 {
        world.put_org(&format!("org-{number:02}"), &json!({"name": "Shop"})).await;
    }
    assert_eq!(reported(&world, &json!({})).await.body["orgs"].as_array().unwrap().len(), 23);
    let message = &slack.messages()[0];
    assert_eq!(message.matches("*Shop*").count(), 20);
    assert!(message.ends_with("```\nand 3 more, in the log"), "{message}");
}

#[tokio::test]
async fn a_message_of_maximum_length_still_ends_with_the_omissions() {
    let (world, slack) = telling(SlackReply::Accepted).await;
    let tiers: Vec<Value> =
        (0..20).map(|step| json!({"name": format!("{step}{}", "&".repeat(90)), "threshold": step})).collect();
    for number in 0..22 {
        let org = format!("org-{number:02}");
        world.put_org(&org, &json!({"name": "Shop"})).await;
        world.put_loyalty(&org, &json!({ "tiers": tiers })).await;
        world.put_customer(&org, "ada", &json!({})).await;
    }
    world.put_org("broken", &json!({"name": "Broken"})).await;
    world.corrupt("ORG#broken", "ORG", "version").await;
    reported(&world, &json!({})).await;
    let message = &slack.messages()[0];
    assert!(message.chars().count() <= 39_000, "{}", message.chars().count());
    let shown = message.matches("*Shop*").count();
    assert!(shown > 1 && message.matches("```").count() == 2 * shown, "each whole: {message}");
    let end = format!("```\nand {} more, in the log\nCould not be counted: 1 (broken)", 23 - shown);
    assert!(message.ends_with(&end), "{message}");
}

#[tokio::test]
async fn a_channel_that_rejects_or_hangs_does_not_affect_the_report() {
    for takes in [SlackReply::Error(500), SlackReply::Error(404), SlackReply::Hang] {
        let (world, slack) = telling(takes).await;
        world.put_customer(ORG, "ada", &json!({})).await;
        world.take_records();
        let (log, guard) = CapturedLog::start(tracing::Level::INFO);
        let answer = reported(&world, &json!({})).await.body;
        drop(guard);
        assert_eq!((&answer["success"], &answer["slack"]), (&json!(true), &json!("failed")), "{takes:?}");
        assert_eq!(answer["orgs"][0]["figures"]["earning"]["of"], 1);
        assert_eq!(slack.messages().len(), 1, "{takes:?}");
        let records = world.take_records();
        let actual = ["Succeeded", "Reports", "MessagesFailed"].map(|name| records[0][name].as_i64().unwrap());
        assert_eq!(actual, [1, 1, 1], "{takes:?}");
        let logged = log.text();
        assert!(logged.contains("a week") && logged.contains("earning"), "the log has the figures: {logged}");
        assert!(logged.contains("Slack was not notified") && !logged.contains("of-the-tests"), "{logged}");
    }
}

#[tokio::test]
async fn a_dry_run_reports_and_writes_nothing() {
    let (world, slack) = telling(SlackReply::Accepted).await;
    world.take_records();
    world.proxy.take_requests();
    let answer = reported(&world, &json!({"dryRun": true})).await.body;
    assert_eq!(answer["summary"], json!({"totalOrgs": 1, "totalErrors": 0}));
    assert!(slack.messages().is_empty());
    assert!(world.proxy.take_requests().iter().all(|request| ["Query", "BatchGetItem"].contains(&request.as_str())));
    assert_eq!(world.take_records()[0].get("Reports"), None);
}

#[tokio::test]
async fn an_org_that_no_call_can_count_is_reported_and_does_not_block_other_orgs() {
    // The channel hangs, and the report is made all the same.
    let (world, _slack) = telling(SlackReply::Hang).await;
    world.put_org("a", &json!({"name": "A"})).await;
    world.proxy.delay_queries(Some(Duration::from_millis(60)));
    let first = world.send_within(&report(&json!({})), instant(MONDAY), Duration::from_secs(5)).await.body;
    assert_eq!((&first["errors"], &first["orgs"]), (&json!(["a"]), &json!([])), "{first}");
    assert_eq!(first["slack"], "failed");
    world.proxy.delay_queries(None);
    let next = reported(&world, &json!({"cursor": first["cursor"]})).await.body;
    assert_eq!(next["orgs"][0]["orgId"], ORG);
}
