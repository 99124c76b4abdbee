//! Awards and refunds of the demonstration: a refund in part, a refund that did not happen, an order that
//! was edited, and another earn rate.

use back_office::{customers::PutCustomer, loyalty::PutLoyalty, orgs::PutOrg};
use client::{Call, value};
use points_award::{
    amend::{AmendOrder, AmendmentRequest},
    award::{AwardAnswer, AwardOrder},
    refund::{RefundOrder, RefundRequest},
    refund_void::{RefundVoidRequest, VoidRefund},
};
use shared::{
    domain::{
        ids::{CustomerId, OrgId},
        points::Points,
        rate::EarnRate,
    },
    inbound::loyalty::{LoyaltyFields, SettingsFields},
};

use crate::{
    api::Api,
    output::print_line,
    requests,
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
pub(crate) async fn run(api: &Api, org: &OrgId, customer: &CustomerId) -> anyhow::Result<()> {
    let now = parse_instant(REFUNDED_AT)?;
    print_line("Refunds, and another earn rate\n");
    print_row(["customer", "step", "points", "balance"]);
    let AwardAnswer { points_awarded, account, .. } = award(api, org, customer).await?;
    print_change(customer, "an order of $80.00", '+', points_awarded, account.balance);
    let refund = RefundRequest {
        org_id: org.clone(),
        customer_id: Some(customer.clone()),
        order_id: value(ORDER)?,
        refund_id: value(REFUND)?,
        refund_total: Some(value("30.00")?),
        currency: None,
    };
    let refunded = api.call(&Call::<RefundOrder>::new(&refund)?.at(now)).await?.answer;
    print_change(customer, "a refund of $30.00", '-', refunded.points_reversed, refunded.account.balance);
    let void = RefundVoidRequest {
        org_id: org.clone(),
        customer_id: Some(customer.clone()),
        order_id: value(ORDER)?,
        refund_id: value(REFUND)?,
    };
    let voided = api.call(&Call::<VoidRefund>::new(&void)?.at(now)).await?.answer;
    let restored = voided.points_restored.unwrap_or(Points::ZERO);
    let balance = voided.account.map_or(Points::ZERO, |account| account.balance);
    print_change(customer, "the card declined the refund", '+', restored, balance);
    let amendment = AmendmentRequest {
        org_id: org.clone(),
        customer_id: Some(customer.clone()),
        order_id: value(ORDER)?,
        order_total: value("95.00")?,
        as_of: value(REFUNDED_AT)?,
        cancelled: false,
        currency: None,
    };
    let amended = api.call(&Call::<AmendOrder>::new(&amendment)?.at(now)).await?.answer;
    let balance = amended.account.map_or(Points::ZERO, |account| account.balance);
    print_change(customer, "the order was edited to $95.00", '+', amended.points_changed, balance);

    let org = create_earn_rate_org(api).await?;
    api.call(&Call::<PutCustomer>::new(&requests::empty_customer(&org, customer))?).await?;
    let AwardAnswer { points_awarded, account, .. } = award(api, &org, customer).await?;
    print_change(customer, "another org: 1 point for each $3", '+', points_awarded, account.balance);
    print_line("");
    Ok(())
}

/// Awards the order of $80.
async fn award(api: &Api, org: &OrgId, customer: &CustomerId) -> anyhow::Result<AwardAnswer> {
    let request = requests::award(org, customer, value(ORDER)?, value("80.00")?);
    let call = Call::<AwardOrder>::new(&request)?.at(parse_instant(REFUNDED_AT)?);
    Ok(api.call(&call).await?.answer)
}

/// Creates the org with another earn rate.
async fn create_earn_rate_org(api: &Api) -> anyhow::Result<OrgId> {
    let org: OrgId = value(EARN_RATE_ORG)?;
    let profile = requests::disposable_org(&org, value("Demo shop with another earn rate")?);
    api.call(&Call::<PutOrg>::new(&profile)?).await?;
    let earn_rate = EarnRate { points: value(1)?, per: value("3.00")? };
    let settings = SettingsFields { earn_rate: Some(earn_rate), ..requests::default_settings()? };
    api.call(&Call::<PutLoyalty>::new(&LoyaltyFields { org_id: org.clone(), settings })?).await?;
    Ok(org)
}

/// Prints by how many points a step changed the balance.
fn print_change(customer: &CustomerId, step: &str, sign: char, points: Points, balance: Points) {
    let points = format!("{sign}{}", group_digits(points.0));
    print_row([customer.as_str(), step, &points, &group_digits(balance.0)]);
}

fn print_row([customer, step, points, balance]: [&str; 4]) {
    print_line(&format!("  {customer:<10}{step:<34}{points:>10}{balance:>10}"));
}
