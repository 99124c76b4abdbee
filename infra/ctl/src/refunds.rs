//! Awards and refunds of the demonstration: a refund in part, a refund that did not happen, and another earn rate.

use reqwest::Method;
use serde_json::{Value, json};
use shared::domain::ids::OrgId;

use crate::{
    api::{Api, ApiRequest},
    output::print_line,
    values::{group_digits, parse_instant},
};

/// The afternoon after the checkouts.
const REFUNDED_AT: &str = "1998-07-13T18:00:00Z";

/// The org that awards one point for every three dollars.
const EARN_RATE_ORG: &str = "demo-earn-rate";

/// The order that is refunded, and its refund.
const ORDER: &str = "returned-1";
const REFUND: &str = "refund-1";

/// Plays the steps and prints each change of points. `customer` is any customer of the org.
pub(crate) async fn run(api: &Api, org: &OrgId, customer: &str) -> anyhow::Result<()> {
    print_line("Refunds, and another earn rate\n");
    print_row(["customer", "step", "points", "balance"]);
    let award = json!({"orgId": org, "customerId": customer, "orderId": ORDER, "orderTotal": "80.00"});
    let refund = json!({
        "orgId": org, "customerId": customer, "orderId": ORDER, "refundId": REFUND, "refundTotal": "30.00",
    });
    let void = format!("/refunds/{REFUND}?orgId={org}&orderId={ORDER}&customerId={customer}");
    let steps = [
        ("an order of $80.00", ApiRequest::post("points-award", "/awards", award), "pointsAwarded"),
        ("a refund of $30.00", ApiRequest::post("points-award", "/refunds", refund), "pointsReversed"),
        ("the card declined the refund", ApiRequest::delete("points-award", &void), "pointsRestored"),
    ];
    for (step, request, points) in steps {
        print_change(api, customer, step, request, points).await?;
    }

    let path = format!("/orgs/{EARN_RATE_ORG}");
    let profile = json!({"name": "Demo shop with another earn rate", "disposable": true});
    let loyalty_path = format!("{path}/loyalty");
    let loyalty = json!({"earnRate": {"points": 1, "per": "3.00"}});
    let customer_path = format!("{path}/customers/{customer}");
    for (path, body) in [(&path, profile), (&loyalty_path, loyalty), (&customer_path, json!({}))] {
        api.send(&ApiRequest::put("back-office", path, body)).await?.into_accepted_body()?;
    }
    let award = json!({"orgId": EARN_RATE_ORG, "customerId": customer, "orderId": ORDER, "orderTotal": "80.00"});
    let request = ApiRequest::post("points-award", "/awards", award);
    print_change(api, customer, "another org: 1 point for each $3", request, "pointsAwarded").await?;
    print_line("");
    Ok(())
}

/// Sends a request and prints by how many points it changed the balance. `field` of the answer holds the points.
async fn print_change(
    api: &Api,
    customer: &str,
    step: &str,
    request: ApiRequest<'_>,
    field: &str,
) -> anyhow::Result<()> {
    let request = ApiRequest { now: Some(parse_instant(REFUNDED_AT)?), ..request };
    let is_refund = request.method == Method::POST && request.path == "/refunds";
    let answer = api.send(&request).await?.into_accepted_body()?;
    let integer = |name: &str| answer.get(name).and_then(Value::as_i64).unwrap_or(0);
    let sign = if is_refund { '-' } else { '+' };
    let points = format!("{sign}{}", group_digits(integer(field)));
    print_row([customer, step, &points, &group_digits(integer("balance"))]);
    Ok(())
}

fn print_row([customer, step, points, balance]: [&str; 4]) {
    print_line(&format!("  {customer:<10}{step:<34}{points:>10}{balance:>10}"));
}
