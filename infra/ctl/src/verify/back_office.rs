//! Checks the back office: a customer keeps the given fields, and an org's key is accepted for its org only, until
//! revoked.

use std::time::Duration;

use anyhow::Context;
use reqwest::StatusCode;
use serde_json::{Value, json};
use shared::clock::Stopwatch;

use super::test_shop::{CheckResult, CheckedRequest, TestShop, poll_until, text_field};
use crate::api::ApiRequest;

/// Longest time for which a process with a cache may accept a revoked key, with a reserve.
const REVOCATION_TIME_MAX: Duration = Duration::from_secs(75);

/// An org other than the org of the key. It need not exist, because the key is rejected before any lookup.
const OTHER_ORG: &str = "verify-elsewhere";

pub(crate) async fn check(shop: &TestShop) -> CheckResult {
    shop.register("ada").await?;
    let path = format!("/orgs/{}/customers/ada", shop.org);
    let profile = json!({"firstName": "Ada", "email": "ada@example.com"});
    let request = ApiRequest::put("back-office", &path, profile);
    shop.check(CheckedRequest {
        label: "a customer that gets a name",
        request,
        status: 200,
        fields: &[("/firstName", json!("Ada"))],
    })
    .await?;
    shop.check_customer("ada", &[("/firstName", json!("Ada")), ("/email", json!("ada@example.com"))]).await?;
    let keys = format!("/orgs/{}/keys", shop.org);
    let request = ApiRequest::post("back-office", &keys, json!({"name": "till"}));
    let created =
        shop.check(CheckedRequest { label: "a new key of the org", request, status: 201, fields: &[] }).await?;
    let (key, key_id) = (text_field(&created, "key"), text_field(&created, "keyId"));

    let till = shop.with_secret(key);
    till.check_customer("ada", &[("/firstName", json!("Ada"))]).await?;
    let refused = [("/code", json!("other_org"))];
    for (label, path) in [
        ("the org's key at another org", format!("/orgs/{OTHER_ORG}/customers/ada")),
        ("the org's key at the settings", format!("/orgs/{}/loyalty", shop.org)),
    ] {
        let request = ApiRequest::get("back-office", &path);
        till.check(CheckedRequest { label, request, status: 403, fields: &refused }).await?;
    }
    let seconds = revoke(shop, &till, &format!("{keys}/{key_id}"), &path).await?;
    Ok(format!(
        "a customer keeps the given fields; an org's key is accepted for its org only, and rejected {seconds:.1} s after its \
         revocation"
    ))
}

/// Revokes the key and waits until it is rejected. Returns the seconds in between.
async fn revoke(shop: &TestShop, till: &TestShop, key: &str, customer: &str) -> anyhow::Result<f64> {
    let request = ApiRequest::delete("back-office", key);
    let fields = [("/revoked", Value::Bool(true))];
    shop.check(CheckedRequest { label: "a key that is revoked", request, status: 200, fields: &fields }).await?;
    let watch = Stopwatch::start();
    let refused = poll_until(REVOCATION_TIME_MAX, async || {
        let answer = till.send(&ApiRequest::get("back-office", customer)).await?;
        Ok((answer.status == StatusCode::UNAUTHORIZED).then_some(()))
    });
    refused.await?.with_context(|| {
        format!(
            "a revoked key: expected 401 within {} seconds, the key is still accepted",
            REVOCATION_TIME_MAX.as_secs()
        )
    })?;
    Ok(watch.elapsed().as_secs_f64())
}
