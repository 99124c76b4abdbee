//! The weekly report: every figure is worked out once more, from what anybody can read of the ledgers.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use harness::{
    Request, Response, World, audit, bundles,
    faults::{Fault, Lasting},
    instant,
    log::Log,
    scenario,
    secrets::SecretsManager,
    slack::{Slack, Takes},
    world::{ORG, Setup},
};
use serde_json::{Value, json};
use shared::domain::report::week::Week;

/// Monday, 09:00 in New York.
const MONDAY: &str = "2026-06-15T13:00:00Z";

/// The week before it, from midnight to midnight there.
fn week() -> (DateTime<Utc>, DateTime<Utc>) {
    (instant("2026-06-08T04:00:00Z"), instant("2026-06-15T04:00:00Z"))
}

fn is_in_week(at: &Value) -> bool {
    let (from, until) = week();
    let at = instant(at.as_str().unwrap());
    from <= at && at < until
}

fn report(body: &Value) -> Request {
    Request::new("POST", "weekly-report", "/").json(body)
}

async fn reported(world: &World, body: &Value) -> Response {
    let answer = world.send_at(&report(body), instant(MONDAY)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer
}

async fn figures(world: &World) -> Value {
    reported(world, &json!({"orgId": ORG})).await.body["orgs"][0]["figures"].clone()
}

async fn accepted(world: &World, request: &Request, at: DateTime<Utc>) {
    let answer = world.send_at(request, at).await;
    assert!(answer.status.is_success(), "{}: {}", request.path, answer.body);
}

/// Three weeks of a shop: orders, some with a bundle, refunds, voids, adjustments, scores, and the job that moves bundles.
async fn three_weeks() -> World {
    let world = World::new().await;
    let mut random = fastrand::Rng::with_seed(8);
    for number in 0..30 {
        world.put_customer(ORG, &format!("c{number}"), &json!({})).await;
    }
    let windows = json!({"daysOfWeek": [1, 2, 3, 4, 5], "timeStart": "09:00", "timeEnd": "21:00"});
    for (bundle, terms) in [("a", json!({})), ("b", windows)] {
        accepted(&world, &bundles::put(bundle, &terms), instant("2026-06-01T12:00:00Z")).await;
    }
    let mut last = None;
    for hour in 0..14 * 24 {
        let now = instant("2026-06-01T12:00:00Z") + TimeDelta::hours(hour);
        accepted(&world, &bundles::job(&json!({})), now + TimeDelta::minutes(3)).await;
        if hour % 3 != 0 {
            continue;
        }
        let (customer, order) = (format!("c{}", random.u32(0..24)), format!("o{hour}"));
        let total = format!("{}.{:02}", random.u32(0..90), random.u32(0..100));
        accepted(&world, &scenario::award(&customer, &order, &total, &json!({})), now).await;
        // An order is told of to each function by itself, and may reach one of them a little later.
        if random.u32(0..3) == 0 {
            let redeem = bundles::redeem("a", &customer, &order, &json!({}));
            accepted(&world, &redeem, now + TimeDelta::minutes(1)).await;
            if random.u32(0..4) == 0 {
                accepted(&world, &bundles::void("a", &order), now + TimeDelta::minutes(2)).await;
            }
        }
        if let Some((customer, order)) = last.replace((customer, order)).filter(|_| random.u32(0..5) == 0) {
            accepted(&world, &scenario::refund_request(&customer, &order, "r", None), now).await;
        }
        if random.u32(0..6) == 0 {
            let customer = format!("c{}", random.u32(0..30));
            accepted(&world, &scenario::adjustment(&customer, &format!("a{hour}"), 40), now).await;
        }
        if hour == 13 * 24 {
            accepted(&world, &scenario::prediction(&json!({})), now).await;
        }
    }
    // In the last hour of the week somebody comes for the first time, whom nobody has scored.
    let first = scenario::award("c29", "first", "12.34", &json!({}));
    accepted(&world, &first, instant("2026-06-15T03:30:00Z")).await;
    world
}

/// What the back office lists.
async fn listed(world: &World, path: &str, plural: &str) -> Vec<Value> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("/orgs/{ORG}/{path}?limit=100{cursor}")).await.body;
        rows.extend(page[plural].as_array().unwrap().clone());
        match page["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return rows,
        }
    }
}

fn cents(amount: &Value) -> i64 {
    format!("{:.0}", amount.as_f64().unwrap() * 100.0).parse().unwrap()
}

/// In percent, with two decimals, cut off.
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn percent(count: usize, of: usize) -> f64 {
    (count * 10_000 / of) as f64 / 100.0
}

#[tokio::test]
async fn every_figure_is_what_the_ledgers_say() {
    let world = three_weeks().await;
    let figures = figures(&world).await;
    assert_eq!((&figures["from"], &figures["to"]), (&json!("2026-06-08"), &json!("2026-06-14")));

    let redemptions = bundles::redemptions(&world, ORG, "a").await;
    let held_tier: Vec<&Value> = redemptions.iter().filter(|row| row["voidedAt"].is_null()).collect();
    let in_week: Vec<&&Value> = held_tier.iter().filter(|row| is_in_week(&row["redeemedAt"])).collect();
    assert!(in_week.len() < held_tier.len() && held_tier.len() < redemptions.len(), "there is something to leave out");
    assert_eq!(figures["redemptions"]["count"], in_week.len());
    let saved: i64 = in_week.iter().map(|row| cents(&row["savings"])).sum();
    assert_eq!(cents(&figures["savings"]), saved);
    let with_bundle: BTreeSet<&str> = held_tier.iter().map(|row| row["orderId"].as_str().unwrap()).collect();

    let customers = listed(&world, "customers", "customers").await;
    let (mut awards, mut earners, mut changes) = (Vec::new(), BTreeSet::new(), 0);
    let mut tiers: BTreeMap<String, usize> = BTreeMap::new();
    for customer in &customers {
        let id = customer["customerId"].as_str().unwrap();
        *tiers.entry(customer["tier"].as_str().unwrap().to_owned()).or_default() += 1;
        for entry in audit::ledger(&world, ORG, id).await.into_iter().filter(|entry| is_in_week(&entry["at"])) {
            match entry["kind"].as_str().unwrap() {
                "points_earned" => {
                    if entry["points"].as_i64().unwrap() > 0 {
                        earners.insert(id);
                    }
                    awards.push(entry);
                }
                "tier_changed" => changes += 1,
                _ => {}
            }
        }
    }
    assert!(awards.len() > 40 && changes > 3 && earners.len() < customers.len(), "there is something to count");
    assert_eq!(figures["awards"]["count"], awards.len());
    assert_eq!(figures["awards"]["perDay"].as_f64(), Some(percent(awards.len(), 7 * 100)));
    assert_eq!(figures["tierChanges"]["count"], changes);
    let earning = &figures["earning"];
    let told = ["count", "of", "target"].map(|name| earning[name].clone());
    assert_eq!(told, [json!(earners.len()), json!(customers.len()), json!(30)]);
    assert_eq!(earning["percent"].as_f64(), Some(percent(earners.len(), customers.len())));
    for (place, (name, target)) in [("Bronze", 60), ("Silver", 25), ("Gold", 10), ("Platinum", 5)].iter().enumerate() {
        let tier = &figures["tiers"][place];
        let count = tiers.get(*name).copied().unwrap_or(0);
        assert_eq!((&tier["name"], &tier["count"], &tier["target"]), (&json!(name), &json!(count), &json!(target)));
    }

    let (bundled, others): (Vec<&Value>, Vec<&Value>) =
        awards.iter().partition(|entry| with_bundle.contains(entry["orderId"].as_str().unwrap()));
    for (name, orders) in [("bundleOrders", bundled), ("otherOrders", others)] {
        let total: i64 = orders.iter().map(|entry| cents(&entry["orderTotal"])).sum();
        assert_eq!(figures[name]["count"], orders.len(), "{name}");
        assert_eq!(cents(&figures[name]["average"]), total / i64::try_from(orders.len()).unwrap(), "{name}");
    }

    // Who came after the last run had no chance to be scored.
    let run = instant("2026-06-14T12:00:00Z");
    let came = |customer: &&Value| customer["firstOrderAt"].as_str().is_some_and(|first| instant(first) <= run);
    let active = customers.iter().filter(came).count();
    assert!(active < customers.iter().filter(|customer| customer["orderCount"] != 0).count());
    assert_eq!(figures["scored"], json!({"count": active, "of": active, "percent": 100, "target": 100}));

    let changes = listed(&world, "bundles/b/transitions", "transitions").await;
    let by_the_clock = |change: &&Value| change["reason"].as_str().unwrap().starts_with("time window");
    // The job is three minutes late each time.
    let recorded = |change: &&Value| is_in_week(&change["at"]);
    let changes = changes.iter().filter(by_the_clock).filter(recorded).count();
    assert_eq!(changes, 10, "five days, opened and closed");
    assert_eq!(figures["transitions"], json!({"count": 10, "of": 10, "percent": 100, "target": 95}));
}

#[tokio::test]
async fn a_shop_without_anything_has_nothing_to_report_and_no_share_of_nothing() {
    let world = World::new().await;
    let report = reported(&world, &json!({"orgId": ORG})).await.body["orgs"][0].clone();
    let figures = &report["figures"];
    for share in ["transitions", "scored", "earning", "leftAtRisk"] {
        assert_eq!((&figures[share]["of"], figures[share].get("percent")), (&json!(0), None), "{share}");
    }
    assert_eq!(figures["bundleOrders"], json!({"count": 0}));
    assert_eq!(figures["awards"], json!({"count": 0, "perDay": 0}));
    assert!(report["lines"].to_string().contains("nothing to report"), "{report}");
}

#[tokio::test]
async fn a_bundle_that_opens_late_or_not_at_all_is_not_in_time() {
    let world = World::new().await;
    for (bundle, start) in
        [("prompt", "2026-06-09T12:00:00Z"), ("late", "2026-06-10T12:00:00Z"), ("never", "2026-06-11T12:00:00Z")]
    {
        accepted(&world, &bundles::put(bundle, &json!({"startDate": start})), instant("2026-06-08T12:00:00Z")).await;
    }
    accepted(&world, &bundles::job(&json!({})), instant("2026-06-09T12:10:00Z")).await;
    accepted(&world, &bundles::job(&json!({})), instant("2026-06-10T12:10:00.001Z")).await;
    let expected = json!({"count": 1, "of": 3, "percent": 33.33, "target": 95});
    assert_eq!(figures(&world).await["transitions"], expected);
    // Of a window that opens and closes each day, each change that is not on record.
    accepted(
        &world,
        &bundles::put("daily", &json!({"timeStart": "09:00", "timeEnd": "10:00"})),
        instant("2026-06-12T15:00:00Z"),
    )
    .await;
    let daily = json!({"count": 1, "of": 3 + 2 + 2, "percent": 14.28, "target": 95});
    assert_eq!(figures(&world).await["transitions"], daily, "thirteenth and fourteenth; on the fifteenth it is nine");
    accepted(
        &world,
        &Request::new("DELETE", "back-office", format!("/orgs/{ORG}/bundles/daily")),
        instant("2026-06-12T15:00:00Z"),
    )
    .await;
    // What an operator does is no matter of time.
    accepted(&world, &bundles::move_to("prompt", "paused"), instant("2026-06-12T12:00:00Z")).await;
    assert_eq!(figures(&world).await["transitions"], expected);
}

#[tokio::test]
async fn those_at_risk_who_left_are_held_against_a_month_before() {
    let world = World::new().await;
    world.put_loyalty(ORG, &json!({"activeDays": 42})).await;
    let order = async |customer: &str, at: &str| {
        let order = scenario::award(customer, &format!("{customer}-{at}"), "40", &json!({}));
        accepted(&world, &order, instant(at)).await;
    };
    let predict = async |at: &str| accepted(&world, &scenario::prediction(&json!({})), instant(at)).await;
    for customer in ["before", "gone", "back", "often"] {
        world.put_customer(ORG, customer, &json!({})).await;
    }
    // Whoever has ordered once, weeks ago, is likelier to leave than not.
    order("before", "2026-02-25T12:00:00Z").await;
    predict("2026-04-01T12:00:00Z").await;
    order("gone", "2026-04-04T12:00:00Z").await;
    order("back", "2026-04-04T12:00:00Z").await;
    for day in (4..=30).step_by(2) {
        order("often", &format!("2026-04-{day:02}T18:00:00Z")).await;
    }
    // Scored on two days, they are two customers all the same.
    predict("2026-04-29T12:00:00Z").await;
    predict("2026-04-30T12:00:00Z").await;
    let levels: BTreeMap<String, String> = listed(&world, "customers", "customers")
        .await
        .iter()
        .map(|one| ["customerId", "churnRiskLevel"].map(|name| one[name].as_str().unwrap().to_owned()).into())
        .collect();
    assert_eq!(levels["often"], "low", "it is not at risk, and leaves: {levels:?}");
    assert!(["gone", "back", "before"].iter().all(|one| ["high", "critical"].contains(&levels[*one].as_str())));
    order("back", "2026-05-20T12:00:00Z").await;
    let expected = json!({
        "count": 1, "of": 2, "percent": 50, "monthBefore": {"count": 1, "of": 1, "percent": 100},
    });
    let told = figures(&world).await;
    assert_eq!(told["leftAtRisk"], expected);
    // Those scores are weeks old: of who is active now, nobody has one.
    assert_eq!(told["scored"], json!({"count": 0, "of": 1, "percent": 0, "target": 100}));

    // Nor does it make a difference on which day of the week after it is asked.
    let sunday = world.send_at(&report(&json!({"orgId": ORG})), instant("2026-06-22T03:59:00Z")).await.body;
    assert_eq!(sunday["orgs"][0]["figures"]["leftAtRisk"], expected);

    world.put_loyalty(ORG, &json!({"activeDays": 41})).await;
    let told = figures(&world).await;
    assert_eq!(told["leftAtRisk"].get("monthBefore"), None, "so old predictions are not kept then");
}

#[tokio::test]
async fn a_shop_without_a_loyalty_programme_misses_no_target_of_one() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    accepted(&world, &scenario::award("ada", "o1", "40", &json!({})), instant("2026-06-10T12:00:00Z")).await;
    world.put_loyalty(ORG, &json!({"enabled": false})).await;
    let figures = figures(&world).await;
    assert_eq!(figures["scored"], json!({"count": 0, "of": 0}));
    assert_eq!(figures["earning"], json!({"count": 1, "of": 1, "percent": 100}));
    assert!(figures["tiers"].as_array().unwrap().iter().all(|tier| tier.get("target").is_none()), "{figures}");
    assert_eq!(figures["transitions"]["target"], 95);
}

#[tokio::test]
async fn an_order_that_redeems_shortly_before_or_after_the_week_and_is_awarded_in_it_has_a_bundle() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    accepted(&world, &bundles::put("b", &json!({})), instant("2026-06-07T12:00:00Z")).await;
    // Midnight in New York is between the two.
    accepted(&world, &bundles::redeem("b", "ada", "o1", &json!({})), instant("2026-06-08T03:59:00Z")).await;
    accepted(&world, &scenario::award("ada", "o1", "24.50", &json!({})), instant("2026-06-08T04:01:00Z")).await;
    accepted(&world, &scenario::award("ada", "o2", "10", &json!({})), instant("2026-06-08T03:59:59.999Z")).await;
    accepted(&world, &scenario::award("ada", "o4", "25.50", &json!({})), instant("2026-06-15T03:59:00Z")).await;
    accepted(&world, &scenario::award("ada", "o3", "10", &json!({})), instant("2026-06-15T04:00:00Z")).await;
    accepted(&world, &bundles::redeem("b", "ada", "o4", &json!({})), instant("2026-06-15T04:01:00Z")).await;
    let figures = figures(&world).await;
    assert_eq!((&figures["awards"]["count"], &figures["redemptions"]["count"]), (&json!(2), &json!(0)));
    assert_eq!(
        (&figures["bundleOrders"], &figures["otherOrders"]),
        (&json!({"count": 2, "average": 25}), &json!({"count": 0}))
    );
}

#[test]
fn the_week_is_the_last_that_is_over_from_monday_to_sunday_wherever_that_is() {
    let week = |now: &str, zone: &str| {
        let week = Week::before(instant(now), zone.parse().unwrap()).unwrap();
        let at = |at: DateTime<Utc>| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        [week.first.to_string(), week.last.to_string(), at(week.from), at(week.until)]
    };
    let in_june = ["2026-06-08", "2026-06-14", "2026-06-08T04:00:00Z", "2026-06-15T04:00:00Z"];
    for now in ["2026-06-15T04:00:00Z", MONDAY, "2026-06-17T20:00:00Z", "2026-06-22T03:59:59Z"] {
        assert_eq!(week(now, "America/New_York"), in_june, "{now}");
    }
    // Nine in New York is Monday there, or Tuesday already; and the clocks change on a Sunday.
    let sydney =
        |from: &str, until: &str, instants: [&str; 2]| [from, until, instants[0], instants[1]].map(str::to_owned);
    let before = sydney("2026-09-21", "2026-09-27", ["2026-09-20T14:00:00Z", "2026-09-27T14:00:00Z"]);
    let after = sydney("2026-09-28", "2026-10-04", ["2026-09-27T14:00:00Z", "2026-10-04T13:00:00Z"]);
    assert_eq!(week("2026-09-28T13:00:00Z", "Australia/Sydney"), before);
    assert_eq!(week("2026-10-05T13:00:00Z", "Australia/Sydney"), after);
    let new_york = ["2026-10-26", "2026-11-01", "2026-10-26T04:00:00Z", "2026-11-02T05:00:00Z"];
    assert_eq!(week("2026-11-02T14:00:00Z", "America/New_York"), new_york);
    assert_eq!(week(MONDAY, "Pacific/Pago_Pago")[..2], ["2026-06-08", "2026-06-14"]);
}

#[tokio::test]
async fn a_ladder_of_another_height_has_no_target() {
    let world = World::new().await;
    world
        .put_loyalty(ORG, &json!({"tiers": [{"name": "All", "threshold": 0}, {"name": "Some", "threshold": 9}]}))
        .await;
    world.put_customer(ORG, "ada", &json!({})).await;
    let expected = json!([{"name": "All", "count": 1, "of": 1, "percent": 100}, {"name": "Some", "count": 0, "of": 1, "percent": 0}]);
    assert_eq!(figures(&world).await["tiers"], expected);
}

#[tokio::test]
async fn every_org_is_reported_one_that_can_not_be_read_is_told_and_one_to_throw_away_is_not() {
    let world = World::new().await;
    world.put_org("broken", &json!({"name": "Broken"})).await;
    world.put_org("other", &json!({"name": "Other", "timezone": "Asia/Kolkata"})).await;
    world.put_org("to-go", &json!({"name": "To go", "disposable": true})).await;
    world.spoil("ORG#broken", "ORG", "version").await;
    world.take_records();
    let answer = reported(&world, &json!({})).await.body;
    let told: Vec<&Value> = answer["orgs"].as_array().unwrap().iter().map(|org| &org["orgId"]).collect();
    assert_eq!((told, &answer["errors"]), (vec![&json!("other"), &json!(ORG)], &json!(["broken"])));
    assert_eq!((&answer["success"], &answer["slack"]), (&json!(false), &json!("not_configured")));
    let record = &world.take_records()[0];
    assert_eq!((&record["Reports"], &record["ErrorsEncountered"]), (&json!(2), &json!(1)));
    // Where nothing is left to go on with, there is nothing to say.
    assert_eq!(reported(&world, &json!({"cursor": "latest"})).await.body["orgs"], json!([]));
    // Asked for by name it is reported too.
    assert_eq!(reported(&world, &json!({"orgId": "to-go"})).await.body["orgs"][0]["orgId"], "to-go");
    let unknown = world.send(&report(&json!({"orgId": "nobody"}))).await;
    assert_eq!((unknown.status.as_u16(), unknown.code()), (404, "unknown_org"));
}

/// A world whose functions tell a channel.
async fn telling(takes: Takes) -> (World, Slack) {
    let slack = Slack::start(takes).await;
    let environment = vec![("SLACK_WEBHOOK_URL", slack.url())];
    let world = World::with(Setup { environment, ..Setup::default() }).await;
    (world, slack)
}

#[tokio::test]
async fn a_channel_is_told_in_its_own_markup() {
    let (world, slack) = telling(Takes::Well).await;
    world.put_org(ORG, &json!({"name": "Tom & <Jerry>"})).await;
    world.put_customer(ORG, "ada", &json!({})).await;
    let answer = reported(&world, &json!({})).await.body;
    assert_eq!(answer["slack"], "sent");
    let [message] = &slack.told()[..] else { panic!("{:?}", slack.told()) };
    assert!(message.starts_with("*Tom &amp; &lt;Jerry&gt;* (shop)\n```2026-06-08 to 2026-06-14\n"), "{message}");
    for line in answer["orgs"][0]["lines"].as_array().unwrap() {
        assert!(message.contains(line.as_str().unwrap()), "{message}");
    }
    // Who asks about one org, or tries, has the answer.
    for body in [json!({"orgId": ORG}), json!({"dryRun": true})] {
        assert_eq!(reported(&world, &body).await.body["slack"], "not_asked");
    }
    assert_eq!(slack.told().len(), 1);
}

#[tokio::test]
async fn a_channel_is_told_who_could_not_be_counted_and_not_at_all_where_there_is_nobody() {
    let (world, slack) = telling(Takes::Well).await;
    world.put_org("broken", &json!({"name": "Broken"})).await;
    world.spoil("ORG#broken", "ORG", "version").await;
    assert_eq!(reported(&world, &json!({})).await.body["slack"], "sent");
    assert!(slack.told()[0].ends_with("```\nCould not be counted: 1 (broken)"), "{:?}", slack.told());
    assert_eq!(reported(&world, &json!({"cursor": "latest"})).await.body["slack"], "nothing_to_say");
    assert_eq!(slack.told().len(), 1);
}

#[tokio::test]
async fn the_webhook_is_read_where_it_is_kept() {
    let slack = Slack::start(Takes::Well).await;
    let secrets = SecretsManager::start("webhook", &format!("{} ", slack.url())).await;
    let environment =
        vec![("SLACK_WEBHOOK_SECRET", "webhook".to_owned()), ("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets.url())];
    let world = World::with(Setup { environment, ..Setup::default() }).await;
    assert_eq!(reported(&world, &json!({})).await.body["slack"], "sent");
    secrets.rotate(" ");
    assert_eq!(reported(&world, &json!({})).await.body["slack"], "not_configured", "it is empty");
    secrets.fail();
    assert_eq!(reported(&world, &json!({})).await.body["slack"], "failed");
    assert_eq!(slack.told().len(), 1);
}

#[tokio::test]
async fn an_address_at_which_nobody_listens_is_not_in_the_log() {
    let environment = vec![("SLACK_WEBHOOK_URL", "http://127.0.0.1:1/services/T0/B0/of-the-tests".to_owned())];
    let world = World::with(Setup { environment, ..Setup::default() }).await;
    let (log, guard) = Log::start(tracing::Level::TRACE);
    assert_eq!(reported(&world, &json!({})).await.body["slack"], "failed");
    drop(guard);
    assert!(log.text().contains("the channel was not told"), "{}", log.text());
    assert!(!log.text().contains("of-the-tests"), "{}", log.text());
}

#[tokio::test]
async fn an_org_that_no_call_can_count_is_told_and_keeps_no_other_from_its_turn() {
    // Nobody is heard in the time that is left, and the report is made all the same.
    let (world, _slack) = telling(Takes::Never).await;
    world.put_org("a", &json!({"name": "A"})).await;
    world.wire.slow_queries(Some(Duration::from_millis(60)));
    let first = world.send_within(&report(&json!({})), instant(MONDAY), Duration::from_secs(5)).await.body;
    assert_eq!((&first["errors"], &first["orgs"]), (&json!(["a"]), &json!([])), "{first}");
    assert_eq!(first["slack"], "failed");
    world.wire.slow_queries(None);
    let next = reported(&world, &json!({"cursor": first["cursor"]})).await.body;
    assert_eq!(next["orgs"][0]["orgId"], ORG);
}

#[tokio::test]
async fn a_message_shows_twenty_orgs_and_says_how_many_more_there_are() {
    let (world, slack) = telling(Takes::Well).await;
    for number in 0..22 {
        world.put_org(&format!("org-{number:02}"), &json!({"name": "Shop"})).await;
    }
    assert_eq!(reported(&world, &json!({})).await.body["orgs"].as_array().unwrap().len(), 23);
    let message = &slack.told()[0];
    assert_eq!(message.matches("*Shop*").count(), 20);
    assert!(message.ends_with("```\nand 3 more, in the log"), "{message}");
}

#[tokio::test]
async fn a_message_ends_with_what_is_not_in_it_however_much_there_is() {
    let (world, slack) = telling(Takes::Well).await;
    let tiers: Vec<Value> =
        (0..20).map(|step| json!({"name": format!("{step}{}", "&".repeat(90)), "threshold": step})).collect();
    for number in 0..22 {
        let org = format!("org-{number:02}");
        world.put_org(&org, &json!({"name": "Shop"})).await;
        world.put_loyalty(&org, &json!({ "tiers": tiers })).await;
        world.put_customer(&org, "ada", &json!({})).await;
    }
    world.put_org("broken", &json!({"name": "Broken"})).await;
    world.spoil("ORG#broken", "ORG", "version").await;
    reported(&world, &json!({})).await;
    let message = &slack.told()[0];
    assert!(message.chars().count() <= 39_000, "{}", message.chars().count());
    let shown = message.matches("*Shop*").count();
    assert!(shown > 1 && message.matches("```").count() == 2 * shown, "each whole: {message}");
    let end = format!("```\nand {} more, in the log\nCould not be counted: 1 (broken)", 23 - shown);
    assert!(message.ends_with(&end), "{message}");
}

#[tokio::test]
async fn a_read_that_fails_in_passing_is_made_again() {
    let world = World::with_timeout(Some(Duration::from_mins(1))).await;
    world.put_org("a", &json!({"name": "A"})).await;
    world.wire.take_seen();
    reported(&world, &json!({})).await;
    let requests = world.wire.take_seen().len();
    assert!(requests > 60, "{requests}");
    for number in (0..requests).step_by(7) {
        for fault in [Fault::ServerError, Fault::Throttle, Fault::DropRequest] {
            world.wire.fail(number, fault, Lasting::Once);
            let answer = reported(&world, &json!({})).await.body;
            world.wire.heal();
            assert_eq!((&answer["success"], answer.get("cursor")), (&json!(true), None), "{number} {fault:?} {answer}");
            assert_eq!(answer["summary"]["totalOrgs"], 2);
        }
    }
}

#[tokio::test]
async fn an_org_that_can_not_be_read_is_told_and_keeps_no_other_from_its_turn_unless_it_is_the_first() {
    let world = World::with_timeout(Some(Duration::from_mins(1))).await;
    world.put_org("a", &json!({"name": "A"})).await;
    world.wire.take_seen();
    reported(&world, &json!({})).await;
    let requests = world.wire.take_seen().len();
    world.wire.fail(requests - 5, Fault::ServerError, Lasting::UntilHealed);
    let answer = reported(&world, &json!({})).await.body;
    assert_eq!((&answer["orgs"][0]["orgId"], &answer["errors"]), (&json!("a"), &json!([ORG])), "{answer}");
    assert_eq!((&answer["success"], answer.get("cursor")), (&json!(false), None));
    world.wire.fail(requests / 3, Fault::ServerError, Lasting::UntilHealed);
    assert_eq!(world.send_at(&report(&json!({})), instant(MONDAY)).await.status, 503);
}

#[tokio::test]
async fn when_scores_were_made_need_not_be_readable() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    accepted(&world, &scenario::award("ada", "o1", "40", &json!({})), instant("2026-06-10T12:00:00Z")).await;
    accepted(&world, &scenario::prediction(&json!({})), instant("2026-06-14T12:00:00Z")).await;
    world.spoil("ORG#shop", "CHURN", "lookedBackTo").await;
    assert_eq!(figures(&world).await["scored"]["percent"], 100);
}

#[tokio::test]
async fn a_channel_that_refuses_or_hangs_takes_nothing_from_the_report() {
    for takes in [Takes::Ill(500), Takes::Ill(404), Takes::Never] {
        let (world, slack) = telling(takes).await;
        world.put_customer(ORG, "ada", &json!({})).await;
        world.take_records();
        let (log, guard) = Log::start(tracing::Level::INFO);
        let answer = reported(&world, &json!({})).await.body;
        drop(guard);
        assert_eq!((&answer["success"], &answer["slack"]), (&json!(true), &json!("failed")), "{takes:?}");
        assert_eq!(answer["orgs"][0]["figures"]["earning"]["of"], 1);
        assert_eq!(slack.told().len(), 1, "{takes:?}");
        let records = world.take_records();
        let told = ["Succeeded", "Reports", "MessagesFailed"].map(|name| records[0][name].as_i64().unwrap());
        assert_eq!(told, [1, 1, 1], "{takes:?}");
        let logged = log.text();
        assert!(logged.contains("a week") && logged.contains("earning"), "the log has the figures: {logged}");
        assert!(logged.contains("the channel was not told") && !logged.contains("of-the-tests"), "{logged}");
    }
}

#[tokio::test]
async fn a_dry_run_tells_and_writes_nothing() {
    let (world, slack) = telling(Takes::Well).await;
    world.take_records();
    world.wire.take_seen();
    let answer = reported(&world, &json!({"dryRun": true})).await.body;
    assert_eq!(answer["summary"], json!({"totalOrgs": 1, "totalErrors": 0}));
    assert!(slack.told().is_empty());
    assert!(world.wire.take_seen().iter().all(|request| ["Query", "BatchGetItem"].contains(&request.as_str())));
    assert_eq!(world.take_records()[0].get("Reports"), None);
}

#[tokio::test]
async fn what_there_is_no_time_for_is_left_to_the_next_call() {
    let world = World::new().await;
    for org in ["a", "b", "c"] {
        world.put_org(org, &json!({"name": org})).await;
    }
    let (mut told, mut body) = (Vec::new(), json!({}));
    loop {
        // No time at all: each call does one org and answers a cursor.
        let answer = world.send_within(&report(&body), instant(MONDAY), Duration::from_secs(5)).await.body;
        told.extend(answer["orgs"].as_array().unwrap().iter().map(|org| org["orgId"].clone()));
        match answer.get("cursor") {
            Some(cursor) => body = json!({ "cursor": cursor }),
            None => break,
        }
    }
    assert_eq!(told, ["a", "b", "c", ORG]);
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_503_and_a_shops_key_is_not_enough() {
    let world = World::with_timeout(Some(Duration::from_secs(30))).await;
    let key = world
        .send(&Request::new("POST", "back-office", format!("/orgs/{ORG}/keys")).json(&json!({"name": "till"})))
        .await;
    let key = format!("Bearer {}", key.body["key"].as_str().unwrap());
    let refused = world.send(&report(&json!({"orgId": ORG})).header("authorization", &key)).await;
    assert_eq!(refused.status, 403);
    world.wire.fail(0, Fault::DropRequest, Lasting::UntilHealed);
    assert_eq!(world.send(&report(&json!({"orgId": ORG}))).await.status, 503);
}
