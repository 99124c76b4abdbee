//! Checks churn prediction: each active customer gets a probability, its risk level and its source, and is listed by
//! risk.

use std::time::Duration;

use anyhow::{Context, bail};
use back_office::{
    customer_list::{CustomersRequest, ListCustomers},
    customers::GetCustomer,
    view::CustomerView,
};
use churn_prediction::{
    answer::WithoutClaude,
    predict::{PredictChurn, PredictionRequest},
};
use client::{Call, value};
use serde_json::{Value, json};
use shared::{
    domain::{churn::risk::RiskLevel, ids::CustomerId},
    host::Success,
};

use super::{
    expected::{Step, field},
    test_shop::{CheckResult, INDEX_LAG_MAX, TestShop, days_ago, poll_until},
};
use crate::{list::readable_item, requests};

/// Time limit of one call. The few customers are one request to Claude, with its retries.
const RUN_TIMEOUT: Duration = Duration::from_secs(150);

/// Calls within which a run over the few customers must end.
const RUN_CALLS_MAX: usize = 3;

/// Customers, and how many days ago each ordered. All are active, because `activeDays` is 90.
const ACTIVE_CUSTOMERS: [(&str, &[i64]); 3] = [("often", &[70, 50, 30, 10, 2]), ("once", &[85]), ("twice", &[80, 75])];

/// Counts of a run.
#[derive(Default)]
struct RunCounts {
    predictions: u64,
    claude: u64,
    statistical: u64,
    without_claude: Option<WithoutClaude>,
}

pub(crate) async fn check(shop: &TestShop) -> CheckResult {
    for (customer, days) in ACTIVE_CUSTOMERS {
        let id = shop.register(customer).await?;
        for days in days {
            shop.award((&id, &format!("{customer}-{days}"), 20), days_ago(*days), |_| Vec::new()).await?;
        }
    }
    let active = poll_until(INDEX_LAG_MAX, async || count_active(shop).await).await?;
    let active =
        active.context("the list of customers: expected the three that have just ordered, but not all are listed")?;
    let counts = run_job(&shop.without_retries(RUN_TIMEOUT)).await?;
    if counts.predictions != active || counts.claude + counts.statistical != active {
        bail!(
            "a run for the org: expected a score for each of {active} active customers, came {} by Claude and {} by the \
             statistical model, {} in all",
            counts.claude,
            counts.statistical,
            counts.predictions
        );
    }
    let mut levels = Vec::new();
    for (customer, _) in ACTIVE_CUSTOMERS {
        let customer = value(customer)?;
        let level = check_score(shop, &customer).await?;
        levels.push((customer, level));
    }
    for (customer, level) in levels {
        check_listed(shop, &customer, level).await?;
    }
    let reason = counts.without_claude.map(|reason| json!(reason));
    let reason = reason.as_ref().and_then(Value::as_str);
    let sources = match (counts.claude, counts.statistical, reason) {
        (_, 0, _) => "by Claude".to_owned(),
        (0, _, Some(reason)) => format!("by the statistical model, without Claude: {reason}"),
        (claude, statistical, reason) => {
            let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("{claude} by Claude, {statistical} by the statistical model{reason}")
        }
    };
    Ok(format!("each of {active} active customers has a score, a risk level and a place in its list ({sources})"))
}

/// Counts the active customers of the org. `None` while the list lacks a new order.
async fn count_active(shop: &TestShop) -> anyhow::Result<Option<u64>> {
    let customers = shop.list::<ListCustomers>(requests::all_customers(&shop.org)).await?;
    let customers: Vec<CustomerView> = customers.into_iter().filter_map(readable_item).collect();
    let orders = |id: &str| {
        let row = customers.iter().find(|row| row.customer_id.as_str() == id);
        row.map_or(0, |row| row.order_count)
    };
    let all_there = ACTIVE_CUSTOMERS.iter().all(|(id, days)| u32::try_from(days.len()) == Ok(orders(id)));
    let is_active = |row: &&CustomerView| row.days_since_last_order.is_some_and(|days| days < 90);
    let active = customers.iter().filter(is_active).count();
    Ok(u64::try_from(active).ok().filter(|_| all_there))
}

/// Calls the job until it returns no cursor.
async fn run_job(shop: &TestShop) -> anyhow::Result<RunCounts> {
    let mut counts = RunCounts::default();
    let mut request =
        PredictionRequest { org_id: Some(shop.org.clone()), customer_id: None, cursor: None, dry_run: false };
    for _ in 0..RUN_CALLS_MAX {
        let answer = shop.check::<PredictChurn>("a run for the org", &request, Success::Done, |answer| {
            let errors = answer.summary.total_errors;
            vec![field("success", answer.success, true), field("summary/totalErrors", errors, 0)]
        });
        let answer = answer.await?;
        if let Some(result) = answer.results.first() {
            counts.predictions += result.figures.predictions;
            counts.claude += result.figures.claude;
            counts.statistical += result.figures.statistical;
        }
        counts.without_claude = counts.without_claude.or(answer.summary.sums.without_claude);
        let Some(cursor) = answer.cursor else { return Ok(counts) };
        request.cursor = Some(cursor.into());
    }
    bail!("a run for the org: expected an end within {RUN_CALLS_MAX} calls, came another cursor")
}

/// The risk level of a customer. Fails if a field of the score is missing or contradicts another.
async fn check_score(shop: &TestShop, customer: &CustomerId) -> anyhow::Result<RiskLevel> {
    let label = format!("the customer {customer}");
    let step = Step { label: &label, call: Call::<GetCustomer>::new(&shop.customer_request(customer))? };
    let answer = shop.send(&step).await?;
    let Some(churn) = step.accepted(&answer, Success::Done, |_| Vec::new())?.churn else {
        // The type has no score if any of its fields is missing or invalid, so the message shows the JSON.
        let score = ["churnProbability", "churnRiskLevel", "churnReasoning", "churnSource", "churnPredictedAt"];
        let [probability, others @ ..] = score.map(|name| answer.body.get(name).unwrap_or(&Value::Null));
        bail!("{label}: expected a churnProbability from 0 to 100, came {probability}, with {others:?}");
    };
    let level = RiskLevel::of(churn.churn_probability);
    if churn.churn_risk_level != level {
        let (probability, actual) = (json!(churn.churn_probability), churn.churn_risk_level.name());
        bail!("{label}: expected the churnRiskLevel {} at {probability} %, came {actual:?}", level.name());
    }
    Ok(level)
}

/// Fails unless the list of the risk level has the customer in time.
async fn check_listed(shop: &TestShop, customer: &CustomerId, level: RiskLevel) -> anyhow::Result<()> {
    let found = poll_until(INDEX_LAG_MAX, async || {
        let request = CustomersRequest { risk_level: Some(level), ..requests::all_customers(&shop.org) };
        let rows = shop.list::<ListCustomers>(request).await?;
        Ok(rows.into_iter().filter_map(readable_item).any(|row| row.customer_id == *customer).then_some(()))
    });
    let unlisted = || format!("the list of customers at {} risk: expected {customer}, but it is missing", level.name());
    found.await?.with_context(unlisted)
}
