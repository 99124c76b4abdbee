//! A promotion week on the demo org: bundles open, close, pause and sell out while orders come in. The clock of the
//! local stack moves forward hour by hour.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use back_office::{
    bundle_lists::ListTransitions,
    bundles::{PutBundle, TransitionBundle, TransitionRequest},
};
use bundle_redemption::{
    read::{GetBundleStats, StatsRequest},
    redeem::{BundleRedemptionRequest, RedeemBundle},
    void::{BundleVoidRequest, VoidBundleRedemption},
};
use bundle_transitions::transition::{TransitionBundles, TransitionsRequest};
use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc};
use client::{Call, value};
use points_award::award::AwardOrder;
use shared::{
    domain::{
        bundle::{status::BundleStatus, terms::DesiredState, transition::TransitionReason},
        ids::{BundleId, CustomerId, OrderId, OrgId},
        money::Money,
        rejection::RejectionKind,
        text::SingleLine,
    },
    host::InFunction,
    inbound::bundle::BundleFields,
    views::TransitionView,
};

use crate::{
    api::Api,
    list::{Pages, readable_record},
    output::print_line,
    requests,
    values::{format_amount, parse_instant},
};

/// Monday 1998-07-06, 00:00 in New York, the week after the end of the purchase log.
const WEEK_BEGINS_AT: &str = "1998-07-06T04:00:00Z";
const WEEK_HOURS: i64 = 7 * 24;

/// The same week as dates of the org's calendar. A bundle runs until the end of the last day.
const FIRST_DAY: &str = "1998-07-06";
const LAST_DAY: &str = "1998-07-12";

/// Difference between UTC and the local time of New York in that week.
const NEW_YORK_BEHIND_UTC: TimeDelta = TimeDelta::hours(4);

/// Gives a bundle the fields in which it differs from the others.
type OwnFields = fn(BundleFields) -> anyhow::Result<BundleFields>;

/// The bundles, each with its own fields.
const PROMOTED_BUNDLES: [(&str, OwnFields); 5] = [
    ("all-week", |fields| Ok(BundleFields { per_customer_limit: Some(value(3)?), ..fields })),
    ("happy-hour", |fields| in_windows(fields, &[1, 2, 3, 4, 5], "17:00", "19:00")),
    ("late-night", |fields| in_windows(fields, &[5, 6], "21:00", "02:00")),
    ("first-forty", |fields| {
        let start_date = Some(value("1998-07-07T13:00:00Z")?);
        Ok(BundleFields { start_date, max_redemptions: Some(value(40)?), ..fields })
    }),
    ("recalled", Ok),
];

/// A bundle that is on in a time window on some days of the week.
fn in_windows(fields: BundleFields, days: &[u8], from: &str, to: &str) -> anyhow::Result<BundleFields> {
    let days_of_week = Some(value(days)?);
    Ok(BundleFields { days_of_week, time_start: Some(value(from)?), time_end: Some(value(to)?), ..fields })
}

/// Manual steps, by the hour of the week.
const MANUAL_STEPS: [(i64, ManualStep); 3] = [
    (2 * 24 + 11, ManualStep::Transition("recalled", DesiredState::Paused, "a faulty batch")),
    (4 * 24 + 9, ManualStep::Transition("recalled", DesiredState::Published, "the batch was replaced")),
    (5 * 24 + 12, ManualStep::CancelFirstOrder("first-forty")),
];

#[derive(Clone, Copy)]
enum ManualStep {
    Transition(&'static str, DesiredState, &'static str),
    /// Cancels the first order of the bundle.
    CancelFirstOrder(&'static str),
}

/// Results of a bundle's orders.
#[derive(Default)]
struct OrderCounts {
    redeemed: u32,
    refused: BTreeMap<String, u32>,
    first: Option<OrderId>,
}

/// The Monday after the week, when the week is reported.
pub(crate) fn week_reported_at() -> anyhow::Result<DateTime<Utc>> {
    Ok(parse_instant(WEEK_BEGINS_AT)? + TimeDelta::hours(WEEK_HOURS + 9))
}

/// Plays the week, unless it was played before, and prints the results.
pub(crate) async fn play_week(api: &Api, org: &OrgId) -> anyhow::Result<()> {
    let begins = parse_instant(WEEK_BEGINS_AT)?;
    let mut counts: BTreeMap<&str, OrderCounts> =
        PROMOTED_BUNDLES.iter().map(|(bundle, _)| (*bundle, OrderCounts::default())).collect();
    print_line("\nA promotion week, 6 to 12 July 1998, hour by hour …");
    if create_bundles(api, org, begins).await? {
        for hour in 0..=WEEK_HOURS {
            play_hour(api, org, begins, hour, &mut counts).await?;
        }
    } else {
        print_line("(played before; rejected orders are not recorded)");
    }
    print_week(api, org, &counts).await
}

/// Creates the bundles. Returns whether any of them is new.
async fn create_bundles(api: &Api, org: &OrgId, begins: DateTime<Utc>) -> anyhow::Result<bool> {
    let mut is_any_new = false;
    for (bundle, own_fields) in PROMOTED_BUNDLES {
        let fields = own_fields(BundleFields {
            start_date: Some(value(FIRST_DAY)?),
            end_date: Some(value(LAST_DAY)?),
            ..requests::two_discs(org, &value(bundle)?, value(bundle)?)?
        })?;
        // A bundle that is created before its start records its opening.
        let create = Call::<PutBundle>::new(&fields)?.at(begins - TimeDelta::hours(1)).only_create();
        match api.outcome(&create).await? {
            Ok(_) => is_any_new = true,
            Err(problem) if problem.is_of_kind(RejectionKind::PreconditionFailed) => {}
            Err(problem) => bail!(problem),
        }
    }
    Ok(is_any_new)
}

async fn play_hour(
    api: &Api,
    org: &OrgId,
    begins: DateTime<Utc>,
    hour: i64,
    counts: &mut BTreeMap<&'static str, OrderCounts>,
) -> anyhow::Result<()> {
    let now = begins + TimeDelta::hours(hour);
    let job = TransitionsRequest { org_id: Some(org.clone()), cursor: None, dry_run: false };
    call_at::<TransitionBundles>(api, now, &job).await?;
    for (_, step) in MANUAL_STEPS.iter().filter(|(when, _)| *when == hour) {
        play_step(api, org, now, *step, counts).await?;
    }
    let local_time = now - NEW_YORK_BEHIND_UTC;
    if hour == WEEK_HOURS || local_time.hour() < 9 {
        return Ok(());
    }
    let hour_name = format!("week-{}-{:02}", local_time.weekday(), local_time.hour());
    for (index, (bundle, _)) in PROMOTED_BUNDLES.iter().enumerate() {
        let number = i64::try_from(index).unwrap_or(0) + hour;
        let (order, customer) = (value::<OrderId>(format!("{hour_name}-{bundle}"))?, customer_id(number % 25 + 1)?);
        let request = BundleRedemptionRequest {
            org_id: org.clone(),
            bundle_id: value(*bundle)?,
            customer_id: customer.clone(),
            order_id: order.clone(),
            fulfilled_at: None,
        };
        let outcome = api.outcome(&Call::<RedeemBundle>::new(&request)?.at(now)).await?;
        let Some(order_counts) = counts.get_mut(bundle) else { continue };
        match outcome {
            Ok(_) => {
                order_counts.redeemed += 1;
                order_counts.first.get_or_insert_with(|| order.clone());
                award_points(api, org, now, order, &customer, value("24.50")?).await?;
            }
            Err(problem) if problem.is_of_kind(RejectionKind::Conflict) => {
                *order_counts.refused.entry(problem.code).or_default() += 1;
            }
            Err(problem) => bail!(problem),
        }
    }
    let (customer, total) = (customer_id(100 + hour % 40)?, value(format!("{}.99", 14 + hour % 9))?);
    award_points(api, org, now, value(hour_name)?, &customer, total).await
}

async fn play_step(
    api: &Api,
    org: &OrgId,
    now: DateTime<Utc>,
    step: ManualStep,
    counts: &BTreeMap<&'static str, OrderCounts>,
) -> anyhow::Result<()> {
    match step {
        ManualStep::Transition(bundle, to, reason) => {
            let request =
                TransitionRequest { org_id: org.clone(), bundle_id: value(bundle)?, to, reason: value(reason)? };
            call_at::<TransitionBundle>(api, now, &request).await
        }
        ManualStep::CancelFirstOrder(bundle) => {
            let first = counts.get(bundle).and_then(|order_counts| order_counts.first.clone());
            let order_id = first.with_context(|| format!("no order has redeemed {bundle}"))?;
            let request = BundleVoidRequest { org_id: org.clone(), order_id, bundle_id: value(bundle)? };
            call_at::<VoidBundleRedemption>(api, now, &request).await
        }
    }
}

/// Calls an operation with the clock of the local stack at `now`. Fails if the operation refuses.
async fn call_at<O: InFunction>(api: &Api, now: DateTime<Utc>, request: &O::Request) -> anyhow::Result<()> {
    api.call(&Call::<O>::new(request)?.at(now)).await.map(drop)
}

/// The id of a customer of the purchase log.
fn customer_id(number: i64) -> anyhow::Result<CustomerId> {
    Ok(value(format!("c{number:04}"))?)
}

/// Awards the points of an order, if the loaded purchase log has its customer.
async fn award_points(
    api: &Api,
    org: &OrgId,
    now: DateTime<Utc>,
    order: OrderId,
    customer: &CustomerId,
    total: Money,
) -> anyhow::Result<()> {
    let award = Call::<AwardOrder>::new(&requests::award(org, customer, order, total))?.at(now);
    match api.outcome(&award).await? {
        Err(problem) if !problem.is_of_kind(RejectionKind::NotFound) => bail!(problem),
        Ok(_) | Err(_) => Ok(()),
    }
}

async fn print_week(api: &Api, org: &OrgId, counts: &BTreeMap<&str, OrderCounts>) -> anyhow::Result<()> {
    print_line("");
    let heading = ["bundle", "opened", "closed", "redeemed", "saved", "status", "rejected"];
    let print_row = |cells: [&str; 7]| {
        let [bundle, opened, closed, counted, saved, status, refused] = cells;
        let line = format!("  {bundle:<12}{opened:>8}{closed:>8}{counted:>10}{saved:>10}  {status:<12}{refused}");
        print_line(line.trim_end());
    };
    print_row(heading);
    let mut log: Vec<(DateTime<Utc>, String)> = Vec::new();
    for (bundle, _) in PROMOTED_BUNDLES {
        let bundle_id: BundleId = value(bundle)?;
        let transitions = list_transitions(api, org, &bundle_id).await?;
        let count = |is_counted: fn(&TransitionView) -> bool| {
            transitions.iter().filter(|change| is_counted(change)).count().to_string()
        };
        let stats = Call::<GetBundleStats>::new(&StatsRequest { org_id: org.clone(), bundle_id })?;
        let stats = api.call(&stats).await?.answer;
        let refused = counts.get(bundle).map(|order_counts| &order_counts.refused).into_iter().flatten();
        let refused: Vec<String> = refused.map(|(code, count)| format!("{count} {code}")).collect();
        print_row([
            bundle,
            &count(|change| change.to == BundleStatus::Active),
            &count(|change| change.from == BundleStatus::Active),
            &stats.total_redemptions.to_string(),
            &format_amount(stats.total_savings.minor()),
            transitions.last().map_or("", |change| change.to.name()),
            &refused.join(", "),
        ]);
        log.extend(transitions.iter().filter(|change| !is_by_window(change)).map(|change| {
            let (from, to, reason) = (change.from.name(), change.to.name(), change.reason.name());
            let note = change.note.as_ref().map(SingleLine::as_str).map(|note| format!(": {note}")).unwrap_or_default();
            (change.at, format!("{bundle:<12} {from:>9} -> {to:<9} {reason}{note}"))
        }));
    }
    print_line("\n  other transitions than those of the daily time windows (UTC)");
    // The sort is stable, so transitions at one instant keep the order of their record.
    log.sort_by_key(|(at, _)| *at);
    for (at, line) in log {
        print_line(&format!("  {}  {line}", at.format("%Y-%m-%d %H:%M")));
    }
    print_line("");
    Ok(())
}

/// Whether a daily time window has opened or closed.
const fn is_by_window(change: &TransitionView) -> bool {
    matches!(change.reason, TransitionReason::WindowOpened | TransitionReason::WindowClosed)
}

/// Lists the transitions of a bundle, oldest first.
async fn list_transitions(api: &Api, org: &OrgId, bundle: &BundleId) -> anyhow::Result<Vec<TransitionView>> {
    let mut all = Vec::new();
    Pages::<ListTransitions>::of(requests::transitions_of(org, bundle))
        .for_each(api, |row| {
            all.extend(readable_record(row));
            Ok(())
        })
        .await?;
    all.reverse();
    Ok(all)
}
