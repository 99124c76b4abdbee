//! Alarms, dashboard and saved queries read metrics and fields that are recorded.

use std::{collections::BTreeSet, time::Duration};

use harness::{
    World,
    anthropic::world_with_claude,
    bundles,
    cloudwatch::{self, Metric},
    expression::Expression,
    faults::{Fault, FaultDuration},
    instant,
    log::CapturedLog,
    operations::call_every_operation,
    roles, root,
    scenario::{self, award, event},
    world::{ORG, noon},
};
use serde_json::{Value, json};

/// Every metric and field that the functions record.
struct Told {
    metrics: BTreeSet<Metric>,
    /// The field names of records and log lines.
    fields: BTreeSet<String>,
}

impl Told {
    fn add(&mut self, world: &World) {
        for record in world.take_records() {
            self.fields.extend(record.as_object().unwrap().keys().cloned());
            self.metrics.extend(Metric::of_record(&record).into_iter().map(|(metric, _)| metric));
        }
    }
}

/// Makes the functions record every metric and every field.
async fn all_that_is_told() -> Told {
    let (log, guard) = CapturedLog::start_json(tracing::Level::INFO);
    let mut reported = Told { metrics: BTreeSet::new(), fields: BTreeSet::new() };
    let (world, ..) = world_with_claude(&[]).await;
    call_every_operation(&world).await;
    reported.add(&world);

    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    world.send(&award("ada", "o1", "250", &json!({"equityStatus": true}))).await;
    world.send(&scenario::redeem_points("ada", "o2", 5_000, "49.99")).await;
    let hours = json!({"timeStart": "09:00", "timeEnd": "17:00", "endDate": "2026-06-03T12:00:00Z"});
    world.send(&bundles::put("hours", &hours)).await;
    world.send(&bundles::put("broken", &hours)).await;
    world.corrupt("ORG#shop", "BUNDLE#broken", "terms").await;
    world.send(&bundles::redeem("unheard-of", "ada", "o1", &json!({}))).await;
    for at in ["2026-06-01T23:00:00Z", "2026-06-02T15:00:00Z", "2026-06-04T12:00:00Z"] {
        world.send_at(&bundles::job(&json!({})), instant(at)).await;
    }
    look_back_on_a_ladder_of_twenty_tiers(&world).await;
    for function in roles::functions(&roles::template()).keys() {
        world.invoke(function, event("Unheard", json!({}))).await.unwrap_err();
    }
    for function in ["points-award", "bundle-redemption"] {
        world.invoke(function, event("OrderFulfilled", json!({"orgId": 7}))).await.unwrap_err();
    }
    world.proxy.fail(0, Fault::Throttle, FaultDuration::UntilHealed);
    world.send_within(&award("ada", "o3", "1", &json!({})), noon(), Duration::from_secs(1)).await;
    reported.add(&world);

    drop(guard);
    for line in log.text().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        reported.fields.extend(line.as_object().unwrap().keys().cloned());
    }
    reported
}

/// Scores twenty customers, one in each of twenty tiers. One orders again, and the job compares the outcome.
async fn look_back_on_a_ladder_of_twenty_tiers(world: &World) {
    let tiers: Vec<Value> = (0..20).map(|step| json!({"name": format!("T{step}"), "threshold": 10 * step})).collect();
    world.put_loyalty(ORG, &json!({ "tiers": tiers })).await;
    for step in 0..20 {
        let name = format!("c{step:02}");
        world.put_customer(ORG, &name, &json!({})).await;
        world.send(&award(&name, &name, &format!("{}", 10 * step + 1), &json!({}))).await;
    }
    world.send(&scenario::prediction(&json!({}))).await;
    world.send(&scenario::recalculation(&json!({}))).await;
    world.send_at(&award("c00", "again", "1", &json!({})), instant("2026-07-01T12:00:00Z")).await;
    world.send_at(&scenario::prediction(&json!({})), instant("2026-09-05T12:00:00Z")).await;
}

/// The metrics that the dashboard shows, each with the title of its widget.
fn dashboard() -> Vec<(Metric, String)> {
    let template = roles::template();
    let body = template["Resources"]["Dashboard"]["Properties"]["DashboardBody"].clone();
    let body: Value = serde_json::from_str(cloudwatch::resolved(&template, &body).as_str().unwrap()).unwrap();
    let mut found = Vec::new();
    for widget in body["widgets"].as_array().unwrap() {
        let (title, mut ids, mut used) = (widget["properties"]["title"].to_string(), BTreeSet::new(), Vec::new());
        for row in widget["properties"]["metrics"].as_array().into_iter().flatten().map(|row| row.as_array().unwrap()) {
            let options = row.last().filter(|options| options.is_object());
            ids.extend(options.and_then(|options| options["id"].as_str()).map(str::to_owned));
            if let Some(expression) = row[0]["expression"].as_str() {
                used.extend(Expression::parse(expression).ids().into_iter().map(str::to_owned));
                continue;
            }
            let texts: Vec<String> = row.iter().map_while(Value::as_str).map(str::to_owned).collect();
            let (names, dimensions) = texts.split_at(2);
            let dimensions = dimensions.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
            found.push((Metric { namespace: names[0].clone(), name: names[1].clone(), dimensions }, title.clone()));
        }
        assert!(used.iter().all(|id| ids.contains(id)), "{title}: {used:?} of {ids:?}");
    }
    found
}

/// The fields that a saved query names.
fn fields_of_query(query: &str) -> BTreeSet<String> {
    let words = ["fields", "filter", "sort", "desc", "limit", "or", "and", "in", "like", "ispresent"];
    let mut found = BTreeSet::new();
    let (mut rest, mut plain) = (query, String::new());
    // A quoted text or a pattern names no field.
    while let Some(at) = rest.find(['"', '/']) {
        let quote = rest[at..].chars().next().unwrap();
        plain += &rest[..at];
        rest = rest[at + 1..].split_once(quote).unwrap().1;
    }
    plain += rest;
    for word in plain.split(|char: char| !(char.is_ascii_alphanumeric() || char == '@')) {
        let is_field =
            !word.is_empty() && word.parse::<u32>().is_err() && !words.contains(&word) && !word.starts_with('@');
        found.extend(is_field.then(|| word.to_owned()));
    }
    found
}

/// The anchor of a heading.
fn slug(heading: &str) -> String {
    heading.to_lowercase().replace(' ', "-")
}

#[tokio::test]
async fn alarms_and_dashboards_use_recorded_metrics_and_the_dimensions_are_bounded() {
    let (reported, from_log_filters) = (all_that_is_told().await, cloudwatch::metric_filter_metrics());
    let template = roles::template();
    let functions = roles::functions(&template);
    let queues: BTreeSet<String> = template["Resources"]
        .as_object()
        .unwrap()
        .values()
        .filter(|resource| resource["Type"] == "AWS::SQS::Queue")
        .map(|queue| cloudwatch::resolved(&template, &queue["Properties"]["QueueName"]).as_str().unwrap().to_owned())
        .collect();
    let is_told = |metric: &Metric| match (metric.namespace.as_str(), metric.name.as_str()) {
        ("AWS/Lambda", "Errors" | "Throttles") => functions.keys().any(|function| {
            metric.dimensions["FunctionName"] == format!("regulars-{function}")
                && metric.dimensions["Resource"] == format!("regulars-{function}:live")
        }),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible") => queues.contains(&metric.dimensions["QueueName"]),
        _ => reported.metrics.contains(metric) || from_log_filters.contains(metric),
    };
    let alarms = cloudwatch::alarms();
    let watched =
        alarms.iter().flat_map(|alarm| alarm.metrics.values().map(|(metric, _)| (metric.clone(), alarm.name.clone())));
    let watched: Vec<(Metric, String)> = watched.chain(dashboard()).collect();
    assert!(watched.len() > 80, "{}", watched.len());
    for (metric, by) in &watched {
        assert!(is_told(metric), "{by} looks at {metric:?}, which nobody tells");
    }
    let in_queues = alarms.iter().filter(|alarm| alarm.name.ends_with("-dead-letters"));
    let in_queues =
        in_queues.flat_map(|alarm| alarm.metrics.values().map(|(metric, _)| &metric.dimensions["QueueName"]));
    assert_eq!(in_queues.cloned().collect::<BTreeSet<_>>(), queues, "every queue is watched");

    let queries = template["Resources"].as_object().unwrap().values();
    let queries: Vec<&Value> = queries.filter(|resource| resource["Type"] == "AWS::Logs::QueryDefinition").collect();
    assert_eq!(queries.len(), 9);
    for query in queries {
        let text = query["Properties"]["QueryString"].as_str().unwrap();
        let strange: Vec<String> = fields_of_query(text).difference(&reported.fields).cloned().collect();
        assert!(strange.is_empty(), "{}: nobody tells {strange:?}", query["Properties"]["Name"]);
    }

    for metric in &reported.metrics {
        assert_eq!(metric.namespace, "Regulars/regulars");
        let names: Vec<&String> = metric.dimensions.keys().collect();
        assert_eq!(names, ["Function"], "{metric:?}: each value of another would be paid for");
        assert!(functions.contains_key(&metric.dimensions["Function"]), "{metric:?}");
    }
    let readme = std::fs::read_to_string(root().join("infra/README.md")).unwrap();
    let count = format!("**{} custom metrics**", reported.metrics.len() + from_log_filters.len());
    assert!(readme.contains(&count), "infra/README.md does not say {count}: {:#?}", reported.metrics);
    let of_alarms: usize = alarms.iter().map(|alarm| alarm.metrics.len()).sum();
    let count = format!("{} alarms on {of_alarms} metrics", alarms.len());
    assert!(readme.contains(&count), "infra/README.md does not say {count}");
}

#[test]
fn every_alarm_states_a_first_step_and_an_existing_runbook_section() {
    let runbook = std::fs::read_to_string(root().join("infra/RUNBOOK.md")).unwrap();
    let sections: BTreeSet<String> = runbook.lines().filter_map(|line| line.strip_prefix("## ")).map(slug).collect();
    let readme = std::fs::read_to_string(root().join("infra/README.md")).unwrap();
    for alarm in cloudwatch::alarms() {
        let (said, section) = alarm.description.rsplit_once(" infra/RUNBOOK.md#").expect(&alarm.name);
        assert!(sections.contains(section), "{}: there is no section {section}", alarm.name);
        let is_canary = alarm.name.ends_with("-failing") && !alarm.name.starts_with("p1-");
        assert!(is_canary || said.contains("First: "), "{}", alarm.name);
        assert!(is_canary || alarm.name.ends_with(section), "{} leads to {section}", alarm.name);
        let reported = if section == "dead-letters" { "p1-<queue>-dead-letters" } else { &alarm.name };
        assert!(is_canary || readme.contains(&format!("`{reported}`")), "infra/README.md does not tell {}", alarm.name);
    }
}
