//! Tiers: settings change, a dry run tells whom that moves, a run moves them, a second one nobody.

use anyhow::{Context, anyhow, bail};
use serde_json::{Value, json};
use shared::clock;

use super::shop::{INDEX_LAG, Outcome, Shop, Step, days_ago, text, until};
use crate::api::Request;

/// What a run tells of the org: how many it changed, raised and lowered.
type Told = [u64; 3];

/// What a run has to tell: one customer rises because more days may go by, one falls because Gold asks for more.
const MOVED: Told = [2, 1, 1];

pub(crate) async fn check(shop: &Shop) -> Outcome {
    shop.register("idle").await?;
    shop.register("active").await?;
    // Gold, and lowered twice in 400 days.
    shop.award(("idle", "idle-1", 900), days_ago(400), &[("/tier", json!("Bronze"))]).await?;
    shop.award(("active", "active-1", 600), clock::now(), &[("/tier", json!("Gold"))]).await?;
    shop.set_loyalty(200, 300, 700).await?;

    let dry_run = async || run(shop, true).await;
    if until(INDEX_LAG, async || Ok((dry_run().await? == MOVED).then_some(()))).await?.is_none() {
        return Err(unlike("a dry run after the settings changed", MOVED, dry_run().await?));
    }
    for (customer, tier) in [("idle", "Bronze"), ("active", "Gold")] {
        let held = shop.customer(customer, &[("/tier", json!(tier))]).await;
        held.context("after the dry run")?;
    }
    let told = run(shop, false).await?;
    if told != MOVED {
        return Err(unlike("a run after the settings changed", MOVED, told));
    }
    for (customer, from) in [("idle", "Bronze"), ("active", "Gold")] {
        let held = shop.customer(customer, &[("/tier", json!("Silver"))]).await;
        held.context("after the run")?;
        let entries = shop.list(&format!("customers/{customer}/activity?"), "entries").await?;
        let newest = entries.first().unwrap_or(&Value::Null);
        let came = ["kind", "from", "to", "cause"].map(|name| text(newest, name));
        let expected = ["tier_changed", from, "Silver", "settings"];
        if came != expected {
            bail!("the newest entry of the customer {customer}: expected {expected:?}, came {came:?}");
        }
    }
    let again = run(shop, false).await?;
    if again != [0, 0, 0] {
        return Err(unlike("a second run", [0, 0, 0], again));
    }
    Ok("new settings raised one customer and lowered one, as a dry run had told; a second run changed nobody".into())
}

/// One run over the org, which is small enough for one call.
async fn run(shop: &Shop, dry_run: bool) -> anyhow::Result<Told> {
    let request = Request::post("tier-recalculation", "/", json!({"orgId": shop.org, "dryRun": dry_run}));
    let fields = [("/success", json!(true)), ("/summary/totalOrgs", json!(1)), ("/summary/totalErrors", json!(0))];
    let what = if dry_run { "a dry run for the org" } else { "a run for the org" };
    let answer = shop.ask(Step { what, request, status: 200, fields: &fields }).await?;
    let told = answer.pointer("/results/0").unwrap_or(&Value::Null);
    Ok(["changed", "promotions", "demotions"].map(|name| told.get(name).and_then(Value::as_u64).unwrap_or(0)))
}

fn unlike(what: &str, expected: Told, came: Told) -> anyhow::Error {
    let words = |[changed, raised, lowered]: Told| format!("{changed} changed, {raised} raised, {lowered} lowered");
    anyhow!("{what}: expected {}, came {}", words(expected), words(came))
}
