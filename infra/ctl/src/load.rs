//! `ctl load`: loads past orders through the functions, as if each had just been fulfilled.
//!
//! Missing customers are created. Each order is awarded at its own date. The orders of one customer are sent one after
//! another, the customers concurrently. Awards are idempotent, so a stopped load can be started again. The file is held
//! in memory, about 150 bytes an order.

use std::{path::Path, process::ExitCode};

use anyhow::{Context, bail};
use back_office::{customers::PutCustomer, loyalty::GetLoyalty, orgs::OrgRequest};
use client::Call;
use futures::{StreamExt, stream};
use points_award::award::{AwardOrder, AwardRequest};
use shared::{
    clock::Stopwatch,
    domain::{ids::OrgId, rejection::RejectionKind},
    host::Success,
    inbound::fields::Timestamp,
};

use crate::{
    api::Api,
    orders::{self, BadRow, PastOrder, PastOrders},
    output::{print_error, print_line},
    progress::LoadProgress,
    requests,
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
    let settings = api.outcome(&Call::<GetLoyalty>::new(&OrgRequest { org_id: org.clone() })?).await?;
    settings.with_context(|| format!("org {org}"))?;

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
    let create = Call::<PutCustomer>::new(&requests::empty_customer(org, &first.customer))?.only_create();
    match api.outcome(&create).await? {
        Ok(_) => totals.customers_created += 1,
        Err(problem) if problem.is_of_kind(RejectionKind::PreconditionFailed) => {}
        Err(problem) => bail!("customer {}: {problem}", first.customer),
    }
    for order in orders {
        match api.outcome(&award(org, &order)?).await? {
            Ok(awarded) => {
                match awarded.success {
                    Success::Created => totals.awarded += 1,
                    Success::Replayed | Success::Done => totals.replayed += 1,
                }
                totals.points += awarded.answer.points_awarded.0;
                totals.order_total += order.total.minor();
            }
            Err(problem) => {
                let reason = problem.to_string();
                progress.print_above(&format!("line {}: {reason}", order.line));
                totals.rejected.push(BadRow { line: order.line, reason });
            }
        }
        progress.advance();
    }
    Ok(totals)
}

/// The award of a past order. The clock of a local stack is set to the order's date, so that the tier of that day
/// counts.
fn award(org: &OrgId, order: &PastOrder) -> anyhow::Result<Call<AwardOrder>> {
    let request = AwardRequest {
        fulfilled_at: Some(Timestamp(order.fulfilled_at)),
        ..requests::award(org, &order.customer, order.id.clone(), order.total)
    };
    Ok(Call::new(&request)?.at(order.fulfilled_at))
}
