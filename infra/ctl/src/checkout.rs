//! A few customers of the demo org at checkout: points that buy something, a till that asks twice, too few points, an
//! order that is cancelled.

use anyhow::bail;
use reqwest::StatusCode;
use serde_json::{Value, json};
use shared::domain::{ids::OrgId, time};

use crate::{
    api::{Answer, Api, Request},
    report::{minor, money, say, thousands},
};

/// The Monday after the promotion week, in the morning.
const NOW: &str = "1998-07-13T14:00:00Z";

/// What happens at the till: to which of the customers, richest first, with what order and how many points.
const AT_THE_TILL: [(Who, &str, &str, i64, Then); 5] = [
    (Who::Richest(0), "till-1", "60.00", 500, Then::Nothing),
    (Who::Richest(1), "till-2", "40.00", 250, Then::AskAgain),
    (Who::Richest(2), "till-3", "25.00", 100, Then::Cancel),
    (Who::Poorest, "till-4", "25.00", 100, Then::Nothing),
    (Who::Richest(3), "till-5", "9.99", 400, Then::Nothing),
];

#[derive(Clone, Copy)]
enum Who {
    Richest(usize),
    Poorest,
}

#[derive(Clone, Copy)]
enum Then {
    Nothing,
    /// The till heard no answer, and tries again.
    AskAgain,
    Cancel,
}

/// Shows what each got; `balances` are the customers and their points.
pub(crate) async fn show(api: &Api, org: &OrgId, mut balances: Vec<(String, i64)>) -> anyhow::Result<()> {
    balances.sort_by(|(one, points), (next, more)| more.cmp(points).then(one.cmp(next)));
    say("At checkout, points for money\n");
    row(["customer", "has", "order", "asks", "", "gets", "left"]);
    for (who, order, total, points, then) in AT_THE_TILL {
        let found = match who {
            Who::Richest(place) => balances.get(place),
            Who::Poorest => balances.last(),
        };
        let Some((customer, has)) = found else { continue };
        let body = json!({
            "orgId": org, "customerId": customer, "orderId": order, "points": points, "orderTotal": total,
        });
        let tries = if matches!(then, Then::AskAgain) { 2 } else { 1 };
        for _ in 0..tries {
            let answer = api.send(&at(Request::post("points-redemption", "/redemptions", body.clone()))?).await?;
            let (what, gets, left) = outcome(&answer)?;
            row([customer, &thousands(*has), &format!("${total}"), &thousands(points), &what, &gets, &left]);
        }
        if answer_to_refusal(api, org, customer, total, points, &then).await? {
            continue;
        }
        let path = format!("/redemptions/{order}?orgId={org}&customerId={customer}");
        let cancel = Request::delete("points-redemption", &path);
        let answer = api.send(&at(cancel)?).await?.accepted()?;
        let left = answer.get("balance").and_then(Value::as_i64).unwrap_or(0);
        row([customer, "", "cancelled", "", "points given back", "", &thousands(left)]);
    }
    say("");
    Ok(())
}

/// Asks what would have worked, where points were refused; whether that is all there is to do.
async fn answer_to_refusal(
    api: &Api,
    org: &OrgId,
    customer: &str,
    total: &str,
    points: i64,
    then: &Then,
) -> anyhow::Result<bool> {
    if matches!(then, Then::Cancel) {
        return Ok(false);
    }
    let body = json!({"orgId": org, "customerId": customer, "points": points, "orderTotal": total});
    let quote = api.send(&at(Request::post("points-redemption", "/quotes", body))?).await?.accepted()?;
    let most = quote.get("maxPoints").and_then(Value::as_i64).unwrap_or(0);
    if quote.get("code").and_then(Value::as_str) == Some("exceeds_order_total") {
        let worth = money(minor(quote.get("maxValue"))?);
        row([customer, "", "a quote", "", &format!("at most {} points", thousands(most)), &worth, ""]);
    }
    Ok(true)
}

fn at(request: Request<'_>) -> anyhow::Result<Request<'_>> {
    Ok(Request { now: Some(time::parse(NOW).map_err(anyhow::Error::msg)?), ..request })
}

/// What came of it, what it took off the order, and the balance after it.
fn outcome(answer: &Answer) -> anyhow::Result<(String, String, String)> {
    let field = |name: &str| answer.body.get(name);
    match answer.status {
        StatusCode::CREATED | StatusCode::OK => {
            let what = if answer.status == StatusCode::CREATED { "redeemed" } else { "the same answer again" };
            let left = field("balance").and_then(Value::as_i64).unwrap_or(0);
            Ok((what.into(), money(minor(field("value"))?), thousands(left)))
        }
        StatusCode::CONFLICT => {
            Ok((field("code").and_then(Value::as_str).unwrap_or_default().to_owned(), String::new(), String::new()))
        }
        _ => bail!(answer.complaint()),
    }
}

fn row(cells: [&str; 7]) {
    let [customer, has, order, asks, what, gets, left] = cells;
    let line = format!("  {customer:<10}{has:>8}{order:>11}{asks:>8}  {what:<24}{gets:>8}{left:>8}");
    say(line.trim_end());
}
