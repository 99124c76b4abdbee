//! The recalculation of the demo org's tiers, the day after its purchase log ends.

use std::collections::BTreeMap;

use anyhow::bail;
use serde_json::{Value, json};
use shared::domain::{ids::OrgId, time};

use crate::{
    api::{Api, Request},
    report::{say, thousands},
};

/// The night after the last day of the purchase log.
const NOW: &str = "1998-07-01T00:00:00Z";

/// Recalculates, call by call, and tells how many moved which way.
pub(crate) async fn recalculate(api: &Api, org: &OrgId) -> anyhow::Result<()> {
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    let mut body = json!({ "orgId": org });
    loop {
        let request = Request {
            now: Some(time::parse(NOW).map_err(anyhow::Error::msg)?),
            ..Request::post("tier-recalculation", "/", body)
        };
        let answer = api.send(&request).await?.accepted()?;
        for told in answer.get("results").and_then(Value::as_array).into_iter().flatten() {
            for name in ["customers", "promotions", "demotions", "errors"] {
                *sums.entry(name).or_default() += told.get(name).and_then(Value::as_i64).unwrap_or(0);
            }
        }
        let Some(cursor) = answer.get("cursor") else { break };
        body = json!({ "orgId": org, "cursor": cursor });
    }
    let sum = |name: &str| thousands(sums.get(name).copied().unwrap_or(0));
    say(&format!(
        "Recalculated as of 1 July 1998: {} customers, {} promoted, {} lowered for inactivity",
        sum("customers"),
        sum("promotions"),
        sum("demotions")
    ));
    match sums.get("errors") {
        Some(0) | None => Ok(()),
        Some(errors) => bail!("{errors} customers could not be judged"),
    }
}

/// How many hold which tier, before and after, in the ladder's order.
pub(crate) fn table(settings: &Value, before: &BTreeMap<String, i64>, after: &BTreeMap<String, i64>) {
    let row = |name: &str, before: &str, after: &str| say(&format!("  {name:<28}{before:>14}{after:>10}"));
    row("tier", "before", "after");
    let names = settings.get("tiers").and_then(Value::as_array).into_iter().flatten();
    for name in names.filter_map(|tier| tier.get("name").and_then(Value::as_str)) {
        let held = |tiers: &BTreeMap<String, i64>| thousands(tiers.get(name).copied().unwrap_or(0));
        row(name, &held(before), &held(after));
    }
}
