//! `ctl load`: loads past orders through the functions, as if each had just been fulfilled.
//!
//! Missing customers are created. Each order is awarded at its own date. The orders of one customer are sent one after
//! another, the customers concurrently. Awards are idempotent, so a stopped load can be started again. The file is held
//! in memory, about 150 bytes an order.

use std::{path::Path, process::ExitCode};

use anyhow::{Context, bail};
use futures::{StreamExt, stream};
use reqwest::StatusCode;
use serde_json::{Value, json};
use shared::{
    clock::Stopwatch,
    domain::{ids::OrgId, time},
};

use crate::{
    api::{Api, ApiRequest},
    orders::{self, BadRow, PastOrder, PastOrders},
    output::{print_error, print_line},
    progress::LoadProgress,
    target::TargetOptions,
    values::{format_amount, group_digits},
};

/// Totals of a load.
#[derive(Debug, Default)]
pub(crate) struct LoadTotals {
    pub(crate) customers_created: i64,
    pub(crate) awarded: i64,
    pub(crate) replayed: i64,
    pub(crate) points: i64,
    /// Total of the awarded and replayed orders, in minor units.
    pub(crate) order_total: i64,
    pub(crate) seconds: f64,
    pub(crate) rejected: Vec<BadRow>,
}

impl LoadTotals {
    /// Adds the totals of another load.
    pub(crate) fn add(&mut self, other: Self) {
        self.customers_created += other.customers_created;
        self.awarded += other.awarded;
        self.replayed += other.replayed;
        self.points += other.points;
        self.order_total += other.order_total;
        self.seconds += other.seconds;
        self.rejected.extend(other.rejected);
    }

    /// Awarded and replayed orders per second.
    pub(crate) fn orders_per_second(&self) -> i64 {
        let orders = i32::try_from(self.awarded + self.replayed).unwrap_or(i32::MAX);
        let rate = f64::from(orders) / self.seconds.max(0.001);
        format!("{rate:.0}").parse().unwrap_or(0)
    }
}

/// Loads a file and prints the totals. The exit code is 1 if a row was not loaded.
pub(crate) async fn run(file: &Path, org: &OrgId, target: &TargetOptions, in_flight: u16) -> anyhow::Result<ExitCode> {
    let orders = orders::read_file(file)?;
    let api = target.api()?;
    let settings = api.send(&ApiRequest::get("back-office", &format!("/orgs/{org}/loyalty"))).await?;
    settings.into_accepted_body().with_context(|| format!("org {org}"))?;

    let bad_rows = orders.bad_rows.iter().map(|BadRow { line, reason }| format!("line {line}: {reason}"));
    bad_rows.for_each(|line| print_error(&line));
    let bad_row_count = orders.bad_rows.len();
    let totals = load_orders(&api, org, orders, in_flight).await?;
    let rejected_count = totals.rejected.len();
    print_line(&format!(
        "{} orders awarded, {} were there already, {} rows not loaded; {} customers created; {} points for {}; {} orders/s",
        group_digits(totals.awarded),
        group_digits(totals.replayed),
        bad_row_count + rejected_count,
        group_digits(totals.customers_created),
        group_digits(totals.points),
        format_amount(totals.order_total),
        group_digits(totals.orders_per_second()),
    ));
    Ok(if bad_row_count + rejected_count == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Loads orders. A rejected order is reported and the load goes on. Fails if a function does not answer.
pub(crate) async fn load_orders(
    api: &Api,
    org: &OrgId,
    orders: PastOrders,
    in_flight: u16,
) -> anyhow::Result<LoadTotals> {
    let watch = Stopwatch::start();
    let progress = LoadProgress::start("orders", orders.count());
    let customers = orders.by_customer.into_values().map(|orders| load_customer(api, org, orders, &progress));
    let mut loading = stream::iter(customers).buffer_unordered(in_flight.into());
    let mut totals = LoadTotals::default();
    while let Some(loaded) = loading.next().await {
        totals.add(loaded?);
    }
    progress.finish();
    totals.seconds = watch.elapsed().as_secs_f64();
    Ok(totals)
}

async fn load_customer(
    api: &Api,
    org: &OrgId,
    orders: Vec<PastOrder>,
    progress: &LoadProgress,
) -> anyhow::Result<LoadTotals> {
    let mut totals = LoadTotals::default();
    let Some(first) = orders.first() else { return Ok(totals) };
    let path = format!("/orgs/{org}/customers/{}", first.customer);
    let create = ApiRequest { create_only: true, ..ApiRequest::put("back-office", &path, json!({})) };
    let created = api.send(&create).await?;
    match created.status {
        StatusCode::CREATED => totals.customers_created += 1,
        StatusCode::PRECONDITION_FAILED => {}
        _ => bail!("customer {}: {}", first.customer, created.problem_summary()),
    }
    for order in orders {
        let answer = api.send(&award_request(org, &order)).await?;
        match answer.status {
            StatusCode::CREATED => totals.awarded += 1,
            StatusCode::OK => totals.replayed += 1,
            _ => {
                let reason = answer.problem_summary();
                progress.print_above(&format!("line {}: {reason}", order.line));
                totals.rejected.push(BadRow { line: order.line, reason });
                progress.advance();
                continue;
            }
        }
        totals.points += answer.body.get("pointsAwarded").and_then(Value::as_i64).unwrap_or(0);
        totals.order_total += order.total.minor();
        progress.advance();
    }
    Ok(totals)
}

/// The award of a past order. The clock of a local stack is set to the order's date, so that the tier of that day
/// counts.
fn award_request(org: &OrgId, order: &PastOrder) -> ApiRequest<'static> {
    let body = json!({
        "orgId": org,
        "customerId": order.customer,
        "orderId": order.id,
        "orderTotal": order.total,
        "fulfilledAt": time::text(order.fulfilled_at),
    });
    ApiRequest { now: Some(order.fulfilled_at), ..ApiRequest::post("points-award", "/awards", body) }
}
