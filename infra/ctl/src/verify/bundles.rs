//! Checks bundles: one opens at its start and records the transition, another is redeemed up to its limit and no
//! further.

use anyhow::{Context, bail};
use chrono::TimeDelta;
use serde_json::{Value, json};
use shared::{clock, domain::time};

use super::test_shop::{CheckResult, CheckedRequest, INDEX_LAG_MAX, TestShop, poll_until, text_field};
use crate::api::ApiRequest;

/// Time between the creation of a bundle and its start; the creation must be done by then.
const START_DELAY: TimeDelta = TimeDelta::seconds(3);

/// The terms of a bundle, with its own fields.
fn bundle_terms(fields: Value) -> Value {
    let mut bundle_terms = json!({
        "name": "Two for less", "type": "fixed_price", "originalTotal": 30, "bundlePrice": "24.50",
        "desiredState": "published",
        "products": [{"productId": "cd", "name": "Compact disc", "requiredQty": 2, "originalPrice": 15}],
    });
    if let (Value::Object(bundle_terms), Value::Object(fields)) = (&mut bundle_terms, fields) {
        bundle_terms.extend(fields);
    }
    bundle_terms
}

async fn create_bundle(shop: &TestShop, bundle: &str, bundle_terms: Value, status: &str) -> anyhow::Result<()> {
    let path = format!("/orgs/{}/bundles/{bundle}", shop.org);
    let request = ApiRequest::put("back-office", &path, bundle_terms);
    let label = format!("a bundle that is to be {status} at first");
    shop.check(CheckedRequest { label: &label, request, status: 201, fields: &[("/status", json!(status))] })
        .await
        .map(drop)
}

/// The job's own schedule may record the opening first. This does not happen twice in a row, so the check repeats with
/// a second bundle.
pub(crate) async fn check_transitions(shop: &TestShop) -> CheckResult {
    for bundle in ["opens", "opens-too"] {
        if check_opening(shop, bundle).await? {
            return Ok("a bundle opened at its start, as the run and the record report".into());
        }
    }
    bail!(
        "a run when a bundle has opened: expected scheduled -> active in the answer of one of two calls, came neither"
    )
}

/// Waits for a bundle to open and to record it. Returns whether the run of this check reported the transition.
async fn check_opening(shop: &TestShop, bundle: &str) -> anyhow::Result<bool> {
    let starts = clock::now() + START_DELAY;
    create_bundle(shop, bundle, bundle_terms(json!({"startDate": time::text(starts)})), "scheduled").await?;
    let wait = (starts - clock::now()).to_std().unwrap_or_default();
    tokio::time::sleep(wait).await;
    // The stack's clock may be behind, and its index lags.
    let recorded = poll_until(INDEX_LAG_MAX, async || {
        let is_reported = run_job(shop, bundle).await?;
        let record = shop.list(&format!("bundles/{bundle}/transitions?"), "transitions").await?;
        Ok(record.into_iter().next().map(|change| (is_reported, change)))
    });
    let (is_reported, change) = recorded.await?.with_context(|| {
        format!(
            "a bundle that has opened: expected that on record within {} seconds, came nothing",
            INDEX_LAG_MAX.as_secs()
        )
    })?;
    let actual = ["from", "to", "reason", "at"].map(|name| text_field(&change, name));
    let expected = ["scheduled", "active", "start date reached", &time::text(starts)];
    if actual != expected {
        bail!("the record of a bundle that has opened: expected {expected:?}, came {actual:?}");
    }
    let active = shop.list("bundles?status=active&", "bundles").await?;
    if !active.iter().any(|row| text_field(row, "bundleId") == bundle) {
        bail!("the list of active bundles: expected the bundle that has opened, but it is missing");
    }
    Ok(is_reported)
}

/// Runs the job for the org. Returns whether it reports the bundle's opening.
async fn run_job(shop: &TestShop, bundle: &str) -> anyhow::Result<bool> {
    let request = ApiRequest::post("bundle-transitions", "/", json!({"orgId": shop.org}));
    let fields = [("/success", json!(true)), ("/summary/errorsEncountered", json!(0))];
    let answer =
        shop.check(CheckedRequest { label: "a run for the org", request, status: 200, fields: &fields }).await?;
    let is_reported = answer.get("transitions").and_then(Value::as_array).into_iter().flatten();
    Ok(is_reported
        .filter(|change| text_field(change, "bundleId") == bundle)
        .any(|change| text_field(change, "to") == "active"))
}

pub(crate) async fn check_redemption(shop: &TestShop) -> CheckResult {
    create_bundle(shop, "two", bundle_terms(json!({"maxRedemptions": 2})), "active").await?;
    redeem(shop, "first", 201, &[("/currentRedemptions", json!(1)), ("/redemption/savings", json!(5.5))]).await?;
    redeem(shop, "first", 200, &[("/replayed", json!(true)), ("/currentRedemptions", json!(1))]).await?;
    redeem(shop, "second", 201, &[("/limitReached", json!(true))]).await?;
    redeem(shop, "third", 409, &[("/code", json!("limit_reached"))]).await?;

    let path = format!("/redemptions/first?orgId={}&bundleId=two", shop.org);
    for (label, fields) in [
        ("the void of the first order", vec![("/voided", json!(true))]),
        ("the same void again", vec![("/voided", json!(true)), ("/replayed", json!(true))]),
    ] {
        let request = ApiRequest::delete("bundle-redemption", &path);
        shop.check(CheckedRequest { label, request, status: 200, fields: &fields }).await?;
    }
    redeem(shop, "fourth", 201, &[("/limitReached", json!(true))]).await?;
    let stats = format!("/stats?orgId={}&bundleId=two", shop.org);
    let request = ApiRequest::get("bundle-redemption", &stats);
    let fields = [("/totalRedemptions", json!(2)), ("/totalSavings", json!(11))];
    shop.check(CheckedRequest { label: "the final count", request, status: 200, fields: &fields }).await?;
    Ok("two of two were redeemed, a third was rejected, a repeat was replayed; one was voided, once, and redeemed again"
        .into())
}

async fn redeem(shop: &TestShop, order: &str, status: u16, fields: &[(&str, Value)]) -> anyhow::Result<()> {
    let body = json!({"orgId": shop.org, "bundleId": "two", "customerId": "ada", "orderId": order});
    let request = ApiRequest::post("bundle-redemption", "/redemptions", body);
    let again = if status == 200 { " again" } else { "" };
    shop.check(CheckedRequest { label: &format!("the {order} order of two{again}"), request, status, fields })
        .await
        .map(drop)
}
