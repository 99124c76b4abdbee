//! What was done about an order: whose it is, its award, its refunds.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{super::OrderHeader, decimal, if_known, money, org::EarnRateForm};
use crate::domain::{
    earning::{
        award::{Award, Order},
        change::AccountSnapshot,
        refund::{Refund, RefundRecord, RefundVoid},
        terms::EarningTerms,
    },
    ids::{CustomerId, OrderId, RefundId},
    money::Money,
    points::Points,
    text::SingleLine,
    tier::{TierCause, TierChange},
    time,
};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AccountSnapshotForm {
    balance: Points,
    tier: SingleLine,
    #[serde(default, deserialize_with = "if_known", skip_serializing_if = "Option::is_none")]
    tier_change: Option<TierChangeForm>,
}

#[derive(Serialize, Deserialize)]
struct TierChangeForm {
    from: SingleLine,
    to: SingleLine,
    cause: TierCause,
}

impl From<TierChange> for TierChangeForm {
    fn from(TierChange { from, to, cause }: TierChange) -> Self {
        Self { from, to, cause }
    }
}

impl From<TierChangeForm> for TierChange {
    fn from(TierChangeForm { from, to, cause }: TierChangeForm) -> Self {
        Self { from, to, cause }
    }
}

impl From<&AccountSnapshot> for AccountSnapshotForm {
    fn from(outcome: &AccountSnapshot) -> Self {
        let AccountSnapshot { balance, tier, tier_change } = outcome.clone();
        Self { balance, tier, tier_change: tier_change.map(TierChangeForm::from) }
    }
}

impl From<AccountSnapshotForm> for AccountSnapshot {
    fn from(AccountSnapshotForm { balance, tier, tier_change }: AccountSnapshotForm) -> Self {
        Self { balance, tier, tier_change: tier_change.map(TierChange::from) }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct AwardForm {
    order_id: OrderId,
    customer_id: CustomerId,
    order_total: i64,
    equity_status: bool,
    #[serde(serialize_with = "time::serialize")]
    fulfilled_at: DateTime<Utc>,
    points_per_dollar: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    earn_rate: Option<EarnRateForm>,
    equity_multiplier: String,
    tier_multiplier: String,
    points: Points,
    outcome: AccountSnapshotForm,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remaining: Option<i64>,
    version: u64,
}

impl AwardForm {
    pub(in crate::store) fn new(award: &Award, version: u64) -> Self {
        Self {
            order_id: award.order.id.clone(),
            customer_id: award.order.customer.clone(),
            order_total: award.order.total.minor(),
            equity_status: award.order.equity_status,
            fulfilled_at: award.order.fulfilled_at,
            points_per_dollar: award.terms.points_per_dollar.get().to_string(),
            earn_rate: award.terms.earn_rate.map(EarnRateForm::from),
            equity_multiplier: award.terms.equity.get().to_string(),
            tier_multiplier: award.terms.tier.get().to_string(),
            points: award.points,
            outcome: (&award.outcome).into(),
            remaining: award.remaining.map(Money::minor),
            version,
        }
    }
}

impl TryFrom<AwardForm> for (Award, u64) {
    type Error = &'static str;

    fn try_from(form: AwardForm) -> Result<Self, Self::Error> {
        let order = Order {
            id: form.order_id,
            customer: form.customer_id,
            total: money(form.order_total)?,
            equity_status: form.equity_status,
            fulfilled_at: form.fulfilled_at,
        };
        let terms = EarningTerms {
            points_per_dollar: decimal(&form.points_per_dollar)?,
            earn_rate: form.earn_rate.map(TryInto::try_into).transpose()?,
            equity: decimal(&form.equity_multiplier)?,
            tier: decimal(&form.tier_multiplier)?,
        };
        let remaining = form.remaining.map(money).transpose()?;
        let value = Award { order, terms, points: form.points, outcome: form.outcome.into(), remaining };
        Ok((value, form.version))
    }
}

/// A refund, or the mark of a void that came before it: then all but the id is absent.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct RefundForm {
    refund_id: RefundId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked: Option<i64>,
    /// Absent from refunds that were made before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    total: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    points: Option<Points>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outcome: Option<AccountSnapshotForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    voided: Option<RefundVoidForm>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    voided_before: bool,
    /// Absent from refunds that were made before they could be voided.
    #[serde(default = "first_version")]
    version: u64,
}

const fn first_version() -> u64 {
    1
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RefundVoidForm {
    #[serde(serialize_with = "time::serialize")]
    at: DateTime<Utc>,
    points: Points,
    outcome: AccountSnapshotForm,
}

impl RefundForm {
    pub(in crate::store) fn made(refund: &Refund, version: u64) -> Self {
        let void = |RefundVoid { at, points, outcome }: &RefundVoid| RefundVoidForm {
            at: *at,
            points: *points,
            outcome: outcome.into(),
        };
        Self {
            refund_id: refund.id.clone(),
            asked: refund.asked.map(Money::minor),
            total: refund.total.map(Money::minor),
            points: Some(refund.points),
            outcome: Some((&refund.outcome).into()),
            voided: refund.voided.as_ref().map(void),
            voided_before: false,
            version,
        }
    }

    pub(in crate::store) fn voided_before(refund: &RefundId) -> Self {
        Self {
            refund_id: refund.clone(),
            asked: None,
            total: None,
            points: None,
            outcome: None,
            voided: None,
            voided_before: true,
            version: first_version(),
        }
    }
}

impl TryFrom<RefundForm> for (RefundRecord, u64) {
    type Error = &'static str;

    fn try_from(form: RefundForm) -> Result<Self, Self::Error> {
        if form.voided_before {
            return Ok((RefundRecord::VoidedBefore, form.version));
        }
        let void = |RefundVoidForm { at, points, outcome }| RefundVoid { at, points, outcome: outcome.into() };
        let refund = Refund {
            id: form.refund_id,
            asked: form.asked.map(money).transpose()?,
            total: form.total.map(money).transpose()?,
            points: form.points.ok_or("a refund without points")?,
            outcome: form.outcome.ok_or("a refund without an outcome")?.into(),
            voided: form.voided.map(void),
        };
        Ok((RefundRecord::Made(Box::new(refund)), form.version))
    }
}

/// Whose an order is, and what holds for all of it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct OrderForm {
    #[serde(default)]
    customer_id: Option<CustomerId>,
    #[serde(default)]
    bundles_voided: bool,
}

impl TryFrom<OrderForm> for OrderHeader {
    type Error = &'static str;

    fn try_from(OrderForm { customer_id, bundles_voided }: OrderForm) -> Result<Self, Self::Error> {
        Ok(Self { owner: customer_id, bundles_voided })
    }
}
