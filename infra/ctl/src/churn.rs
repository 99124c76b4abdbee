//! Churn on the demo org: everybody active on a day of the log is scored, the log goes on, and is held against the scores.

use std::collections::BTreeSet;

use anyhow::bail;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use shared::domain::{
    churn::risk::RiskLevel,
    ids::{CustomerId, OrgId},
    time,
};

use crate::{
    api::{Api, Request},
    orders::PastOrders,
    report::{minor, money, say, thousands},
};

/// The end of the day on which customers are scored, with that day's orders known.
const SCORED_AT: &str = "1997-09-30T23:59:59Z";

/// How far ahead a score looks: what `activeDays` is unless a shop says otherwise.
const HORIZON: TimeDelta = TimeDelta::days(90);

/// The first second after the horizon.
const LOOKED_BACK_AT: &str = "1997-12-30T00:00:00Z";

/// The Sunday of the promotion week, at two in New York.
const SCORED_AGAIN_AT: &str = "1998-07-12T06:00:00Z";

/// When the log is parted: what comes after the first is not known when scores are made, what comes after the second
/// not when they are looked back at.
pub(crate) fn parting() -> anyhow::Result<[DateTime<Utc>; 2]> {
    Ok([time::parse(SCORED_AT).map_err(anyhow::Error::msg)?, time::parse(LOOKED_BACK_AT).map_err(anyhow::Error::msg)?])
}

/// The customers of one risk level.
pub(crate) struct Level {
    name: &'static str,
    customers: Vec<Scored>,
}

struct Scored {
    id: String,
    /// In percent.
    probability: f64,
    /// In minor units.
    lifetime_value: i64,
}

/// Scores everybody who is active on that day, and lists them by risk level, most valuable first.
pub(crate) async fn score(api: &Api, org: &OrgId) -> anyhow::Result<Vec<Level>> {
    run(api, org, SCORED_AT).await?;
    let mut levels = Vec::new();
    for level in RiskLevel::ALL.into_iter().rev() {
        levels.push(Level { name: level.name(), customers: at_risk(api, org, level).await? });
    }
    Ok(levels)
}

/// Runs the job again when the horizon is over: how it says that its predictions came out, if there were any.
pub(crate) async fn look_back(api: &Api, org: &OrgId) -> anyhow::Result<Option<Value>> {
    run(api, org, LOOKED_BACK_AT).await
}

/// Runs the job in the night before the week of the promotion is reported, so that the report finds scores.
pub(crate) async fn score_again(api: &Api, org: &OrgId) -> anyhow::Result<()> {
    run(api, org, SCORED_AGAIN_AT).await.map(drop)
}

/// One run, call by call; what it says of earlier predictions.
async fn run(api: &Api, org: &OrgId, now: &str) -> anyhow::Result<Option<Value>> {
    let (mut hindsight, mut cursor) = (None, None);
    loop {
        let mut body = json!({ "orgId": org });
        if let (Some(cursor), Value::Object(fields)) = (cursor, &mut body) {
            fields.insert("cursor".into(), cursor);
        }
        let request = Request {
            now: Some(time::parse(now).map_err(anyhow::Error::msg)?),
            ..Request::post("churn-prediction", "/", body)
        };
        let answer = api.send(&request).await?.accepted()?;
        if answer.get("success") != Some(&Value::Bool(true)) {
            bail!("not everybody could be scored: {answer}");
        }
        hindsight = hindsight.or_else(|| answer.pointer("/results/0/hindsight").cloned());
        cursor = answer.get("cursor").cloned();
        if cursor.is_none() {
            return Ok(hindsight);
        }
    }
}

async fn at_risk(api: &Api, org: &OrgId, level: RiskLevel) -> anyhow::Result<Vec<Scored>> {
    let (mut customers, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/orgs/{org}/customers?riskLevel={}&limit=100{cursor}", level.name());
        let list = Request {
            now: Some(time::parse(SCORED_AT).map_err(anyhow::Error::msg)?),
            ..Request::get("back-office", &path)
        };
        let page = api.send(&list).await?.accepted()?;
        let listed = page.get("customers").and_then(Value::as_array).into_iter().flatten();
        for customer in listed {
            customers.push(Scored {
                id: customer.get("customerId").and_then(Value::as_str).unwrap_or_default().to_owned(),
                probability: customer.get("churnProbability").and_then(Value::as_f64).unwrap_or(0.0),
                lifetime_value: minor(customer.get("lifetimeValue"))?,
            });
        }
        match page.get("cursor").and_then(Value::as_str) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(customers),
        }
    }
}

/// Who has ordered within the horizon, by the log.
pub(crate) fn stayed(log: &PastOrders) -> anyhow::Result<BTreeSet<CustomerId>> {
    let from = time::parse(SCORED_AT).map_err(anyhow::Error::msg)?;
    let within = |at: DateTime<Utc>| at > from && at <= from + HORIZON;
    let stayed = log.by_customer.iter().filter(|(_, orders)| orders.iter().any(|order| within(order.fulfilled_at)));
    Ok(stayed.map(|(customer, _)| customer.clone()).collect())
}

/// Shows how many were at which risk, how many of them really left, and what the job itself says of it.
pub(crate) fn show(levels: &[Level], stayed: &BTreeSet<CustomerId>, hindsight: Option<&Value>) {
    say("\nWho was about to leave, of those active on 30 September 1997: no order in the 90 days after\n");
    let row = |cells: [&str; 5]| {
        let [level, customers, score, left, valuable] = cells;
        say(format!("  {level:<10}{customers:>10}{score:>12}{left:>12}  {valuable}").trim_end());
    };
    row(["risk", "customers", "mean score", "really left", "most valuable"]);
    for Level { name, customers } in levels {
        let count = u32::try_from(customers.len()).unwrap_or(u32::MAX);
        let percent = |sum: f64| if count == 0 { "-".to_owned() } else { format!("{:.1} %", sum / f64::from(count)) };
        let score = percent(customers.iter().map(|customer| customer.probability).sum());
        let has_left =
            |customer: &Scored| CustomerId::try_from(customer.id.clone()).is_ok_and(|id| !stayed.contains(&id));
        let left = percent(customers.iter().map(|customer| if has_left(customer) { 100.0 } else { 0.0 }).sum());
        let valuable = customers.iter().take(2).map(|one| format!("{} (${})", one.id, money(one.lifetime_value)));
        row([name, &thousands(count.into()), &score, &left, &valuable.collect::<Vec<_>>().join(", ")]);
    }
    if let Some(hindsight) = hindsight {
        let number = |name: &str| hindsight.get(name).map_or_else(|| "-".into(), Value::to_string);
        say(&format!(
            "\n  What the job itself said of it 90 days later: of {} predictions {} came true, {} left; Brier {}, AUC {}",
            number("predictions"),
            number("cameTrue"),
            number("left"),
            number("brier"),
            number("auc"),
        ));
    }
    say("");
}
