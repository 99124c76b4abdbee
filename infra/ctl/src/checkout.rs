//! Checkouts of a few customers of the demo org: a redemption, a repeated request, too few points, and a cancelled
//! order.

use anyhow::bail;
use client::{Call, Outcome, value};
use points_redemption::{
    read::{QuotePoints, QuoteRequest},
    redeem::{PointsRedemptionAnswer, PointsRedemptionRequest, RedeemPoints},
    void::{PointsVoidRequest, VoidPointsRedemption},
};
use shared::{
    domain::{
        ids::{CustomerId, OrgId},
        points::Points,
        rejection::{RefusalCode, RejectionKind},
    },
    host::{InFunction, Success},
};

use crate::{
    api::Api,
    output::print_line,
    values::{format_amount, group_digits, parse_instant},
};

/// Monday morning after the promotion week.
pub(crate) const CHECKED_OUT_AT: &str = "1998-07-13T14:00:00Z";

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

/// Plays the checkouts and prints each result. `balances` are the customers and the points that each can spend.
pub(crate) async fn run(api: &Api, org: &OrgId, mut balances: Vec<(CustomerId, i64)>) -> anyhow::Result<()> {
    balances.sort_by(|(customer, points), (other, other_points)| other_points.cmp(points).then(customer.cmp(other)));
    print_line("At checkout, points for money\n");
    print_row(["customer", "has", "order", "asks", "", "gets", "left"]);
    for (choice, order, order_total, points, next_step) in CHECKOUTS {
        let chosen = match choice {
            CustomerChoice::NthRichest(rank) => balances.get(rank),
            CustomerChoice::Poorest => balances.last(),
        };
        let Some((customer, balance)) = chosen else { continue };
        let redemption = PointsRedemptionRequest {
            org_id: org.clone(),
            customer_id: customer.clone(),
            order_id: value(order)?,
            points: value(points)?,
            order_total: value(order_total)?,
            currency: None,
        };
        let attempts = if matches!(next_step, NextStep::Repeat) { 2 } else { 1 };
        for _ in 0..attempts {
            let outcome = api.outcome(&at_checkout::<RedeemPoints>(&redemption)?).await?;
            let (result, value, remaining) = redemption_columns(outcome)?;
            print_row([
                customer.as_str(),
                &group_digits(*balance),
                &format!("${order_total}"),
                &group_digits(points),
                &result,
                &value,
                &remaining,
            ]);
        }
        if !matches!(next_step, NextStep::Cancel) {
            quote(api, &redemption).await?;
            continue;
        }
        let PointsRedemptionRequest { org_id, customer_id, order_id, .. } = redemption;
        let void = PointsVoidRequest { org_id, customer_id: Some(customer_id), order_id };
        let voided = api.call(&at_checkout::<VoidPointsRedemption>(&void)?).await?.answer;
        let remaining = group_digits(voided.balance.unwrap_or(Points::ZERO).0);
        print_row([customer.as_str(), "", "cancelled", "", "points given back", "", &remaining]);
    }
    print_line("");
    Ok(())
}

/// Asks for a quote of a redemption and prints the highest amount of points, if fewer points would be accepted.
async fn quote(api: &Api, redemption: &PointsRedemptionRequest) -> anyhow::Result<()> {
    let PointsRedemptionRequest { org_id, customer_id, points, order_total, .. } = redemption.clone();
    let request = QuoteRequest { org_id, customer_id, points, order_total: Some(order_total), currency: None };
    let quote = api.call(&at_checkout::<QuotePoints>(&request)?).await?.answer;
    if quote.code == Some(RefusalCode::ExceedsOrderTotal) {
        let limit = format!("at most {} points", group_digits(quote.max_points.0));
        let max_value = format_amount(quote.max_value.minor());
        print_row([request.customer_id.as_str(), "", "a quote", "", &limit, &max_value, ""]);
    }
    Ok(())
}

fn at_checkout<O: InFunction>(request: &O::Request) -> anyhow::Result<Call<O>> {
    Ok(Call::new(request)?.at(parse_instant(CHECKED_OUT_AT)?))
}

/// The columns of a redemption: the result, the reduction of the order total, and the remaining balance.
fn redemption_columns(outcome: Outcome<PointsRedemptionAnswer>) -> anyhow::Result<(String, String, String)> {
    match outcome {
        Ok(redeemed) => {
            let is_new = redeemed.success == Success::Created;
            let result = if is_new { "redeemed" } else { "the same answer again" };
            let PointsRedemptionAnswer { value, balance, .. } = redeemed.answer;
            Ok((result.into(), format_amount(value.minor()), group_digits(balance.0)))
        }
        Err(problem) if problem.is_of_kind(RejectionKind::Conflict) => Ok((problem.code, String::new(), String::new())),
        Err(problem) => bail!(problem),
    }
}

fn print_row(cells: [&str; 7]) {
    let [customer, balance, order, asked, result, value, remaining] = cells;
    let line = format!("  {customer:<10}{balance:>8}{order:>11}{asked:>8}  {result:<24}{value:>8}{remaining:>8}");
    print_line(line.trim_end());
}
