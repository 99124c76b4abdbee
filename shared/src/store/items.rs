//! How values are written as items. Amounts of money are whole minor units, decimals are texts, instants are RFC 3339
//! with three decimals. An item that does not read back into its type is an error, never a default.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    Item, StoreError, Versioned,
    keys::{Key, Place, text},
};
use crate::domain::{
    adjustment::Adjustment,
    award::{Award, Order, Outcome, Terms},
    customer::{Customer, Orders, Person, Standing},
    ids::{AdjustmentId, CustomerId, OrderId, OrgId, RefundId},
    ledger::{Entry, Happening},
    loyalty::{Loyalty, LoyaltySettings, RedemptionMode, RedemptionTier, Tier},
    money::Money,
    org::{Currency, Org, OrgProfile},
    points::Points,
    refund::Refund,
    text::Line,
    tier::{TierCause, TierChange},
    time,
};

/// Puts a value under its key, and in the index if it is listed.
pub(super) fn write(key: &Key, place: Option<&Place>, value: &impl Serialize) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::to_item(value)?;
    item.extend(key.to_item());
    if let Some(place) = place {
        item.extend([("list".into(), text(&place.list)), ("at".into(), text(&place.at))]);
    }
    Ok(item)
}

/// Reads an item into its form and then into its value; `what` names it where it can't be.
pub(super) fn read<F, T>(what: &str, item: Item) -> Result<T, StoreError>
where
    F: DeserializeOwned + TryInto<T, Error = &'static str>,
{
    let form: F = serde_dynamo::from_item(item).map_err(|error| StoreError::unreadable(what, error))?;
    form.try_into().map_err(|why| StoreError::unreadable(what, why))
}

fn money(minor: i64) -> Result<Money, &'static str> {
    Money::from_minor(minor).ok_or("an amount below zero")
}

fn decimal<T: TryFrom<Decimal, Error = &'static str>>(text: &str) -> Result<T, &'static str> {
    text.parse::<Decimal>().map_err(|_| "not a decimal").and_then(T::try_from)
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrgForm {
    org_id: OrgId,
    name: Line,
    timezone: String,
    currency: Currency,
    disposable: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    loyalty: Option<LoyaltyForm>,
    pub(super) version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoyaltyForm {
    enabled: bool,
    points_per_dollar: String,
    equity_multiplier: String,
    tiers: Vec<TierForm>,
    redemption_tiers: Vec<RedemptionTierForm>,
    redemption_mode: RedemptionMode,
    inactivity_days: i64,
    active_days: i64,
    tier_rules: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TierForm {
    name: Line,
    threshold: i64,
    points_multiplier: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RedemptionTierForm {
    points_cost: i64,
    reward_value: i64,
}

impl OrgForm {
    pub(super) fn new(org: &Org, version: u64) -> Self {
        let OrgProfile { name, timezone, currency } = org.profile.clone();
        let loyalty = org.loyalty.as_ref().map(LoyaltyForm::from);
        let (org_id, disposable) = (org.id.clone(), org.disposable);
        Self { org_id, name, timezone: timezone.name().into(), currency, disposable, loyalty, version }
    }
}

impl TryFrom<OrgForm> for Versioned<Org> {
    type Error = &'static str;

    fn try_from(form: OrgForm) -> Result<Self, Self::Error> {
        let timezone = form.timezone.parse().map_err(|_| "an unknown time zone")?;
        let value = Org {
            id: form.org_id,
            profile: OrgProfile { name: form.name, timezone, currency: form.currency },
            disposable: form.disposable,
            loyalty: form.loyalty.map(TryInto::try_into).transpose()?,
        };
        Ok(Self { value, version: form.version })
    }
}

impl From<&Loyalty> for LoyaltyForm {
    fn from(Loyalty { settings, tier_rules }: &Loyalty) -> Self {
        let tier = |tier: &Tier| TierForm {
            name: tier.name.clone(),
            threshold: tier.threshold.minor(),
            points_multiplier: tier.points_multiplier.get().to_string(),
        };
        let redemption_tier = |tier: &RedemptionTier| RedemptionTierForm {
            points_cost: tier.points_cost.get().0,
            reward_value: tier.reward_value.minor(),
        };
        Self {
            enabled: settings.enabled,
            points_per_dollar: settings.points_per_dollar.get().to_string(),
            equity_multiplier: settings.equity_multiplier.get().to_string(),
            tiers: settings.tiers.iter().map(tier).collect(),
            redemption_tiers: settings.redemption_tiers.iter().map(redemption_tier).collect(),
            redemption_mode: settings.redemption_mode,
            inactivity_days: settings.inactivity_days.get().into(),
            active_days: settings.active_days.get().into(),
            tier_rules: *tier_rules,
        }
    }
}

impl TryFrom<LoyaltyForm> for Loyalty {
    type Error = &'static str;

    fn try_from(form: LoyaltyForm) -> Result<Self, Self::Error> {
        let tier = |tier: TierForm| -> Result<Tier, &'static str> {
            let (threshold, points_multiplier) = (money(tier.threshold)?, decimal(&tier.points_multiplier)?);
            Ok(Tier { name: tier.name, threshold, points_multiplier })
        };
        let redemption_tier = |tier: RedemptionTierForm| -> Result<RedemptionTier, &'static str> {
            Ok(RedemptionTier { points_cost: tier.points_cost.try_into()?, reward_value: money(tier.reward_value)? })
        };
        let tiers: Vec<_> = form.tiers.into_iter().map(tier).collect::<Result<_, _>>()?;
        let redemption_tiers: Vec<_> =
            form.redemption_tiers.into_iter().map(redemption_tier).collect::<Result<_, _>>()?;
        let settings = LoyaltySettings {
            enabled: form.enabled,
            points_per_dollar: decimal(&form.points_per_dollar)?,
            equity_multiplier: decimal(&form.equity_multiplier)?,
            tiers: tiers.try_into()?,
            redemption_tiers: redemption_tiers.try_into()?,
            redemption_mode: form.redemption_mode,
            inactivity_days: form.inactivity_days.try_into()?,
            active_days: form.active_days.try_into()?,
        };
        Ok(Self { settings, tier_rules: form.tier_rules })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CustomerForm {
    customer_id: CustomerId,
    person: Person,
    points: Points,
    lifetime_value: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    orders: Option<OrdersForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    standing: Option<StandingForm>,
    version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrdersForm {
    count: u32,
    #[serde(serialize_with = "time::serialize")]
    first_at: DateTime<Utc>,
    #[serde(serialize_with = "time::serialize")]
    last_at: DateTime<Utc>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StandingForm {
    tier: Line,
    #[serde(serialize_with = "time::serialize")]
    since: DateTime<Utc>,
    tier_rules: u64,
}

impl CustomerForm {
    pub(super) fn new(customer: &Customer, version: u64) -> Self {
        let orders = customer.orders.map(|Orders { count, first_at, last_at }| OrdersForm { count, first_at, last_at });
        let standing = customer.standing.clone();
        Self {
            customer_id: customer.id.clone(),
            person: customer.person.clone(),
            points: customer.points,
            lifetime_value: customer.lifetime_value.minor(),
            orders,
            standing: standing.map(|Standing { tier, since, tier_rules }| StandingForm { tier, since, tier_rules }),
            version,
        }
    }
}

impl TryFrom<CustomerForm> for Versioned<Customer> {
    type Error = &'static str;

    fn try_from(form: CustomerForm) -> Result<Self, Self::Error> {
        let orders = form.orders.map(|OrdersForm { count, first_at, last_at }| Orders { count, first_at, last_at });
        let standing = form.standing;
        let value = Customer {
            id: form.customer_id,
            person: form.person,
            points: form.points,
            lifetime_value: money(form.lifetime_value)?,
            orders,
            standing: standing.map(|StandingForm { tier, since, tier_rules }| Standing { tier, since, tier_rules }),
        };
        Ok(Self { value, version: form.version })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EntryForm {
    #[serde(serialize_with = "time::serialize")]
    written_at: DateTime<Utc>,
    points: Points,
    balance: Points,
    what: HappeningForm,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", rename_all_fields = "camelCase")]
enum HappeningForm {
    PointsEarned { order_id: OrderId, order_total: i64 },
    PointsReversed { order_id: OrderId, refund_id: RefundId, refund_total: i64 },
    PointsAdjusted { adjustment_id: AdjustmentId, reason: Line },
    TierChanged { from: Line, to: Line, cause: TierCause, order_id: Option<OrderId> },
}

impl From<&Entry> for EntryForm {
    fn from(entry: &Entry) -> Self {
        let what = match entry.what.clone() {
            Happening::PointsEarned { order_id, order_total } => {
                HappeningForm::PointsEarned { order_id, order_total: order_total.minor() }
            }
            Happening::PointsReversed { order_id, refund_id, refund_total } => {
                HappeningForm::PointsReversed { order_id, refund_id, refund_total: refund_total.minor() }
            }
            Happening::PointsAdjusted { adjustment_id, reason } => {
                HappeningForm::PointsAdjusted { adjustment_id, reason }
            }
            Happening::TierChanged { change: TierChange { from, to, cause }, order_id } => {
                HappeningForm::TierChanged { from, to, cause, order_id }
            }
        };
        Self { written_at: entry.at, points: entry.points, balance: entry.balance, what }
    }
}

impl TryFrom<EntryForm> for Entry {
    type Error = &'static str;

    fn try_from(form: EntryForm) -> Result<Self, Self::Error> {
        let what = match form.what {
            HappeningForm::PointsEarned { order_id, order_total } => {
                Happening::PointsEarned { order_id, order_total: money(order_total)? }
            }
            HappeningForm::PointsReversed { order_id, refund_id, refund_total } => {
                Happening::PointsReversed { order_id, refund_id, refund_total: money(refund_total)? }
            }
            HappeningForm::PointsAdjusted { adjustment_id, reason } => {
                Happening::PointsAdjusted { adjustment_id, reason }
            }
            HappeningForm::TierChanged { from, to, cause, order_id } => {
                Happening::TierChanged { change: TierChange { from, to, cause }, order_id }
            }
        };
        Ok(Self { at: form.written_at, points: form.points, balance: form.balance, what })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OutcomeForm {
    balance: Points,
    tier: Line,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tier_change: Option<TierChange>,
}

impl From<&Outcome> for OutcomeForm {
    fn from(outcome: &Outcome) -> Self {
        let Outcome { balance, tier, tier_change } = outcome.clone();
        Self { balance, tier, tier_change }
    }
}

impl From<OutcomeForm> for Outcome {
    fn from(OutcomeForm { balance, tier, tier_change }: OutcomeForm) -> Self {
        Self { balance, tier, tier_change }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AwardForm {
    order_id: OrderId,
    customer_id: CustomerId,
    order_total: i64,
    equity_status: bool,
    #[serde(serialize_with = "time::serialize")]
    fulfilled_at: DateTime<Utc>,
    points_per_dollar: String,
    equity_multiplier: String,
    tier_multiplier: String,
    points: Points,
    outcome: OutcomeForm,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remaining: Option<i64>,
}

impl From<&Award> for AwardForm {
    fn from(award: &Award) -> Self {
        Self {
            order_id: award.order.id.clone(),
            customer_id: award.order.customer.clone(),
            order_total: award.order.total.minor(),
            equity_status: award.order.equity_status,
            fulfilled_at: award.order.fulfilled_at,
            points_per_dollar: award.terms.points_per_dollar.get().to_string(),
            equity_multiplier: award.terms.equity.get().to_string(),
            tier_multiplier: award.terms.tier.get().to_string(),
            points: award.points,
            outcome: (&award.outcome).into(),
            remaining: award.remaining.map(Money::minor),
        }
    }
}

impl TryFrom<AwardForm> for Award {
    type Error = &'static str;

    fn try_from(form: AwardForm) -> Result<Self, Self::Error> {
        let order = Order {
            id: form.order_id,
            customer: form.customer_id,
            total: money(form.order_total)?,
            equity_status: form.equity_status,
            fulfilled_at: form.fulfilled_at,
        };
        let terms = Terms {
            points_per_dollar: decimal(&form.points_per_dollar)?,
            equity: decimal(&form.equity_multiplier)?,
            tier: decimal(&form.tier_multiplier)?,
        };
        let remaining = form.remaining.map(money).transpose()?;
        Ok(Self { order, terms, points: form.points, outcome: form.outcome.into(), remaining })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RefundForm {
    refund_id: RefundId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked: Option<i64>,
    points: Points,
    outcome: OutcomeForm,
}

impl From<&Refund> for RefundForm {
    fn from(refund: &Refund) -> Self {
        Self {
            refund_id: refund.id.clone(),
            asked: refund.asked.map(Money::minor),
            points: refund.points,
            outcome: (&refund.outcome).into(),
        }
    }
}

impl TryFrom<RefundForm> for Refund {
    type Error = &'static str;

    fn try_from(form: RefundForm) -> Result<Self, Self::Error> {
        let asked = form.asked.map(money).transpose()?;
        Ok(Self { id: form.refund_id, asked, points: form.points, outcome: form.outcome.into() })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AdjustmentForm {
    adjustment_id: AdjustmentId,
    points: Points,
    balance: Points,
}

impl From<&Adjustment> for AdjustmentForm {
    fn from(adjustment: &Adjustment) -> Self {
        let Adjustment { id, points, balance } = adjustment.clone();
        Self { adjustment_id: id, points, balance }
    }
}

impl TryFrom<AdjustmentForm> for Adjustment {
    type Error = &'static str;

    fn try_from(AdjustmentForm { adjustment_id, points, balance }: AdjustmentForm) -> Result<Self, Self::Error> {
        Ok(Self { id: adjustment_id, points, balance })
    }
}

/// Whose an order is, from the first thing done about it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderForm {
    customer_id: CustomerId,
}

impl From<&CustomerId> for OrderForm {
    fn from(customer_id: &CustomerId) -> Self {
        Self { customer_id: customer_id.clone() }
    }
}

impl TryFrom<OrderForm> for CustomerId {
    type Error = &'static str;

    fn try_from(form: OrderForm) -> Result<Self, Self::Error> {
        Ok(form.customer_id)
    }
}
