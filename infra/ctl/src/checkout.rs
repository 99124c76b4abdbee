//! Checkouts of a few customers of the demo org: a redemption, a repeated request, too few points, and a cancelled
//! order.

use anyhow::bail;
use reqwest::StatusCode;
use serde_json::{Value, json};
use shared::domain::ids::OrgId;

use crate::{
    api::{Api, ApiAnswer, ApiRequest},
    output::print_line,
    values::{format_amount, group_digits, parse_instant, parse_minor_units},
};

/// Monday morning after the promotion week.
const CHECKED_OUT_AT: &str = "1998-07-13T14:00:00Z";

/// The checkouts: customer, order, order total, requested points, and the next step.
const CHECKOUTS: [(CustomerChoice, &str, &str, i64, NextStep); 5] = [
    (CustomerChoice::NthRichest(0), "till-1", "60.00", 500, NextStep::Nothing),
    (CustomerChoice::NthRichest(1), "till-2", "40.00", 250, NextStep::Repeat),
    (CustomerChoice::NthRichest(2), "till-3", "25.00", 100, NextStep::Cancel),
    (CustomerChoice::Poorest, "till-4", "25.00", 100, NextStep::Nothing),
    (CustomerChoice::NthRichest(3), "till-5", "9.99", 400, NextStep::Nothing),
];

/// A customer, chosen by balance.
#[derive(Clone, Copy)]
enum CustomerChoice {
    NthRichest(usize),
    Poorest,
}

/// The step after the first request.
#[derive(Clone, Copy)]
enum NextStep {
    Nothing,
    /// The till received no answer and repeats the request.
    Repeat,
    Cancel,
}

/// Plays the checkouts and prints each result. `balances` are the customers and their points.
pub(crate) async fn run(api: &Api, org: &OrgId, mut balances: Vec<(String, i64)>) -> anyhow::Result<()> {
    balances.sort_by(|(customer, points), (other, other_points)| other_points.cmp(points).then(customer.cmp(other)));
    print_line("At checkout, points for money\n");
    print_row(["customer", "has", "order", "asks", "", "gets", "left"]);
    for (choice, order, order_total, points, next_step) in CHECKOUTS {
        let chosen = match choice {
            CustomerChoice::NthRichest(rank) => balances.get(rank),
            CustomerChoice::Poorest => balances.last(),
        };
        let Some((customer, balance)) = chosen else { continue };
        let body = json!({
            "orgId": org, "customerId": customer, "orderId": order, "points": points, "orderTotal": order_total,
        });
        let attempts = if matches!(next_step, NextStep::Repeat) { 2 } else { 1 };
        for _ in 0..attempts {
            let answer =
                api.send(&at_checkout(ApiRequest::post("points-redemption", "/redemptions", body.clone()))?).await?;
            let (result, value, remaining) = redemption_columns(&answer)?;
            print_row([
                customer,
                &group_digits(*balance),
                &format!("${order_total}"),
                &group_digits(points),
                &result,
                &value,
                &remaining,
            ]);
        }
        if quote_unless_cancelled(api, org, customer, order_total, points, &next_step).await? {
            continue;
        }
        let path = format!("/redemptions/{order}?orgId={org}&customerId={customer}");
        let cancel = ApiRequest::delete("points-redemption", &path);
        let answer = api.send(&at_checkout(cancel)?).await?.into_accepted_body()?;
        let remaining = answer.get("balance").and_then(Value::as_i64).unwrap_or(0);
        print_row([customer, "", "cancelled", "", "points given back", "", &group_digits(remaining)]);
    }
    print_line("");
    Ok(())
}

/// Asks for a quote and prints the highest amount of points, if fewer points would be accepted. Returns false for an
/// order that is to be cancelled.
async fn quote_unless_cancelled(
    api: &Api,
    org: &OrgId,
    customer: &str,
    order_total: &str,
    points: i64,
    next_step: &NextStep,
) -> anyhow::Result<bool> {
    if matches!(next_step, NextStep::Cancel) {
        return Ok(false);
    }
    let body = json!({"orgId": org, "customerId": customer, "points": points, "orderTotal": order_total});
    let quote =
        api.send(&at_checkout(ApiRequest::post("points-redemption", "/quotes", body))?).await?.into_accepted_body()?;
    let max_points = quote.get("maxPoints").and_then(Value::as_i64).unwrap_or(0);
    if quote.get("code").and_then(Value::as_str) == Some("exceeds_order_total") {
        let max_value = format_amount(parse_minor_units(quote.get("maxValue"))?);
        print_row([
            customer,
            "",
            "a quote",
            "",
            &format!("at most {} points", group_digits(max_points)),
            &max_value,
            "",
        ]);
    }
    Ok(true)
}

fn at_checkout(request: ApiRequest<'_>) -> anyhow::Result<ApiRequest<'_>> {
    Ok(ApiRequest { now: Some(parse_instant(CHECKED_OUT_AT)?), ..request })
}

/// The columns of a redemption: the result, the reduction of the order total, and the remaining balance.
fn redemption_columns(answer: &ApiAnswer) -> anyhow::Result<(String, String, String)> {
    let field = |name: &str| answer.body.get(name);
    match answer.status {
        StatusCode::CREATED | StatusCode::OK => {
            let result = if answer.status == StatusCode::CREATED { "redeemed" } else { "the same answer again" };
            let remaining = field("balance").and_then(Value::as_i64).unwrap_or(0);
            Ok((result.into(), format_amount(parse_minor_units(field("value"))?), group_digits(remaining)))
        }
        StatusCode::CONFLICT => {
            Ok((field("code").and_then(Value::as_str).unwrap_or_default().to_owned(), String::new(), String::new()))
        }
        _ => bail!(answer.problem_summary()),
    }
}

fn print_row(cells: [&str; 7]) {
    let [customer, balance, order, asked, result, value, remaining] = cells;
    let line = format!("  {customer:<10}{balance:>8}{order:>11}{asked:>8}  {result:<24}{value:>8}{remaining:>8}");
    print_line(line.trim_end());
}
