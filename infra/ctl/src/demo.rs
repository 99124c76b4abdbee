//! `ctl demo`: an org made for showing, filled with past orders, and what came out.

use std::{collections::BTreeMap, path::Path, process::ExitCode};

use anyhow::bail;
use serde_json::{Value, json};
use shared::domain::ids::OrgId;

use crate::{
    api::{Api, Request},
    checkout, churn, load, orders, promotion,
    report::{complain, minor, money, say, thousands},
    target::{DEFAULT_SECRET, Target},
    tiers, week,
};

/// The org of the demonstration.
const ORG: &str = "demo";

/// What an org's customers add up to.
#[derive(Default)]
struct Holdings {
    customers: i64,
    orders: i64,
    points: i64,
    lifetime_value: i64,
    per_tier: BTreeMap<String, i64>,
    balances: Vec<(String, i64)>,
}

/// Creates the org, loads the file, prints a table.
pub(crate) async fn command(file: &Path, target: &Target, in_flight: u16) -> anyhow::Result<ExitCode> {
    let org = OrgId::try_from(ORG.to_owned()).map_err(anyhow::Error::msg)?;
    let orders = orders::read(file)?;
    let addresses = target.addresses()?;
    let api = target.api()?;
    let path = format!("/orgs/{org}");
    let profile = json!({"name": "Demo shop", "disposable": true});
    api.send(&Request::put("back-office", &path, profile)).await?.accepted()?;
    let settings = api.send(&Request::put("back-office", &format!("{path}/loyalty"), json!({}))).await?.accepted()?;

    say(&format!("Loading {} into the org {org} …", file.display()));
    orders.bad_rows.iter().for_each(|row| complain(&format!("line {}: {}", row.line, row.why)));
    let stayed = churn::stayed(&orders)?;
    let [scored_at, looked_back_at] = churn::parting()?;
    let (known, later) = orders.parted_at(scored_at);
    let (horizon, rest) = later.parted_at(looked_back_at);
    let mut totals = load::all(&api, &org, known, in_flight).await?;
    let levels = churn::score(&api, &org).await?;
    totals.add(load::all(&api, &org, horizon, in_flight).await?);
    let hindsight = churn::look_back(&api, &org).await?;
    totals.add(load::all(&api, &org, rest, in_flight).await?);
    let before = holdings(&api, &org).await?;
    table(&before, totals.orders_per_second());
    tiers::recalculate(&api, &org).await?;
    let holdings = holdings(&api, &org).await?;
    tiers::table(&settings, &before.per_tier, &holdings.per_tier);
    churn::show(&levels, &stayed, hindsight.as_ref());
    promotion::week(&api, &org).await?;
    churn::score_again(&api, &org).await?;
    week::show(&api, &org, Some(promotion::over()?)).await?;
    say("");
    checkout::show(&api, &org, self::holdings(&api, &org).await?.balances).await?;
    if let Some(refused) = totals.refused.first() {
        bail!("{} rows were refused, the first in line {}", totals.refused.len(), refused.line);
    }
    let functions = [
        ("orgs, bundles, customers", "back-office"),
        ("awards and refunds", "points-award"),
        ("points at checkout", "points-redemption"),
        ("bundle redemptions", "bundle-redemption"),
        ("the job that moves bundles", "bundle-transitions"),
        ("the job that judges tiers", "tier-recalculation"),
        ("the job that scores churn", "churn-prediction"),
        ("the weekly report", "weekly-report"),
    ];
    for (what, function) in functions {
        say(&format!("  {what:<28}{}/", addresses.of(function)?));
    }
    // A secret of somebody's own is not for the screen.
    let is_default = target.secret.as_deref().is_none_or(|secret| secret == DEFAULT_SECRET);
    let secret = if is_default { DEFAULT_SECRET } else { "$CRON_SECRET" };
    say(&format!(
        "\nTry:\n  curl -s -H \"Authorization: Bearer {secret}\" '{}/orgs/{org}/customers?tier=Platinum&limit=3'",
        addresses.of("back-office")?
    ));
    Ok(ExitCode::SUCCESS)
}

fn table(holdings: &Holdings, orders_per_second: i64) {
    let row = |name: &str, value: &str| say(&format!("  {name:<28}{value:>14}"));
    say("");
    row("orders", &thousands(holdings.orders));
    row("customers", &thousands(holdings.customers));
    row("points outstanding", &thousands(holdings.points));
    row("lifetime value", &money(holdings.lifetime_value));
    row("orders per second", &thousands(orders_per_second));
    say("");
}

/// Adds an org's customers up, page by page.
async fn holdings(api: &Api, org: &OrgId) -> anyhow::Result<Holdings> {
    let mut sum = Holdings::default();
    let mut cursor = String::new();
    loop {
        let path = format!("/orgs/{org}/customers?limit=100{cursor}");
        let page = api.send(&Request::get("back-office", &path)).await?.accepted()?;
        for customer in page.get("customers").and_then(Value::as_array).into_iter().flatten() {
            let whole = |name: &str| customer.get(name).and_then(Value::as_i64).unwrap_or(0);
            sum.customers += 1;
            sum.orders += whole("orderCount");
            sum.points += whole("points");
            let id = customer.get("customerId").and_then(Value::as_str).unwrap_or_default();
            sum.balances.push((id.to_owned(), whole("points")));
            sum.lifetime_value += minor(customer.get("lifetimeValue"))?;
            let tier = customer.get("tier").and_then(Value::as_str).unwrap_or("none").to_owned();
            *sum.per_tier.entry(tier).or_default() += 1;
        }
        match page.get("cursor").and_then(Value::as_str) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(sum),
        }
    }
}
