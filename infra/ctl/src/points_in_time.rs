//! Points in time on the demo org: points by month, the account of one customer, a hold that lapses and a hold that is
//! redeemed, and what the org owes in points at the end of the day.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use back_office::{
    activity::ListActivity,
    customer_list::ListCustomers,
    customers::{CustomerRequest, GetCustomer},
    liability::{DayView, LiabilityRequest, ListLiability},
    view::{CustomerView, EntryKindView, EntryView},
};
use chrono::{DateTime, TimeDelta, Utc};
use client::{Call, value};
use futures::{StreamExt, stream};
use points_expiry::expire::{ExpirePoints, ExpiryRequest};
use points_redemption::{
    hold::{HoldPoints, HoldPointsRequest},
    redeem::{PointsRedemptionRequest, RedeemPoints},
};
use shared::{
    domain::{
        ids::{CustomerId, OrgId},
        lots::dates::{ExpiryRounding, PointsExpiry},
        money::Money,
        points::Points,
        time,
    },
    inbound::{fields::PageSize, loyalty::SettingsFields},
};

use crate::{
    api::Api,
    list::{Pages, readable_item, readable_record},
    output::print_line,
    requests,
    values::{format_amount, group_digits, parse_instant},
};

/// The afternoon after the checkouts and the refunds.
const BEGINS_AT: &str = "1998-07-14T15:00:00Z";

/// The night after, when the job runs: 01:00 in New York.
const JOB_RUNS_AT: &str = "1998-07-15T05:00:00Z";

/// The day that the job then closes.
const CLOSED_DAY: &str = "1998-07-14";

/// The points of each hold.
const HELD_POINTS: i64 = 100;

/// How long a hold lasts, in minutes.
const HOLD_MINUTES: i64 = 15;

/// The order whose hold lapses, and the order whose hold is redeemed.
const LEFT_ORDER: &str = "till-6";
const PAID_ORDER: &str = "till-7";

/// The total of each order at the till.
const ORDER_TOTAL: &str = "60.00";

/// The settings of the demo org: points wait for 14 days, and expire after 12 months.
pub(crate) fn settings() -> anyhow::Result<SettingsFields> {
    let expiry = PointsExpiry::new(value(12)?, ExpiryRounding::Month).map_err(anyhow::Error::msg)?;
    Ok(SettingsFields { pending_days: value(14)?, points_expiry: Some(expiry), ..requests::default_settings()? })
}

/// The points of a month, by the ledger entries of all customers.
#[derive(Default)]
struct MonthPoints {
    earned: i64,
    redeemed: i64,
    expired: i64,
    /// The sum of all entries.
    change: i64,
}

/// Prints the points by month, and plays the holds.
pub(crate) async fn run(api: &Api, org: &OrgId, in_flight: u16) -> anyhow::Result<()> {
    let begins_at = parse_instant(BEGINS_AT)?;
    let accounts = list_accounts(api, org, begins_at).await?;
    let customers: Vec<CustomerId> = accounts.iter().map(|account| account.customer_id.clone()).collect();
    print_months(&points_by_month(api, org, begins_at, customers, in_flight).await?);
    let can_spend = accounts.iter().filter(|account| account.available_points >= Points(HELD_POINTS));
    let chosen = can_spend.max_by_key(|account| (account.pending_points > Points::ZERO, account.available_points));
    if let Some(chosen) = chosen {
        print_account(chosen);
        Till { api, org, customer: &chosen.customer_id }.play(begins_at).await?;
    }
    run_job(api, org).await?;
    print_liability(api, org).await
}

async fn list_accounts(api: &Api, org: &OrgId, now: DateTime<Utc>) -> anyhow::Result<Vec<CustomerView>> {
    let mut accounts = Vec::new();
    let list = Pages::<ListCustomers>::of(requests::all_customers(org)).at(now);
    list.for_each(api, |row| {
        accounts.extend(readable_item(row));
        Ok(())
    })
    .await?;
    Ok(accounts)
}

/// Adds up the entries of all customers by month. Entries that the clock has made due are among them, recorded or not.
async fn points_by_month(
    api: &Api,
    org: &OrgId,
    now: DateTime<Utc>,
    customers: Vec<CustomerId>,
    in_flight: u16,
) -> anyhow::Result<BTreeMap<String, MonthPoints>> {
    let mut months: BTreeMap<String, MonthPoints> = BTreeMap::new();
    let activities = customers.into_iter().map(async |customer| {
        let mut entries: Vec<EntryView> = Vec::new();
        let list = Pages::<ListActivity>::of(requests::activity_of(org, &customer)).at(now);
        list.for_each(api, |row| {
            entries.extend(readable_record(row));
            Ok(())
        })
        .await?;
        anyhow::Ok(entries)
    });
    let mut reading = stream::iter(activities).buffer_unordered(in_flight.into());
    while let Some(entries) = reading.next().await {
        for entry in entries? {
            let of_month = months.entry(entry.at.format("%Y-%m").to_string()).or_default();
            let points = entry.points.0;
            of_month.change += points;
            match entry.kind {
                EntryKindView::PointsEarned => of_month.earned += points,
                EntryKindView::PointsRedeemed | EntryKindView::PointsReturned => of_month.redeemed -= points,
                EntryKindView::PointsExpired => of_month.expired -= points,
                EntryKindView::PointsReversed
                | EntryKindView::PointsRestored
                | EntryKindView::PointsAdjusted
                | EntryKindView::TierChanged => {}
            }
        }
    }
    Ok(months)
}

fn print_months(months: &BTreeMap<String, MonthPoints>) {
    print_line("Points by month. They can be spent after 14 days, and expire when the month 12 months later is over\n");
    let print_row = |cells: [&str; 5]| {
        let [month, earned, redeemed, expired, outstanding] = cells;
        print_line(&format!("  {month:<10}{earned:>10}{redeemed:>10}{expired:>10}{outstanding:>14}"));
    };
    print_row(["month", "earned", "redeemed", "expired", "outstanding"]);
    let mut outstanding = 0;
    for (month, MonthPoints { earned, redeemed, expired, change }) in months {
        outstanding += change;
        let [earned, redeemed, expired, outstanding] = [*earned, *redeemed, *expired, outstanding].map(group_digits);
        print_row([month, &earned, &redeemed, &expired, &outstanding]);
    }
    print_line("");
}

fn print_account(account: &CustomerView) {
    let figures = [account.points, account.available_points, account.pending_points, account.held_points];
    let [points, available, pending, held] = figures.map(|points| group_digits(points.0));
    print_line(&format!(
        "The account of {}: {points} points, {available} available, {pending} pending, {held} held",
        account.customer_id
    ));
    for expiring in &account.expiring_points {
        let at = expiring.at.format("%Y-%m-%d %H:%M");
        print_line(&format!("  {:>7} expire at {at}", group_digits(expiring.points.0)));
    }
    print_line("");
}

/// A till at which one customer pays with points.
struct Till<'a> {
    api: &'a Api,
    org: &'a OrgId,
    customer: &'a CustomerId,
}

impl Till<'_> {
    /// Plays a hold that lapses and a hold that is redeemed. Prints the figures after each step.
    async fn play(&self, begins_at: DateTime<Utc>) -> anyhow::Result<()> {
        print_line(&format!("{HELD_POINTS} points are held for each of two orders, for {HOLD_MINUTES} minutes\n"));
        print_row(["time (UTC)", "step", "available", "held", "points"]);
        let lapses_at = begins_at + TimeDelta::minutes(HOLD_MINUTES);
        self.hold(LEFT_ORDER, begins_at).await?;
        self.print_step(&format!("{LEFT_ORDER} is left, a second before the end"), lapses_at - TimeDelta::seconds(1))
            .await?;
        self.print_step(&format!("the hold of {LEFT_ORDER} has lapsed"), lapses_at).await?;
        let returns_at = lapses_at + TimeDelta::minutes(5);
        self.hold(PAID_ORDER, returns_at).await?;
        self.redeem(PAID_ORDER, returns_at + TimeDelta::minutes(4)).await?;
        print_line("");
        Ok(())
    }

    async fn hold(&self, order: &str, now: DateTime<Utc>) -> anyhow::Result<()> {
        let request = HoldPointsRequest {
            org_id: self.org.clone(),
            customer_id: self.customer.clone(),
            order_id: value(order)?,
            points: value(HELD_POINTS)?,
            order_total: value(ORDER_TOTAL)?,
            minutes: value(HOLD_MINUTES)?,
            currency: None,
        };
        let outcome = self.api.outcome(&Call::<HoldPoints>::new(&request)?.at(now)).await?;
        let outcome = outcome.map(|held| held.answer.value).map_err(|problem| problem.code);
        self.print_outcome(&format!("a hold for {order}"), outcome, now).await
    }

    async fn redeem(&self, order: &str, now: DateTime<Utc>) -> anyhow::Result<()> {
        let request = PointsRedemptionRequest {
            org_id: self.org.clone(),
            customer_id: self.customer.clone(),
            order_id: value(order)?,
            points: value(HELD_POINTS)?,
            order_total: value(ORDER_TOTAL)?,
            currency: None,
        };
        let outcome = self.api.outcome(&Call::<RedeemPoints>::new(&request)?.at(now)).await?;
        let outcome = outcome.map(|redeemed| redeemed.answer.value).map_err(|problem| problem.code);
        self.print_outcome(&format!("{order} is paid"), outcome, now).await
    }

    /// Prints the figures after a step. A refusal is printed by its code, as in a second demonstration on the same data.
    async fn print_outcome(
        &self,
        step: &str,
        outcome: Result<Money, String>,
        now: DateTime<Utc>,
    ) -> anyhow::Result<()> {
        let outcome = outcome.map_or_else(|code| code, |value| format!("${} off", format_amount(value.minor())));
        self.print_step(&format!("{step}: {outcome}"), now).await
    }

    async fn print_step(&self, step: &str, now: DateTime<Utc>) -> anyhow::Result<()> {
        let request = CustomerRequest { org_id: self.org.clone(), customer_id: self.customer.clone() };
        let account = self.api.call(&Call::<GetCustomer>::new(&request)?.at(now)).await?.answer;
        let figures = [account.available_points, account.held_points, account.points];
        let [available, held, points] = figures.map(|points| group_digits(points.0));
        let at = time::text(now);
        print_row([at.get(11..19).unwrap_or(&at), step, &available, &held, &points]);
        Ok(())
    }
}

fn print_row([at, step, available, held, points]: [&str; 5]) {
    print_line(&format!("  {at:<12}{step:<42}{available:>10}{held:>8}{points:>9}"));
}

/// Calls the job until it returns no cursor, and prints what it recorded.
async fn run_job(api: &Api, org: &OrgId) -> anyhow::Result<()> {
    let now = parse_instant(JOB_RUNS_AT)?;
    let mut request = ExpiryRequest { org_id: Some(org.clone()), cursor: None, dry_run: false };
    let (mut customers, mut points) = (0, 0);
    loop {
        let answer = api.call(&Call::<ExpirePoints>::new(&request)?.at(now)).await?.answer;
        if !answer.success {
            bail!("not all expired points were recorded: {} errors", answer.summary.total_errors);
        }
        customers += answer.summary.sums.total_expired;
        points += answer.summary.sums.total_points_expired;
        let Some(cursor) = answer.cursor else { break };
        request.cursor = Some(cursor.into());
    }
    let [customers, points] = [customers, points].map(|count| group_digits(i64::try_from(count).unwrap_or(i64::MAX)));
    print_line(&format!("The job at 01:00 on 15 July 1998: {points} expired points of {customers} customers recorded"));
    Ok(())
}

/// Prints what the org owes in points at the end of the day that the job closed.
async fn print_liability(api: &Api, org: &OrgId) -> anyhow::Result<()> {
    let closed = value(CLOSED_DAY)?;
    let request = LiabilityRequest {
        org_id: org.clone(),
        from: Some(closed),
        to: Some(closed),
        limit: PageSize::default(),
        cursor: None,
    };
    let days = api.call(&Call::<ListLiability>::new(&request)?).await?.answer.days;
    let day: DayView = days.into_iter().find_map(readable_record).context("the job closed no day")?;
    let figures = [Some(day.outstanding), day.pending, day.expiring_within_30_days];
    let [outstanding, pending, expiring] = figures.map(|points| group_digits(points.map_or(0, |points| points.0)));
    let value = format_amount(day.value.minor());
    print_line(&format!("Liability at the end of {CLOSED_DAY}: {outstanding} points, worth at most ${value}"));
    print_line(&format!("  of these {pending} are pending, and {expiring} expire within 30 days\n"));
    Ok(())
}
