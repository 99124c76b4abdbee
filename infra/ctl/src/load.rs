//! `ctl load`: past orders through the functions, as if each had just been fulfilled.
//!
//! Customers are created where missing, each order is awarded at its own date, orders of one customer one after the
//! other and many customers side by side. Awards are idempotent, so a load that was stopped can be started again. The
//! file is held in memory, about 150 bytes an order.

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
    api::{Api, Request},
    orders::{self, BadRow, PastOrder, PastOrders},
    progress::Progress,
    report::{complain, money, say, thousands},
    target::Target,
};

/// What a load came to.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) customers_created: i64,
    pub(crate) awarded: i64,
    pub(crate) replayed: i64,
    pub(crate) points: i64,
    /// Money of awarded and replayed orders, in minor units.
    pub(crate) money: i64,
    pub(crate) seconds: f64,
    pub(crate) refused: Vec<BadRow>,
}

impl Totals {
    /// Adds what more came to.
    pub(crate) fn add(&mut self, other: Self) {
        self.customers_created += other.customers_created;
        self.awarded += other.awarded;
        self.replayed += other.replayed;
        self.points += other.points;
        self.money += other.money;
        self.seconds += other.seconds;
        self.refused.extend(other.refused);
    }

    /// Orders answered each second, new and replayed.
    pub(crate) fn orders_per_second(&self) -> i64 {
        let orders = i32::try_from(self.awarded + self.replayed).unwrap_or(i32::MAX);
        let rate = f64::from(orders) / self.seconds.max(0.001);
        format!("{rate:.0}").parse().unwrap_or(0)
    }
}

/// Loads a file and says what came of it. Rows that were not loaded make the exit code 1.
pub(crate) async fn command(file: &Path, org: &OrgId, target: &Target, in_flight: u16) -> anyhow::Result<ExitCode> {
    let orders = orders::read(file)?;
    let api = target.api()?;
    let settings = api.send(&Request::get("back-office", &format!("/orgs/{org}/loyalty"))).await?;
    settings.accepted().with_context(|| format!("org {org}"))?;

    let bad_rows = orders.bad_rows.iter().map(|BadRow { line, why }| format!("line {line}: {why}"));
    bad_rows.for_each(|complaint| complain(&complaint));
    let bad = orders.bad_rows.len();
    let totals = all(&api, org, orders, in_flight).await?;
    let refused = totals.refused.len();
    say(&format!(
        "{} orders awarded, {} were there already, {} rows not loaded; {} customers created; {} points for {}; {} orders/s",
        thousands(totals.awarded),
        thousands(totals.replayed),
        bad + refused,
        thousands(totals.customers_created),
        thousands(totals.points),
        money(totals.money),
        thousands(totals.orders_per_second()),
    ));
    Ok(if bad + refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Loads orders. What the functions refuse is noted and the rest goes on; functions that do not answer end the load.
pub(crate) async fn all(api: &Api, org: &OrgId, orders: PastOrders, in_flight: u16) -> anyhow::Result<Totals> {
    let watch = Stopwatch::start();
    let progress = Progress::start("orders", orders.count());
    let customers = orders.by_customer.into_values().map(|orders| customer(api, org, orders, &progress));
    let mut loading = stream::iter(customers).buffer_unordered(in_flight.into());
    let mut totals = Totals::default();
    while let Some(loaded) = loading.next().await {
        totals.add(loaded?);
    }
    progress.end();
    totals.seconds = watch.elapsed().as_secs_f64();
    Ok(totals)
}

async fn customer(api: &Api, org: &OrgId, orders: Vec<PastOrder>, progress: &Progress) -> anyhow::Result<Totals> {
    let mut totals = Totals::default();
    let Some(first) = orders.first() else { return Ok(totals) };
    let path = format!("/orgs/{org}/customers/{}", first.customer);
    let create = Request { only_create: true, ..Request::put("back-office", &path, json!({})) };
    let created = api.send(&create).await?;
    match created.status {
        StatusCode::CREATED => totals.customers_created += 1,
        StatusCode::PRECONDITION_FAILED => {}
        _ => bail!("customer {}: {}", first.customer, created.complaint()),
    }
    for order in orders {
        let answer = api.send(&award(org, &order)).await?;
        match answer.status {
            StatusCode::CREATED => totals.awarded += 1,
            StatusCode::OK => totals.replayed += 1,
            _ => {
                let why = answer.complaint();
                progress.note(&format!("line {}: {why}", order.line));
                totals.refused.push(BadRow { line: order.line, why });
                progress.step();
                continue;
            }
        }
        totals.points += answer.body.get("pointsAwarded").and_then(Value::as_i64).unwrap_or(0);
        totals.money += order.total.minor();
        progress.step();
    }
    Ok(totals)
}

/// The award of a past order, with a local stack's clock set to it, so that the tier is judged as on that day.
fn award(org: &OrgId, order: &PastOrder) -> Request<'static> {
    let body = json!({
        "orgId": org,
        "customerId": order.customer,
        "orderId": order.id,
        "orderTotal": order.total,
        "fulfilledAt": time::text(order.fulfilled_at),
    });
    Request { now: Some(order.fulfilled_at), ..Request::post("points-award", "/awards", body) }
}
