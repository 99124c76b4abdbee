//! Prints an overview of an org: settings, bundles, customers, tiers and scores. Nothing is written.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;
use shared::{
    clock,
    domain::{ids::OrgId, time},
};

use super::test_shop::text_field;
use crate::{
    api::{Api, ApiRequest},
    output::print_line,
    values::group_digits,
};

/// Pages of a hundred rows that are read of a list, to bound the time.
const LIST_PAGES_MAX: usize = 200;

/// Counts by tier, risk level, source or status.
type CountsByName = BTreeMap<String, i64>;

/// Totals over an org's customers.
#[derive(Default)]
struct CustomerTotals {
    count: i64,
    with_points: i64,
    points: i64,
    tiers: CountsByName,
    risks: CountsByName,
    sources: CountsByName,
    predicted: Vec<DateTime<Utc>>,
}

/// Prints the overview as a short table.
pub(crate) async fn print(api: &Api, org: &OrgId) -> anyhow::Result<()> {
    let profile = api.send(&ApiRequest::get("back-office", &format!("/orgs/{org}"))).await?.into_accepted_body()?;
    let mut bundles = CountsByName::new();
    let path = format!("/orgs/{org}/bundles?");
    let all_bundles = for_each_row(api, &path, "bundles", |bundle| {
        // An unreadable bundle has no status.
        let status = Some(text_field(bundle, "status")).filter(|status| !status.is_empty()).unwrap_or("unreadable");
        increment(&mut bundles, status);
    })
    .await?;
    let mut customers = CustomerTotals::default();
    let all_customers =
        for_each_row(api, &format!("/orgs/{org}/customers?"), "customers", |customer| customers.add(customer)).await?;

    print_line(&format!("The org {org}, {}, as it is", text_field(&profile, "name")));
    let print_row = |name: &str, value: &str| print_line(&format!("  {name:<22}{value}"));
    print_row("settings", &describe_settings(&profile));
    print_row("bundles, on record", &format!("{}{}", list_counts(&bundles, &[]), truncation_note(all_bundles)));
    print_row("customers", &format!("{}{}", group_digits(customers.count), truncation_note(all_customers)));
    print_row(
        "with points",
        &format!("{}, {} points in all", group_digits(customers.with_points), group_digits(customers.points)),
    );
    let ladder = profile.pointer("/loyalty/tiers").and_then(Value::as_array).into_iter().flatten();
    let ladder: Vec<&str> = ladder.map(|tier| text_field(tier, "name")).collect();
    print_row("tiers", &list_counts(&customers.tiers, &ladder));
    print_row("at risk of leaving", &list_counts(&customers.risks, &["critical", "high", "medium", "low"]));
    print_row("scored", &describe_scores(&customers));
    print_line("");
    Ok(())
}

impl CustomerTotals {
    fn add(&mut self, customer: &Value) {
        self.count += 1;
        if customer.get("error").is_some() {
            return increment(&mut self.tiers, "unreadable");
        }
        let points = customer.get("points").and_then(Value::as_i64).unwrap_or(0);
        self.points += points;
        self.with_points += i64::from(points > 0);
        for (counts, name) in
            [(&mut self.tiers, "tier"), (&mut self.risks, "churnRiskLevel"), (&mut self.sources, "churnSource")]
        {
            if let Some(value) = customer.get(name).and_then(Value::as_str) {
                increment(counts, value);
            }
        }
        self.predicted.extend(time::parse(text_field(customer, "churnPredictedAt")));
    }
}

/// Calls `visit` with each row of a list, up to the page limit. Returns whether the whole list was read.
async fn for_each_row(api: &Api, path: &str, plural: &str, mut visit: impl FnMut(&Value)) -> anyhow::Result<bool> {
    let mut cursor = String::new();
    for _ in 0..LIST_PAGES_MAX {
        let path = format!("{path}limit=100{cursor}");
        let page = api.send(&ApiRequest::get("back-office", &path)).await?.into_accepted_body()?;
        page.get(plural).and_then(Value::as_array).into_iter().flatten().for_each(&mut visit);
        match page.get("cursor").and_then(Value::as_str) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(true),
        }
    }
    Ok(false)
}

fn increment(counts: &mut CountsByName, name: &str) {
    *counts.entry(name.to_owned()).or_default() += 1;
}

/// Formats counts as `12 Bronze, 3 Silver`, first the names in `known_order`.
fn list_counts(counts: &CountsByName, known_order: &[&str]) -> String {
    let rank = |name: &str| known_order.iter().position(|known| *known == name).unwrap_or(known_order.len());
    let mut names: Vec<(&String, &i64)> = counts.iter().collect();
    names.sort_by_key(|(name, _)| rank(name));
    let entries: Vec<String> =
        names.into_iter().map(|(name, count)| format!("{} {name}", group_digits(*count))).collect();
    if entries.is_empty() { "none".into() } else { entries.join(", ") }
}

fn truncation_note(all: bool) -> &'static str {
    if all { "" } else { " (and more, which were not read)" }
}

fn describe_settings(profile: &Value) -> String {
    let Some(loyalty) = profile.get("loyalty") else { return "none: the loyalty settings were never set".into() };
    let number = |name: &str| loyalty.get(name).map(Value::to_string).unwrap_or_default();
    let on = if loyalty.get("enabled") == Some(&Value::Bool(true)) { "on" } else { "off" };
    format!(
        "{on}; {} a {}, {} times that with equity status; lowered after {} days, active for {}",
        number("pointsPerDollar"),
        text_field(profile, "currency"),
        number("equityMultiplier"),
        number("inactivityDays"),
        number("activeDays"),
    )
}

/// The number of scores by source, and their age.
fn describe_scores(customers: &CustomerTotals) -> String {
    let ages = customers.predicted.iter().min().zip(customers.predicted.iter().max());
    let Some((oldest, newest)) = ages else { return "none".into() };
    let days = |at: &DateTime<Utc>| time::days_between(*at, clock::now());
    format!("{}; {} to {} days ago", list_counts(&customers.sources, &["claude"]), days(newest), days(oldest))
}
