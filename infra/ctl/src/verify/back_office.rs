//! The back office: a customer is kept as put, and an org's key acts for its org alone, until it is revoked.

use std::time::Duration;

use anyhow::Context;
use reqwest::StatusCode;
use serde_json::{Value, json};
use shared::clock::Stopwatch;

use super::shop::{Outcome, Shop, Step, text, until};
use crate::api::Request;

/// How long a revoked key may go on in processes that know it, and a little more.
const REVOCATION: Duration = Duration::from_secs(75);

/// An org that the key is not of. There need not be one: the key is refused before anybody looks.
const ELSEWHERE: &str = "verify-elsewhere";

pub(crate) async fn check(shop: &Shop) -> Outcome {
    shop.register("ada").await?;
    let path = format!("/orgs/{}/customers/ada", shop.org);
    let named = json!({"firstName": "Ada", "email": "ada@example.com"});
    let request = Request::put("back-office", &path, named);
    shop.ask(Step {
        what: "a customer who gets a name",
        request,
        status: 200,
        fields: &[("/firstName", json!("Ada"))],
    })
    .await?;
    shop.customer("ada", &[("/firstName", json!("Ada")), ("/email", json!("ada@example.com"))]).await?;
    let keys = format!("/orgs/{}/keys", shop.org);
    let request = Request::post("back-office", &keys, json!({"name": "till"}));
    let made = shop.ask(Step { what: "a key of the org that is made", request, status: 201, fields: &[] }).await?;
    let (key, key_id) = (text(&made, "key"), text(&made, "keyId"));

    let till = shop.with_secret(key);
    till.customer("ada", &[("/firstName", json!("Ada"))]).await?;
    let refused = [("/code", json!("other_org"))];
    for (what, path) in [
        ("the org's key at another org", format!("/orgs/{ELSEWHERE}/customers/ada")),
        ("the org's key at the settings", format!("/orgs/{}/loyalty", shop.org)),
    ] {
        let request = Request::get("back-office", &path);
        till.ask(Step { what, request, status: 403, fields: &refused }).await?;
    }
    let took = revoke(shop, &till, &format!("{keys}/{key_id}"), &path).await?;
    Ok(format!(
        "a customer is kept as put; an org's key acts for its org alone, and no more {took:.1} s after it was revoked"
    ))
}

/// Revokes the key, and waits until its holder is refused; how many seconds that took.
async fn revoke(shop: &Shop, till: &Shop, key: &str, customer: &str) -> anyhow::Result<f64> {
    let request = Request::delete("back-office", key);
    let fields = [("/revoked", Value::Bool(true))];
    shop.ask(Step { what: "a key that is revoked", request, status: 200, fields: &fields }).await?;
    let watch = Stopwatch::start();
    let refused = until(REVOCATION, async || {
        let answer = till.answer(&Request::get("back-office", customer)).await?;
        Ok((answer.status == StatusCode::UNAUTHORIZED).then_some(()))
    });
    refused.await?.with_context(|| {
        format!("a revoked key: expected 401 within {} seconds, it is still taken", REVOCATION.as_secs())
    })?;
    Ok(watch.elapsed().as_secs_f64())
}
