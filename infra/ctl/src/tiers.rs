//! Recalculates the tiers of the demo org on the day after the end of its purchase log.

use std::collections::BTreeMap;

use anyhow::bail;
use serde_json::{Value, json};
use shared::domain::ids::OrgId;

use crate::{
    api::{Api, ApiRequest},
    output::print_line,
    values::{group_digits, parse_instant},
};

/// The night after the last day of the purchase log.
const RECALCULATED_AT: &str = "1998-07-01T00:00:00Z";

/// Calls the job until it returns no cursor, and prints the number of promotions and demotions.
pub(crate) async fn recalculate(api: &Api, org: &OrgId) -> anyhow::Result<()> {
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    let mut body = json!({ "orgId": org });
    loop {
        let request = ApiRequest {
            now: Some(parse_instant(RECALCULATED_AT)?),
            ..ApiRequest::post("tier-recalculation", "/", body)
        };
        let answer = api.send(&request).await?.into_accepted_body()?;
        for result in answer.get("results").and_then(Value::as_array).into_iter().flatten() {
            for name in ["customers", "promotions", "demotions", "errors"] {
                *sums.entry(name).or_default() += result.get(name).and_then(Value::as_i64).unwrap_or(0);
            }
        }
        let Some(cursor) = answer.get("cursor") else { break };
        body = json!({ "orgId": org, "cursor": cursor });
    }
    let sum = |name: &str| group_digits(sums.get(name).copied().unwrap_or(0));
    print_line(&format!(
        "Recalculated as of 1 July 1998: {} customers, {} promoted, {} lowered for inactivity",
        sum("customers"),
        sum("promotions"),
        sum("demotions")
    ));
    match sums.get("errors") {
        Some(0) | None => Ok(()),
        Some(errors) => bail!("the tiers of {errors} customers could not be recalculated"),
    }
}

/// Prints the number of customers of each tier before and after, in the order of the tiers.
pub(crate) fn print_table(settings: &Value, before: &BTreeMap<String, i64>, after: &BTreeMap<String, i64>) {
    let print_row = |name: &str, before: &str, after: &str| print_line(&format!("  {name:<28}{before:>14}{after:>10}"));
    print_row("tier", "before", "after");
    let names = settings.get("tiers").and_then(Value::as_array).into_iter().flatten();
    for name in names.filter_map(|tier| tier.get("name").and_then(Value::as_str)) {
        let held = |tiers: &BTreeMap<String, i64>| group_digits(tiers.get(name).copied().unwrap_or(0));
        print_row(name, &held(before), &held(after));
    }
}
