//! Checks the weekly report: it counts every customer, each in one tier.

use anyhow::bail;
use serde_json::{Value, json};

use super::test_shop::{CheckResult, CheckedRequest, INDEX_LAG_MAX, TestShop, poll_until};
use crate::api::ApiRequest;

pub(crate) async fn check(shop: &TestShop) -> CheckResult {
    let all = async || -> anyhow::Result<Option<Value>> {
        let customers = shop.list("customers?", "customers").await?.len();
        let figures = report_figures(shop).await?;
        Ok((figures.pointer("/earning/of") == Some(&json!(customers)) && customers > 0).then_some(figures))
    };
    let Some(figures) = poll_until(INDEX_LAG_MAX, all).await? else {
        let counted = report_figures(shop).await?.pointer("/earning/of").map(Value::to_string).unwrap_or_default();
        let customers = shop.list("customers?", "customers").await?.len();
        bail!("the report of the org: expected {customers} customers, came {counted}");
    };
    let customers = figures.pointer("/earning/of").and_then(Value::as_u64).unwrap_or(0);
    let tiers = figures.get("tiers").and_then(Value::as_array).into_iter().flatten();
    let in_tiers: u64 = tiers.filter_map(|tier| tier.get("count").and_then(Value::as_u64)).sum();
    if in_tiers != customers {
        bail!("the report of the org: expected {customers} customers in its tiers, came {in_tiers}");
    }
    Ok(format!("the report has the last week of {customers} customers"))
}

async fn report_figures(shop: &TestShop) -> anyhow::Result<Value> {
    let request = ApiRequest::post("weekly-report", "/", json!({ "orgId": shop.org }));
    let fields = [("/success", json!(true)), ("/orgs/0/orgId", json!(shop.org))];
    let answer =
        shop.check(CheckedRequest { label: "the report of the org", request, status: 200, fields: &fields }).await?;
    Ok(answer.pointer("/orgs/0/figures").cloned().unwrap_or_default())
}
