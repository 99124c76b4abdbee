//! `ctl demo`: creates a demo org, loads past orders into it, and prints the results.

use std::{collections::BTreeMap, path::Path, process::ExitCode};

use anyhow::bail;
use back_office::{customer_list::ListCustomers, loyalty::PutLoyalty, orgs::PutOrg, pages::ListRow};
use chrono::{DateTime, Utc};
use client::{Call, value};
use shared::{
    domain::{
        ids::{CustomerId, OrgId},
        text::SingleLine,
    },
    inbound::loyalty::LoyaltyFields,
};

use crate::{
    api::Api,
    checkout, churn,
    list::Pages,
    load, orders,
    output::{print_error, print_line},
    points_in_time, promotion, refunds, requests,
    target::{DEFAULT_SECRET, TargetOptions},
    tiers,
    values::{format_amount, group_digits, parse_instant},
    weekly_report,
};

/// Id of the demo org.
const DEMO_ORG: &str = "demo";

/// Totals over the customers of an org.
#[derive(Default)]
struct OrgTotals {
    customers: i64,
    orders: i64,
    points: i64,
    lifetime_value: i64,
    per_tier: BTreeMap<String, i64>,
    /// The customers, and the points that each can spend.
    balances: Vec<(CustomerId, i64)>,
}

/// Plays the demonstration.
pub(crate) async fn run(file: &Path, target: &TargetOptions, in_flight: u16) -> anyhow::Result<ExitCode> {
    let org: OrgId = value(DEMO_ORG)?;
    let orders = orders::read_file(file)?;
    let addresses = target.addresses()?;
    let api = target.api()?;
    api.call(&Call::<PutOrg>::new(&requests::disposable_org(&org, value("Demo shop")?))?).await?;
    let settings = LoyaltyFields { org_id: org.clone(), settings: points_in_time::settings()? };
    let settings = api.call(&Call::<PutLoyalty>::new(&settings)?).await?.answer;

    print_line(&format!("Loading {} into the org {org} …", file.display()));
    orders.bad_rows.iter().for_each(|row| print_error(&format!("line {}: {}", row.line, row.reason)));
    let retained = churn::retained_customers(&orders)?;
    let [scored_at, evaluated_at] = churn::log_cutoffs()?;
    let (before_scoring, after_scoring) = orders.split_at(scored_at);
    let (in_horizon, after_horizon) = after_scoring.split_at(evaluated_at);
    let mut load_totals = load::load_orders(&api, &org, before_scoring, in_flight).await?;
    let risk_groups = churn::score(&api, &org).await?;
    load_totals.add(load::load_orders(&api, &org, in_horizon, in_flight).await?);
    let evaluation = churn::evaluate(&api, &org).await?;
    load_totals.add(load::load_orders(&api, &org, after_horizon, in_flight).await?);
    let log_ended_at = parse_instant(tiers::RECALCULATED_AT)?;
    let before = org_totals(&api, &org, log_ended_at).await?;
    print_totals(&before, load_totals.orders_per_second());
    tiers::recalculate(&api, &org).await?;
    let org_totals = org_totals(&api, &org, log_ended_at).await?;
    tiers::print_table(&settings, &before.per_tier, &org_totals.per_tier);
    churn::print_table(&risk_groups, &retained, evaluation.as_ref());
    promotion::play_week(&api, &org).await?;
    churn::rescore(&api, &org).await?;
    weekly_report::print(&api, &org, Some(promotion::week_reported_at()?)).await?;
    print_line("");
    let balances = self::org_totals(&api, &org, parse_instant(checkout::CHECKED_OUT_AT)?).await?.balances;
    let refunded = balances.iter().max_by_key(|(_, points)| points).map(|(customer, _)| customer.clone());
    checkout::run(&api, &org, balances).await?;
    if let Some(customer) = refunded {
        refunds::run(&api, &org, &customer).await?;
    }
    points_in_time::run(&api, &org, in_flight).await?;
    if let Some(first) = load_totals.rejected.first() {
        bail!("{} rows were rejected, the first in line {}", load_totals.rejected.len(), first.line);
    }
    let functions = [
        ("orgs, bundles, customers", "back-office"),
        ("awards and refunds", "points-award"),
        ("points at checkout", "points-redemption"),
        ("points expiry job", "points-expiry"),
        ("bundle redemptions", "bundle-redemption"),
        ("bundle transitions job", "bundle-transitions"),
        ("tier recalculation job", "tier-recalculation"),
        ("churn prediction job", "churn-prediction"),
        ("weekly report", "weekly-report"),
    ];
    for (label, function) in functions {
        print_line(&format!("  {label:<28}{}/", addresses.address_of(function)?));
    }
    // Only the default secret may be printed.
    let is_default = target.secret.as_deref().is_none_or(|secret| secret == DEFAULT_SECRET);
    let secret = if is_default { DEFAULT_SECRET } else { "$CRON_SECRET" };
    print_line(&format!(
        "\nTry:\n  curl -s -H \"Authorization: Bearer {secret}\" '{}/orgs/{org}/customers?tier=Platinum&limit=3'",
        addresses.address_of("back-office")?
    ));
    Ok(ExitCode::SUCCESS)
}

fn print_totals(org_totals: &OrgTotals, orders_per_second: i64) {
    let print_row = |name: &str, value: &str| print_line(&format!("  {name:<28}{value:>14}"));
    print_line("");
    print_row("orders", &group_digits(org_totals.orders));
    print_row("customers", &group_digits(org_totals.customers));
    print_row("points outstanding", &group_digits(org_totals.points));
    print_row("lifetime value", &format_amount(org_totals.lifetime_value));
    print_row("orders per second", &group_digits(orders_per_second));
    print_line("");
}

/// Adds up the customers of an org at `now`, page by page.
async fn org_totals(api: &Api, org: &OrgId, now: DateTime<Utc>) -> anyhow::Result<OrgTotals> {
    let mut totals = OrgTotals::default();
    Pages::<ListCustomers>::of(requests::all_customers(org))
        .at(now)
        .for_each(api, |row| {
            let customer = match row {
                ListRow::Read(customer) => customer,
                ListRow::Unreadable(row) => bail!("the customer {} cannot be read", row.customer_id),
            };
            totals.customers += 1;
            totals.orders += i64::from(customer.order_count);
            totals.points += customer.points.0;
            totals.balances.push((customer.customer_id, customer.available_points.0));
            totals.lifetime_value += customer.lifetime_value.minor();
            let tier = customer.tier.as_ref().map_or("none", SingleLine::as_str).to_owned();
            *totals.per_tier.entry(tier).or_default() += 1;
            Ok(())
        })
        .await?;
    Ok(totals)
}
