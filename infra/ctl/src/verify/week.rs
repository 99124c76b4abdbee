//! The weekly report: it counts everybody there is, each in one tier.

use anyhow::bail;
use serde_json::{Value, json};

use super::shop::{INDEX_LAG, Outcome, Shop, Step, until};
use crate::api::Request;

pub(crate) async fn check(shop: &Shop) -> Outcome {
    let all = async || -> anyhow::Result<Option<Value>> {
        let customers = shop.list("customers?", "customers").await?.len();
        let figures = figures(shop).await?;
        Ok((figures.pointer("/earning/of") == Some(&json!(customers)) && customers > 0).then_some(figures))
    };
    let Some(figures) = until(INDEX_LAG, all).await? else {
        let counted = figures(shop).await?.pointer("/earning/of").map(Value::to_string).unwrap_or_default();
        let customers = shop.list("customers?", "customers").await?.len();
        bail!("the report of the org: expected {customers} customers, came {counted}");
    };
    let customers = figures.pointer("/earning/of").and_then(Value::as_u64).unwrap_or(0);
    let tiers = figures.get("tiers").and_then(Value::as_array).into_iter().flatten();
    let in_tiers: u64 = tiers.filter_map(|tier| tier.get("count").and_then(Value::as_u64)).sum();
    if in_tiers != customers {
        bail!("the report of the org: expected {customers} customers in its tiers, came {in_tiers}");
    }
    Ok(format!("the last week of {customers} customers in figures"))
}

async fn figures(shop: &Shop) -> anyhow::Result<Value> {
    let request = Request::post("weekly-report", "/", json!({ "orgId": shop.org }));
    let fields = [("/success", json!(true)), ("/orgs/0/orgId", json!(shop.org))];
    let answer = shop.ask(Step { what: "the report of the org", request, status: 200, fields: &fields }).await?;
    Ok(answer.pointer("/orgs/0/figures").cloned().unwrap_or_default())
}
