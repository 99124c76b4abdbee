//! The stored form of an award.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    account_snapshot::AccountSnapshotForm,
    earn_rate::EarnRateForm,
    values::{decimal, money},
};
use crate::domain::{
    earning::{
        award::{Award, Order},
        terms::EarningTerms,
    },
    ids::{CustomerId, OrderId},
    lots::lot::LotDates,
    money::Money,
    points::Points,
    time,
};

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
    #[serde(default, serialize_with = "time::serialize_option", skip_serializing_if = "Option::is_none")]
    available_at: Option<DateTime<Utc>>,
    #[serde(default, serialize_with = "time::serialize_option", skip_serializing_if = "Option::is_none")]
    expires_at: Option<DateTime<Utc>>,
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
            available_at: award.dates.available_at,
            expires_at: award.dates.expires_at,
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
        let dates = LotDates { available_at: form.available_at, expires_at: form.expires_at };
        let value = Award { order, terms, points: form.points, outcome: form.outcome.into(), dates, remaining };
        Ok((value, form.version))
    }
}
