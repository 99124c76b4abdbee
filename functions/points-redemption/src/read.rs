//! The operations that only read: quotes, redemption options, and a customer's redemptions.

use chrono::{DateTime, Utc};
use deserr::Deserr;
use serde::Serialize;
use shared::{
    domain::{
        customer::Customer,
        ids::{CustomerId, OrderId, OrgId},
        loyalty::{PointsCost, RedemptionTier},
        money::{Currency, Money},
        points::Points,
        points_redemption::{self, PointsRedemption, PointsValuation},
        rejection::Rejection,
        time,
    },
    failure::Failure,
    host::{Context, List, Reply},
    inbound::{
        Call,
        cursor::{Cursor, CursorScope},
        fields::PageSize,
    },
};

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct QuoteRequest {
    org_id: OrgId,
    customer_id: CustomerId,
    points: PointsCost,
    #[deserr(default)]
    order_total: Option<Money>,
    #[deserr(default)]
    currency: Option<Currency>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct QuoteAnswer {
    is_valid: bool,
    /// 0 if the points cannot be redeemed.
    value: Money,
    max_points: Points,
    max_value: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Quotes the discount for a number of points, and the largest redemption that would be accepted.
///
/// A quote and a redemption apply the same rules.
pub(crate) async fn quote(context: &Context, call: Call) -> Result<Reply, Failure> {
    let QuoteRequest { org_id, customer_id, points, order_total, currency } = call.read()?;
    let org = context.org(&org_id).await?;
    org.check_amounts([("orderTotal", order_total)])?;
    let customer = customer(context, &org_id, &customer_id).await?;
    org.check_currency(currency.as_ref())?;
    let valuation = PointsValuation::new(&org.loyalty_in_force()?.settings, &org.profile.currency);
    let quoted = points_redemption::quote(valuation, customer.points, points, order_total);
    // No order total exceeds this amount.
    let max = points_redemption::max_redeemable(valuation, customer.points, order_total.or(Some(Money::REQUESTED_MAX)));
    let refusal = quoted.as_ref().err();
    Ok(Reply::ok(&QuoteAnswer {
        is_valid: quoted.is_ok(),
        max_points: max.map_or(Points::ZERO, |(points, _)| points.get()),
        max_value: max.map_or(Money::ZERO, |(_, value)| value),
        code: refusal.map(Rejection::code),
        reason: refusal.map(ToString::to_string),
        value: quoted.unwrap_or(Money::ZERO),
    }))
}

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct OptionsRequest {
    org_id: OrgId,
    customer_id: CustomerId,
}

#[derive(Serialize)]
struct OptionsAnswer {
    balance: Points,
    options: Vec<OptionView>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OptionView {
    points_cost: PointsCost,
    reward_value: Money,
    can_redeem: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    points_needed: Option<Points>,
}

/// Lists the redemption tiers and whether the customer can redeem each one.
///
/// While the programme is off, no tier can be redeemed.
pub(crate) async fn options(context: &Context, call: Call) -> Result<Reply, Failure> {
    let OptionsRequest { org_id, customer_id } = call.read()?;
    let org = context.org(&org_id).await?;
    let balance = customer(context, &org_id, &customer_id).await?.points;
    let is_on = org.loyalty_in_force().is_ok();
    let view = |tier: &RedemptionTier| {
        let needed = tier.points_cost.get().minus(balance).filter(|needed| *needed > Points::ZERO);
        OptionView {
            points_cost: tier.points_cost,
            reward_value: tier.reward_value,
            can_redeem: is_on && needed.is_none(),
            points_needed: needed,
        }
    };
    let settings = org.loyalty.iter().map(|loyalty| &loyalty.settings);
    let options = settings.flat_map(|settings| settings.redemption_tiers.iter()).map(view).collect();
    Ok(Reply::ok(&OptionsAnswer { balance, options }))
}

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct PointsRedemptionsPage {
    org_id: OrgId,
    customer_id: CustomerId,
    #[deserr(default)]
    limit: PageSize,
    #[deserr(default)]
    cursor: Option<Cursor>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PointsRedemptionView {
    order_id: OrderId,
    points_redeemed: Points,
    value: Money,
    order_total: Money,
    balance: Points,
    #[serde(serialize_with = "time::serialize")]
    redeemed_at: DateTime<Utc>,
    #[serde(serialize_with = "time::serialize_option", skip_serializing_if = "Option::is_none")]
    voided_at: Option<DateTime<Utc>>,
}

impl From<PointsRedemption> for PointsRedemptionView {
    fn from(redemption: PointsRedemption) -> Self {
        Self {
            order_id: redemption.order,
            points_redeemed: redemption.points,
            value: redemption.value,
            order_total: redemption.order_total,
            balance: redemption.balance,
            redeemed_at: redemption.redeemed_at,
            voided_at: redemption.voided.map(|void| void.at),
        }
    }
}

/// Lists a customer's redemptions, newest first. A voided redemption stays in the list with its `voidedAt`.
pub(crate) async fn list(context: &Context, call: Call) -> Result<Reply, Failure> {
    let operation = call.operation.name;
    let PointsRedemptionsPage { org_id, customer_id, limit, cursor } = call.read()?;
    let list =
        List::begin(CursorScope { operation, org: org_id.as_str(), qualifier: customer_id.as_str() }, limit, cursor)?;
    context.org(&org_id).await?;
    let page = context.store.points_redemptions(&org_id, &customer_id, list.after(), list.size()).await?;
    if list.is_empty(&page) {
        // The customer has redeemed nothing, or does not exist.
        customer(context, &org_id, &customer_id).await?;
    }
    Ok(list.answer("redemptions", page, |row| Some(row.map(PointsRedemptionView::from))))
}

async fn customer(context: &Context, org: &OrgId, id: &CustomerId) -> Result<Customer, Failure> {
    let customer = context.store.customer(org, id).await?;
    Ok(customer.ok_or(Rejection::UnknownCustomer)?.value)
}
