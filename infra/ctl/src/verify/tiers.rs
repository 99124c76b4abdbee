//! Checks tier recalculation after a change of settings: a dry run reports the moves, a run makes them, a second run
//! makes none.

use anyhow::{Context, anyhow, bail};
use serde_json::{Value, json};
use shared::clock;

use super::test_shop::{CheckResult, CheckedRequest, INDEX_LAG_MAX, TestShop, days_ago, poll_until, text_field};
use crate::api::ApiRequest;

/// Customers of the org that a run changed, raised and lowered.
type TierChanges = [u64; 3];

/// The expected changes: the longer inactivity period raises one customer, and the higher threshold of Gold lowers one.
const EXPECTED_CHANGES: TierChanges = [2, 1, 1];

pub(crate) async fn check(shop: &TestShop) -> CheckResult {
    shop.register("idle").await?;
    shop.register("active").await?;
    // The order earned Gold. In 400 days two inactivity periods have lowered it twice.
    shop.award(("idle", "idle-1", 900), days_ago(400), &[("/tier", json!("Bronze"))]).await?;
    shop.award(("active", "active-1", 600), clock::now(), &[("/tier", json!("Gold"))]).await?;
    shop.set_loyalty(200, 300, 700).await?;

    let dry_run = async || run_job(shop, true).await;
    if poll_until(INDEX_LAG_MAX, async || Ok((dry_run().await? == EXPECTED_CHANGES).then_some(()))).await?.is_none() {
        return Err(unexpected_changes("a dry run after the settings changed", EXPECTED_CHANGES, dry_run().await?));
    }
    for (customer, tier) in [("idle", "Bronze"), ("active", "Gold")] {
        let customer_check = shop.check_customer(customer, &[("/tier", json!(tier))]).await;
        customer_check.context("after the dry run")?;
    }
    let changes = run_job(shop, false).await?;
    if changes != EXPECTED_CHANGES {
        return Err(unexpected_changes("a run after the settings changed", EXPECTED_CHANGES, changes));
    }
    for (customer, from) in [("idle", "Bronze"), ("active", "Gold")] {
        let customer_check = shop.check_customer(customer, &[("/tier", json!("Silver"))]).await;
        customer_check.context("after the run")?;
        let entries = shop.list(&format!("customers/{customer}/activity?"), "entries").await?;
        let newest = entries.first().unwrap_or(&Value::Null);
        let actual = ["kind", "from", "to", "cause"].map(|name| text_field(newest, name));
        let expected = ["tier_changed", from, "Silver", "settings"];
        if actual != expected {
            bail!("the newest entry of the customer {customer}: expected {expected:?}, came {actual:?}");
        }
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
    let request = ApiRequest::post("tier-recalculation", "/", json!({"orgId": shop.org, "dryRun": dry_run}));
    let fields = [("/success", json!(true)), ("/summary/totalOrgs", json!(1)), ("/summary/totalErrors", json!(0))];
    let label = if dry_run { "a dry run for the org" } else { "a run for the org" };
    let answer = shop.check(CheckedRequest { label, request, status: 200, fields: &fields }).await?;
    let changes = answer.pointer("/results/0").unwrap_or(&Value::Null);
    Ok(["changed", "promotions", "demotions"].map(|name| changes.get(name).and_then(Value::as_u64).unwrap_or(0)))
}

fn unexpected_changes(label: &str, expected: TierChanges, actual: TierChanges) -> anyhow::Error {
    let describe =
        |[changed, raised, lowered]: TierChanges| format!("{changed} changed, {raised} raised, {lowered} lowered");
    anyhow!("{label}: expected {}, came {}", describe(expected), describe(actual))
}
