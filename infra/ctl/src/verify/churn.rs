//! Checks churn prediction: each active customer gets a probability, its risk level and its source, and is listed by
//! risk.

use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};
use shared::domain::churn::risk::{Probability, RiskLevel};

use super::test_shop::{CheckResult, CheckedRequest, INDEX_LAG_MAX, TestShop, days_ago, poll_until, text_field};
use crate::api::ApiRequest;

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
    without_claude: Option<String>,
}

pub(crate) async fn check(shop: &TestShop) -> CheckResult {
    for (customer, days) in ACTIVE_CUSTOMERS {
        shop.register(customer).await?;
        for days in days {
            shop.award((customer, &format!("{customer}-{days}"), 20), days_ago(*days), &[]).await?;
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
        let level = check_score(&shop.check_customer(customer, &[]).await?)
            .with_context(|| format!("the customer {customer}"))?;
        levels.push((customer, level));
    }
    for (customer, level) in levels {
        check_listed(shop, customer, level).await?;
    }
    let sources = match (counts.claude, counts.statistical, counts.without_claude) {
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
    let customers = shop.list("customers?", "customers").await?;
    let orders = |id: &str| {
        let row = customers.iter().find(|row| text_field(row, "customerId") == id);
        row.and_then(|row| row.get("orderCount")).and_then(Value::as_u64).unwrap_or(0)
    };
    let all_there = ACTIVE_CUSTOMERS.iter().all(|(id, days)| u64::try_from(days.len()) == Ok(orders(id)));
    let days = |row: &Value| row.get("daysSinceLastOrder").and_then(Value::as_u64);
    let active = customers.iter().filter(|row| days(row).is_some_and(|days| days < 90)).count();
    Ok(u64::try_from(active).ok().filter(|_| all_there))
}

/// Calls the job until it returns no cursor.
async fn run_job(shop: &TestShop) -> anyhow::Result<RunCounts> {
    let (mut counts, mut body) = (RunCounts::default(), json!({"orgId": shop.org}));
    for _ in 0..RUN_CALLS_MAX {
        let request = ApiRequest::post("churn-prediction", "/", body);
        let fields = [("/success", json!(true)), ("/summary/totalErrors", json!(0))];
        let answer =
            shop.check(CheckedRequest { label: "a run for the org", request, status: 200, fields: &fields }).await?;
        let count = |name: &str| answer.pointer(&format!("/results/0/{name}")).and_then(Value::as_u64).unwrap_or(0);
        counts.predictions += count("predictions");
        counts.claude += count("claude");
        counts.statistical += count("statistical");
        let reason = answer.pointer("/summary/withoutClaude").and_then(Value::as_str);
        counts.without_claude = counts.without_claude.or(reason.map(str::to_owned));
        let Some(cursor) = answer.get("cursor") else { return Ok(counts) };
        body = json!({"orgId": shop.org, "cursor": cursor});
    }
    bail!("a run for the org: expected an end within {RUN_CALLS_MAX} calls, came another cursor")
}

/// The risk level of a customer. Fails if a field of the score is missing or contradicts another.
fn check_score(customer: &Value) -> anyhow::Result<RiskLevel> {
    let actual = customer.get("churnProbability").unwrap_or(&Value::Null);
    let probability = actual.as_f64().and_then(Probability::from_percent);
    let level = RiskLevel::of(
        probability.with_context(|| format!("expected a churnProbability from 0 to 100, came {actual}"))?,
    );
    let risk_level = text_field(customer, "churnRiskLevel");
    if risk_level != level.name() {
        bail!("expected the churnRiskLevel {} at {actual} %, came {risk_level:?}", level.name());
    }
    let source = text_field(customer, "churnSource");
    if !["claude", "statistical"].contains(&source) {
        bail!("expected a churnSource, came {source:?}");
    }
    if ["churnReasoning", "churnPredictedAt"].into_iter().any(|name| text_field(customer, name).is_empty()) {
        bail!("expected churnReasoning and churnPredictedAt, at least one is missing");
    }
    Ok(level)
}

/// Fails unless the list of the risk level has the customer in time.
async fn check_listed(shop: &TestShop, customer: &str, level: RiskLevel) -> anyhow::Result<()> {
    let list = format!("customers?riskLevel={}&", level.name());
    let found = poll_until(INDEX_LAG_MAX, async || {
        let rows = shop.list(&list, "customers").await?;
        Ok(rows.iter().any(|row| text_field(row, "customerId") == customer).then_some(()))
    });
    let unlisted = || format!("the list of customers at {} risk: expected {customer}, but it is missing", level.name());
    found.await?.with_context(unlisted)
}
