//! A promotion week on the demo org: bundles that open, close, pause and sell out, while orders come in and the clock of
//! the local stack is moved forward, hour by hour.

use std::collections::BTreeMap;

use anyhow::bail;
use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc};
use reqwest::StatusCode;
use serde_json::{Value, json};
use shared::domain::{ids::OrgId, time};

use crate::{
    api::{Api, Request},
    report::{minor, money, say},
};

/// Monday 1998-07-06, 00:00 in New York: the week after the purchase log ends.
const BEGINS: &str = "1998-07-06T04:00:00Z";
const HOURS: i64 = 7 * 24;

/// New York is so far behind UTC in that week.
const BEHIND_UTC: TimeDelta = TimeDelta::hours(4);

/// What a bundle has of its own.
type Terms = fn() -> Value;

/// The bundles, and what makes each of them special.
const BUNDLES: [(&str, Terms); 5] = [
    ("all-week", || json!({"perCustomerLimit": 3})),
    ("happy-hour", || json!({"daysOfWeek": [1, 2, 3, 4, 5], "timeStart": "17:00", "timeEnd": "19:00"})),
    ("late-night", || json!({"daysOfWeek": [5, 6], "timeStart": "21:00", "timeEnd": "02:00"})),
    ("first-forty", || json!({"startDate": "1998-07-07T13:00:00Z", "maxRedemptions": 40})),
    ("recalled", || json!({})),
];

/// What is done by hand, at this hour of the week.
const BY_HAND: [(i64, ByHand); 3] = [
    (2 * 24 + 11, ByHand::Move("recalled", "paused", "a faulty batch")),
    (4 * 24 + 9, ByHand::Move("recalled", "published", "the batch was replaced")),
    (5 * 24 + 12, ByHand::Cancel("first-forty")),
];

#[derive(Clone, Copy)]
enum ByHand {
    Move(&'static str, &'static str, &'static str),
    /// The bundle's first order is cancelled.
    Cancel(&'static str),
}

/// What a bundle's orders came to.
#[derive(Default)]
struct Tally {
    redeemed: u32,
    refused: BTreeMap<String, u32>,
    first: Option<String>,
}

/// The Monday after it, when the week is reported.
pub(crate) fn over() -> anyhow::Result<DateTime<Utc>> {
    Ok(time::parse(BEGINS).map_err(anyhow::Error::msg)? + TimeDelta::hours(HOURS + 9))
}

/// Plays the week, unless it was played before, and shows what happened.
pub(crate) async fn week(api: &Api, org: &OrgId) -> anyhow::Result<()> {
    let begins = time::parse(BEGINS).map_err(anyhow::Error::msg)?;
    let mut tallies: BTreeMap<&str, Tally> = BUNDLES.iter().map(|(bundle, _)| (*bundle, Tally::default())).collect();
    say("\nA promotion week, 6 to 12 July 1998, hour by hour …");
    if create(api, org, begins).await? {
        for hour in 0..=HOURS {
            play_hour(api, org, begins, hour, &mut tallies).await?;
        }
    } else {
        say("(played before: what was refused then is not on record)");
    }
    show(api, org, &tallies).await
}

/// Creates the bundles; whether any is new.
async fn create(api: &Api, org: &OrgId, begins: DateTime<Utc>) -> anyhow::Result<bool> {
    let mut new = false;
    for (bundle, special) in BUNDLES {
        let mut body = json!({
            "name": bundle, "type": "fixed_price", "originalTotal": 30, "bundlePrice": "24.50", "desiredState": "published",
            "startDate": time::text(begins), "endDate": time::text(begins + TimeDelta::hours(HOURS)),
            "products": [{"productId": "cd", "name": "Compact disc", "requiredQty": 2, "originalPrice": 15}],
        });
        if let (Value::Object(body), Value::Object(special)) = (&mut body, special()) {
            body.extend(special);
        }
        let path = format!("/orgs/{org}/bundles/{bundle}");
        // An hour before it begins, so that the beginning is seen.
        let now = Some(begins - TimeDelta::hours(1));
        let answer = api.send(&Request { only_create: true, now, ..Request::put("back-office", &path, body) }).await?;
        if answer.status != StatusCode::PRECONDITION_FAILED {
            answer.accepted()?;
            new = true;
        }
    }
    Ok(new)
}

async fn play_hour(
    api: &Api,
    org: &OrgId,
    begins: DateTime<Utc>,
    hour: i64,
    tallies: &mut BTreeMap<&'static str, Tally>,
) -> anyhow::Result<()> {
    let now = begins + TimeDelta::hours(hour);
    let at = |request: Request<'static>| Request { now: Some(now), ..request };
    api.send(&at(Request::post("bundle-transitions", "/", json!({"orgId": org})))).await?.accepted()?;
    for (_, by_hand) in BY_HAND.iter().filter(|(when, _)| *when == hour) {
        let (function, method, path, body) = match by_hand {
            ByHand::Move(bundle, to, reason) => {
                let path = format!("/orgs/{org}/bundles/{bundle}/transition");
                ("back-office", reqwest::Method::POST, path, Some(json!({"to": to, "reason": reason})))
            }
            ByHand::Cancel(bundle) => {
                let first = tallies.get(bundle).and_then(|tally| tally.first.clone()).unwrap_or_default();
                let path = format!("/redemptions/{first}?orgId={org}&bundleId={bundle}");
                ("bundle-redemption", reqwest::Method::DELETE, path, None)
            }
        };
        let request = Request { method, function, path: &path, body, now: Some(now), only_create: false };
        api.send(&request).await?.accepted()?;
    }
    let local = now - BEHIND_UTC;
    if hour == HOURS || local.hour() < 9 {
        return Ok(());
    }
    for (nth, (bundle, _)) in BUNDLES.iter().enumerate() {
        let number = i64::try_from(nth).unwrap_or(0) + hour;
        let (order, customer) = (format!("week-{}-{:02}-{bundle}", local.weekday(), local.hour()), number % 25 + 1);
        let body = json!({
            "orgId": org, "bundleId": bundle, "orderId": order, "customerId": format!("c{customer:04}"),
        });
        let answer = api.send(&at(Request::post("bundle-redemption", "/redemptions", body))).await?;
        let Some(tally) = tallies.get_mut(bundle) else { continue };
        match answer.status {
            StatusCode::CREATED | StatusCode::OK => {
                tally.redeemed += 1;
                award(api, org, now, &order, customer, "24.50").await?;
                tally.first.get_or_insert(order);
            }
            StatusCode::CONFLICT => {
                let code = answer.body.get("code").and_then(Value::as_str).unwrap_or_default().to_owned();
                *tally.refused.entry(code).or_default() += 1;
            }
            _ => bail!(answer.complaint()),
        }
    }
    let order = format!("week-{}-{:02}", local.weekday(), local.hour());
    award(api, org, now, &order, 100 + hour % 40, &format!("{}.99", 14 + hour % 9)).await
}

/// The points of an order, if its customer is in the purchase log that was loaded.
async fn award(
    api: &Api,
    org: &OrgId,
    now: DateTime<Utc>,
    order: &str,
    customer: i64,
    total: &str,
) -> anyhow::Result<()> {
    let body = json!({"orgId": org, "customerId": format!("c{customer:04}"), "orderId": order, "orderTotal": total});
    let request = Request { now: Some(now), ..Request::post("points-award", "/awards", body) };
    let answer = api.send(&request).await?;
    if answer.status == StatusCode::NOT_FOUND { Ok(()) } else { answer.accepted().map(drop) }
}

async fn show(api: &Api, org: &OrgId, tallies: &BTreeMap<&str, Tally>) -> anyhow::Result<()> {
    say("");
    let heading = ["bundle", "opened", "closed", "counting", "saved", "in the end", "refused"];
    let row = |cells: [&str; 7]| {
        let [bundle, opened, closed, counting, saved, status, refused] = cells;
        let line = format!("  {bundle:<12}{opened:>8}{closed:>8}{counting:>10}{saved:>10}  {status:<12}{refused}");
        say(line.trim_end());
    };
    row(heading);
    let mut log: Vec<(String, String)> = Vec::new();
    for (bundle, _) in BUNDLES {
        let transitions = transitions(api, org, bundle).await?;
        let to = |status: &str| transitions.iter().filter(|change| text(change, "to") == status).count().to_string();
        let from =
            |status: &str| transitions.iter().filter(|change| text(change, "from") == status).count().to_string();
        let path = format!("/stats?orgId={org}&bundleId={bundle}");
        let stats = api.send(&Request::get("bundle-redemption", &path)).await?.accepted()?;
        let counting = stats.get("totalRedemptions").map(Value::to_string).unwrap_or_default();
        let refused = tallies.get(bundle).map(|tally| &tally.refused).into_iter().flatten();
        let refused: Vec<String> = refused.map(|(code, count)| format!("{count} {code}")).collect();
        let in_the_end = transitions.last().map(|change| text(change, "to")).unwrap_or_default();
        row([
            bundle,
            &to("active"),
            &from("active"),
            &counting,
            &money(minor(stats.get("totalSavings"))?),
            in_the_end,
            &refused.join(", "),
        ]);
        let notable = transitions.iter().filter(|change| !text(change, "reason").starts_with("time window"));
        log.extend(notable.map(|change| {
            let (at, from, to) = (text(change, "at"), text(change, "from"), text(change, "to"));
            let note = change.get("note").and_then(Value::as_str).map(|note| format!(": {note}")).unwrap_or_default();
            let line = format!("{bundle:<12} {from:>9} -> {to:<9} {}{note}", text(change, "reason"));
            (at.to_owned(), line)
        }));
    }
    say("\n  what happened beside the windows of the day (UTC)");
    // Of one instant in the order of each bundle's record.
    log.sort_by(|one, next| one.0.cmp(&next.0));
    for (at, line) in log {
        say(&format!("  {}  {line}", at.get(..16).unwrap_or(&at).replace('T', " ")));
    }
    say("");
    Ok(())
}

fn text<'a>(change: &'a Value, name: &str) -> &'a str {
    change.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A bundle's transitions, oldest first.
async fn transitions(api: &Api, org: &OrgId, bundle: &str) -> anyhow::Result<Vec<Value>> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/orgs/{org}/bundles/{bundle}/transitions?limit=100{cursor}");
        let mut page = api.send(&Request::get("back-office", &path)).await?.accepted()?;
        if let Some(Value::Array(rows)) = page.get_mut("transitions").map(Value::take) {
            all.extend(rows);
        }
        match page.get("cursor").and_then(Value::as_str) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    all.reverse();
    Ok(all)
}
