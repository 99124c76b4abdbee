//! Churn on the demo org: scores the customers active on a day of the log, and compares the scores with the later
//! orders.

use std::collections::BTreeSet;

use anyhow::bail;
use back_office::customer_list::{CustomersRequest, ListCustomers};
use chrono::{DateTime, TimeDelta, Utc};
use churn_prediction::{
    answer::HindsightView,
    predict::{PredictChurn, PredictionRequest},
};
use client::Call;
use serde_json::json;
use shared::domain::{
    churn::risk::{Probability, RiskLevel},
    ids::{CustomerId, OrgId},
};

use crate::{
    api::Api,
    list::{Pages, readable_item},
    orders::PastOrders,
    output::print_line,
    requests,
    values::{format_amount, group_digits, parse_instant},
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
    id: CustomerId,
    /// Probability of leaving.
    probability: Probability,
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
pub(crate) async fn evaluate(api: &Api, org: &OrgId) -> anyhow::Result<Option<HindsightView>> {
    run_job(api, org, EVALUATED_AT).await
}

/// Runs the job in the night before the promotion week is reported, so that the report has scores.
pub(crate) async fn rescore(api: &Api, org: &OrgId) -> anyhow::Result<()> {
    run_job(api, org, RESCORED_AT).await.map(drop)
}

/// Calls the job until it returns no cursor. Returns its evaluation of earlier predictions.
async fn run_job(api: &Api, org: &OrgId, now: &str) -> anyhow::Result<Option<HindsightView>> {
    let mut evaluation = None;
    let mut request = PredictionRequest { org_id: Some(org.clone()), customer_id: None, cursor: None, dry_run: false };
    loop {
        let call = Call::<PredictChurn>::new(&request)?.at(parse_instant(now)?);
        let answer = api.call(&call).await?.answer;
        if !answer.success {
            bail!("not all customers were scored: {}", json!(answer));
        }
        let result = answer.results.into_iter().next();
        evaluation = evaluation.or_else(|| result.and_then(|result| result.figures.hindsight));
        let Some(cursor) = answer.cursor else { return Ok(evaluation) };
        request.cursor = Some(cursor.into());
    }
}

async fn list_at_risk(api: &Api, org: &OrgId, level: RiskLevel) -> anyhow::Result<Vec<ScoredCustomer>> {
    let request = CustomersRequest { risk_level: Some(level), ..requests::all_customers(org) };
    let pages = Pages::<ListCustomers>::of(request).at(parse_instant(SCORED_AT)?);
    let mut customers = Vec::new();
    pages
        .for_each(api, |row| {
            let scored = readable_item(row).and_then(|customer| {
                Some(ScoredCustomer {
                    id: customer.customer_id,
                    probability: customer.churn?.churn_probability,
                    lifetime_value: customer.lifetime_value.minor(),
                })
            });
            customers.extend(scored);
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
pub(crate) fn print_table(
    groups: &[RiskGroup],
    retained_customers: &BTreeSet<CustomerId>,
    evaluation: Option<&HindsightView>,
) {
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
        let percent = |customer: &ScoredCustomer| f64::from(customer.probability.hundredths()) / 100.0;
        let score = mean_percent(customers.iter().map(percent).sum());
        let has_left = |customer: &ScoredCustomer| !retained_customers.contains(&customer.id);
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
    if let Some(HindsightView { predictions, left, came_true, brier, auc }) = evaluation {
        // As JSON shows it: a whole score has a decimal too.
        let score = |score: &Option<f64>| score.map_or_else(|| "-".into(), |score| json!(score).to_string());
        print_line(&format!(
            "\n  The job's own evaluation 90 days later: {predictions} predictions, {came_true} correct, {left} left; \
             Brier {}, AUC {}",
            score(brier),
            score(auc),
        ));
    }
    print_line("");
}
