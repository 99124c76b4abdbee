//! Churn on the demo org: scores the customers active on a day of the log, and compares the scores with the later
//! orders.

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
    list::List,
    orders::PastOrders,
    output::print_line,
    values::{format_amount, group_digits, parse_instant, parse_minor_units},
};

/// The instant of the scoring: the end of a day, after that day's orders.
const SCORED_AT: &str = "1997-09-30T23:59:59Z";

/// Horizon of a score: the default of `activeDays`.
const CHURN_HORIZON: TimeDelta = TimeDelta::days(90);

/// The first second after the horizon, when the job evaluates its predictions.
const EVALUATED_AT: &str = "1997-12-30T00:00:00Z";

/// The Sunday of the promotion week, 02:00 in New York.
const RESCORED_AT: &str = "1998-07-12T06:00:00Z";

/// The two instants at which the log is split. The scoring uses no order after the first instant, and the evaluation
/// uses no order after the second.
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
    /// Probability of leaving, in percent.
    probability: f64,
    /// Lifetime value, in minor units.
    lifetime_value: i64,
}

/// Scores the customers active at the scoring, and lists them by risk level, most valuable first.
pub(crate) async fn score(api: &Api, org: &OrgId) -> anyhow::Result<Vec<RiskGroup>> {
    run_job(api, org, SCORED_AT).await?;
    let mut groups = Vec::new();
    for level in RiskLevel::ALL.iter().rev().copied() {
        groups.push(RiskGroup { name: level.name(), customers: list_at_risk(api, org, level).await? });
    }
    Ok(groups)
}

/// Runs the job after the horizon. Returns the job's evaluation of its predictions, if there were any.
pub(crate) async fn evaluate(api: &Api, org: &OrgId) -> anyhow::Result<Option<Value>> {
    run_job(api, org, EVALUATED_AT).await
}

/// Runs the job in the night before the promotion week is reported, so that the report has scores.
pub(crate) async fn rescore(api: &Api, org: &OrgId) -> anyhow::Result<()> {
    run_job(api, org, RESCORED_AT).await.map(drop)
}

/// Calls the job until it returns no cursor. Returns its evaluation of earlier predictions.
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
            bail!("not all customers were scored: {answer}");
        }
        evaluation = evaluation.or_else(|| answer.pointer("/results/0/hindsight").cloned());
        cursor = answer.get("cursor").cloned();
        if cursor.is_none() {
            return Ok(evaluation);
        }
    }
}

async fn list_at_risk(api: &Api, org: &OrgId, level: RiskLevel) -> anyhow::Result<Vec<ScoredCustomer>> {
    let path = format!("/orgs/{org}/customers?riskLevel={}", level.name());
    let list = List { now: Some(parse_instant(SCORED_AT)?), ..List::new(&path, "customers") };
    let mut customers = Vec::new();
    list.for_each(api, |customer| {
        customers.push(ScoredCustomer {
            id: customer.get("customerId").and_then(Value::as_str).unwrap_or_default().to_owned(),
            probability: customer.get("churnProbability").and_then(Value::as_f64).unwrap_or(0.0),
            lifetime_value: parse_minor_units(customer.get("lifetimeValue"))?,
        });
        Ok(())
    })
    .await?;
    Ok(customers)
}

/// The customers that ordered within the horizon, by the log.
pub(crate) fn retained_customers(log: &PastOrders) -> anyhow::Result<BTreeSet<CustomerId>> {
    let from = parse_instant(SCORED_AT)?;
    let is_in_horizon = |at: DateTime<Utc>| at > from && at <= from + CHURN_HORIZON;
    let retained_customers =
        log.by_customer.iter().filter(|(_, orders)| orders.iter().any(|order| is_in_horizon(order.fulfilled_at)));
    Ok(retained_customers.map(|(customer, _)| customer.clone()).collect())
}

/// Prints the customers and the share that left by risk level, and the job's own evaluation.
pub(crate) fn print_table(groups: &[RiskGroup], retained_customers: &BTreeSet<CustomerId>, evaluation: Option<&Value>) {
    print_line(
        "\nChurn risk of the customers active on 30 September 1997, and how many had no order in the next 90 days\n",
    );
    let print_row = |cells: [&str; 5]| {
        let [level, customers, score, share_left, most_valuable] = cells;
        print_line(format!("  {level:<10}{customers:>10}{score:>12}{share_left:>12}  {most_valuable}").trim_end());
    };
    print_row(["risk", "customers", "mean score", "left", "most valuable"]);
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
            "\n  The job's own evaluation 90 days later: {} predictions, {} correct, {} left; Brier {}, AUC {}",
            number("predictions"),
            number("cameTrue"),
            number("left"),
            number("brier"),
            number("auc"),
        ));
    }
    print_line("");
}
