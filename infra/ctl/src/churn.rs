//! Churn on the demo org: everybody active on a day of the log is scored, the log goes on, and is held against the scores.

use std::collections::BTreeSet;

use anyhow::bail;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use shared::domain::{
    churn::risk::RiskLevel,
    ids::{CustomerId, OrgId},
};

use crate::{
    api::{Api, ApiRequest},
    orders::PastOrders,
    output::print_line,
    values::{format_amount, group_digits, parse_instant, parse_minor_units},
};

/// The end of the day on which customers are scored, with that day's orders known.
const SCORED_AT: &str = "1997-09-30T23:59:59Z";

/// How far ahead a score looks: what `activeDays` is unless a shop says otherwise.
const CHURN_HORIZON: TimeDelta = TimeDelta::days(90);

/// The first second after the horizon.
const EVALUATED_AT: &str = "1997-12-30T00:00:00Z";

/// The Sunday of the promotion week, at two in New York.
const RESCORED_AT: &str = "1998-07-12T06:00:00Z";

/// When the log is parted: what comes after the first is not known when scores are made, what comes after the second
/// not when they are looked back at.
pub(crate) fn log_cutoffs() -> anyhow::Result<[DateTime<Utc>; 2]> {
    Ok([parse_instant(SCORED_AT)?, parse_instant(EVALUATED_AT)?])
}

/// The customers of one risk level.
pub(crate) struct RiskGroup {
    name: &'static str,
    customers: Vec<ScoredCustomer>,
}

struct ScoredCustomer {
    id: String,
    /// In percent.
    probability: f64,
    /// In minor units.
    lifetime_value: i64,
}

/// Scores everybody who is active on that day, and lists them by risk level, most valuable first.
pub(crate) async fn score(api: &Api, org: &OrgId) -> anyhow::Result<Vec<RiskGroup>> {
    run_job(api, org, SCORED_AT).await?;
    let mut groups = Vec::new();
    for level in RiskLevel::ALL.into_iter().rev() {
        groups.push(RiskGroup { name: level.name(), customers: list_at_risk(api, org, level).await? });
    }
    Ok(groups)
}

/// Runs the job again when the horizon is over: how it says that its predictions came out, if there were any.
pub(crate) async fn evaluate(api: &Api, org: &OrgId) -> anyhow::Result<Option<Value>> {
    run_job(api, org, EVALUATED_AT).await
}

/// Runs the job in the night before the week of the promotion is reported, so that the report finds scores.
pub(crate) async fn rescore(api: &Api, org: &OrgId) -> anyhow::Result<()> {
    run_job(api, org, RESCORED_AT).await.map(drop)
}

/// One run, call by call; what it says of earlier predictions.
async fn run_job(api: &Api, org: &OrgId, now: &str) -> anyhow::Result<Option<Value>> {
    let (mut evaluation, mut cursor) = (None, None);
    loop {
        let mut body = json!({ "orgId": org });
        if let (Some(cursor), Value::Object(fields)) = (cursor, &mut body) {
            fields.insert("cursor".into(), cursor);
        }
        let request = ApiRequest { now: Some(parse_instant(now)?), ..ApiRequest::post("churn-prediction", "/", body) };
        let answer = api.send(&request).await?.into_accepted_body()?;
        if answer.get("success") != Some(&Value::Bool(true)) {
            bail!("not everybody could be scored: {answer}");
        }
        evaluation = evaluation.or_else(|| answer.pointer("/results/0/hindsight").cloned());
        cursor = answer.get("cursor").cloned();
        if cursor.is_none() {
            return Ok(evaluation);
        }
    }
}

async fn list_at_risk(api: &Api, org: &OrgId, level: RiskLevel) -> anyhow::Result<Vec<ScoredCustomer>> {
    let (mut customers, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/orgs/{org}/customers?riskLevel={}&limit=100{cursor}", level.name());
        let list = ApiRequest { now: Some(parse_instant(SCORED_AT)?), ..ApiRequest::get("back-office", &path) };
        let page = api.send(&list).await?.into_accepted_body()?;
        let listed = page.get("customers").and_then(Value::as_array).into_iter().flatten();
        for customer in listed {
            customers.push(ScoredCustomer {
                id: customer.get("customerId").and_then(Value::as_str).unwrap_or_default().to_owned(),
                probability: customer.get("churnProbability").and_then(Value::as_f64).unwrap_or(0.0),
                lifetime_value: parse_minor_units(customer.get("lifetimeValue"))?,
            });
        }
        match page.get("cursor").and_then(Value::as_str) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(customers),
        }
    }
}

/// Who has ordered within the horizon, by the log.
pub(crate) fn retained_customers(log: &PastOrders) -> anyhow::Result<BTreeSet<CustomerId>> {
    let from = parse_instant(SCORED_AT)?;
    let is_in_horizon = |at: DateTime<Utc>| at > from && at <= from + CHURN_HORIZON;
    let retained_customers =
        log.by_customer.iter().filter(|(_, orders)| orders.iter().any(|order| is_in_horizon(order.fulfilled_at)));
    Ok(retained_customers.map(|(customer, _)| customer.clone()).collect())
}

/// Shows how many were at which risk, how many of them really left, and what the job itself says of it.
pub(crate) fn print_table(groups: &[RiskGroup], retained_customers: &BTreeSet<CustomerId>, evaluation: Option<&Value>) {
    print_line("\nWho was about to leave, of those active on 30 September 1997: no order in the 90 days after\n");
    let print_row = |cells: [&str; 5]| {
        let [level, customers, score, share_left, most_valuable] = cells;
        print_line(format!("  {level:<10}{customers:>10}{score:>12}{share_left:>12}  {most_valuable}").trim_end());
    };
    print_row(["risk", "customers", "mean score", "really left", "most valuable"]);
    for RiskGroup { name, customers } in groups {
        let count = u32::try_from(customers.len()).unwrap_or(u32::MAX);
        let mean_percent =
            |sum: f64| if count == 0 { "-".to_owned() } else { format!("{:.1} %", sum / f64::from(count)) };
        let score = mean_percent(customers.iter().map(|customer| customer.probability).sum());
        let has_left = |customer: &ScoredCustomer| {
            CustomerId::try_from(customer.id.clone()).is_ok_and(|id| !retained_customers.contains(&id))
        };
        let share_left =
            mean_percent(customers.iter().map(|customer| if has_left(customer) { 100.0 } else { 0.0 }).sum());
        let most_valuable = customers
            .iter()
            .take(2)
            .map(|customer| format!("{} (${})", customer.id, format_amount(customer.lifetime_value)));
        print_row([
            name,
            &group_digits(count.into()),
            &score,
            &share_left,
            &most_valuable.collect::<Vec<_>>().join(", "),
        ]);
    }
    if let Some(evaluation) = evaluation {
        let number = |name: &str| evaluation.get(name).map_or_else(|| "-".into(), Value::to_string);
        print_line(&format!(
            "\n  What the job itself said of it 90 days later: of {} predictions {} came true, {} left; Brier {}, AUC {}",
            number("predictions"),
            number("cameTrue"),
            number("left"),
            number("brier"),
            number("auc"),
        ));
    }
    print_line("");
}
