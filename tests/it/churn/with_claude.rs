//! Runs that ask Claude.

use std::{collections::BTreeMap, time::Duration};

use harness::{
    anthropic::{ApiReply, world_with_claude},
    customers, instant, scenario,
    world::ORG,
};
use serde_json::{Value, json};

use super::support::{NOON, customer, figures, in_world, of, run, run_at};

#[tokio::test]
async fn claude_scores_the_requested_customers_and_its_reasoning_is_stored() {
    let (world, anthropic, _) = world_with_claude(&[]).await;
    let world = in_world(world).await;
    let run = run(&world).await;
    assert_eq!(figures(&run, &["predictions", "claude", "statistical"]), [3, 3, 0], "{run}");
    assert_eq!(run["summary"]["withoutClaude"], Value::Null);
    let once = of(&world, "once").await;
    assert_eq!(
        (&once["churnSource"], &once["churnReasoning"]),
        (&json!("claude"), &json!("Has not ordered for 10 days."))
    );
    let asked = anthropic.requests();
    assert_eq!(asked.len(), 1, "three fit into one request");
    let message = asked[0].message();
    assert_eq!((&message["horizonDays"], message["customers"].as_array().unwrap().len()), (&json!(90), 3));
}

#[tokio::test]
async fn a_verdict_is_clipped_to_25_points_around_the_model_and_sets_the_risk_level() {
    let (world, anthropic, _) = world_with_claude(&[]).await;
    customer(&world, "ada", &[85, 70, 60]).await;
    // The stand-in repeats the statistical probability.
    let scored = async |reply: ApiReply| {
        anthropic.script([reply]);
        let run = run_at(&world, NOON, &json!({"orgId": ORG, "customerId": "ada"})).await;
        let ada = of(&world, "ada").await;
        assert_eq!(ada["churnSource"], "claude");
        let hundredths = (ada["churnProbability"].as_f64().unwrap() * 100.0).round();
        let bounds = [("low", 2_500.0), ("medium", 5_000.0), ("high", 7_500.0), ("critical", 10_000.0)];
        let (level, _) = bounds.into_iter().find(|(_, up_to)| hundredths <= *up_to).unwrap();
        assert_eq!(ada["churnRiskLevel"], level, "{hundredths}");
        (hundredths, run["results"][0]["clipped"].as_u64().unwrap())
    };
    let (statistical, clipped) = scored(ApiReply::Verdicts).await;
    assert_eq!(clipped, 0);
    for said in [0.0, 100.0, 2_500.0, 2_501.0, 7_500.4, 10_000.0, statistical - 2_500.0, statistical - 2_501.0] {
        let said: f64 = f64::max(said, 0.0);
        let expected = said.round().clamp((statistical - 2_500.0).max(0.0), (statistical + 2_500.0).min(10_000.0));
        let is_clipped = u64::from((expected - said.round()).abs() > 0.5);
        assert_eq!(
            scored(ApiReply::Probability(json!(said / 100.0))).await,
            (expected, is_clipped),
            "{said} {statistical}"
        );
    }
}

#[tokio::test]
async fn no_personal_data_is_sent_to_claude() {
    let (world, anthropic, _) = world_with_claude(&[]).await;
    for number in 0..25 {
        let name = format!("lovelace-{number}");
        customer(&world, &name, &[60, 30, number]).await;
        let person = json!({
            "firstName": "Augusta", "lastName": "Lovelace", "email": format!("ada{number}@analytical.example"),
            "phone": format!("+44 20 7946 00{number:02}"), "equityStatus": true,
        });
        assert_eq!(world.put_customer(ORG, &name, &person).await.status, 200);
    }
    assert_eq!(run(&world).await["summary"]["totalPredictions"], 25);
    let sent = anthropic.requests();
    assert_eq!(sent.len(), 3);
    for request in sent {
        let headers: Vec<String> = request.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let bytes =
            format!("{} {} {}", request.line, headers.join(" "), String::from_utf8(request.body.to_vec()).unwrap());
        for personal in ["augusta", "lovelace", "analytical", "7946", "ada@", "equity", ORG] {
            // The instructions speak of shops in general.
            let reported = bytes
                .to_lowercase()
                .replace("the shop", "")
                .replace("shop's", "")
                .replace("retail shop", "")
                .replace("this shop", "")
                .replace("shop to shop", "");
            assert!(!reported.contains(personal), "{personal} in {reported}");
        }
    }
}

#[tokio::test]
async fn the_statistical_model_scores_customers_that_claude_omits_or_gets_wrong() {
    let (world, anthropic, _) = world_with_claude(&[]).await;
    let world = in_world(world).await;
    anthropic.script([ApiReply::OmitFirst(1), ApiReply::OmitFirst(1)]);
    let run = run(&world).await;
    assert_eq!(figures(&run, &["predictions", "claude", "statistical"]), [3, 2, 1], "{run}");
    let sources: Vec<Value> = [of(&world, "often").await, of(&world, "before").await, of(&world, "once").await]
        .map(|customer| customer["churnSource"].clone())
        .into();
    assert_eq!(sources.iter().filter(|source| **source == "statistical").count(), 1);
}

#[tokio::test]
async fn a_rejected_key_stops_requests_to_claude_and_the_summary_gives_the_reason() {
    for (reply, why) in [
        (ApiReply::Status(401), "unauthorized"),
        (ApiReply::Status(403), "forbidden"),
        (ApiReply::Status(402), "payment_required"),
        (ApiReply::SpendLimit, "spend_limit_reached"),
    ] {
        let (world, anthropic, _) = world_with_claude(&[("CHURN_BATCH_SIZE", "1")]).await;
        let world = in_world(world).await;
        anthropic.script([ApiReply::Verdicts]);
        anthropic.always(reply);
        let run = run(&world).await;
        assert_eq!(figures(&run, &["predictions", "claude", "statistical"]), [3, 1, 2], "{run}");
        assert_eq!((&run["success"], &run["summary"]["withoutClaude"]), (&json!(true), &json!(why)));
        assert_eq!(anthropic.requests().len(), 2, "it is not asked again");
    }
}

#[tokio::test]
async fn the_statistical_model_scores_all_customers_during_an_api_outage() {
    let (world, anthropic, _) = world_with_claude(&[("CHURN_BATCH_SIZE", "1")]).await;
    customer(&world, "ada", &[10]).await;
    customers::copy(&world, "ada", 0..29).await;
    anthropic.always(ApiReply::Overloaded);
    let run = run(&world).await;
    assert_eq!(figures(&run, &["predictions", "claude", "statistical"]), [30, 0, 30], "{run}");
    assert_eq!(run["summary"]["withoutClaude"], "unavailable");
    assert!(anthropic.requests().len() < 20, "it is given up: {}", anthropic.requests().len());
}

#[tokio::test]
async fn a_pause_lies_between_two_batches() {
    let (world, anthropic, waits) = world_with_claude(&[]).await;
    customer(&world, "ada", &[10]).await;
    customers::copy(&world, "ada", 0..34).await;
    assert_eq!(run(&world).await["summary"]["totalPredictions"], 35);
    assert_eq!(anthropic.requests().len(), 4);
    assert_eq!(waits.take(), vec![Duration::from_secs(1); 3]);
}

#[tokio::test]
async fn any_mixture_of_faults_ends_with_one_valid_score_per_customer() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let (world, anthropic, _) = world_with_claude(&[("CHURN_BATCH_SIZE", "7"), ("CHURN_CONCURRENCY", "3")]).await;
    for (number, days) in [3, 9, 27, 81].into_iter().enumerate() {
        let name = format!("c{number}-");
        customer(&world, &name, &[85, days]).await;
        customers::copy(&world, &name, 0..29).await;
    }
    anthropic.at_random(seed, 2);
    let run = run(&world).await;
    assert_eq!((figures(&run, &["predictions", "errors"]), run.get("cursor")), (vec![120, 0], None), "{run}");
    let all = customers::all(&world, ORG).await;
    let by = |source: &str| u64::try_from(all.iter().filter(|one| one["churnSource"] == source).count()).unwrap();
    assert_eq!(figures(&run, &["claude", "statistical"]), [by("claude"), by("statistical")]);
    assert_eq!((all.len(), by("claude") + by("statistical")), (120, 120));
    // The stand-in repeats the statistical probability, so equal customers have equal scores from either source.
    let mut scores: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for one in &all {
        scores.entry(one["customerId"].as_str().unwrap()[..3].to_owned()).or_default().push(&one["churnProbability"]);
    }
    for (name, scores) in scores {
        assert!(scores.iter().all(|score| *score == scores[0]), "{name}: {scores:?}");
    }
}

#[tokio::test]
async fn a_run_stopped_between_batches_and_continued_scores_each_customer_once() {
    let (world, anthropic, _) = world_with_claude(&[("CHURN_BATCH_SIZE", "4")]).await;
    customer(&world, "ada", &[80, 10]).await;
    customers::copy(&world, "ada", 0..39).await;
    anthropic.always(ApiReply::Delayed(Duration::from_millis(150)));
    // The run reserves five seconds for its end, and each reply takes a part of the rest.
    let timeout = Duration::from_millis(5_700);
    let (mut body, mut calls, mut predictions) = (json!({}), 0, 0);
    loop {
        let now = instant(NOON) + chrono::TimeDelta::minutes(calls);
        let answer = world.send_within(&scenario::prediction(&body), now, timeout).await.body;
        assert_eq!(answer["success"], true, "{answer}");
        predictions += answer["summary"]["totalPredictions"].as_u64().unwrap();
        calls += 1;
        assert!(calls < 100, "it gets on");
        match answer.get("cursor") {
            Some(cursor) => body = json!({ "cursor": cursor }),
            None => break,
        }
    }
    assert!(calls > 1, "it stopped: {} requests", anthropic.requests().len());
    assert_eq!(predictions, 40);
    let all = customers::all(&world, ORG).await;
    let began = json!("2026-06-01T12:00:00.000Z");
    assert!(all.iter().all(|one| one["churnPredictedAt"] == began), "as of when the run began");
}

#[tokio::test]
async fn a_missing_answer_is_given_up_and_the_call_still_makes_progress() {
    let (world, anthropic, _) = world_with_claude(&[("CHURN_BATCH_SIZE", "2"), ("CHURN_TIMEOUT_MS", "100")]).await;
    let world = in_world(world).await;
    anthropic.always(ApiReply::Hang);
    let run = run(&world).await;
    assert_eq!(figures(&run, &["predictions", "claude", "statistical"]), [3, 0, 3], "{run}");
}
