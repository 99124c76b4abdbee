//! The prediction of churn: who is scored, by whom, what is kept, and whether it was right.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use harness::{
    Request, World,
    anthropic::{Say, asking},
    audit, customers, instant, purchase_log, scenario,
    world::{ORG, noon},
};
use serde_json::{Value, json};

async fn run_at(world: &World, now: &str, body: &Value) -> Value {
    let answer = world.send_at(&scenario::prediction(body), instant(now)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

async fn run(world: &World) -> Value {
    run_at(world, NOON, &json!({})).await
}

const NOON: &str = "2026-06-01T12:00:00Z";

/// Somebody who ordered so many days before noon, each time for 40.
async fn customer(world: &World, name: &str, days_ago: &[i64]) {
    world.put_customer(ORG, name, &json!({})).await;
    for (number, days) in days_ago.iter().enumerate() {
        let at = noon() - chrono::TimeDelta::days(*days);
        let fulfilled = json!({"fulfilledAt": shared::domain::time::text(at)});
        let order = scenario::award(name, &format!("{name}-{number}"), "40", &fulfilled);
        assert_eq!(world.send_at(&order, at).await.status, 201);
    }
}

/// Three who are active: one who came back often and lately, one who did long ago, one who came once.
async fn three() -> World {
    in_world(World::new().await).await
}

async fn in_world(world: World) -> World {
    customer(&world, "often", &[140, 120, 100, 80, 60, 40, 20, 2]).await;
    customer(&world, "before", &[99, 97, 95, 93, 91, 89]).await;
    customer(&world, "once", &[10]).await;
    world.wire.take_seen();
    world.take_records();
    world
}

async fn of(world: &World, customer: &str) -> Value {
    audit::check(world, ORG, customer).await
}

fn figures(run: &Value, names: &[&str]) -> Vec<u64> {
    names.iter().map(|name| run["results"][0][name].as_u64().unwrap_or_else(|| panic!("{name}: {run}"))).collect()
}

#[tokio::test]
async fn a_dry_run_tells_what_would_come_out_asks_nobody_and_writes_nothing() {
    let (world, anthropic, _) = asking(&[]).await;
    let world = in_world(world).await;
    let before = of(&world, "often").await;
    world.wire.take_seen();
    world.take_records();
    let dry = run_at(&world, NOON, &json!({"dryRun": true})).await;
    assert_eq!(figures(&dry, &["predictions", "claude", "statistical", "errors"]), [3, 0, 3, 0], "{dry}");
    assert_eq!(dry["summary"]["withoutClaude"], "dry_run");
    assert!(anthropic.seen().is_empty());
    let measured: Vec<Value> = world.take_records().iter().map(|record| record["Predictions"].clone()).collect();
    assert_eq!(measured, [Value::Null], "a dry run counts for nothing");
    let seen = world.wire.take_seen();
    assert!(seen.iter().all(|request| ["Query", "BatchGetItem"].contains(&request.as_str())), "{seen:?}");
    assert_eq!(of(&world, "often").await, before);

    let real = run(&world).await;
    for name in ["predictions", "highRisk", "mediumRisk", "lowRisk"] {
        assert_eq!(real["results"][0][name], dry["results"][0][name], "{name}");
    }
}

#[tokio::test]
async fn who_is_active_is_scored_and_who_is_not_is_left() {
    let world = three().await;
    customer(&world, "long-gone", &[200, 90]).await;
    world.put_customer(ORG, "never", &json!({})).await;
    let run = run(&world).await;
    assert_eq!(figures(&run, &["predictions", "claude", "statistical", "errors"]), [3, 0, 3, 0], "{run}");
    let levels: u64 = figures(&run, &["highRisk", "mediumRisk", "lowRisk"]).iter().sum();
    assert_eq!(levels, 3);
    let summary = &run["summary"];
    for (name, value) in [("totalOrgs", 1), ("successfulOrgs", 1), ("totalPredictions", 3), ("totalErrors", 0)] {
        assert_eq!(summary[name], value, "{run}");
    }
    assert_eq!(summary["totalHighRisk"], run["results"][0]["highRisk"]);
    assert_eq!(
        (&run["success"], &summary["withoutClaude"], run.get("cursor")),
        (&json!(true), &json!("not_configured"), None)
    );
    for name in ["long-gone", "never"] {
        assert_eq!(of(&world, name).await["churnProbability"], Value::Null);
    }

    let (often, before, once) = (of(&world, "often").await, of(&world, "before").await, of(&world, "once").await);
    let probability = |customer: &Value| customer["churnProbability"].as_f64().unwrap();
    assert!(probability(&often) < probability(&once) && probability(&once) < probability(&before));
    assert_eq!(often["churnSource"], "statistical");
    assert_eq!(often["churnPredictedAt"], "2026-06-01T12:00:00.000Z");
    assert_eq!(often["churnReasoning"], "Last ordered 2 days ago; 8 orders since the first, 140 days ago.");
    assert_eq!(once["churnReasoning"], "Last ordered 10 days ago, their only order.");
    let level = |customer: &Value| match probability(customer) {
        up_to if up_to <= 25.0 => "low",
        up_to if up_to <= 50.0 => "medium",
        up_to if up_to <= 75.0 => "high",
        _ => "critical",
    };
    for customer in [&often, &before, &once] {
        assert_eq!(customer["churnRiskLevel"], level(customer), "{customer}");
    }
}

#[tokio::test]
async fn a_run_says_in_its_metrics_how_many_are_at_which_risk_and_by_whom() {
    let world = three().await;
    run(&world).await;
    let record = &world.take_records()[0];
    let count = |name: &str| record[name].as_u64().unwrap();
    assert_eq!(count("LowRisk") + count("MediumRisk") + count("HighRisk") + count("CriticalRisk"), 3);
    assert_eq!(
        [count("Predictions"), count("ByStatistics"), count("ByClaude"), count("ErrorsEncountered")],
        [3, 3, 0, 0]
    );
}

#[tokio::test]
async fn who_was_scored_since_the_run_began_is_not_scored_again() {
    let world = three().await;
    assert_eq!(run(&world).await["summary"]["totalPredictions"], 3);
    assert_eq!(run(&world).await["summary"]["totalPredictions"], 0);
    assert_eq!(run_at(&world, "2026-06-01T12:00:00.001Z", &json!({})).await["summary"]["totalPredictions"], 3);
}

#[tokio::test]
async fn one_customer_can_be_scored_on_request_again_and_again() {
    let world = three().await;
    let body = json!({"orgId": ORG, "customerId": "often"});
    for _ in 0..2 {
        let run = run_at(&world, NOON, &body).await;
        assert_eq!(run["summary"]["totalPredictions"], 1, "{run}");
    }
    assert_eq!(of(&world, "once").await["churnProbability"], Value::Null);
    customer(&world, "long-gone", &[90]).await;
    let body = json!({"orgId": ORG, "customerId": "long-gone"});
    assert_eq!(run_at(&world, NOON, &body).await["summary"]["totalPredictions"], 0, "not active");
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said() {
    let world = three().await;
    let code = async |body: Value| {
        let answer = world.send(&scenario::prediction(&body)).await;
        (answer.status.as_u16(), answer.code().to_owned(), answer.fields().join(" "))
    };
    let invalid = |field: &str| (422, "invalid_fields".to_owned(), field.to_owned());
    assert_eq!(code(json!({"customerId": "often"})).await, invalid("customerId"));
    assert_eq!(code(json!({"orgId": ORG, "customerId": "often", "cursor": "x"})).await, invalid("cursor"));
    assert_eq!(code(json!({"force": true})).await, invalid("force"));
    assert_eq!(
        code(json!({"orgId": ORG, "customerId": "nobody"})).await,
        (404, "unknown_customer".into(), String::new())
    );
    assert_eq!(code(json!({"orgId": "nobody"})).await, (404, "unknown_org".into(), String::new()));
    assert_eq!(code(json!({"cursor": "garbage"})).await, (422, "invalid_cursor".into(), String::new()));
    world.put_loyalty(ORG, &json!({"enabled": false})).await;
    assert_eq!(run(&world).await["results"], json!([]), "passed over");
}

#[tokio::test]
async fn a_customer_who_can_not_be_read_is_reported_and_holds_up_no_other() {
    let world = three().await;
    world.spoil("CUSTOMER#shop#often", "PROFILE", "points").await;
    let run = run(&world).await;
    assert_eq!((figures(&run, &["predictions", "errors"]), &run["success"]), (vec![2, 1], &json!(false)), "{run}");
}

#[tokio::test]
async fn the_list_of_a_risk_level_has_the_most_valuable_first_and_each_as_they_are_now() {
    let world = World::new().await;
    for (name, total) in [("small", "10"), ("large", "900.50"), ("middle", "90"), ("new", "5")] {
        world.put_customer(ORG, name, &json!({})).await;
        let order = scenario::award(name, name, total, &json!({"fulfilledAt": "2026-04-01T12:00:00Z"}));
        assert_eq!(world.send(&order).await.status, 201);
    }
    run(&world).await;
    let level = of(&world, "large").await["churnRiskLevel"].as_str().unwrap().to_owned();
    let list = async |query: String, now: &str| -> Vec<String> {
        let (mut names, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/orgs/{ORG}/customers?{query}&limit=3{cursor}");
            let page = world.send_at(&Request::new("GET", "back-office", path), instant(now)).await;
            assert_eq!(page.status, 200, "{}", page.body);
            names.extend(
                page.body["customers"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|one| one["customerId"].as_str().unwrap().to_owned()),
            );
            match page.body["cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return names,
            }
        }
    };
    let by_level = format!("riskLevel={level}");
    assert_eq!(list(by_level.clone(), NOON).await, ["large", "middle", "small", "new"]);
    let gold = format!("{by_level}&tier=Gold");
    assert_eq!(list(gold, NOON).await, ["large"], "with others, by last order");
    let other = if level == "low" { "critical" } else { "low" };
    assert!(list(format!("riskLevel={other}"), NOON).await.is_empty());

    // Scored anew after many orders, somebody changes the list.
    for number in 0..8 {
        let order = scenario::award(
            "middle",
            &format!("more-{number}"),
            "1",
            &json!({"fulfilledAt": format!("2026-05-{:02}T12:00:00Z", 10 + 2 * number)}),
        );
        world.send(&order).await;
    }
    run_at(&world, "2026-06-01T13:00:00Z", &json!({"orgId": ORG, "customerId": "middle"})).await;
    assert_eq!(list(by_level.clone(), NOON).await, ["large", "small", "new"]);
    // A prediction looks ninety days ahead, and says nothing of what lies behind them.
    assert!(list(by_level, "2026-08-30T12:00:00Z").await.is_empty());

    let wrong = world.get(&format!("/orgs/{ORG}/customers?riskLevel=severe")).await;
    assert_eq!((wrong.status.as_u16(), wrong.fields()), (422, vec!["riskLevel"]));
}

#[tokio::test]
async fn a_cursor_of_one_risk_level_is_none_of_another_or_of_all_customers() {
    let world = World::new().await;
    customer(&world, "ada", &[30]).await;
    customers::copy(&world, "ada", 0..3).await;
    run(&world).await;
    let level = of(&world, "ada").await["churnRiskLevel"].as_str().unwrap().to_owned();
    let page = world.get(&format!("/orgs/{ORG}/customers?riskLevel={level}&limit=2")).await.body;
    let cursor = page["cursor"].as_str().expect("it goes on");
    let other = if level == "low" { "high" } else { "low" };
    for query in [String::new(), format!("riskLevel={other}&")] {
        let answer = world.get(&format!("/orgs/{ORG}/customers?{query}cursor={cursor}")).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (422, "invalid_cursor"), "{query}");
    }
}

#[tokio::test]
async fn a_run_looks_back_at_what_was_predicted_one_horizon_ago() {
    let world = three().await;
    let first = run(&world).await;
    assert_eq!(first["results"][0]["hindsight"], Value::Null, "there was nothing yet");
    let predicted: BTreeMap<&str, f64> = [
        ("often", of(&world, "often").await),
        ("before", of(&world, "before").await),
        ("once", of(&world, "once").await),
    ]
    .map(|(name, customer)| (name, customer["churnProbability"].as_f64().unwrap() / 100.0))
    .into();
    // One orders within the 90 days, one just after them, one never again.
    for (name, at) in [("often", "2026-08-30T12:00:00Z"), ("once", "2026-08-30T12:00:00.001Z")] {
        let order = scenario::award(name, &format!("{name}-again"), "40", &json!({}));
        assert_eq!(world.send_at(&order, instant(at)).await.status, 201);
    }
    let early = run_at(&world, "2026-08-30T11:59:59.999Z", &json!({})).await;
    assert_eq!(early["results"][0]["hindsight"], Value::Null, "the horizon is not over");

    world.take_records();
    let run = run_at(&world, "2026-09-05T02:00:00Z", &json!({})).await;
    let told = &run["results"][0]["hindsight"];
    let left = |name: &str| if name == "often" { 0.0 } else { 1.0 };
    let brier = predicted.iter().map(|(name, said)| (said - left(name)).powi(2)).sum::<f64>() / 3.0;
    let true_ones = predicted.iter().filter(|(name, said)| (**said >= 0.5) == (left(name) > 0.5)).count();
    assert_eq!([&told["predictions"], &told["left"], &told["cameTrue"]], [&json!(3), &json!(2), &json!(true_ones)]);
    assert!((told["brier"].as_f64().unwrap() - brier).abs() < 0.000_1, "{told} {brier}");
    assert_eq!(told["auc"], 1.0, "who stayed had the lowest");
    let record = &world.take_records()[0];
    assert_eq!((&record["Brier"], &record["Auc"]), (&json!([told["brier"]]), &json!([1.0])));

    let later = run_at(&world, "2026-09-06T12:00:00.001Z", &json!({})).await;
    assert_eq!(later["results"][0]["hindsight"], Value::Null, "it was told of a week before");
}

#[tokio::test]
async fn what_is_kept_of_a_prediction_goes_after_two_horizons_and_the_risk_after_one() {
    let world = three().await;
    run(&world).await;
    let items = world.client.scan().table_name(&world.table).send().await.unwrap().items.unwrap();
    let expires = |sk: &str| {
        let of = |item: &&std::collections::HashMap<String, _>| {
            let text = |name: &str| -> &str {
                item.get(name).map_or("", |value: &aws_sdk_dynamodb::types::AttributeValue| value.as_s().unwrap())
            };
            text("pk") == "CUSTOMER#shop#once" && text("sk") == sk
        };
        items.iter().find(of).unwrap_or_else(|| panic!("{sk}"))["expires"].as_n().unwrap().parse::<i64>().unwrap()
    };
    let day = 24 * 60 * 60;
    assert_eq!(expires("PREDICTION#2026-06-01") - noon().timestamp(), 180 * day);
    assert_eq!(expires("RISK") - noon().timestamp(), 90 * day);
    let described = world.client.describe_time_to_live().table_name(&world.table).send().await.unwrap();
    let described = described.time_to_live_description.unwrap();
    assert_eq!(described.attribute_name(), Some("expires"));
}

#[tokio::test]
async fn an_orgs_model_is_fitted_weekly_and_kept_with_its_date() {
    use shared::{domain::churn::model::ParameterSource, store::Store};
    let world = World::new().await;
    // The first of the purchase log, of whom half came back, each in their own rhythm.
    let log = purchase_log::known_at(purchase_log::parting());
    for past in &log[..260] {
        let id = past.customer.id.to_string();
        world.put_customer(ORG, &id, &json!({})).await;
        for (number, at) in past.customer.orders.as_ref().unwrap().recent.iter().enumerate() {
            let order = scenario::award(&id, &format!("{id}-{number}"), "10", &json!({}));
            assert_eq!(world.send_at(&order, *at).await.status, 201);
        }
    }
    let store = Store::new(world.client.clone(), &world.table);
    let shop = ORG.to_owned().try_into().unwrap();
    assert_eq!(store.churn_model(&shop).await.unwrap(), None);
    let fitted_at = async |now: &str| {
        run_at(&world, now, &json!({})).await;
        store.churn_model(&shop).await.unwrap().unwrap()
    };
    let first = fitted_at("1997-10-01T00:00:00Z").await;
    assert_eq!(
        (first.fitted_at, first.customers, first.model.source),
        (instant("1997-10-01T00:00:00Z"), 260, ParameterSource::Fitted)
    );
    let later = fitted_at("1997-10-06T23:59:59Z").await;
    assert_eq!((later.model, later.fitted_at), (first.model, first.fitted_at), "it is good for six days");
    assert_eq!(later.looked_back_to, instant("1997-10-06T23:59:59Z"));
    assert_eq!(fitted_at("1997-10-07T00:00:00Z").await.fitted_at, instant("1997-10-07T00:00:00Z"));

    world.spoil("ORG#shop", "CHURN", "parameters").await;
    assert_eq!(fitted_at("1997-10-08T00:00:00Z").await.fitted_at, instant("1997-10-08T00:00:00Z"), "made anew");
}

#[tokio::test]
async fn an_org_too_small_to_fit_is_scored_by_the_default_and_says_so() {
    use shared::{
        domain::churn::model::{Model, ModelFamily},
        store::Store,
    };
    let world = three().await;
    run(&world).await;
    let store = Store::new(world.client.clone(), &world.table);
    let kept = store.churn_model(&ORG.to_owned().try_into().unwrap()).await.unwrap().unwrap();
    assert_eq!((kept.model, kept.customers), (Model::default_of(ModelFamily::IN_USE), 3));
}

#[tokio::test]
async fn where_there_is_no_time_to_look_back_and_to_fit_customers_are_scored_all_the_same() {
    use shared::store::Store;
    let world = three().await;
    world.wire.slow_queries(Some(Duration::from_millis(400)));
    // It wants five seconds for its end, and after one query has less.
    let told = world.send_within(&scenario::prediction(&json!({})), noon(), Duration::from_millis(5_300)).await.body;
    assert_eq!(figures(&told, &["predictions", "errors"]), [3, 0], "{told}");
    world.wire.slow_queries(None);
    let store = Store::new(world.client.clone(), &world.table);
    assert_eq!(store.churn_model(&ORG.to_owned().try_into().unwrap()).await.unwrap(), None, "the next run fits one");
}

#[tokio::test]
async fn claude_scores_whom_it_is_asked_about_and_its_words_are_kept() {
    let (world, anthropic, _) = asking(&[]).await;
    let world = in_world(world).await;
    let run = run(&world).await;
    assert_eq!(figures(&run, &["predictions", "claude", "statistical"]), [3, 3, 0], "{run}");
    assert_eq!(run["summary"]["withoutClaude"], Value::Null);
    let once = of(&world, "once").await;
    assert_eq!(
        (&once["churnSource"], &once["churnReasoning"]),
        (&json!("claude"), &json!("Has not ordered for 10 days."))
    );
    let asked = anthropic.seen();
    assert_eq!(asked.len(), 1, "three fit into one request");
    let message = asked[0].message();
    assert_eq!((&message["horizonDays"], message["customers"].as_array().unwrap().len()), (&json!(90), 3));
}

#[tokio::test]
async fn what_claude_says_counts_within_25_points_of_the_statistical_model_and_the_risk_level_is_worked_out_from_that()
{
    let (world, anthropic, _) = asking(&[]).await;
    customer(&world, "ada", &[85, 70, 60]).await;
    // The stand-in repeats the statistical probability.
    let scored = async |say: Say| {
        anthropic.script([say]);
        let run = run_at(&world, NOON, &json!({"orgId": ORG, "customerId": "ada"})).await;
        let ada = of(&world, "ada").await;
        assert_eq!(ada["churnSource"], "claude");
        let hundredths = (ada["churnProbability"].as_f64().unwrap() * 100.0).round();
        let bounds = [("low", 2_500.0), ("medium", 5_000.0), ("high", 7_500.0), ("critical", 10_000.0)];
        let (level, _) = bounds.into_iter().find(|(_, up_to)| hundredths <= *up_to).unwrap();
        assert_eq!(ada["churnRiskLevel"], level, "{hundredths}");
        (hundredths, run["results"][0]["clipped"].as_u64().unwrap())
    };
    let (statistical, clipped) = scored(Say::Verdicts).await;
    assert_eq!(clipped, 0);
    for said in [0.0, 100.0, 2_500.0, 2_501.0, 7_500.4, 10_000.0, statistical - 2_500.0, statistical - 2_501.0] {
        let said: f64 = f64::max(said, 0.0);
        let expected = said.round().clamp((statistical - 2_500.0).max(0.0), (statistical + 2_500.0).min(10_000.0));
        let is_clipped = u64::from((expected - said.round()).abs() > 0.5);
        assert_eq!(scored(Say::Probability(json!(said / 100.0))).await, (expected, is_clipped), "{said} {statistical}");
    }
}

#[tokio::test]
async fn no_personal_data_leaves() {
    let (world, anthropic, _) = asking(&[]).await;
    let person = json!({"firstName": "Augusta", "lastName": "Lovelace", "email": "ada@analytical.example", "phone": "+44 20 7946 0018", "equityStatus": true});
    for number in 0..25 {
        let name = format!("lovelace-{number}");
        customer(&world, &name, &[60, 30, number]).await;
        assert_eq!(world.put_customer(ORG, &name, &person).await.status, 200);
    }
    assert_eq!(run(&world).await["summary"]["totalPredictions"], 25);
    let sent = anthropic.seen();
    assert_eq!(sent.len(), 3);
    for request in sent {
        let headers: Vec<String> = request.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let bytes =
            format!("{} {} {}", request.line, headers.join(" "), String::from_utf8(request.body.to_vec()).unwrap());
        for personal in ["augusta", "lovelace", "analytical", "7946", "ada@", "equity", ORG] {
            // The instructions speak of the shop, in no one's particular.
            let told = bytes
                .to_lowercase()
                .replace("the shop", "")
                .replace("shop's", "")
                .replace("retail shop", "")
                .replace("this shop", "")
                .replace("shop to shop", "");
            assert!(!told.contains(personal), "{personal} in {told}");
        }
    }
}

#[tokio::test]
async fn what_claude_leaves_out_or_gets_wrong_is_scored_by_the_statistical_model() {
    let (world, anthropic, _) = asking(&[]).await;
    let world = in_world(world).await;
    anthropic.script([Say::Dropping(1), Say::Dropping(1)]);
    let run = run(&world).await;
    assert_eq!(figures(&run, &["predictions", "claude", "statistical"]), [3, 2, 1], "{run}");
    let sources: Vec<Value> = [of(&world, "often").await, of(&world, "before").await, of(&world, "once").await]
        .map(|customer| customer["churnSource"].clone())
        .into();
    assert_eq!(sources.iter().filter(|source| **source == "statistical").count(), 1);
}

#[tokio::test]
async fn a_key_that_is_refused_ends_the_asking_and_the_summary_says_why() {
    for (say, why) in [
        (Say::Status(401), "unauthorized"),
        (Say::Status(403), "forbidden"),
        (Say::Status(402), "payment_required"),
        (Say::SpendLimit, "spend_limit_reached"),
    ] {
        let (world, anthropic, _) = asking(&[("CHURN_BATCH_SIZE", "1")]).await;
        let world = in_world(world).await;
        anthropic.script([Say::Verdicts]);
        anthropic.always(say);
        let run = run(&world).await;
        assert_eq!(figures(&run, &["predictions", "claude", "statistical"]), [3, 1, 2], "{run}");
        assert_eq!((&run["success"], &run["summary"]["withoutClaude"]), (&json!(true), &json!(why)));
        assert_eq!(anthropic.seen().len(), 2, "it is not asked again");
    }
}

#[tokio::test]
async fn an_api_that_stays_down_leaves_everybody_to_the_statistical_model() {
    let (world, anthropic, _) = asking(&[("CHURN_BATCH_SIZE", "1")]).await;
    customer(&world, "ada", &[10]).await;
    customers::copy(&world, "ada", 0..29).await;
    anthropic.always(Say::Overloaded);
    let run = run(&world).await;
    assert_eq!(figures(&run, &["predictions", "claude", "statistical"]), [30, 0, 30], "{run}");
    assert_eq!(run["summary"]["withoutClaude"], "unavailable");
    assert!(anthropic.seen().len() < 20, "it is given up: {}", anthropic.seen().len());
}

#[tokio::test]
async fn between_two_batches_the_pause_is_kept() {
    let (world, anthropic, waits) = asking(&[]).await;
    customer(&world, "ada", &[10]).await;
    customers::copy(&world, "ada", 0..34).await;
    assert_eq!(run(&world).await["summary"]["totalPredictions"], 35);
    assert_eq!(anthropic.seen().len(), 4);
    assert_eq!(waits.take(), vec![Duration::from_secs(1); 3]);
}

#[tokio::test]
async fn any_mixture_of_faults_ends_with_everybody_scored_once_and_none_by_a_guess() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let (world, anthropic, _) = asking(&[("CHURN_BATCH_SIZE", "7"), ("CHURN_CONCURRENCY", "3")]).await;
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
    // The stand-in repeats the statistical probability, so whoever scored, alike customers are scored alike.
    let mut scores: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for one in &all {
        scores.entry(one["customerId"].as_str().unwrap()[..3].to_owned()).or_default().push(&one["churnProbability"]);
    }
    for (name, scores) in scores {
        assert!(scores.iter().all(|score| *score == scores[0]), "{name}: {scores:?}");
    }
}

#[tokio::test]
async fn the_deadline_stops_a_run_between_batches_and_continued_nobody_is_scored_twice_or_missed() {
    let (world, anthropic, _) = asking(&[("CHURN_BATCH_SIZE", "4")]).await;
    customer(&world, "ada", &[80, 10]).await;
    customers::copy(&world, "ada", 0..39).await;
    anthropic.always(Say::Slowly(Duration::from_millis(150)));
    // It wants five seconds for its end, and each answer takes some of what is left beside them.
    let patience = Duration::from_millis(5_700);
    let (mut body, mut calls, mut predictions) = (json!({}), 0, 0);
    loop {
        let now = instant(NOON) + chrono::TimeDelta::minutes(calls);
        let answer = world.send_within(&scenario::prediction(&body), now, patience).await.body;
        assert_eq!(answer["success"], true, "{answer}");
        predictions += answer["summary"]["totalPredictions"].as_u64().unwrap();
        calls += 1;
        assert!(calls < 100, "it gets on");
        match answer.get("cursor") {
            Some(cursor) => body = json!({ "cursor": cursor }),
            None => break,
        }
    }
    assert!(calls > 1, "it stopped: {} requests", anthropic.seen().len());
    assert_eq!(predictions, 40);
    let all = customers::all(&world, ORG).await;
    let began = json!("2026-06-01T12:00:00.000Z");
    assert!(all.iter().all(|one| one["churnPredictedAt"] == began), "as of when the run began");
}

#[tokio::test]
async fn an_answer_that_never_comes_is_given_up_and_the_call_still_gets_on() {
    let (world, anthropic, _) = asking(&[("CHURN_BATCH_SIZE", "2"), ("CHURN_TIMEOUT_MS", "100")]).await;
    let world = in_world(world).await;
    anthropic.always(Say::Hang);
    let run = run(&world).await;
    assert_eq!(figures(&run, &["predictions", "claude", "statistical"]), [3, 0, 3], "{run}");
}

#[tokio::test]
async fn an_award_that_races_a_run_is_not_lost_and_neither_is_the_score() {
    let world = Arc::new(three().await);
    let run = {
        let world = Arc::clone(&world);
        tokio::spawn(async move { run(&world).await })
    };
    let awards = (0..20).map(|number| {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let order = scenario::award("often", &format!("race-{number}"), "1", &json!({}));
            assert!(world.send_until_settled(&order, noon()).await.has_landed());
        })
    });
    futures::future::try_join_all(awards).await.unwrap();
    assert_eq!(run.await.unwrap()["summary"]["totalPredictions"], 3);
    let often = of(&world, "often").await;
    assert_eq!((&often["orderCount"], &often["churnSource"]), (&json!(28), &json!("statistical")));
}

#[tokio::test]
async fn a_run_costs_the_pages_a_transaction_a_customer_and_a_constant() {
    let world = three().await;
    run_at(&world, NOON, &json!({"orgId": ORG})).await;
    let seen = world.wire.take_seen();
    let count = |operation: &str| seen.iter().filter(|seen| *seen == operation).count();
    // The org and its model; eight days to look back at, everybody for the fit, and the active; the model and each score.
    assert_eq!((count("BatchGetItem"), count("Query"), count("TransactWriteItems")), (2, 10, 4));
    assert_eq!(seen.len(), 16);
}
