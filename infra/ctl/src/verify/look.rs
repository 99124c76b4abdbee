//! A look at an org that is in use: its settings, bundles, customers, tiers and scores. Everything is read, nothing written.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;
use shared::{
    clock,
    domain::{ids::OrgId, time},
};

use super::shop::text;
use crate::{
    api::{Api, Request},
    report::{say, thousands},
};

/// How many pages of a hundred are looked at: more would say little more, and take long.
const MAX_PAGES: usize = 200;

/// How many there are of each.
type Counts = BTreeMap<String, i64>;

/// What an org's customers come to.
#[derive(Default)]
struct Customers {
    count: i64,
    with_points: i64,
    points: i64,
    tiers: Counts,
    risks: Counts,
    sources: Counts,
    predicted: Vec<DateTime<Utc>>,
}

/// Prints a short table.
pub(crate) async fn at(api: &Api, org: &OrgId) -> anyhow::Result<()> {
    let profile = api.send(&Request::get("back-office", &format!("/orgs/{org}"))).await?.accepted()?;
    let mut bundles = Counts::new();
    let path = format!("/orgs/{org}/bundles?");
    let all_bundles = pages(api, &path, "bundles", |bundle| {
        // One that can't be read has none.
        let status = Some(text(bundle, "status")).filter(|status| !status.is_empty()).unwrap_or("unreadable");
        count(&mut bundles, status);
    })
    .await?;
    let mut customers = Customers::default();
    let all_customers = pages(api, &format!("/orgs/{org}/customers?"), "customers", |row| customers.add(row)).await?;

    say(&format!("The org {org}, {}, as it is", text(&profile, "name")));
    let row = |name: &str, value: &str| say(&format!("  {name:<22}{value}"));
    row("settings", &settings(&profile));
    row("bundles, on record", &format!("{}{}", listing(&bundles, &[]), cut(all_bundles)));
    row("customers", &format!("{}{}", thousands(customers.count), cut(all_customers)));
    row("with points", &format!("{}, {} points in all", thousands(customers.with_points), thousands(customers.points)));
    let ladder = profile.pointer("/loyalty/tiers").and_then(Value::as_array).into_iter().flatten();
    let ladder: Vec<&str> = ladder.map(|tier| text(tier, "name")).collect();
    row("tiers", &listing(&customers.tiers, &ladder));
    row("at risk of leaving", &listing(&customers.risks, &["critical", "high", "medium", "low"]));
    row("scored", &scored(&customers));
    say("");
    Ok(())
}

impl Customers {
    fn add(&mut self, customer: &Value) {
        self.count += 1;
        if customer.get("error").is_some() {
            return count(&mut self.tiers, "unreadable");
        }
        let points = customer.get("points").and_then(Value::as_i64).unwrap_or(0);
        self.points += points;
        self.with_points += i64::from(points > 0);
        for (counts, name) in
            [(&mut self.tiers, "tier"), (&mut self.risks, "churnRiskLevel"), (&mut self.sources, "churnSource")]
        {
            if let Some(value) = customer.get(name).and_then(Value::as_str) {
                count(counts, value);
            }
        }
        self.predicted.extend(time::parse(text(customer, "churnPredictedAt")));
    }
}

/// Shows every row of a list; whether that was all of them.
async fn pages(api: &Api, path: &str, plural: &str, mut show: impl FnMut(&Value)) -> anyhow::Result<bool> {
    let mut cursor = String::new();
    for _ in 0..MAX_PAGES {
        let path = format!("{path}limit=100{cursor}");
        let page = api.send(&Request::get("back-office", &path)).await?.accepted()?;
        page.get(plural).and_then(Value::as_array).into_iter().flatten().for_each(&mut show);
        match page.get("cursor").and_then(Value::as_str) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(true),
        }
    }
    Ok(false)
}

fn count(counts: &mut Counts, name: &str) {
    *counts.entry(name.to_owned()).or_default() += 1;
}

/// As `12 Bronze, 3 Silver`: first those whose order is known.
fn listing(counts: &Counts, order: &[&str]) -> String {
    let place = |name: &str| order.iter().position(|known| *known == name).unwrap_or(order.len());
    let mut names: Vec<(&String, &i64)> = counts.iter().collect();
    names.sort_by_key(|(name, _)| place(name));
    let told: Vec<String> = names.into_iter().map(|(name, count)| format!("{} {name}", thousands(*count))).collect();
    if told.is_empty() { "none".into() } else { told.join(", ") }
}

fn cut(all: bool) -> &'static str {
    if all { "" } else { " (those looked at; there are more)" }
}

fn settings(profile: &Value) -> String {
    let Some(loyalty) = profile.get("loyalty") else { return "none: the loyalty programme was never set up".into() };
    let number = |name: &str| loyalty.get(name).map(Value::to_string).unwrap_or_default();
    let on = if loyalty.get("enabled") == Some(&Value::Bool(true)) { "on" } else { "off" };
    format!(
        "{on}; {} a {}, {} times that with equity status; lowered after {} days, active for {}",
        number("pointsPerDollar"),
        text(profile, "currency"),
        number("equityMultiplier"),
        number("inactivityDays"),
        number("activeDays"),
    )
}

/// How many have a score, by whom, and how old the scores are.
fn scored(customers: &Customers) -> String {
    let ages = customers.predicted.iter().min().zip(customers.predicted.iter().max());
    let Some((oldest, newest)) = ages else { return "nobody".into() };
    let days = |at: &DateTime<Utc>| time::days_between(*at, clock::now());
    format!("{}; {} to {} days ago", listing(&customers.sources, &["claude"]), days(newest), days(oldest))
}
