//! Bundles: one opens at its start and that goes on record; another is redeemed as often as it may be, and no more.

use anyhow::{Context, bail};
use chrono::TimeDelta;
use serde_json::{Value, json};
use shared::{clock, domain::time};

use super::shop::{INDEX_LAG, Outcome, Shop, Step, text, until};
use crate::api::Request;

/// How far ahead a bundle starts: as little as putting it on record may take.
const AHEAD: TimeDelta = TimeDelta::seconds(3);

/// A bundle's terms, with what is special about it.
fn terms(special: Value) -> Value {
    let mut terms = json!({
        "name": "Two for less", "type": "fixed_price", "originalTotal": 30, "bundlePrice": "24.50",
        "desiredState": "published",
        "products": [{"productId": "cd", "name": "Compact disc", "requiredQty": 2, "originalPrice": 15}],
    });
    if let (Value::Object(terms), Value::Object(special)) = (&mut terms, special) {
        terms.extend(special);
    }
    terms
}

async fn put(shop: &Shop, bundle: &str, terms: Value, status: &str) -> anyhow::Result<()> {
    let path = format!("/orgs/{}/bundles/{bundle}", shop.org);
    let request = Request::put("back-office", &path, terms);
    let what = format!("a bundle that is to be {status} at first");
    shop.ask(Step { what: &what, request, status: 201, fields: &[("/status", json!(status))] }).await.map(drop)
}

/// The schedule may run in the same moment and be the one to tell. Twice in a row it does not, so then a second bundle
/// decides.
pub(crate) async fn check_transitions(shop: &Shop) -> Outcome {
    for bundle in ["opens", "opens-too"] {
        if opens(shop, bundle).await? {
            return Ok("a bundle opened at its start, as the run told and the record says".into());
        }
    }
    bail!("a run when a bundle has opened: expected scheduled -> active in its answer, came nothing of it, twice")
}

/// Lets a bundle open and be put on record; whether it was this run that told of it.
async fn opens(shop: &Shop, bundle: &str) -> anyhow::Result<bool> {
    let starts = clock::now() + AHEAD;
    put(shop, bundle, terms(json!({"startDate": time::text(starts)})), "scheduled").await?;
    let wait = (starts - clock::now()).to_std().unwrap_or_default();
    tokio::time::sleep(wait).await;
    // By its own clock the stack may be a little behind, and so may its index.
    let recorded = until(INDEX_LAG, async || {
        let told = run(shop, bundle).await?;
        let record = shop.list(&format!("bundles/{bundle}/transitions?"), "transitions").await?;
        Ok(record.into_iter().next().map(|change| (told, change)))
    });
    let (told, change) = recorded.await?.with_context(|| {
        format!(
            "a bundle that has opened: expected that on record within {} seconds, came nothing",
            INDEX_LAG.as_secs()
        )
    })?;
    let came = ["from", "to", "reason", "at"].map(|name| text(&change, name));
    let expected = ["scheduled", "active", "start date reached", &time::text(starts)];
    if came != expected {
        bail!("the record of a bundle that has opened: expected {expected:?}, came {came:?}");
    }
    let active = shop.list("bundles?status=active&", "bundles").await?;
    if !active.iter().any(|row| text(row, "bundleId") == bundle) {
        bail!("the list of active bundles: expected the bundle that has opened, it is not there");
    }
    Ok(told)
}

/// Runs the job for the org; whether it tells of the bundle.
async fn run(shop: &Shop, bundle: &str) -> anyhow::Result<bool> {
    let request = Request::post("bundle-transitions", "/", json!({"orgId": shop.org}));
    let fields = [("/success", json!(true)), ("/summary/errorsEncountered", json!(0))];
    let answer = shop.ask(Step { what: "a run for the org", request, status: 200, fields: &fields }).await?;
    let told = answer.get("transitions").and_then(Value::as_array).into_iter().flatten();
    Ok(told.filter(|change| text(change, "bundleId") == bundle).any(|change| text(change, "to") == "active"))
}

pub(crate) async fn check_redemption(shop: &Shop) -> Outcome {
    put(shop, "two", terms(json!({"maxRedemptions": 2})), "active").await?;
    redeem(shop, "first", 201, &[("/currentRedemptions", json!(1)), ("/redemption/savings", json!(5.5))]).await?;
    redeem(shop, "first", 200, &[("/replayed", json!(true)), ("/currentRedemptions", json!(1))]).await?;
    redeem(shop, "second", 201, &[("/limitReached", json!(true))]).await?;
    redeem(shop, "third", 409, &[("/code", json!("limit_reached"))]).await?;

    let path = format!("/redemptions/first?orgId={}&bundleId=two", shop.org);
    for (what, fields) in [
        ("the void of the first order", vec![("/voided", json!(true))]),
        ("the same void again", vec![("/voided", json!(true)), ("/replayed", json!(true))]),
    ] {
        let request = Request::delete("bundle-redemption", &path);
        shop.ask(Step { what, request, status: 200, fields: &fields }).await?;
    }
    redeem(shop, "fourth", 201, &[("/limitReached", json!(true))]).await?;
    let stats = format!("/stats?orgId={}&bundleId=two", shop.org);
    let request = Request::get("bundle-redemption", &stats);
    let fields = [("/totalRedemptions", json!(2)), ("/totalSavings", json!(11))];
    shop.ask(Step { what: "what counts in the end", request, status: 200, fields: &fields }).await?;
    Ok("two of two were redeemed, a third refused, a repeat replayed; one was given back, once, and redeemed again"
        .into())
}

async fn redeem(shop: &Shop, order: &str, status: u16, fields: &[(&str, Value)]) -> anyhow::Result<()> {
    let body = json!({"orgId": shop.org, "bundleId": "two", "customerId": "ada", "orderId": order});
    let request = Request::post("bundle-redemption", "/redemptions", body);
    let again = if status == 200 { " again" } else { "" };
    shop.ask(Step { what: &format!("the {order} order of two{again}"), request, status, fields }).await.map(drop)
}
