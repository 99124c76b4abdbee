//! The figures of a week, computed a second time from the ledgers.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use harness::{
    Request, World, audit, bundles, instant, scenario,
    world::{ORG, noon},
};
use serde_json::{Value, json};
use shared::domain::report::week::Week;

use super::support::{MONDAY, accepted, figures, report, reported};

/// The week before [`MONDAY`], from midnight to midnight in New York.
fn week() -> (DateTime<Utc>, DateTime<Utc>) {
    (instant("2026-06-08T04:00:00Z"), instant("2026-06-15T04:00:00Z"))
}

fn is_in_week(at: &Value) -> bool {
    let (from, until) = week();
    let at = instant(at.as_str().unwrap());
    from <= at && at < until
}

/// A world with three weeks of orders, redemptions, refunds, voids, adjustments, predictions and runs of the job.
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
        // An order reaches each function separately, and one of them a little later.
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
    // In the last hour of the week a new customer orders, after the last run of predictions.
    let first = scenario::award("c29", "first", "12.34", &json!({}));
    accepted(&world, &first, instant("2026-06-15T03:30:00Z")).await;
    world
}

/// A list of the back office, read page by page.
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

/// A share in percent, rounded down to two decimals.
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn percent(count: usize, of: usize) -> f64 {
    (count * 10_000 / of) as f64 / 100.0
}

#[tokio::test]
async fn every_figure_matches_the_ledgers() {
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
        for entry in audit::ledger(&world, ORG, id, noon()).await.into_iter().filter(|entry| is_in_week(&entry["at"])) {
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
    let actual = ["count", "of", "target"].map(|name| earning[name].clone());
    assert_eq!(actual, [json!(earners.len()), json!(customers.len()), json!(30)]);
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

    // Customers who came after the last run could not be scored.
    let run = instant("2026-06-14T12:00:00Z");
    let came = |customer: &&Value| customer["firstOrderAt"].as_str().is_some_and(|first| instant(first) <= run);
    let active = customers.iter().filter(came).count();
    assert!(active < customers.iter().filter(|customer| customer["orderCount"] != 0).count());
    assert_eq!(figures["scored"], json!({"count": active, "of": active, "percent": 100, "target": 100}));

    let changes = listed(&world, "bundles/b/transitions", "transitions").await;
    let by_the_clock = |change: &&Value| change["reason"].as_str().unwrap().starts_with("time window");
    // Every run of the job is three minutes late.
    let recorded = |change: &&Value| is_in_week(&change["at"]);
    let changes = changes.iter().filter(by_the_clock).filter(recorded).count();
    assert_eq!(changes, 10, "five days, opened and closed");
    assert_eq!(figures["transitions"], json!({"count": 10, "of": 10, "percent": 100, "target": 95}));
}

#[tokio::test]
async fn an_empty_org_reports_zeros_and_no_percentages() {
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
async fn a_bundle_that_opens_late_or_never_is_not_on_time() {
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
    // A daily window changes twice a day, and none of these changes is recorded.
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
    // A change by an operator does not count.
    accepted(&world, &bundles::move_to("prompt", "paused"), instant("2026-06-12T12:00:00Z")).await;
    assert_eq!(figures(&world).await["transitions"], expected);
}

#[tokio::test]
async fn lost_customers_at_risk_are_compared_with_the_month_before() {
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
    // A customer with one order weeks ago is likely to leave.
    order("before", "2026-02-25T12:00:00Z").await;
    predict("2026-04-01T12:00:00Z").await;
    order("gone", "2026-04-04T12:00:00Z").await;
    order("back", "2026-04-04T12:00:00Z").await;
    for day in (4..=30).step_by(2) {
        order("often", &format!("2026-04-{day:02}T18:00:00Z")).await;
    }
    // Two predictions of one customer count once.
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
    let actual = figures(&world).await;
    assert_eq!(actual["leftAtRisk"], expected);
    // These predictions are weeks old, so no active customer has one.
    assert_eq!(actual["scored"], json!({"count": 0, "of": 1, "percent": 0, "target": 100}));

    // The report is the same on every day of the following week.
    let sunday = world.send_at(&report(&json!({"orgId": ORG})), instant("2026-06-22T03:59:00Z")).await.body;
    assert_eq!(sunday["orgs"][0]["figures"]["leftAtRisk"], expected);

    world.put_loyalty(ORG, &json!({"activeDays": 41})).await;
    let actual = figures(&world).await;
    assert_eq!(actual["leftAtRisk"].get("monthBefore"), None, "so old predictions are not kept then");
}

#[tokio::test]
async fn an_org_without_a_loyalty_programme_misses_no_loyalty_target() {
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
async fn an_order_of_the_week_counts_a_bundle_redeemed_just_outside_the_week() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    accepted(&world, &bundles::put("b", &json!({})), instant("2026-06-07T12:00:00Z")).await;
    // Midnight in New York lies between the redemption and the award.
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
fn the_week_is_the_last_complete_one_from_monday_to_sunday_in_the_orgs_zone() {
    let week = |now: &str, zone: &str| {
        let week = Week::before(instant(now), zone.parse().unwrap()).unwrap();
        let at = |at: DateTime<Utc>| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        [week.first.to_string(), week.last.to_string(), at(week.from), at(week.until)]
    };
    let in_june = ["2026-06-08", "2026-06-14", "2026-06-08T04:00:00Z", "2026-06-15T04:00:00Z"];
    for now in ["2026-06-15T04:00:00Z", MONDAY, "2026-06-17T20:00:00Z", "2026-06-22T03:59:59Z"] {
        assert_eq!(week(now, "America/New_York"), in_june, "{now}");
    }
    // Nine on Monday in New York is Tuesday in Sydney, where the clocks change on a Sunday.
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
async fn a_list_of_another_number_of_tiers_has_no_target() {
    let world = World::new().await;
    world
        .put_loyalty(ORG, &json!({"tiers": [{"name": "All", "threshold": 0}, {"name": "Some", "threshold": 9}]}))
        .await;
    world.put_customer(ORG, "ada", &json!({})).await;
    let expected = json!([{"name": "All", "count": 1, "of": 1, "percent": 100}, {"name": "Some", "count": 0, "of": 1, "percent": 0}]);
    assert_eq!(figures(&world).await["tiers"], expected);
}

#[tokio::test]
async fn an_unreadable_scoring_date_does_not_affect_the_figures() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    accepted(&world, &scenario::award("ada", "o1", "40", &json!({})), instant("2026-06-10T12:00:00Z")).await;
    accepted(&world, &scenario::prediction(&json!({})), instant("2026-06-14T12:00:00Z")).await;
    world.corrupt("ORG#shop", "CHURN", "lookedBackTo").await;
    assert_eq!(figures(&world).await["scored"]["percent"], 100);
}
