//! Checks bundles: one opens at its start and records the transition, another is redeemed up to its limit and no
//! further.

use anyhow::{Context, bail};
use back_office::{
    bundle_lists::{BundlesRequest, ListBundles, ListTransitions},
    bundles::PutBundle,
};
use bundle_redemption::{
    read::{GetBundleStats, StatsRequest},
    redeem::{BundleRedemptionAnswer, BundleRedemptionRequest, RedeemBundle},
    void::{BundleVoidRequest, VoidBundleRedemption},
};
use bundle_transitions::transition::{TransitionBundles, TransitionsRequest};
use chrono::TimeDelta;
use client::value;
use shared::{
    clock,
    domain::{
        bundle::{schedule::ScheduleDate, status::BundleStatus, transition::TransitionReason},
        ids::BundleId,
        rejection::RefusalCode,
        time,
    },
    host::Success,
    inbound::bundle::BundleFields,
};

use super::{
    expected::{Field, check_fields, field},
    test_shop::{CheckResult, INDEX_LAG_MAX, TestShop, poll_until},
};
use crate::{
    list::{readable_item, readable_record},
    requests,
};

/// Time between the creation of a bundle and its start; the creation must be done by then.
const START_DELAY: TimeDelta = TimeDelta::seconds(3);

/// A bundle of the org without a schedule and without limits.
fn two_for_less(shop: &TestShop, bundle: &BundleId) -> anyhow::Result<BundleFields> {
    requests::two_discs(&shop.org, bundle, value("Two for less")?)
}

async fn create_bundle(shop: &TestShop, bundle: &BundleFields, status: BundleStatus) -> anyhow::Result<()> {
    let label = format!("a bundle that is to be {} at first", status.name());
    shop.check::<PutBundle>(&label, bundle, Success::Created, |bundle| vec![field("status", bundle.status, status)])
        .await
        .map(drop)
}

/// The job's own schedule may record the opening first. This does not happen twice in a row, so the check repeats with
/// a second bundle.
pub(crate) async fn check_transitions(shop: &TestShop) -> CheckResult {
    for bundle in ["opens", "opens-too"] {
        if check_opening(shop, &value(bundle)?).await? {
            return Ok("a bundle opened at its start, as the run and the record report".into());
        }
    }
    bail!(
        "a run when a bundle has opened: expected scheduled -> active in the answer of one of two calls, came neither"
    )
}

/// Waits for a bundle to open and to record it. Returns whether the run of this check reported the transition.
async fn check_opening(shop: &TestShop, bundle: &BundleId) -> anyhow::Result<bool> {
    let starts = clock::now() + START_DELAY;
    let starts_later = BundleFields { start_date: Some(ScheduleDate::At(starts)), ..two_for_less(shop, bundle)? };
    create_bundle(shop, &starts_later, BundleStatus::Scheduled).await?;
    let wait = (starts - clock::now()).to_std().unwrap_or_default();
    tokio::time::sleep(wait).await;
    // The stack's clock may be behind, and its index lags.
    let recorded = poll_until(INDEX_LAG_MAX, async || {
        let is_reported = run_job(shop, bundle).await?;
        let record = shop.list::<ListTransitions>(requests::transitions_of(&shop.org, bundle)).await?;
        Ok(record.into_iter().find_map(readable_record).map(|change| (is_reported, change)))
    });
    let (is_reported, change) = recorded.await?.with_context(|| {
        format!(
            "a bundle that has opened: expected that on record within {} seconds, came nothing",
            INDEX_LAG_MAX.as_secs()
        )
    })?;
    let fields = [
        field("from", change.from, BundleStatus::Scheduled),
        field("to", change.to, BundleStatus::Active),
        field("reason", change.reason, TransitionReason::StartDateReached),
        field("at", time::text(change.at), time::text(starts)),
    ];
    check_fields("the record of a bundle that has opened", &fields)?;
    let request = BundlesRequest { status: Some(BundleStatus::Active), ..requests::all_bundles(&shop.org) };
    let active = shop.list::<ListBundles>(request).await?;
    if !active.into_iter().filter_map(readable_item).any(|row| row.bundle_id == *bundle) {
        bail!("the list of active bundles: expected the bundle that has opened, but it is missing");
    }
    Ok(is_reported)
}

/// Runs the job for the org. Returns whether it reports the bundle's opening.
async fn run_job(shop: &TestShop, bundle: &BundleId) -> anyhow::Result<bool> {
    let request = TransitionsRequest { org_id: Some(shop.org.clone()), cursor: None, dry_run: false };
    let answer = shop.check::<TransitionBundles>("a run for the org", &request, Success::Done, |answer| {
        let errors = answer.summary.errors_encountered;
        vec![field("success", answer.success, true), field("summary/errorsEncountered", errors, 0)]
    });
    let transitions = answer.await?.transitions;
    Ok(transitions.iter().any(|view| view.bundle_id == *bundle && view.to == BundleStatus::Active))
}

pub(crate) async fn check_redemption(shop: &TestShop) -> CheckResult {
    let two: BundleId = value("two")?;
    let fields = BundleFields { max_redemptions: Some(value(2)?), ..two_for_less(shop, &two)? };
    create_bundle(shop, &fields, BundleStatus::Active).await?;
    redeem(shop, "first", Success::Created, |answer| {
        vec![
            field("currentRedemptions", answer.current_redemptions, 1),
            field("redemption/savings", answer.redemption.savings, 5.5),
        ]
    })
    .await?;
    let is_still_one =
        |answer: &BundleRedemptionAnswer| vec![field("currentRedemptions", answer.current_redemptions, 1)];
    redeem(shop, "first", Success::Replayed, is_still_one).await?;
    let is_last = |answer: &BundleRedemptionAnswer| vec![field("limitReached", answer.limit_reached, true)];
    redeem(shop, "second", Success::Created, is_last).await?;
    let third = redemption(shop, "third")?;
    shop.check_refusal::<RedeemBundle>("the third order of two", &third, RefusalCode::LimitReached).await?;

    let void = BundleVoidRequest { org_id: shop.org.clone(), order_id: value("first")?, bundle_id: two.clone() };
    for (label, success) in [("the void of the first order", Success::Done), ("the same void again", Success::Replayed)]
    {
        shop.check::<VoidBundleRedemption>(label, &void, success, |answer| vec![field("voided", answer.voided, true)])
            .await?;
    }
    redeem(shop, "fourth", Success::Created, is_last).await?;
    let stats = StatsRequest { org_id: shop.org.clone(), bundle_id: two };
    shop.check::<GetBundleStats>("the final count", &stats, Success::Done, |stats| {
        vec![field("totalRedemptions", stats.total_redemptions, 2), field("totalSavings", stats.total_savings, 11)]
    })
    .await?;
    Ok("two of two were redeemed, a third was rejected, a repeat was replayed; one was voided, once, and redeemed again"
        .into())
}

fn redemption(shop: &TestShop, order: &str) -> anyhow::Result<BundleRedemptionRequest> {
    Ok(BundleRedemptionRequest {
        org_id: shop.org.clone(),
        bundle_id: value("two")?,
        customer_id: value("ada")?,
        order_id: value(order)?,
        fulfilled_at: None,
    })
}

async fn redeem(
    shop: &TestShop,
    order: &str,
    success: Success,
    fields: impl FnOnce(&BundleRedemptionAnswer) -> Vec<Field>,
) -> anyhow::Result<()> {
    let again = if success == Success::Replayed { " again" } else { "" };
    let label = format!("the {order} order of two{again}");
    shop.check::<RedeemBundle>(&label, &redemption(shop, order)?, success, fields).await.map(drop)
}
