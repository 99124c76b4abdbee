//! The back office: a customer is kept as put, and an org's key acts for its org alone, until it is revoked.

use std::time::Duration;

use anyhow::Context;
use reqwest::StatusCode;
use serde_json::{Value, json};
use shared::clock::Stopwatch;

use super::test_shop::{CheckResult, CheckedRequest, TestShop, poll_until, text_field};
use crate::api::ApiRequest;

/// How long a revoked key may go on in processes that know it, and a little more.
const REVOCATION_TIME_MAX: Duration = Duration::from_secs(75);

/// An org that the key is not of. There need not be one: the key is refused before anybody looks.
const OTHER_ORG: &str = "verify-elsewhere";

pub(crate) async fn check(shop: &TestShop) -> CheckResult {
    shop.register("ada").await?;
    let path = format!("/orgs/{}/customers/ada", shop.org);
    let named = json!({"firstName": "Ada", "email": "ada@example.com"});
    let request = ApiRequest::put("back-office", &path, named);
    shop.check(CheckedRequest {
        label: "a customer who gets a name",
        request,
        status: 200,
        fields: &[("/firstName", json!("Ada"))],
    })
    .await?;
    shop.check_customer("ada", &[("/firstName", json!("Ada")), ("/email", json!("ada@example.com"))]).await?;
    let keys = format!("/orgs/{}/keys", shop.org);
    let request = ApiRequest::post("back-office", &keys, json!({"name": "till"}));
    let made = shop
        .check(CheckedRequest { label: "a key of the org that is made", request, status: 201, fields: &[] })
        .await?;
    let (key, key_id) = (text_field(&made, "key"), text_field(&made, "keyId"));

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
        "a customer is kept as put; an org's key acts for its org alone, and no more {seconds:.1} s after it was revoked"
    ))
}

/// Revokes the key, and waits until its holder is refused; how many seconds that took.
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
        format!("a revoked key: expected 401 within {} seconds, it is still taken", REVOCATION_TIME_MAX.as_secs())
    })?;
    Ok(watch.elapsed().as_secs_f64())
}
