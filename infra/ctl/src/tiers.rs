//! Recalculates the tiers of the demo org on the day after the end of its purchase log.

use std::collections::BTreeMap;

use anyhow::bail;
use client::Call;
use shared::{domain::ids::OrgId, views::LoyaltyView};
use tier_recalculation::recalculate::{RecalculateTiers, RecalculationRequest};

use crate::{
    api::Api,
    output::print_line,
    values::{group_digits, parse_instant},
};

/// The night after the last day of the purchase log.
pub(crate) const RECALCULATED_AT: &str = "1998-07-01T00:00:00Z";

/// Calls the job until it returns no cursor, and prints the number of promotions and demotions.
pub(crate) async fn recalculate(api: &Api, org: &OrgId) -> anyhow::Result<()> {
    let (mut customers, mut promotions, mut demotions, mut errors) = (0, 0, 0, 0);
    let mut request = RecalculationRequest { org_id: Some(org.clone()), cursor: None, dry_run: false, loyalty: None };
    loop {
        let call = Call::<RecalculateTiers>::new(&request)?.at(parse_instant(RECALCULATED_AT)?);
        let answer = api.call(&call).await?.answer;
        for result in answer.results {
            customers += result.figures.customers;
            promotions += result.figures.promotions;
            demotions += result.figures.demotions;
            errors += result.errors;
        }
        let Some(cursor) = answer.cursor else { break };
        request.cursor = Some(cursor.into());
    }
    let digits = |count: u64| group_digits(i64::try_from(count).unwrap_or(i64::MAX));
    print_line(&format!(
        "Recalculated as of 1 July 1998: {} customers, {} promoted, {} lowered for inactivity",
        digits(customers),
        digits(promotions),
        digits(demotions)
    ));
    if errors == 0 { Ok(()) } else { bail!("the tiers of {errors} customers could not be recalculated") }
}

/// Prints the number of customers of each tier before and after, in the order of the tiers.
pub(crate) fn print_table(settings: &LoyaltyView, before: &BTreeMap<String, i64>, after: &BTreeMap<String, i64>) {
    let print_row = |name: &str, before: &str, after: &str| print_line(&format!("  {name:<28}{before:>14}{after:>10}"));
    print_row("tier", "before", "after");
    for name in settings.tiers.iter().map(|tier| tier.name.as_str()) {
        let held = |tiers: &BTreeMap<String, i64>| group_digits(tiers.get(name).copied().unwrap_or(0));
        print_row(name, &held(before), &held(after));
    }
}
