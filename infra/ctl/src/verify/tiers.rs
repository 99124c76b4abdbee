//! Checks tier recalculation after a change of settings: a dry run reports the moves, a run makes them, a second run
//! makes none.

use anyhow::{Context, anyhow};
use back_office::{activity::ListActivity, view::EntryKindView};
use points_award::award::AwardAnswer;
use shared::{clock, domain::tier::TierCause, host::Success};
use tier_recalculation::recalculate::{RecalculateTiers, RecalculationRequest};

use super::{
    expected::{check_fields, field},
    test_shop::{CheckResult, INDEX_LAG_MAX, TestShop, days_ago, poll_until},
};
use crate::{list::readable_record, requests};

/// Customers of the org that a run changed, raised and lowered.
type TierChanges = [u64; 3];

/// The expected changes: the longer inactivity period raises one customer, and the higher threshold of Gold lowers one.
const EXPECTED_CHANGES: TierChanges = [2, 1, 1];

pub(crate) async fn check(shop: &TestShop) -> CheckResult {
    let idle = shop.register("idle").await?;
    let active = shop.register("active").await?;
    // The order earned Gold. In 400 days two inactivity periods have lowered it twice.
    let in_bronze = |answer: &AwardAnswer| vec![field("tier", &answer.account.tier, "Bronze")];
    shop.award((&idle, "idle-1", 900), days_ago(400), in_bronze).await?;
    let in_gold = |answer: &AwardAnswer| vec![field("tier", &answer.account.tier, "Gold")];
    shop.award((&active, "active-1", 600), clock::now(), in_gold).await?;
    shop.set_loyalty(Success::Done, 300, 700).await?;

    let dry_run = async || run_job(shop, true).await;
    if poll_until(INDEX_LAG_MAX, async || Ok((dry_run().await? == EXPECTED_CHANGES).then_some(()))).await?.is_none() {
        return Err(unexpected_changes("a dry run after the settings changed", EXPECTED_CHANGES, dry_run().await?));
    }
    for (customer, tier) in [(&idle, "Bronze"), (&active, "Gold")] {
        let customer_check = shop.check_customer(customer, |customer| vec![field("tier", &customer.tier, tier)]).await;
        customer_check.context("after the dry run")?;
    }
    let changes = run_job(shop, false).await?;
    if changes != EXPECTED_CHANGES {
        return Err(unexpected_changes("a run after the settings changed", EXPECTED_CHANGES, changes));
    }
    for (customer, from) in [(&idle, "Bronze"), (&active, "Gold")] {
        let customer_check =
            shop.check_customer(customer, |customer| vec![field("tier", &customer.tier, "Silver")]).await;
        customer_check.context("after the run")?;
        let entries = shop.list::<ListActivity>(requests::activity_of(&shop.org, customer)).await?;
        let newest = entries.into_iter().find_map(readable_record);
        let newest = newest.with_context(|| format!("the customer {customer} has no entry"))?;
        let fields = [
            field("kind", newest.kind, EntryKindView::TierChanged),
            field("from", newest.details.from, from),
            field("to", newest.details.to, "Silver"),
            field("cause", newest.details.cause, TierCause::Settings),
        ];
        check_fields(&format!("the newest entry of the customer {customer}"), &fields)?;
    }
    let again = run_job(shop, false).await?;
    if again != [0, 0, 0] {
        return Err(unexpected_changes("a second run", [0, 0, 0], again));
    }
    Ok("new settings raised one customer and lowered one, as the dry run had reported; a second run changed none"
        .into())
}

/// Runs the job over the org, which is small enough for one call.
async fn run_job(shop: &TestShop, dry_run: bool) -> anyhow::Result<TierChanges> {
    let request = RecalculationRequest { org_id: Some(shop.org.clone()), cursor: None, dry_run, loyalty: None };
    let label = if dry_run { "a dry run for the org" } else { "a run for the org" };
    let answer = shop.check::<RecalculateTiers>(label, &request, Success::Done, |answer| {
        vec![
            field("success", answer.success, true),
            field("summary/totalOrgs", answer.summary.total_orgs, 1),
            field("summary/totalErrors", answer.summary.total_errors, 0),
        ]
    });
    let result = answer.await?.results.into_iter().next();
    Ok(result.map_or([0; 3], |result| [result.figures.changed, result.figures.promotions, result.figures.demotions]))
}

fn unexpected_changes(label: &str, expected: TierChanges, actual: TierChanges) -> anyhow::Error {
    let describe =
        |[changed, raised, lowered]: TierChanges| format!("{changed} changed, {raised} raised, {lowered} lowered");
    anyhow!("{label}: expected {}, came {}", describe(expected), describe(actual))
}
