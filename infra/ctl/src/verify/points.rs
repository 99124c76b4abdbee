//! Checks points: an order earns them once and its refund reverses them; a checkout redeems them once and a void
//! returns them.

use anyhow::bail;
use serde_json::{Value, json};

use super::test_shop::{CheckResult, CheckedRequest, TestShop};
use crate::api::ApiRequest;

pub(crate) async fn check_award(shop: &TestShop) -> CheckResult {
    shop.register("bo").await?;
    let award = |order: &str, total: &str, equity: bool| {
        json!({
            "orgId": shop.org, "customerId": "bo", "orderId": order, "orderTotal": total, "equityStatus": equity,
        })
    };
    let refund = json!({
        "orgId": shop.org, "customerId": "bo", "orderId": "bo-1", "refundId": "part", "refundTotal": 20,
    });
    let replayed = ("/replayed", json!(true));
    let (earned, reversed) = ([("/pointsAwarded", json!(49)), ("/balance", json!(49))], ("/pointsReversed", json!(20)));
    let [points, balance] = earned.clone();
    for (label, path, body, status, fields) in [
        ("an order of 49.99", "/awards", award("bo-1", "49.99", false), 201, earned.to_vec()),
        (
            "the same order again",
            "/awards",
            award("bo-1", "49.99", false),
            200,
            vec![points, balance, replayed.clone()],
        ),
        (
            "the same order with another total",
            "/awards",
            award("bo-1", "50", false),
            409,
            vec![("/code", json!("idempotency_mismatch"))],
        ),
        (
            "an order of 100 with equity status",
            "/awards",
            award("bo-2", "100", true),
            201,
            vec![("/pointsAwarded", json!(120)), ("/balance", json!(169)), ("/tier", json!("Bronze"))],
        ),
        ("a refund of 20", "/refunds", refund.clone(), 201, vec![reversed.clone(), ("/balance", json!(149))]),
        ("the same refund again", "/refunds", refund, 200, vec![reversed, replayed]),
    ] {
        let request = ApiRequest::post("points-award", path, body);
        shop.check(CheckedRequest { label, request, status, fields: &fields }).await?;
    }
    let figures = [("/points", json!(149)), ("/lifetimeValue", json!(129.99)), ("/orderCount", json!(2))];
    shop.check_customer("bo", &figures).await?;
    check_ledger_sum(shop, "bo", 149).await?;
    Ok("an order earned its points, once; equity status multiplied; a refund reversed some; the ledger adds up to 149"
        .into())
}

/// Fails unless the sum of a customer's entries and the balance after the newest entry are the expected balance.
async fn check_ledger_sum(shop: &TestShop, customer: &str, balance: i64) -> anyhow::Result<()> {
    let entries = shop.list(&format!("customers/{customer}/activity?"), "entries").await?;
    let integer = |entry: &Value, name: &str| entry.get(name).and_then(Value::as_i64);
    let sum: i64 = entries.iter().filter_map(|entry| integer(entry, "points")).sum();
    let last = entries.first().and_then(|entry| integer(entry, "balance"));
    if sum == balance && last == Some(balance) {
        return Ok(());
    }
    let last = last.map_or_else(|| "none".to_owned(), |last| last.to_string());
    bail!(
        "the ledger of {customer}: expected a sum of {balance} and the same after its newest entry, came {sum} and {last}"
    )
}

pub(crate) async fn check_redemption(shop: &TestShop) -> CheckResult {
    shop.register("cy").await?;
    let path = format!("/orgs/{}/customers/cy/adjustments", shop.org);
    let gift = json!({"adjustmentId": "gift", "points": 260, "reason": "smoke test"});
    let request = ApiRequest::post("back-office", &path, gift);
    shop.check(CheckedRequest {
        label: "a gift of 260 points",
        request,
        status: 201,
        fields: &[("/balance", json!(260))],
    })
    .await?;
    let quote = json!({"orgId": shop.org, "customerId": "cy", "points": 100, "orderTotal": 50});
    let request = ApiRequest::post("points-redemption", "/quotes", quote);
    let fields =
        [("/isValid", json!(true)), ("/value", json!(5)), ("/maxPoints", json!(260)), ("/maxValue", json!(15.6))];
    shop.check(CheckedRequest { label: "a quote for 100 of 260 points", request, status: 200, fields: &fields })
        .await?;

    let redeem = |order: &str, points: u32| json!({"orgId": shop.org, "customerId": "cy", "orderId": order, "points": points, "orderTotal": 50});
    let redeemed = [("/pointsRedeemed", json!(100)), ("/value", json!(5)), ("/balance", json!(160))];
    let replayed = [redeemed.to_vec(), vec![("/replayed", json!(true))]].concat();
    for (label, body, status, fields) in [
        ("100 points for an order", redeem("cy-1", 100), 201, redeemed.to_vec()),
        ("the same points for the same order", redeem("cy-1", 100), 200, replayed),
        ("500 points, more than the balance", redeem("cy-2", 500), 409, vec![("/code", json!("insufficient_points"))]),
    ] {
        let request = ApiRequest::post("points-redemption", "/redemptions", body);
        shop.check(CheckedRequest { label, request, status, fields: &fields }).await?;
    }
    let path = format!("/redemptions/cy-1?orgId={}&customerId=cy", shop.org);
    let returned = [("/voided", json!(true)), ("/pointsReturned", json!(100)), ("/balance", json!(260))];
    let again = [returned.to_vec(), vec![("/replayed", json!(true))]].concat();
    for (label, fields) in [("the void of the order", returned.to_vec()), ("the same void again", again)] {
        let request = ApiRequest::delete("points-redemption", &path);
        shop.check(CheckedRequest { label, request, status: 200, fields: &fields }).await?;
    }
    shop.check_customer("cy", &[("/points", json!(260))]).await?;
    check_ledger_sum(shop, "cy", 260).await?;
    Ok("a quote was right, points were redeemed once, too many were rejected, a void returned them, once".into())
}
