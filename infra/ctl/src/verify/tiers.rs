//! Tiers: settings change, a dry run tells whom that moves, a run moves them, a second one nobody.

use anyhow::{Context, anyhow, bail};
use serde_json::{Value, json};
use shared::clock;

use super::test_shop::{CheckResult, CheckedRequest, INDEX_LAG_MAX, TestShop, days_ago, poll_until, text_field};
use crate::api::ApiRequest;

/// What a run tells of the org: how many it changed, raised and lowered.
type TierChanges = [u64; 3];

/// What a run has to tell: one customer rises because more days may go by, one falls because Gold asks for more.
const EXPECTED_CHANGES: TierChanges = [2, 1, 1];

pub(crate) async fn check(shop: &TestShop) -> CheckResult {
    shop.register("idle").await?;
    shop.register("active").await?;
    // Gold, and lowered twice in 400 days.
    shop.award(("idle", "idle-1", 900), days_ago(400), &[("/tier", json!("Bronze"))]).await?;
    shop.award(("active", "active-1", 600), clock::now(), &[("/tier", json!("Gold"))]).await?;
    shop.set_loyalty(200, 300, 700).await?;

    let dry_run = async || run_job(shop, true).await;
    if poll_until(INDEX_LAG_MAX, async || Ok((dry_run().await? == EXPECTED_CHANGES).then_some(()))).await?.is_none() {
        return Err(unexpected_changes("a dry run after the settings changed", EXPECTED_CHANGES, dry_run().await?));
    }
    for (customer, tier) in [("idle", "Bronze"), ("active", "Gold")] {
        let held = shop.check_customer(customer, &[("/tier", json!(tier))]).await;
        held.context("after the dry run")?;
    }
    let changes = run_job(shop, false).await?;
    if changes != EXPECTED_CHANGES {
        return Err(unexpected_changes("a run after the settings changed", EXPECTED_CHANGES, changes));
    }
    for (customer, from) in [("idle", "Bronze"), ("active", "Gold")] {
        let held = shop.check_customer(customer, &[("/tier", json!("Silver"))]).await;
        held.context("after the run")?;
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
    Ok("new settings raised one customer and lowered one, as a dry run had told; a second run changed nobody".into())
}

/// One run over the org, which is small enough for one call.
async fn run_job(shop: &TestShop, dry_run: bool) -> anyhow::Result<TierChanges> {
    let request = ApiRequest::post("tier-recalculation", "/", json!({"orgId": shop.org, "dryRun": dry_run}));
    let fields = [("/success", json!(true)), ("/summary/totalOrgs", json!(1)), ("/summary/totalErrors", json!(0))];
    let label = if dry_run { "a dry run for the org" } else { "a run for the org" };
    let answer = shop.check(CheckedRequest { label, request, status: 200, fields: &fields }).await?;
    let changes = answer.pointer("/results/0").unwrap_or(&Value::Null);
    Ok(["changed", "promotions", "demotions"].map(|name| changes.get(name).and_then(Value::as_u64).unwrap_or(0)))
}

fn unexpected_changes(label: &str, expected: TierChanges, actual: TierChanges) -> anyhow::Error {
    let words =
        |[changed, raised, lowered]: TierChanges| format!("{changed} changed, {raised} raised, {lowered} lowered");
    anyhow!("{label}: expected {}, came {}", words(expected), words(actual))
}
