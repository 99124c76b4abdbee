//! A promotion week on the demo org: bundles open, close, pause and sell out while orders come in. The clock of the
//! local stack moves forward hour by hour.

use std::collections::BTreeMap;

use anyhow::bail;
use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc};
use reqwest::StatusCode;
use serde_json::{Value, json};
use shared::domain::ids::OrgId;

use crate::{
    api::{Api, ApiRequest},
    list::List,
    output::print_line,
    values::{format_amount, parse_instant, parse_minor_units},
};

/// Monday 1998-07-06, 00:00 in New York, the week after the end of the purchase log.
const WEEK_BEGINS_AT: &str = "1998-07-06T04:00:00Z";
const WEEK_HOURS: i64 = 7 * 24;

/// The same week as dates of the org's calendar. A bundle runs until the end of the last day.
const FIRST_DAY: &str = "1998-07-06";
const LAST_DAY: &str = "1998-07-12";

/// Difference between UTC and the local time of New York in that week.
const NEW_YORK_BEHIND_UTC: TimeDelta = TimeDelta::hours(4);

/// The fields in which a bundle differs from the others.
type BundleFields = fn() -> Value;

/// The bundles, each with its own fields.
const PROMOTED_BUNDLES: [(&str, BundleFields); 5] = [
    ("all-week", || json!({"perCustomerLimit": 3})),
    ("happy-hour", || json!({"daysOfWeek": [1, 2, 3, 4, 5], "timeStart": "17:00", "timeEnd": "19:00"})),
    ("late-night", || json!({"daysOfWeek": [5, 6], "timeStart": "21:00", "timeEnd": "02:00"})),
    ("first-forty", || json!({"startDate": "1998-07-07T13:00:00Z", "maxRedemptions": 40})),
    ("recalled", || json!({})),
];

/// Manual steps, by the hour of the week.
const MANUAL_STEPS: [(i64, ManualStep); 3] = [
    (2 * 24 + 11, ManualStep::Transition("recalled", "paused", "a faulty batch")),
    (4 * 24 + 9, ManualStep::Transition("recalled", "published", "the batch was replaced")),
    (5 * 24 + 12, ManualStep::CancelFirstOrder("first-forty")),
];

#[derive(Clone, Copy)]
enum ManualStep {
    Transition(&'static str, &'static str, &'static str),
    /// Cancels the first order of the bundle.
    CancelFirstOrder(&'static str),
}

/// Results of a bundle's orders.
#[derive(Default)]
struct OrderCounts {
    redeemed: u32,
    refused: BTreeMap<String, u32>,
    first: Option<String>,
}

/// The Monday after the week, when the week is reported.
pub(crate) fn week_reported_at() -> anyhow::Result<DateTime<Utc>> {
    Ok(parse_instant(WEEK_BEGINS_AT)? + TimeDelta::hours(WEEK_HOURS + 9))
}

/// Plays the week, unless it was played before, and prints the results.
pub(crate) async fn play_week(api: &Api, org: &OrgId) -> anyhow::Result<()> {
    let begins = parse_instant(WEEK_BEGINS_AT)?;
    let mut counts: BTreeMap<&str, OrderCounts> =
        PROMOTED_BUNDLES.iter().map(|(bundle, _)| (*bundle, OrderCounts::default())).collect();
    print_line("\nA promotion week, 6 to 12 July 1998, hour by hour …");
    if create_bundles(api, org, begins).await? {
        for hour in 0..=WEEK_HOURS {
            play_hour(api, org, begins, hour, &mut counts).await?;
        }
    } else {
        print_line("(played before; rejected orders are not recorded)");
    }
    print_week(api, org, &counts).await
}

/// Creates the bundles. Returns whether any of them is new.
async fn create_bundles(api: &Api, org: &OrgId, begins: DateTime<Utc>) -> anyhow::Result<bool> {
    let mut is_any_new = false;
    for (bundle, fields) in PROMOTED_BUNDLES {
        let mut body = json!({
            "name": bundle, "type": "fixed_price", "originalTotal": 30, "bundlePrice": "24.50", "desiredState": "published",
            "startDate": FIRST_DAY, "endDate": LAST_DAY,
            "products": [{"productId": "cd", "name": "Compact disc", "requiredQty": 2, "originalPrice": 15}],
        });
        if let (Value::Object(body), Value::Object(fields)) = (&mut body, fields()) {
            body.extend(fields);
        }
        let path = format!("/orgs/{org}/bundles/{bundle}");
        // A bundle that is created before its start records its opening.
        let now = Some(begins - TimeDelta::hours(1));
        let answer =
            api.send(&ApiRequest { create_only: true, now, ..ApiRequest::put("back-office", &path, body) }).await?;
        if answer.status != StatusCode::PRECONDITION_FAILED {
            answer.into_accepted_body()?;
            is_any_new = true;
        }
    }
    Ok(is_any_new)
}

async fn play_hour(
    api: &Api,
    org: &OrgId,
    begins: DateTime<Utc>,
    hour: i64,
    counts: &mut BTreeMap<&'static str, OrderCounts>,
) -> anyhow::Result<()> {
    let now = begins + TimeDelta::hours(hour);
    let at = |request: ApiRequest<'static>| ApiRequest { now: Some(now), ..request };
    api.send(&at(ApiRequest::post("bundle-transitions", "/", json!({"orgId": org})))).await?.into_accepted_body()?;
    for (_, step) in MANUAL_STEPS.iter().filter(|(when, _)| *when == hour) {
        let (function, method, path, body) = match step {
            ManualStep::Transition(bundle, to, reason) => {
                let path = format!("/orgs/{org}/bundles/{bundle}/transition");
                ("back-office", reqwest::Method::POST, path, Some(json!({"to": to, "reason": reason})))
            }
            ManualStep::CancelFirstOrder(bundle) => {
                let first = counts.get(bundle).and_then(|order_counts| order_counts.first.clone()).unwrap_or_default();
                let path = format!("/redemptions/{first}?orgId={org}&bundleId={bundle}");
                ("bundle-redemption", reqwest::Method::DELETE, path, None)
            }
        };
        let request = ApiRequest { method, function, path: &path, body, now: Some(now), create_only: false };
        api.send(&request).await?.into_accepted_body()?;
    }
    let local_time = now - NEW_YORK_BEHIND_UTC;
    if hour == WEEK_HOURS || local_time.hour() < 9 {
        return Ok(());
    }
    for (index, (bundle, _)) in PROMOTED_BUNDLES.iter().enumerate() {
        let number = i64::try_from(index).unwrap_or(0) + hour;
        let (order, customer) =
            (format!("week-{}-{:02}-{bundle}", local_time.weekday(), local_time.hour()), number % 25 + 1);
        let body = json!({
            "orgId": org, "bundleId": bundle, "orderId": order, "customerId": format!("c{customer:04}"),
        });
        let answer = api.send(&at(ApiRequest::post("bundle-redemption", "/redemptions", body))).await?;
        let Some(order_counts) = counts.get_mut(bundle) else { continue };
        match answer.status {
            StatusCode::CREATED | StatusCode::OK => {
                order_counts.redeemed += 1;
                award_points(api, org, now, &order, customer, "24.50").await?;
                order_counts.first.get_or_insert(order);
            }
            StatusCode::CONFLICT => {
                let code = answer.body.get("code").and_then(Value::as_str).unwrap_or_default().to_owned();
                *order_counts.refused.entry(code).or_default() += 1;
            }
            _ => bail!(answer.problem_summary()),
        }
    }
    let order = format!("week-{}-{:02}", local_time.weekday(), local_time.hour());
    award_points(api, org, now, &order, 100 + hour % 40, &format!("{}.99", 14 + hour % 9)).await
}

/// Awards the points of an order, if the loaded purchase log has its customer.
async fn award_points(
    api: &Api,
    org: &OrgId,
    now: DateTime<Utc>,
    order: &str,
    customer: i64,
    total: &str,
) -> anyhow::Result<()> {
    let body = json!({"orgId": org, "customerId": format!("c{customer:04}"), "orderId": order, "orderTotal": total});
    let request = ApiRequest { now: Some(now), ..ApiRequest::post("points-award", "/awards", body) };
    let answer = api.send(&request).await?;
    if answer.status == StatusCode::NOT_FOUND { Ok(()) } else { answer.into_accepted_body().map(drop) }
}

async fn print_week(api: &Api, org: &OrgId, counts: &BTreeMap<&str, OrderCounts>) -> anyhow::Result<()> {
    print_line("");
    let heading = ["bundle", "opened", "closed", "redeemed", "saved", "status", "rejected"];
    let print_row = |cells: [&str; 7]| {
        let [bundle, opened, closed, counted, saved, status, refused] = cells;
        let line = format!("  {bundle:<12}{opened:>8}{closed:>8}{counted:>10}{saved:>10}  {status:<12}{refused}");
        print_line(line.trim_end());
    };
    print_row(heading);
    let mut log: Vec<(String, String)> = Vec::new();
    for (bundle, _) in PROMOTED_BUNDLES {
        let transitions = list_transitions(api, org, bundle).await?;
        let to =
            |status: &str| transitions.iter().filter(|change| text_field(change, "to") == status).count().to_string();
        let from =
            |status: &str| transitions.iter().filter(|change| text_field(change, "from") == status).count().to_string();
        let path = format!("/stats?orgId={org}&bundleId={bundle}");
        let stats = api.send(&ApiRequest::get("bundle-redemption", &path)).await?.into_accepted_body()?;
        let counted = stats.get("totalRedemptions").map(Value::to_string).unwrap_or_default();
        let refused = counts.get(bundle).map(|order_counts| &order_counts.refused).into_iter().flatten();
        let refused: Vec<String> = refused.map(|(code, count)| format!("{count} {code}")).collect();
        let last_status = transitions.last().map(|change| text_field(change, "to")).unwrap_or_default();
        print_row([
            bundle,
            &to("active"),
            &from("active"),
            &counted,
            &format_amount(parse_minor_units(stats.get("totalSavings"))?),
            last_status,
            &refused.join(", "),
        ]);
        let notable = transitions.iter().filter(|change| !text_field(change, "reason").starts_with("time window"));
        log.extend(notable.map(|change| {
            let (at, from, to) = (text_field(change, "at"), text_field(change, "from"), text_field(change, "to"));
            let note = change.get("note").and_then(Value::as_str).map(|note| format!(": {note}")).unwrap_or_default();
            let line = format!("{bundle:<12} {from:>9} -> {to:<9} {}{note}", text_field(change, "reason"));
            (at.to_owned(), line)
        }));
    }
    print_line("\n  other transitions than those of the daily time windows (UTC)");
    // The sort is stable, so transitions at one instant keep the order of their record.
    log.sort_by(|entry, other| entry.0.cmp(&other.0));
    for (at, line) in log {
        print_line(&format!("  {}  {line}", at.get(..16).unwrap_or(&at).replace('T', " ")));
    }
    print_line("");
    Ok(())
}

fn text_field<'a>(change: &'a Value, name: &str) -> &'a str {
    change.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Lists the transitions of a bundle, oldest first.
async fn list_transitions(api: &Api, org: &OrgId, bundle: &str) -> anyhow::Result<Vec<Value>> {
    let path = format!("/orgs/{org}/bundles/{bundle}/transitions");
    let mut all = Vec::new();
    List::new(&path, "transitions")
        .for_each(api, |transition| {
            all.push(transition.clone());
            Ok(())
        })
        .await?;
    all.reverse();
    Ok(all)
}
