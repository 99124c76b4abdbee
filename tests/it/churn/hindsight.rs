//! Past predictions compared with outcomes, and the model that is fitted and stored.

use std::{collections::BTreeMap, time::Duration};

use harness::{
    World, instant, purchase_log, scenario,
    world::{ORG, noon},
};
use serde_json::{Value, json};

use super::support::{figures, of, run, run_at, three};

#[tokio::test]
async fn a_run_evaluates_the_predictions_of_one_horizon_ago() {
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
    // One customer orders within the 90 days, one just after them, and one never again.
    for (name, at) in [("often", "2026-08-30T12:00:00Z"), ("once", "2026-08-30T12:00:00.001Z")] {
        let order = scenario::award(name, &format!("{name}-again"), "40", &json!({}));
        assert_eq!(world.send_at(&order, instant(at)).await.status, 201);
    }
    let early = run_at(&world, "2026-08-30T11:59:59.999Z", &json!({})).await;
    assert_eq!(early["results"][0]["hindsight"], Value::Null, "the horizon is not over");

    world.take_records();
    let run = run_at(&world, "2026-09-05T02:00:00Z", &json!({})).await;
    let reported = &run["results"][0]["hindsight"];
    let left = |name: &str| if name == "often" { 0.0 } else { 1.0 };
    let brier = predicted.iter().map(|(name, said)| (said - left(name)).powi(2)).sum::<f64>() / 3.0;
    let true_ones = predicted.iter().filter(|(name, said)| (**said >= 0.5) == (left(name) > 0.5)).count();
    assert_eq!(
        [&reported["predictions"], &reported["left"], &reported["cameTrue"]],
        [&json!(3), &json!(2), &json!(true_ones)]
    );
    assert!((reported["brier"].as_f64().unwrap() - brier).abs() < 0.000_1, "{reported} {brier}");
    assert_eq!(reported["auc"], 1.0, "who stayed had the lowest");
    let record = &world.take_records()[0];
    assert_eq!((&record["Brier"], &record["Auc"]), (&json!([reported["brier"]]), &json!([1.0])));

    let later = run_at(&world, "2026-09-06T12:00:00.001Z", &json!({})).await;
    assert_eq!(later["results"][0]["hindsight"], Value::Null, "it was told of a week before");
}

#[tokio::test]
async fn a_past_prediction_expires_after_two_horizons_and_the_risk_after_one() {
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
async fn an_orgs_model_is_fitted_weekly_and_stored_with_its_date() {
    use shared::{domain::churn::model::ParameterSource, store::Store};
    let world = World::new().await;
    // The first customers of the purchase log. About half of them have repeat orders.
    let log = purchase_log::customers_known_at(purchase_log::calibration_end());
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

    world.corrupt("ORG#shop", "CHURN", "parameters").await;
    assert_eq!(fitted_at("1997-10-08T00:00:00Z").await.fitted_at, instant("1997-10-08T00:00:00Z"), "made anew");
}

#[tokio::test]
async fn an_org_too_small_for_a_fit_is_scored_by_the_default_model_and_reports_it() {
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
async fn customers_are_scored_without_time_for_hindsight_and_a_fit() {
    use shared::store::Store;
    let world = three().await;
    world.proxy.delay_queries(Some(Duration::from_millis(400)));
    // The run reserves five seconds for its end. After one query less than that is left.
    let reported =
        world.send_within(&scenario::prediction(&json!({})), noon(), Duration::from_millis(5_300)).await.body;
    assert_eq!(figures(&reported, &["predictions", "errors"]), [3, 0], "{reported}");
    world.proxy.delay_queries(None);
    let store = Store::new(world.client.clone(), &world.table);
    assert_eq!(store.churn_model(&ORG.to_owned().try_into().unwrap()).await.unwrap(), None, "the next run fits one");
}
