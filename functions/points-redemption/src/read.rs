//! The operations that only read: quotes, redemption options, and a customer's redemptions.

use chrono::{DateTime, Utc};
use shared::{
    domain::{
        customer::Customer,
        ids::{CustomerId, OrderId, OrgId},
        lots::account::PointsFigures,
        loyalty::{PointsCost, RedemptionTier},
        money::{Currency, Money},
        points::Points,
        points_redemption::{self, PointsRedemption, PointsValuation},
        rejection::{RefusalCode, Rejection},
    },
    failure::Failure,
    host::{Context, Declared, Handler, List, ListOperation, PageRequest, RecordedRow, Reply, RowPage, Success, Tag},
    inbound::{
        cursor::Cursor,
        fields::PageSize,
        operation::{Callers, Operation},
    },
    telemetry::metric::Metric,
};

/// Quotes the discount for a number of points, and the largest redemption that would be accepted.
///
/// A quote and a redemption apply the same rules.
pub struct QuotePoints;

/// A redemption that is considered.
#[declare::request]
pub struct QuoteRequest {
    /// The org.
    pub org_id: OrgId,
    /// The customer.
    pub customer_id: CustomerId,
    /// The points to redeem.
    pub points: PointsCost,
    /// The total of the order before the discount, in the org's currency. Absent: the points are not compared with a
    /// total.
    pub order_total: Option<Money>,
    /// The currency of the order, which must be the org's.
    pub currency: Option<Currency>,
}

/// Whether the redemption would be accepted, and the largest redemption that would be.
#[declare::answer]
pub struct QuoteAnswer {
    /// Whether the redemption would be accepted now.
    pub is_valid: bool,
    /// The discount for the points, in the org's currency. 0 if the points cannot be redeemed.
    pub value: Money,
    /// The largest number of points that would be accepted now, at most 1,000,000,000. 0 if none. Without `orderTotal`,
    /// the number for the largest possible order.
    pub max_points: Points,
    /// The discount for `maxPoints`.
    pub max_value: Money,
    /// The code with which the redemption would be refused.
    pub code: Option<RefusalCode>,
    /// The reason for people.
    pub reason: Option<String>,
}

impl Declared for QuotePoints {
    const OPERATION: Operation = Operation::new("quote", "POST", "/quotes").callers(Callers::READ_AND_TILL);
    const TAG: Tag = Tag::Checkout;
    const SUMMARY: &'static str = "Quote the discount for points";
    const DESCRIPTION: &'static str = "Applies the rules of a redemption and writes nothing. `maxPoints` is the largest \
        number of points that would be accepted now.";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] = &[
        RefusalCode::UnknownOrg,
        RefusalCode::UnknownCustomer,
        RefusalCode::OtherCurrency,
        RefusalCode::CustomerErased,
        RefusalCode::LoyaltyDisabled,
    ];
    const METRICS: &'static [Metric] = &[];

    type Request = QuoteRequest;
    type Answer = QuoteAnswer;
}

impl Handler for QuotePoints {
    async fn handle(context: &Context, request: QuoteRequest) -> Result<Reply<QuoteAnswer>, Failure> {
        let QuoteRequest { org_id, customer_id, points, order_total, currency } = request;
        let org = context.org(&org_id).await?;
        org.check_amounts([("orderTotal", order_total)])?;
        let customer = customer(context, &org_id, &customer_id).await?;
        org.check_currency(currency.as_ref())?;
        let valuation = PointsValuation::new(&org.loyalty_in_force()?.settings, &org.profile.currency);
        let available = customer.account.figures(context.now).available;
        let quoted = points_redemption::quote(valuation, available, points, order_total);
        // No order total exceeds this amount.
        let order_total_max = order_total.or(Some(Money::REQUESTED_MAX));
        let max = points_redemption::max_redeemable(valuation, available, order_total_max);
        let refusal = quoted.as_ref().err();
        Ok(Reply::done(QuoteAnswer {
            is_valid: quoted.is_ok(),
            max_points: max.map_or(Points::ZERO, |(points, _)| points.get()),
            max_value: max.map_or(Money::ZERO, |(_, value)| value),
            code: refusal.map(Rejection::refusal),
            reason: refusal.map(ToString::to_string),
            value: quoted.unwrap_or(Money::ZERO),
        }))
    }
}

/// Lists the redemption tiers and whether the customer can redeem each one.
///
/// While the programme is off, no tier can be redeemed.
pub struct ListOptions;

/// The customer whose options are listed.
#[declare::request]
pub struct OptionsRequest {
    /// The org.
    pub org_id: OrgId,
    /// The customer.
    pub customer_id: CustomerId,
}

/// The balance of the customer, and each redemption tier.
#[declare::answer]
pub struct OptionsAnswer {
    /// The balance in points, with pending and held ones.
    pub balance: Points,
    /// The points that the customer can spend now.
    pub available_points: Points,
    /// The redemption tiers, cheapest first.
    pub options: Vec<OptionView>,
}

/// A redemption tier, and whether the customer can redeem it.
#[declare::answer]
pub struct OptionView {
    /// The points to pay.
    pub points_cost: PointsCost,
    /// The discount, in the org's currency.
    pub reward_value: Money,
    /// Whether the customer can redeem it now.
    pub can_redeem: bool,
    /// The points that the customer lacks. Absent if the balance suffices.
    pub points_needed: Option<Points>,
}

impl Declared for ListOptions {
    const OPERATION: Operation = Operation::new("options", "GET", "/options").callers(Callers::READ_AND_TILL);
    const TAG: Tag = Tag::Checkout;
    const SUMMARY: &'static str = "List the rewards of a customer";
    const DESCRIPTION: &'static str = "While the programme is off, no reward can be redeemed.";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] =
        &[RefusalCode::UnknownOrg, RefusalCode::UnknownCustomer, RefusalCode::CustomerErased];
    const METRICS: &'static [Metric] = &[];

    type Request = OptionsRequest;
    type Answer = OptionsAnswer;
}

impl Handler for ListOptions {
    async fn handle(context: &Context, request: OptionsRequest) -> Result<Reply<OptionsAnswer>, Failure> {
        let OptionsRequest { org_id, customer_id } = request;
        let org = context.org(&org_id).await?;
        let PointsFigures { points: balance, available: available_points, .. } =
            customer(context, &org_id, &customer_id).await?.account.figures(context.now);
        let is_on = org.loyalty_in_force().is_ok();
        let view = |tier: &RedemptionTier| {
            let needed = tier.points_cost.get().minus(available_points).filter(|needed| *needed > Points::ZERO);
            OptionView {
                points_cost: tier.points_cost,
                reward_value: tier.reward_value,
                can_redeem: is_on && needed.is_none(),
                points_needed: needed,
            }
        };
        let settings = org.loyalty.iter().map(|loyalty| &loyalty.settings);
        let options = settings.flat_map(|settings| settings.redemption_tiers.iter()).map(view).collect();
        Ok(Reply::done(OptionsAnswer { balance, available_points, options }))
    }
}

/// Lists a customer's redemptions, newest first. A voided redemption stays in the list with its `voidedAt`.
pub struct ListPointsRedemptions;

/// A page of the redemptions of a customer.
#[declare::request]
pub struct PointsRedemptionsRequest {
    /// The org.
    pub org_id: OrgId,
    /// The customer.
    pub customer_id: CustomerId,
    /// The largest number of rows.
    #[declare(default)]
    pub limit: PageSize,
    /// Where the page begins: the cursor of the page before.
    pub cursor: Option<Cursor>,
}

/// A page of the redemptions of a customer.
#[declare::answer]
pub struct PointsRedemptionsAnswer {
    /// The redemptions, newest first.
    pub redemptions: Vec<RecordedRow<PointsRedemptionView>>,
    /// Where the next page begins. Absent on the last page.
    pub cursor: Option<String>,
}

/// A redemption of points.
#[declare::answer]
pub struct PointsRedemptionView {
    /// The order.
    pub order_id: OrderId,
    /// The points.
    pub points_redeemed: Points,
    /// The discount, in the org's currency.
    pub value: Money,
    /// The total of the order before the discount.
    pub order_total: Money,
    /// The balance after the redemption, in points.
    pub balance: Points,
    /// When the points were redeemed.
    pub redeemed_at: DateTime<Utc>,
    /// When the redemption was voided.
    pub voided_at: Option<DateTime<Utc>>,
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

impl Declared for ListPointsRedemptions {
    const OPERATION: Operation = Operation::new("list", "GET", "/redemptions").callers(Callers::READ);
    const TAG: Tag = Tag::Checkout;
    const SUMMARY: &'static str = "List the redemptions of a customer";
    const DESCRIPTION: &'static str = "Newest first. A voided redemption stays in the list with its `voidedAt`.";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] =
        &[RefusalCode::UnknownOrg, RefusalCode::UnknownCustomer, RefusalCode::InvalidCursor];
    const METRICS: &'static [Metric] = &[];

    type Request = PointsRedemptionsRequest;
    type Answer = PointsRedemptionsAnswer;
}

impl ListOperation for ListPointsRedemptions {
    type Row = RecordedRow<PointsRedemptionView>;

    fn page(request: &PointsRedemptionsRequest) -> PageRequest<'_> {
        let PointsRedemptionsRequest { org_id, customer_id, limit, cursor } = request;
        PageRequest { org: org_id.as_str(), qualifier: customer_id.as_str(), limit: *limit, cursor: cursor.clone() }
    }

    async fn rows(
        context: &Context,
        request: &PointsRedemptionsRequest,
        list: &List<'_>,
    ) -> Result<RowPage<Self::Row>, Failure> {
        let PointsRedemptionsRequest { org_id, customer_id, .. } = request;
        context.org(org_id).await?;
        let page = context.store.points_redemptions(org_id, customer_id, list.after(), list.size()).await?;
        if list.is_empty(&page) {
            // The customer has redeemed nothing, or does not exist.
            customer(context, org_id, customer_id).await?;
        }
        Ok(RowPage::of(page, |row| Some(RecordedRow::from(row))))
    }

    fn answer(redemptions: Vec<Self::Row>, cursor: Option<String>) -> PointsRedemptionsAnswer {
        PointsRedemptionsAnswer { redemptions, cursor }
    }
}

async fn customer(context: &Context, org: &OrgId, id: &CustomerId) -> Result<Customer, Failure> {
    let customer = context.store.customer(org, id).await?;
    let customer = customer.ok_or(Rejection::UnknownCustomer)?.value;
    customer.check_not_erased(None)?;
    Ok(customer)
}
