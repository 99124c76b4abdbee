//! Prints an overview of an org: settings, bundles, customers, tiers and scores. Nothing is written.

use std::collections::BTreeMap;

use back_office::{
    bundle_lists::ListBundles,
    customer_list::{CustomerRow, ListCustomers},
    orgs::{GetOrg, OrgRequest},
    view::OrgView,
};
use chrono::{DateTime, Utc};
use client::Call;
use shared::{
    clock,
    domain::{ids::OrgId, time},
};

use crate::{
    api::Api,
    list::{Pages, readable_item},
    output::print_line,
    requests,
    values::group_digits,
};

/// Highest number of pages that are read of a list, to bound the time.
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
    let profile = api.call(&Call::<GetOrg>::new(&OrgRequest { org_id: org.clone() })?).await?.answer;
    let mut bundles = CountsByName::new();
    let all_bundles = Pages::<ListBundles>::of(requests::all_bundles(org))
        .for_each_within(api, LIST_PAGES_MAX, |row| {
            increment(&mut bundles, readable_item(row).map_or("unreadable", |bundle| bundle.status.name()));
            Ok(())
        })
        .await?;
    let mut customers = CustomerTotals::default();
    let all_customers = Pages::<ListCustomers>::of(requests::all_customers(org))
        .for_each_within(api, LIST_PAGES_MAX, |row| {
            customers.add(row);
            Ok(())
        })
        .await?;

    print_line(&format!("The org {org}, {}, as it is", profile.name.as_str()));
    let print_row = |name: &str, value: &str| print_line(&format!("  {name:<22}{value}"));
    print_row("settings", &describe_settings(&profile));
    print_row("bundles, as recorded", &format!("{}{}", list_counts(&bundles, &[]), truncation_note(all_bundles)));
    print_row("customers", &format!("{}{}", group_digits(customers.count), truncation_note(all_customers)));
    print_row(
        "with points",
        &format!("{}, {} points in all", group_digits(customers.with_points), group_digits(customers.points)),
    );
    let ladder = profile.loyalty.iter().flat_map(|loyalty| &loyalty.tiers);
    let ladder: Vec<&str> = ladder.map(|tier| tier.name.as_str()).collect();
    print_row("tiers", &list_counts(&customers.tiers, &ladder));
    print_row("at risk of leaving", &list_counts(&customers.risks, &["critical", "high", "medium", "low"]));
    print_row("scored", &describe_scores(&customers));
    print_line("");
    Ok(())
}

impl CustomerTotals {
    fn add(&mut self, row: CustomerRow) {
        self.count += 1;
        let Some(customer) = readable_item(row) else { return increment(&mut self.tiers, "unreadable") };
        let points = customer.points.0;
        self.points += points;
        self.with_points += i64::from(points > 0);
        if let Some(tier) = customer.tier {
            increment(&mut self.tiers, tier.as_str());
        }
        if let Some(churn) = customer.churn {
            increment(&mut self.risks, churn.churn_risk_level.name());
            increment(&mut self.sources, churn.churn_source.name());
            self.predicted.push(churn.churn_predicted_at);
        }
    }
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

fn describe_settings(profile: &OrgView) -> String {
    let Some(loyalty) = &profile.loyalty else { return "none: the loyalty settings were never set".into() };
    let on = if loyalty.enabled { "on" } else { "off" };
    format!(
        "{on}; {} a {}, {} times that with equity status; lowered after {} days, active for {}",
        loyalty.points_per_dollar.get(),
        profile.currency.as_str(),
        loyalty.equity_multiplier.get(),
        loyalty.inactivity_days.get(),
        loyalty.active_days.get(),
    )
}

/// The number of scores by source, and their age.
fn describe_scores(customers: &CustomerTotals) -> String {
    let ages = customers.predicted.iter().min().zip(customers.predicted.iter().max());
    let Some((oldest, newest)) = ages else { return "none".into() };
    let days = |at: &DateTime<Utc>| time::days_between(*at, clock::now());
    format!("{}; {} to {} days ago", list_counts(&customers.sources, &["claude"]), days(newest), days(oldest))
}
